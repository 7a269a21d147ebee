//! What is asked of a server outside trials.

use std::{io::Write, net::TcpStream};

use futures_util::future::{self, Either, join_all};
use harness::{
    clock::{Clock, RealClock},
    endpoint::{Endpoint, EndpointError},
    http::HttpOptions,
};
use record::DialectName;

use super::{
    script::{ENDLESS, Script, ScriptedServer, Step, trickle, write},
    server::{AfterAnswer, Request, STREAM_HEAD, Server, answer, chunk, run},
};

/// A server that tokenizes by spaces and knows its version.
fn serve(request: &Request, stream: &mut TcpStream) -> AfterAnswer {
    let path = request.head.split(' ').nth(1).unwrap();
    let bytes = match path {
        "/v1/models" => answer(
            "200 OK",
            r#"{"object":"list","data":[{"id":"tiny","object":"model","root":"models/tiny"},{"id":"other","root":"other"},{"id":"third","root":null},{"id":"fourth","root":"/where/it/lies/hf/"}]}"#,
        ),
        "/tokenize" => {
            let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
            let text = body.get("prompt").or(body.get("content")).unwrap().as_str().unwrap();
            let tokens: Vec<usize> = text.split(' ').map(str::len).collect();
            answer("200 OK", &serde_json::json!({"count": 0, "tokens": tokens}).to_string())
        }
        "/version" => answer("200 OK", r#"{"version":"0.32.0"}"#),
        "/props" => answer("200 OK", r#"{"build_info":"b0-0c1e570"}"#),
        "/health" => answer("200 OK", ""),
        "/flush_cache" if request.head.starts_with("post ") => answer("200 OK", "Cache flushed.\n"),
        "/metrics" => answer("200 OK", "# TYPE a_total counter\na_total{x=\"1\"} 2\na_total{x=\"2\"} 3.5\n"),
        _ => answer("404 Not Found", r#"{"detail":"Not Found"}"#),
    };
    stream.write_all(bytes.as_bytes()).unwrap();
    AfterAnswer::KeepOpen
}

#[test]
fn server_queries_are_answered() {
    let server = Server::start(serve);
    run(async {
        let vllm = server.endpoint(DialectName::Vllm, HttpOptions::default());
        let models = vllm.models().await.unwrap();
        assert_eq!(models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["tiny", "other", "third", "fourth"]);
        assert_eq!(vllm.served_models().await, ["tiny (from models/tiny)", "other", "third", "fourth (from .../hf)"]);
        assert_eq!(vllm.version().await.as_deref(), Some("0.32.0"));
        assert_eq!(vllm.server_page().await.unwrap().unwrap().counters, [("a_total".to_owned(), 5.5)].into());
        assert_eq!(vllm.healthy().await, Some(true));
        assert_eq!(vllm.count_tokens(&["one", "one two", "a b c"]).await.unwrap(), Some(vec![1, 2, 3]));
        let llamacpp = server.endpoint(DialectName::Llamacpp, HttpOptions::default());
        assert_eq!(llamacpp.version().await.as_deref(), Some("b0-0c1e570"));
        assert_eq!(llamacpp.count_tokens(&["a b"]).await.unwrap(), Some(vec![2]));
    });
    let seen = server.seen.lock().unwrap();
    let asked: Vec<&str> =
        seen.requests.iter().filter(|request| !request.body.is_empty()).map(|request| request.body.as_str()).collect();
    assert!(asked.contains(&r#"{"add_special_tokens":false,"model":"tiny","prompt":"one two"}"#), "{asked:?}");
    assert!(asked.contains(&r#"{"content":"a b"}"#), "{asked:?}");
}

#[test]
fn queries_unknown_to_dialect_are_not_sent() {
    let server = Server::start(serve);
    run(async {
        let endpoint = server.endpoint(DialectName::Transformers, HttpOptions::default());
        assert_eq!(endpoint.count_tokens(&["a"]).await.unwrap(), None);
        assert!(endpoint.server_page().await.is_none());
        assert!(endpoint.reset_cache().await.is_none());
        assert_eq!(endpoint.healthy().await, None);
        assert_eq!(endpoint.version().await, None);
    });
    assert_eq!(server.seen.lock().unwrap().connections, 0);
}

#[test]
fn prefix_cache_is_reset_where_supported() {
    let server = Server::start(serve);
    run(async {
        let sglang = server.endpoint(DialectName::Sglang, HttpOptions::default());
        assert_eq!(sglang.reset_cache().await.unwrap().unwrap(), "emptied by POST /flush_cache");
        let vllm = server.endpoint(DialectName::Vllm, HttpOptions::default());
        let error = vllm.reset_cache().await.unwrap().unwrap_err();
        assert!(matches!(&error, EndpointError::Status { status: 404, .. }), "{error}");
        assert!(
            error.to_string().ends_with("Not Found; the server needs VLLM_SERVER_DEV_MODE=1 in its environment for it"),
            "{error}"
        );
    });
}

#[test]
fn refusing_or_unreachable_server_is_unhealthy() {
    let loading =
        Server::canned(answer("503 Service Unavailable", r#"{"error":{"message":"Loading model"}}"#), AfterAnswer::KeepOpen);
    assert_eq!(run(loading.endpoint(DialectName::Llamacpp, HttpOptions::default()).healthy()), Some(false));
    let gone = Server::canned("", AfterAnswer::Close).endpoint(DialectName::Nim, HttpOptions::default());
    run(async {
        assert_eq!(gone.healthy().await, Some(false));
        assert!(gone.served_models().await.is_empty());
    });
}

#[test]
fn unexpected_answers_are_errors_naming_the_url() {
    let ask = |bytes: String, then: AfterAnswer| {
        let server = Server::canned(bytes, then);
        run(async {
            let endpoint = server.endpoint(DialectName::Vllm, HttpOptions::default());
            let models = endpoint.models().await.unwrap_err();
            let counts = endpoint.count_tokens(&["a"]).await.unwrap_err();
            assert_eq!(endpoint.version().await, None);
            (models, counts)
        })
    };
    let (models, counts) = ask(answer("401 Unauthorized", r#"{"error":{"message":"no key"}}"#), AfterAnswer::KeepOpen);
    assert!(
        matches!(&models, EndpointError::Status { url, status: 401, body } if url.ends_with("/v1/models") && body == "no key")
    );
    assert!(matches!(&counts, EndpointError::Status { url, status: 401, .. } if url.ends_with("/tokenize")));
    let (models, counts) = ask(answer("200 OK", r#"{"tokens":3}"#), AfterAnswer::KeepOpen);
    assert!(matches!(&models, EndpointError::Unexpected { why, .. } if why.contains("data")), "{models}");
    assert!(matches!(&counts, EndpointError::Unexpected { why, .. } if why.contains("tokens")), "{counts}");
    let (models, _) = ask(String::new(), AfterAnswer::Close);
    assert!(matches!(&models, EndpointError::Unreachable { why, .. } if why.contains("closed")), "{models}");
}

#[test]
fn thousands_of_texts_are_counted_over_few_connections() {
    let server = Server::start(serve);
    let texts: Vec<String> = (0..3000).map(|words: usize| vec!["w"; words % 7 + 1].join(" ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let counts = run(server.endpoint(DialectName::Simulated, HttpOptions::default()).count_tokens(&texts)).unwrap().unwrap();
    assert!(counts.iter().zip(0u32..).all(|(&count, words)| count == words % 7 + 1));
    let connections = server.seen.lock().unwrap().connections;
    assert!(connections <= 40, "{connections} connections");
}

#[test]
fn query_answer_over_size_limit_is_refused() {
    let x = "x".repeat(64 << 10);
    let endless = |head: &str| vec![write(head), Step::Repeat(x.clone().into_bytes(), ENDLESS)];
    let table = [
        ("a body", endless("HTTP/1.1 200 OK\r\n\r\n"), 64, "unexpected answer"),
        ("a head", endless("HTTP/1.1 200 OK\r\nx: "), 1, "head is too large"),
    ];
    for (case, steps, read_mib, words) in table {
        let scripted = ScriptedServer::start(Script { steps, then: AfterAnswer::Hold });
        let error = run(scripted.endpoint(HttpOptions::default()).models()).unwrap_err().to_string();
        assert!(error.contains(words) && error.len() < 1000, "{case}: {error}");
        // The kernel's buffers may hold 16 MiB more.
        let sent_bytes = scripted.sent_bytes();
        assert!(sent_bytes <= (read_mib + 16) << 20, "{case}: {sent_bytes} bytes were taken");
    }
}

#[test]
fn query_redirect_is_not_followed() {
    let elsewhere = Server::start(serve);
    let moved = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/v1/models\r\ncontent-length: 0\r\n\r\n", elsewhere.url);
    let server = Server::canned(moved, AfterAnswer::KeepOpen);
    let error = run(server.endpoint(DialectName::Openai, HttpOptions::default()).models()).unwrap_err();
    assert!(matches!(error, EndpointError::Status { status: 307, .. }), "{error}");
    assert_eq!((server.seen.lock().unwrap().requests.len(), elsewhere.seen.lock().unwrap().connections), (1, 0));
}

/// Answers that do not come, or do not come to an end.
fn never() -> [(&'static str, Vec<Step>); 5] {
    [
        ("silence", vec![]),
        ("silence after the head", vec![write(STREAM_HEAD)]),
        ("a head drop by drop", vec![write("HTTP/1.1 200 OK\r\n"), trickle("x-slow: 1\r\n")]),
        ("a body drop by drop", vec![write(STREAM_HEAD), trickle(&chunk(" "))]),
        ("a refusal drop by drop", vec![write("HTTP/1.1 500 Oops\r\n\r\n"), trickle("no ")]),
    ]
}

/// Asks each of the servers that never come to an end, all at once, and gives what each was held for.
fn ask_each<T>(limit_s: u64, ask: impl AsyncFn(harness::http::HttpEndpoint) -> T) -> Vec<(&'static str, T)> {
    let ask = &ask;
    run(join_all(never().map(|(case, steps)| async move {
        let scripted = ScriptedServer::start(Script { steps, then: AfterAnswer::Hold });
        let endpoint = scripted.server.endpoint(DialectName::Vllm, HttpOptions::default());
        let clock = RealClock::start();
        match future::select(Box::pin(ask(endpoint)), Box::pin(clock.sleep_until(limit_s * 1_000_000_000))).await {
            Either::Left((answer, _)) => (case, answer),
            Either::Right(_) => panic!("{case}: no end after {limit_s} s"),
        }
    })))
}

#[test]
fn server_never_answering_is_unhealthy() {
    // Its own limit is 5 s.
    let answers = ask_each(20, async |endpoint| endpoint.healthy().await);
    assert!(answers.iter().all(|(_, healthy)| *healthy == Some(false)), "{answers:?}");
}

#[test]
fn every_query_times_out() {
    let answers = ask_each(60, async |endpoint| {
        let (models, counts, page) = (endpoint.models(), endpoint.count_tokens(&["a"]), endpoint.server_page());
        let (models, counts, page) = future::join3(models, counts, page).await;
        [models.unwrap_err().to_string(), counts.unwrap_err().to_string(), page.unwrap().unwrap_err().to_string()]
    });
    for (case, errors) in answers {
        assert!(errors.iter().all(|error| error.contains("timed out")), "{case}: {errors:?}");
    }
}
