//! Means and variances, summed in the order of the values.

/// The arithmetic mean; none of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The variance of a sample, `sum (x - mean)^2 / (n - 1)`; none of fewer than two.
///
/// In two passes: the one-pass formula subtracts two large numbers (Chan, Golub and `LeVeque`, *Algorithms for computing the sample
/// variance*, 1983).
#[must_use]
pub fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    (values.len() > 1).then(|| sum_of_squares(values, mean) / (values.len() - 1) as f64)
}

/// The standard deviation of a sample, with `n - 1`; none of fewer than two.
#[must_use]
pub fn sd(values: &[f64]) -> Option<f64> {
    variance(values).map(f64::sqrt)
}

/// The geometric mean, `exp(mean ln x)`, which is what a group of ratios is summarised by; none of nothing or of a value that is not
/// finite and above 0.
#[must_use]
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    mean(&logarithms(values)?).map(f64::exp)
}

/// The natural logarithms; none if a value is not finite and above 0.
#[must_use]
pub fn logarithms(values: &[f64]) -> Option<Vec<f64>> {
    values.iter().map(|&value| (value.is_finite() && value > 0.0).then(|| value.ln())).collect()
}

/// `sum (x - about)^2`.
pub(super) fn sum_of_squares(values: &[f64], about: f64) -> f64 {
    values.iter().map(|value| (value - about).powi(2)).sum()
}
