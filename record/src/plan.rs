//! A plan: a workload's requests for one seed, and when each is to be sent.

use serde::{Deserialize, Serialize};

use crate::Cell;

/// The requests of one trial. The schedule is in it as data: each request holds its own release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The cell that the plan is for.
    pub cell: Cell,
    /// The seed from which lengths, texts and arrivals are drawn.
    pub seed: u64,
    /// The requests; a request's `id` is its place here.
    pub requests: Vec<PlannedRequest>,
    /// Digest of all prompts, lengths and releases.
    pub digest: String,
}

/// A request that a trial sends, and what it waits for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedRequest {
    /// Its place in the plan.
    pub id: u32,
    /// The time or the request that it waits for.
    pub release: Release,
    /// The chat messages; where an engine has only completions, their texts joined by blank lines.
    pub messages: Vec<Message>,
    /// Prompt tokens as the server should count them, the chat template's own included.
    pub prompt_tokens: u32,
    /// Output tokens, forced where the engine can.
    pub output_tokens: u32,
    /// Ask for JSON by the suite's schema, where the dialect can.
    pub structured: bool,
    /// Sent as `seed`, where sampling uses one.
    pub sampling_seed: u32,
}

/// The condition that releases a request. Closed loops, open loops, bursts and conversations are all made of these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// A time since the trial began.
    At {
        /// That time, in nanoseconds since the trial began.
        t_ns: u64,
    },
    /// The end of another request, however it ended.
    After {
        /// That request's `id`.
        request: u32,
    },
}

/// One chat message. Texts are shared, since a conversation's later turns contain the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Sent as `role`.
    pub role: Role,
    /// Sent as `content`.
    pub content: std::sync::Arc<str>,
}

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// `system`: instructions for the model.
    System,
    /// `user`: the prompt.
    User,
    /// The model, by script.
    Assistant,
}
