//! Machines, models and engines as plain descriptions, and what follows from them alone: the roofline.
//!
//! The roofline is the limit of the memory and of the arithmetic units. A decode step cannot be faster than reading what it reads, and
//! prefill cannot be faster than computing what it computes (Williams, Waterman, Patterson, "Roofline", 2009).

use serde::{Deserialize, Serialize};

use crate::server::{Params, Speculative};

mod known;
mod price;

pub use known::{BadDescription, engines, machines, models};
pub use price::{Placement, PlacementError, place};

/// Hardware that serves models, described in `descriptions/machines/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub name: String,
    /// Words of which a record's machine or GPU has one in its name if it is such a machine.
    pub called: Vec<String>,
    /// Memory, in 10^9 bytes.
    pub memory_gb: f64,
    /// What of it an engine can have.
    pub usable_gb: f64,
    /// What its memory reads, in 10^9 bytes per second.
    pub bandwidth_gb_s: f64,
    /// What the link to the next machine carries, in 10^9 bytes per second, each way.
    pub interconnect_gb_s: f64,
    /// What the smallest exchange over that link takes, in microseconds.
    pub interconnect_latency_us: f64,
    /// Multiplications and additions of dense matrices, in 10^12 per second, by precision.
    pub dense_tflops: Tflops,
}

/// 10^12 operations per second by precision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tflops {
    pub fp4: f64,
    pub fp8: f64,
    pub bf16: f64,
}

/// In what a model's matrices are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    Fp4,
    Fp8,
    Bf16,
}

/// A model in one quantisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub name: String,
    /// What recipes and servers call it.
    pub ids: Vec<String>,
    /// The description of the engine that it was published with.
    pub engine: String,
    /// Parameters that one token is multiplied with, in 10^9.
    pub active_parameters_b: f64,
    /// In what it computes; may be wider than what it stores.
    pub computes_in: Precision,
    /// Weights that every step reads, in 10^9 bytes.
    pub always_read_gb: f64,
    /// What a mixture of experts reads besides.
    pub experts: Option<Experts>,
    /// State of a sequence that each of its tokens reads and writes (Mamba and its kin), in 10^6 bytes.
    #[serde(default)]
    pub state_mb_per_sequence: f64,
    /// Tokens, prompt and output together, that one request may have.
    pub max_context_tokens: u32,
    /// Layers of any kind.
    pub layers: u32,
    /// The width between layers.
    pub hidden: u32,
    /// The attention over the whole context.
    pub attention: Attention,
}

/// The experts of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experts {
    /// Experts in a layer.
    pub total: u32,
    /// How many of them a token uses.
    pub active: u32,
    /// The weights of all of them in all layers, in 10^9 bytes.
    pub all_gb: f64,
    /// How alike tokens choose: `n` of them touch as many experts as `n` to this power would that choose independently. 1 if they do.
    pub choice_exponent: f64,
}

/// Attention over the whole context; layers with a window are left out, as theirs does not grow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    pub full_layers: u32,
    pub query_heads: u32,
    /// Heads of keys and values.
    pub key_heads: u32,
    pub head_dim: u32,
    /// Bytes of a number in the cache.
    pub cache_bytes: u32,
}

/// An engine: its limits, its scheduler, and how much of the machine its kernels get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    pub name: String,
    /// Requests that are computed at once.
    pub max_sequences: u32,
    /// Tokens that one step computes.
    pub max_step_tokens: u32,
    /// Whether a step is formed while the one before it runs.
    pub async_scheduling: bool,
    /// The share of the usable memory that it takes for weights and cache.
    pub memory_share: f64,
    /// Whether it keeps what it has read and finds it again.
    #[serde(default)]
    pub prefix_cache: bool,
    /// Tokens of a block of its memory.
    #[serde(default = "block_tokens")]
    pub block_tokens: u32,
    /// What it guesses ahead, if it does.
    pub speculative: Option<Speculative>,
    /// Whether a prefix that all sequences share is read once per step instead of once per sequence (vLLM's cascade attention).
    pub shared_prefix_once: bool,
    /// The share of the bandwidth with which a step reads weights.
    pub weight_bandwidth_share: f64,
    /// The share of the bandwidth with which a step reads keys and values.
    pub cache_bandwidth_share: f64,
    /// The share of the dense arithmetic that prefill computes with.
    pub compute_share: f64,
    /// What each step takes besides, in microseconds: launching kernels, sampling.
    pub step_us: f64,
    /// What each sequence of a step takes besides, in microseconds.
    pub per_sequence_us: f64,
    /// From the arrival of a request until it is queued, in microseconds.
    pub accept_us: f64,
}

