//! The capabilities of each engine's dialect of the `OpenAI` API, as a table.
//!
//! Sources: vLLM (`entrypoints/openai/chat_completion/protocol.py`), SGLang (`srt/entrypoints/openai/protocol.py` and
//! `serving_chat.py`), llama.cpp (`tools/server/README.md`), Ollama (`api/types.go`, `docs/api.md`) and TensorRT-LLM
//! (`serve/openai_protocol.py`, `serve/postprocess_handlers.py`) by their sources and server documentation; NIM by its API reference and
//! its guide to benchmarking (version 2 is vLLM or SGLang behind a proxy); mistral.rs 0.8.1 and `transformers serve` 5 by their sources, and by
//! streams recorded from them. Every parser of answers takes both `reasoning` and `reasoning_content`, whatever the dialect: vLLM
//! changed from the one to the other.

use crate::{
    Dialect, DialectName,
    engine::{CacheReset, ChatApi, Evidence, RunningCount, Tokenize},
};

mod metric_names;

use metric_names as names;

#[cfg(test)]
mod tests;

/// The capabilities of a dialect.
#[must_use]
pub fn dialect(name: DialectName) -> &'static Dialect {
    match name {
        DialectName::Openai => &OPENAI,
        DialectName::Vllm => &VLLM,
        DialectName::Sglang => &SGLANG,
        DialectName::Llamacpp => &LLAMACPP,
        DialectName::Ollama => &OLLAMA,
        DialectName::Trtllm => &TRTLLM,
        DialectName::Nim => &NIM,
        DialectName::Mistralrs => &MISTRALRS,
        DialectName::Transformers => &TRANSFORMERS,
        DialectName::Simulated => &SIMULATED,
    }
}

/// The least that any server speaks. The public API now prefers `max_completion_tokens`, but every server still takes `max_tokens`,
/// and some only that.
const OPENAI: Dialect = Dialect {
    name: DialectName::Openai,
    ignore_eos: false,
    min_tokens: false,
    max_tokens_field: "max_tokens",
    include_usage: true,
    running_count: RunningCount::None,
    cache_prompt_switch: false,
    json_schema: false,
    done_marker: true,
    keeps_connection: true,
    tokenize: None,
    chat: ChatApi::Openai,
    health: None,
    metrics: None,
    cache_reset: None,
    backend_words: &[],
    evidence: Evidence::Documented,
    version: None,
};

/// vLLM adds special tokens to a tokenized text unless told not to.
const VLLM_TOKENIZE: Tokenize = Tokenize {
    path: "/tokenize",
    text_field: "prompt",
    names_model: true,
    special_tokens_switch: Some("add_special_tokens"),
    tokens_field: "tokens",
};

const VLLM: Dialect = Dialect {
    name: DialectName::Vllm,
    ignore_eos: true,
    min_tokens: true,
    running_count: RunningCount::ContinuousUsage,
    json_schema: true,
    tokenize: Some(VLLM_TOKENIZE),
    health: Some("/health"),
    metrics: Some(&names::VLLM),
    cache_reset: Some(CacheReset { path: "/reset_prefix_cache", needs: "VLLM_SERVER_DEV_MODE=1 in its environment" }),
    backend_words: &[
        "backend",
        "marlin",
        "cutlass",
        "flashinfer",
        "flash attention",
        "enforce_eager",
        "cuda graph",
        "quantization=",
    ],
    evidence: Evidence::Executed,
    version: Some(("/version", "/version")),
    ..OPENAI
};

/// No `json_schema` with a forced length: an answer ends where its grammar ends (`check_finished` in `schedule_batch.py`), whatever
/// `ignore_eos` says. Builds that do not know `continuous_usage_stats` drop it, and their counts are then those of the final usage.
/// Prompt tokens from the cache are in the usage only with `--enable-cache-report`. Its tokenize endpoint is left out: what it answers
/// is not verified.
const SGLANG: Dialect = Dialect {
    name: DialectName::Sglang,
    json_schema: false,
    tokenize: None,
    metrics: Some(&names::SGLANG),
    cache_reset: Some(CacheReset { path: "/flush_cache", needs: "" }),
    evidence: Evidence::Documented,
    version: Some(("/server_info", "/version")),
    ..VLLM
};

