//! All formulas of metrics, each with its definition. Times are in nanoseconds.

pub mod arrivals;
pub mod in_flight;
pub mod queue;
pub mod request;
pub mod server;
pub mod token_curve;
mod trial;

pub use request::RequestMetrics;
pub use server::ServerAccount;
pub use trial::{Distribution, SteadyState, TrialMetrics};

/// Nanoseconds in a second.
pub(crate) const SECOND_NS: f64 = 1e9;

/// Nanoseconds from one stamp to a later one; 0 if the order is reversed.
pub(crate) fn between(from_ns: u64, to_ns: u64) -> f64 {
    to_ns.saturating_sub(from_ns) as f64
}

/// `count` per `ns` nanoseconds as a rate per second; none where `ns` is 0.
pub(crate) fn per_second(count: f64, ns: f64) -> Option<f64> {
    (ns > 0.0).then(|| count * SECOND_NS / ns)
}
