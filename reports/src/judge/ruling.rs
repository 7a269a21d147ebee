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
    /// The verdict on the whole comparison: the worst of the gate.
    pub overall: OverallVerdict,
    /// The exit code of the program for this verdict.
    pub exit_code: u8,
    /// The verdict in words: one line of plain text, without Markdown and without texts of records.
    pub sentence: String,
    /// The side that the candidate is compared with.
    pub baseline: SideSummary,
    /// The side that is judged.
    pub candidate: SideSummary,
    /// Why the sides are not compared at all; then no cell has a verdict.
    pub refusals: Vec<String>,
    /// Facts in which the sides differ, each with its consequence.
    pub differences: Vec<SideDifference>,
    /// The gate cells in the suite's order, then the advisory ones.
    pub rows: Vec<Row>,
    /// Per workload, the geometric mean of the ratios candidate to baseline; no verdict is made of it.
    pub ratios: Vec<WorkloadRatio>,
    /// The settings of the comparison.
    pub method: Method,
}

impl Ruling {
    /// Rows that the overall verdict depends on.
    pub fn gate_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.gate)
    }

    /// Rows that do not influence the overall verdict.
    pub fn advisory_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.gate)
    }
}

/// The verdict on a whole comparison: the worst of its gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Overall"))]
#[serde(rename_all = "snake_case")]
pub enum OverallVerdict {
    /// The sides, or a gate cell of them, cannot be compared.
    Refused,
    /// A gate cell has too few units.
    Insufficient,
    /// A gate cell regressed.
    Regressed,
    /// No gate cell regressed, and at least one is inconclusive.
    Inconclusive,
    /// Every gate cell passes, and at least one improved.
    Improved,
    /// Every gate cell passes.
    Unchanged,
}

impl OverallVerdict {
    /// The verdict of the gate cells that decide it.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Refused => Verdict::Refused,
            Self::Insufficient => Verdict::Insufficient,
            Self::Regressed => Verdict::Regressed,
            Self::Inconclusive => Verdict::Inconclusive,
            Self::Improved => Verdict::Improved,
            Self::Unchanged => Verdict::Unchanged,
        }
    }

    /// The exit code of the program for this verdict.
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

/// A summary of one side, as it was measured. Names and commands are texts of records and not safe as Markdown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Party"))]
pub struct SideSummary {
    /// Name of the recipe of the side's first run.
    pub recipe: String,
    /// Engine of the side's first run.
    pub engine: EngineName,
    /// How the engine was started.
    pub launch: Launch,
    /// Name of the machine of the side's first run.
    pub machine: String,
    /// The profile: how much of the suite was measured.
    pub profile: Profile,
    /// The runs of this side, in the order in which they were given.
    pub runs: Vec<RunNote>,
    /// Number of engine starts, those without a valid trial included.
    pub boots: usize,
    /// Number of trials, repetitions of invalid ones included.
    pub trials: usize,
    /// Number of suspect trials, which count.
    pub suspect: usize,
    /// Number of invalid trials, which do not count.
    pub invalid: usize,
    /// Number of trials that repeat an invalid one with its seed.
    pub repeated: usize,
    /// Why the recipe is not pinned, if it is not: it may start another engine tomorrow.
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
    /// The commit of the harness, where it is known.
    pub commit: Option<String>,
    /// Start of the run in seconds since 1970; none in virtual time.
    pub started_unix_s: Option<u64>,
    /// Seed of the run, from which the seeds of its plans are derived.
    pub seed: u64,
    /// Number of engine starts, those without a valid trial included.
    pub boots: usize,
}

/// A trial that is suspect or invalid.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrialNote {
    /// Name of the cell.
    pub cell: String,
    /// Number of the boot within its run, from 0.
    pub boot: u32,
    /// Number of the trial within its cell, from 0.
    pub trial: u32,
    /// 0, or 1 where the trial repeats an invalid one.
    pub attempt: u32,
    /// `suspect` or `invalid`.
    pub validity: Validity,
    /// The reasons for the validity, without notes.
    pub reasons: Vec<Reason>,
}

/// A fact in which the sides differ. The values are texts of recipes and servers and not safe as Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SideDifference {
    /// Name of the fact, such as `image id`.
    pub field: String,
    /// Whether sides that differ in it can be compared.
    #[serde(rename = "class")]
    pub comparability: Comparability,
    /// Value on the side of the baseline.
    pub baseline: String,
    /// Value on the side of the candidate.
    pub candidate: String,
    /// What the difference does to the comparison.
    pub consequence: Consequence,
}

/// What a difference does to the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// It is the declared treatment.
    Treatment,
    /// It is reported and changes nothing.
    Warned,
    /// It prevents the comparison.
    Refused,
}

