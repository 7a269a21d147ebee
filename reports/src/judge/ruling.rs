//! A ruling: all verdicts of one comparison, and everything that a reader needs to trust them. Its JSON has a committed schema.

use record::{EngineName, ExitCode, Launch, Metric, Profile};
use serde::Serialize;

use super::policy::InconclusivePolicy;
use crate::{
    identity::{Comparability, Treatment},
    statistics::{
        comparison::{Component, Interval},
        verdict::{Note, Options, Verdict},
    },
    summary::Unit,
    validity::{Reason, Validity},
};

/// The version of the layout of a ruling's JSON.
pub const RULING_SCHEMA_VERSION: u32 = 1;

/// All verdicts of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ruling {
    /// [`RULING_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of the statistics, [`crate::statistics::STATS_VERSION`].
    pub stats_version: u32,
    /// What is said of all of it.
    pub overall: OverallVerdict,
    /// The exit code that it means.
    pub exit_code: u8,
    /// The verdict in words: one line of plain text, without Markdown and without texts of others.
    pub sentence: String,
    /// What was compared with.
    pub baseline: SideSummary,
    /// What was judged.
    pub candidate: SideSummary,
    /// Why the two are not compared at all; no cell has a verdict then.
    pub refusals: Vec<String>,
    /// In what the sides differ.
    pub differences: Vec<SideDifference>,
    /// The gate cells in the suite's order, then the others, which advise only.
    pub rows: Vec<Row>,
    /// Per workload, the geometric mean of the ratios candidate to baseline; no verdict is made of it.
    pub ratios: Vec<WorkloadRatio>,
    /// How it was done.
    pub method: Method,
}

impl Ruling {
    /// The gate's rows.
    pub fn gate_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.gate)
    }

    /// The others.
    pub fn advisory_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.gate)
    }
}

/// What is said of a whole comparison: the worst of its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Overall"))]
#[serde(rename_all = "snake_case")]
pub enum OverallVerdict {
    /// The two cannot be compared, or a gate cell cannot.
    Refused,
    /// A gate cell has too few units.
    Insufficient,
    /// A gate cell regressed.
    Regressed,
    /// No gate cell regressed, and of at least one nothing can be said.
    Inconclusive,
    /// Every gate cell passes, and at least one improved.
    Improved,
    /// Every gate cell passes.
    Unchanged,
}

impl OverallVerdict {
    /// The word for it in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Insufficient => "insufficient",
            Self::Regressed => "regressed",
            Self::Inconclusive => "inconclusive",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
        }
    }

    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(self, inconclusive: InconclusivePolicy) -> ExitCode {
        match self {
            Self::Refused | Self::Insufficient => ExitCode::Invalid,
            Self::Regressed => ExitCode::Regressed,
            Self::Inconclusive if inconclusive == InconclusivePolicy::Fail => ExitCode::Inconclusive,
            Self::Inconclusive | Self::Improved | Self::Unchanged => ExitCode::Success,
        }
    }
}

/// One side, as it was measured. Names and commands are those of recipes and people: not to be trusted as Markdown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Party"))]
pub struct SideSummary {
    /// The recipe's name.
    pub recipe: String,
    /// The engine.
    pub engine: EngineName,
    /// How it came to run.
    pub launch: Launch,
    /// The machine's name.
    pub machine: String,
    /// How much of the suite was taken.
    pub profile: Profile,
    /// Its runs.
    pub runs: Vec<RunNote>,
    /// Boots that were made.
    pub boots: usize,
    /// Trials that were made, repetitions of invalid ones included.
    pub trials: usize,
    /// How many of them were suspect, and count.
    pub suspect: usize,
    /// How many were invalid, and do not.
    pub invalid: usize,
    /// Of the invalid ones, how many were repeated with their seed.
    pub repeated: usize,
    /// Why its recipe could be another engine tomorrow, if it could.
    pub unpinned: Vec<String>,
    /// Each trial that is suspect or invalid, and why.
    pub notes: Vec<TrialNote>,
}

/// One run of a side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunNote {
    /// The exact command line.
    pub command: Vec<String>,
    /// The commit of the harness.
    pub commit: Option<String>,
    /// When it began, in seconds since 1970; none in virtual time.
    pub started_unix_s: Option<u64>,
    /// Its seed.
    pub seed: u64,
    /// Boots that were made.
    pub boots: usize,
}

/// A trial that is suspect or invalid.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrialNote {
    /// Its cell.
    pub cell: String,
    /// Its boot.
    pub boot: u32,
    /// Its number.
    pub trial: u32,
    /// 0, or 1 where it repeats one that was invalid.
    pub attempt: u32,
    /// How far it can be trusted.
    pub validity: Validity,
    /// Why; notes left out.
    pub reasons: Vec<Reason>,
}

