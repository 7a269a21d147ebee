//! A server's own metrics under this project's names, through its dialect's name table, and the timings that it gives with an answer.

use serde::{Deserialize, Serialize};

/// A server's own metrics before, during and after a trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerWatch {
    /// Just before the trial.
    pub before: ServerMetrics,
    /// Just after it; as `before` where the engine was dead by then.
    pub after: ServerMetrics,
    /// Once a second while it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub during: Vec<ServerReading>,
    /// Readings that failed while it ran.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed_readings: u32,
    /// Why the last of them failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// One reading of a server's metrics. A metric that it does not have is absent, never 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerMetrics {
    /// Requests that are being computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<f64>,
    /// Requests that wait in its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// Share of the KV cache in use, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_usage: Option<f64>,
    /// Prompt tokens so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<f64>,
    /// Generated tokens so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_tokens: Option<f64>,
    /// Prompt tokens that were looked up in the prefix cache so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_queries: Option<f64>,
    /// Prompt tokens that came from the prefix cache so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_hits: Option<f64>,
    /// Requests that were put back since memory was full, so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemptions: Option<f64>,
    /// Speculative drafts so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drafts: Option<f64>,
    /// Tokens drafted so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft_tokens: Option<f64>,
    /// Drafted tokens that were accepted so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_tokens: Option<f64>,
    /// Tokens per step of speculative decoding, where the server gives only this momentary value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_length: Option<f64>,
    /// Time that requests waited before they were computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<HistogramTotals>,
    /// Time that their prompts took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill: Option<HistogramTotals>,
    /// Time that their answers took after the first token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode: Option<HistogramTotals>,
    /// Time to first token as the server sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft: Option<HistogramTotals>,
}

/// A histogram's sum and count: the mean over a trial is the quotient of their differences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Spent"))]
pub struct HistogramTotals {
    /// The sum of all observed durations, in seconds (`_sum`).
    pub sum_s: f64,
    /// How many durations were observed (`_count`); one per request.
    pub count: f64,
}

/// A server's gauges at one moment of a trial.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerReading {
    /// When it was asked for, in nanoseconds since the trial began.
    pub t_ns: u64,
    /// Requests that are being computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<f64>,
    /// Requests that wait in its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// Share of the KV cache in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_usage: Option<f64>,
    /// Tokens per step of speculative decoding, where the server gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_length: Option<f64>,
}

/// The times that a server gives with an answer: llama.cpp's `timings`, Ollama's durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerTimings {
    /// Loading the model for this request, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_ns: Option<u64>,
    /// Reading the prompt, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill_ns: Option<u64>,
    /// Writing the answer, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_ns: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
