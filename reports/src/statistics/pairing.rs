//! The pairing of values, which a comparison and its planning share.

/// Whether the values of both sides are pairs. It is declared with the workload, never chosen after the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Both sides are independent samples.
    Unpaired,
    /// Value k of each side was measured with the same seed.
    BySeed,
}
