use record::{Counters, HistogramTotals, Outcome, PrefixReuse, ServerMetrics};

use super::*;
use crate::{fixture::watched, metrics::TrialMetrics, validity};

/// The judgement of a watched trial after a change, one line per reason.
fn after(change: impl FnOnce(&mut Trial)) -> String {
    let mut trial = watched();
    change(&mut trial);
    let judgement = validity::judge(&trial, &TrialMetrics::of(&trial), 9, None);
    let line = |reason: &Reason| {
        let quote = reason.quote.as_ref().map(|quote| format!(" [{quote}]")).unwrap_or_default();
        format!("{}: {}{quote}", reason.validity.word(), reason.text)
    };
    judgement.reasons.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn last(trial: &mut Trial) -> &mut ServerMetrics {
    &mut trial.server.as_mut().unwrap().after
}

/// So many output tokens of the server beside the client's 2412 of 12 requests.
fn generated(tokens: f64) -> impl Fn(&mut Trial) {
    move |trial| last(trial).generation_tokens = Some(4.0 * 201.0 + tokens)
}

#[test]
fn agreeing_accounts_have_no_reasons() {
    assert_eq!(after(|_| {}), "");
}

#[test]
fn different_output_token_counts_are_suspect() {
    // 1 % are 24 tokens, more than one in each of 12 requests.
    assert_eq!(after(generated(2436.0)), "");
    assert_eq!(after(generated(2388.0)), "");
    insta::assert_snapshot!(after(generated(2437.0)), @"suspect: the server counted 2437 output tokens, the answers 2412, in 12 requests");
    insta::assert_snapshot!(after(generated(2387.0)), @"suspect: the server counted 2387 output tokens, the answers 2412, in 12 requests");
    // Short answers: one token in each request is allowed, though it is more than 1 %.
    let short = |tokens: f64| {
        after(|trial| {
            for observation in &mut trial.observations {
                observation.planned_output_tokens = 20;
                observation.usage.as_mut().unwrap().completion_tokens = 20;
                observation.chunks.0.truncate(20);
            }
            generated(tokens)(trial);
        })
    };
    assert!(!short(252.0).contains("server counted"), "{}", short(252.0));
    assert!(short(253.0).contains("suspect: the server counted 253 output tokens, the answers 240, in 12 requests"));
}

#[test]
fn output_tokens_are_not_judged_when_a_request_failed() {
    let contradicts = |change: fn(&mut Trial)| {
        let judged = after(|trial| {
            generated(9000.0)(trial);
            change(trial);
        });
        judged.contains("the server counted")
    };
    assert!(contradicts(|_| {}));
    assert!(!contradicts(|trial| trial.observations[0].outcome = Outcome::TimedOut { detail: "a".to_owned() }));
    assert!(!contradicts(|trial| trial.warm_up.completed = 0));
    assert!(!contradicts(|trial| trial.facts.cut_short = Some("an interrupt".to_owned())));
    assert!(!contradicts(|trial| {
        trial.observations[0].usage = None;
        trial.observations[0].token_source = record::TokenSource::None;
    }));
    assert!(!contradicts(|trial| last(trial).generation_tokens = None));
    // Prompts are not judged: some servers leave out what comes from their cache.
    assert_eq!(after(|trial| last(trial).prompt_tokens = Some(404.0)), "");
}

#[test]
fn restarted_server_is_suspect() {
    insta::assert_snapshot!(after(generated(-800.0)), @"suspect: the server's count of output tokens fell from 804 to 4: it was started again");
}

#[test]
fn cache_hits_are_judged_by_counters_of_the_dialect() {
    let silent = |hits: f64, change: fn(&mut Trial)| {
        after(|trial| {
            trial.observations.iter_mut().for_each(|observation| observation.usage.as_mut().unwrap().cached_tokens = None);
            last(trial).prefix_hits = Some(hits);
            change(trial);
        })
    };
    // 12 prompts of 100 tokens, 9 of each the template's: 120 hits are 1 % beside those.
    assert_eq!(silent(120.0, |_| {}), "");
    insta::assert_snapshot!(silent(132.0, |_| {}), @"suspect: 2.00 % of the prompt tokens came from the prefix cache, where prompts share nothing, by the server's counters");
    assert_eq!(silent(708.0, |trial| trial.cell.prefix_reuse = PrefixReuse::Allowed), "");
    // They go before a counter whose name only looks like it, which counts where the dialect knows none.
    let named: fn(&mut Trial) = |trial| {
        let [before, after] = [0.0, 708.0].map(|hits| [("x:prefix_cache_hits".to_owned(), hits)].into());
        trial.counters = Some(Counters { before, after });
    };
    assert_eq!(silent(0.0, named), "");
    let unknown = silent(0.0, |trial| {
        let [before, after] = [0.0, 708.0].map(|hits| [("x:prefix_cache_hits".to_owned(), hits)].into());
        trial.counters = Some(Counters { before, after });
        last(trial).prefix_hits = None;
    });
    insta::assert_snapshot!(unknown, @"suspect: 50.0 % of the prompt tokens came from the prefix cache, where prompts share nothing, by the server's counters");
    // The counters hold what no answer tells: the requests that failed.
    let judged = after(|trial| last(trial).prefix_hits = Some(708.0));
    insta::assert_snapshot!(judged, @"suspect: 50.0 % of the prompt tokens came from the prefix cache, where prompts share nothing, by the server's counters");
}

#[test]
fn failed_cache_reset_readings_and_queue_time_are_noted() {
    let reset = |words: &'static str| after(move |trial| trial.facts.cache_reset = Some(words.to_owned()));
    assert_eq!(reset("emptied by POST /reset_prefix_cache"), "");
    insta::assert_snapshot!(reset("not emptied: HTTP 404"), @"valid: the prefix cache was not emptied before the trial [not emptied: HTTP 404]");
    let failed = |trial: &mut Trial| {
        let watch = trial.server.as_mut().unwrap();
        (watch.failed_readings, watch.failure) = (3, Some("timed out".to_owned()));
    };
    insta::assert_snapshot!(after(failed), @"valid: 3 of 5 readings of the server's metrics failed [timed out]");
    let queued = |mean_s: f64| {
        after(move |trial| last(trial).queue = Some(HistogramTotals { sum_s: 4.0 * 0.6 + 12.0 * mean_s, count: 16.0 }))
    };
    assert_eq!(queued(1.09), "");
    insta::assert_snapshot!(queued(1.5), @"valid: the server's mean queue time is 150 % of the client's mean TTFT: not that of these requests alone");
}
