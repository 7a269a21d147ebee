//! Tokens that are guessed and checked together.

use super::{FinishedRequest, Params, Server, Speculative, drain, quiet, request};

fn guessing(draft_tokens: u32, acceptance_ppm: u32) -> Params {
    let speculative = Speculative { draft_tokens, acceptance_ppm, draft_ns: 3_000_000 };
    Params { speculative: Some(speculative), ..quiet() }
}

fn alone(params: Params, output_tokens: u32) -> (FinishedRequest, Server) {
    let mut server = Server::new(params, 1).unwrap();
    server.submit(0, request(1, 100, output_tokens)).unwrap();
    (drain(&mut server).remove(0), server)
}

#[test]
fn accepted_drafts_arrive_with_their_step_and_never_exceed_the_output() {
    // One token of the prefill, then four per step, and in the last one what is lacking.
    for (output_tokens, steps) in [(1, 1), (2, 2), (5, 2), (8, 3), (9, 3), (10, 4)] {
        let (finished, server) = alone(guessing(3, 1_000_000), output_tokens);
        let stamps_ns = finished.stamps_ns;
        assert_eq!((stamps_ns.len(), server.totals().steps), (output_tokens as usize, steps), "{output_tokens}");
        assert!(stamps_ns.is_sorted());
        for (place, pair) in stamps_ns.windows(2).enumerate() {
            assert_eq!(pair[0] < pair[1], place % 4 == 0, "{stamps_ns:?}");
        }
        let totals = server.totals();
        assert_eq!((totals.draft_tokens, totals.accepted_tokens), (3 * (steps - 1), u64::from(output_tokens) - steps));
    }
}

#[test]
fn rejected_drafts_cost_their_step_the_draft_and_the_verification() {
    let step_ns = |params: &Params| {
        let stamps_ns = alone(params.clone(), 3).0.stamps_ns;
        stamps_ns[2] - stamps_ns[1]
    };
    let wrong = guessing(3, 0);
    assert_eq!(step_ns(&wrong) - step_ns(&quiet()), 3_000_000 + wrong.experts_ns(4) - wrong.experts_ns(1));
    // The prefill of the first step guesses nothing.
    assert_eq!(alone(wrong, 1).0, alone(quiet(), 1).0);
}

#[test]
fn zero_acceptance_changes_no_stamps_and_drafts_share_the_noise() {
    let noisy = |params: Params| Params { noise: Params::default().noise, ..params };
    let stamps_ns = |params: Params| alone(noisy(params), 50).0.stamps_ns;
    let free = |acceptance_ppm| {
        let speculative = Speculative { draft_tokens: 1, acceptance_ppm, draft_ns: 0 };
        let mut params = Params { speculative: Some(speculative), ..quiet() };
        // Checking costs nothing either.
        params.decode.experts_ns = 0;
        params
    };
    let plain = Params { speculative: None, ..free(0) };
    assert_eq!(stamps_ns(free(0)), stamps_ns(plain));
    // Two tokens per step: the context differs, the noise does not.
    let (one, two) = (stamps_ns(free(0)), stamps_ns(free(1_000_000)));
    assert!((one[20] as f64 / two[40] as f64 - 1.0).abs() < 1e-3, "{} {}", one[20], two[40]);
}

#[test]
fn drafts_have_memory_before_they_are_verified() {
    // Two of up to 63 tokens in four blocks of 16, with five tokens per step, so that both come to the end of a block in the middle of one.
    for prompt_tokens in 17..24 {
        let params =
            Params { max_context_tokens: 64, kv_tokens: 64, max_sequences: 4, max_step_tokens: 64, ..guessing(4, 1_000_000) };
        let mut server = Server::new(params, 1).unwrap();
        for id in [1, 2] {
            server.submit(0, request(id, prompt_tokens, 40)).unwrap();
        }
        while let Some(t_ns) = server.next_event_ns() {
            server.advance_to(t_ns);
            assert!(server.kv_used() <= 64, "{prompt_tokens}");
            server.memory.audit(server.running.iter().map(|sequence| &sequence.held));
        }
        let ends: Vec<_> = server.take_finished().iter().map(|one| (one.id, one.stamps_ns.len())).collect();
        assert_eq!(ends, [(1, 40), (2, 40)]);
        assert!(server.totals().preemptions > 0);
    }
}
