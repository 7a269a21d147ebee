//! The body of a request: what the plan asks for, in the fields that the dialect knows.

use record::{
    Dialect, Message, PlannedRequest,
    engine::{ChatApi, RunningCount},
};
use serde::{
    Serialize,
    ser::{SerializeMap, Serializer},
};
use serde_json::json;

#[cfg(test)]
mod tests;

/// Which of the two streaming endpoints is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Api {
    /// The dialect's chat, `/v1/chat/completions` or Ollama's own `/api/chat`: the engine applies the model's chat template.
    #[default]
    Chat,
    /// `/v1/completions`: the messages' texts joined by blank lines, without a template.
    Completions,
}

/// A request as one server wants it. It serializes to the JSON body.
#[derive(Debug, Clone, Copy)]
pub struct RequestBody<'a> {
    pub request: &'a PlannedRequest,
    /// Which fields the server knows.
    pub dialect: &'a Dialect,
    pub model: &'a str,
    /// Which endpoint it is for.
    pub api: Api,
    /// Keep it out of the prefix cache, where a field does that.
    pub forbid_prefix_reuse: bool,
}

impl RequestBody<'_> {
    /// The path that it is sent to.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match (self.api, self.dialect.chat) {
            (Api::Completions, _) => "/v1/completions",
            (Api::Chat, ChatApi::Openai) => "/v1/chat/completions",
            (Api::Chat, ChatApi::Ollama) => "/api/chat",
        }
    }

    /// The API that its answer comes through. Ollama has the completions endpoint only as others do.
    #[must_use]
    pub fn answered_by(&self) -> ChatApi {
        match self.api {
            Api::Chat => self.dialect.chat,
            Api::Completions => ChatApi::Openai,
        }
    }

    /// Whether JSON by the suite's schema is asked for.
    #[must_use]
    pub fn asks_for_json(&self) -> bool {
        self.dialect.json_schema && self.request.structured
    }

    /// Whether the output's length is forced.
    #[must_use]
    pub fn forces_length(&self) -> bool {
        self.dialect.ignore_eos || self.dialect.min_tokens
    }

    /// The name of the field that bounds the output. The completions endpoint is older than `max_completion_tokens`.
    fn max_tokens_field(&self) -> &'static str {
        match self.api {
            Api::Chat => self.dialect.max_tokens_field,
            Api::Completions => "max_tokens",
        }
    }
}

impl Serialize for RequestBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.answered_by() {
            ChatApi::Openai => self.serialize_openai(serializer),
            ChatApi::Ollama => self.serialize_ollama(serializer),
        }
    }
}

impl RequestBody<'_> {
    fn serialize_openai<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, dialect, .. } = self;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("model", self.model)?;
        match self.api {
            Api::Chat => body.serialize_entry("messages", &request.messages)?,
            Api::Completions => body.serialize_entry("prompt", &joined(&request.messages))?,
        }
        body.serialize_entry(self.max_tokens_field(), &request.output_tokens)?;
        body.serialize_entry("temperature", &0)?;
        body.serialize_entry("seed", &request.sampling_seed)?;
        body.serialize_entry("stream", &true)?;
        if dialect.include_usage {
            let continuous = dialect.running_count == RunningCount::ContinuousUsage;
            let options = if continuous {
                json!({"include_usage": true, "continuous_usage_stats": true})
            } else {
                json!({"include_usage": true})
            };
            body.serialize_entry("stream_options", &options)?;
        }
        if dialect.running_count == RunningCount::Timings {
            body.serialize_entry("timings_per_token", &true)?;
        }
        if dialect.ignore_eos {
            body.serialize_entry("ignore_eos", &true)?;
        }
        if dialect.min_tokens {
            body.serialize_entry("min_tokens", &request.output_tokens)?;
        }
        if dialect.cache_prompt_switch && self.forbid_prefix_reuse {
            body.serialize_entry("cache_prompt", &false)?;
        }
        if self.asks_for_json() {
            let format = json!({"name": "entries", "strict": true, "schema": schema()});
            body.serialize_entry("response_format", &json!({"type": "json_schema", "json_schema": format}))?;
        }
        body.end()
    }

    /// Ollama's own chat: what others have beside the messages is in `options`. The model stays loaded, since a trial in which it is
    /// unloaded measures the disk. The context's size is the server's (`OLLAMA_CONTEXT_LENGTH`): a request with another one makes it
    /// load the model again. What does not fit into it is refused: by default the beginning of the prompt would be dropped in silence.
    fn serialize_ollama<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = self.request;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("model", self.model)?;
        body.serialize_entry("messages", &request.messages)?;
        body.serialize_entry("stream", &true)?;
        body.serialize_entry("keep_alive", &-1)?;
        body.serialize_entry("truncate", &false)?;
        body.serialize_entry("shift", &false)?;
        let options = json!({"num_predict": request.output_tokens, "temperature": 0, "seed": request.sampling_seed});
        body.serialize_entry("options", &options)?;
        if self.asks_for_json() {
            body.serialize_entry("format", &schema())?;
        }
        body.end()
    }
}

fn joined(messages: &[Message]) -> String {
    let texts: Vec<&str> = messages.iter().map(|message| message.content.as_ref()).collect();
    texts.join("\n\n")
}

/// The suite's schema: a list without an upper bound, so that an answer of any length can keep to it.
fn schema() -> serde_json::Value {
    let entry = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "description": {"type": "string"}, "amount": {"type": "integer"}},
        "required": ["name", "description", "amount"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {"entries": {"type": "array", "items": entry}},
        "required": ["entries"],
        "additionalProperties": false,
    })
}
