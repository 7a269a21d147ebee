//! Connections that end, in every way and at every place: what was seen stays, and the outcome says how it ended.

use futures_util::future::join_all;
use harness::http::HttpOptions;

use super::{
    script::{A, DONE, STOP, Script, ScriptedServer, event, line, send_within, write},
    server::{AfterAnswer, STREAM_HEAD, run},
};

/// Answers that stop at each place where one can.
fn places() -> [(&'static str, String); 8] {
    let [token, stop, done] = [A, STOP, DONE].map(event);
    let in_a_size = format!("{STREAM_HEAD}{token}2");
    let in_a_chunk = format!("{STREAM_HEAD}{token}ff\r\ndata: {{\"cho");
    [
        ("before the head", String::new()),
        ("in the head", STREAM_HEAD[..30].to_owned()),
        ("after the head", STREAM_HEAD.to_owned()),
        ("in a chunk's size", in_a_size),
        ("in a chunk", in_a_chunk),
        ("after a token", format!("{STREAM_HEAD}{token}")),
        ("after the finish reason", format!("{STREAM_HEAD}{token}{stop}")),
        ("after the end marker", format!("{STREAM_HEAD}{token}{stop}{done}")),
    ]
}

/// One request to each server that ends like this, and a second one to show that the connection is not used again.
fn each_place(then: AfterAnswer, limit_ms: u64) -> String {
    let options = HttpOptions { idle_ns: 400_000_000, ..HttpOptions::default() };
    let lines = run(join_all(places().map(|(place, bytes)| {
        let options = options.clone();
        async move {
            let scripted = ScriptedServer::start(Script { steps: vec![write(&bytes)], then });
            let endpoint = scripted.endpoint(options);
            let seen = send_within(&endpoint, limit_ms).await;
            assert_eq!(send_within(&endpoint, limit_ms).await.outcome.word(), seen.outcome.word(), "{place}");
            assert_eq!((scripted.requests(), scripted.connections()), (2, 2), "{place}");
            line(place, &seen)
        }
    })));
    lines.join("\n")
}

#[test]
fn connection_closed_at_each_place_is_disconnected() {
    insta::assert_snapshot!(each_place(AfterAnswer::Close, 10_000), @r#"
    before the head | send end | "" | disconnected: closed before an answer
    in the head | send end | "" | disconnected: closed inside the answer's head
    after the head | send headers end | "" | disconnected: closed before the body's last chunk
    in a chunk's size | send headers event token end | "a" | disconnected: closed before the body's last chunk
    in a chunk | send headers event token end | "a" | disconnected: closed before the body's last chunk
    after a token | send headers event token end | "a" | disconnected: closed before the body's last chunk
    after the finish reason | send headers event token end | "a" | disconnected: closed before the body's last chunk
    after the end marker | send headers event token end | "a" | complete
    "#);
}

#[test]
fn connection_reset_at_each_place_is_disconnected() {
    insta::assert_snapshot!(each_place(AfterAnswer::Reset, 10_000), @r#"
    before the head | send end | "" | disconnected: Connection reset by peer (os error 104)
    in the head | send end | "" | disconnected: Connection reset by peer (os error 104)
    after the head | send headers end | "" | disconnected: Connection reset by peer (os error 104)
    in a chunk's size | send headers event token end | "a" | disconnected: Connection reset by peer (os error 104)
    in a chunk | send headers event token end | "a" | disconnected: Connection reset by peer (os error 104)
    after a token | send headers event token end | "a" | disconnected: Connection reset by peer (os error 104)
    after the finish reason | send headers event token end | "a" | disconnected: Connection reset by peer (os error 104)
    after the end marker | send headers event token end | "a" | complete
    "#);
}

#[test]
fn connection_silent_at_each_place_times_out() {
    // Before the first event, only the request's own limit ends it: a prompt may be long.
    insta::assert_snapshot!(each_place(AfterAnswer::Hold, 1000), @r#"
    before the head | send end | "" | timed out: the request's time limit of 1 s passed
    in the head | send end | "" | timed out: the request's time limit of 1 s passed
    after the head | send headers end | "" | timed out: the request's time limit of 1 s passed
    in a chunk's size | send headers event token end | "a" | timed out: the stream was silent for 400 ms after its first event
    in a chunk | send headers event token end | "a" | timed out: the stream was silent for 400 ms after its first event
    after a token | send headers event token end | "a" | timed out: the stream was silent for 400 ms after its first event
    after the finish reason | send headers event token end | "a" | timed out: the stream was silent for 400 ms after its first event
    after the end marker | send headers event token end | "a" | complete
    "#);
}
