//! Answers event by event: each event is one read, and its stamp is its number.

use record::{DialectName, PlannedRequest, Release, ServerTimings};

use super::*;
use crate::{dialect::dialect, sse::DEFAULT_MAX_EVENT_BYTES};

const ROLE: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const A: &str = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
const B: &str = r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":null}}"#;
const DONE: &str = "[DONE]";

fn unsent() -> Observation {
    let mut observation = Observation::unsent(&PlannedRequest {
        id: 0,
        release: Release::At { t_ns: 0 },
        messages: Vec::new(),
        prompt_tokens: 9,
        output_tokens: 5,
        structured: false,
        sampling_seed: 0,
    });
    observation.text = Some(String::new());
    observation
}

/// Reads each event at the time of its number, from 1, and then the end of the stream.
fn answer(name: DialectName, events: &[&str]) -> Observation {
    let mut observation = unsent();
    let mut stream = AnswerStream::new(dialect(name), DEFAULT_MAX_EVENT_BYTES);
    for (t_ns, event) in (1..).zip(events) {
        stream.read(t_ns, format!("data: {event}\n\n").as_bytes(), &mut observation);
    }
    observation.outcome = stream.finish(&mut observation);
    observation
}

fn chunks(observation: &Observation) -> Vec<(u64, u32)> {
    observation.chunks.iter().map(|chunk| (chunk.t_ns, chunk.tokens)).collect()
}

fn counted(text: &str, tokens: u32) -> String {
    format!(
        r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}],"usage":{{"prompt_tokens":9,"completion_tokens":{tokens}}}}}"#
    )
}

fn timed(text: &str, tokens: u32) -> String {
    format!(
        r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}}}}],"timings":{{"cache_n":3,"predicted_n":{tokens},"x":0.5}}}}"#
    )
}

#[test]
fn role_delta_is_an_event_without_token() {
    let seen = answer(DialectName::Openai, &[ROLE, A, B, STOP, USAGE, DONE]);
    assert_eq!((seen.first_event_ns, seen.first_token_ns, seen.first_content_ns), (Some(1), Some(2), Some(2)));
    assert_eq!(seen.last_token_ns, Some(3));
    assert_eq!(seen.outcome, Outcome::Complete);
    assert_eq!(seen.finish_reason.as_deref(), Some("stop"));
    assert_eq!(seen.text.as_deref(), Some("ab"));
}

#[test]
fn final_count_is_shared_evenly_over_chunks() {
    let seen = answer(DialectName::Openai, &[ROLE, A, B, STOP, USAGE, DONE]);
    assert_eq!(seen.token_source, TokenSource::Final);
    assert_eq!(chunks(&seen), [(2, 2), (3, 5)]);
    assert_eq!(seen.usage, Some(Usage { prompt_tokens: 9, completion_tokens: 5, cached_tokens: None }));
}

#[test]
fn stream_without_counts_has_no_token_source() {
    let seen = answer(DialectName::Openai, &[A, B, STOP, DONE]);
    assert_eq!((seen.token_source, seen.usage), (TokenSource::None, None));
    assert_eq!(chunks(&seen), [(1, 0), (2, 0)]);
    assert_eq!(seen.output_tokens(), None);
}

#[test]
fn usage_with_finish_reason_is_final() {
    let last = r#"{"choices":[{"delta":{"content":"b"},"finish_reason":"length"}],
        "usage":{"completion_tokens":4,"prompt_tokens":9,"avg_tok_per_sec":640.5}}"#;
    let seen = answer(
        DialectName::Mistralrs,
        &[r#"{"choices":[{"delta":{"content":"a"}}],"usage":null}"#, &last.replace('\n', " "), DONE],
    );
    assert_eq!(seen.token_source, TokenSource::Final);
    assert_eq!(chunks(&seen), [(1, 2), (2, 4)]);
    assert_eq!(seen.outcome, Outcome::Complete);
}

#[test]
fn running_count_covers_multi_token_and_textless_chunks() {
    let events = [counted("", 0), counted("a", 1), counted("", 2), counted("bcd", 5), counted("e", 5)];
    let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
    events.extend([STOP, USAGE, DONE]);
    let seen = answer(DialectName::Vllm, &events);
    assert_eq!(seen.token_source, TokenSource::Running);
    assert_eq!(chunks(&seen), [(2, 1), (3, 2), (4, 5), (5, 5)]);
    assert_eq!((seen.first_token_ns, seen.last_token_ns), (Some(2), Some(5)));
    assert_eq!(seen.outcome, Outcome::Complete);
}

#[test]
fn running_count_never_decreases() {
    let events = [counted("a", 3), counted("b", 2)];
    let seen = answer(DialectName::Sglang, &[&events[0], &events[1], STOP, DONE]);
    assert_eq!(chunks(&seen), [(1, 3), (2, 3)]);
}

