//! One number per trial, over trials: mean, standard deviation and interval.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

#[cfg(test)]
mod tests;

/// Two-sided confidence of every interval.
pub const CONFIDENCE: f64 = 0.9;

/// Beyond so many degrees of freedom Student's t is normal to five digits, and `statrs` would search its quantile without end.
const MAX_DF: f64 = 1e4;

/// Spread that the arithmetic itself makes, relative to the values.
const ROUNDING: f64 = 1e-12;

/// A metric over trials, or over boots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// How many values there are.
    pub n: usize,
    /// How many of them are +inf, since a percentile fell among failed requests.
    pub unbounded: usize,
    /// Their mean; none if one of them is +inf.
    pub mean: Option<f64>,
    /// Their standard deviation, with `n - 1`; none of fewer than two.
    pub sd: Option<f64>,
    /// Half the width of the 90 % interval of the mean, `t_(0.95, n-1) sd / sqrt(n)` (Student, 1908); none of fewer than two.
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The estimate from one value per unit; none of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n == 0 {
            return None;
        }
        let unbounded = values.iter().filter(|value| !value.is_finite()).count();
        if unbounded > 0 {
            return Some(Self { n, unbounded, mean: None, sd: None, half_width: None });
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let df = n as f64 - 1.0;
        let sd = (n > 1).then(|| (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / df).sqrt());
        // Below the rounding of the values themselves there is no spread to report.
        let sd = sd.map(|sd| if sd < mean.abs() * ROUNDING { 0.0 } else { sd });
        let half_width = sd.zip(t_quantile(df)).map(|(sd, t)| t * sd / (n as f64).sqrt());
        Some(Self { n, unbounded, mean: Some(mean), sd, half_width })
    }
}

/// The quantile of Student's t that leaves half of `1 - CONFIDENCE` above it; none below one degree of freedom.
fn t_quantile(df: f64) -> Option<f64> {
    if df < 1.0 {
        return None;
    }
    let student = StudentsT::new(0.0, 1.0, df.min(MAX_DF)).ok()?;
    Some(student.inverse_cdf(f64::midpoint(1.0, CONFIDENCE)))
}
