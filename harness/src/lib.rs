//! Everything that touches the world: engines, readiness, the endpoint client, the drive loop, the writer of records.

/// The dialects are data, so they lie with the vocabulary.
pub use record::dialect;

pub mod clock;
pub mod cores;
pub mod drive;
pub mod endpoint;
pub mod engine;
pub mod http;
pub mod instrument_cost;
pub mod journal;
pub mod machine;
pub mod progress;
pub mod request_body;
pub mod run_lock;
pub mod runtime;
pub mod sanity;
pub mod secrets;
pub mod server_watch;
pub mod session;
pub mod sizing;
pub mod sse;
pub mod stop;
pub mod stream;
pub mod suite;
mod wake_gated;