#[test]
fn llamacpp_running_count_is_read_from_timings() {
    let events = [timed("a", 1), timed("bc", 3)];
    let seen = answer(DialectName::Llamacpp, &[ROLE, &events[0], &events[1], STOP, USAGE, DONE]);
    assert_eq!(seen.token_source, TokenSource::Running);
    assert_eq!(chunks(&seen), [(2, 1), (3, 3)]);
    assert_eq!(seen.usage, Some(Usage { prompt_tokens: 9, completion_tokens: 5, cached_tokens: Some(3) }));
}

#[test]
fn text_without_running_count_uses_final_count() {
    let with_count = counted("a", 1);
    for events in [[&with_count, A, B], [A, &with_count, B], [A, B, &with_count]] {
        let seen = answer(DialectName::Vllm, &[events[0], events[1], events[2], STOP, USAGE, DONE]);
        assert_eq!(seen.token_source, TokenSource::Final);
        assert_eq!(chunks(&seen), [(1, 1), (2, 3), (3, 5)]);
    }
}

#[test]
fn reasoning_delta_is_token_but_not_content() {
    for field in ["reasoning", "reasoning_content"] {
        for &name in DialectName::ALL.iter().filter(|&&name| dialect(name).chat == ChatApi::Openai) {
            let thinking = format!(r#"{{"choices":[{{"delta":{{"{field}":"hm","content":null}}}}]}}"#);
            let seen = answer(name, &[ROLE, &thinking, A, STOP, DONE]);
            assert_eq!((seen.first_token_ns, seen.first_content_ns), (Some(2), Some(3)), "{name}");
            assert_eq!(seen.text.as_deref(), Some("hma"), "{name}");
        }
    }
    let both = r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm"}}]}"#;
    assert_eq!(answer(DialectName::Vllm, &[both]).text.as_deref(), Some("hm"));
}

#[test]
fn tool_call_is_content_and_empty_list_is_not() {
    let call = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#;
    let none = [r#"{"choices":[{"delta":{"tool_calls":[]}}]}"#, r#"{"choices":[{"delta":{"tool_calls":null}}]}"#];
    let seen = answer(DialectName::Openai, &[none[0], none[1], call]);
    assert_eq!((seen.first_token_ns, seen.first_content_ns), (Some(3), Some(3)));
    assert_eq!(chunks(&seen).len(), 1);
}

#[test]
fn completions_text_is_read_from_choice() {
    let seen = answer(DialectName::Vllm, &[r#"{"choices":[{"text":"\u00e9\n","finish_reason":"length"}]}"#, DONE]);
    assert_eq!((seen.text.as_deref(), seen.outcome), (Some("\u{e9}\n"), Outcome::Complete));
}

#[test]
fn cached_tokens_are_kept_from_any_usage() {
    let named = r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":8}}}"#;
    let cached = |events: &[&str]| answer(DialectName::Vllm, events).usage.unwrap().cached_tokens;
    assert_eq!(cached(&[named, USAGE]), Some(8));
    assert_eq!(cached(&[USAGE, named]), Some(8));
    assert_eq!(cached(&[USAGE]), None);
}

#[test]
fn stream_endings_map_to_outcomes() {
    let check = |name: DialectName, events: &[&str], expected: Outcome| {
        assert_eq!(answer(name, events).outcome, expected, "{name} {events:?}");
    };
    let truncated = |detail: &str| Outcome::Truncated { detail: detail.to_owned() };
    let rejected = |status, detail: &str| Outcome::Rejected { status, detail: detail.to_owned() };
    check(DialectName::Openai, &[A, STOP, DONE], Outcome::Complete);
    check(DialectName::Openai, &[A, STOP], truncated("the stream ended without [DONE]"));
    check(DialectName::Openai, &[A, DONE], truncated("the stream ended without a finish reason"));
    check(DialectName::Openai, &[A], truncated("the stream ended without a finish reason and without [DONE]"));
    check(DialectName::Openai, &[], truncated("the stream ended without an event"));
    check(DialectName::Transformers, &[A, STOP], Outcome::Complete);
    check(DialectName::Transformers, &[A, STOP, DONE], Outcome::Complete);
    check(DialectName::Transformers, &[A], truncated("the stream ended without a finish reason"));
    check(
        DialectName::Vllm,
        &[A, r#"{"error":{"message":"out of memory","code":500}}"#, STOP, DONE],
        rejected(500, "out of memory"),
    );
    check(DialectName::Vllm, &[A, r#"{"error":"out of memory"}"#, DONE], rejected(200, "out of memory"));
    check(DialectName::Vllm, &[r#"{"object":"error","message":"no","code":400}"#, DONE], rejected(400, "no"));
    check(DialectName::Vllm, &[A, r#"{"choices":[],"error":null}"#, STOP, DONE], Outcome::Complete);
    check(
        DialectName::Vllm,
        &[A, r#"{"choices":[{"delta":{},"finish_reason":"abort"}]}"#, DONE],
        rejected(200, "finish_reason `abort`"),
    );
    check(DialectName::Vllm, &[A, STOP, DONE, "not JSON", r#"{"error":"late"}"#], Outcome::Complete);
}

#[test]
fn events_after_the_end_are_ignored() {
    let ended = answer(DialectName::Openai, &[A, STOP, USAGE, DONE]);
    assert_eq!(answer(DialectName::Openai, &[A, STOP, USAGE, DONE, B, USAGE, "{"]), ended);
}

#[test]
fn overlong_line_after_the_end_is_ignored() {
    let answer = format!("data: {A}\n\ndata: {STOP}\n\ndata: [DONE]\n\n");
    let long = "x".repeat(200);
    for reads in [vec![format!("{answer}{long}")], vec![answer, long]] {
        let mut observation = unsent();
        let mut stream = AnswerStream::new(dialect(DialectName::Openai), 128);
        for read in reads {
            stream.read(1, read.as_bytes(), &mut observation);
        }
        assert_eq!(stream.finish(&mut observation), Outcome::Complete);
    }
}

#[test]
fn non_protocol_bytes_are_malformed_with_excerpt() {
    for event in ["not JSON", "{", "[]", r#"{"choices":7}"#, r#"{"choices":[{"delta":{"content":7}}]}"#, "\"\u{1f600}"] {
        let seen = answer(DialectName::Openai, &[A, event, B, STOP, DONE]);
        assert!(matches!(&seen.outcome, Outcome::Malformed { detail } if detail.ends_with(event)), "{:?}", seen.outcome);
        assert_eq!(chunks(&seen).len(), 1, "{event}");
    }
}

#[test]
fn stream_cut_inside_event_is_truncated_and_complete_last_event_counts() {
    let mut observation = unsent();
    let mut stream = AnswerStream::new(dialect(DialectName::Transformers), DEFAULT_MAX_EVENT_BYTES);
    stream.read(1, format!("data: {A}\n\ndata: {}", &B[..20]).as_bytes(), &mut observation);
    let detail = "the stream ended inside an event".to_owned();
    assert_eq!(stream.finish(&mut observation), Outcome::Truncated { detail });

    let mut observation = unsent();
    let mut stream = AnswerStream::new(dialect(DialectName::Openai), DEFAULT_MAX_EVENT_BYTES);
    stream.read(1, format!("data: {A}\n\ndata: {STOP}\n\ndata: [DONE]").as_bytes(), &mut observation);
    assert_eq!(stream.finish(&mut observation), Outcome::Complete);
}

#[test]
fn aborted_stream_keeps_its_observations() {
    let mut observation = unsent();
    let mut stream = AnswerStream::new(dialect(DialectName::Vllm), DEFAULT_MAX_EVENT_BYTES);
    let events = [counted("a", 1), counted("b", 2)];
    for (t_ns, event) in (1..).zip(&events) {
        stream.read(t_ns, format!("data: {event}\n\n").as_bytes(), &mut observation);
    }
    assert_eq!((observation.token_source, chunks(&observation).len()), (TokenSource::Running, 2));
    let outcome = Outcome::Disconnected { detail: "reset".to_owned() };
    assert_eq!(stream.give_up(&mut observation, outcome.clone()), outcome);
    assert_eq!(observation.output_tokens(), Some(2));
}

#[test]
fn endless_line_is_malformed() {
    let mut observation = unsent();
    let mut stream = AnswerStream::new(dialect(DialectName::Vllm), 64);
    stream.read(1, &[b'x'; 65], &mut observation);
    assert!(stream.is_over());
    assert!(matches!(stream.finish(&mut observation), Outcome::Malformed { .. }));
}

const THOUGHT: &str =
    r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"","thinking":"Hm"},"done":false}"#;
const SAID: &str = r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"Be\u0063ause"},"done":false}"#;
const ENDED: &str = r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","total_duration":90,"load_duration":10,"prompt_eval_count":40,"prompt_eval_duration":20,"eval_count":6,"eval_duration":50}"#;

/// An answer of these lines through Ollama's own API, each read at its number.
fn ollama(lines: &[&str]) -> Observation {
    let mut observation = unsent();
    let mut stream = AnswerStream::new(dialect(DialectName::Ollama), DEFAULT_MAX_EVENT_BYTES);
    for (t_ns, line) in (1..).zip(lines) {
        stream.read(t_ns, format!("{line}\n").as_bytes(), &mut observation);
    }
    observation.outcome = stream.finish(&mut observation);
    observation
}

#[test]
fn ollama_chat_lines_are_parsed() {
    let seen = ollama(&[THOUGHT, SAID, SAID, ENDED]);
    assert_eq!(seen.outcome, Outcome::Complete);
    assert_eq!(
        (seen.first_event_ns, seen.first_token_ns, seen.first_content_ns, seen.last_token_ns),
        (Some(1), Some(1), Some(2), Some(3))
    );
    assert_eq!(seen.text.as_deref(), Some("HmBecauseBecause"));
    assert_eq!(seen.usage, Some(Usage { prompt_tokens: 40, completion_tokens: 6, cached_tokens: None }));
    assert_eq!(chunks(&seen), [(1, 2), (2, 4), (3, 6)]);
    assert_eq!((seen.token_source, seen.finish_reason.as_deref()), (TokenSource::Final, Some("length")));
    assert_eq!(seen.server_timings, Some(ServerTimings { load_ns: Some(10), prefill_ns: Some(20), decode_ns: Some(50) }));
}

#[test]
fn ollama_answer_without_counts_has_no_usage() {
    let cached = ollama(&[SAID, r#"{"done":true,"done_reason":"stop","eval_count":1}"#]);
    assert_eq!(cached.usage, Some(Usage { prompt_tokens: 0, completion_tokens: 1, cached_tokens: None }));
    assert_eq!(cached.server_timings, None);
    let empty = ollama(&[r#"{"done":true,"done_reason":"load"}"#]);
    assert_eq!((empty.usage, empty.token_source, empty.outcome), (None, TokenSource::None, Outcome::Complete));
}

#[test]
fn ollama_stream_endings_map_to_outcomes() {
    let check = |lines: &[&str], expected: Outcome| assert_eq!(ollama(lines).outcome, expected, "{lines:?}");
    let truncated = |missing: &str| Outcome::Truncated { detail: format!("the stream ended without {missing}") };
    check(&[SAID, ENDED, "not JSON"], Outcome::Complete);
    check(&[SAID], truncated("a finish reason and without a line that is done"));
    check(&[], truncated("an event"));
    // Ollama leaves the reason out when its own runner lost the connection.
    check(&[SAID, r#"{"done":true,"eval_count":1}"#], truncated("a finish reason"));
    check(
        &[SAID, r#"{"error":"unexpected EOF"}"#, ENDED],
        Outcome::Rejected { status: 200, detail: "unexpected EOF".to_owned() },
    );
    let malformed = ollama(&[SAID, "data: {}", SAID, ENDED]);
    assert!(
        matches!(&malformed.outcome, Outcome::Malformed { detail } if detail.ends_with("data: {}")),
        "{:?}",
        malformed.outcome
    );
    assert_eq!(chunks(&malformed).len(), 1);
}

#[test]
fn ollama_line_cut_in_the_middle_is_truncated_and_complete_last_line_counts() {
    let read = |bytes: &str| {
        let mut observation = unsent();
        let mut stream = AnswerStream::new(dialect(DialectName::Ollama), DEFAULT_MAX_EVENT_BYTES);
        stream.read(1, bytes.as_bytes(), &mut observation);
        stream.finish(&mut observation)
    };
    assert_eq!(
        read(&format!("{SAID}\n{}", &ENDED[..40])),
        Outcome::Truncated { detail: "the stream ended inside an event".to_owned() }
    );
    assert_eq!(read(&format!("{SAID}\r\n{ENDED}")), Outcome::Complete);
}

#[test]
fn llamacpp_timings_give_server_times() {
    let timed = |ms: &str| {
        format!(
            r#"{{"choices":[{{"delta":{{"content":"a"}}}}],"timings":{{"prompt_ms":{ms},"predicted_ms":2.25,"predicted_n":1}}}}"#
        )
    };
    let of = |ms: &str| answer(DialectName::Llamacpp, &[&timed(ms), STOP, DONE]).server_timings.unwrap();
    assert_eq!(of("0.585"), ServerTimings { load_ns: None, prefill_ns: Some(585_000), decode_ns: Some(2_250_000) });
    assert_eq!(of("null").prefill_ns, None);
    assert_eq!(of("-1").prefill_ns, None);
    // The last of a growing account counts.
    let twice = answer(DialectName::Llamacpp, &[&timed("1"), &timed("2"), STOP, DONE]);
    assert_eq!(twice.server_timings.unwrap().prefill_ns, Some(2_000_000));
    assert_eq!(answer(DialectName::Llamacpp, &[A, STOP, DONE]).server_timings, None);
}
