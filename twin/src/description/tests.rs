//! Descriptions, and rooflines worked out by hand.

use super::{Engine, Model, decode_ceiling_tok_s, engines, machines, models, place, prefill_ceiling_tok_s};

fn model(name: &str) -> Model {
    models().unwrap().into_iter().find(|model| model.name == name).unwrap()
}

fn engine(name: &str) -> Engine {
    engines().unwrap().into_iter().find(|engine| engine.name == name).unwrap()
}

#[test]
fn descriptions_parse_and_have_unique_names() {
    let names: Vec<_> = models().unwrap().into_iter().map(|model| model.name).collect();
    let mut distinct = names.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct, names, "in the order of their names");
    assert!(machines().unwrap()[0].is_called("NVIDIA GB10") && !machines().unwrap()[0].is_called("Xeon"));
    assert!(model("gpt-oss-120b-mxfp4").is_called("OpenAI/gpt-oss-120b") && !model("gpt-oss-120b-mxfp4").is_called("gpt-oss"));
    for engine in engines().unwrap() {
        for share in [engine.memory_share, engine.weight_bandwidth_share, engine.cache_bandwidth_share, engine.compute_share] {
            assert!(share > 0.0 && share <= 1.0, "{}", engine.name);
        }
    }
}

#[test]
fn roofline_is_bytes_over_bandwidth_and_operations_over_arithmetic() {
    let (machine, llama) = (&machines().unwrap()[0], model("llama-3.1-8b-fp8"));
    // 32 layers of 8 heads of 128 numbers of 2 bytes, keys and values.
    assert_eq!(llama.cache_bytes_per_token().to_bits(), 131_072f64.to_bits());
    // 8 GB, and 1000 tokens of 131 KB, at 273 GB/s.
    let one = decode_ceiling_tok_s(machine, 1, &llama, 1.0, 1000.0);
    assert!((one - 273.0 / 8.131_072).abs() < 1e-9, "{one}");
    assert!((decode_ceiling_tok_s(machine, 2, &llama, 1.0, 1000.0) / one - 2.0).abs() < 1e-9);
    // 15 GFLOP per token at 250 TFLOP/s, and half of 1000 tokens before each at 524 kFLOP.
    let prefill = prefill_ceiling_tok_s(machine, 1, &llama, 1000.0);
    assert!((prefill - 250e12 / (15e9 + 500.0 * 524_288.0)).abs() < 1e-6, "{prefill}");
}

#[test]
fn mixture_reads_the_experts_that_its_tokens_touch() {
    let mixture = model("gpt-oss-120b-mxfp4");
    assert!((mixture.expert_share_read(1.0) - 4.0 / 128.0).abs() < 1e-12);
    assert!(mixture.expert_share_read(256.0) > 0.8 && mixture.expert_share_read(1e6) <= 1.0);
    assert!((mixture.weight_bytes() - 64.1e9).abs() < 1.0);
    // What one token reads is far less than all of it.
    assert!((mixture.weight_bytes_read(1.0) - (3.1e9 + 61e9 / 32.0)).abs() < 1.0);
    assert!((model("llama-3.1-8b-fp8").expert_share_read(1.0) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn two_machines_share_weights_and_pay_for_the_link() {
    let machine = &machines().unwrap()[0];
    let (large, sglang) = (model("llama-3.1-70b-fp8"), engine("sglang-fp8"));
    let [one, two] = [1, 2].map(|nodes| place(machine, nodes, &large, &sglang).unwrap());
    assert!((two.weight_bytes * 2.0 - one.weight_bytes).abs() < 1.0);
    assert!(two.cache_tokens > 3.0 * one.cache_tokens, "what the weights leave, on both");
    // 160 exchanges of 20 us, beside the engine's own 2 ms, which are not shared.
    let link_ns = 160 * 20_000 + 2_000_000 / 2;
    assert!(two.params.decode.base_ns.abs_diff(one.params.decode.base_ns / 2 + link_ns) <= 1, "{two:?}");
    // Of each token 8192 numbers of two bytes, once (2 (N - 1) / N of them) at 25 GB/s, 160 times.
    let bytes_ns = 160 * 8192 * 2 / 25;
    assert!(two.params.decode.per_sequence_ns.abs_diff(one.params.decode.per_sequence_ns + bytes_ns) <= 1, "{two:?}");
    assert!(two.params.prefill.per_token_ns.abs_diff(one.params.prefill.per_token_ns / 2 + bytes_ns) <= 1, "{two:?}");
    let (one, two) = (one.params.decode, two.params.decode);
    assert_eq!(two.per_context_token_ps, one.per_context_token_ps.div_ceil(2));
}

#[test]
fn model_larger_than_memory_is_refused() {
    let machine = &machines().unwrap()[0];
    let mut huge = model("llama-3.1-70b-fp8");
    huge.always_read_gb = 140.0;
    insta::assert_snapshot!(place(machine, 1, &huge, &engine("sglang-fp8")).unwrap_err(), @"llama-3.1-70b-fp8 does not fit: its weights are 140.0 GB on each of 1 machines, and sglang-fp8 has 89.2 GB there");
    assert!(place(machine, 2, &huge, &engine("sglang-fp8")).is_ok());
}

#[test]
fn engine_with_speculation_and_prefix_cache_is_placed() {
    let text = toml::to_string(&engine("vllm-mxfp4")).unwrap();
    let more =
        "prefix_cache = true\nblock_tokens = 32\n[speculative]\ndraft_tokens = 3\nacceptance_ppm = 700000\ndraft_ns = 1000000\n";
    let plain: String = text
        .lines()
        .filter(|line| !line.contains("prefix_cache") && !line.contains("block_tokens"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let other: Engine = toml::from_str(&format!("{plain}{more}")).unwrap();
    let params = place(&machines().unwrap()[0], 1, &model("gpt-oss-120b-mxfp4"), &other).unwrap().params;
    assert_eq!((params.prefix_cache, params.block_tokens), (true, 32));
    assert_eq!(params.speculative.map(|speculative| speculative.draft_tokens), Some(3));
    params.check().unwrap();
}
