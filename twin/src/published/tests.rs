//! The twin against what was published.

use super::{Row, page, page::median_and_worst, place_on_spark, published_data, wave};
use crate::{
    description::Placement,
    load::ServedRequest,
    server::{Noise, Params},
};

fn sweep(id: &str) -> Vec<Row> {
    published_data().unwrap().sweep.iter().find(|sweep| sweep.id == id).unwrap().rows().unwrap()
}

#[test]
fn each_sweep_is_reproduced() {
    for sweep in published_data().unwrap().sweep {
        let rows = sweep.rows().unwrap();
        let (median, worst) = median_and_worst(&rows);
        assert!(median <= 0.05 && worst <= 0.15, "{}: median {median:.3}, worst {worst:.3}\n{rows:#?}", sweep.id);
        let most = |of: fn(&Row) -> f64| rows.iter().max_by(|a, b| of(a).total_cmp(&of(b))).unwrap().streams;
        if sweep.id != "nemotron-nano-9b-v2-nvfp4" {
            assert_eq!(most(|row| row.twin_tok_s), most(|row| row.published_tok_s), "{}: the peak", sweep.id);
        }
    }
}

#[test]
fn rate_falls_past_the_peak_and_small_batch_makes_a_plateau() {
    let at = |rows: &[Row], streams: u32| rows.iter().find(|row| row.streams == streams).unwrap().twin_tok_s;
    let large = sweep("nemotron-super-49b-nvfp4");
    assert!(at(&large, 320) < 0.85 * at(&large, 256));
    let mixture = sweep("gpt-oss-120b-mxfp4");
    assert!(at(&mixture, 384) < 0.95 * at(&mixture, 256));
    let small = sweep("nemotron-nano-9b-v2-nvfp4");
    let plateau = small.iter().filter(|row| row.streams >= 8).map(|row| row.twin_tok_s);
    let (low, high) = plateau.fold((f64::MAX, 0f64), |(low, high), rate| (low.min(rate), high.max(rate)));
    assert!(high / low < 1.03 && at(&small, 8) > 2.5 * at(&small, 2), "{small:#?}");
}

#[test]
fn points_of_other_sources_are_within_fifteen_percent() {
    for point in published_data().unwrap().point {
        for row in point.rows().unwrap() {
            assert!(row.error().abs() <= 0.15, "{row:?}");
        }
    }
}

/// The Register's review gives shapes: the time to first token rises and generation slows as the input grows from 4096 to 65536 tokens.
#[test]
fn longer_contexts_start_later_and_decode_slower() {
    let placed = place_on_spark("gpt-oss-120b-mxfp4", "vllm-mxfp4").unwrap();
    let at = |prompt_tokens: u32| wave("depth", &placed, 1, (prompt_tokens, 0, 128)).unwrap()[0];
    let served: Vec<ServedRequest> = [4096, 8192, 16_384, 32_768, 65_536].map(at).into();
    for pair in served.windows(2) {
        assert!(pair[1].ttft_s() > 1.7 * pair[0].ttft_s(), "{pair:?}");
        assert!(pair[1].tpot_s().unwrap() > pair[0].tpot_s().unwrap(), "{pair:?}");
    }
}

/// Its other shape: what 64 streams give together is little more than what 32 give. There a batch of 32 was the engine's limit.
#[test]
fn limit_of_32_sequences_is_a_plateau_from_32_streams() {
    let mut placed = place_on_spark("gpt-oss-120b-mxfp4", "vllm-mxfp4").unwrap();
    placed.params.max_sequences = 32;
    let rate = |streams: u32| {
        let served = wave("batch", &placed, streams, (1024, 0, 1024)).unwrap();
        f64::from(streams) * 1024.0 * 1e9 / served.iter().map(|one| one.last_ns).max().unwrap() as f64
    };
    let rates = [1, 2, 4, 8, 16, 32].map(rate);
    assert!(rates.windows(2).all(|pair| pair[1] > 1.2 * pair[0]), "{rates:?}");
    assert!((rate(64) / rates[5] - 1.0).abs() < 0.1);
}

#[test]
fn committed_page_is_current() {
    let text = page(&published_data().unwrap()).unwrap();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("published.md");
    assert!(std::fs::read_to_string(&path).unwrap() == text, "it is stale; `cargo xtask regenerate published` writes it");
}

/// "The three numbers behind a fast DGX Spark" (djangodevreng.nl), of a model of 26 billion parameters in bf16: one user decodes at 23 to 24
/// tok/s at 4k and at 25k, each of ten at 9 to 12; with ten users a short prompt begins within 0.5 s and one of 25k after 35 s. The engine is
/// the one fitted to the same author's later run. Of its prompts nine tenths are tokens (twin/src/arena/closed.rs).
#[test]
fn fitted_engine_reproduces_the_three_numbers() {
    let params = Params::from_toml(include_str!("../../fitted/gemma-4-gemma-4-26b-a4b-it-bf16.toml")).unwrap();
    let params = Params { noise: Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 }, ..params };
    let placed = Placement { params, weight_bytes: 0.0, cache_tokens: 0.0 };
    let mean = |streams: u32, prompt_tokens: u32, of: fn(&ServedRequest) -> f64| {
        let served = wave("three numbers", &placed, streams, (prompt_tokens, 0, 256)).unwrap();
        served.iter().map(of).sum::<f64>() / f64::from(streams)
    };
    let decode = |one: &ServedRequest| one.tpot_s().unwrap().recip();
    for prompt_tokens in [3700, 22_500] {
        let rate = mean(1, prompt_tokens, decode);
        assert!((23.0 * 0.85..24.0 * 1.15).contains(&rate), "{prompt_tokens}: {rate}");
    }
    let rate = mean(10, 900, decode);
    assert!((9.0 * 0.85..12.0 * 1.15).contains(&rate), "{rate}");
    let ttft_s = mean(10, 22_500, ServedRequest::ttft_s);
    assert!((35.0 * 0.85..35.0 * 1.15).contains(&ttft_s), "{ttft_s}");
    let short_s = mean(10, 20, ServedRequest::ttft_s);
    assert!(short_s < 0.5, "{short_s}");
}
