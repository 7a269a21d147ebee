//! How an answer is put into bytes: what is odd but right is read, what is wrong is said, and a connection serves again only after a
//! clean end.

use futures_util::future::join_all;
use harness::http::HttpOptions;
use record::Outcome;

use super::{
    script::{A, DONE, STOP, Script, ScriptedServer, Step, event, line, send_within, write},
    server::{AfterAnswer, LAST_CHUNK, STREAM_HEAD, answer, chunk, run, send, streamed},
};

fn body() -> String {
    format!("data: {A}\n\ndata: {STOP}\n\ndata: {DONE}\n\n")
}

fn with_head(head: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{head}\r\n{}", body())
}

fn in_one_chunk(body: &str) -> String {
    format!("{STREAM_HEAD}{}{LAST_CHUNK}", chunk(body))
}

/// Two requests, one after the other, and the connections that they took.
fn ask_twice(script: Script) -> ([record::Observation; 2], usize) {
    let scripted = ScriptedServer::start(script);
    let endpoint = scripted.endpoint(HttpOptions::default());
    let seen = run(async { [send(&endpoint).await, send(&endpoint).await] });
    assert_eq!(scripted.requests(), 2, "each is asked once, neither retried nor redirected");
    (seen, scripted.connections())
}

#[test]
fn unusual_framing_is_complete_and_keeps_connection_as_declared() {
    let whole = streamed(&[A, STOP, DONE]);
    let (length, all) = (body().len(), body());
    let two_lines = A.replacen('{', "{\ndata: ", 1);
    let fields = format!(
        ": hello\n\nevent: message\nid: 1\nretry: 10\ndata: {A}\n:\n\n: ping\n\ndata:{STOP}\n\nevent: end\n\ndata: {DONE}\n\n"
    );
    let extended = format!("{length:x};name=\"a value\"\r\n{all}\r\n0;last\r\n\r\n");
    let table = [
        ("byte by byte", Step::Bytewise(whole.clone().into_bytes()), AfterAnswer::KeepOpen, 1),
        ("CRLF", write(&in_one_chunk(&all.replace('\n', "\r\n"))), AfterAnswer::KeepOpen, 1),
        ("CRLF, byte by byte", Step::Bytewise(in_one_chunk(&all.replace('\n', "\r\n")).into_bytes()), AfterAnswer::KeepOpen, 1),
        ("CR", write(&in_one_chunk(&all.replace('\n', "\r"))), AfterAnswer::KeepOpen, 1),
        ("data of several lines", write(&in_one_chunk(&all.replacen(A, &two_lines, 1))), AfterAnswer::KeepOpen, 1),
        ("comments and other fields", write(&in_one_chunk(&fields)), AfterAnswer::KeepOpen, 1),
        ("a byte order mark", write(&in_one_chunk(&format!("\u{feff}{all}"))), AfterAnswer::KeepOpen, 1),
        ("a length", write(&with_head(&format!("content-length: {length}\r\n"))), AfterAnswer::KeepOpen, 1),
        (
            "a length, and it closes",
            write(&with_head(&format!("content-length: {length}\r\nconnection: close\r\n"))),
            AfterAnswer::Close,
            2,
        ),
        ("neither length nor chunks", write(&with_head("")), AfterAnswer::Close, 2),
        ("HTTP/1.0", write(&with_head("").replace("1.1", "1.0")), AfterAnswer::Close, 2),
        (
            "HTTP/1.0 that keeps its connection",
            write(&with_head(&format!("content-length: {length}\r\nconnection: keep-alive\r\n")).replace("1.1", "1.0")),
            AfterAnswer::KeepOpen,
            1,
        ),
        ("chunk extensions", write(&format!("{STREAM_HEAD}{extended}")), AfterAnswer::KeepOpen, 1),
        ("trailers", write(&whole.replace(LAST_CHUNK, "0\r\nx-took-ms: 12\r\nx-engine: a\r\n\r\n")), AfterAnswer::KeepOpen, 1),
        ("a size with zeros", write(&format!("{STREAM_HEAD}0000{}{LAST_CHUNK}", chunk(&all))), AfterAnswer::KeepOpen, 1),
        (
            "interim answers",
            write(&format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{whole}")),
            AfterAnswer::KeepOpen,
            1,
        ),
        (
            "odd case",
            write(&whole.replace("transfer-encoding: chunked", "Transfer-Encoding:\tCHUNKED")),
            AfterAnswer::KeepOpen,
            1,
        ),
    ];
    for (oddity, step, then, connections) in table {
        let (both, took) = ask_twice(Script { steps: vec![step], then });
        for seen in both {
            assert_eq!(seen.outcome, Outcome::Complete, "{oddity}");
            assert_eq!((seen.chunks.len(), seen.text.as_deref()), (1, Some("a")), "{oddity}");
        }
        assert_eq!(took, connections, "{oddity}");
    }
}

#[test]
fn wrong_framing_has_its_outcome_and_closes_connection() {
    let open = format!("{STREAM_HEAD}{}", event(A));
    let table = [
        ("a size too large", format!("{open}ff\r\ndata: {STOP}\n\n"), AfterAnswer::Close),
        ("a size too small", format!("{open}5\r\ndata: {STOP}\n\n\r\n"), AfterAnswer::KeepOpen),
        ("a size that is none", format!("{open}five\r\n"), AfterAnswer::KeepOpen),
        ("a size beyond all bounds", format!("{open}fffffffffffffffff\r\n"), AfterAnswer::KeepOpen),
        ("a length too large", format!("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\ndata: {A}\n\n"), AfterAnswer::Close),
        ("gzip", with_head("content-encoding: gzip\r\n"), AfterAnswer::Close),
    ];
    let mut lines = Vec::new();
    for (fault, bytes, then) in table {
        let ([first, second], took) = ask_twice(Script { steps: vec![write(&bytes)], then });
        assert_eq!((first.outcome.word(), took), (second.outcome.word(), 2), "{fault}");
        lines.push(line(fault, &first));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    a size too large | send headers event token end | "a" | disconnected: closed before the body's last chunk
    a size too small | send headers event token end | "a" | malformed: the answer's chunks: one is longer than its size says
    a size that is none | send headers event token end | "a" | malformed: the answer's chunks: a size is not a number in hexadecimal on a line of its own
    a size beyond all bounds | send headers event token end | "a" | malformed: the answer's chunks: a size is not a number in hexadecimal on a line of its own
    a length too large | send headers event token end | "a" | disconnected: closed before the body had its stated length
    gzip | send headers end | "" | malformed: content-encoding `gzip`, which was not asked for
    "#);
}

#[test]
fn invalid_head_is_malformed() {
    let two_lengths = with_head("content-length: 5\r\ncontent-length: 6\r\n");
    let table = [
        ("another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n".to_owned()),
        ("another version", "HTTP/2.0 200 OK\r\n\r\n".to_owned()),
        ("no status", "HTTP/1.1 okay\r\n\r\n".to_owned()),
        ("a status beyond all bounds", "HTTP/1.1 2000 OK\r\n\r\n".to_owned()),
        ("a header without a colon", with_head("who is there\r\n")),
        ("a zero byte in a name", with_head("x\0y: z\r\n")),
        ("a negative length", with_head("content-length: -1\r\n")),
        ("two lengths", two_lengths),
        ("TLS", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{16}".to_owned()),
    ];
    let lines = table.map(|(fault, bytes)| {
        let ([first, second], took) = ask_twice(Script { steps: vec![write(&bytes)], then: AfterAnswer::Close });
        assert_eq!((first.outcome.word(), took), (second.outcome.word(), 2), "{fault}");
        line(fault, &first)
    });
    insta::assert_snapshot!(lines.join("\n"), @r#"
    another protocol | send end | "" | malformed: the answer's head is not HTTP: invalid HTTP version
    another version | send end | "" | malformed: the answer's head is not HTTP: invalid HTTP version
    no status | send end | "" | malformed: the answer's head is not HTTP: invalid response status
    a status beyond all bounds | send end | "" | malformed: the answer's head is not HTTP: invalid response status
    a header without a colon | send end | "" | malformed: the answer's head is not HTTP: invalid header name
    a zero byte in a name | send end | "" | malformed: the answer's head is not HTTP: invalid header name
    a negative length | send end | "" | malformed: the answer's `content-length` makes no sense: -1
    two lengths | send end | "" | malformed: the answer's `content-length` makes no sense: 6
    TLS | send end | "" | malformed: the answer's head is not HTTP: invalid HTTP version
    "#);
}

#[test]
fn answers_without_stream_map_to_outcomes() {
    let moved = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned();
    let table = [
        ("204", "HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 1),
        ("empty", answer("200 OK", ""), 1),
        ("redirect", moved, 1),
        ("not modified", "HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\n\r\n".to_owned(), 1),
        ("a page", answer("200 OK", "<html>Welcome</html>").replace("application/json", "text/html"), 1),
        (
            "another protocol on offer",
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_owned(),
            2,
        ),
    ];
    let lines = run(join_all(table.map(|(case, bytes, connections)| async move {
        let scripted = ScriptedServer::start(Script { steps: vec![write(&bytes)], then: AfterAnswer::KeepOpen });
        let endpoint = scripted.endpoint(HttpOptions::default());
        let seen = send_within(&endpoint, 10_000).await;
        assert_eq!(send_within(&endpoint, 10_000).await.outcome, seen.outcome, "{case}");
        assert_eq!((scripted.requests(), scripted.connections()), (2, connections), "{case}");
        line(case, &seen)
    })));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    204 | send headers end | "" | truncated: the stream ended without an event
    empty | send headers end | "" | truncated: the stream ended without an event
    redirect | send headers end | "" | rejected 307 redirected to /elsewhere, which is not followed: give that URL
    not modified | send headers end | "" | rejected 304
    a page | send headers end | "" | malformed: 20 bytes of `text/html` without an event
    another protocol on offer | send headers end | "" | rejected 101
    "#);
}
