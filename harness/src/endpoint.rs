//! An endpoint: a place that answers requests.

use std::collections::BTreeMap;

use record::{Observation, Outcome, PlannedRequest};

use crate::clock::{Clock, TrialClock};

/// A place that answers requests: a server over HTTP, or the simulated Spark in virtual time.
pub trait Endpoint {
    /// Sends one request and writes down what comes back, as it comes back: stamps, chunks, usage. Returns how it ended.
    ///
    /// The future may be dropped at any moment (a limit passed, an interrupt); what it has written by then stays. It sets
    /// `send_ns` just before the request is written. It collects the text if `observation.text` is `Some`.
    fn send<C: Clock>(
        &self,
        request: &PlannedRequest,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> impl Future<Output = Outcome>;

    /// Tokens of each text by the engine's own tokenizer, without a chat template; `None` if it has no such endpoint.
    fn count_tokens(&self, texts: &[&str]) -> impl Future<Output = Result<Option<Vec<u32>>, EndpointError>>;

    /// The server's own counters, by the names it gives them; `None` if it has none.
    fn counters(&self) -> impl Future<Output = Option<BTreeMap<String, f64>>>;

    /// The engine's version as it reports it.
    fn version(&self) -> impl Future<Output = Option<String>>;
}

/// A question to an endpoint, outside any trial, that went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// No connection, or it broke.
    #[error("{url}: {why}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// What happened.
        why: String,
    },
    /// An answer that is not a success.
    #[error("{url}: status {status}: {body}")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// The server's words, shortened.
        body: String,
    },
    /// An answer that is not what the dialect says.
    #[error("{url}: unexpected answer: {why}")]
    Unexpected {
        /// What was asked.
        url: String,
        /// What was wrong.
        why: String,
    },
}
