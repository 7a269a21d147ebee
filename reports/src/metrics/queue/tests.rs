use record::Outcome;

use super::*;
use crate::fixture::{MS, S, even, rejected};

fn queue(observations: &[Observation]) -> Queue {
    let metrics: Vec<_> = observations.iter().map(|observation| RequestMetrics::of(observation, true)).collect();
    Queue::of(observations, &metrics)
}

#[test]
fn achieved_rate_equals_offered_rate_below_capacity() {
    let observations: Vec<_> = (0..5).map(|n| even(n * 2 * S, 100 * MS, 10 * MS, 11)).collect();
    assert_eq!(queue(&observations), Queue { offered_per_s: Some(0.5), achieved_per_s: Some(0.5), recovery_ns: Some(100e6) });
}

#[test]
fn achieved_rate_under_overload_is_the_rate_of_the_engine() {
    // One arrives each second; one is served every two, the first after two.
    let observations: Vec<_> = (0..5).map(|n| even(n * S, (n + 2) * S - 10 * MS, 10 * MS, 2)).collect();
    assert_eq!(
        queue(&observations),
        // The last arrives at 4 s and has its first token at 10 s - 10 ms.
        Queue { offered_per_s: Some(1.0), achieved_per_s: Some(0.5), recovery_ns: Some(5.99e9) }
    );
}

#[test]
fn failed_requests_are_offered_and_not_achieved() {
    let observations = [even(0, S, MS, 2), even(S, S, MS, 2), rejected(2 * S, 7 * S)];
    assert_eq!(queue(&observations), Queue { offered_per_s: Some(1.0), achieved_per_s: Some(1.0), recovery_ns: Some(5e9) });
}

#[test]
fn rates_and_recovery_are_none_without_enough_stamps() {
    assert_eq!(queue(&[]), Queue::default());
    let single = queue(&[even(0, S, MS, 2)]);
    assert_eq!((single.offered_per_s, single.achieved_per_s), (None, None));
    let at_once = queue(&[even(0, S, MS, 2), even(0, 2 * S, MS, 2)]);
    assert_eq!((at_once.offered_per_s, at_once.achieved_per_s), (None, Some(1.0)));
    let unsent = Observation { sched_ns: None, send_ns: None, end_ns: None, outcome: Outcome::NotSent, ..rejected(0, S) };
    assert_eq!(queue(&[even(0, S, MS, 2), unsent]).recovery_ns, None);
}

#[test]
fn good_requests_meet_both_limits_of_the_slo() {
    let slo = Slo { ttft_ms: 1000, tpot_ms: 50 };
    let uncounted = Observation { token_source: record::TokenSource::None, usage: None, ..even(0, S, MS, 5) };
    let table = [
        ("at both limits", even(0, S, 50 * MS, 5), Some(1)),
        ("first token too late", even(0, S + 1, 50 * MS, 5), Some(0)),
        ("tokens too slow", even(0, S, 50 * MS + 1, 5), Some(0)),
        ("a single token", even(0, S, 0, 1), Some(1)),
        ("failed", rejected(0, MS), Some(0)),
        ("not counted", uncounted, None),
    ];
    for (name, observation, expected) in table {
        let metrics = [RequestMetrics::of(&observation, true)];
        assert_eq!(good_requests(&[observation], &metrics, slo), expected, "{name}");
    }
}
