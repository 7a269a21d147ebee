use proptest::prelude::*;

use super::*;
use crate::fixture::{MS, S, even, rejected, served};

fn close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() < 1e-6 * expected.abs().max(1.0)
}

#[test]
fn tokens_are_spread_over_the_gap_before_them() {
    // One token at 1 s, then 10 in the second until 2 s.
    let curve = TokenCurve::of(&[served(0, 0, &[(S, 1), (2 * S, 11)])]);
    let table =
        [(0, S - 1, 0.0), (0, S, 1.0), (S, S + 500 * MS, 6.0), (S + 1, 2 * S, 10.0), (0, 9 * S, 11.0), (3 * S, 4 * S, 0.0)];
    for (from, to, expected) in table {
        assert!(close(curve.inside(from, to), expected), "{from} to {to}: {}", curve.inside(from, to));
    }
}

#[test]
fn peak_is_the_best_second() {
    // 50 tok/s for 20 s, one by one or 16 in a chunk: the best second has 50 either way.
    let one_by_one = TokenCurve::of(&[even(0, 20 * MS, 20 * MS, 1000)]);
    let chunks: Vec<_> = (0..60).map(|n| (n * 320 * MS + 20 * MS, u32::try_from(n).unwrap() * 16 + 1)).collect();
    let in_chunks = TokenCurve::of(&[served(0, 0, &chunks)]);
    // The very first token is no rate, it comes at once.
    assert!(close(one_by_one.peak_tok_s().unwrap(), 51.0), "{:?}", one_by_one.peak_tok_s());
    assert!(close(in_chunks.peak_tok_s().unwrap(), 51.0), "{:?}", in_chunks.peak_tok_s());
    // Two streams overlap for two seconds out of six.
    let overlap = TokenCurve::of(&[even(0, MS, 100 * MS, 41), even(2 * S, MS, 100 * MS, 41)]);
    assert!(close(overlap.peak_tok_s().unwrap(), 21.0), "{:?}", overlap.peak_tok_s());
    assert_eq!(TokenCurve::of(&[rejected(0, S)]).peak_tok_s(), None);
}

#[test]
fn tokens_of_failed_requests_count() {
    let failed = Observation { outcome: record::Outcome::TimedOut { detail: String::new() }, ..even(0, MS, MS, 7) };
    assert!(close(TokenCurve::of(&[failed]).inside(0, S), 7.0));
}

/// Requests as (send, gaps with their tokens) in units of 50 ms.
fn requests() -> impl Strategy<Value = Vec<Observation>> {
    let request = (0_u64..40, prop::collection::vec((1_u64..30, 1_u32..9), 1..12));
    prop::collection::vec(request, 1..8).prop_map(|requests| {
        let make = |(send, steps): (u64, Vec<(u64, u32)>)| {
            let (mut t_ns, mut tokens) = (send * 50 * MS, 0);
            let chunks: Vec<_> = steps
                .into_iter()
                .map(|(gap, added)| {
                    (t_ns, tokens) = (t_ns + gap * 50 * MS, tokens + added);
                    (t_ns, tokens)
                })
                .collect();
            served(send * 50 * MS, send * 50 * MS, &chunks)
        };
        requests.into_iter().map(make).collect()
    })
}

/// Tokens inside a closed window, arrival by arrival.
fn brute(observations: &[Observation], from: u64, to: u64) -> f64 {
    let of_one = |observation: &Observation| {
        let (first_ns, in_first) = arrivals::first(observation).unwrap();
        let at_first = if (from..=to).contains(&first_ns) { f64::from(in_first) } else { 0.0 };
        let rest = arrivals::rest(observation).map(|arrival| {
            let begin = arrival.t_ns - arrival.gap_ns;
            let shared = arrival.t_ns.min(to).saturating_sub(begin.max(from));
            f64::from(arrival.tokens) * shared as f64 / arrival.gap_ns as f64
        });
        at_first + rest.sum::<f64>()
    };
    observations.iter().map(of_one).sum()
}

proptest! {
    #[test]
    fn window_holds_the_tokens_that_arrived_in_it(observations in requests(), from in 0_u64..4_000, length in 0_u64..4_000) {
        let (from, to) = (from * MS, (from + length) * MS);
        let actual = TokenCurve::of(&observations).inside(from, to);
        prop_assert!(close(actual, brute(&observations, from, to)), "{actual} {}", brute(&observations, from, to));
    }

    #[test]
    fn no_window_exceeds_the_peak(observations in requests(), from in 0_u64..20_000) {
        let peak = TokenCurve::of(&observations).peak_tok_s().unwrap();
        prop_assert!(brute(&observations, from * MS, from * MS + S) <= peak + 1e-6);
        // And some window reaches it: one that begins or ends at an arrival.
        let stamps = observations.iter().flat_map(|observation| observation.chunks.iter().map(|chunk| chunk.t_ns));
        let best = stamps
            .flat_map(|t| [brute(&observations, t, t + S), brute(&observations, t.saturating_sub(S), t)])
            .fold(0.0, f64::max);
        prop_assert!(close(peak, best), "{peak} {best}");
    }

    #[test]
    fn peak_is_never_below_the_mean(observations in requests()) {
        let seconds = observations.iter().filter_map(|observation| observation.end_ns).max().unwrap() as f64 / 1e9;
        let tokens: f64 = observations.iter().filter_map(Observation::output_tokens).map(f64::from).sum();
        let peak = TokenCurve::of(&observations).peak_tok_s().unwrap();
        prop_assert!(peak + 1e-6 >= tokens / seconds.ceil());
    }
}