fn block_tokens() -> u32 {
    Params::default().block_tokens
}

impl Machine {
    /// Operations per second in a precision.
    #[must_use]
    pub fn flops(&self, precision: Precision) -> f64 {
        let Tflops { fp4, fp8, bf16 } = self.dense_tflops;
        1e12 * match precision {
            Precision::Fp4 => fp4,
            Precision::Fp8 => fp8,
            Precision::Bf16 => bf16,
        }
    }

    /// Whether a record's machine or GPU is one of these.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.called.iter().any(|word| name.contains(word.as_str()))
    }
}

impl Model {
    /// The share of the experts that a step of so many tokens reads: `1 - (1 - active / total)^(tokens^choice_exponent)`; 1 for a dense
    /// model.
    #[must_use]
    pub fn expert_share_read(&self, tokens: f64) -> f64 {
        self.experts.map_or(1.0, |experts| {
            let independent = libm::pow(tokens, experts.choice_exponent);
            1.0 - libm::pow(1.0 - f64::from(experts.active) / f64::from(experts.total), independent)
        })
    }

    #[must_use]
    pub fn weight_bytes(&self) -> f64 {
        (self.always_read_gb + self.experts.map_or(0.0, |experts| experts.all_gb)) * 1e9
    }

    /// Bytes of weights that a step of so many tokens reads.
    #[must_use]
    pub fn weight_bytes_read(&self, tokens: f64) -> f64 {
        (self.always_read_gb + self.experts.map_or(0.0, |experts| experts.all_gb) * self.expert_share_read(tokens)) * 1e9
    }

    /// Bytes of keys and values of one token of context.
    #[must_use]
    pub fn cache_bytes_per_token(&self) -> f64 {
        let Attention { full_layers, key_heads, head_dim, cache_bytes, .. } = self.attention;
        [2, full_layers, key_heads, head_dim, cache_bytes].map(f64::from).iter().product()
    }

    /// Bytes that a decode step moves for `sequences` sequences with `context_tokens` tokens of context each.
    #[must_use]
    pub fn decode_bytes(&self, sequences: f64, context_tokens: f64) -> f64 {
        let state = 2.0 * self.state_mb_per_sequence * 1e6;
        self.weight_bytes_read(sequences) + sequences * (context_tokens * self.cache_bytes_per_token() + state)
    }

    /// Operations of the attention of one token to one token before it: a product with the key and one with the value.
    #[must_use]
    pub fn flops_per_pair(&self) -> f64 {
        let Attention { full_layers, query_heads, head_dim, .. } = self.attention;
        [4, full_layers, query_heads, head_dim].map(f64::from).iter().product()
    }

    /// Operations of the prefill of a prompt.
    #[must_use]
    pub fn prefill_flops(&self, prompt_tokens: f64) -> f64 {
        2e9 * self.active_parameters_b * prompt_tokens + self.flops_per_pair() * prompt_tokens * prompt_tokens / 2.0
    }

    /// Whether a recipe or server means this model. Its quantisation must be in the name: weights of another size have another roofline.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        self.ids.iter().any(|known| known.eq_ignore_ascii_case(id))
    }
}

/// The most output tokens per second that `nodes` machines can give: the memory read once per step, and nothing else.
#[must_use]
pub fn decode_ceiling_tok_s(machine: &Machine, nodes: u32, model: &Model, sequences: f64, context_tokens: f64) -> f64 {
    sequences * machine.bandwidth_gb_s * 1e9 * f64::from(nodes) / model.decode_bytes(sequences, context_tokens)
}

/// The most prompt tokens per second that `nodes` machines can compute of a prompt of this length.
#[must_use]
pub fn prefill_ceiling_tok_s(machine: &Machine, nodes: u32, model: &Model, prompt_tokens: f64) -> f64 {
    prompt_tokens * machine.flops(model.computes_in) * f64::from(nodes) / model.prefill_flops(prompt_tokens)
}

#[cfg(test)]
mod tests;
