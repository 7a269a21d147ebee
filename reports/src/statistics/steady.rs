//! Tests whether a trial was in its steady state from the start. The warm-up that is cut has a fixed length; this checks that it was long enough.

use super::moments;

#[cfg(test)]
mod tests;

/// Values in a batch.
const BATCH: usize = 5;

/// Cutting more than this share of the batches means that the trial was still warming up.
const WARM_UP_SHARE: f64 = 0.25;

/// The truncation that MSER-5 would choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mser {
    /// Number of whole batches of five; an incomplete one at the end is ignored.
    pub batches: usize,
    /// Number of batches that it would cut.
    pub cut: usize,
}

/// The judgement of the truncation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steadiness {
    /// Nothing would be cut.
    Steady,
    /// Up to a quarter would be cut.
    WarmingUp,
    /// More would be cut, or as much as may be: the trial is invalid.
    NotSteady,
}

impl Mser {
    /// Whether the truncation is at its upper bound, so that the true one may be longer.
    #[must_use]
    pub fn is_at_edge(&self) -> bool {
        self.cut == self.batches / 2
    }

    /// Number of values that it would cut.
    #[must_use]
    pub fn cut_values(&self) -> usize {
        self.cut * BATCH
    }

    /// The judgement of the truncation.
    #[must_use]
    pub fn steadiness(&self) -> Steadiness {
        match self.cut {
            0 => Steadiness::Steady,
            _ if self.is_at_edge() || self.cut as f64 > WARM_UP_SHARE * self.batches as f64 => Steadiness::NotSteady,
            _ => Steadiness::WarmingUp,
        }
    }
}

/// MSER-5 of a series in time: of the means `z_j` of `m` batches of 5, the first `d` up to `m / 2` that makes
/// `MSER(d) = sum over j > d of (z_j - mean)^2 / (m - d)^2` smallest (White, Cobb and Spratt, *A comparison of five steady-state truncation
/// heuristics for simulation*, 2000).
///
/// A check for long series: of independent values around one mean it finds 37 % not steady with 6 batches, 25 % with 10, 11 % with 20, 3 %
/// with 40 and 0.3 % with 100 (1500 simulated series each).
///
/// None of fewer than two batches, or if a value is not finite.
#[must_use]
pub fn mser5(series: &[f64]) -> Option<Mser> {
    if series.len() < 2 * BATCH || series.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let (batches, _) = series.as_chunks::<BATCH>();
    let means: Vec<f64> = batches.iter().filter_map(|batch| moments::mean(batch)).collect();
    let criterion: Vec<f64> = (0..=means.len() / 2).map(|d| mser(&means[d..])).collect();
    // The first of equals: only a strictly smaller one replaces it.
    let cut = (1..criterion.len()).fold(0, |best, d| if criterion[d] < criterion[best] { d } else { best });
    Some(Mser { batches: means.len(), cut })
}

fn mser(kept: &[f64]) -> f64 {
    let mean = moments::mean(kept).unwrap_or(0.0);
    moments::sum_of_squares(kept, mean) / (kept.len() as f64).powi(2)
}

/// The correlation of neighbours, `r1 = sum e_t e_(t-1) / sum e_t^2` with `e` the deviations from the mean (Box and Jenkins, *Time Series
/// Analysis*, 1970). None of fewer than two values, of equal ones, or if one is not finite.
#[must_use]
pub fn lag1_autocorrelation(series: &[f64]) -> Option<f64> {
    let mean = moments::mean(series).filter(|_| series.len() > 1)?;
    let deviations: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let products: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let r1 = products / moments::sum_of_squares(series, mean);
    r1.is_finite().then_some(r1)
}

/// How many independent values a series of `n` with that correlation of neighbours is worth: `n (1 - r1) / (1 + r1)`, that of a first-order
/// autoregressive series. More than `n` where neighbours repel each other. None unless `-1 < r1 < 1`.
#[must_use]
pub fn effective_size(n: usize, r1: f64) -> Option<f64> {
    (r1 > -1.0 && r1 < 1.0).then(|| n as f64 * (1.0 - r1) / (1.0 + r1))
}
