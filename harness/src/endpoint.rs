//! An endpoint: a place that answers requests.

use std::collections::BTreeMap;

use record::{Observation, Outcome, PlannedRequest, ServerMetrics, WireCounts};

use crate::clock::{Clock, TrialClock};

/// A place that answers requests: a server over HTTP, or the simulated Spark in virtual time.
#[warn(missing_docs)]
pub trait Endpoint {
    /// A request with all in it that can be built before the clock of a trial starts.
    type PreparedRequest;

    /// Builds a request. A trial does it for all of its requests before it begins, so that no answer waits while a prompt is written.
    fn prepare(&self, request: &PlannedRequest) -> Self::PreparedRequest;

    /// Sends one request and writes down what comes back, as it comes back: stamps, chunks, usage. Returns how it ended.
    ///
    /// The future may be dropped at any moment (a limit passed, an interrupt); what it has written by then stays. It sets
    /// `send_ns` just before the request is written. It collects the text if `observation.text` is `Some`.
    fn send_prepared<C: Clock>(
        &self,
        request: Self::PreparedRequest,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> impl Future<Output = Outcome>;

    /// Builds a request and sends it: for questions outside a trial.
    fn send<C: Clock>(
        &self,
        request: &PlannedRequest,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> impl Future<Output = Outcome> {
        self.send_prepared(self.prepare(request), clock, observation)
    }

    /// Counts of what its connections have done; `None` if it has none.
    fn wire_counts(&self) -> Option<WireCounts> {
        None
    }

    /// Tokens of each text by the engine's own tokenizer, without a chat template; `None` if it has no such endpoint.
    fn count_tokens(&self, texts: &[&str]) -> impl Future<Output = Result<Option<Vec<u32>>, EndpointError>>;

    /// The server's page of metrics as it is now; `None` if it has none. A page that cannot be had or read is an error.
    fn server_page(&self) -> impl Future<Output = Option<Result<ServerPage, EndpointError>>>;

    /// Empties the prefix cache and says how it did; `None` if there is no means. An error says what the server needs for it.
    fn reset_cache(&self) -> impl Future<Output = Option<Result<String, EndpointError>>>;

    /// Whether the engine's own health endpoint answers with success just now, which does not prove that it can generate; `None` if it
    /// has none.
    fn healthy(&self) -> impl Future<Output = Option<bool>>;

    /// The models that it serves as it names them, each with where it came from if it says so; empty if it does not say.
    fn served_models(&self) -> impl Future<Output = Vec<String>>;

    /// The engine's version as it reports it.
    fn version(&self) -> impl Future<Output = Option<String>>;
}

/// A server's page of metrics at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerPage {
    /// Counters and gauges by the names that the server gives them, summed over their labels; of a histogram `_sum` and `_count`.
    pub counters: BTreeMap<String, f64>,
    /// The same in the words of this project.
    pub metrics: ServerMetrics,
}

/// A question to an endpoint, outside any trial, that went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// No connection, or it broke.
    #[error("{url}: {why}")]
    Unreachable { url: String, why: String },
    /// An answer that is not a success.
    #[error("{url}: status {status}: {body}")]
    Status {
        url: String,
        status: u16,
        /// The server's words, shortened.
        body: String,
    },
    /// An answer that is not what the dialect says.
    #[error("{url}: unexpected answer: {why}")]
    Unexpected { url: String, why: String },
}
