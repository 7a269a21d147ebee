//! The tail of the hypergeometric distribution, summed term by term away from its mode.
//!
//! `statrs` sums it from the far end. The first term comes from its logarithm, the others from the ratio of neighbours.

use statrs::function::factorial::ln_factorial;

#[cfg(test)]
mod tests;

/// Terms smaller than this part of their sum change nothing in it any more.
const NEGLIGIBLE_TERM: f64 = 1e-18;

/// `P(X >= k)` for X, how many of `drawn` units are marked when `marked` of `all` are. `drawn` and `marked` are at most `all`.
pub(super) fn hypergeometric_at_least(k: u64, all: u64, marked: u64, drawn: u64) -> f64 {
    let (least, most) = ((marked + drawn).saturating_sub(all), marked.min(drawn));
    if k <= least {
        return 1.0;
    }
    if k > most {
        return 0.0;
    }
    let mass = |k| (ln_choose(marked, k) + ln_choose(all - marked, drawn - k) - ln_choose(all, drawn)).exp();
    // P(X = k + 1) / P(X = k).
    let rise = |k| {
        let taken = (marked - k) as f64 * (drawn - k) as f64;
        taken / ((k + 1) as f64 * (all + k + 1 - marked - drawn) as f64)
    };
    // The mode lies at (marked + 1) (drawn + 1) / (all + 2).
    if k as f64 * (all as f64 + 2.0) > (marked as f64 + 1.0) * (drawn as f64 + 1.0) {
        (mass(k) * series((k..most).map(rise))).min(1.0)
    } else {
        let down = (least..k - 1).rev().map(|k| 1.0 / rise(k));
        (1.0 - mass(k - 1) * series(down)).max(0.0)
    }
}

/// `1 + r_1 + r_1 r_2 + ...`, as far as it matters.
fn series(ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for ratio in ratios {
        term *= ratio;
        if term < sum * NEGLIGIBLE_TERM {
            break;
        }
        sum += term;
    }
    sum
}

/// The logarithm of the number of ways to choose `k` of `n`.
fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
}
