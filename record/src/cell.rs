//! A cell: one workload at one point of its load, the thing that is repeated and compared.

use serde::{Deserialize, Serialize};

/// One workload at one point. Two cells with the same `workload_hash` and `point` ask the same of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cell {
    /// The workload's name, e.g. `chat`.
    pub workload: String,
    /// Digest of everything that defines the workload: its SPEC, the corpus, the planner's version.
    pub workload_hash: String,
    /// The point's name within the workload, e.g. `c10` or `p8192-c5`.
    pub point: String,
    /// How requests are released.
    pub load: Load,
    /// How many tokens each prompt has, the chat template's own included.
    pub prompt_tokens: Length,
    /// How many tokens each answer may have; forced where the engine can (`ignore_eos`).
    pub output_tokens: Length,
    /// Whether a prompt may share its head with an earlier one.
    pub prefix_reuse: PrefixReuse,
    /// JSON by schema is asked for, where the engine supports it.
    pub structured: bool,
    /// The service-level objective that a request must meet to count as good; only open-loop cells have one.
    pub slo: Option<Slo>,
    /// False for a miniature (`smoke`): its figures stand for nothing but the plumbing.
    pub comparable: bool,
}

impl Cell {
    /// `workload/point`, unique within a run.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.workload, self.point)
    }
}

/// How requests are released.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Load {
    /// A fixed number of streams; each sends its next request when its last one ends.
    Closed {
        /// Concurrent streams: as many requests are in flight, until a stream has sent its last.
        streams: u32,
        /// Requests that each stream sends, one after another.
        requests_per_stream: u32,
    },
    /// Closed loop too, but each stream is a conversation whose context grows.
    Conversations {
        /// Concurrent conversations, each with one request in flight.
        conversations: u32,
        /// Requests per conversation; each holds all turns before it.
        turns: u32,
    },
    /// Requests arrive on a schedule, whatever the engine is doing.
    Open {
        /// Mean arrivals per second; 0 for [`Arrival::AllAtOnce`].
        rate_per_s: f64,
        /// How the gaps are distributed.
        arrival: Arrival,
        /// How many requests arrive in the trial.
        requests: u32,
    },
}

impl Load {
    /// How many requests one trial sends.
    #[must_use]
    pub fn requests(&self) -> u32 {
        match *self {
            Self::Closed { streams, requests_per_stream } => streams * requests_per_stream,
            Self::Conversations { conversations, turns } => conversations * turns,
            Self::Open { requests, .. } => requests,
        }
    }

    /// Requests in flight that the load holds, for the closed loops.
    #[must_use]
    pub fn target_in_flight(&self) -> Option<u32> {
        match *self {
            Self::Closed { streams, .. } => Some(streams),
            Self::Conversations { conversations, .. } => Some(conversations),
            Self::Open { .. } => None,
        }
    }

    /// True where latency counts from the scheduled time.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// How the gaps between arrivals are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Arrival {
    /// Equal gaps of `1 / rate_per_s`.
    Constant,
    /// Exponentially distributed gaps: a Poisson process, whose arrivals do not depend on one another.
    Poisson,
    /// Gamma gaps of the same mean; a shape below 1 is burstier than Poisson.
    Gamma {
        /// The gamma distribution's shape.
        shape: f64,
    },
    /// Everything at time 0.
    AllAtOnce,
}

/// A distribution of token counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Length {
    /// The same count for every request.
    Fixed {
        /// That count; above 0.
        tokens: u32,
    },
    /// Every whole number from `low` to `high` is as likely.
    Uniform {
        /// The fewest tokens, inclusive.
        low: u32,
        /// The most tokens, inclusive.
        high: u32,
    },
    /// As recorded in a file of conversations, or drawn from the documented stand-in for one; the boot entry says which.
    Recorded {
        /// Most tokens; longer ones are left out.
        high: u32,
    },
}

impl Length {
    /// The most tokens it can give.
    #[must_use]
    pub fn high(&self) -> u32 {
        match *self {
            Self::Fixed { tokens } => tokens,
            Self::Uniform { high, .. } | Self::Recorded { high } => high,
        }
    }
}

/// Whether a prompt may share its head with an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PrefixReuse {
    /// Prompts are unique from their first token; a prefix-cache hit makes the trial suspect.
    Forbidden,
    /// Later turns contain the earlier ones; hits are expected and reported.
    Allowed,
}

/// A service-level objective: what a request must meet to count as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Slo {
    /// Longest time to first token, in milliseconds.
    pub ttft_ms: u32,
    /// Longest time per output token, in milliseconds.
    pub tpot_ms: u32,
}
