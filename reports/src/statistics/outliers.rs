//! Outliers, which are flagged in a report and never removed: a slow trial is a fact about the machine.

use super::moments;
use crate::quantile::SortedSample;

#[cfg(test)]
mod tests;

/// A value with a larger modified z-score is an outlier (Iglewicz and Hoaglin, *How to Detect and Handle Outliers*, 1993).
pub const OUTLIER_Z: f64 = 3.5;

/// The factor from the median absolute deviation of normal values to their standard deviation: `1 / quantile_normal(0.75)`.
const MAD_TO_SD: f64 = 1.4826;

/// The modified z-scores, distances from the median in robust standard deviations: `z = (x - median) / (1.4826 MAD)`.
///
/// None without values, with a value that is not finite, or where half of the values are the same.
#[must_use]
pub fn modified_z(values: &[f64]) -> Option<Vec<f64>> {
    if moments::mean(values).is_none_or(|mean| !mean.is_finite()) {
        return None;
    }
    let median = values.iter().copied().collect::<SortedSample>().quantile(0.5)?;
    let mad = values.iter().map(|value| (value - median).abs()).collect::<SortedSample>().quantile(0.5)?;
    let scale = MAD_TO_SD * mad;
    (scale.is_finite() && scale > 0.0).then(|| values.iter().map(|value| (value - median) / scale).collect())
}

/// Whether each value is an outlier; none is where [`modified_z`] is undefined.
#[must_use]
pub fn flag_outliers(values: &[f64]) -> Vec<bool> {
    modified_z(values).map_or_else(|| vec![false; values.len()], |z| z.iter().map(|z| z.abs() > OUTLIER_Z).collect())
}
