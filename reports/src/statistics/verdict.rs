//! Turns comparisons into verdicts, for a whole family at once.
//!
//! A cell is regressed when it is significantly worse (`p <= alpha`), significant in a family of that size (q), and worse by the margin or more.
//! Unchanged means that the interval lies inside the margins; a cell that is neither is inconclusive. The claim that every gate cell passes needs no
//! further correction, since it is an intersection-union test (Berger, 1982).

use serde::Serialize;

use super::{
    comparison::{Comparison, Interval, Refusal},
    multiplicity,
};

mod options;
#[cfg(test)]
mod tests;

pub use options::{ALPHA, ALPHA_OF_TWO, Looks, Multiplicity, Options, Q, Rule};

/// The verdict on a cell; the first that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The cell is not comparable.
    Refused,
    /// Fewer than three values on a side.
    Insufficient,
    /// Worse, by the margin or more, beyond chance.
    Regressed,
    /// Better, by the margin or more, beyond chance.
    Improved,
    /// The interval lies inside the margins.
    Unchanged,
    /// The interval lies below the upper margin; whether it improved is open.
    NotWorse,
    /// Neither a change nor its absence is shown.
    Inconclusive,
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Insufficient => "insufficient",
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::NotWorse => "not worse",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// Whether the cell passes a gate. An inconclusive cell does not pass by itself: the policy decides on it.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Improved | Self::Unchanged | Self::NotWorse)
    }
}

/// A remark beside the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Unchanged, though 0 is outside the interval: a significant change that is too small to act upon.
    DetectableBelowMargin,
    /// Worse by the margin and significant by itself, but not by the options in this family.
    SuspectedRegression,
    /// One boot per side: the cell would have been improved, which one boot cannot show.
    ImprovementWithheld,
    /// More requests fail than before.
    FailsMore,
    /// A percentile fell among failed requests, and none of the baseline did.
    Unbounded,
    /// The cell drifted while it was measured; the sides were interleaved, so that the drift affects both alike.
    Drifted,
}

/// The input of a decision on one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The comparison, or why there is none.
    pub outcome: Result<Comparison, Refusal>,
    /// The smallest change worth acting on, as a share; it is applied as `ln(1 + margin)` on either side.
    pub margin: f64,
    /// Whether the cell belongs to the gate's family, which is fixed before there are data.
    pub gate: bool,
    /// Whether the candidate fails more requests; see [`super::fisher`].
    pub fails_more: bool,
}

/// The verdict on one cell, with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub verdict: Verdict,
    /// Whether the cell counts for the gate; an advisory cell is judged by its own p alone.
    pub gate: bool,
    /// The p-value of being worse, adjusted for the family; none outside the gate or without a comparison.
    pub q_regressed: Option<f64>,
    /// The p-value of being better, adjusted likewise.
    pub q_improved: Option<f64>,
    /// Remarks beside the verdict.
    pub notes: Vec<Note>,
    /// The reason of a refused or insufficient verdict.
    pub refusal: Option<Refusal>,
    /// For an inconclusive cell, the units per side that would detect a change of the margin. None if 1000 would not.
    pub trials_needed: Option<u32>,
}

/// Judges a family: all cells of a comparison, those of the gate and the others. The answer is in their order.
///
/// A gate cell without a comparison stays in the family with p = 1, so that a refusal makes no other cell easier to condemn.
#[must_use]
pub fn decide(cells: &[Cell], options: &Options) -> Vec<Decision> {
    let regressed = family(cells, options, |comparison| comparison.p_regressed);
    let improved = family(cells, options, |comparison| comparison.p_improved);
    let judged = cells.iter().zip(regressed.into_iter().zip(improved));
    judged.map(|(cell, q)| decide_one(cell, q, options)).collect()
}

/// The adjusted p of each cell of the gate.
fn family(cells: &[Cell], options: &Options, p: impl Fn(&Comparison) -> f64) -> Vec<Option<f64>> {
    let gate: Vec<f64> = cells.iter().filter(|cell| cell.gate).map(|cell| cell.outcome.as_ref().map_or(1.0, &p)).collect();
    let adjusted = match options.multiplicity {
        Multiplicity::BenjaminiHochberg { .. } => multiplicity::benjamini_hochberg(&gate),
        Multiplicity::Holm => multiplicity::holm(&gate),
    };
    let mut adjusted = adjusted.into_iter();
    cells.iter().map(|cell| if cell.gate { adjusted.next().filter(|_| cell.outcome.is_ok()) } else { None }).collect()
}

