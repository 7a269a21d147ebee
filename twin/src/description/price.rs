//! What steps cost on a machine without measurements: the roofline, and the shares of it that an engine reaches.

use super::{Engine, Machine, Model};
use crate::nearest::{nearest_u32, nearest_u64};
use crate::server::{DecodeCost, Noise, Params, PrefillCost};

/// An engine that serves a model on one or several machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The server, without noise.
    pub params: Params,
    /// Bytes of weights on each machine.
    pub weight_bytes: f64,
    /// Tokens whose keys and values fit beside them, on all machines together.
    pub cache_tokens: f64,
}

/// A model is too large.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{model} does not fit: its weights are {weights_gb:.1} GB on each of {nodes} machines, and {engine} has {room_gb:.1} GB there{}",
    if *.context_only { ", too little for one request of the longest context" } else { "" })]
pub struct PlacementError {
    model: String,
    engine: String,
    nodes: u32,
    weights_gb: f64,
    room_gb: f64,
    context_only: bool,
}

/// Places a model, split by tensor parallelism over `nodes` machines of a kind.
///
/// Each machine reads and computes its share. After the attention and after the feed-forward part of every layer they exchange the width
/// of each token, all-reduced: `2 (N - 1) / N` times its bytes, and a latency.
pub fn place(machine: &Machine, nodes: u32, model: &Model, engine: &Engine) -> Result<Placement, PlacementError> {
    let nodes = nodes.max(1);
    let share = f64::from(nodes);
    let weight_bytes = model.weight_bytes() / share;
    let room_bytes = machine.usable_gb * 1e9 * engine.memory_share;
    let cache_tokens = (room_bytes - weight_bytes) * share / model.cache_bytes_per_token();
    let max_context_tokens = nearest_u32(f64::from(model.max_context_tokens).min(cache_tokens.max(0.0).floor()));
    if max_context_tokens < 2 {
        let (weights_gb, room_gb) = (weight_bytes / 1e9, room_bytes / 1e9);
        let (model, engine) = (model.name.clone(), engine.name.clone());
        return Err(PlacementError { model, engine, nodes, weights_gb, room_gb, context_only: weight_bytes < room_bytes });
    }
    let read_ns = |bytes: f64, at: f64| bytes / (machine.bandwidth_gb_s * at * share);
    let (weights, cache) = (engine.weight_bandwidth_share, engine.cache_bandwidth_share);
    let compute_ns = |flops: f64| flops / (machine.flops(model.computes_in) * engine.compute_share * share / 1e9);
    let exchanges = f64::from(model.layers) * 2.0 * f64::from(nodes.min(2) - 1);
    let token_bytes = f64::from(model.hidden) * 2.0 * 2.0 * (share - 1.0) / share;
    let exchange_ns = exchanges * token_bytes / machine.interconnect_gb_s;
    let step_ns = engine.step_us * 1e3 + exchanges * machine.interconnect_latency_us * 1e3;
    let per_sequence_ns = engine.per_sequence_us * 1e3 + read_ns(2.0 * model.state_mb_per_sequence * 1e6, cache) + exchange_ns;
    let expert_share = model.experts.map_or(0.0, |experts| f64::from(experts.active) / f64::from(experts.total));
    let params = Params {
        model: model.name.clone(),
        max_context_tokens,
        max_sequences: engine.max_sequences,
        max_step_tokens: engine.max_step_tokens,
        kv_tokens: nearest_u32(cache_tokens.min(1e8).floor()),
        async_scheduling: engine.async_scheduling,
        prefix_cache: engine.prefix_cache,
        block_tokens: engine.block_tokens,
        speculative: engine.speculative,
        shared_prefix_once: engine.shared_prefix_once,
        accept_ns: nearest_u64(engine.accept_us * 1e3),
        decode: DecodeCost {
            base_ns: nearest_u64(read_ns(model.always_read_gb * 1e9, weights) + step_ns).max(1),
            per_sequence_ns: nearest_u64(per_sequence_ns),
            per_context_token_ps: nearest_u64(read_ns(model.cache_bytes_per_token(), cache) * 1e3),
            experts_ns: nearest_u64(read_ns(model.experts.map_or(0.0, |experts| experts.all_gb * 1e9), weights)),
            expert_share_ppm: nearest_u32(expert_share * 1e6),
            expert_choice_ppm: nearest_u32(model.experts.map_or(1.0, |experts| experts.choice_exponent) * 1e6),
        },
        prefill: PrefillCost {
            per_token_ns: nearest_u64(compute_ns(2e9 * model.active_parameters_b) + exchange_ns),
            per_pair_fs: nearest_u64(compute_ns(model.flops_per_pair()) * 1e6),
            ..PrefillCost::default()
        },
        noise: Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 },
        ..Params::default()
    };
    Ok(Placement { params, weight_bytes, cache_tokens })
}