/// No `json_schema` with a forced length: once the grammar has accepted the whole document, nothing but the end-of-sequence token may
/// follow, and `ignore_eos` forbids that one, so no token is left to choose from. Its HTTP library announces `keep-alive` and closes the
/// connection after a chunked answer all the same, as build 0c1e570 was seen to do.
const LLAMACPP: Dialect = Dialect {
    name: DialectName::Llamacpp,
    keeps_connection: false,
    ignore_eos: true,
    running_count: RunningCount::Timings,
    cache_prompt_switch: true,
    tokenize: Some(Tokenize {
        path: "/tokenize",
        text_field: "content",
        names_model: false,
        special_tokens_switch: None,
        tokens_field: "tokens",
    }),
    health: Some("/health"),
    metrics: Some(&names::LLAMACPP),
    backend_words: &[
        "ggml_cuda_init",
        "n_threads",
        "kv_unified",
        "cuda0",
        "load_backend",
        "system_info",
        "flash_attn",
        "offloaded",
        "kv buffer",
        "speculative",
    ],
    evidence: Evidence::Executed,
    version: Some(("/props", "/build_info")),
    ..OPENAI
};

/// It cannot force a length: neither of its APIs has `ignore_eos` or `min_tokens`, and both drop unknown fields in silence; `num_predict`
/// is a bound. So a schema is asked for without a forced length. It has no page of metrics, but its own chat API gives the server's times
/// with each answer, which its `/v1` leaves out.
const OLLAMA: Dialect = Dialect {
    name: DialectName::Ollama,
    chat: ChatApi::Ollama,
    max_tokens_field: "num_predict",
    json_schema: true,
    health: Some("/api/version"),
    backend_words: &["inference compute", "library=", "offloaded", "flash", "kv cache"],
    version: Some(("/api/version", "/version")),
    ..OPENAI
};

/// `/metrics` holds statistics that reading takes away; the Prometheus ones are elsewhere, and most of them need `return_perf_metrics:
/// true` in the server's configuration. A schema needs a `guided_decoding_backend` there, so it is not asked for.
const TRTLLM: Dialect = Dialect {
    name: DialectName::Trtllm,
    ignore_eos: true,
    min_tokens: true,
    max_tokens_field: "max_completion_tokens",
    running_count: RunningCount::ContinuousUsage,
    health: Some("/health"),
    metrics: Some(&names::TRTLLM),
    backend_words: &["backend", "attention", "cutlass", "moe", "cuda graph"],
    version: Some(("/version", "/version")),
    ..OPENAI
};

/// Only what both its versions document: a field that one of them does not know could refuse every request.
const NIM: Dialect = Dialect {
    name: DialectName::Nim,
    running_count: RunningCount::None,
    json_schema: false,
    tokenize: None,
    health: Some("/v1/health/ready"),
    metrics: Some(&names::NIM),
    cache_reset: None,
    evidence: Evidence::Documented,
    version: Some(("/v1/version", "/release")),
    ..VLLM
};

/// Its request structure has no `stream_options`: a chat's usage always comes, with the finish reason.
const MISTRALRS: Dialect = Dialect { name: DialectName::Mistralrs, include_usage: false, evidence: Evidence::Recorded, ..OPENAI };

/// It refuses fields that it does not know, `stream_options` among them, with status 422. Its streams end without a marker.
const TRANSFORMERS: Dialect =
    Dialect { name: DialectName::Transformers, include_usage: false, done_marker: false, evidence: Evidence::Recorded, ..OPENAI };

const SIMULATED: Dialect = Dialect {
    name: DialectName::Simulated,
    tokenize: Some(Tokenize { special_tokens_switch: None, ..VLLM_TOKENIZE }),
    metrics: Some(&names::SIMULATED),
    cache_reset: None,
    backend_words: &[],
    evidence: Evidence::Simulation,
    ..VLLM
};
