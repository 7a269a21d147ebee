//! Servers that misbehave, over loopback: each fault has its one outcome, and what was seen before it stays.

use std::{io::Write, thread, time::Duration};

use futures_util::future::{self, Either};
use harness::{
    clock::{RealClock, TrialClock},
    endpoint::Endpoint,
    http::HttpOptions,
};
use record::{DialectName, Observation, Outcome};

use super::server::{AfterAnswer, LAST_CHUNK, STREAM_HEAD, Server, answer, chunk, run, send, streamed};

const A: &str = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
const DONE: &str = "[DONE]";

fn options() -> HttpOptions {
    HttpOptions { idle_ns: 50_000_000, max_body_bytes: 4096, ..HttpOptions::default() }
}

fn ask(server: &Server) -> Observation {
    run(send(&server.endpoint(DialectName::Openai, options())))
}

/// What came of it, in one line.
fn line(fault: &str, seen: &Observation) -> String {
    let has = |stamp: Option<u64>, word: &str| if stamp.is_some() { format!(" {word}") } else { String::new() };
    let stamps = [
        has(seen.send_ns, "send"),
        has(seen.headers_ns, "headers"),
        has(seen.first_event_ns, "event"),
        has(seen.first_token_ns, "token"),
        has(seen.end_ns, "end"),
    ];
    format!("{fault}:{} | chunks {} | {:?}", stamps.concat(), seen.chunks.len(), seen.outcome)
}

