//! Pages of metrics as servers' documentation describes them, read by the client: every fact that the table of names promises must come
//! out. What was recorded from a real server is in `metrics.rs`.

use std::{fs, path::Path};

use harness::{dialect::dialect, endpoint::Endpoint, http::HttpOptions};
use record::{DialectName, ServerMetrics, engine::MetricNames};

use super::server::{AfterAnswer, Server, answer, run};

fn documented(name: DialectName, file: &str) -> ServerMetrics {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/documented").join(name.as_str()).join(file);
    let server = Server::canned(answer("200 OK", &fs::read_to_string(path).unwrap()), AfterAnswer::KeepOpen);
    let page = run(server.endpoint(name, HttpOptions::default()).server_page()).unwrap().unwrap();
    let path = dialect(name).metrics.unwrap().path;
    assert!(server.seen.lock().unwrap().requests[0].head.starts_with(&format!("get {path} http/1.1")));
    page.metrics
}

/// What the page says, without what it does not say.
fn shown(metrics: &ServerMetrics) -> String {
    serde_json::to_string(metrics).unwrap()
}

/// Each fact with the names that a server gives it, and whether a page had one of them.
fn facts<'a>(names: &'a MetricNames, metrics: &ServerMetrics) -> [(&'a [&'static str], bool); 16] {
    [
        (names.running, metrics.running.is_some()),
        (names.waiting, metrics.waiting.is_some()),
        (names.kv_usage, metrics.kv_usage.is_some()),
        (names.prompt_tokens, metrics.prompt_tokens.is_some()),
        (names.generation_tokens, metrics.generation_tokens.is_some()),
        (names.prefix_queries, metrics.prefix_queries.is_some()),
        (names.prefix_hits, metrics.prefix_hits.is_some()),
        (names.preemptions, metrics.preemptions.is_some()),
        (names.drafts, metrics.drafts.is_some()),
        (names.draft_tokens, metrics.draft_tokens.is_some()),
        (names.accepted_tokens, metrics.accepted_tokens.is_some()),
        (names.accepted_length, metrics.accepted_length.is_some()),
        (names.queue, metrics.queue.is_some()),
        (names.prefill, metrics.prefill.is_some()),
        (names.decode, metrics.decode.is_some()),
        (names.ttft, metrics.ttft.is_some()),
    ]
}

#[test]
fn every_metric_name_is_on_a_documented_page() {
    let pages = [
        (DialectName::Sglang, "metrics.txt"),
        (DialectName::Trtllm, "metrics.txt"),
        // Version 1 promises less.
        (DialectName::Nim, "metrics-2.txt"),
    ];
    for (name, file) in pages {
        for (names, found) in facts(dialect(name).metrics.unwrap(), &documented(name, file)) {
            assert_eq!(found, !names.is_empty(), "{name}: {names:?}");
        }
    }
}

#[test]
fn sglang_metrics_are_read_from_page() {
    insta::assert_snapshot!(shown(&documented(DialectName::Sglang, "metrics.txt")), @r#"{"running":4.0,"waiting":3.0,"kv_usage":0.28,"prompt_tokens":1250000.0,"generation_tokens":250000.0,"prefix_hits":576.0,"preemptions":2.0,"accepted_length":2.5,"queue":{"sum_s":3.25,"count":20.0},"ttft":{"sum_s":12.5,"count":20.0}}"#);
}

#[test]
fn trtllm_metrics_are_read_from_page() {
    insta::assert_snapshot!(shown(&documented(DialectName::Trtllm, "metrics.txt")), @r#"{"running":4.0,"waiting":1.0,"kv_usage":0.42,"prompt_tokens":10240.0,"generation_tokens":2560.0,"prefix_hits":1024.0,"draft_tokens":300.0,"accepted_tokens":120.0,"accepted_length":2.2,"queue":{"sum_s":0.5,"count":20.0},"prefill":{"sum_s":11.25,"count":19.0},"decode":{"sum_s":108.5,"count":19.0},"ttft":{"sum_s":12.5,"count":20.0}}"#);
}

#[test]
fn nim_metrics_are_read_from_page() {
    let pages = ["metrics.txt", "metrics-2.txt"].map(|file| shown(&documented(DialectName::Nim, file)));
    insta::assert_snapshot!(pages.join("\n"), @r#"
    {"running":4.0,"waiting":1.0,"kv_usage":0.42,"prompt_tokens":10240.0,"generation_tokens":2560.0,"ttft":{"sum_s":12.5,"count":20.0}}
    {"running":4.0,"waiting":1.0,"kv_usage":0.42,"prompt_tokens":10240.0,"generation_tokens":2560.0,"prefix_queries":10240.0,"prefix_hits":1024.0,"preemptions":2.0,"drafts":100.0,"draft_tokens":300.0,"accepted_tokens":120.0,"queue":{"sum_s":0.5,"count":20.0},"prefill":{"sum_s":11.25,"count":20.0},"decode":{"sum_s":108.5,"count":20.0},"ttft":{"sum_s":12.5,"count":20.0}}
    "#);
}
