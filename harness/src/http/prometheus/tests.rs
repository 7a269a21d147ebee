use record::{DialectName, engine::MetricNames};

use super::*;
use crate::dialect::dialect;

fn read(text: &str) -> ServerPage {
    read_page(text, dialect(DialectName::Vllm).metrics.unwrap()).unwrap()
}

#[test]
fn server_counters_are_summed_over_labels() {
    let text = "\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 8.0
vllm:num_requests_running{engine=\"1\",model_name=\"tiny\"} 3.0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{model_name=\"a } \\\" b\"} 1.5e+03 1795194530000
# TYPE vllm:generation_tokens_created gauge
vllm:generation_tokens_created{model_name=\"a\"} 1.795e+09
# TYPE vllm:e2e_request_latency_seconds histogram
vllm:e2e_request_latency_seconds_bucket{le=\"0.3\"} 0.0
vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} 4.0
vllm:e2e_request_latency_seconds_sum 7.25
vllm:e2e_request_latency_seconds_count 4.0
# TYPE go_gc_duration_seconds summary
go_gc_duration_seconds{quantile=\"0.5\"} 0.01
go_gc_duration_seconds_sum 0.5
go_gc_duration_seconds_count 2
# HELP labelled_total A counter that has no series yet.
# TYPE labelled_total counter
# TYPE sglang:fwd_occupancy gauge
sglang:fwd_occupancy NaN
# TYPE sglang:cache_age gauge
sglang:cache_age +Inf
";
    let counters: Vec<_> = read(text).counters.into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    insta::assert_snapshot!(counters.join("\n"), @"
    go_gc_duration_seconds_count 2
    go_gc_duration_seconds_sum 0.5
    vllm:e2e_request_latency_seconds_count 4
    vllm:e2e_request_latency_seconds_sum 7.25
    vllm:generation_tokens_total 1500
    vllm:num_requests_running 11
    ");
}

#[test]
fn counters_of_several_engines_are_summed_and_kv_usage_is_the_highest() {
    let page = read(
        "\
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine=\"0\"} 2
vllm:num_requests_waiting{engine=\"1\"} 3
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine=\"0\"} 0.25
vllm:kv_cache_usage_perc{engine=\"1\"} 0.75
# TYPE vllm:request_queue_time_seconds histogram
vllm:request_queue_time_seconds_bucket{engine=\"0\",le=\"+Inf\"} 2
vllm:request_queue_time_seconds_sum{engine=\"0\"} 1.5
vllm:request_queue_time_seconds_count{engine=\"0\"} 2
vllm:request_queue_time_seconds_bucket{engine=\"1\",le=\"+Inf\"} 1
vllm:request_queue_time_seconds_sum{engine=\"1\"} 0.25
vllm:request_queue_time_seconds_count{engine=\"1\"} 1
",
    );
    let expected = ServerMetrics {
        waiting: Some(5.0),
        kv_usage: Some(0.75),
        queue: Some(HistogramTotals { sum_s: 1.75, count: 3.0 }),
        ..ServerMetrics::default()
    };
    assert_eq!(page.metrics, expected);
}

#[test]
fn first_metric_name_on_the_page_is_used() {
    let gauge = |name: &str, value: &str| format!("# TYPE {name} gauge\n{name} {value}\n");
    let (current, older) = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc");
    let usage = |text: String| read(&text).metrics.kv_usage;
    assert_eq!(usage(gauge(current, "0.5") + &gauge(older, "0.25")), Some(0.5));
    assert_eq!(usage(gauge(older, "0.25")), Some(0.25));
    // A name without a value that is a number is not there.
    assert_eq!(usage(gauge(current, "NaN") + &gauge(older, "0.25")), Some(0.25));
    assert_eq!(usage(gauge("other", "1")), None);
}

#[test]
fn accepted_length_is_averaged_and_excluded_cached_tokens_are_added() {
    let text = "\
# TYPE prompt counter
prompt 90
# TYPE hits counter
hits{cache_source=\"device\"} 6
hits{cache_source=\"host\"} 4
# TYPE length gauge
length{rank=\"0\"} 2
length{rank=\"1\"} 3
";
    let names = MetricNames {
        prompt_tokens: &["prompt"],
        prefix_hits: &["hits"],
        accepted_length: &["length"],
        ..MetricNames::default()
    };
    let with = read_page(text, &names).unwrap().metrics;
    assert_eq!((with.prompt_tokens, with.prefix_hits, with.accepted_length), (Some(90.0), Some(10.0), Some(2.5)));
    let without = read_page(text, &MetricNames { prompt_tokens_without_hits: true, ..names }).unwrap().metrics;
    assert_eq!(without.prompt_tokens, Some(100.0));
}

#[test]
fn malformed_metrics_page_is_an_error() {
    let names = dialect(DialectName::Vllm).metrics.unwrap();
    let errors =
        ["", " \n", "<html>\n<body>no</body>", "[{\"iter\": 1}]\n", "# TYPE a counter\na{b=\"c} 1\n", "# TYPE a counter\na x\n"]
            .map(|text| read_page(text, names).unwrap_err());
    insta::assert_snapshot!(errors.join("\n"), @r#"
    the page of metrics is empty
    the page of metrics is empty
    not a page of metrics: it has the line `<html>`
    not a page of metrics: it has the line `[{"iter": 1}]`
    not a page of metrics: it has the line `a{b="c} 1`
    not a page of metrics: it has the line `a x`
    "#);
}

#[test]
fn page_with_comments_or_without_types_is_read() {
    // No line end after the last line, a comment, OpenMetrics' end.
    for text in ["# TYPE a gauge\na 1", "# a comment\n# TYPE a gauge\na 1\n", "# TYPE a gauge\na 1\n# EOF\n", "a 1\n"] {
        assert_eq!(read(text).counters, [("a".to_owned(), 1.0)].into(), "{text:?}");
    }
}
