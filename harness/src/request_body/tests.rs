use record::{DialectName, Release, Role};

use super::*;
use crate::dialect::dialect;

fn request() -> PlannedRequest {
    let message = |role, content: &str| Message { role, content: content.into() };
    PlannedRequest {
        id: 7,
        release: Release::At { t_ns: 0 },
        messages: vec![message(Role::System, "Be \"brief\"."), message(Role::User, "Why?\n\u{1f600}")],
        prompt_tokens: 12,
        output_tokens: 40,
        structured: false,
        sampling_seed: 3,
    }
}

fn json_of(body: &RequestBody<'_>) -> String {
    serde_json::to_string(body).unwrap()
}

#[test]
fn request_body_holds_only_fields_of_its_dialect() {
    let request = request();
    let lines = DialectName::ALL.iter().map(|&name| {
        let body =
            RequestBody { request: &request, dialect: dialect(name), model: "m", api: Api::Chat, forbid_prefix_reuse: true };
        let json = json_of(&body);
        let fields = json.split_once("\"}],").unwrap().1;
        format!("{name:<12} forced {:<5} {fields}", body.forces_length())
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    openai       forced false "max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"include_usage":true}}
    vllm         forced true  "max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true},"ignore_eos":true,"min_tokens":40}
    sglang       forced true  "max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true},"ignore_eos":true,"min_tokens":40}
    llamacpp     forced true  "max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"include_usage":true},"timings_per_token":true,"ignore_eos":true,"cache_prompt":false}
    ollama       forced false "stream":true,"keep_alive":-1,"truncate":false,"shift":false,"options":{"num_predict":40,"seed":3,"temperature":0}}
    trtllm       forced true  "max_completion_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true},"ignore_eos":true,"min_tokens":40}
    nim          forced true  "max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"include_usage":true},"ignore_eos":true,"min_tokens":40}
    mistralrs    forced false "max_tokens":40,"temperature":0,"seed":3,"stream":true}
    transformers forced false "max_tokens":40,"temperature":0,"seed":3,"stream":true}
    simulated    forced true  "max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true},"ignore_eos":true,"min_tokens":40}
    "#);
}

#[test]
fn chat_and_completions_bodies_use_their_own_fields() {
    let request = request();
    let body = |api| RequestBody {
        request: &request,
        dialect: dialect(DialectName::Trtllm),
        model: "m",
        api,
        forbid_prefix_reuse: true,
    };
    insta::assert_snapshot!(json_of(&body(Api::Chat)), @r#"{"model":"m","messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Why?\n😀"}],"max_completion_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true},"ignore_eos":true,"min_tokens":40}"#);
    insta::assert_snapshot!(json_of(&body(Api::Completions)), @r#"{"model":"m","prompt":"Be \"brief\".\n\nWhy?\n😀","max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"continuous_usage_stats":true,"include_usage":true},"ignore_eos":true,"min_tokens":40}"#);
}

#[test]
fn ollama_chat_uses_own_api_and_completions_the_common_one() {
    let request = request();
    let body = |api| RequestBody {
        request: &request,
        dialect: dialect(DialectName::Ollama),
        model: "m",
        api,
        forbid_prefix_reuse: true,
    };
    assert_eq!((body(Api::Chat).path(), body(Api::Chat).answered_by()), ("/api/chat", ChatApi::Ollama));
    assert_eq!((body(Api::Completions).path(), body(Api::Completions).answered_by()), ("/v1/completions", ChatApi::Openai));
    insta::assert_snapshot!(json_of(&body(Api::Chat)), @r#"{"model":"m","messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Why?\n😀"}],"stream":true,"keep_alive":-1,"truncate":false,"shift":false,"options":{"num_predict":40,"seed":3,"temperature":0}}"#);
    insta::assert_snapshot!(json_of(&body(Api::Completions)), @r#"{"model":"m","prompt":"Be \"brief\".\n\nWhy?\n😀","max_tokens":40,"temperature":0,"seed":3,"stream":true,"stream_options":{"include_usage":true}}"#);
}

#[test]
fn cache_prompt_is_sent_only_where_reuse_is_forbidden() {
    let request = request();
    let body = |forbid_prefix_reuse| {
        let dialect = dialect(DialectName::Llamacpp);
        json_of(&RequestBody { request: &request, dialect, model: "m", api: Api::Chat, forbid_prefix_reuse })
    };
    assert!(body(true).contains(r#""cache_prompt":false"#));
    assert!(!body(false).contains("cache_prompt"));
}

#[test]
fn structured_request_carries_schema_where_supported() {
    let request = PlannedRequest { structured: true, ..request() };
    for &name in DialectName::ALL {
        let dialect = dialect(name);
        let json = json_of(&RequestBody { request: &request, dialect, model: "m", api: Api::Chat, forbid_prefix_reuse: false });
        let body: serde_json::Value = serde_json::from_str(&json).unwrap();
        let schema = match dialect.chat {
            ChatApi::Openai => &body["response_format"]["json_schema"]["schema"],
            ChatApi::Ollama => &body["format"],
        };
        assert_eq!(schema.is_object(), dialect.json_schema, "{name}");
        if dialect.json_schema {
            let entries = &schema["properties"]["entries"];
            assert_eq!(entries["type"], "array", "{name}");
            assert!(entries["maxItems"].is_null(), "{name}: an answer of any length must be able to keep to it");
        }
    }
}
