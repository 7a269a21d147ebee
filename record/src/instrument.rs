//! The instrument's own error, as measured by the selftest on a machine, load by load.
//!
//! Everything here was measured against a server that stamps what it writes (the metronome of `fixtures`); "true" is by its stamps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Arrival, Cores, Machine};

/// The instrument's own error on one machine, with one version of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorBudget {
    /// Version of Sparkgauge whose client was measured.
    pub harness_version: String,
    /// The commit that it was built from, where git knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harness_commit: Option<String>,
    /// Where it was measured: client and server shared this machine.
    pub machine: Machine,
    /// When, in seconds since 1970 by the wall clock.
    pub measured_unix_s: u64,
    /// How long each clock reading of the client was drawn out on purpose, in nanoseconds; 0 is the instrument as it is.
    #[serde(default)]
    pub slow_ns_per_read: u64,
    /// The processors of client and server, where they were kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<Cores>,
    /// Closed loops, from small to large.
    pub points: Vec<BudgetPoint>,
    /// Open loops: requests sent on a schedule, whatever the server does.
    pub open_loop: Vec<OpenLoopPoint>,
}

/// The instrument's errors under one load: the median of its repeats, number by number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BudgetPoint {
    /// Its name, e.g. `512 x 50/s`.
    pub name: String,
    /// Streams at once, all started together.
    pub streams: u32,
    /// Chunks that the server wrote per second, in the fullest second: see `peak_rate_per_s`.
    pub chunks_per_s: f64,
    /// Tokens in each chunk that the server wrote: 1 as most engines stream, more as with speculative decoding.
    pub tokens_per_chunk: u32,
    /// From a request's arrival to its first chunk, as it was due, in nanoseconds.
    pub first_token_ns: u64,
    /// From chunk to chunk, as it was due, in nanoseconds.
    pub gap_ns: u64,
    /// The shape of an answer: `plain`, `early role`, `reasoning`, `no usage`.
    pub shape: String,
    /// How often it was measured.
    pub repeats: u32,
    /// Whether every chunk and every token was accounted for, in every repeat.
    pub account: DeliveryCounts,
    /// Requests that did not end well, by their reason, all repeats together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, u64>,
    /// How far off the instrument was.
    pub errors: ClientErrors,
    /// The relative errors of the figures that a report would show.
    pub figures: FigureErrors,
    /// The client's CPU time, memory, and time to start and to end.
    pub cost: ClientCost,
    /// How late the server itself was with a chunk, 99th percentile, in nanoseconds.
    pub server_late_p99_ns: u64,
    /// The floor: a client that does nothing but read, measured beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare: Option<BareClient>,
}

/// How many stamps there are per second where they are densest: in the fullest of the whole seconds since `began_ns`, or on the mean of a
/// time of less than one. A trial that is prefilled for a minute and then decodes for ten seconds loads a client as much as one that
/// does not wait.
#[must_use]
pub fn peak_rate_per_s(stamps_ns: impl Iterator<Item = u64>, began_ns: u64, ended_ns: u64) -> Option<f64> {
    const SECOND_NS: u64 = 1_000_000_000;
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for t_ns in stamps_ns {
        *counts.entry(t_ns.saturating_sub(began_ns) / SECOND_NS).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or(0) as f64;
    match ended_ns.saturating_sub(began_ns) {
        0 => None,
        elapsed_ns if elapsed_ns < SECOND_NS => Some(most * SECOND_NS as f64 / elapsed_ns as f64),
        _ => Some(most),
    }
}

/// Chunks and tokens that the server wrote, and those that the client received, all repeats together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Account"))]
pub struct DeliveryCounts {
    /// Requests that were planned.
    pub requests: u64,
    /// Requests whose chunks and tokens are at both ends the same.
    pub requests_exact: u64,
    /// Chunks that the server wrote.
    pub chunks_written: u64,
    /// Chunks that the client stamped.
    pub chunks_seen: u64,
    /// Tokens that the server wrote.
    pub tokens_written: u64,
    /// Tokens that the client counted.
    pub tokens_seen: u64,
}

impl DeliveryCounts {
    /// The sums of both, field by field.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            requests_exact: self.requests_exact + other.requests_exact,
            chunks_written: self.chunks_written + other.chunks_written,
            chunks_seen: self.chunks_seen + other.chunks_seen,
            tokens_written: self.tokens_written + other.tokens_written,
            tokens_seen: self.tokens_seen + other.tokens_seen,
        }
    }

    /// Nothing is missing and nothing is too much.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        (self.requests_exact, self.chunks_seen, self.tokens_seen) == (self.requests, self.chunks_written, self.tokens_written)
    }
}

