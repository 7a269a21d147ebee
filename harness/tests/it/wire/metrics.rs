//! Pages of metrics that real servers sent, read by the client.

use std::{fs, path::Path};

use harness::{
    endpoint::{Endpoint, EndpointError, ServerPage},
    http::HttpOptions,
};
use record::DialectName;

use super::server::{AfterAnswer, Server, answer, run};

fn page(name: DialectName, text: &str) -> Result<ServerPage, EndpointError> {
    let server = Server::canned(answer("200 OK", text), AfterAnswer::KeepOpen);
    run(server.endpoint(name, HttpOptions::default()).server_page()).unwrap()
}

fn recorded(name: DialectName, when: &str) -> ServerPage {
    let path = format!("../fixtures/recorded/{name}/metrics-{when}.txt");
    page(name, &fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()).unwrap()
}

/// What the page says, without what it does not say.
fn shown(page: &ServerPage) -> String {
    serde_json::to_string(&page.metrics).unwrap()
}

#[test]
fn vllm_metrics_are_read_from_page() {
    let pages = ["idle", "busy", "after"].map(|when| shown(&recorded(DialectName::Vllm, when)));
    insta::assert_snapshot!(pages.join("\n"), @r#"
    {"running":0.0,"waiting":0.0,"kv_usage":0.0,"prompt_tokens":0.0,"generation_tokens":0.0,"prefix_queries":0.0,"prefix_hits":0.0,"preemptions":0.0,"queue":{"sum_s":0.0,"count":0.0},"prefill":{"sum_s":0.0,"count":0.0},"decode":{"sum_s":0.0,"count":0.0},"ttft":{"sum_s":0.0,"count":0.0}}
    {"running":8.0,"waiting":0.0,"kv_usage":0.007814407814407787,"prompt_tokens":7033.0,"generation_tokens":3857.0,"prefix_queries":7033.0,"prefix_hits":512.0,"preemptions":0.0,"queue":{"sum_s":0.0004953689985995879,"count":20.0},"prefill":{"sum_s":2.707727249002801,"count":20.0},"decode":{"sum_s":17.09238456299863,"count":20.0},"ttft":{"sum_s":5.047423839569092,"count":28.0}}
    {"running":0.0,"waiting":0.0,"kv_usage":0.0,"prompt_tokens":13059.0,"generation_tokens":10752.0,"prefix_queries":13059.0,"prefix_hits":2560.0,"preemptions":0.0,"queue":{"sum_s":0.00126546700084873,"count":52.0},"prefill":{"sum_s":7.048486455004422,"count":52.0},"decode":{"sum_s":78.0601958659986,"count":52.0},"ttft":{"sum_s":8.684181451797485,"count":52.0}}
    "#);
}

#[test]
fn llamacpp_metrics_are_read_from_page() {
    let pages = ["idle", "busy", "after"].map(|when| shown(&recorded(DialectName::Llamacpp, when)));
    insta::assert_snapshot!(pages.join("\n"), @r#"
    {"running":0.0,"waiting":0.0,"prompt_tokens":0.0,"generation_tokens":0.0,"prefix_hits":0.0,"drafts":0.0,"draft_tokens":0.0,"accepted_tokens":0.0}
    {"running":8.0,"waiting":8.0,"prompt_tokens":2337.0,"generation_tokens":2132.0,"prefix_hits":20.0,"drafts":0.0,"draft_tokens":0.0,"accepted_tokens":0.0}
    {"running":0.0,"waiting":0.0,"prompt_tokens":8112.0,"generation_tokens":8276.0,"prefix_hits":20.0,"drafts":0.0,"draft_tokens":0.0,"accepted_tokens":0.0}
    "#);
}

#[test]
fn raw_counters_are_kept() {
    let page = recorded(DialectName::Vllm, "after");
    let some: Vec<String> = page
        .counters
        .iter()
        .filter(|(name, _)| name.starts_with("vllm:prompt_tokens") || name.starts_with("vllm:request_success"))
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    insta::assert_snapshot!(some.join("\n"), @"
    vllm:prompt_tokens_by_source_total 13059
    vllm:prompt_tokens_cached_by_source_total 2560
    vllm:prompt_tokens_cached_total 2560
    vllm:prompt_tokens_total 13059
    vllm:request_success_total 52
    ");
    assert!(page.counters.keys().all(|name| !name.ends_with("_bucket") && !name.ends_with("_created")));
}

#[test]
fn unreachable_or_malformed_metrics_page_is_an_error() {
    let error = page(DialectName::Vllm, "<html>").unwrap_err();
    assert!(
        matches!(&error, EndpointError::Unexpected { url, why } if url.ends_with("/metrics") && why.contains("not a page")),
        "{error}"
    );
    let server = Server::canned(answer("404 Not Found", r#"{"detail":"Not Found"}"#), AfterAnswer::KeepOpen);
    let error = run(server.endpoint(DialectName::Trtllm, HttpOptions::default()).server_page()).unwrap().unwrap_err();
    assert!(matches!(&error, EndpointError::Status { url, status: 404, .. } if url.ends_with("/prometheus/metrics")), "{error}");
}

#[test]
fn metrics_path_can_be_overridden() {
    let server = Server::canned(answer("200 OK", "# TYPE a gauge\na 1\n"), AfterAnswer::KeepOpen);
    let options = HttpOptions { metrics_path: Some("/own/metrics".to_owned()), ..HttpOptions::default() };
    run(server.endpoint(DialectName::Sglang, options).server_page()).unwrap().unwrap();
    assert!(server.seen.lock().unwrap().requests[0].head.starts_with("get /own/metrics http/1.1"));
}
