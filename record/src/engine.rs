//! Names of engines, and the capabilities of each engine's dialect of the `OpenAI` API.

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $type { $($(#[$vdoc])* #[serde(rename = $name)] $variant),+ }

        impl $type {
            /// Every one, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that recipes and the command line use.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl ::std::fmt::Display for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $type {
            type Err = String;

            fn from_str(name: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|one| one.as_str()).collect();
                    format!("`{name}` is not one of {}", known.join(", "))
                })
            }
        }
    };
}
pub(crate) use named;

named! {
    /// An engine: the server under test.
    EngineName {
        /// `vllm serve`.
        Vllm = "vllm",
        /// `sglang.launch_server`.
        Sglang = "sglang",
        /// llama.cpp's `llama-server`.
        Llamacpp = "llamacpp",
        /// `ollama serve`.
        Ollama = "ollama",
        /// TensorRT-LLM's `trtllm-serve`.
        Trtllm = "trtllm",
        /// A container of NVIDIA NIM for LLMs.
        Nim = "nim",
        /// The simulated Spark, of the crates `twin` and `fixtures`.
        Simulated = "simulated",
        /// Any other server that speaks one of the dialects.
        Other = "other",
    }
}

named! {
    /// A dialect of the `OpenAI` API. `openai` is the least that any server speaks.
    DialectName {
        /// Only what the public API documents.
        Openai = "openai",
        /// vLLM's, with `continuous_usage_stats` and `/tokenize`.
        Vllm = "vllm",
        /// SGLang's: vLLM's fields without a schema under a forced length.
        Sglang = "sglang",
        /// llama.cpp's, with `timings_per_token` and `cache_prompt`.
        Llamacpp = "llamacpp",
        /// Ollama's own `/api/chat`.
        Ollama = "ollama",
        /// That of `trtllm-serve`.
        Trtllm = "trtllm",
        /// That of NVIDIA NIM, as far as versions 1 and 2 agree.
        Nim = "nim",
        /// That of mistral.rs 0.8.
        Mistralrs = "mistralrs",
        /// `transformers serve`.
        Transformers = "transformers",
        /// The simulated Spark's, modelled on vLLM's.
        Simulated = "simulated",
    }
}

named! {
    /// How an engine comes to run.
    Launch {
        /// In this process, in virtual time.
        Simulated = "simulated",
        /// Spawned as a process from a recipe.
        Process = "process",
        /// Already running; only its URL is known.
        Attach = "attach",
        /// Booted as a container from a recipe.
        Container = "container",
    }
}

/// The capabilities of a dialect, as data. A field that a dialect lacks is never sent: some servers answer it with an error, and the others
/// ignore it in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent fact about a server, read as a table")]
pub struct Dialect {
    /// The key of this row in [`crate::dialect::dialect`].
    pub name: DialectName,
    /// `ignore_eos`: generate past the end-of-sequence token.
    pub ignore_eos: bool,
    /// `min_tokens`: do not end before this many.
    pub min_tokens: bool,
    /// The name of the field that bounds the output.
    pub max_tokens_field: &'static str,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// How a running token count is had from each chunk.
    pub running_count: RunningCount,
    /// `cache_prompt: false` keeps a request out of the prefix cache.
    pub cache_prompt_switch: bool,
    /// JSON by a schema, together with a forced output length where the dialect can force one.
    pub json_schema: bool,
    /// The stream ends with `data: [DONE]`; its absence then means that the stream was cut.
    pub done_marker: bool,
    /// A connection stays usable after a streamed answer. Where the server says so and closes it all the same, a request written into
    /// that moment is lost; there each streamed request announces `connection: close` and pays for a connection of its own.
    pub keeps_connection: bool,
    /// The tokenize endpoint, where there is one.
    pub tokenize: Option<Tokenize>,
    /// Which API a chat goes through.
    pub chat: ChatApi,
    /// The path that answers with success once the engine says that it is healthy, which does not prove that it can generate.
    pub health: Option<&'static str>,
    /// Its Prometheus metrics, where it has them.
    pub metrics: Option<&'static MetricNames>,
    /// How its prefix cache is emptied between trials, where it can be.
    pub cache_reset: Option<CacheReset>,
    /// Words that mark the lines of its log which say what kernels and backends it chose; compared without case.
    pub backend_words: &'static [&'static str],
    /// The evidence that this row was checked against.
    pub evidence: Evidence,
    /// The path that tells the engine's version, and the JSON pointer to it there.
    pub version: Option<(&'static str, &'static str)>,
}

