//! Prompts that begin alike, with a prefix cache.

use super::{Params, Server, Submission, drain, quiet, request};
use crate::server::block_hashes;

fn cached() -> Params {
    Params { prefix_cache: true, ..quiet() }
}

/// A request whose text, prompt and output, is the beginning of text number `text`.
fn of_text(id: u64, text: u64, prompt_tokens: u32, output_tokens: u32) -> Submission {
    let tokens = (0..u64::from(prompt_tokens + output_tokens)).map(|place| text << 32 | place);
    Submission { prompt: Some(block_hashes(tokens, 16)), ..request(id, prompt_tokens, output_tokens) }
}

/// Serves one alone and gives its first stamp, from when it came.
fn ttft_ns(server: &mut Server, request: Submission) -> u64 {
    let now_ns = server.now_ns;
    server.submit(now_ns, request).unwrap();
    drain(server)[0].stamps_ns[0] - now_ns
}

fn hits(server: &Server) -> (u64, u64) {
    (server.totals().prefix_query_tokens, server.totals().prefix_hit_tokens)
}

#[test]
fn cached_prefix_costs_the_same_as_cached_tokens_of_the_caller() {
    // 62 full blocks of 1000 tokens; of 1024 not all 64, as one token has to be computed.
    for (prompt_tokens, found) in [(1000, 992), (1024, 1008), (16, 0), (17, 16)] {
        let mut server = Server::new(cached(), 1).unwrap();
        let cold_ns = ttft_ns(&mut server, of_text(1, 7, prompt_tokens, 5));
        let warm_ns = ttft_ns(&mut server, of_text(2, 7, prompt_tokens, 5));
        let mut other = Server::new(quiet(), 1).unwrap();
        assert_eq!(cold_ns, ttft_ns(&mut other, request(1, prompt_tokens, 5)));
        assert_eq!(warm_ns, ttft_ns(&mut other, Submission { cached_tokens: found, ..request(2, prompt_tokens, 5) }));
        assert_eq!(hits(&server), (2 * u64::from(prompt_tokens), found.into()), "{prompt_tokens}");
        assert_eq!(server.kv_used(), 0, "what the cache keeps is not in use");
    }
}

#[test]
fn only_the_common_prefix_is_a_hit() {
    let mut server = Server::new(cached(), 1).unwrap();
    ttft_ns(&mut server, of_text(1, 1, 400, 1));
    ttft_ns(&mut server, of_text(2, 2, 400, 1));
    assert_eq!(hits(&server).1, 0);
    // 100 tokens of the first text, then others: six full blocks.
    let tokens = (0..400u64).map(|place| if place < 100 { 1 << 32 | place } else { 9 << 32 | place });
    ttft_ns(&mut server, Submission { prompt: Some(block_hashes(tokens, 16)), ..request(3, 400, 1) });
    assert_eq!(hits(&server).1, 96);
    // A request that says nothing of its prompt is asked for and not found.
    ttft_ns(&mut server, request(4, 400, 1));
    assert_eq!(hits(&server), (1600, 96));
}

#[test]
fn next_turn_hits_the_previous_answer() {
    let mut server = Server::new(cached(), 1).unwrap();
    ttft_ns(&mut server, of_text(1, 3, 100, 60));
    // 160 tokens before, less the last one, which was never read: nine full blocks.
    ttft_ns(&mut server, of_text(2, 3, 200, 10));
    assert_eq!(hits(&server).1, 144);
}

#[test]
fn concurrent_requests_share_prefix_blocks() {
    let mut server = Server::new(cached(), 1).unwrap();
    for id in 0..10 {
        server.submit(0, of_text(id, 5, 1600, 20)).unwrap();
    }
    server.advance_to(0);
    // The first computes it all, those behind it in the same step find 99 blocks and compute the last 16 tokens themselves.
    assert_eq!((server.running(), hits(&server).1), (10, 9 * 1584));
    // 101 blocks for 1601 tokens, and two more for each of the other nine.
    assert_eq!(server.kv_used() / 16, 101 + 9 * 2);
    drain(&mut server);
    assert_eq!(server.kv_used(), 0);
}

