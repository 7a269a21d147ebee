use super::*;
use crate::fixture::{MS, S, closed_trial, contained, rejected, watched};

/// The two accounts of a watched trial after a change.
fn after(change: impl FnOnce(&mut Trial)) -> ServerAccount {
    let mut trial = watched();
    change(&mut trial);
    ServerAccount::of(&trial).unwrap()
}

fn watch(trial: &mut Trial) -> &mut ServerWatch {
    trial.server.as_mut().unwrap()
}

#[test]
fn counters_become_differences_and_histograms_means() {
    let account = after(|_| {});
    assert_eq!((account.server_output_tokens, account.client_output_tokens), (Some(2412.0), Some(2412.0)));
    assert_eq!((account.server_prompt_tokens, account.client_prompt_tokens), (Some(1200.0), Some(1200.0)));
    assert_eq!((account.prefix_hit_share, account.preemptions), (Some(0.0), Some(1.0)));
    let near = |value: Option<f64>, expected: f64| assert!((value.unwrap() - expected).abs() < 1e-6 * expected, "{value:?}");
    near(account.queue_ns, 0.6e9);
    near(account.prefill_ns, 0.3e9);
    near(account.decode_ns, 4e9);
    near(account.server_ttft_ns, 0.95e9);
    assert_eq!((account.client_ttft_ns, account.client_decode_ns, account.load_ns), (Some(1e9), Some(4e9), None));
    near(account.queue_share(), 0.6);
    near(account.rest_of_ttft_ns(), 0.1e9);
    assert_eq!((account.running_peak, account.waiting_peak, account.kv_usage_peak), (Some(4.0), Some(1.0), Some(0.34)));
    // 50 drafts of 3 tokens bring 75 accepted ones: 2.5 tokens in each step.
    assert_eq!((account.tokens_per_step, account.accepted_share), (Some(2.5), Some(0.5)));
}

#[test]
fn server_without_metrics_has_no_account() {
    assert_eq!(ServerAccount::of(&closed_trial("chat", 1, 1, S, MS, 9)), None);
    let silent = after(|trial| *watch(trial) = ServerWatch::default());
    assert_eq!((silent.server_output_tokens, silent.client_output_tokens, silent.queue_ns), (None, None, None));
    assert_eq!((silent.rest_of_ttft_ns(), silent.queue_share(), silent.running_peak), (None, None, None));
}

#[test]
fn missing_or_falling_counter_is_none() {
    let grown = |before: Option<f64>, after: Option<f64>| {
        let mut trial = watched();
        watch(&mut trial).before.prefix_hits = before;
        watch(&mut trial).after.prefix_hits = after;
        prefix_hits(trial.server.as_ref().unwrap())
    };
    let table = [
        (Some(100.0), Some(160.0), Some(60.0)),
        (Some(100.0), Some(100.0), Some(0.0)),
        // A labelled counter appears with its first event.
        (None, Some(60.0), Some(60.0)),
        (Some(100.0), None, None),
        (None, None, None),
        // The server was started again.
        (Some(100.0), Some(60.0), None),
        (Some(f64::NAN), Some(60.0), None),
    ];
    for (before, after, expected) in table {
        assert_eq!(grown(before, after), expected, "{before:?} {after:?}");
    }
    // Without a first reading everything since the server's start would count.
    let unread = after(|trial| watch(trial).before = ServerMetrics::default());
    assert_eq!((unread.server_output_tokens, unread.queue_ns), (None, None));
}

#[test]
fn prefix_hits_are_a_share_of_lookups() {
    let share = |queries: Option<f64>| {
        after(|trial| {
            let watch = watch(trial);
            (watch.before.prefix_queries, watch.after.prefix_queries) = (queries.map(|_| 0.0), queries);
            watch.after.prefix_hits = Some(300.0);
        })
        .prefix_hit_share
    };
    assert_eq!((share(Some(600.0)), share(Some(0.0))), (Some(0.5), None));
    // Of 12 prompts of 100 tokens.
    assert_eq!(share(None), Some(0.25));
}

#[test]
fn momentary_acceptance_length_is_averaged() {
    let of = |lengths: &[f64]| {
        after(|trial| {
            let watch = watch(trial);
            watch.after.drafts = None;
            watch.during =
                lengths.iter().map(|&one| record::ServerReading { accepted_length: Some(one), ..Default::default() }).collect();
        })
        .tokens_per_step
    };
    assert_eq!((of(&[2.0, 0.0, 3.0]), of(&[0.0]), of(&[])), (Some(2.5), None, None));
    // Nothing was drafted.
    let none = after(|trial| watch(trial).after.drafts = watch(trial).before.drafts);
    assert_eq!(none.tokens_per_step, None);
}

#[test]
fn answer_timings_replace_a_missing_metrics_page() {
    let trial = contained().trials.pop().unwrap();
    let account = ServerAccount::of(&trial).unwrap();
    assert_eq!((account.prefill_ns, account.decode_ns, account.queue_ns), (Some(700e6), Some(3990e6), None));
    assert_eq!((account.rest_of_ttft_ns(), account.client_output_tokens), (Some(300e6), None));
    let loaded = |trial: &mut Trial| {
        trial.observations[0].server_timings =
            Some(ServerTimings { load_ns: Some(50 * MS), prefill_ns: Some(1), decode_ns: None });
    };
    // The page's own histogram goes first; what it lacks comes from the answers.
    let both = after(loaded);
    assert_eq!((both.load_ns, both.prefill_ns), (Some(50e6), after(|_| {}).prefill_ns));
}

#[test]
fn failed_requests_are_left_out_of_client_times() {
    let account = after(|trial| trial.observations[0] = rejected(0, S));
    assert_eq!((account.client_ttft_ns, account.client_output_tokens), (Some(1e9), Some(2211.0)));
    let none = after(|trial| trial.observations.clear());
    assert_eq!((none.client_ttft_ns, none.rest_of_ttft_ns(), none.client_output_tokens), (None, None, Some(0.0)));
}

#[test]
fn totals_are_summed_and_peaks_maximised_over_trials() {
    let one = after(|_| {});
    let two = after(|trial| {
        let watch = watch(trial);
        watch.after.generation_tokens = None;
        watch.after.preemptions = Some(7.0);
        watch.during[0].waiting = Some(9.0);
        trial.observations[0].first_token_ns = Some(1_600 * MS);
    });
    let over = ServerAccount::over(&[one, two]);
    // The second trial's output tokens count on neither side.
    assert_eq!((over.server_output_tokens, over.client_output_tokens), (Some(2412.0), Some(2412.0)));
    assert_eq!((over.server_prompt_tokens, over.client_prompt_tokens), (Some(2400.0), Some(2400.0)));
    assert_eq!((over.waiting_peak, over.client_ttft_ns), (Some(9.0), Some(1.025e9)));
    assert!((over.preemptions.unwrap() - (1.0 + 7.0 - 4.0 / 12.0)).abs() < 1e-9);
    assert_eq!(ServerAccount::over(&[one]), one);
}
