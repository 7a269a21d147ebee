//! The Prometheus text format, as far as a server's counters need it.

use std::collections::BTreeMap;

/// Reads counters and gauges by name, summed over their labels. Of a histogram or summary only `_sum` and `_count` are kept: its
/// buckets and quantiles cannot be summed. Left out are `_created` times, which are wall-clock, and values that are not finite,
/// which a record cannot hold. Lines that are not the format are skipped.
///
/// Format: Prometheus documentation, "Exposition formats", text-based format 0.0.4.
pub(super) fn read_counters(text: &str) -> BTreeMap<String, f64> {
    let mut counters = BTreeMap::new();
    for (name, labels, value) in text.lines().filter_map(read_line) {
        let is_part = labels.contains("quantile=\"") || name.ends_with("_bucket") || name.ends_with("_created");
        if !is_part && value.is_finite() {
            *counters.entry(name.to_owned()).or_insert(0.0) += value;
        }
    }
    counters
}

/// Name, labels and value of a line; `None` for comments, empty lines and what is not the format.
fn read_line(line: &str) -> Option<(&str, &str, f64)> {
    let line = line.trim();
    let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))?;
    let (name, rest) = line.split_at(name_end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(labels) => labels.split_at(labels_end(labels)?),
        None => ("", rest),
    };
    // A timestamp may follow the value.
    let value = rest.trim_start_matches('}').split_whitespace().next()?;
    (!name.is_empty()).then_some((name, labels, value.parse().ok()?))
}

/// Where the labels end: at the first brace outside of a quoted value.
fn labels_end(labels: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    labels.bytes().position(|byte| {
        let ends = byte == b'}' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_a_server() {
        let text = "\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 8.0
vllm:num_requests_running{engine=\"1\",model_name=\"tiny\"} 3.0
vllm:generation_tokens_total{model_name=\"a } \\\" b\"} 1.5e+03 1795194530000
vllm:generation_tokens_created{model_name=\"a\"} 1.795e+09
vllm:e2e_request_latency_seconds_bucket{le=\"0.3\"} 0.0
vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} 4.0
vllm:e2e_request_latency_seconds_sum 7.25
vllm:e2e_request_latency_seconds_count 4.0
go_gc_duration_seconds{quantile=\"0.5\"} 0.01
llamacpp:requests_deferred 8
  llamacpp:n_busy_slots_per_decode\t6.25513
llamacpp:predicted_tokens_seconds NaN
broken{unclosed=\"} 1
broken
{} 4
2.5
<html>
";
        let counters: Vec<_> = read_counters(text).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        insta::assert_snapshot!(counters.join("\n"), @"
        2 0.5
        llamacpp:n_busy_slots_per_decode 6.25513
        llamacpp:requests_deferred 8
        vllm:e2e_request_latency_seconds_count 4
        vllm:e2e_request_latency_seconds_sum 7.25
        vllm:generation_tokens_total 1500
        vllm:num_requests_running 11
        ");
    }
}
