//! The vocabulary of a measurement as plain data, and the run file it is kept in.
//!
//! Nothing here touches the world: no clock, no network, no file system. A [`Record`] is what measuring leaves behind and
//! all that judging ever sees. Every time is in nanoseconds on one monotonic clock that starts with the trial.

// What a record means must be said of everything in it; elsewhere a comment stands where a name does not say enough.
#![warn(missing_docs)]

pub mod cell;
pub mod cores;
pub mod dialect;
pub mod engine;
pub mod exit_code;
pub mod file;
pub mod gate;
pub mod header;
pub mod identity;
pub mod instrument;
pub mod metric;
pub mod observation;
pub mod owner;
pub mod plan;
pub mod recipe;
pub mod request;
#[cfg(feature = "schema")]
pub mod schema;
pub mod secret_name;
pub mod server;
pub mod trial;

pub use cell::{Arrival, Cell, Length, Load, PrefixReuse, Slo};
pub use cores::{ClientCore, Cores};
pub use engine::{Dialect, DialectName, EngineName, Launch};
pub use exit_code::ExitCode;
pub use file::{Entry, Record};
pub use gate::{Gate, Interleaving, Side};
pub use header::{Boot, End, EndReason, Header, Machine, Sizing, SizingSource};
pub use identity::{Device, DeviceKind, Identity, Image};
pub use instrument::ErrorBudget;
pub use metric::Metric;
pub use observation::{Chunk, Chunks, Observation, Outcome, TokenSource, Usage};
pub use plan::{Message, Plan, PlannedRequest, Release, Role};
pub use recipe::Recipe;
pub use request::{Profile, RunRequest, SimulatedSpark, Slowdown, Target};
pub use secret_name::is_secret_name;
pub use server::{HistogramTotals, ServerMetrics, ServerReading, ServerTimings, ServerWatch};
pub use trial::{Counters, Trial, TrialFacts, WarmUp, WireCounts};

/// The version of the run file's layout. A reader refuses a newer one and keeps reading the ones before.
pub const SCHEMA_VERSION: u32 = 3;
