//! Servers that never come to an end: each is given up at a limit, with what was seen until then, and no more of it is read than the
//! limit needs.

use std::time::Duration;

use futures_util::future::join_all;
use harness::http::HttpOptions;
use record::Outcome;

use super::{
    script::{A, DONE, ENDLESS, STOP, Script, ScriptedServer, Step, event, line, send_within, trickle, write},
    server::{AfterAnswer, STREAM_HEAD, chunk, run},
};

const MIB: u64 = 1 << 20;
/// What the kernel's buffers of both sockets may hold beyond what was read, at their largest by default (6 MiB and 4 MiB), and room.
const SOCKETS_BYTES: u64 = 16 * MIB;

/// No limit of the stream's own, so that another one must end it.
fn patient() -> HttpOptions {
    HttpOptions { idle_ns: 60_000_000_000, max_body_bytes: 1 << 40, ..HttpOptions::default() }
}

/// Sends to a server that writes this, and returns what was seen in one line. More than so many bytes must not have been taken.
fn flood(case: &str, options: HttpOptions, steps: Vec<Step>, limit_ms: u64, read_bytes: u64) -> String {
    let scripted = ScriptedServer::start(Script { steps, then: AfterAnswer::Hold });
    let seen = run(send_within(&scripted.endpoint(options), limit_ms));
    let sent_bytes = scripted.sent_bytes();
    assert!(sent_bytes <= read_bytes + SOCKETS_BYTES, "{case}: {sent_bytes} bytes were taken");
    line(case, &seen)
}

fn repeat(bytes: &str, times: u64) -> Step {
    Step::Repeat(bytes.as_bytes().to_vec(), times)
}

