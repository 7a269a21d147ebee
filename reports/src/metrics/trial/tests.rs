use proptest::prelude::*;
use record::{Chunk, Chunks, Metric, Outcome, TokenSource, Usage};

use super::*;
use crate::{
    fixture::{MS, S, cell, closed, closed_trial, even, open, rejected, served, trial},
    metric::{METRICS, Unit, info},
};

#[test]
fn closed_loop_of_equal_requests_has_equal_percentiles() {
    // Four streams, three rounds of 1 s prefill and 200 tokens 20 ms apart.
    let metrics = TrialMetrics::of(&closed_trial("chat", 4, 3, S, 20 * MS, 201));
    assert_eq!((metrics.attempted, metrics.served), (12, 12));
    assert_eq!(metrics.ttft, Some(Distribution { p50: 1e9, p95: 1e9, p99: 1e9 }));
    assert_eq!((metrics.tpot.unwrap().p50, metrics.decode_tok_s), (20e6, Some(50.0)));
    assert_eq!((metrics.itl.unwrap().p50, metrics.icl.unwrap().p99, metrics.tokens_per_chunk), (20e6, 20e6, Some(1.0)));
    assert_eq!(metrics.output_tok_s, Some(4.0 * 201.0 * 3.0 / 15.0));
    assert_eq!((metrics.in_flight_mean, metrics.in_flight_by_law, metrics.in_flight_peak), (Some(4.0), Some(4.0), 4));
    assert_eq!((metrics.queue, metrics.goodput_per_s, metrics.prefill_tok_s), (None, None, None));
    assert_eq!(metrics.e2e_tok_s, Some(201.0 / 5.0));
    assert_eq!(metrics.prefix_hit_share, Some(0.0));
    let SteadyState::Span { from_ns: 0, to_ns, output_tok_s: Some(steady) } = metrics.steady else {
        panic!("{:?}", metrics.steady)
    };
    assert_eq!(to_ns, 15 * S);
    assert!((steady - metrics.output_tok_s.unwrap()).abs() < 1e-6);
    assert!((metrics.peak_tok_s.unwrap() - 4.0 * 51.0).abs() < 1e-6);
}

#[test]
fn prefill_rate_is_defined_at_one_stream_only() {
    let alone = TrialMetrics::of(&closed_trial("long-prefill", 1, 3, 500 * MS, MS, 5));
    assert_eq!(alone.prefill_tok_s, Some(200.0));
    let mut cached = closed_trial("long-prefill", 1, 3, 500 * MS, MS, 5);
    for observation in &mut cached.observations {
        observation.usage = Some(Usage { prompt_tokens: 100, completion_tokens: 5, cached_tokens: Some(40) });
    }
    let cached = TrialMetrics::of(&cached);
    assert_eq!((cached.prefill_tok_s, cached.prefix_hit_share), (Some(120.0), Some(0.4)));
    assert_eq!(TrialMetrics::of(&closed_trial("long-prefill", 2, 3, 500 * MS, MS, 5)).prefill_tok_s, None);
}

#[test]
fn itl_divides_a_gap_among_its_tokens_and_icl_does_not() {
    // Chunks of 4 tokens every 100 ms.
    let chunks: Vec<_> = (0..20).map(|n| (n * 100 * MS + 100 * MS, u32::try_from(n).unwrap() * 4 + 4)).collect();
    let metrics = TrialMetrics::of(&trial(cell("chat", "c1", closed(1)), vec![served(0, 0, &chunks)]));
    assert_eq!((metrics.itl.unwrap().p50, metrics.icl.unwrap().p50), (25e6, 100e6));
    assert_eq!((metrics.tokens_per_chunk, metrics.tpot.unwrap().p50), (Some(4.0), 25e6));
}

#[test]
fn short_span_is_no_steady_state() {
    let metrics = TrialMetrics::of(&closed_trial("chat", 2, 1, S, MS, 2));
    assert_eq!(metrics.steady, SteadyState::TooShort { longest_ns: S + MS, needed_ns: 10 * S });
    assert_eq!(metrics.steady.output_tok_s(), None);
    // Under a second there is no best second either.
    let metrics = TrialMetrics::of(&closed_trial("chat", 2, 1, MS, MS, 2));
    assert_eq!(metrics.peak_tok_s, None);
}

