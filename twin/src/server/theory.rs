//! The server against closed forms of queueing theory and of speculative decoding.

use proptest::prelude::*;

use super::{DecodeCost, Noise, Params, PrefillCost, Server, Speculative, Submission};
use crate::{chance::Chance, nearest::nearest_u64};

mod conservation;

/// Serves one at a time, each in a step of `service_ns`.
fn one_at_a_time(service_ns: u64) -> Server {
    let decode = DecodeCost {
        base_ns: service_ns,
        per_sequence_ns: 0,
        per_context_token_ps: 0,
        experts_ns: 0,
        expert_share_ppm: 0,
        expert_choice_ppm: 1_000_000,
    };
    let noise = Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 };
    let params = Params { max_sequences: 1, decode, prefill: PrefillCost::default(), noise, ..Params::default() };
    Server::new(params, 1).unwrap()
}

fn one_token(id: u64) -> Submission {
    Submission { id, prompt_tokens: 1, cached_tokens: 0, output_tokens: 1, prompt: None }
}

/// How long each of these arrivals waits before its service, in nanoseconds.
fn waits_ns(service_ns: u64, arrivals_ns: &[u64]) -> Vec<u64> {
    let mut server = one_at_a_time(service_ns);
    let mut ends = Vec::new();
    for (id, &t_ns) in (0..).zip(arrivals_ns) {
        server.advance_to(t_ns);
        server.submit(t_ns, one_token(id)).unwrap();
        ends.append(&mut server.take_finished());
    }
    server.advance_to(u64::MAX - 1);
    ends.append(&mut server.take_finished());
    // First come, first served.
    assert!(ends.iter().zip(0..).all(|(end, id)| end.id == id));
    let waits_ns: Vec<_> = ends.iter().zip(arrivals_ns).map(|(end, t_ns)| end.stamps_ns[0] - t_ns - service_ns).collect();
    assert_eq!(waits_ns.iter().sum::<u64>(), server.totals().queue_ns, "its own account");
    assert_eq!(server.totals().busy_ns, service_ns * arrivals_ns.len() as u64);
    waits_ns
}

proptest! {
    /// Lindley: a request that arrives `gap` after one with the wait `w` waits for what is left of `w` and its service.
    #[test]
    fn waits_follow_lindleys_recursion(service_ns in 1..1000_u64, gaps in prop::collection::vec(0..2000_u64, 1..200)) {
        let arrivals_ns: Vec<_> = gaps.iter().scan(0, |t_ns, gap| { *t_ns += gap; Some(*t_ns) }).collect();
        let mut expected = vec![0];
        for gap in &gaps[1..] {
            expected.push((expected[expected.len() - 1] + service_ns).saturating_sub(*gap));
        }
        prop_assert_eq!(waits_ns(service_ns, &arrivals_ns), expected);
    }
}

/// A uniform number between 0 and 1, neither included.
fn uniform(chance: &mut Chance) -> f64 {
    ((chance.word() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// The mean of correlated values and its standard error, from the means of 50 batches of neighbours.
fn batch_means(values: &[u64]) -> (f64, f64) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let batches: Vec<_> = values
        .chunks_exact(values.len() / 50)
        .map(|batch| mean(&batch.iter().map(|&value| value as f64).collect::<Vec<_>>()))
        .collect();
    let centre = mean(&batches);
    let variance = batches.iter().map(|batch| (batch - centre).powi(2)).sum::<f64>() / (batches.len() - 1) as f64;
    (centre, (variance / batches.len() as f64).sqrt())
}

/// Pollaczek and Khinchine for a service that does not vary: `rho * s / (2 (1 - rho))`.
#[test]
fn mean_wait_of_poisson_arrivals_is_that_of_an_m_d_1_queue() {
    const SERVICE_NS: u64 = 1_000_000;
    for (seed, rho) in [(1, 0.3), (2, 0.6), (3, 0.8)] {
        let mut chance = Chance::new(seed);
        let mut t_ns = 0.0;
        let arrivals_ns: Vec<_> = (0..200_000)
            .map(|_| {
                t_ns -= libm::log(uniform(&mut chance)) * SERVICE_NS as f64 / rho;
                nearest_u64(t_ns)
            })
            .collect();
        // It starts empty; some thousand services later that is forgotten.
        let (mean_ns, se_ns) = batch_means(&waits_ns(SERVICE_NS, &arrivals_ns)[5_000..]);
        let expected_ns = rho * SERVICE_NS as f64 / (2.0 * (1.0 - rho));
        assert!(4.0 * se_ns < 0.1 * expected_ns, "rho {rho}: {mean_ns} +- {se_ns} would show nothing");
        assert!((mean_ns - expected_ns).abs() < 4.0 * se_ns, "rho {rho}: {mean_ns} +- {se_ns}, not {expected_ns}");
    }
}

/// `(1 - a^(k+1)) / (1 - a)`: Leviathan, Kalman and Matias, "Fast inference from transformers via speculative decoding", 2023.
#[test]
fn speculative_step_yields_the_expected_tokens() {
    for (seed, draft_tokens, acceptance_ppm) in [(1, 1, 500_000), (2, 3, 700_000), (3, 5, 900_000), (4, 4, 0), (5, 2, 1_000_000)]
    {
        let speculative = Some(Speculative { draft_tokens, acceptance_ppm, draft_ns: 0 });
        let mut server = Server::new(Params { speculative, ..Params::default() }, seed).unwrap();
        // One at a time, so that a step is one draw.
        let output_tokens = 100_000;
        server.submit(0, Submission { output_tokens, ..one_token(1) }).unwrap();
        server.advance_to(u64::MAX / 2);
        let totals = server.totals();
        assert_eq!(totals.generation_tokens, u64::from(output_tokens));
        // Less the prefill.
        let steps = (totals.steps - 1) as f64;
        let mean = f64::from(output_tokens - 1) / steps;
        let right = f64::from(acceptance_ppm) / 1e6;
        let at_least = |tokens: u32| right.powi(tokens.cast_signed());
        let expected: f64 = (0..=draft_tokens).map(at_least).sum();
        let of_squares: f64 = (0..=draft_tokens).map(|tokens| f64::from(2 * tokens + 1) * at_least(tokens)).sum();
        let se = ((of_squares - expected * expected).max(0.0) / steps).sqrt();
        // The last step may be cut off.
        let rest = f64::from(draft_tokens) / steps;
        assert!(se < 0.02 * expected, "{draft_tokens} guesses: {se} would show nothing");
        assert!((mean - expected).abs() <= 4.0 * se + rest, "{draft_tokens} guesses: {mean} +- {se}, not {expected}");
        assert_eq!(totals.draft_tokens, u64::from(draft_tokens) * (totals.steps - 1));
        assert_eq!(totals.accepted_tokens + totals.steps, u64::from(output_tokens));
    }
}
