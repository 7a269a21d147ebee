use record::{Observation, Outcome, PrefixReuse, TokenSource, Usage, WarmUp, WireCounts};

use super::*;
use crate::fixture::{MS, S, closed_trial, even, open, rejected, trial};

/// Long enough, steady and complete: nothing is to be said of it.
fn sound() -> Trial {
    closed_trial("chat", 4, 3, S, 20 * MS, 201)
}

/// An open loop in which nothing is to be said either.
fn sound_open(workload: &str) -> Trial {
    let observations = (0..400).map(|n| even(n * S, 500 * MS, 10 * MS, 20)).collect();
    trial(crate::fixture::cell(workload, "r0.3", open()), observations)
}

/// The judgement of a trial after a change, one line per reason.
fn after(mut trial: Trial, change: impl FnOnce(&mut Trial)) -> String {
    change(&mut trial);
    let judgement = judge(&trial, &TrialMetrics::of(&trial), 9, None);
    let line = |reason: &Reason| {
        let quote = reason.quote.as_ref().map(|quote| format!(" [{quote}]")).unwrap_or_default();
        format!("{}: {}{quote}", reason.validity.word(), reason.text)
    };
    judgement.reasons.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn each(trial: &mut Trial, change: impl Fn(&mut Observation)) {
    trial.observations.iter_mut().for_each(change);
}

fn usage(observation: &mut Observation) -> &mut Usage {
    observation.usage.as_mut().unwrap()
}

#[test]
fn sound_trial_has_no_reasons() {
    assert_eq!(after(sound(), |_| {}), "");
    assert_eq!(after(sound_open("office"), |_| {}), "");
    let judgement = Judgement::default();
    assert_eq!(judgement.validity(), Validity::Valid);
}

#[test]
fn worst_reason_decides_the_validity() {
    let reasons = vec![Reason::suspect("", ""), Reason::invalid("", ""), Reason::note("", "")];
    assert_eq!(Judgement { reasons }.validity(), Validity::Invalid);
    assert_eq!(Judgement { reasons: vec![Reason::note("", "")] }.validity(), Validity::Valid);
}

#[test]
fn failed_requests_are_judged_by_their_share() {
    let fail = |count: usize| {
        move |trial: &mut Trial| {
            for observation in trial.observations.iter_mut().take(count) {
                let send_ns = observation.send_ns.unwrap();
                *observation = rejected(send_ns, send_ns + MS);
            }
        }
    };
    // 2 of 400 are the 0.5 % that are allowed.
    insta::assert_snapshot!(after(sound_open("office"), fail(2)), @"valid: 2 of 400 requests failed (0.500 %): 2 rejected");
    insta::assert_snapshot!(after(sound_open("office"), fail(3)), @"invalid: 3 of 400 requests failed (0.750 %): 3 rejected");
    insta::assert_snapshot!(after(sound_open("peak"), fail(3)), @"suspect: 3 of 400 requests failed (0.750 %): 3 rejected");
    insta::assert_snapshot!(after(sound_open("peak"), fail(400)), @"invalid: none of 400 requests was served: 400 rejected");
    insta::assert_snapshot!(after(sound_open("office"), |trial| trial.observations.clear()), @"invalid: none of 0 requests was served");
    let mixed = |trial: &mut Trial| {
        fail(1)(trial);
        trial.observations[1].outcome = Outcome::TimedOut { detail: "a".to_owned() };
        trial.observations[2].first_token_ns = None;
    };
    insta::assert_snapshot!(after(sound(), mixed), @"invalid: 3 of 12 requests failed (25.0 %): 1 empty, 1 rejected, 1 timed out");
    let cut_short = |trial: &mut Trial| trial.facts.cut_short = Some("Ctrl-C".to_owned());
    insta::assert_snapshot!(after(sound(), cut_short), @"invalid: cut short [Ctrl-C]");
    let cold = |trial: &mut Trial| trial.warm_up = WarmUp { requests: 4, completed: 1, duration_ns: S };
    insta::assert_snapshot!(after(sound(), cold), @"suspect: 3 of 4 warm-up requests failed");
}

#[test]
fn late_sends_of_an_open_loop_are_invalid() {
    let late = |count: usize, lag_ns: u64| {
        move |trial: &mut Trial| {
            for observation in trial.observations.iter_mut().take(count) {
                observation.send_ns = observation.sched_ns.map(|due_ns| due_ns + lag_ns);
            }
        }
    };
    assert_eq!(after(sound_open("office"), late(400, 5 * MS)), "");
    assert_eq!(after(sound_open("office"), late(1, 50 * MS)), "");
    insta::assert_snapshot!(after(sound_open("office"), late(8, 6 * MS)), @"invalid: send lag p99 6.00 ms is above 5.00 ms");
    insta::assert_snapshot!(after(sound_open("office"), late(1, 51 * MS)), @"invalid: worst send lag 51.0 ms is above 50.0 ms");
    // One late send of a miniature's few is its 99th percentile; far too late is too late everywhere.
    let few = |lag_ns: u64| {
        move |trial: &mut Trial| {
            trial.observations.truncate(24);
            late(1, lag_ns)(trial);
        }
    };
    assert!(after(sound_open("office"), few(10 * MS)).contains("suspect: send lag p99"));
    assert!(after(sound_open("office"), few(51 * MS)).contains("invalid: worst send lag 51.0 ms is above 50.0 ms"));
    // A closed loop counts from the send.
    assert_eq!(after(sound(), late(2, 6 * MS)), "");
}

#[test]
fn late_timer_is_suspect() {
    let lag = |p99: u64, max: u64| {
        move |trial: &mut Trial| {
            (trial.facts.timer_lag_p99_ns, trial.facts.timer_lag_max_ns) = (Some(p99), Some(max));
        }
    };
    assert_eq!(after(sound(), lag(5 * MS, 50 * MS)), "");
    insta::assert_snapshot!(after(sound(), lag(7 * MS, 60 * MS)), @r"
    suspect: timer lag p99 7.00 ms is above 5.00 ms
    valid: worst timer lag 60.0 ms is above 50.0 ms
    ");
    // A second holds 100 readings; with fewer, the 99th percentile is the worst one.
    let lasting = |ms: u64| {
        move |trial: &mut Trial| {
            lag(7 * MS, 8 * MS)(trial);
            trial.duration_ns = ms * MS;
        }
    };
    let short = || closed_trial("chat", 1, 1, 500 * MS, 10 * MS, 51);
    insta::assert_snapshot!(after(short(), lasting(1000)), @"suspect: timer lag p99 7.00 ms is above 5.00 ms");
    insta::assert_snapshot!(after(short(), lasting(999)), @"valid: worst timer lag 8.00 ms is above 5.00 ms");
}

#[test]
fn high_client_cpu_is_suspect_or_invalid() {
    // Of 15 s.
    let used = |ms: u64| move |trial: &mut Trial| trial.facts.client_cpu_ns = Some(ms * MS);
    assert_eq!(after(sound(), used(7500)), "");
    insta::assert_snapshot!(after(sound(), used(7530)), @"suspect: the measuring process used 50.2 % of one core, above 50.0 %");
    insta::assert_snapshot!(after(sound(), used(13_500)), @"suspect: the measuring process used 90.0 % of one core, above 50.0 %");
    insta::assert_snapshot!(after(sound(), used(13_530)), @"invalid: the measuring process used 90.2 % of one core, above 90.0 %: its own limit was measured");
    // What it does once, before and after, is much of a short trial.
    let lasting = |ms: u64| {
        move |trial: &mut Trial| {
            trial.facts.client_cpu_ns = Some(ms * MS);
            trial.duration_ns = ms * MS;
        }
    };
    let short = || closed_trial("chat", 1, 1, 500 * MS, 10 * MS, 51);
    assert_eq!(after(short(), lasting(999)), "");
    assert!(after(short(), lasting(1000)).starts_with("invalid: the measuring process used 100 % of one core"));
}

#[test]
fn connections_that_fell_behind_are_reported() {
    let calm = WireCounts { opened: 4, reads: 1000, full_reads: 10, blocked_writes: 0, sent_again: 0 };
    let counted = |wire| move |trial: &mut Trial| trial.facts.wire = Some(wire);
    assert_eq!(after(sound(), counted(calm)), "");
    assert_eq!(after(sound(), counted(WireCounts::default())), "");
    insta::assert_snapshot!(after(sound(), counted(WireCounts { full_reads: 11, ..calm })), @"suspect: 11 of 1000 reads left more waiting on the connection: the client, or the machine, was behind");
    insta::assert_snapshot!(after(sound(), counted(WireCounts { blocked_writes: 2, ..calm })), @"valid: the kernel did not take 2 of the requests at once: the server read them slowly");
    insta::assert_snapshot!(after(sound(), counted(WireCounts { sent_again: 1, ..calm })), @"valid: 1 of the requests went out again, since the server closed their kept connection");
    insta::assert_snapshot!(after(sound(), counted(WireCounts { sent_again: 3, ..calm })), @"suspect: 3 of the requests went out again, since the server closed their kept connection");
}

#[test]
fn prompt_tokens_off_the_plan_are_suspect() {
    let prompt = |tokens| move |trial: &mut Trial| each(trial, |observation| usage(observation).prompt_tokens = tokens);
    assert_eq!(after(sound(), prompt(101)), "");
    insta::assert_snapshot!(after(sound(), prompt(102)), @"suspect: prompt tokens are off the plan by 2.00 % (1224 of 1200 planned)");
    // One too long and one too short do not make a right one.
    let uneven = |trial: &mut Trial| {
        usage(&mut trial.observations[0]).prompt_tokens = 120;
        usage(&mut trial.observations[1]).prompt_tokens = 80;
    };
    insta::assert_snapshot!(after(sound(), uneven), @"suspect: prompt tokens are off the plan by 3.33 % (1200 of 1200 planned)");
    let silent = |trial: &mut Trial| trial.observations[0].usage = None;
    insta::assert_snapshot!(after(sound(), silent), @"suspect: prompt tokens of 1 served requests are unknown");
}

#[test]
fn cache_hits_of_independent_prompts_are_suspect() {
    let cached = |tokens| move |trial: &mut Trial| each(trial, |observation| usage(observation).cached_tokens = Some(tokens));
    // The template's 9 tokens are everyone's head, and a token more may be chance.
    assert_eq!(after(sound(), cached(10)), "");
    insta::assert_snapshot!(after(sound(), cached(59)), @"suspect: 50.0 % of the prompt tokens came from the prefix cache, where prompts share nothing");
    let conversation = |trial: &mut Trial| {
        cached(59)(trial);
        trial.cell.prefix_reuse = PrefixReuse::Allowed;
    };
    assert_eq!(after(sound(), conversation), "");
}

#[test]
fn cache_hits_are_judged_by_server_counters_without_usage() {
    let untold = "valid: the server does not say whether prompts came from its cache";
    let silent = |trial: &mut Trial| each(trial, |observation| usage(observation).cached_tokens = None);
    let counted = |name: &'static str, hits: f64| {
        move |trial: &mut Trial| {
            silent(trial);
            let [before, after] = [1000.0, 1000.0 + hits].map(|count| [(name.to_owned(), count)].into());
            trial.counters = Some(record::Counters { before, after });
        }
    };
    assert_eq!(after(sound(), silent), untold);
    assert_eq!(after(sound(), counted("vllm:prompt_tokens_total", 1200.0)), untold);
    // 12 prompts of 100 tokens, 9 of each the template's: 120 hits are 1 % beside those.
    assert_eq!(after(sound(), counted("vllm:prefix_cache_hits_total", 120.0)), "");
    insta::assert_snapshot!(after(sound(), counted("vllm:prefix_cache_hits_total", 132.0)), @"suspect: 2.00 % of the prompt tokens came from the prefix cache, where prompts share nothing, by the server's counters");
    insta::assert_snapshot!(after(sound(), counted("sim:prefix_cache_hits", 708.0)), @"suspect: 50.0 % of the prompt tokens came from the prefix cache, where prompts share nothing, by the server's counters");
    // The counters may know more than the answers, and a conversation may hit as it likes.
    let reported = |trial: &mut Trial| {
        counted("vllm:prefix_cache_hits_total", 708.0)(trial);
        usage(&mut trial.observations[0]).cached_tokens = Some(0);
    };
    insta::assert_snapshot!(after(sound(), reported), @"suspect: 50.0 % of the prompt tokens came from the prefix cache, where prompts share nothing, by the server's counters");
    let conversation = |trial: &mut Trial| {
        counted("vllm:prefix_cache_hits_total", 708.0)(trial);
        trial.cell.prefix_reuse = PrefixReuse::Allowed;
    };
    assert_eq!(after(sound(), conversation), "");
}

#[test]
fn output_tokens_off_the_plan_are_invalid_when_forced() {
    let planned = |forced, reason: &'static str| {
        move |trial: &mut Trial| {
            each(trial, |observation| {
                observation.planned_output_tokens = 210;
                observation.forced_length = forced;
                observation.finish_reason = Some(reason.to_owned());
            });
        }
    };
    insta::assert_snapshot!(after(sound(), planned(true, "length")), @"invalid: output tokens are off the plan by 4.29 % (2412 of 2520 planned), though the length was forced");
    insta::assert_snapshot!(after(sound(), planned(true, "stop")), @r"
    invalid: output tokens are off the plan by 4.29 % (2412 of 2520 planned), though the length was forced
    suspect: 12 of 12 answers of a forced length stopped early
    ");
    insta::assert_snapshot!(after(sound(), planned(false, "stop")), @"suspect: output tokens are off the plan by 4.29 % (2412 of 2520 planned); the length could not be forced");
}

#[test]
fn unknown_and_disagreeing_token_counts_are_reported() {
    let unknown = |trial: &mut Trial| {
        trial.observations[0].token_source = TokenSource::None;
        trial.observations[0].usage = None;
    };
    insta::assert_snapshot!(after(sound(), unknown), @r"
    invalid: output tokens of 1 of 12 served requests are unknown
    suspect: prompt tokens of 1 served requests are unknown
    ");
    // The end-of-sequence token shows in no chunk, and 1 % of 201 is 2.
    let completion = |tokens| move |trial: &mut Trial| usage(&mut trial.observations[0]).completion_tokens = tokens;
    assert_eq!(after(sound(), completion(203)), "");
    insta::assert_snapshot!(after(sound(), completion(204)), @"suspect: the running and the final token count disagree in 1 of 12 served requests");
}

#[test]
fn chunks_counted_as_tokens_put_the_peak_below_the_mean() {
    // The server's total says four times what the chunks were counted as.
    let quadruple = |trial: &mut Trial| {
        each(trial, |observation| {
            usage(observation).completion_tokens = 804;
            observation.planned_output_tokens = 804;
            observation.token_source = TokenSource::Final;
        });
    };
    insta::assert_snapshot!(after(sound(), quadruple), @"invalid: peak 204 tok/s is below the mean 643 tok/s");
}

#[test]
fn missing_end_violates_littles_law() {
    let endless = |trial: &mut Trial| trial.observations[0].end_ns = None;
    insta::assert_snapshot!(after(sound(), endless), @"suspect: 4.67 requests in flight on average, but 3.67 by Little's law");
}

#[test]
fn short_steady_state_is_suspect() {
    let short = || closed_trial("chat", 4, 1, S, 20 * MS, 201);
    insta::assert_snapshot!(after(short(), |_| {}), @"suspect: no steady state: 4 streams were held for 5.00 s, not for 10.0 s");
    // A miniature is short by design, and a single stream has no ramp.
    assert_eq!(after(short(), |trial| trial.cell.comparable = false), "");
    assert_eq!(after(closed_trial("chat", 1, 1, S, 20 * MS, 201), |_| {}), "");
}

#[test]
fn repeated_plan_is_suspect() {
    let judged = |trial: u32, attempt: u32, plan: &str| {
        let again = Trial { trial, attempt, plan_digest: plan.to_owned(), ..sound() };
        judge_repetition(&again, [(0, "plan-0")]).map(|reason| format!("{}: {}", reason.validity.word(), reason.text))
    };
    let same = "suspect: its plan is that of trial 0: the same prompts were sent before";
    assert_eq!(judged(1, 0, "plan-0").as_deref(), Some(same));
    assert_eq!(judged(1, 0, "plan-1"), None);
    // A second attempt has the plan of the first on purpose, but not that of any other trial.
    assert_eq!(judged(0, 1, "plan-0"), None);
    assert_eq!(judged(1, 1, "plan-0").as_deref(), Some(same));
    // Two that count as first attempts of one trial are a repetition all the same.
    assert_eq!(judged(0, 0, "plan-0").as_deref(), Some(same));
}

#[test]
fn errors_of_the_instrument_decide_the_validity() {
    use crate::instrument::tests::{budget, point};
    // Four streams, a token every 20 ms, the first after a second: 200 chunks/s when they come. 12 ms are 6 % of the point's TTFT.
    let trial = sound();
    let metrics = TrialMetrics::of(&trial);
    let judged = |points| {
        let judgement = judge(&trial, &metrics, 9, Some(&budget(points)));
        let line = |reason: &Reason| format!("{}: {}", reason.validity.word(), reason.text);
        judgement.reasons.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(judged(vec![point(4, 200.0, 0.01, 0.0)]), "");
    assert_eq!(judged(vec![point(4, 200.0, 0.06, 0.0), point(8, 400.0, 0.0, 0.0)]), "");
    insta::assert_snapshot!(judged(vec![point(4, 200.0, 0.06, 0.0)]), @"invalid: the client was the bottleneck: 4 streams at 200 chunks/s, and in its selftest TTFT p50 is off by 1.20 % with 4 streams at 200 chunks/s");
    insta::assert_snapshot!(judged(vec![point(3, 200.0, 0.0, 0.0)]), @"suspect: 4 streams at 200 chunks/s are more than the selftest of the instrument has checked on this machine");
    let mut lossy = point(4, 200.0, 0.0, 0.0);
    lossy.account.tokens_seen -= 1;
    insta::assert_snapshot!(judged(vec![lossy]), @"invalid: the client was the bottleneck: 4 streams at 200 chunks/s, and in its selftest chunks or tokens are lost with 4 streams at 200 chunks/s");
}
