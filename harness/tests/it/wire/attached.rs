//! Servers that misbehave before anything is measured: the wait for the first token ends in time, and at once where waiting
//! changes nothing.

use futures_util::future::join_all;
use harness::{
    clock::RealClock,
    engine::{Engine, attach::AttachedEngine, readiness::wait_until_ready},
    http::HttpOptions,
    stop::stop_pair,
};

use super::{
    script::{A, ENDLESS, Script, ScriptedServer, Step, event, trickle, write},
    server::{AfterAnswer, STREAM_HEAD, answer, chunk, run},
};

#[test]
fn misbehaving_server_ends_readiness_wait_with_reason() {
    let open = format!("{STREAM_HEAD}{}", event(A));
    let x = Step::Repeat(chunk(&"x".repeat(1 << 16)).into_bytes(), ENDLESS);
    // What the last attempt said comes after it, or that the time was over before that one was.
    let waited = "no token within 3 s";
    let no_protocol = "bytes that are not the protocol: ";
    let table = [
        ("silence", vec![], AfterAnswer::Hold, waited),
        ("a head drop by drop", vec![write("HTTP/1.1 200 OK\r\n"), trickle("x-slow: 1\r\n")], AfterAnswer::Hold, no_protocol),
        ("comments for ever", vec![write(STREAM_HEAD), trickle(&chunk(": ping\n\n"))], AfterAnswer::Hold, waited),
        ("tokens for ever", vec![write(&open), trickle(&event(A))], AfterAnswer::Hold, waited),
        ("closed", vec![], AfterAnswer::Close, waited),
        ("reset", vec![write(&open)], AfterAnswer::Reset, waited),
        ("no content", vec![write("HTTP/1.1 204 No Content\r\n\r\n")], AfterAnswer::KeepOpen, waited),
        ("busy", vec![write(&answer("429 Too Many Requests", "busy"))], AfterAnswer::KeepOpen, waited),
        ("a line for ever", vec![write(STREAM_HEAD), x], AfterAnswer::Hold, no_protocol),
        ("a page", vec![write(&answer("200 OK", "<html>"))], AfterAnswer::KeepOpen, no_protocol),
        ("gone", vec![write(&answer("404 Not Found", "nobody home"))], AfterAnswer::KeepOpen, "status 404: nobody home"),
    ];
    let (_source, stop) = stop_pair();
    let stop = &stop;
    run(join_all(table.map(|(case, steps, then, words)| async move {
        let scripted = ScriptedServer::start(Script { steps, then });
        let endpoint = scripted.endpoint(HttpOptions::default());
        let attached = AttachedEngine::new(scripted.server.url.clone(), endpoint).start(0).await.unwrap();
        let error = wait_until_ready(&attached, &RealClock::start(), "tiny", 3, stop).await.unwrap_err().to_string();
        assert!(error.contains(words), "{case}: {error}");
    })));
}
