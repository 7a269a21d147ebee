//! Tests whether a side changed while it was measured: a machine that warms up makes the side that runs last look slow.

use super::{moments, student::StudentT};

#[cfg(test)]
mod tests;

/// A slope with a smaller p is significant.
pub const P_DRIFT: f64 = 0.01;

/// A drift over all of a side's trials that is at most this share of the margin is ignored.
pub const SHARE_OF_MARGIN: f64 = 0.5;

/// The line through the logarithms of a side's values, in the order in which they were measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    pub n: usize,
    /// Slope of the line, in natural logarithms per trial.
    pub slope_ln: f64,
    /// Two-sided p-value of the slope.
    pub p: f64,
}

impl Drift {
    /// Ordinary least squares of `ln(value)` on 0, 1, 2, ...: `slope = sum (x - mean x)(y - mean y) / Sxx`,
    /// `se^2 = sum residual^2 / (n - 2) / Sxx`, `p = 2 P(T > |slope| / se)` with `n - 2` degrees of freedom (Draper and Smith, *Applied
    /// Regression Analysis*, 1998, chapter 1).
    ///
    /// None of fewer than three values, or of one that is not finite and above 0.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let y = moments::logarithms(values).filter(|y| y.len() > 2)?;
        let n = y.len() as f64;
        let (middle, mean) = ((n - 1.0) / 2.0, moments::mean(&y)?);
        let from_middle = |place: usize| place as f64 - middle;
        let sxx: f64 = (0..y.len()).map(|place| from_middle(place).powi(2)).sum();
        let slope_ln = y.iter().enumerate().map(|(place, y)| from_middle(place) * (y - mean)).sum::<f64>() / sxx;
        let residual = |(place, y): (usize, &f64)| (y - mean - slope_ln * from_middle(place)).powi(2);
        let residuals: f64 = y.iter().enumerate().map(residual).sum();
        let se_ln = (residuals / (n - 2.0) / sxx).sqrt();
        // Values that do not change lie on a line without a slope, not on one beyond chance.
        let t = if slope_ln == 0.0 { 0.0 } else { slope_ln.abs() / se_ln };
        Some(Self { n: y.len(), slope_ln, p: 2.0 * StudentT::new(n - 2.0)?.sf(t) })
    }

    /// From the first value to the last, in natural logarithms: `slope (n - 1)`.
    #[must_use]
    pub fn total_ln(&self) -> f64 {
        self.slope_ln * (self.n - 1) as f64
    }

    /// Whether the drift matters for a metric with that margin (a share): the slope is significant (`p < 0.01`) and its total is more than half of
    /// `ln(1 + margin)`.
    #[must_use]
    pub fn matters(&self, margin: f64) -> bool {
        self.p < P_DRIFT && self.total_ln().abs() > SHARE_OF_MARGIN * margin.ln_1p()
    }
}
