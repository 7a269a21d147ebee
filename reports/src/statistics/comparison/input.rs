//! The input of a comparison, and the reasons to refuse it.

pub use record::Side;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MIN_UNITS, Noise};
use crate::statistics::{pairing::Pairing, student::MIN_DF};

/// A standard deviation of more, a factor of 22 000, is not the noise of a machine.
const MAX_SD_LN: f64 = 10.0;

/// The direction in which a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BetterDirection {
    /// Higher is better, as for rates.
    Higher,
    /// Lower is better, as for times.
    Lower,
}

impl BetterDirection {
    /// The sign that makes a difference of logarithms positive when the candidate is worse.
    #[must_use]
    pub fn worse_sign(self) -> f64 {
        match self {
            Self::Higher => -1.0,
            Self::Lower => 1.0,
        }
    }
}

/// A variance component that is calibrated or assumed, not estimated from the compared values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Component {
    /// The standard deviation, of natural logarithms.
    pub sd_ln: f64,
    /// Degrees of freedom of its estimate.
    pub df: f64,
    /// Whether it is a default instead of a measurement.
    pub assumed: bool,
}

impl Component {
    /// The default without calibration: 1 % with 3 degrees of freedom, between boots and between occasions.
    pub const ASSUMED: Self = Self { sd_ln: 0.01, df: 3.0, assumed: true };

    /// Whether it is a usable standard deviation.
    fn is_sound(&self) -> bool {
        (0.0..=MAX_SD_LN).contains(&self.sd_ln) && self.df >= MIN_DF
    }
}

/// The design of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design {
    /// Which way the metric is better.
    pub better: BetterDirection,
    /// Whether the values of both sides are pairs.
    pub pairing: Pairing,
    /// Set when the baseline was measured on another occasion: how far occasions differ.
    pub occasion: Option<Component>,
    /// Set when each side had one boot, so that the units are its trials: how far boots differ.
    pub boot: Option<Component>,
}

impl Design {
    /// Two independent sets of boots, measured on one occasion.
    #[must_use]
    pub fn new(better: BetterDirection) -> Self {
        Self { better, pairing: Pairing::Unpaired, occasion: None, boot: None }
    }

    /// The variance components that the units do not show.
    fn components(&self) -> impl Iterator<Item = Component> {
        [self.occasion, self.boot].into_iter().flatten()
    }

    /// The noise of this design for units of that standard deviation.
    pub(super) fn noise(&self, unit_sd_ln: f64) -> Noise {
        let shared: Vec<(f64, f64)> =
            self.components().map(|component| (2.0 * component.sd_ln * component.sd_ln, component.df)).collect();
        Noise {
            pairing: self.pairing,
            unit_sd_ln,
            shared_variance: shared.iter().map(|(variance, _)| variance).sum(),
            shared_per_df: shared.iter().map(|(variance, df)| variance * variance / df).sum(),
        }
    }
}

/// Why two sides are not compared.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A side has too few values.
    #[error("the {side} has {n} values, and a verdict needs {MIN_UNITS} on each side: run more boots")]
    TooFew {
        /// Side with too few values.
        side: Side,
        /// Number of its values.
        n: usize,
    },
    /// A value has no logarithm.
    #[error("value {place} of the {side} is {value}, and only finite values above 0 can be compared: look at that trial")]
    NotPositive {
        /// Side of the value.
        side: Side,
        /// Place of the value, from 0.
        place: usize,
        value: f64,
    },
    /// A percentile of the candidate fell among failed requests, and none of the baseline did: that is a regression.
    #[error("a percentile of the candidate fell among failed requests, and none of the baseline did: read its failures")]
    CandidateUnbounded,
    /// The sides are not of one length, though they are paired.
    #[error("{baseline} values of the baseline and {candidate} of the candidate are no pairs: measure both with the same seeds")]
    NotPaired {
        /// How many the baseline has.
        baseline: usize,
        /// How many the candidate has.
        candidate: usize,
    },
    /// The values do not differ among themselves, so nothing was measured again.
    #[error("the values of each side are identical (or, paired, differ by the same): cached or synthetic?")]
    NoSpread,
    /// A variance component is not a usable standard deviation.
    #[error("a standard deviation of {sd_ln} with {df} degrees of freedom is none: calibrate again")]
    Component {
        /// Standard deviation, of natural logarithms.
        sd_ln: f64,
        /// Degrees of freedom of its estimate.
        df: f64,
    },
    /// The margin is not a share above 0.
    #[error("a margin of {margin} is none: it is a share above 0, such as 0.03")]
    Margin { margin: f64 },
    /// A reason outside of the numbers: another environment, drift, too many invalid trials.
    #[error("{why}")]
    Integrity {
        /// The reason and the remedy, in words.
        why: String,
    },
}

/// Refuses values that cannot be compared, the worst reason first.
pub(super) fn check(baseline: &[f64], candidate: &[f64], design: &Design) -> Result<(), Refusal> {
    if let Some(Component { sd_ln, df, .. }) = design.components().find(|component| !component.is_sound()) {
        return Err(Refusal::Component { sd_ln, df });
    }
    // A time is +inf where its percentile fell among failed requests; a rate never is.
    let unbounded = |value: f64| design.better == BetterDirection::Lower && value == f64::INFINITY;
    all_positive(baseline, Side::Baseline, |_| false)?;
    all_positive(candidate, Side::Candidate, unbounded)?;
    for (side, values) in [(Side::Baseline, baseline), (Side::Candidate, candidate)] {
        if values.len() < MIN_UNITS {
            return Err(Refusal::TooFew { side, n: values.len() });
        }
    }
    if design.pairing == Pairing::BySeed && baseline.len() != candidate.len() {
        return Err(Refusal::NotPaired { baseline: baseline.len(), candidate: candidate.len() });
    }
    if candidate.iter().any(|&value| unbounded(value)) { Err(Refusal::CandidateUnbounded) } else { Ok(()) }
}

fn all_positive(values: &[f64], side: Side, excused: impl Fn(f64) -> bool) -> Result<(), Refusal> {
    let bad = values.iter().position(|&value| !(value.is_finite() && value > 0.0 || excused(value)));
    bad.map_or(Ok(()), |place| Err(Refusal::NotPositive { side, place, value: values[place] }))
}
