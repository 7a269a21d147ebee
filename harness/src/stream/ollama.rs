//! A line of Ollama's own chat API, as far as it is looked at.
//!
//! Source: Ollama's API documentation ("Generate a chat completion") and its `api/types.go`. Every number there is left out when it is 0.

use record::{ServerTimings, Usage};
use serde::{Deserialize, de::IgnoredAny};

use super::event::Text;

/// One line of a streamed chat.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
    /// Its last line, which bears the account.
    #[serde(default)]
    pub(super) done: bool,
    pub(super) done_reason: Option<String>,
    load_duration: Option<u64>,
    prompt_eval_count: Option<u32>,
    prompt_eval_duration: Option<u64>,
    eval_count: Option<u32>,
    eval_duration: Option<u64>,
    error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Text<'a>,
    #[serde(borrow, default)]
    thinking: Text<'a>,
    tool_calls: Option<Vec<IgnoredAny>>,
}

impl Line<'_> {
    pub(super) fn is_error(&self) -> bool {
        self.error.is_some()
    }

    pub(super) fn content(&self) -> &str {
        self.message.as_ref().map_or("", |message| &message.content.0)
    }

    pub(super) fn reasoning(&self) -> &str {
        self.message.as_ref().map_or("", |message| &message.thinking.0)
    }

    pub(super) fn brings_tool_call(&self) -> bool {
        self.message.as_ref().and_then(|message| message.tool_calls.as_ref()).is_some_and(|calls| !calls.is_empty())
    }

    /// The account, if there is one. A prompt that came wholly from the cache has no count, which means 0; without a count of the
    /// answer there is no account.
    pub(super) fn usage(&self) -> Option<Usage> {
        let completion_tokens = self.eval_count?;
        Some(Usage { prompt_tokens: self.prompt_eval_count.unwrap_or(0), completion_tokens, cached_tokens: None })
    }

    /// The server's own times; its durations are in nanoseconds.
    pub(super) fn timings(&self) -> Option<ServerTimings> {
        let timings =
            ServerTimings { load_ns: self.load_duration, prefill_ns: self.prompt_eval_duration, decode_ns: self.eval_duration };
        (timings != ServerTimings::default()).then_some(timings)
    }
}
