//! Bounds for a quantile from the order of the values alone: `P(X_(u) >= Q_q) = P(Binomial(n, q) <= u - 1)`, whatever the distribution
//! (David and Nagaraja, *Order Statistics*, 2003).

use super::tails::binomial_cdf;
use crate::quantile;

#[cfg(test)]
mod tests;

/// Fewest requests with which a one-sided 95 % bound of the 95th percentile exists.
pub const REQUESTS_FOR_P95: usize = quantile::REQUESTS_FOR_P95;

/// The same of the 99th percentile.
pub const REQUESTS_FOR_P99: usize = quantile::REQUESTS_FOR_P99;

/// No search goes beyond this many requests.
const MOST_REQUESTS: u32 = 1 << 30;

/// The place, from 1, of the smallest value that is an upper bound of quantile `q` with that confidence, one-sided: the smallest u with
/// `P(Binomial(n, q) <= u - 1) >= confidence`. None if none of the `n` values is, or `q` or the confidence is not between 0 and 1.
#[must_use]
pub fn upper_place(n: u32, q: f64, confidence: f64) -> Option<u32> {
    let k = binomial_quantile(n, q, confidence)?;
    (k < n).then_some(k + 1)
}

/// The place, from 1, of the largest value that is a lower bound of quantile `q` with that confidence, one-sided: the largest l with
/// `P(Binomial(n, q) <= l - 1) <= 1 - confidence`. None if none is.
#[must_use]
pub fn lower_place(n: u32, q: f64, confidence: f64) -> Option<u32> {
    binomial_quantile(n, q, 1.0 - confidence).filter(|&place| place > 0)
}

/// The chance that quantile `q` lies between the values at two places, an open end meaning that everything beyond counts.
#[must_use]
pub fn coverage(n: u32, q: f64, lower: Option<u32>, upper: Option<u32>) -> Option<f64> {
    is_probability(q).then_some(())?;
    let below = |place: u32| place.checked_sub(1).map_or(0.0, |k| binomial_cdf(k, n, q));
    Some(upper.map_or(1.0, below) - lower.map_or(0.0, below))
}

/// An upper bound of quantile `q` with that confidence, one-sided; none if there are too few values, or one is not a number.
#[must_use]
pub fn upper_bound(values: &[f64], q: f64, confidence: f64) -> Option<f64> {
    let place = upper_place(u32::try_from(values.len()).ok()?, q, confidence)?;
    at_place(values, place)
}

/// A lower bound of quantile `q` with that confidence, one-sided; none if there are too few values, or one is not a number.
#[must_use]
pub fn lower_bound(values: &[f64], q: f64, confidence: f64) -> Option<f64> {
    let place = lower_place(u32::try_from(values.len()).ok()?, q, confidence)?;
    at_place(values, place)
}

/// The fewest values of which, with that confidence, more than `beyond` lie above quantile `q`: the smallest n with
/// `P(Binomial(n, 1 - q) <= beyond) <= 1 - confidence`. With none beyond it is the number from which an upper bound exists, 59 for the
/// 95th and 299 for the 99th percentile at 95 %; `MLPerf`'s early stopping uses the same numbers at 99 %.
#[must_use]
pub fn fewest_for_bound(q: f64, confidence: f64, beyond: u32) -> Option<u32> {
    if !(is_probability(q) && is_probability(confidence)) {
        return None;
    }
    let enough = |n: u32| binomial_cdf(beyond, n, 1.0 - q) <= 1.0 - confidence;
    let mut high = beyond.checked_add(1)?;
    while !enough(high) {
        high = high.checked_mul(2).filter(|&n| n <= MOST_REQUESTS)?;
    }
    Some(smallest(beyond, high, enough))
}

/// The smallest k with `P(Binomial(n, q) <= k) >= p`.
fn binomial_quantile(n: u32, q: f64, p: f64) -> Option<u32> {
    let sound = is_probability(q) && is_probability(p);
    sound.then(|| if binomial_cdf(0, n, q) >= p { 0 } else { smallest(0, n, |k| binomial_cdf(k, n, q) >= p) })
}

/// The smallest number above `low` that holds, where everything from there on holds, and `high` does.
fn smallest(mut low: u32, mut high: u32, holds: impl Fn(u32) -> bool) -> u32 {
    while low + 1 < high {
        let middle = u32::midpoint(low, high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

fn at_place(values: &[f64], place: u32) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let sound = sorted.iter().all(|value| !value.is_nan());
    sound.then(|| sorted.get(place as usize - 1).copied()).flatten()
}

fn is_probability(p: f64) -> bool {
    p > 0.0 && p < 1.0
}