#[test]
fn failures_lower_attainment_of_an_open_loop() {
    let observations = vec![
        even(0, 500 * MS, 10 * MS, 10),
        even(S, 2 * S, 10 * MS, 10),
        rejected(2 * S, 3 * S),
        even(3 * S, 500 * MS, 10 * MS, 10),
    ];
    let metrics = TrialMetrics::of(&trial(cell("office", "r0.3", open()), observations));
    assert_eq!((metrics.attempted, metrics.served, metrics.failed), (4, 3, [("rejected", 1)].into()));
    // Sorted: 0.5, 0.5, 2, inf; the median lies between 0.5 and 2, the rest among the failures.
    let ttft = metrics.ttft.unwrap();
    assert_eq!((ttft.p50, ttft.p95, ttft.p99), (1.25e9, f64::INFINITY, f64::INFINITY));
    assert_eq!(metrics.attainment, Some(0.5));
    // Three ends, the first at 0.59 s and the last at 3.59 s; two of the three were good.
    let achieved = 2.0 / 3.0;
    assert!((metrics.queue.unwrap().achieved_per_s.unwrap() - achieved).abs() < 1e-9);
    assert!((metrics.goodput_per_s.unwrap() - achieved * 2.0 / 3.0).abs() < 1e-9);
    assert_eq!((metrics.steady, metrics.send_lag_max_ns), (SteadyState::OpenLoop, Some(0.0)));
}

#[test]
fn trial_without_served_requests_has_no_nan() {
    let all_failed = trial(cell("office", "r0.3", open()), vec![rejected(0, S), rejected(S, 2 * S)]);
    let nothing = trial(cell("chat", "c2", closed(2)), Vec::new());
    let unsent = Observation { sched_ns: None, send_ns: None, end_ns: None, outcome: Outcome::NotSent, ..rejected(0, S) };
    let none_sent = trial(cell("chat", "c2", closed(2)), vec![unsent]);
    for trial in [&all_failed, &nothing, &none_sent] {
        let metrics = TrialMetrics::of(trial);
        assert_eq!(metrics.served, 0);
        for row in METRICS {
            assert!((row.value)(&metrics).is_none_or(|value| !value.is_nan()), "{}", row.id);
        }
        assert_eq!((metrics.output_tok_s, metrics.peak_tok_s, metrics.tokens_per_chunk), (None, None, None));
    }
    assert_eq!(TrialMetrics::of(&all_failed).ttft.map(|over| over.p50), Some(f64::INFINITY));
    assert_eq!(TrialMetrics::of(&all_failed).attainment, Some(0.0));
}

#[test]
fn empty_answers_are_counted_as_failures() {
    let empty = Observation {
        first_token_ns: None,
        last_token_ns: None,
        usage: Some(Usage { prompt_tokens: 100, completion_tokens: 0, cached_tokens: None }),
        ..even(0, S, MS, 1)
    };
    let metrics = TrialMetrics::of(&trial(cell("chat", "c1", closed(1)), vec![empty]));
    assert_eq!((metrics.served, metrics.failed), (0, [("empty", 1)].into()));
}

#[test]
fn unknown_token_count_leaves_the_total_undefined() {
    let mut some = closed_trial("chat", 2, 3, S, 20 * MS, 201);
    some.observations[1] = Observation { token_source: TokenSource::None, usage: None, ..some.observations[1].clone() };
    let metrics = TrialMetrics::of(&some);
    assert_eq!((metrics.output_tok_s, metrics.peak_tok_s, metrics.steady.output_tok_s()), (None, None, None));
    // The metrics of single requests are still defined.
    assert_eq!((metrics.served, metrics.tpot.unwrap().p50), (6, 20e6));
}