/// Which API a chat goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ChatApi {
    /// `/v1/chat/completions`, answered as server-sent events.
    Openai,
    /// Ollama's own `/api/chat`, answered as lines of JSON: only it tells the server's times, and only it takes the context's size.
    Ollama,
}

/// The names of a server's Prometheus metrics. Where a version of the server has another name, it stands behind the current one; the
/// first that the page has counts. A metric that the server does not have has no names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MetricNames {
    /// Where the page is served, e.g. `/metrics`.
    pub path: &'static str,
    /// Gauge: requests that are being computed.
    pub running: &'static [&'static str],
    /// Gauge: requests that wait.
    pub waiting: &'static [&'static str],
    /// Gauge: share of the KV cache in use.
    pub kv_usage: &'static [&'static str],
    /// Counter: prompt tokens that were processed.
    pub prompt_tokens: &'static [&'static str],
    /// That counter leaves out the tokens that came from the prefix cache; what is read from it adds them again.
    pub prompt_tokens_without_hits: bool,
    /// Counter: output tokens that were generated.
    pub generation_tokens: &'static [&'static str],
    /// Counter: prompt tokens that were looked up in the prefix cache.
    pub prefix_queries: &'static [&'static str],
    /// Counter: prompt tokens that came from it.
    pub prefix_hits: &'static [&'static str],
    /// Counter: requests that were put back.
    pub preemptions: &'static [&'static str],
    /// Counter: drafts of speculative decoding.
    pub drafts: &'static [&'static str],
    /// Counter: tokens in those drafts, whether or not they were accepted.
    pub draft_tokens: &'static [&'static str],
    /// Counter: drafted tokens that were accepted.
    pub accepted_tokens: &'static [&'static str],
    /// Gauge: tokens per step of speculative decoding.
    pub accepted_length: &'static [&'static str],
    /// Histogram, in seconds: waiting.
    pub queue: &'static [&'static str],
    /// Histogram, in seconds: reading the prompt.
    pub prefill: &'static [&'static str],
    /// Histogram, in seconds: writing the answer.
    pub decode: &'static [&'static str],
    /// Histogram, in seconds: time to first token.
    pub ttft: &'static [&'static str],
}

/// A request that empties a prefix cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CacheReset {
    /// Its path; it is sent as a POST without a body.
    pub path: &'static str,
    /// The server option that enables it, in words; empty if none is needed.
    pub needs: &'static str,
}

/// The evidence that a dialect's row was checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Evidence {
    /// The real server ran under the harness, on a CPU with a tiny model, and its streams are recorded.
    Executed,
    /// Streams that were recorded from the real server.
    Recorded,
    /// Its documentation and source only.
    Documented,
    /// The simulated Spark, which is part of this workspace.
    Simulation,
}

/// How a running token count is had from each chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RunningCount {
    /// It cannot be had; only the final usage counts.
    None,
    /// `stream_options.continuous_usage_stats`, then `usage.completion_tokens` in every chunk.
    ContinuousUsage,
    /// `timings_per_token`, then `timings.predicted_n` in every chunk.
    Timings,
}

/// A tokenize endpoint: what it is asked and where the answer holds the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tokenize {
    /// Where it is served, e.g. `/tokenize`.
    pub path: &'static str,
    /// The request's field for the text.
    pub text_field: &'static str,
    /// Whether the request names the model.
    pub names_model: bool,
    /// The request's field that is set to false, where the server would add a begin-of-sequence token by default.
    pub special_tokens_switch: Option<&'static str>,
    /// The answer's field that holds the tokens as an array.
    pub tokens_field: &'static str,
}
