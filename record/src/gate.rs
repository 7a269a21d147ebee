//! Gates: the cells and metrics that a verdict is about, declared before anything is measured.

use serde::{Deserialize, Serialize};

use crate::{Metric, engine::named};

/// A metric of a cell that a verdict is about, and the smallest change of it worth acting on. All gates of a run are one family, fixed
/// before there are data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Gate {
    /// The cell's name, e.g. `chat/c10`.
    pub cell: String,
    /// The metric that is compared between the sides.
    pub metric: Metric,
    /// The margin, as a share above 0, e.g. 0.03.
    pub margin: f64,
    /// Whether trials of one seed belong together: both sides then need the same seeds and the same plans.
    pub paired_by_seed: bool,
}

named! {
    /// A side of a comparison.
    Side {
        /// The side that is compared with.
        Baseline = "baseline",
        /// The side that the verdict judges.
        Candidate = "candidate",
    }
}

/// Two runs that were measured together, boot by boot, so that a drift of the machine falls on both alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Interleaved"))]
pub struct Interleaving {
    /// Names the pair: both records have the same.
    pub pair: String,
    /// Which of the two this record is.
    pub side: Side,
    /// The order in which boots of either side were planned.
    pub order: Vec<Side>,
}