fn decide_one(cell: &Cell, (q_regressed, q_improved): (Option<f64>, Option<f64>), options: &Options) -> Decision {
    let blank = Decision {
        verdict: Verdict::Refused,
        gate: cell.gate,
        q_regressed,
        q_improved,
        notes: cell.fails_more.then_some(Note::FailsMore).into_iter().collect(),
        refusal: None,
        trials_needed: None,
    };
    let refused = |verdict, refusal| Decision { verdict, refusal: Some(refusal), ..blank.clone() };
    let margin = cell.margin.ln_1p();
    if !(margin.is_finite() && margin > 0.0) {
        return refused(Verdict::Refused, Refusal::Margin { margin: cell.margin });
    }
    let comparison = match &cell.outcome {
        Ok(comparison) => comparison,
        Err(Refusal::CandidateUnbounded) => {
            let notes = blank.notes.iter().copied().chain([Note::Unbounded]).collect();
            return Decision { verdict: Verdict::Regressed, notes, refusal: Some(Refusal::CandidateUnbounded), ..blank };
        }
        // The comparison may be missing because of the failures: trials with many of them do not count.
        Err(refusal) if cell.fails_more => return refused(Verdict::Regressed, refusal.clone()),
        Err(few @ Refusal::TooFew { .. }) => return refused(Verdict::Insufficient, few.clone()),
        Err(refusal) => return refused(Verdict::Refused, refusal.clone()),
    };
    let Some(interval) = comparison.interval(options.looks.alpha()) else {
        return refused(Verdict::Refused, Refusal::NoSpread);
    };
    let evidence = Evidence { comparison, interval, margin, q_regressed, q_improved };
    let verdict = if cell.fails_more { Verdict::Regressed } else { evidence.verdict(options) };
    let notes = blank.notes.iter().copied().chain(evidence.notes(verdict, options)).collect();
    let needed = || comparison.noise.trials_needed(cell.margin, options.looks.alpha());
    let trials_needed = (verdict == Verdict::Inconclusive).then(needed).flatten();
    Decision { verdict, notes, trials_needed, ..blank }
}

/// The values that the decision table reads, all on logarithms.
struct Evidence<'c> {
    comparison: &'c Comparison,
    interval: Interval,
    margin: f64,
    q_regressed: Option<f64>,
    q_improved: Option<f64>,
}

impl Evidence<'_> {
    fn verdict(&self, options: &Options) -> Verdict {
        let Interval { low, high } = self.interval;
        if self.is_regressed(options) {
            Verdict::Regressed
        } else if self.is_improved(options) && self.several_boots() {
            Verdict::Improved
        } else if -self.margin < low && high < self.margin {
            Verdict::Unchanged
        } else if high < self.margin {
            Verdict::NotWorse
        } else {
            Verdict::Inconclusive
        }
    }

    fn notes(&self, verdict: Verdict, options: &Options) -> Vec<Note> {
        let Interval { low, high } = self.interval;
        let worse = self.comparison.p_regressed <= options.looks.alpha() && self.comparison.d >= self.margin;
        let table = [
            (Note::DetectableBelowMargin, verdict == Verdict::Unchanged && (low > 0.0 || high < 0.0)),
            (Note::SuspectedRegression, verdict == Verdict::Inconclusive && worse),
            (Note::ImprovementWithheld, verdict != Verdict::Regressed && self.is_improved(options) && !self.several_boots()),
        ];
        table.into_iter().filter_map(|(note, holds)| holds.then_some(note)).collect()
    }

    fn is_regressed(&self, options: &Options) -> bool {
        let by_margin = match options.rule {
            Rule::Margin => self.comparison.d >= self.margin,
            Rule::BeyondMargin => self.interval.low > self.margin,
        };
        by_margin && options.is_beyond_chance(self.comparison.p_regressed, self.q_regressed)
    }

    fn is_improved(&self, options: &Options) -> bool {
        let by_margin = match options.rule {
            Rule::Margin => self.comparison.d <= -self.margin,
            Rule::BeyondMargin => self.interval.high < -self.margin,
        };
        by_margin && options.is_beyond_chance(self.comparison.p_improved, self.q_improved)
    }

    /// A single boot may be fast by chance, so it cannot show an improvement; a regression can be checked by measuring again.
    fn several_boots(&self) -> bool {
        self.comparison.design.boot.is_none()
    }
}
