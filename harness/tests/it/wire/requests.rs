//! Requests as a server sees them, and the connections that they come over.

use std::{
    io::Write,
    sync::{Arc, Barrier},
};

use harness::{
    dialect::dialect,
    endpoint::Endpoint,
    http::{ApiKey, HttpEndpoint, HttpOptions},
    request_body::Api,
    secrets::Secrets,
};
use record::{DialectName, Outcome};

use super::server::{AfterAnswer, Server, answer, run, send, streamed};

const ANSWER: [&str; 2] = [r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#, "[DONE]"];

#[test]
fn request_is_written_as_expected() {
    let server = Server::canned(streamed(&ANSWER), AfterAnswer::KeepOpen);
    let options = HttpOptions { api_key: Some(ApiKey::new("sk-secret".to_owned())), ..HttpOptions::default() };
    let endpoint = server.endpoint(DialectName::Llamacpp, options);
    endpoint.forbid_prefix_reuse(true);
    endpoint.set_request_id_prefix("00c0\r\nffee");
    let seen = run(send(&endpoint));
    assert_eq!((&seen.outcome, seen.forced_length), (&Outcome::Complete, true));
    let request = server.seen.lock().unwrap().requests[0].clone();
    let mut head: Vec<&str> = request.head.lines().filter(|line| !line.starts_with("host: ")).collect();
    head.sort_unstable();
    insta::assert_snapshot!(format!("{}\n{}", head.join("\n"), request.body), @r#"
    accept: text/event-stream
    authorization: bearer sk-secret
    connection: close
    content-length: 221
    content-type: application/json
    post /v1/chat/completions http/1.1
    x-request-id: 00c0ffee-7
    {"model":"tiny","messages":[{"role":"user","content":"Why?"}],"max_tokens":16,"temperature":0,"seed":0,"stream":true,"stream_options":{"include_usage":true},"timings_per_token":true,"ignore_eos":true,"cache_prompt":false}
    "#);
}

#[test]
fn completions_use_the_older_endpoint() {
    let server =
        Server::canned(streamed(&[r#"{"choices":[{"text":"a","finish_reason":"stop"}]}"#, "[DONE]"]), AfterAnswer::KeepOpen);
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions { api: Api::Completions, ..HttpOptions::default() });
    let seen = run(send(&endpoint));
    assert_eq!((&seen.outcome, seen.text.as_deref()), (&Outcome::Complete, Some("a")));
    let request = server.seen.lock().unwrap().requests[0].clone();
    assert!(request.head.starts_with("post /v1/completions http/1.1"), "{}", request.head);
    assert!(request.body.contains(r#""prompt":"Why?""#), "{}", request.body);
}

#[test]
fn connection_is_reused() {
    let server = Server::canned(streamed(&ANSWER), AfterAnswer::KeepOpen);
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    run(async {
        for _ in 0..5 {
            assert_eq!(send(&endpoint).await.outcome, Outcome::Complete);
        }
    });
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.connections, seen.requests.len()), (1, 5));
}

#[test]
fn warm_connections_are_open_before_the_first_request() {
    // Nobody is answered before all have come, so that no connection can serve two requests.
    let all_came = Arc::new(Barrier::new(8));
    let server = Server::start(move |_, stream| {
        all_came.wait();
        stream.write_all(streamed(&ANSWER).as_bytes()).unwrap();
        AfterAnswer::KeepOpen
    });
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    run(async {
        assert_eq!(endpoint.warm_connections(8).await, 8);
        let sends = (0..8).map(|_| send(&endpoint));
        for seen in futures_util::future::join_all(sends).await {
            assert_eq!((seen.outcome, seen.connect_ns), (Outcome::Complete, None));
        }
    });
    assert_eq!(endpoint.wire_counts().unwrap().opened, 8);
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.connections, seen.requests.len()), (8, 8));
}

#[test]
fn request_opening_a_connection_records_connect_time() {
    let server = Server::canned(streamed(&ANSWER), AfterAnswer::Close);
    let endpoint = server.endpoint(DialectName::Openai, HttpOptions::default());
    let seen = run(send(&endpoint));
    assert_eq!(seen.outcome, Outcome::Complete);
    assert!(seen.connect_ns.is_some_and(|connect_ns| connect_ns > 0));
}

#[test]
fn server_closing_connections_gets_none_in_advance() {
    let server = Server::canned(streamed(&ANSWER), AfterAnswer::Close);
    let endpoint = server.endpoint(DialectName::Llamacpp, HttpOptions::default());
    assert_eq!(run(endpoint.warm_connections(8)), 0);
    assert_eq!(server.seen.lock().unwrap().connections, 0);
}

#[test]
fn secret_echoed_by_server_is_redacted() {
    let words = r#"{"error":{"message":"token hf_0123456789 is not allowed","code":403}}"#;
    let server = Server::canned(answer("403 Forbidden", words), AfterAnswer::KeepOpen);
    let options = HttpOptions { secrets: Secrets::new(["hf_0123456789".to_owned()]), ..HttpOptions::default() };
    let endpoint = server.endpoint(DialectName::Openai, options.clone());
    let shown = run(async {
        let seen = send(&endpoint).await;
        let error = endpoint.models().await.unwrap_err();
        format!("{endpoint:?} {options:?} {seen:?} {error} {error:?}")
    });
    assert!(shown.contains("token [redacted] is not allowed"), "{shown}");
    assert!(!shown.contains("hf_0123456789"), "{shown}");
}

#[test]
fn api_key_appears_only_in_its_header() {
    let words = r#"{"error":{"message":"Incorrect API key provided: sk-secret","code":401}}"#;
    let server = Server::canned(answer("401 Unauthorized", words), AfterAnswer::KeepOpen);
    let options = HttpOptions { api_key: Some(ApiKey::new("sk-secret".to_owned())), ..HttpOptions::default() };
    let endpoint = server.endpoint(DialectName::Openai, options.clone());
    let shown = run(async {
        let seen = send(&endpoint).await;
        let error = endpoint.models().await.unwrap_err();
        format!("{endpoint:?} {options:?} {seen:?} {error} {error:?}")
    });
    assert!(shown.contains("Incorrect API key provided: [key]"), "{shown}");
    assert!(!shown.contains("sk-secret"), "{shown}");
    let refused = HttpEndpoint::new(
        "http://127.0.0.1:1",
        dialect(DialectName::Openai),
        "m",
        HttpOptions { api_key: Some(ApiKey::new("sk-\nsecret".to_owned())), ..HttpOptions::default() },
    );
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("cannot") && !error.contains("secret"), "{error}");
}

#[test]
fn base_url_is_extended_to_v1_or_refused() {
    let new = |url: &str| HttpEndpoint::new(url, dialect(DialectName::Openai), "m", HttpOptions::default());
    let refused = [
        "https://127.0.0.1:8000",
        "unix:///run/engine.sock",
        "127.0.0.1:8000",
        "not a url",
        "http://user:secret@127.0.0.1:8000",
        "user:secret@127.0.0.1:8000",
        "http://127.0.0.1:8000/?key=1",
    ];
    let errors = refused.map(|url| new(url).unwrap_err().to_string());
    assert!(errors.iter().all(|error| !error.contains("secret")), "{errors:?}");
    insta::assert_snapshot!(errors.join("\n"), @"
    https://127.0.0.1:8000: https is not built in; use http, or a local proxy that ends TLS
    unix:///run/engine.sock: `unix` is not http
    127.0.0.1:8000: not a URL: relative URL without a base
    not a url: not a URL: relative URL without a base
    http://127.0.0.1:8000: a URL must not hold a user name or password; give an API key instead
    127.0.0.1:8000: `user` is not http
    http://127.0.0.1:8000/?key=1: a base URL has no query and no fragment
    ");

    let server = Server::canned(streamed(&ANSWER), AfterAnswer::KeepOpen);
    for (suffix, path) in
        [("", "/v1/"), ("/", "/v1/"), ("/v1", "/v1/"), ("/v1/", "/v1/"), ("/behind/a/proxy/v1", "/behind/a/proxy/v1/")]
    {
        let endpoint = new(&format!("{}{suffix}", server.url)).unwrap();
        assert_eq!(run(send(&endpoint)).outcome, Outcome::Complete, "{suffix}");
        let head = server.seen.lock().unwrap().requests.pop().unwrap().head;
        assert!(head.starts_with(&format!("post {path}chat/completions ")), "{suffix}: {head}");
    }
}
