//! The names that each server gives its metrics.
//!
//! Sources: vLLM's design document on metrics and the page of a real server (`fixtures/recorded/vllm`); SGLang's
//! `observability/metrics_collector.py` and reference of production metrics; the page of a real llama.cpp server
//! (`fixtures/recorded/llamacpp`); TensorRT-LLM's `metrics/collector.py`; NIM's page on observability.

use crate::engine::MetricNames;

const NONE: MetricNames = MetricNames {
    path: "/metrics",
    running: &[],
    waiting: &[],
    kv_usage: &[],
    prompt_tokens: &[],
    prompt_tokens_without_hits: false,
    generation_tokens: &[],
    prefix_queries: &[],
    prefix_hits: &[],
    preemptions: &[],
    drafts: &[],
    draft_tokens: &[],
    accepted_tokens: &[],
    accepted_length: &[],
    queue: &[],
    prefill: &[],
    decode: &[],
    ttft: &[],
};

pub(super) const VLLM: MetricNames = MetricNames {
    running: &["vllm:num_requests_running"],
    waiting: &["vllm:num_requests_waiting"],
    kv_usage: &["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
    prompt_tokens: &["vllm:prompt_tokens_total"],
    generation_tokens: &["vllm:generation_tokens_total"],
    prefix_queries: &["vllm:prefix_cache_queries_total"],
    prefix_hits: &["vllm:prefix_cache_hits_total"],
    preemptions: &["vllm:num_preemptions_total"],
    drafts: &["vllm:spec_decode_num_drafts_total"],
    draft_tokens: &["vllm:spec_decode_num_draft_tokens_total"],
    accepted_tokens: &["vllm:spec_decode_num_accepted_tokens_total"],
    queue: &["vllm:request_queue_time_seconds"],
    prefill: &["vllm:request_prefill_time_seconds"],
    decode: &["vllm:request_decode_time_seconds"],
    ttft: &["vllm:time_to_first_token_seconds"],
    ..NONE
};

/// Needs `--enable-metrics`. Tokens from the cache are told apart by where they lay (`cache_source`), which add up. It has histograms of
/// queueing and of the time to first token, but none of prefill and decode.
pub(super) const SGLANG: MetricNames = MetricNames {
    running: &["sglang:num_running_reqs"],
    waiting: &["sglang:num_queue_reqs"],
    kv_usage: &["sglang:token_usage"],
    prompt_tokens: &["sglang:prompt_tokens_total"],
    generation_tokens: &["sglang:generation_tokens_total"],
    prefix_hits: &["sglang:cached_tokens_total"],
    preemptions: &["sglang:num_retracted_requests_total"],
    accepted_length: &["sglang:spec_accept_length"],
    queue: &["sglang:queue_time_seconds"],
    ttft: &["sglang:time_to_first_token_seconds"],
    ..NONE
};

/// Needs `--metrics`. It has no histograms: times come with each answer.
pub(super) const LLAMACPP: MetricNames = MetricNames {
    running: &["llamacpp:requests_processing"],
    waiting: &["llamacpp:requests_deferred"],
    prompt_tokens: &["llamacpp:prompt_tokens_total"],
    prompt_tokens_without_hits: true,
    prefix_hits: &["llamacpp:prompt_tokens_cached_total"],
    generation_tokens: &["llamacpp:tokens_predicted_total"],
    drafts: &["llamacpp:spec_decode_num_drafts_total"],
    draft_tokens: &["llamacpp:spec_decode_num_draft_tokens_total"],
    accepted_tokens: &["llamacpp:spec_decode_num_accepted_tokens_total"],
    ..NONE
};

/// Times of 0 are not observed, except in the queue, so the counts of its histograms may differ.
pub(super) const TRTLLM: MetricNames = MetricNames {
    path: "/prometheus/metrics",
    running: &["trtllm_num_requests_running"],
    waiting: &["trtllm_num_requests_waiting"],
    kv_usage: &["trtllm_kv_cache_utilization"],
    prompt_tokens: &["trtllm_prompt_tokens_total"],
    generation_tokens: &["trtllm_generation_tokens_total"],
    prefix_hits: &["trtllm_prompt_cached_tokens_total"],
    draft_tokens: &["trtllm_spec_decode_num_draft_tokens_total"],
    accepted_tokens: &["trtllm_spec_decode_num_accepted_tokens_total"],
    accepted_length: &["trtllm_spec_decode_acceptance_length"],
    queue: &["trtllm_request_queue_time_seconds"],
    prefill: &["trtllm_request_prefill_time_seconds"],
    decode: &["trtllm_request_decode_time_seconds"],
    ttft: &["trtllm_time_to_first_token_seconds"],
    ..NONE
};

/// Version 1 documents these without a prefix; version 2 is vLLM behind a proxy, with vLLM's.
pub(super) const NIM: MetricNames = MetricNames {
    path: "/v1/metrics",
    running: &["num_requests_running", "vllm:num_requests_running"],
    waiting: &["num_requests_waiting", "vllm:num_requests_waiting"],
    kv_usage: &["gpu_cache_usage_perc", "vllm:kv_cache_usage_perc"],
    prompt_tokens: &["prompt_tokens_total", "vllm:prompt_tokens_total"],
    generation_tokens: &["generation_tokens_total", "vllm:generation_tokens_total"],
    ttft: &["time_to_first_token_seconds", "vllm:time_to_first_token_seconds"],
    ..VLLM
};

pub(super) const SIMULATED: MetricNames = MetricNames {
    running: &["sim:num_requests_running"],
    waiting: &["sim:num_requests_waiting"],
    kv_usage: &["sim:kv_cache_usage_perc"],
    prompt_tokens: &["sim:prompt_tokens_total"],
    generation_tokens: &["sim:generation_tokens_total"],
    prefix_hits: &["sim:prefix_cache_hits_total"],
    preemptions: &["sim:num_preemptions_total"],
    queue: &["sim:request_queue_time_seconds"],
    ..NONE
};
