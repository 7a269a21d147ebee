use proptest::prelude::*;

use super::*;
use crate::fixture::{MS, S, served};

/// A request in flight from one time to another.
fn span(send_ns: u64, end_ns: u64) -> Observation {
    Observation { end_ns: Some(end_ns), ..served(send_ns, send_ns, &[(end_ns, 1)]) }
}

#[test]
fn end_precedes_start_at_the_same_time() {
    // One stream, three requests back to back: never two at once.
    let in_flight = InFlight::of(&[span(0, 10), span(10, 20), span(20, 30)], 30);
    assert_eq!((in_flight.peak(), in_flight.mean()), (1, Some(1.0)));
    assert_eq!(in_flight.longest_steady(1), Some((0, 30)));
}

#[test]
fn request_without_end_lasts_until_the_end_of_the_trial() {
    let observations = [span(0, 10), Observation { end_ns: None, ..span(5, 10) }];
    assert_eq!(InFlight::of(&observations, 20).mean(), Some(1.25));
    // Little's law cannot see it, which is what the difference is for.
    assert_eq!(by_littles_law(&observations, 20), Some(0.5));
}

#[test]
fn steady_state_is_the_longest_span_with_enough_in_flight() {
    let second = |from: u64, to: u64| span(from * S, to * S);
    // Of two streams, both are busy from 1 to 5 and from 6 to 20; a dip of one second parts them.
    let ramp = [second(0, 5), second(1, 20), second(6, 22)];
    assert_eq!(InFlight::of(&ramp, 22 * S).longest_steady(2), Some((6 * S, 20 * S)));
    // The client's own turnaround does not part them, anything longer does.
    let turnaround = |gap_ns| [span(0, S), span(S + gap_ns, 3 * S)];
    assert_eq!(InFlight::of(&turnaround(50 * MS), 3 * S).longest_steady(1), Some((0, 3 * S)));
    assert_eq!(InFlight::of(&turnaround(51 * MS), 3 * S).longest_steady(1), Some((S + 51 * MS, 3 * S)));
    // 95 % of 20 are 19.
    let twenty: Vec<_> = (0..20).map(|n| span(0, if n < 1 { S } else { 2 * S })).collect();
    assert_eq!(InFlight::of(&twenty, 2 * S).longest_steady(20), Some((0, 2 * S)));
    assert_eq!(InFlight::of(&twenty, 2 * S).longest_steady(22), None);
    assert_eq!(InFlight::of(&[], S).longest_steady(1), None);
}

#[test]
fn steady_state_lasts_ten_seconds_or_a_tenth_of_the_trial() {
    assert_eq!(steady_min_ns(20 * S), 10 * S);
    assert_eq!(steady_min_ns(100 * S), 10 * S);
    assert_eq!(steady_min_ns(3000 * S), 300 * S);
}

#[test]
fn trial_without_duration_has_no_mean() {
    assert_eq!((InFlight::of(&[], 0).mean(), by_littles_law(&[], 0)), (None, None));
    assert_eq!((InFlight::of(&[], 10).mean(), InFlight::of(&[], 10).peak()), (Some(0.0), 0));
}

proptest! {
    #[test]
    fn sweep_line_agrees_with_counting_at_every_time(spans in prop::collection::vec((0_u64..40, 0_u64..20), 0..30)) {
        let observations: Vec<_> = spans.iter().map(|&(send, length)| span(send, send + length)).collect();
        let duration_ns = spans.iter().map(|&(send, length)| send + length).max().unwrap_or(0).max(1);
        let at = |t: u64| spans.iter().filter(|&&(send, length)| send <= t && t < send + length).count();
        let in_flight = InFlight::of(&observations, duration_ns);
        prop_assert_eq!(in_flight.peak() as usize, (0..duration_ns).map(at).max().unwrap_or(0));
        let mean = (0..duration_ns).map(|t| at(t) as f64).sum::<f64>() / duration_ns as f64;
        prop_assert!((in_flight.mean().unwrap() - mean).abs() < 1e-9);
        prop_assert!((by_littles_law(&observations, duration_ns).unwrap() - mean).abs() < 1e-9);
        if let Some((from, to)) = in_flight.longest_steady(2) {
            // At this scale every dip is bridged: the span begins and ends with two in flight.
            prop_assert!(at(from) >= 2 && at(to - 1) >= 2);
        }
    }
}
