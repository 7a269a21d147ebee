use proptest::prelude::*;

use super::*;

/// What serde says of the same bytes; none if it refuses them.
fn by_serde(bytes: &[u8]) -> Option<String> {
    serde_json::from_slice::<Event<'_>>(bytes).ok().map(|event| format!("{event:?}"))
}

fn by_scan(bytes: &[u8]) -> Option<String> {
    event(bytes).map(|event| format!("{event:?}"))
}

/// What the scan reads is what serde reads; it may give up, but not on these.
#[track_caller]
fn same(text: &str) {
    assert!(by_serde(text.as_bytes()).is_some(), "{text}");
    assert_eq!(by_scan(text.as_bytes()), by_serde(text.as_bytes()), "{text}");
}

#[test]
fn scanner_matches_serde_on_usual_events() {
    same(
        r#"{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" unless"},"finish_reason":null,"logprobs":null}],"usage":{"prompt_tokens":4,"total_tokens":5,"completion_tokens":1}}"#,
    );
    same(r#"{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":null},"finish_reason":"stop"}]}"#);
    same(r#"{"choices":[{"delta":{"reasoning_content":"hm","reasoning":"h\u00e9 \"q\"\n"}}]}"#);
    same(r#"{"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":3}}}"#);
    same(r#"{"choices":null,"usage":null,"timings":null,"object":null}"#);
    same(r#" { "choices" : [ { "text" : "aß😀" , "x" : [ 1 , -2.5e+3 , { } , [ ] , true , false ] } ] } "#);
    same(
        r#"{"choices":[{"delta":{"content":"a"}}],"timings":{"cache_n":0,"prompt_ms":391.625,"predicted_n":7,"predicted_ms":14}}"#,
    );
    same("{}");
}

#[test]
fn scanner_leaves_unusual_events_to_serde() {
    for text in [
        "",
        "{",
        "{}{",
        "[]",
        "null",
        r#"{"error":{"message":"x"}}"#,
        r#"{"object":"error","message":"x"}"#,
        r#"{"choices":[{"delta":{"content":5}}]}"#,
        r#"{"choices":[{"delta":{"content":"a"}},{"delta":{}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{}]}}]}"#,
        r#"{"choices":[],"choices":[]}"#,
        r#"{"usage":{"completion_tokens":1.0}}"#,
        r#"{"usage":{"completion_tokens":-1}}"#,
        r#"{"usage":{"completion_tokens":01}}"#,
        r#"{"usage":{"completion_tokens":4294967296}}"#,
        r#"{"ch\u006fices":[]}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":-}"#,
        r#"{"a":1e}"#,
        r#"{"a":tru}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"b\"#,
        r#"{"a":"b\""#,
        r#"{"choices":[{"text":"\x"}]}"#,
        "{\"a\":\"\n\"}",
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{"a":[1,]}"#,
    ] {
        assert_eq!(by_scan(text.as_bytes()), None, "{text}");
    }
    assert_eq!(by_scan(b"{\"choices\":[{\"text\":\"\xff\"}]}"), None);
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(60), "]".repeat(60));
    assert_eq!(by_scan(deep.as_bytes()), None);
}

/// JSON of nearly the right shape, and text that is nearly JSON.
fn nearly() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "0",
        "7",
        "-1",
        "01",
        "1.5",
        "4294967296",
        "\"\"",
        "\"a\"",
        "\"\\n\"",
        "\"\\u12\"",
        "\"ß\"",
        "{}",
        "[]",
        "",
    ]);
    let key = prop::sample::select(vec![
        "choices",
        "delta",
        "content",
        "text",
        "usage",
        "completion_tokens",
        "prompt_tokens",
        "finish_reason",
        "timings",
        "predicted_n",
        "prompt_ms",
        "object",
        "error",
        "tool_calls",
        "reasoning",
        "x",
    ]);
    let value = leaf.prop_map(str::to_owned).prop_recursive(5, 30, 4, move |inner| {
        prop_oneof![
            3 => prop::collection::vec((key.clone(), inner.clone()), 0..4).prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
            1 => prop::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(", "))),
        ]
    });
    let field = |name: &'static str, value: BoxedStrategy<String>| value.prop_map(move |value| format!("{{\"{name}\":{value}}}"));
    let value = value.boxed();
    prop_oneof![
        value.clone(),
        field("usage", value.clone()),
        value.clone().prop_map(|value| format!("{{\"choices\":[{value}]}}")),
        value.prop_map(|value| format!("{{\"choices\":[{{\"delta\":{value}}}]}}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn scanner_matches_serde_on_generated_events(text in nearly(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        if let Some(read) = by_scan(text.as_bytes()) {
            prop_assert_eq!(Some(read), by_serde(text.as_bytes()));
        }
        let mut bytes = text.into_bytes();
        if !bytes.is_empty() {
            let place = cut.index(bytes.len());
            bytes[place] = byte;
            if let Some(read) = by_scan(&bytes) {
                prop_assert_eq!(Some(read), by_serde(&bytes));
            }
        }
    }

    #[test]
    fn plain_run_ends_at_first_special_byte(bytes in prop::collection::vec(prop_oneof![9 => b' '..=255_u8, 1 => any::<u8>()], 0..40)) {
        let expected = bytes.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\').unwrap_or(bytes.len());
        prop_assert_eq!(plain_bytes(&bytes), expected);
    }
}
