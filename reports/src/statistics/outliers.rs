//! Values that stand out, to be flagged in a report and never removed: a slow trial is a fact about the machine.

use super::moments;
use crate::quantile::SortedSample;

#[cfg(test)]
mod tests;

/// Beyond this a value stands out (Iglewicz and Hoaglin, *How to Detect and Handle Outliers*, 1993).
pub const STANDS_OUT: f64 = 3.5;

/// What makes the median absolute deviation of normal values their standard deviation: `1 / quantile_normal(0.75)`.
const MAD_TO_SD: f64 = 1.4826;

/// How far each value lies from the median in robust standard deviations: `z = (x - median) / (1.4826 MAD)`.
///
/// None of nothing, of values of which one is not finite, and where half of the values are the same, since then nothing can be said.
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

/// Which values stand out; none of them where [`modified_z`] says nothing.
#[must_use]
pub fn stand_out(values: &[f64]) -> Vec<bool> {
    modified_z(values).map_or_else(|| vec![false; values.len()], |z| z.iter().map(|z| z.abs() > STANDS_OUT).collect())
}
