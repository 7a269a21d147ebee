//! What the harness asks of a suite of workloads: texts to count, plans to drive. The harness knows no workload by name.

use record::{Cell, Message, Plan, Sizing};

/// A suite of workloads, as seen from the harness.
pub trait Suite {
    /// The pieces that all prompts are made of. Token counts of pieces add up.
    fn units(&self) -> &[&'static str];

    /// A text of about `tokens` tokens, and its count by the table (`counts` of [`Suite::units`], else by its length).
    fn probe(&self, counts: Option<&[u32]>, tokens: u32, seed: u64) -> Result<Probe, String>;

    /// The order in which a boot measures these cells, as indices.
    fn boot_order(&self, run_seed: u64, boot: u32, cells: &[Cell]) -> Vec<usize>;

    /// The seed of a trial.
    fn trial_seed(&self, run_seed: u64, cell: &Cell, trial: u32) -> u64;

    /// The plan of a trial.
    fn plan(&self, cell: &Cell, seed: u64, sized: &Sized<'_>) -> Result<Plan, String>;

    /// The warm-up before it: the same shape and concurrency, other prompts.
    fn warm_up(&self, cell: &Cell, seed: u64, sized: &Sized<'_>) -> Result<Plan, String>;

    /// Tokens of context that the longest request of this cell needs, with its output.
    fn context_tokens(&self, cell: &Cell) -> u32;

    /// Planned seconds of one trial of this cell, warm-up included, for the time that is left.
    fn estimate_s(&self, cell: &Cell) -> f64;
}

/// How prompts are sized in one boot.
#[derive(Debug, Clone, Copy)]
pub struct Sized<'a> {
    /// Tokens of each unit; none where only lengths and usage are known.
    pub counts: Option<&'a [u32]>,
    /// What the template adds, and the scale.
    pub sizing: &'a Sizing,
}

/// A text whose own count is known.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The text, as a message from the person.
    pub message: Message,
    /// Its tokens by the table.
    pub own_tokens: f64,
}
