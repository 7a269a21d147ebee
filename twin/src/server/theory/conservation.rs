//! Conservation of tokens, memory and time, on random machines with random loads.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::server::{Params, Phase, Server, Slowdown, Speculative, Submission, Totals, block_hashes};

/// A machine on which slots, memory and a step's tokens run out.
fn machines() -> impl Strategy<Value = Params> {
    let guesses = proptest::option::of((1..5_u32, 0..=1_000_000_u32, 0..5_000_000_u64));
    let features = (any::<bool>(), any::<bool>(), any::<bool>(), prop_oneof![3 => Just(0), 1 => 1..2_000_000_u32]);
    (1..5_u32, 1..16_u32, 1..20_u32, 70..120_u32, guesses, features).prop_map(
        |(slots, spare, block_tokens, kv_tokens, guesses, features)| {
            let (prefix_cache, shared_prefix_once, async_scheduling, queue_ppm) = features;
            let guess = |(draft_tokens, acceptance_ppm, draft_ns)| Speculative { draft_tokens, acceptance_ppm, draft_ns };
            let speculative = guesses.map(guess);
            Params {
                max_context_tokens: 64,
                max_sequences: slots,
                max_step_tokens: slots * (1 + speculative.map_or(0, |guess| guess.draft_tokens)) + spare,
                kv_tokens,
                block_tokens,
                prefix_cache,
                shared_prefix_once,
                async_scheduling,
                speculative,
                slower: Slowdown { queue_ppm, ..Slowdown::default() },
                ..Params::default()
            }
        },
    )
}

#[derive(Debug, Clone)]
struct TimedRequest {
    t_ns: u64,
    cancel_ns: Option<u64>,
    request: Submission,
}

/// When, prompt, cached, output, branch and twig of the text, and when it is given up.
type RequestDraw = (u64, u32, u32, u32, Option<(u64, u64)>, Option<u64>);

/// Requests of a few texts that part after 12 tokens, and again after 24, with blocks as on this machine. Some say nothing of theirs.
fn loads(block_tokens: u32) -> impl Strategy<Value = Vec<TimedRequest>> {
    let cancels = proptest::option::weighted(0.15, 1..3_000_000_000_u64);
    let cached = prop_oneof![4 => Just(0), 1 => 1..40_u32];
    let one =
        (0..3_000_000_000_u64, 1..28_u32, cached, 1..24_u32, proptest::option::weighted(0.8, (0..3_u64, 0..2_u64)), cancels);
    prop::collection::vec(one, 1..30).prop_map(move |mut all| {
        all.sort_unstable();
        let timed = |(id, (t_ns, prompt_tokens, cached_tokens, output_tokens, text, cancel_ns)): (u64, RequestDraw)| {
            let hashes = |(branch, twig): (u64, u64)| {
                let token = |place| place + if place < 12 { 0 } else { 100 * branch } + if place < 24 { 0 } else { 1000 * twig };
                block_hashes((0..u64::from(prompt_tokens + output_tokens)).map(token), block_tokens)
            };
            let request = Submission { id, prompt_tokens, cached_tokens, output_tokens, prompt: text.map(hashes) };
            TimedRequest { t_ns, cancel_ns, request }
        };
        (0..).zip(all).map(timed).collect()
    })
}

fn cases() -> impl Strategy<Value = (Params, Vec<TimedRequest>)> {
    machines().prop_flat_map(|params| {
        let load = loads(params.block_tokens);
        (Just(params), load)
    })
}

/// What must hold of a server at any time.
fn check(server: &Server) {
    let params = server.params();
    server.memory.audit(server.running.iter().map(|sequence| &sequence.held));
    assert!(server.kv_used() <= params.kv_tokens);
    assert!(server.running() <= params.max_sequences as usize);
    for sequence in &server.running {
        let tokens = if sequence.decodes() { sequence.context() } else { sequence.to_compute + 1 };
        assert_eq!(sequence.held.blocks(), tokens.div_ceil(params.block_tokens), "{sequence:?}");
    }
    for sequence in &server.waiting {
        assert_eq!(sequence.held.blocks(), 0);
    }
    if let Phase::Step { .. } = server.phase {
        let decoding = server.running.iter().filter(|sequence| sequence.decodes()).count() as u64;
        let prefill: u64 = server.running.iter().filter(|one| !one.decodes()).map(|one| u64::from(one.in_step)).sum();
        assert!(decoding * u64::from(params.tokens_per_decode()) + prefill <= params.max_step_tokens.into());
    }
}

/// Totals that the test counts itself, from the server's state at each event.
#[derive(Debug, Default)]
struct EventTally {
    /// The length of all steps.
    busy_ns: u64,
    /// Requests times the nanoseconds for which they were there and had never run.
    queued_ns: u64,
    /// Requests times the nanoseconds for which they were there.
    there_ns: u64,
    elapsed_ns: u64,
    /// When each request got its tokens, whether all or not.
    ended: BTreeMap<u64, Vec<u64>>,
}

