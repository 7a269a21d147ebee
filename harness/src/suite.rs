//! The interface between the harness and a suite of workloads: texts to count, plans to drive. The harness knows no workload by name.

use std::error::Error;

use record::{Cell, Message, Plan, Sizing};

/// An error of a suite. Its cause is of the suite's own type, which the harness does not know.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// Texts cannot be counted with what was found out of the engine.
    #[error(transparent)]
    Counts(Box<dyn Error + Send + Sync>),
    /// A plan cannot be made.
    #[error(transparent)]
    Plan(Box<dyn Error + Send + Sync>),
    /// A probe came without a message.
    #[error("the plan of a probe of {tokens} tokens has no message")]
    EmptyProbe {
        /// Tokens that were asked for.
        tokens: u32,
    },
}

impl SuiteError {
    /// Texts cannot be counted.
    pub fn counts(why: impl Error + Send + Sync + 'static) -> Self {
        Self::Counts(Box::new(why))
    }

    /// A plan cannot be made.
    pub fn plan(why: impl Error + Send + Sync + 'static) -> Self {
        Self::Plan(Box::new(why))
    }
}

/// A suite of workloads, as seen from the harness.
#[warn(missing_docs)]
pub trait Suite {
    /// The pieces that all prompts are made of. Token counts of pieces add up.
    fn units(&self) -> &[&'static str];

    /// A text of about `tokens` tokens, and its count by the table (`counts` of [`Suite::units`], else by its length).
    fn probe(&self, counts: Option<&[u32]>, tokens: u32, seed: u64) -> Result<Probe, SuiteError>;

    /// The order in which a boot measures these cells, as indices.
    fn boot_order(&self, run_seed: u64, boot: u32, cells: &[Cell]) -> Vec<usize>;

    /// The seed that a trial's plan is drawn from; equal arguments give equal seeds.
    fn trial_seed(&self, run_seed: u64, cell: &Cell, trial: u32) -> u64;

    /// The plan of a trial.
    fn plan(&self, cell: &Cell, seed: u64, sized: &BootSizing<'_>) -> Result<Plan, SuiteError>;

    /// The warm-up before it: the same shape and concurrency, other prompts.
    fn warm_up(&self, cell: &Cell, seed: u64, sized: &BootSizing<'_>) -> Result<Plan, SuiteError>;

    /// Tokens of context that the longest request of this cell needs, with its output.
    fn context_tokens(&self, cell: &Cell) -> u32;

    /// Planned seconds of one trial of this cell, warm-up included, for the time that is left.
    fn estimate_s(&self, cell: &Cell) -> f64;
}

/// How prompts are sized in one boot.
#[derive(Debug, Clone, Copy)]
pub struct BootSizing<'a> {
    /// Tokens of each unit; none where only lengths and usage are known.
    pub counts: Option<&'a [u32]>,
    /// Tokens of the template, and the scale.
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