#[test]
fn lines_of_64_mib_are_malformed() {
    let begin = || write(&format!("{STREAM_HEAD}{}", event(A)));
    let kib = "x".repeat(1 << 10);
    let lines = [
        flood("no line", patient(), vec![begin(), repeat(&chunk(&kib), 64 << 10)], 60_000, 2 * MIB),
        flood(
            "a line of data",
            patient(),
            vec![begin(), write(&chunk("data: ")), repeat(&chunk(&kib), 64 << 10)],
            60_000,
            2 * MIB,
        ),
        flood(
            "lines of one event",
            patient(),
            vec![begin(), repeat(&chunk(&format!("data: {kib}\n")), 64 << 10)],
            60_000,
            2 * MIB,
        ),
        flood("a comment", patient(), vec![begin(), write(&chunk(":")), repeat(&chunk(&kib), 64 << 10)], 60_000, 2 * MIB),
        // One chunk of the transfer encoding, whatever its length says, is no reason to hold it all.
        flood("one chunk", patient(), vec![begin(), write("4000000\r\n"), repeat(&kib, 64 << 10)], 60_000, 2 * MIB),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    no line | send headers event token end | "a" | malformed: a line or event of more than 1048576 bytes
    a line of data | send headers event token end | "a" | malformed: a line or event of more than 1048576 bytes
    lines of one event | send headers event token end | "a" | malformed: a line or event of more than 1048576 bytes
    a comment | send headers event token end | "a" | malformed: a line or event of more than 1048576 bytes
    one chunk | send headers event token end | "a" | malformed: a line or event of more than 1048576 bytes
    "#);
}

#[test]
fn endless_heads_are_malformed() {
    let begin = || write("HTTP/1.1 200 OK\r\n");
    let kib = "x".repeat(1 << 10);
    let lines = [
        flood("a status line", patient(), vec![write("HTTP/1.1 200 "), repeat(&kib, ENDLESS)], 60_000, MIB),
        flood("a header", patient(), vec![begin(), write("x-long: "), repeat(&kib, ENDLESS)], 60_000, MIB),
        flood("headers", patient(), vec![begin(), repeat("x-one-of-many: 1\r\n", ENDLESS)], 60_000, MIB),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    a status line | send end | "" | malformed: the answer's head is longer than 262144 bytes
    a header | send end | "" | malformed: the answer's head is longer than 262144 bytes
    headers | send end | "" | malformed: the answer's head has more than 128 headers
    "#);
}

#[test]
fn endless_trailers_and_chunk_extensions_are_malformed() {
    let token = format!("{STREAM_HEAD}{}", event(A));
    let kib = "x".repeat(1 << 10);
    let lines = [
        flood("trailers", patient(), vec![write(&format!("{token}0\r\n")), repeat("x-one-of-many: 1\r\n", ENDLESS)], 60_000, MIB),
        flood("a chunk extension", patient(), vec![write(&format!("{token}5;")), repeat(&kib, ENDLESS)], 60_000, MIB),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    trailers | send headers event token end | "a" | malformed: the answer's chunks: the trailers are longer than 64 KiB
    a chunk extension | send headers event token end | "a" | malformed: the answer's chunks: a line with a size is longer than 4 KiB
    "#);
}

#[test]
fn endless_bodies_hit_size_or_time_limit() {
    let short = HttpOptions { max_body_bytes: MIB, ..patient() };
    let begin = || write(&format!("{STREAM_HEAD}{}", event(A)));
    let lines = [
        flood("tokens, by their bytes", short.clone(), vec![begin(), repeat(&event(A).repeat(100), ENDLESS)], 60_000, 2 * MIB),
        flood(
            "comments, by their bytes",
            short.clone(),
            vec![begin(), repeat(&chunk(&": ping\n\n".repeat(100)), ENDLESS)],
            60_000,
            2 * MIB,
        ),
        // What comes without a pause must not keep the clock from being looked at.
        flood("tokens, by their time", patient(), vec![begin(), repeat(&event(A).repeat(100), ENDLESS)], 800, 1 << 40),
        flood(
            "comments, by their time",
            patient(),
            vec![begin(), repeat(&chunk(&": ping\n\n".repeat(100)), ENDLESS)],
            300,
            1 << 40,
        ),
        flood(
            "after the end marker",
            short.clone(),
            vec![
                write(&format!("{STREAM_HEAD}{}{}{}", event(A), event(STOP), event(DONE))),
                repeat(&event(A).repeat(100), ENDLESS),
            ],
            60_000,
            1 << 40,
        ),
        flood("a refusal", short, vec![write("HTTP/1.1 500 Oops\r\n\r\n"), repeat(&"no".repeat(500), ENDLESS)], 60_000, MIB),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r#"
    tokens, by their bytes | send headers event token end | "(long)" | malformed: an answer of more than 1048576 bytes
    comments, by their bytes | send headers event token end | "a" | malformed: an answer of more than 1048576 bytes
    tokens, by their time | send headers event token end | "(long)" | timed out: the request's time limit of 800 ms passed
    comments, by their time | send headers event token end | "a" | timed out: the request's time limit of 300 ms passed
    after the end marker | send headers event token end | "a" | complete
    a refusal | send headers end | "" | rejected 500 nononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononononono
    "#);
}

#[test]
fn trickling_answers_hit_the_time_limit() {
    let open = format!("{STREAM_HEAD}{}", event(A));
    let options = HttpOptions { idle_ns: 600_000_000, ..HttpOptions::default() };
    let table = [
        ("a head", vec![write("HTTP/1.1 200 OK\r\nx-slow: "), trickle("x")]),
        ("headers", vec![write("HTTP/1.1 200 OK\r\n"), trickle("x-slow: 1\r\n")]),
        ("interim answers", vec![trickle("HTTP/1.1 103 Early Hints\r\n\r\n")]),
        ("comments before the first event", vec![write(STREAM_HEAD), trickle(&chunk(": ping\n\n"))]),
        ("comments after a token", vec![write(&open), trickle(&chunk(": ping\n\n"))]),
        ("empty events after a token", vec![write(&open), trickle(&chunk("data: {}\n\n"))]),
        ("a line", vec![write(&open), trickle(&chunk("x"))]),
        ("tokens", vec![write(STREAM_HEAD), trickle(&event(A))]),
        (
            "comments, each after the limit of silence",
            vec![write(&open), Step::Trickle(chunk(": ping\n\n").into_bytes(), Duration::from_millis(1200))],
        ),
    ];
    let lines = run(join_all(table.map(|(case, steps)| {
        let options = options.clone();
        async move {
            let scripted = ScriptedServer::start(Script { steps, then: AfterAnswer::Hold });
            let endpoint = scripted.endpoint(options);
            line(case, &send_within(&endpoint, 2000).await)
        }
    })));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    a head | send end | "" | timed out: the request's time limit of 2 s passed
    headers | send end | "" | timed out: the request's time limit of 2 s passed
    interim answers | send end | "" | malformed: more than 16 interim answers came before the answer
    comments before the first event | send headers end | "" | timed out: the request's time limit of 2 s passed
    comments after a token | send headers event token end | "a" | timed out: the request's time limit of 2 s passed
    empty events after a token | send headers event token end | "a" | timed out: the request's time limit of 2 s passed
    a line | send headers event token end | "a" | timed out: the request's time limit of 2 s passed
    tokens | send headers event token end | "(long)" | timed out: the request's time limit of 2 s passed
    comments, each after the limit of silence | send headers event token end | "a" | timed out: the stream was silent for 600 ms after its first event
    "#);
}

#[test]
fn refusal_with_incomplete_body_is_rejected() {
    let head = "HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n";
    let options = HttpOptions { idle_ns: 200_000_000, ..HttpOptions::default() };
    let table = [
        ("they trickle", vec![write(head), Step::Trickle(b"n".to_vec(), Duration::from_millis(100))]),
        ("they do not come", vec![write(head)]),
        ("they stop", vec![write(head), write("no")]),
    ];
    let refused = run(join_all(table.map(|(case, steps)| {
        let options = options.clone();
        async move {
            let scripted = ScriptedServer::start(Script { steps, then: AfterAnswer::Hold });
            let endpoint = scripted.endpoint(options);
            (case, send_within(&endpoint, 5_000).await.outcome)
        }
    })));
    for (case, outcome) in refused {
        assert!(matches!(outcome, Outcome::Rejected { status: 500, .. }), "{case}: {outcome:?}");
    }
}
