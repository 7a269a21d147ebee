//! What a comparison and the planning of one both know of their values.

/// Whether the values of both sides belong together. It is declared with the workload, never picked after the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Two independent sets.
    Unpaired,
    /// Value k of each side was measured with the same seed.
    BySeed,
}
