//! Streamed answers of the shape and size that the engines send, for what measures the client's own work.

use record::{DialectName, Observation, PlannedRequest, Release, engine::ChatApi};

/// Events of one answer that bring text.
pub(crate) const EVENTS: usize = 1024;

/// One event with text, as its dialect frames it. `token` is its number, from 1.
pub(crate) fn event(name: DialectName, token: usize) -> String {
    let id = "chatcmpl-94e9c40cad775a86b2f1c3d4";
    let content = if token.is_multiple_of(8) { ").\\\"\\n" } else { " unless" };
    if harness::dialect::dialect(name).chat == ChatApi::Ollama {
        return format!(
            "{{\"model\":\"tiny\",\"created_at\":\"2026-11-21T09:15:30.123456789Z\",\"message\":{{\"role\":\"assistant\",\"content\":\"{content}\"}},\"done\":false}}\n"
        );
    }
    let (extra, after) = match name {
        DialectName::Vllm => (
            r#","logprobs":null,"token_ids":null"#,
            format!(r#","usage":{{"prompt_tokens":1024,"total_tokens":{},"completion_tokens":{token}}}"#, 1024 + token),
        ),
        DialectName::Llamacpp => (
            "",
            format!(
                r#","timings":{{"cache_n":0,"prompt_n":1024,"prompt_ms":391.625,"prompt_per_token_ms":0.38244,"prompt_per_second":2614.80,"predicted_n":{token},"predicted_ms":14.364,"predicted_per_token_ms":0.8977,"predicted_per_second":1113.89}}"#
            ),
        ),
        DialectName::Mistralrs => (r#","logprobs":null"#, r#","usage":null"#.to_owned()),
        _ => ("", String::new()),
    };
    format!(
        "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":1795194530,\"model\":\"tiny\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":null{extra}}}]{after}}}\n\n"
    )
}

/// What is seen of a request that is about to be sent.
pub(crate) fn unsent() -> Observation {
    Observation::unsent(&PlannedRequest {
        id: 0,
        release: Release::At { t_ns: 0 },
        messages: Vec::new(),
        prompt_tokens: 1024,
        output_tokens: 1024,
        structured: false,
        sampling_seed: 0,
    })
}