#[test]
fn refusals_are_rejected_with_status_and_message() {
    let table = [
        ("404", answer("404 Not Found", r#"{"error":{"message":"no model `tiny`","type":"NotFoundError","code":404}}"#)),
        ("422", answer("422 Unprocessable Entity", r#"{"detail":"Unexpected fields in the request: {'ignore_eos'}"}"#)),
        ("429", answer("429 Too Many Requests", "")),
        ("500", answer("500 Internal Server Error", "Internal Server Error")),
        ("503", answer("503 Service Unavailable", r#"{"error":{"message":"Loading model","code":503}}"#)),
        ("redirect", "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned()),
        ("refusal cut off", "HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nInternal".to_owned()),
    ];
    let lines = table.map(|(fault, bytes)| {
        let server = Server::canned(bytes, AfterAnswer::Close);
        let line = line(fault, &ask(&server));
        assert_eq!(server.seen.lock().unwrap().requests.len(), 1, "{fault}: asked once, neither retried nor redirected");
        line
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    404: send headers end | chunks 0 | Rejected { status: 404, detail: "no model `tiny`" }
    422: send headers end | chunks 0 | Rejected { status: 422, detail: "Unexpected fields in the request: {'ignore_eos'}" }
    429: send headers end | chunks 0 | Rejected { status: 429, detail: "" }
    500: send headers end | chunks 0 | Rejected { status: 500, detail: "Internal Server Error" }
    503: send headers end | chunks 0 | Rejected { status: 503, detail: "Loading model" }
    redirect: send headers end | chunks 0 | Rejected { status: 307, detail: "redirected to /elsewhere, which is not followed: give that URL" }
    refusal cut off: send headers end | chunks 0 | Rejected { status: 500, detail: "Internal (the message broke off: closed before the body had its stated length)" }
    "#);
}

#[test]
fn streams_ending_wrongly_map_to_outcomes() {
    let open = format!("{STREAM_HEAD}{}", chunk(&format!("data: {A}\n\n")));
    let not_http = "SSH-2.0-OpenSSH_9.2p1\r\n".to_owned();
    let error = r#"{"error":{"message":"out of memory","code":500}}"#;
    let gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\u{1f}\u{8}ab".to_owned();
    let table = [
        ("early end, chunked", open.clone(), AfterAnswer::Close),
        ("early end, with a length", format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\ndata: {A}\n\n"), AfterAnswer::Close),
        ("early end of the head", "HTTP/1.1 200 OK\r\ncontent-".to_owned(), AfterAnswer::Close),
        ("nothing at all", String::new(), AfterAnswer::Close),
        ("not HTTP", not_http, AfterAnswer::Close),
        ("broken chunk size", format!("{open}zz\r\n"), AfterAnswer::Close),
        ("silence", open, AfterAnswer::Hold),
        ("no end marker", streamed(&[A, STOP]), AfterAnswer::KeepOpen),
        ("no finish reason", streamed(&[A, DONE]), AfterAnswer::KeepOpen),
        ("neither", streamed(&[A]), AfterAnswer::KeepOpen),
        ("no event", streamed(&[]), AfterAnswer::KeepOpen),
        ("error object", streamed(&[A, error, DONE]), AfterAnswer::KeepOpen),
        ("broken JSON", streamed(&[A, r#"{"choices":[{"#, DONE]), AfterAnswer::KeepOpen),
        (
            "cut inside an event",
            format!("{STREAM_HEAD}{}{LAST_CHUNK}", chunk(&format!("data: {A}\n\ndata: {{\"cho"))),
            AfterAnswer::KeepOpen,
        ),
        ("no stream", answer("200 OK", r#"{"choices":[{"message":{"content":"a"}}]}"#), AfterAnswer::KeepOpen),
        ("gzip", gzip, AfterAnswer::KeepOpen),
        ("more than the limit", streamed(&[A; 100]), AfterAnswer::KeepOpen),
    ];
    let lines = table.map(|(fault, bytes, then)| line(fault, &ask(&Server::canned(bytes, then))));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    early end, chunked: send headers event token end | chunks 1 | Disconnected { detail: "closed before the body's last chunk" }
    early end, with a length: send headers event token end | chunks 1 | Disconnected { detail: "closed before the body had its stated length" }
    early end of the head: send end | chunks 0 | Disconnected { detail: "closed inside the answer's head" }
    nothing at all: send end | chunks 0 | Disconnected { detail: "closed before an answer" }
    not HTTP: send end | chunks 0 | Malformed { detail: "the answer's head is not HTTP: invalid HTTP version" }
    broken chunk size: send headers event token end | chunks 1 | Malformed { detail: "the answer's chunks: a size is not a number in hexadecimal on a line of its own" }
    silence: send headers event token end | chunks 1 | TimedOut { detail: "the stream was silent for 50 ms after its first event" }
    no end marker: send headers event token end | chunks 1 | Truncated { detail: "the stream ended without [DONE]" }
    no finish reason: send headers event token end | chunks 1 | Truncated { detail: "the stream ended without a finish reason" }
    neither: send headers event token end | chunks 1 | Truncated { detail: "the stream ended without a finish reason and without [DONE]" }
    no event: send headers end | chunks 0 | Truncated { detail: "the stream ended without an event" }
    error object: send headers event token end | chunks 1 | Rejected { status: 500, detail: "out of memory" }
    broken JSON: send headers event token end | chunks 1 | Malformed { detail: "an event is not what the protocol says: EOF while parsing an object at line 1 column 13: {\"choices\":[{" }
    cut inside an event: send headers event token end | chunks 1 | Truncated { detail: "the stream ended inside an event" }
    no stream: send headers end | chunks 0 | Malformed { detail: "41 bytes of `application/json` without an event" }
    gzip: send headers end | chunks 0 | Malformed { detail: "content-encoding `gzip`, which was not asked for" }
    more than the limit: send headers event token end | chunks 87 | Malformed { detail: "an answer of more than 4096 bytes" }
    "#);
}

#[test]
fn reset_is_a_disconnection_keeping_earlier_tokens() {
    let seen = ask(&Server::resetting(""));
    assert!(matches!(&seen.outcome, Outcome::Disconnected { detail } if detail.contains("reset")), "{:?}", seen.outcome);
    assert_eq!(seen.headers_ns, None);

    let seen = ask(&Server::resetting(format!("{STREAM_HEAD}{}", chunk(&format!("data: {A}\n\n")))));
    assert!(matches!(&seen.outcome, Outcome::Disconnected { detail } if detail.contains("reset")), "{:?}", seen.outcome);
    assert_eq!((seen.chunks.len(), seen.text.as_deref()), (1, Some("a")));
}

#[test]
fn refused_connection_is_a_disconnection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let endpoint =
        harness::http::HttpEndpoint::new(&url, harness::dialect::dialect(DialectName::Openai), "tiny", options()).unwrap();
    let seen = run(send(&endpoint));
    assert!(matches!(&seen.outcome, Outcome::Disconnected { detail } if detail.contains("refused")), "{:?}", seen.outcome);
    assert!(seen.send_ns.is_some() && seen.end_ns.is_some());
}

#[test]
fn unusual_but_correct_streams_are_complete() {
    let body = format!("data: {A}\n\ndata: {STOP}\n\ndata: [DONE]\n\n");
    let big = format!("x-big: {}\r\n", "x".repeat(64 << 10));
    let table = [
        ("HTTP/1.0 without a length", format!("HTTP/1.0 200 OK\r\n\r\n{body}"), AfterAnswer::Close),
        (
            "64 KiB of headers",
            format!("HTTP/1.1 200 OK\r\n{big}content-length: {}\r\n\r\n{body}", body.len()),
            AfterAnswer::KeepOpen,
        ),
        ("no content-type", format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()), AfterAnswer::KeepOpen),
        (
            "identity encoding",
            streamed(&[A, STOP, DONE]).replace("transfer", "content-encoding: identity\r\ntransfer"),
            AfterAnswer::KeepOpen,
        ),
        (
            "one byte per transfer chunk",
            {
                let bytes: String = body.chars().map(|byte| chunk(&byte.to_string())).collect();
                format!("{STREAM_HEAD}{bytes}{LAST_CHUNK}")
            },
            AfterAnswer::KeepOpen,
        ),
        ("no last empty line", format!("{STREAM_HEAD}{}{LAST_CHUNK}", chunk(body.trim_end())), AfterAnswer::KeepOpen),
        ("body left open", streamed(&[A, STOP, DONE]).replace(LAST_CHUNK, ""), AfterAnswer::Hold),
        ("events after the end", streamed(&[A, STOP, DONE, A, "{"]), AfterAnswer::KeepOpen),
    ];
    for (oddity, bytes, then) in table {
        let seen = ask(&Server::canned(bytes, then));
        assert_eq!(seen.outcome, Outcome::Complete, "{oddity}");
        assert_eq!((seen.chunks.len(), seen.text.as_deref()), (1, Some("a")), "{oddity}");
        assert!(seen.send_ns <= seen.headers_ns && seen.headers_ns <= seen.first_event_ns, "{oddity}");
        assert!(seen.last_token_ns <= seen.end_ns, "{oddity}");
    }
}

#[test]
fn character_split_over_two_writes_is_joined() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"\u{1f600}\"}}]}\n\n";
    let place = event.find('\u{1f600}').unwrap() + 2;
    let server = Server::start(move |_, stream| {
        stream.write_all(STREAM_HEAD.as_bytes()).unwrap();
        for half in [&event.as_bytes()[..place], &event.as_bytes()[place..]] {
            let chunk = [format!("{:x}\r\n", half.len()).as_bytes(), half, b"\r\n"].concat();
            stream.write_all(&chunk).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        stream.write_all(format!("{}{LAST_CHUNK}", chunk(&format!("data: {STOP}\n\ndata: [DONE]\n\n"))).as_bytes()).unwrap();
        AfterAnswer::KeepOpen
    });
    let seen = ask(&server);
    assert_eq!(seen.outcome, Outcome::Complete);
    assert_eq!((seen.text.as_deref(), seen.chunks.len()), (Some("\u{1f600}"), 1));
}

#[test]
fn idle_timeout_counts_from_last_read_after_first_event() {
    let server = Server::start(|_, stream| {
        for part in [STREAM_HEAD.to_owned(), chunk(&format!("data: {A}\n\n")), chunk(&format!("data: {A}\n\n"))] {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(part.as_bytes()).unwrap();
        }
        AfterAnswer::Hold
    });
    // Shorter than the wait for the first event, longer than the gaps.
    let options = HttpOptions { idle_ns: 80_000_000, ..options() };
    let seen = run(send(&server.endpoint(DialectName::Openai, options)));
    assert!(matches!(seen.outcome, Outcome::TimedOut { .. }), "{:?}", seen.outcome);
    assert_eq!(seen.chunks.len(), 2);
    let silent_ns = seen.end_ns.unwrap() - seen.last_token_ns.unwrap();
    assert!(silent_ns >= 80_000_000, "{silent_ns}");
}

#[test]
fn dropped_request_keeps_its_observations_without_end() {
    let server = Server::canned(format!("{STREAM_HEAD}{}", chunk(&format!("data: {A}\n\n"))), AfterAnswer::Hold);
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    let mut observation = super::unsent();
    run(async {
        let clock = RealClock::start();
        let trial = TrialClock::begin(&clock);
        let request = super::request();
        let send = Box::pin(endpoint.send(&request, &trial, &mut observation));
        let limit = Box::pin(trial.sleep_until(80_000_000));
        assert!(matches!(future::select(send, limit).await, Either::Right(_)), "it was not dropped");
    });
    // The drive loop knows requests that were in flight by this: sent, but without an end.
    assert!(observation.send_ns.is_some() && observation.end_ns.is_none());
    assert_eq!((observation.chunks.len(), observation.text.as_deref()), (1, Some("a")));
}
