//! Whether values of two sides belong together.

use serde::Serialize;

/// Whether the values of both sides belong together. It is declared with the workload, never picked after the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Two independent sets.
    Unpaired,
    /// Value k of each side was measured with the same seed.
    BySeed,
}