/// A small trial with failures among its requests.
fn trials() -> impl Strategy<Value = Trial> {
    let request = (0_u64..2000, 1_u64..3000, 1_u64..80, 1_u32..40, any::<bool>());
    (prop::collection::vec(request, 1..25), any::<bool>()).prop_map(|(requests, is_open)| {
        let make = |(send, ttft, tpot, tokens, fails): (u64, u64, u64, u32, bool)| {
            if fails { rejected(send * MS, (send + ttft) * MS) } else { even(send * MS, ttft * MS, tpot * MS, tokens) }
        };
        let load = if is_open { open() } else { closed(2) };
        trial(cell("chat", "c2", load), requests.into_iter().map(make).collect())
    })
}

/// All figures, as near as sums in another order come.
fn figures(trial: &Trial) -> Vec<(Metric, Option<f64>)> {
    let metrics = TrialMetrics::of(trial);
    METRICS.iter().map(|row| (row.id, (row.value)(&metrics))).collect()
}

fn same(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left.total_cmp(&right).is_eq() || (left - right).abs() <= 1e-9 * left.abs().max(right.abs()),
        (left, right) => left == right,
    }
}

/// The trial, `factor` times as slow.
fn slower(of: &Trial, factor: u64) -> Trial {
    let mut trial = of.clone();
    trial.duration_ns *= factor;
    for observation in &mut trial.observations {
        let stamps = [
            &mut observation.sched_ns,
            &mut observation.send_ns,
            &mut observation.headers_ns,
            &mut observation.first_event_ns,
            &mut observation.first_token_ns,
            &mut observation.first_content_ns,
            &mut observation.last_token_ns,
            &mut observation.end_ns,
        ];
        for stamp in stamps {
            *stamp = stamp.map(|t_ns| t_ns * factor);
        }
        let chunks = observation.chunks.iter().map(|chunk| Chunk { t_ns: chunk.t_ns * factor, ..*chunk }).collect();
        observation.chunks = Chunks(chunks);
    }
    trial
}

proptest! {
    #[test]
    fn metrics_are_independent_of_the_order_of_requests(trial in trials(), turn in 0_usize..25) {
        let mut turned = trial.clone();
        let places = turn % turned.observations.len();
        turned.observations.rotate_left(places);
        turned.observations.reverse();
        for ((metric, one), (_, other)) in figures(&trial).into_iter().zip(figures(&turned)) {
            prop_assert!(same(one, other), "{metric:?}: {one:?} {other:?}");
        }
    }

    #[test]
    fn times_scale_with_the_clock_and_rates_inversely(trial in trials(), factor in 2_u64..5) {
        let (before, after) = (figures(&trial), figures(&slower(&trial, factor)));
        for ((metric, one), (_, other)) in before.into_iter().zip(after) {
            let factor = factor as f64;
            let expected = match metric {
                // A window of a second and a steady state of ten do not scale with the trial.
                Metric::PeakTokS | Metric::SteadyOutputTokS | Metric::GoodputPerS | Metric::Attainment => continue,
                Metric::TokensPerChunk | Metric::InFlightMean | Metric::InFlightPeak | Metric::PrefixHitShare => one,
                metric if info(metric).unit == Unit::Time => one.map(|ns| ns * factor),
                _ => one.map(|rate| rate / factor),
            };
            prop_assert!(same(expected, other), "{metric:?}: {expected:?} {other:?}");
        }
    }

    #[test]
    fn goodput_is_at_most_the_achieved_rate(trial in trials()) {
        let metrics = TrialMetrics::of(&trial);
        let achieved = metrics.queue.and_then(|queue| queue.achieved_per_s);
        prop_assert_eq!(metrics.goodput_per_s.is_some(), achieved.is_some());
        if let Some((goodput, achieved)) = metrics.goodput_per_s.zip(achieved) {
            prop_assert!((0.0..=achieved).contains(&goodput), "{} of {}", goodput, achieved);
        }
    }

    #[test]
    fn peak_is_at_least_the_mean_over_whole_seconds(trial in trials()) {
        let metrics = TrialMetrics::of(&trial);
        if let Some((peak, mean)) = metrics.peak_tok_s.zip(metrics.output_tok_s) {
            let seconds = trial.duration_ns as f64 / 1e9;
            prop_assert!(peak * seconds.ceil() >= mean * seconds - 1e-6);
        }
    }
}
