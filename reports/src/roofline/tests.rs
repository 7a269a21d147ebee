//! The distance of hand-made trials whose limits can be worked out by hand.

use proptest::prelude::*;
use record::{EngineName, Header, TokenSource, Usage};

use super::*;
use crate::fixture::{MS, S, cell, closed, closed_trial, even, open, record, served, trial};

/// A Spark that serves that model.
fn header(id: &str) -> Header {
    let mut header = record(Vec::new()).header;
    header.machine.gpu = Some("NVIDIA GB10".to_owned());
    header.machine.driver = Some("580.95.05".to_owned());
    header.recipe.engine = EngineName::Vllm;
    header.recipe.model.id = id.to_owned();
    header
}

fn roofline(id: &str) -> Roofline {
    Roofline::of(&header(id), &[]).unwrap()
}

fn decode(id: &str, trial: &Trial) -> Utilisation {
    roofline(id).distance(trial, None).decode.unwrap()
}

fn prefill(id: &str, trial: &Trial) -> Option<Utilisation> {
    roofline(id).distance(trial, None).prefill
}

const LLAMA: &str = "llama-3.1-8b-fp8";
const MIXTURE: &str = "gpt-oss-120b";

#[track_caller]
fn about(value: f64, expected: f64) {
    assert!((value / expected - 1.0).abs() < 1e-9, "{value}, not {expected}");
}

#[test]
fn one_stream_reads_all_weights_for_each_token() {
    // 200 steps of 40 ms after the first token of each of three requests, at contexts of 101 to 300 tokens: 8 GB, and 65,536 bytes a token.
    let utilisation = decode(LLAMA, &closed_trial("chat", 1, 3, S, 40 * MS, 201));
    about(utilisation.tok_s, 25.0);
    about(utilisation.share, 25.0 * (8e9 + 200.5 * 65_536.0) / 273e9);
    about(utilisation.ceiling_tok_s(), 273e9 / (8e9 + 200.5 * 65_536.0));
}

#[test]
fn concurrent_streams_share_the_weights_of_a_step() {
    let utilisation = decode(MIXTURE, &closed_trial("chat", 8, 3, S, 40 * MS, 201));
    about(utilisation.tok_s, 8.0 * 25.0);
    let model = roofline(MIXTURE).model;
    let cache = model.cache_bytes_per_token() / 2.0;
    about(utilisation.share, 25.0 * (model.weight_bytes_read(8.0) + 8.0 * 200.5 * cache) / 273e9);
    // At least what one token needs: 5.1 billion parameters of 4 bits.
    about(utilisation.sure_share, 25.0 * (2.55e9 + 8.0 * 200.5 * cache) / 273e9);
}

#[test]
fn consecutive_requests_do_not_share_weights() {
    // A second stream that decodes only while the first waits for its next answer.
    let consecutive = trial(cell("chat", "c2", closed(2)), vec![even(0, S, 40 * MS, 101), even(4 * S, 2 * S, 40 * MS, 101)]);
    let utilisation = decode(LLAMA, &consecutive);
    about(utilisation.share, 25.0 * (8e9 + 150.5 * 65_536.0) / 273e9);
}

#[test]
fn tokens_of_a_chunk_are_one_step_and_accepted_drafts_reduce_steps() {
    let pairs: Vec<_> = (0..101).map(|n| (S + n * 40 * MS, 1 + 2 * u32::try_from(n).unwrap())).collect();
    let chunked = trial(cell("chat", "c1", closed(1)), vec![served(0, 0, &pairs)]);
    let utilisation = decode(LLAMA, &chunked);
    about(utilisation.tok_s, 50.0);
    about(utilisation.share, 25.0 * (8e9 + 200.0 * 65_536.0) / 273e9);
    // A server that sends each token by itself, and says that there were two in a step.
    let single = closed_trial("chat", 1, 1, S, 20 * MS, 201);
    let account = ServerAccount { tokens_per_step: Some(2.0), ..ServerAccount::default() };
    let limits = roofline(LLAMA);
    let [plain, drafted] = [None, Some(&account)].map(|account| limits.distance(&single, account).decode.unwrap());
    about(drafted.share * 2.0, plain.share);
    about(drafted.tok_s, plain.tok_s);
    // Chunks of two tokens were steps already.
    about(limits.distance(&chunked, Some(&account)).decode.unwrap().share, utilisation.share);
}

#[test]
fn cached_prompt_tokens_add_no_bytes_and_no_operations() {
    let mut cached = closed_trial("chat", 1, 3, S, 40 * MS, 201);
    for observation in &mut cached.observations {
        observation.usage = Some(Usage { prompt_tokens: 100, completion_tokens: 201, cached_tokens: Some(60) });
    }
    about(decode(LLAMA, &cached).share, 25.0 * (8e9 + 140.5 * 65_536.0) / 273e9);
    let model = roofline(LLAMA).model;
    about(prefill(LLAMA, &cached).unwrap().share, model.prefill_flops(40.0) / 250e12);
    cached.cell.prefix_reuse = PrefixReuse::Allowed;
    assert_eq!(prefill(LLAMA, &cached), None);
}

