//! When open-loop requests arrive: absolute times, drawn once, before anything is sent.
//!
//! Gaps are summed as drawn. Rescaling the times so that the last one falls on `requests / rate` would make the gaps depend on each
//! other and the process no longer the one that was asked for. The first request arrives after the first gap.

use record::Arrival;

use crate::rng::Rng;

#[cfg(test)]
mod tests;

/// Arrival times of `requests` requests, in nanoseconds since the trial began, sorted. `rate_per_s` is the mean arrivals per second;
/// only [`Arrival::AllAtOnce`] does without one.
pub(crate) fn arrivals_ns(arrival: Arrival, rate_per_s: f64, requests: u32, rng: &mut Rng) -> Vec<u64> {
    let mut t_s = 0.0;
    (1..=requests)
        .map(|place| {
            match arrival {
                Arrival::AllAtOnce => {}
                // Each from its place, so that ten thousand gaps add no rounding.
                Arrival::Constant => t_s = f64::from(place) / rate_per_s,
                Arrival::Poisson => t_s += -libm::log(rng.open_unit()) / rate_per_s,
                // A gamma distribution's mean is its shape times its scale.
                Arrival::Gamma { shape } => t_s += gamma(shape, rng) / (shape * rate_per_s),
            }
            to_ns(t_s)
        })
        .collect()
}

/// A gamma number of this shape and scale 1: G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS
/// 26(3), 2000. Below shape 1 theirs is for shape + 1, times a uniform number to the power of 1 / shape (their section 6).
fn gamma(shape: f64, rng: &mut Rng) -> f64 {
    if shape < 1.0 {
        return gamma(shape + 1.0, rng) * libm::pow(rng.open_unit(), 1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = rng.normal();
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        if libm::log(rng.open_unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of nanoseconds, below 2^64 for 500 years"
)]
fn to_ns(t_s: f64) -> u64 {
    libm::round(t_s * 1e9) as u64
}