fn play(params: &Params, load: &[TimedRequest], seed: u64) -> (EventTally, Totals) {
    let mut server = Server::new(params.clone(), seed).unwrap();
    let mut orders: Vec<_> = load.iter().map(|timed| (timed.t_ns, timed.request.id, true)).collect();
    orders.extend(load.iter().filter_map(|timed| Some((timed.t_ns + timed.cancel_ns?, timed.request.id, false))));
    orders.sort_unstable();
    let mut orders = orders.into_iter().peekable();
    let (mut tally, mut before_ns, mut steps) = (EventTally::default(), load[0].t_ns, 0);
    loop {
        let order_ns = orders.peek().map(|&(t_ns, ..)| t_ns);
        let Some(now_ns) = server.next_event_ns().into_iter().chain(order_ns).min() else { break };
        let never_ran = server.waiting.iter().filter(|sequence| sequence.queued_ns.is_some()).count() as u64;
        let there = (server.running() + server.waiting()) as u64;
        tally.queued_ns += never_ran * (now_ns - before_ns);
        tally.there_ns += there * (now_ns - before_ns);
        tally.elapsed_ns += now_ns - before_ns;
        before_ns = now_ns;
        server.advance_to(now_ns);
        if let Phase::Step { end_ns } = server.phase
            && server.totals().steps > steps
        {
            steps = server.totals().steps;
            tally.busy_ns += end_ns - now_ns;
        }
        while let Some((_, id, submits)) = orders.next_if(|&(t_ns, ..)| t_ns == now_ns) {
            if submits {
                server.submit(now_ns, load[usize::try_from(id).unwrap()].request.clone()).unwrap();
            } else if let Some(stamps_ns) = server.cancel(id) {
                tally.ended.insert(id, stamps_ns);
            }
        }
        tally.ended.extend(server.take_finished().into_iter().map(|one| (one.id, one.stamps_ns)));
        check(&server);
    }
    assert_eq!((server.running(), server.waiting(), server.kv_used()), (0, 0, 0), "nothing is left");
    (tally, server.totals())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn tokens_memory_and_time_add_up((params, load) in cases(), seed: u64) {
        let (tally, totals) = play(&params, &load, seed);
        prop_assert_eq!(tally.ended.len(), load.len());
        for timed in &load {
            let stamps_ns = &tally.ended[&timed.request.id];
            let wanted = timed.request.output_tokens as usize;
            prop_assert!(stamps_ns.len() == wanted || timed.cancel_ns.is_some() && stamps_ns.len() < wanted);
            prop_assert!(stamps_ns.first().is_none_or(|&first_ns| first_ns > timed.t_ns));
            let guesses = params.speculative.is_some();
            prop_assert!(stamps_ns.windows(2).all(|pair| pair[0] < pair[1] || guesses && pair[0] == pair[1]));
        }
        let given: usize = tally.ended.values().map(Vec::len).sum();
        prop_assert_eq!(given as u64, totals.generation_tokens);
        prop_assert_eq!(tally.busy_ns, totals.busy_ns);
        prop_assert!(tally.busy_ns <= tally.elapsed_ns);
        prop_assert!(totals.prefix_hit_tokens <= totals.prefix_query_tokens);
        prop_assert!(totals.accepted_tokens <= totals.draft_tokens);
        prop_assert!(params.prefix_cache || totals.prefix_query_tokens == 0);
        prop_assert!(params.speculative.is_some() || totals.draft_tokens == 0);
        prop_assert!(totals.preemptions > 0 || totals.lost_tokens == 0);
    }

    /// Without cancellations the totals hold to the token and to the nanosecond.
    #[test]
    fn prompt_tokens_are_computed_or_cached((params, load) in cases(), seed: u64) {
        let load: Vec<_> = load.into_iter().map(|timed| TimedRequest { cancel_ns: None, ..timed }).collect();
        let (tally, totals) = play(&params, &load, seed);
        let sum = |of: fn(&Submission) -> u32| load.iter().map(|timed| u64::from(of(&timed.request))).sum::<u64>();
        prop_assert_eq!(totals.generation_tokens, sum(|request| request.output_tokens));
        prop_assert_eq!(totals.prompt_tokens, sum(|request| request.prompt_tokens));
        prop_assert_eq!((totals.finished, totals.admitted), (load.len() as u64, load.len() as u64));
        prop_assert_eq!(totals.prefill_tokens + totals.reused_tokens, totals.prompt_tokens + totals.lost_tokens);
        if params.prefix_cache {
            prop_assert_eq!(totals.prefix_query_tokens, totals.prompt_tokens);
        }
        // Little: what each waits, summed, is how many wait, summed over time; and so for their whole stay.
        prop_assert_eq!(tally.queued_ns, totals.queue_ns);
        let stays = load.iter().map(|timed| tally.ended[&timed.request.id].last().unwrap() - timed.t_ns);
        prop_assert_eq!(tally.there_ns, stays.sum::<u64>());
    }

    /// Nothing depends on the order of a hash map.
    #[test]
    fn same_seed_gives_same_run((params, load) in cases(), seed: u64) {
        let (one, other) = (play(&params, &load, seed), play(&params, &load, seed));
        prop_assert_eq!((one.0.ended, one.1), (other.0.ended, other.1));
    }
}