/// Absolute errors, each the difference between a span of time that the client saw and the same at the server, without its sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientErrors {
    /// Of each request's TTFT (send to first token here, arrival to first write there), median, in nanoseconds.
    pub ttft_p50_ns: u64,
    /// The same, 99th percentile.
    pub ttft_p99_ns: u64,
    /// Of each gap between two chunks, median, in nanoseconds.
    pub itl_p50_ns: u64,
    /// The same, 99th percentile.
    pub itl_p99_ns: u64,
    /// Of each request's TPOT, median, in nanoseconds per token.
    pub tpot_p50_ns: u64,
    /// The same, 99th percentile.
    pub tpot_p99_ns: u64,
    /// From the moment a request was due to its send, median, in nanoseconds.
    pub send_lag_p50_ns: u64,
    /// The same, 99th percentile.
    pub send_lag_p99_ns: u64,
}

/// By what part a figure that the client would report differs from the true one: 0.01 is 1 % too much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FigureErrors {
    /// The error of the median TTFT.
    pub ttft_p50: f64,
    /// 99th percentile of TTFT.
    pub ttft_p99: f64,
    /// The error of the median TPOT.
    pub tpot_p50: f64,
    /// 99th percentile of ITL.
    pub itl_p99: f64,
    /// Output tokens per second.
    pub output_rate: f64,
}

/// The client's CPU time and memory, and its time to start and to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClientCost {
    /// CPU time from the first send to the last response, over all chunks, in nanoseconds per chunk.
    pub cpu_per_chunk_ns: u64,
    /// CPU time of the whole process, over all chunks, in nanoseconds per chunk.
    pub process_cpu_per_chunk_ns: u64,
    /// Opening all connections, in nanoseconds.
    pub connect_ns: u64,
    /// From the start of the process until its first request was at the server, in nanoseconds.
    pub first_request_ns: u64,
    /// From the last chunk's write until the process was gone, in nanoseconds.
    pub exit_ns: u64,
    /// The most memory that it held, in bytes.
    pub peak_memory_bytes: u64,
}

/// A client that does nothing but read, at the same load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BareClient {
    /// How far off its stamps are, by the same definition as those of the instrument.
    pub errors: ClientErrors,
    /// Its CPU time and memory, by the same definition as for the instrument.
    pub cost: ClientCost,
}

/// An open loop: requests that are sent when they are due, whatever the server does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenLoopPoint {
    /// Mean arrivals per second.
    pub rate_per_s: f64,
    /// How their gaps are distributed.
    pub arrival: Arrival,
    /// How many requests arrived in one repeat.
    pub requests: u32,
    /// Most requests in flight at once, at the server: where it answers slowly, they pile up.
    pub peak_in_flight: u32,
    /// From a request's arrival to its first chunk, as it was due, in nanoseconds.
    pub first_token_ns: u64,
    /// Requests that never reached the server.
    pub not_sent: u32,
    /// Whether every chunk and every token was accounted for, in every repeat.
    pub account: DeliveryCounts,
    /// How often it was measured.
    pub repeats: u32,
    /// The instrument's errors there.
    pub errors: ClientErrors,
    /// The gaps between arrivals, as the server saw them.
    pub arrivals: ArrivalTests,
    /// The same tests of the gaps between sends, as the client stamped them: a server that shares the machine stamps arrivals late itself.
    #[serde(default)]
    pub sent: ArrivalTests,
    /// The same tests of the gaps as they were planned: what the draw itself does.
    pub planned: ArrivalTests,
}

/// Whether gaps are those that were declared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArrivalTests {
    /// Largest distance between the gaps' distribution and the declared one (Kolmogorov and Smirnov); none where all gaps are equal.
    pub ks_distance: Option<f64>,
    /// How often chance alone would give as large a distance.
    pub ks_p: Option<f64>,
    /// Correlation of each gap with the next.
    pub lag1: f64,
    /// Variance over mean of the counts in windows of ten arrivals on the average; 1 for a Poisson process.
    pub dispersion: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_rate_is_that_of_the_fullest_second() {
        const MS: u64 = 1_000_000;
        let per_s = |stamps: &[u64], ended_ms: u64| peak_rate_per_s(stamps.iter().map(|ms| ms * MS), 500 * MS, ended_ms * MS);
        assert_eq!(per_s(&[600, 1400, 1600, 1700, 2400, 9000], 9000), Some(3.0));
        assert_eq!(per_s(&[600, 700], 1000), Some(4.0));
        assert_eq!((per_s(&[], 9000), per_s(&[500], 500)), (Some(0.0), None));
    }
}
