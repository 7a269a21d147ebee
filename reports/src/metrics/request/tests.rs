use record::{Outcome, PrefixReuse, TokenSource, Usage};

use super::*;
use crate::{
    fixture::{MS, even, rejected, served},
    vectors::{self, floats},
};

#[test]
fn time_starts_at_the_send_in_closed_and_at_the_schedule_in_open_loops() {
    let observation = served(100 * MS, 130 * MS, &[(330 * MS, 1), (430 * MS, 3)]);
    let (closed, open) = (RequestMetrics::of(&observation, false), RequestMetrics::of(&observation, true));
    assert_eq!((closed.ttft_ns, closed.e2el_ns), (200e6, 300e6));
    assert_eq!((open.ttft_ns, open.e2el_ns), (230e6, 330e6));
    assert_eq!((closed.send_lag_ns, open.send_lag_ns), (Some(30e6), Some(30e6)));
    // Two tokens came after the first, in 100 ms, whatever the loop.
    assert_eq!((closed.tpot_ns, closed.decode_tok_s), (Some(50e6), Some(20.0)));
    assert_eq!(closed.e2e_tok_s, Some(10.0));
}

#[test]
fn late_send_adds_to_ttft_in_an_open_loop() {
    let case = vectors::case("coordinated_omission");
    let ns = |key: &str, n: usize| case[key][n].as_u64().unwrap() * MS;
    let expected = floats(&case["ttft_from_schedule_ms"]);
    let request = |n: usize| {
        let send_ns = ns("actual_send_ms", n);
        let first_ns = send_ns + ns("ttft_from_send_ms", n);
        RequestMetrics::of(&served(ns("scheduled_ms", n), send_ns, &[(first_ns, 1)]), true)
    };
    let metrics: Vec<_> = (0..expected.len()).map(request).collect();
    let ttft: Vec<_> = metrics.iter().map(|request| request.ttft_ns / 1e6).collect();
    assert_eq!(ttft, expected);
    let worst = metrics.iter().filter_map(|request| request.send_lag_ns).fold(0.0, f64::max);
    assert_eq!(Some(worst / 1e6), case["max_send_lag_ms"].as_f64());
}

#[test]
fn reasoning_counts_for_ttft_and_not_for_ttfo() {
    let observation = Observation {
        first_event_ns: Some(5 * MS),
        first_token_ns: Some(10 * MS),
        first_content_ns: Some(40 * MS),
        ..even(0, 10 * MS, 10 * MS, 5)
    };
    let metrics = RequestMetrics::of(&observation, false);
    assert_eq!((metrics.ttfe_ns, metrics.ttft_ns, metrics.ttfo_ns), (Some(5e6), 10e6, Some(40e6)));
    let only_reasoning = Observation { first_content_ns: None, ..observation };
    assert_eq!(RequestMetrics::of(&only_reasoning, false).ttfo_ns, None);
}

#[test]
fn tpot_leaves_out_all_tokens_of_the_first_chunk() {
    // 4 tokens at 10 ms, 8 more by 50 ms: 5 ms each, not 40 ms over 11.
    let metrics = RequestMetrics::of(&served(0, 0, &[(10 * MS, 4), (30 * MS, 8), (50 * MS, 12)]), false);
    assert_eq!(metrics.tpot_ns, Some(5e6));
}

#[test]
fn undefined_metrics_are_none() {
    let single = served(0, 0, &[(10 * MS, 1)]);
    let at_once = served(0, 0, &[(10 * MS, 100)]);
    let uncounted = Observation { token_source: TokenSource::None, usage: None, ..even(0, 10 * MS, 10 * MS, 5) };
    for (name, observation) in [("a single token", single), ("all in one read", at_once), ("no counts", uncounted)] {
        let metrics = RequestMetrics::of(&observation, false);
        assert!(metrics.served, "{name}");
        assert_eq!((metrics.ttft_ns, metrics.tpot_ns, metrics.decode_tok_s), (10e6, None, None), "{name}");
    }
}

#[test]
fn failed_requests_have_infinite_times_and_zero_rates() {
    let truncated = Observation { outcome: Outcome::Truncated { detail: String::new() }, ..even(0, MS, MS, 5) };
    let empty = Observation { first_token_ns: None, last_token_ns: None, ..even(0, MS, MS, 1) };
    let unsent = Observation { sched_ns: None, send_ns: None, outcome: Outcome::NotSent, ..rejected(0, MS) };
    for (observation, lag) in [(rejected(0, MS), Some(0.0)), (truncated, Some(0.0)), (empty, Some(0.0)), (unsent, None)] {
        let metrics = RequestMetrics::of(&observation, false);
        assert_eq!(metrics, RequestMetrics { send_lag_ns: lag, ..RequestMetrics::UNSERVED }, "{:?}", observation.outcome);
    }
}

#[test]
fn cached_prompt_tokens_are_subtracted() {
    let with = |cached_tokens| Observation {
        usage: Some(Usage { prompt_tokens: 100, completion_tokens: 5, cached_tokens }),
        ..even(0, MS, MS, 5)
    };
    let silent = Observation { usage: None, ..even(0, MS, MS, 5) };
    let table = [
        (with(Some(30)), PrefixReuse::Allowed, Some(70)),
        (with(Some(30)), PrefixReuse::Forbidden, Some(70)),
        (with(None), PrefixReuse::Forbidden, Some(100)),
        (with(None), PrefixReuse::Allowed, None),
        (silent, PrefixReuse::Forbidden, None),
    ];
    for (observation, reuse, expected) in table {
        assert_eq!(uncached_prompt_tokens(&observation, reuse), expected, "{reuse:?} {:?}", observation.usage);
    }
}