/// A fact in which the sides differ. The values are those of recipes and servers: not to be trusted as Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SideDifference {
    /// What it is a fact of.
    pub field: String,
    /// What kind of fact it is.
    #[serde(rename = "class")]
    pub comparability: Comparability,
    /// What it is of the baseline.
    pub baseline: String,
    /// What it is of the candidate.
    pub candidate: String,
    /// What follows.
    pub consequence: Consequence,
}

/// What follows from a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// It is what the comparison is about.
    Treatment,
    /// It is told.
    Warned,
    /// There is no comparison.
    Refused,
}

/// One metric of one cell, both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    /// The cell's name.
    pub cell: String,
    /// Its workload.
    pub workload: String,
    /// The metric.
    pub metric: Metric,
    /// Whether it belongs to the gate; the others advise.
    pub gate: bool,
    /// The smallest change worth acting on, as a share.
    pub margin: f64,
    /// Whether units were paired by their seed.
    pub paired: bool,
    /// The baseline's values.
    pub baseline: SideValues,
    /// The candidate's.
    pub candidate: SideValues,
    /// The change of the candidate against the baseline, in percent of the metric itself.
    pub change_percent: Option<f64>,
    /// Its interval at level `1 - 2 alpha`.
    pub interval_percent: Option<Interval>,
    /// The smallest change that would have been found in 8 of 10 cases, in percent.
    pub mde_percent: Option<f64>,
    /// The one-sided p of being worse.
    pub p_regressed: Option<f64>,
    /// The one-sided p of being better.
    pub p_improved: Option<f64>,
    /// The first, adjusted for the family of gates.
    pub q_regressed: Option<f64>,
    /// The second, likewise.
    pub q_improved: Option<f64>,
    /// What is said of it.
    pub verdict: Verdict,
    /// What else there is to know.
    pub notes: Vec<Note>,
    /// Why it is refused or insufficient, in words.
    pub why: Option<String>,
    /// For what is inconclusive: units per side that would find a change of the margin; none if a thousand would not.
    pub trials_needed: Option<u32>,
    /// Whether even a second look would miss a change of the margin too often; never of what seems worse.
    pub is_futile: bool,
}

/// The values of one side in a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Values"))]
pub struct SideValues {
    /// What one of them is made of; none if there is none.
    pub unit: Option<Unit>,
    /// One number per unit, in the order of measuring (paired: of the seeds); +inf, a percentile among failures, is `null` in JSON.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Option<f64>>"))]
    pub values: Vec<f64>,
    /// Their geometric mean.
    pub mean: Option<f64>,
    /// Their coefficient of variation in percent, from the standard deviation of logarithms.
    pub cv_percent: Option<f64>,
    /// Which of them stand out, by place; they count.
    pub outliers: Vec<usize>,
    /// Requests of the trials that count.
    pub attempted: u32,
    /// Those of them that were served.
    pub served: u32,
}

/// A workload over its cells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkloadRatio {
    /// The workload.
    pub workload: String,
    /// The metric.
    pub metric: Metric,
    /// How many cells.
    pub cells: usize,
    /// The geometric mean of candidate over baseline.
    pub ratio: f64,
}

/// How a comparison was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Method {
    /// Alpha, looks, correction for the family, rule of the margin.
    pub options: Options,
    /// The one-sided alpha that follows.
    pub alpha: f64,
    /// Which look this is, from 1.
    pub look: u32,
    /// Gate cells, those without a comparison included.
    pub family: usize,
    /// In which order the sides were measured.
    pub order: Order,
    /// The noise between occasions that was added, where the sides were measured on two.
    pub occasion: Option<NoiseSource>,
    /// The noise between boots that was added, where a side had one boot.
    pub boot: Option<NoiseSource>,
    /// Why a calibration that there is was not used.
    pub calibration_expired: Option<String>,
    /// How the machine drifted over all gate cells, where that can be said.
    pub drift: Option<MachineDrift>,
    /// What may differ.
    pub treatment: Vec<Treatment>,
    /// What becomes of what is inconclusive.
    pub inconclusive: InconclusivePolicy,
}

/// In which order the sides were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Together, boot by boot, so that a straight drift cancels.
    Interleaved,
    /// One after the other, on two occasions.
    Stored,
}

/// Where a component of noise comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum NoiseSource {
    /// Nobody measured it.
    Assumed {
        /// What is assumed.
        component: Component,
    },
    /// Measured, cell by cell.
    Calibrated {
        /// When, in seconds since 1970; none in virtual time.
        made_unix_s: Option<u64>,
        /// For how many of the gate cells; the others have what is assumed.
        cells: usize,
    },
}

/// A drift common to all gate cells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Drifted"))]
pub struct MachineDrift {
    /// From a side's first boot to its last, in percent; above 0 things became worse.
    pub total_percent: f64,
    /// The chance of a slope at least as steep where there is none.
    pub p: f64,
    /// Whether it is beyond chance and large enough to matter.
    pub matters: bool,
}
