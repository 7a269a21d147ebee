//! The nine canonical workloads, and the plans that are drawn from them.
//!
//! A workload is data, one `SPEC` per module. [`cells`] takes those that a profile wants; [`plan`] turns one cell and a seed into the
//! requests of a trial. Everything here is a pure function: no clock, no file, no network, and the same plan, byte for byte, on every
//! machine.

pub mod batch;
pub mod chat;
pub mod context;
pub mod corpus;
pub mod estimate;
pub mod long_output;
pub mod long_prefill;
pub mod multi_turn;
pub mod office;
pub mod peak;
pub mod planning;
pub mod rag;
mod rng;
mod schedule;
pub mod seed;
pub mod sharegpt;
pub mod sizing;
pub mod spec;

pub use context::context_tokens;
pub use estimate::{Speeds, estimate_s, trial_s};
pub use planning::{PlanError, check, plan, warm_up};
pub use sharegpt::RecordedLengths;
pub use sizing::{PromptSizing, TableError, TokenTable};
pub use spec::{
    GateSpec, PointSpec, ProfileDefaults, UnknownWorkload, WorkloadSpec, cells, defaults, gates, with_recorded_lengths,
};

pub const SUITE: &str = "canonical";
pub const SUITE_VERSION: u32 = 1;
/// The workloads, in the suite's order.
pub const ALL: &[&WorkloadSpec] = &[
    &chat::SPEC,
    &rag::SPEC,
    &long_output::SPEC,
    &multi_turn::SPEC,
    &long_prefill::SPEC,
    &batch::SPEC,
    &office::SPEC,
    &sharegpt::SPEC,
    &peak::SPEC,
];