/// The comparison of one metric of one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    /// Name of the cell, `workload/point`.
    pub cell: String,
    /// Name of the workload.
    pub workload: String,
    /// Metric that is compared.
    pub metric: Metric,
    /// Whether the row belongs to the gate; others are advisory.
    pub gate: bool,
    /// The smallest change worth acting on, as a share.
    pub margin: f64,
    /// Whether units were paired by their seed.
    pub paired: bool,
    /// Units of the baseline with their mean and spread.
    pub baseline: SideValues,
    /// Units of the candidate with their mean and spread.
    pub candidate: SideValues,
    /// Change of the candidate against the baseline, in percent of the metric.
    pub change_percent: Option<f64>,
    /// Interval of the change at level `1 - 2 alpha`, in percent.
    pub interval_percent: Option<Interval>,
    /// Minimum detectable effect: the smallest change found in 8 of 10 cases, in percent.
    pub mde_percent: Option<f64>,
    /// One-sided p-value of being worse.
    pub p_regressed: Option<f64>,
    /// One-sided p-value of being better.
    pub p_improved: Option<f64>,
    /// `p_regressed` adjusted for the family of gate cells.
    pub q_regressed: Option<f64>,
    /// `p_improved` adjusted for the family of gate cells.
    pub q_improved: Option<f64>,
    /// Verdict on the cell.
    pub verdict: Verdict,
    /// Remarks beside the verdict.
    pub notes: Vec<Note>,
    /// Reason of a refused or insufficient verdict, in words.
    pub why: Option<String>,
    /// For an inconclusive cell, the units per side that would detect a change of the margin; none if 1000 would not.
    pub trials_needed: Option<u32>,
    /// Whether even a second look would miss a change of the margin too often; false for a cell that seems worse.
    pub is_futile: bool,
}

/// The values of one side in a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Values"))]
pub struct SideValues {
    /// Whether a value is a trial or a boot; none without values.
    pub unit: Option<Unit>,
    /// One number per unit, in the order of measuring (paired: of the seeds); +inf, a percentile among failures, is `null` in JSON.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Option<f64>>"))]
    pub values: Vec<f64>,
    /// Geometric mean of the values.
    pub mean: Option<f64>,
    /// Coefficient of variation in percent, from the standard deviation of logarithms.
    pub cv_percent: Option<f64>,
    /// Places of outliers among the values; outliers count.
    pub outliers: Vec<usize>,
    /// Requests that were planned in the trials that count.
    pub attempted: u32,
    /// Requests that were served in these trials.
    pub served: u32,
}

/// The ratio of candidate to baseline over the cells of a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkloadRatio {
    /// Name of the workload.
    pub workload: String,
    /// Metric that is compared.
    pub metric: Metric,
    /// Number of cells with a ratio.
    pub cells: usize,
    /// The geometric mean of candidate over baseline.
    pub ratio: f64,
}

/// The settings of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Method {
    /// Looks, correction for the size of the family, and the rule for the margin.
    pub options: Options,
    /// One-sided alpha of each look.
    pub alpha: f64,
    /// Number of this look, from 1.
    pub look: u32,
    /// Number of gate cells, those without a comparison included.
    pub family: usize,
    /// Order in which the sides were measured.
    pub order: Order,
    /// Noise between occasions that was added; none for interleaved sides.
    pub occasion: Option<NoiseSource>,
    /// Noise between boots that was added; none unless a side had one boot.
    pub boot: Option<NoiseSource>,
    /// Why an existing calibration was not used.
    pub calibration_expired: Option<String>,
    /// Drift of the machine over all gate cells; none of fewer than three boots per side.
    pub drift: Option<MachineDrift>,
    /// Kinds of difference that were declared as the treatment.
    pub treatment: Vec<Treatment>,
    /// How the gate treats an inconclusive cell.
    pub inconclusive: InconclusivePolicy,
}

/// Order in which the sides were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Interleaved boot by boot, so that a linear drift cancels.
    Interleaved,
    /// One after the other, on two occasions.
    Stored,
}

/// Source of a noise component.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum NoiseSource {
    /// A default, since the noise was not calibrated.
    Assumed {
        /// The default that was used.
        component: Component,
    },
    /// Calibrated for each cell.
    Calibrated {
        /// Time of the calibration in seconds since 1970; none in virtual time.
        made_unix_s: Option<u64>,
        /// Number of gate cells with calibrated noise; the others have the default.
        cells: usize,
    },
}

/// A drift common to all gate cells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Drifted"))]
pub struct MachineDrift {
    /// Change from a side's first boot to its last, in percent; above 0 is worse.
    pub total_percent: f64,
    /// p-value of the slope.
    pub p: f64,
    /// Whether the drift is significant and large enough to matter.
    pub matters: bool,
}