#[test]
fn oldest_idle_block_is_evicted_first() {
    // 17 blocks; each text takes seven of them, of which six are found again.
    let params = Params { max_context_tokens: 272, kv_tokens: 272, ..cached() };
    let mut server = Server::new(params, 1).unwrap();
    let mut hit = |text| {
        let before = hits(&server).1;
        ttft_ns(&mut server, of_text(0, text, 100, 1));
        hits(&server).1 - before
    };
    // The third takes the last two blocks of the first. Then the first takes two of the second, which is now the oldest, and so on.
    assert_eq!([1, 2, 3, 3, 1, 2, 3].map(&mut hit), [0, 0, 0, 96, 64, 64, 64]);
}

#[test]
fn boot_or_reset_empties_the_cache() {
    let mut server = Server::new(cached(), 1).unwrap();
    ttft_ns(&mut server, of_text(1, 1, 100, 1));
    server.begin_trial(1);
    ttft_ns(&mut server, of_text(1, 1, 100, 1));
    assert_eq!(hits(&server).1, 96, "a trial does not");
    server.forget_prefixes();
    ttft_ns(&mut server, of_text(1, 1, 100, 1));
    server.begin_boot(1);
    ttft_ns(&mut server, of_text(1, 1, 100, 1));
    assert_eq!(hits(&server).1, 96);
}

#[test]
fn preempted_request_reuses_its_blocks() {
    let params = Params { max_context_tokens: 640, kv_tokens: 640, ..cached() };
    let play = |params: &Params| {
        let mut server = Server::new(params.clone(), 1).unwrap();
        server.submit(0, of_text(1, 1, 200, 200)).unwrap();
        server.submit(0, of_text(2, 2, 200, 200)).unwrap();
        assert_eq!(drain(&mut server).len(), 2);
        server.totals()
    };
    let (with, without) = (play(&params), play(&Params { prefix_cache: false, ..params.clone() }));
    assert!(with.preemptions > 0 && with.preemptions == without.preemptions, "{with:?}");
    assert!(with.reused_tokens > 200 && without.reused_tokens == 0, "{with:?}");
    assert_eq!(with.prefix_hit_tokens, 0, "what it lost itself is no hit");
    for totals in [with, without] {
        assert_eq!(totals.prefill_tokens + totals.reused_tokens, totals.prompt_tokens + totals.lost_tokens);
    }
}

#[test]
fn common_prefix_is_read_once_with_shared_prefix_once() {
    let step_ns = |params: Params, shared: bool| {
        let mut server = Server::new(params, 1).unwrap();
        for id in 0..8 {
            server.submit(0, of_text(id, if shared { 0 } else { id }, 1601, 3)).unwrap();
        }
        let stamps_ns = drain(&mut server).pop().unwrap().stamps_ns;
        stamps_ns[2] - stamps_ns[1]
    };
    let once = Params { shared_prefix_once: true, ..cached() };
    assert_eq!(step_ns(once.clone(), false), step_ns(cached(), false), "nothing is common");
    // Seven times 1600 tokens are not read.
    assert_eq!(step_ns(cached(), true) - step_ns(once, true), 7 * 1600 * 135);
}

#[test]
fn prompt_hashes_without_a_cache_change_nothing() {
    let play = |params: &Params, text: bool| {
        let mut server = Server::new(params.clone(), 1).unwrap();
        for id in 0..5 {
            let request = if text { of_text(id, 1, 300, 40) } else { request(id, 300, 40) };
            server.submit(0, request).unwrap();
        }
        (drain(&mut server), server.totals())
    };
    assert_eq!(play(&quiet(), true), play(&quiet(), false));
    assert_eq!(play(&cached(), false).0, play(&quiet(), false).0, "and where nothing is known, nothing is found");
}
