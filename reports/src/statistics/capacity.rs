//! The highest rate at which an SLO still holds, from a ladder of fixed rates.

use serde::Serialize;

#[cfg(test)]
mod tests;

/// Below this part of the offered rate a step did not keep up, whatever its percentile: its queue grew.
pub const KEEPS_UP: f64 = 0.95;

/// The smallest margin of a capacity.
const MARGIN: f64 = 0.10;

/// One step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// The rate that was offered.
    pub offered_per_s: f64,
    /// The rate that was served.
    pub achieved_per_s: f64,
    /// What the SLO limits, such as a 95th percentile; +inf where it fell among failed requests. In the unit of the limit.
    pub value: f64,
}

/// How much a trial could serve within its SLO.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Capacity {
    /// The SLO is crossed within the ladder.
    Crossed {
        /// The rate at which it is.
        rate_per_s: f64,
        /// The highest step before that.
        passed_per_s: f64,
    },
    /// Every step passes: the capacity is at least this. The ladder is too short.
    AtLeast {
        /// The highest step.
        rate_per_s: f64,
    },
    /// No step passes: the capacity is less than this. The ladder starts too high.
    Below {
        /// The lowest step.
        rate_per_s: f64,
    },
}

impl Capacity {
    /// The rate at which the SLO is crossed, which is compared; none where the ladder does not say.
    #[must_use]
    pub fn crossed_per_s(self) -> Option<f64> {
        match self {
            Self::Crossed { rate_per_s, .. } => Some(rate_per_s),
            Self::AtLeast { .. } | Self::Below { .. } => None,
        }
    }
}

/// The rate at which `limit` is crossed. A step that did not keep up counts as one far beyond the limit.
///
/// Values are made to rise with the rate by their running maximum (a lucky step does not undo a bad one before it); between the last step
/// that passes and the first that fails the line is straight on logarithms of both:
/// `ln c = ln r1 + (ln limit - ln v1) (ln r2 - ln r1) / (ln v2 - ln v1)`. Towards +inf it is the last step that passes.
///
/// None of no steps, or if a rate, a value or the limit is not a number above 0.
#[must_use]
pub fn capacity(steps: &[Step], limit: f64) -> Option<Capacity> {
    let sound = |number: f64| number.is_finite() && number > 0.0;
    let sound_step = |step: &Step| sound(step.offered_per_s) && step.achieved_per_s >= 0.0 && step.value > 0.0;
    if !sound(limit) || !steps.iter().all(sound_step) {
        return None;
    }
    let ladder = rising(steps);
    let (first, last) = (ladder.first()?, ladder.last()?);
    let Some(fails) = ladder.iter().position(|&(_, value)| value > limit) else {
        return Some(Capacity::AtLeast { rate_per_s: last.0 });
    };
    let Some(passes) = fails.checked_sub(1) else {
        return Some(Capacity::Below { rate_per_s: first.0 });
    };
    let ((r1, v1), (r2, v2)) = (ladder[passes], ladder[fails]);
    let part = (limit.ln() - v1.ln()) / (v2.ln() - v1.ln());
    Some(Capacity::Crossed { rate_per_s: (r1.ln() + part * (r2.ln() - r1.ln())).exp(), passed_per_s: r1 })
}

/// Rates in ascending order, each with the largest value up to it.
fn rising(steps: &[Step]) -> Vec<(f64, f64)> {
    let mut steps = steps.to_vec();
    steps.sort_by(|one, other| one.offered_per_s.total_cmp(&other.offered_per_s));
    let mut largest = 0.0_f64;
    let raise = |step: &Step| {
        let kept_up = step.achieved_per_s >= KEEPS_UP * step.offered_per_s;
        largest = largest.max(if kept_up { step.value } else { f64::INFINITY });
        (step.offered_per_s, largest)
    };
    steps.iter().map(raise).collect()
}

/// Whether too many of a side's trials are censored for a verdict: more than one. The ladder is to be extended.
#[must_use]
pub fn is_censored(side: &[Capacity]) -> bool {
    side.iter().filter(|capacity| capacity.crossed_per_s().is_none()).count() > 1
}

/// The margin of a capacity, as a share: 10 %, or half a step of the ladder if that is more.
#[must_use]
pub fn margin(step_ratio: f64) -> f64 {
    MARGIN.max((step_ratio - 1.0) / 2.0)
}
