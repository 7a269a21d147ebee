use record::{EngineName, Trial};

use super::super::*;
use crate::{
    fixture::{MS, S, closed_trial, record},
    roofline::Roofline,
};

/// The reasons from the limits of a Spark for a trial of that model, one line each.
fn judged(model: &str, trial: &Trial) -> String {
    let mut header = record(Vec::new()).header;
    header.machine.name = "NVIDIA DGX Spark".to_owned();
    header.recipe.engine = EngineName::Vllm;
    header.recipe.model.id = model.to_owned();
    let limits = Roofline::of(&header, &[]).unwrap();
    let reasons = judge_distance(&limits.distance(trial, None), &limits);
    let lines = reasons.iter().map(|reason| format!("{}: {}", reason.validity.word(), reason.text));
    lines.collect::<Vec<_>>().join("\n")
}

const US: u64 = 1_000;

const LLAMA: &str = "llama-3.1-8b-fp8";

/// One stream that reads 100 tokens in a second and then gets a token each so many microseconds.
fn paced(tpot_us: u64) -> Trial {
    closed_trial("chat", 1, 3, S, tpot_us * 1000, 201)
}

#[test]
fn decode_above_memory_bandwidth_is_not_valid() {
    // 8.013 GB for each token take 29.35 ms.
    assert_eq!(judged(LLAMA, &paced(29_400)), "");
    // Within the tolerance of 2 %.
    assert_eq!(judged(LLAMA, &paced(28_800)), "");
    // The output layer may have been narrowed too: 7.513 GB take 27.52 ms.
    insta::assert_snapshot!(judged(LLAMA, &paced(28_700)), @"suspect: faster than memory: decode at 34.8 tok/s needs 102 % of 273 GB/s, which allows 34.1 tok/s: cached, truncated, or miscounted, unless the engine stores weights in fewer bits, or its tokens share more experts, than is described");
    assert!(judged(LLAMA, &paced(27_000)).starts_with("suspect: faster than memory"));
    assert!(judged(LLAMA, &paced(26_900)).starts_with("invalid: faster than memory"));
    insta::assert_snapshot!(judged(LLAMA, &paced(10_000)), @"invalid: faster than memory: decode at 100 tok/s needs 294 % of 273 GB/s, which allows 34.1 tok/s: cached, truncated, or miscounted");
    // How many experts eight tokens of a mixture share is a fit: 12.3 GB or as little as 2.6.
    assert!(judged("gpt-oss-120b", &closed_trial("chat", 8, 3, S, 30 * MS, 201)).starts_with("suspect: faster than memory"));
    assert!(judged("gpt-oss-120b", &closed_trial("chat", 8, 3, S, 9 * MS, 201)).starts_with("invalid: faster than memory"));
    // What is known to be decoded on one Spark with all layers narrowed.
    assert!(judged("gpt-oss-120b", &closed_trial("chat", 1, 3, S, 16_800 * US, 201)).starts_with("suspect: faster than memory"));
    // Eight that decode together may be eight times as fast.
    assert_eq!(judged(LLAMA, &closed_trial("chat", 8, 3, S, 30 * MS, 201)), "");
    assert!(judged(LLAMA, &closed_trial("chat", 8, 3, S, 20 * MS, 201)).starts_with("invalid: faster than memory"));
}

#[test]
fn buffered_answer_is_above_memory_bandwidth() {
    // All but the first token at once, a millisecond after it.
    let mut held = paced(29_400);
    for observation in &mut held.observations {
        let first_ns = observation.first_token_ns.unwrap();
        for chunk in observation.chunks.0.iter_mut().skip(1) {
            chunk.t_ns = first_ns + MS;
        }
        observation.last_token_ns = Some(first_ns + MS);
    }
    assert!(judged(LLAMA, &held).starts_with("invalid: faster than memory"), "{}", judged(LLAMA, &held));
}

#[test]
fn prefill_above_peak_operations_is_not_valid() {
    // 100 prompt tokens of 15 GFLOP each take 6 ms in FP8, and 3 ms in FP4, which nobody says that the engine does not use.
    let read_in = |ttft_us: u64| closed_trial("long-prefill", 1, 3, ttft_us * 1000, 40 * MS, 11);
    assert_eq!(judged(LLAMA, &read_in(6_100)), "");
    assert_eq!(judged(LLAMA, &read_in(5_500)), "");
    insta::assert_snapshot!(judged(LLAMA, &read_in(4_000)), @"suspect: faster than arithmetic: prefill at 25000 tok/s needs 150 % of 250 TFLOP/s, which allows 16600 tok/s: cached, truncated, or miscounted, unless the engine computes in fewer bits than is described");
    insta::assert_snapshot!(judged(LLAMA, &read_in(2_000)), @"invalid: faster than arithmetic: prefill at 50000 tok/s needs 301 % of 250 TFLOP/s, which allows 16600 tok/s: cached, truncated, or miscounted");
    // Described as FP4 already.
    assert!(judged("nemotron-super-49b-nvfp4", &read_in(15_000)).contains("invalid: faster than arithmetic"));
}

#[test]
fn run_on_a_described_machine_is_judged_by_its_limits() {
    let mut run = record(vec![paced(10_000)]);
    run.header.recipe.engine = EngineName::Vllm;
    run.header.recipe.model.id = LLAMA.to_owned();
    let validity = |run: &record::Record| crate::figures::RunFigures::of(run).trials[0].validity;
    assert_eq!(validity(&run), Validity::Valid, "nobody knows the machine");
    run.header.machine.gpu = Some("NVIDIA GB10".to_owned());
    assert_eq!(validity(&run), Validity::Invalid);
    run.trials = vec![paced(40_000)];
    assert_eq!(validity(&run), Validity::Valid);
}