#[test]
fn prefill_share_counts_the_time_while_any_request_waits() {
    let model = roofline(LLAMA).model;
    let alone = prefill(LLAMA, &closed_trial("long-prefill", 1, 3, S, 40 * MS, 11)).unwrap();
    about(alone.tok_s, 100.0);
    about(alone.share, model.prefill_flops(100.0) / 250e12);
    // In FP4.
    about(alone.sure_share * 2.0, alone.share);
    about(alone.ceiling_tok_s(), 250e12 / (15e9 + 50.0 * 524_288.0));
    // Four that wait together for their first tokens.
    let together = prefill(LLAMA, &closed_trial("long-prefill", 4, 3, S, 40 * MS, 11)).unwrap();
    about(together.share, 4.0 * model.prefill_flops(100.0) / 250e12);
}

#[test]
fn undescribed_model_or_unknown_tokens_have_no_distance() {
    let sound = closed_trial("chat", 1, 3, S, 40 * MS, 201);
    assert_eq!(Roofline::of(&record(Vec::new()).header, &[]), None);
    let limits = roofline(LLAMA);
    let empty = Trial { observations: Vec::new(), ..sound.clone() };
    assert!(limits.distance(&empty, None).is_empty());
    let mut uncounted = sound.clone();
    for observation in &mut uncounted.observations {
        (observation.token_source, observation.usage) = (TokenSource::None, None);
    }
    assert!(limits.distance(&uncounted, None).is_empty());
    // One token has no step after it.
    assert_eq!(limits.distance(&closed_trial("chat", 2, 3, S, 40 * MS, 1), None).decode, None);
}

fn ns(seconds: f64) -> u64 {
    u64::try_from(std::time::Duration::from_secs_f64(seconds).as_nanos()).unwrap()
}

/// A server that takes no longer than the limit, serving whatever comes: a step for all that run, then the next.
fn at_the_limit(limits: &Roofline, prompts: &[(u64, u32, u32)]) -> Trial {
    struct Run {
        send_ns: u64,
        prompt: u32,
        tokens: u32,
        chunks: Vec<(u64, u32)>,
    }
    let mut runs: Vec<Run> =
        prompts.iter().map(|&(send_ns, prompt, tokens)| Run { send_ns, prompt, tokens, chunks: Vec::new() }).collect();
    runs.sort_by_key(|run| run.send_ns);
    let is_left = |run: &Run| run.chunks.len() < run.tokens as usize;
    let mut now_ns = 0_u64;
    while runs.iter().any(is_left) {
        // Whoever came is read first, one after another.
        if let Some(run) = runs.iter_mut().find(|run| run.chunks.is_empty() && run.send_ns <= now_ns) {
            now_ns += ns(limits.model.prefill_flops(f64::from(run.prompt)) / limits.flops());
            run.chunks.push((now_ns, 1));
            continue;
        }
        let mut running: Vec<&mut Run> = runs.iter_mut().filter(|run| !run.chunks.is_empty() && is_left(run)).collect();
        if running.is_empty() {
            now_ns = runs.iter().filter(|run| run.chunks.is_empty()).map(|run| run.send_ns).min().unwrap_or(now_ns);
            continue;
        }
        let cache = limits.model.cache_bytes_per_token();
        let context: f64 = running.iter().map(|run| f64::from(run.prompt) + run.chunks.len() as f64).sum();
        let bytes = limits.model.decode_bytes(running.len() as f64, 0.0) + context * cache;
        now_ns += ns(bytes / limits.bandwidth());
        for run in &mut running {
            let tokens = u32::try_from(run.chunks.len()).unwrap() + 1;
            run.chunks.push((now_ns, tokens));
        }
    }
    let observation = |run: Run| {
        let mut one = served(run.send_ns, run.send_ns, &run.chunks);
        one.usage = Some(Usage { prompt_tokens: run.prompt, completion_tokens: run.tokens, cached_tokens: Some(0) });
        one
    };
    trial(cell("any", "any", open()), runs.into_iter().map(observation).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn trial_at_the_limit_is_not_above_it(
        prompts in prop::collection::vec((0_u64..5_000_000_000, 1_u32..3000, 1_u32..40), 1..24),
        model in prop::sample::select(vec![LLAMA, MIXTURE, "nemotron-nano-9b-v2-nvfp4"]),
    ) {
        let limits = roofline(model);
        let distance = limits.distance(&at_the_limit(&limits, &prompts), None);
        for utilisation in [distance.decode, distance.prefill].into_iter().flatten() {
            prop_assert!(utilisation.share > 0.0 && utilisation.share <= 1.0 + 1e-6, "{:?}", distance);
            prop_assert!(utilisation.sure_share <= utilisation.share * (1.0 + 1e-9), "{:?}", distance);
        }
    }
}

#[test]
fn long_answers_at_the_limit_reach_most_of_it() {
    // Long answers of equal streams: what the bound leaves out is the second byte of the cache's numbers and the prefill of others.
    let limits = roofline(LLAMA);
    for streams in [1, 8, 32] {
        let trial = at_the_limit(&limits, &vec![(0, 200, 400); streams]);
        let distance = limits.distance(&trial, None);
        assert!(distance.decode.unwrap().share > 0.8, "{streams}: {distance:?}");
        assert!(distance.prefill.unwrap().share > 0.99, "{streams}: {distance:?}");
    }
}
