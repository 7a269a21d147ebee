//! Variance components: how much of the noise comes from trials, boots and occasions, estimated from repeated measurements of one engine.
//!
//! Analysis of variance with random effects, by the method of moments: mean squares are set equal to their expectations and solved. Groups may differ
//! in size (Searle, Casella and `McCulloch`, *Variance Components*, 1992).

use super::{comparison::Component, moments};

#[cfg(test)]
mod tests;
mod three_levels;

pub use three_levels::{ThreeLevels, three_levels, three_levels_by_seed};

/// Most trials of a boot that are worth running; beyond it a further boot is more informative.
const MOST_TRIALS: u32 = 3;

/// The noise of trials within boots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoLevels {
    /// Noise between the trials of a boot; `boot` is that between boots.
    pub trial: Component,
    pub boot: Component,
}

/// The noise in natural logarithms of a metric, one list of trials per boot.
///
/// `s2_trial = MSW`, `s2_boot = max(0, (MSB - MSW) / k)` with `k = (N - sum n_i^2 / N) / (g - 1)`, the number of trials per boot where it is
/// the same everywhere. Degrees of freedom after Satterthwaite.
///
/// None of fewer than two boots, without two trials in one of them, with a boot that has none, or if a number is not finite.
#[must_use]
pub fn two_levels(boots: &[Vec<f64>]) -> Option<TwoLevels> {
    let sizes: Vec<f64> = boots.iter().map(|boot| boot.len() as f64).collect();
    let (g, n) = (boots.len() as f64, sizes.iter().sum::<f64>());
    let df = DegreesOfFreedom { between: g - 1.0, within: n - g };
    if df.between < 1.0 || df.within < 1.0 {
        return None;
    }
    let (within, between) = sums_of_squares(boots)?;
    let (ms_between, ms_within) = (between / df.between, within / df.within);
    let k = (n - sizes.iter().map(|size| size * size).sum::<f64>() / n) / df.between;
    let parts = [MeanSquare::new(1.0 / k, ms_between, df.between), MeanSquare::new(-1.0 / k, ms_within, df.within)];
    let trial = component(&[MeanSquare::new(1.0, ms_within, df.within)]);
    Some(TwoLevels { trial, boot: component(&parts) })
}

struct DegreesOfFreedom {
    between: f64,
    within: f64,
}

/// The sums of squares within groups and between them; none if a group is empty or a number is not finite.
fn sums_of_squares(groups: &[Vec<f64>]) -> Option<(f64, f64)> {
    let all: Vec<f64> = groups.concat();
    let total = moments::mean(&all)?;
    let (mut within, mut between) = (0.0, 0.0);
    for group in groups {
        let mean = moments::mean(group)?;
        within += moments::sum_of_squares(group, mean);
        between += group.len() as f64 * (mean - total).powi(2);
    }
    (within.is_finite() && between.is_finite()).then_some((within, between))
}

/// A term of a linear combination of mean squares.
#[derive(Debug, Clone, Copy)]
struct MeanSquare {
    part: f64,
    df: f64,
}

impl MeanSquare {
    fn new(factor: f64, mean_square: f64, df: f64) -> Self {
        Self { part: factor * mean_square, df }
    }
}

/// The component that a sum of mean squares estimates, 0 where it is negative, with `(sum part)^2 / sum (part^2 / df)` degrees of freedom
/// (Satterthwaite, *An approximate distribution of estimates of variance components*, 1946). A component of 0 has those of its first mean
/// square, the one that could have shown it.
fn component(parts: &[MeanSquare]) -> Component {
    let variance: f64 = parts.iter().map(|term| term.part).sum();
    let per_df: f64 = parts.iter().map(|term| term.part * term.part / term.df).sum();
    let satterthwaite = variance * variance / per_df;
    if variance > 0.0 && satterthwaite.is_finite() && satterthwaite > 0.0 {
        Component { sd_ln: variance.sqrt(), df: satterthwaite, assumed: false }
    } else {
        Component { sd_ln: 0.0, df: parts.first().map_or(1.0, |first| first.df), assumed: false }
    }
}

/// How many trials of a boot teach most for the time they take: `ceil(sqrt(c_boot / c_trial * s2_trial / s2_boot))`, from 1 to 3 (Kalibera
/// and Jones, *Rigorous benchmarking in reasonable time*, 2013). Costs are in one unit, whichever. Where boots do not differ, 3.
#[must_use]
pub fn trials_per_boot(cost_boot: f64, cost_trial: f64, trial: Component, boot: Component) -> u32 {
    let optimum = (cost_boot / cost_trial).sqrt() * trial.sd_ln / boot.sd_ln;
    (1..MOST_TRIALS).find(|&trials| optimum.is_nan() || optimum <= f64::from(trials)).unwrap_or(MOST_TRIALS)
}
