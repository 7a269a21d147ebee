use record::{Observation, Trial};

use super::*;
use crate::fixture::{MS, S, closed_trial, numbered, record, rejected};
use crate::metrics::TrialMetrics;

/// A trial of two streams whose TTFT is so many milliseconds.
fn of_ttft(number: u32, boot: u32, ttft_ms: u64) -> Trial {
    numbered(number, boot, closed_trial("chat", 2, 3, ttft_ms * MS, 20 * MS, 301))
}

fn ttft(trials: Vec<Trial>) -> (Unit, Estimate) {
    let summary = summarise(&record(trials));
    (summary.cells[0].unit, *summary.cells[0].figure(Metric::TtftP50Ns).unwrap())
}

#[test]
fn trials_of_one_boot_are_the_units() {
    let (unit, estimate) = ttft(vec![of_ttft(0, 0, 100), of_ttft(1, 0, 110), of_ttft(2, 0, 120)]);
    assert_eq!((unit, estimate.n, estimate.mean, estimate.sd), (Unit::Trial, 3, Some(110e6), Some(10e6)));
}

#[test]
fn single_trials_of_several_boots_are_the_units() {
    let (unit, estimate) = ttft(vec![of_ttft(0, 0, 100), of_ttft(1, 1, 120)]);
    assert_eq!((unit, estimate.n, estimate.mean), (Unit::Trial, 2, Some(110e6)));
}

#[test]
fn several_trials_of_several_boots_are_averaged_per_boot() {
    // The geometric mean of 100 and 144 is 120, so that the boots' mean is 130, though that of the trials is 128.
    let trials = vec![of_ttft(0, 0, 100), of_ttft(1, 0, 144), of_ttft(2, 1, 140)];
    let (unit, estimate) = ttft(trials);
    assert_eq!((unit, estimate.n), (Unit::Boot, 2));
    assert!((estimate.mean.unwrap() - 130e6).abs() < 1.0, "{estimate:?}");
    assert!((estimate.sd.unwrap() - 20e6 / 2.0_f64.sqrt()).abs() < 1.0);
}

#[test]
fn boot_with_a_zero_value_has_an_arithmetic_mean() {
    let mut cached = of_ttft(1, 0, 100);
    cached.cell.prefix_reuse = record::PrefixReuse::Allowed;
    for observation in &mut cached.observations {
        observation.usage = observation.usage.map(|usage| record::Usage { cached_tokens: Some(50), ..usage });
    }
    let of = |number, boot, like: &Trial| Trial { trial: number, boot, plan_digest: format!("plan-{number}"), ..like.clone() };
    let mut plain = cached.clone();
    plain.observations.clone_from(&of_ttft(0, 0, 100).observations);
    let summary = summarise(&record(vec![of(0, 0, &plain), of(1, 0, &cached), of(2, 1, &cached)]));
    let share = summary.cells[0].figure(Metric::PrefixHitShare).unwrap();
    assert_eq!((share.n, share.mean), (2, Some(0.375)));
}

#[test]
fn metric_that_some_trials_lack_has_fewer_values_than_units() {
    let short = numbered(1, 0, closed_trial("chat", 2, 1, 100 * MS, 20 * MS, 301));
    let summary = summarise(&record(vec![of_ttft(0, 0, 100), short]));
    let cell = &summary.cells[0];
    assert_eq!((cell.units, cell.planned_trials), (2, 3));
    assert_eq!(cell.figure(Metric::TtftP50Ns).unwrap().n, 2);
    assert_eq!(cell.figure(Metric::SteadyOutputTokS).unwrap().n, 1);
}

#[test]
fn invalid_trials_are_counted_and_left_out() {
    let mut cut = of_ttft(1, 0, 900);
    cut.facts.cut_short = Some("an interrupt".to_owned());
    let summary = summarise(&record(vec![of_ttft(0, 0, 100), cut.clone()]));
    let cell = &summary.cells[0];
    assert_eq!((cell.count(Validity::Valid), cell.count(Validity::Invalid), cell.trials.len()), (1, 1, 2));
    assert_eq!(cell.figure(Metric::TtftP50Ns).unwrap().mean, Some(100e6));
    assert_eq!((cell.attempted, cell.served, cell.requests_per_trial), (6, 6, Some(6)));

    let summary = summarise(&record(vec![cut]));
    let cell = &summary.cells[0];
    assert_eq!((cell.figures.len(), cell.attempted, cell.units, cell.requests_per_trial), (0, 0, 0, None));
}

#[test]
fn percentile_among_failures_has_no_mean() {
    let mut peak = closed_trial("peak", 2, 30, 500 * MS, 20 * MS, 11);
    peak.cell.load = crate::fixture::open();
    // 10 of 60 refused: p50 is finite, p95 is not.
    for observation in peak.observations.iter_mut().take(10) {
        *observation = rejected(observation.send_ns.unwrap(), observation.send_ns.unwrap() + MS);
    }
    let summary = summarise(&record(vec![peak]));
    let cell = &summary.cells[0];
    assert_eq!(cell.count(Validity::Suspect), 1, "{:?}", cell.trials[0].judgement);
    assert_eq!(cell.figure(Metric::TtftP50Ns).unwrap().mean, Some(500e6));
    let p95 = cell.figure(Metric::TtftP95Ns).unwrap();
    assert_eq!((p95.unbounded, p95.mean, p95.half_width), (1, None, None));
}

#[test]
fn cells_keep_the_order_of_the_suite() {
    let other = closed_trial("rag", 5, 2, S, 20 * MS, 301);
    let mut run = record(vec![of_ttft(0, 0, 100), other, of_ttft(1, 0, 110)]);
    run.header.cells.reverse();
    let names: Vec<_> = summarise(&run).cells.iter().map(|cell| cell.cell.name()).collect();
    assert_eq!(names, ["rag/c5", "chat/c2"]);
}

#[test]
fn repeated_plan_makes_the_second_trial_suspect() {
    let again = Trial { plan_digest: "plan-0".to_owned(), ..of_ttft(1, 0, 100) };
    let summary = summarise(&record(vec![of_ttft(0, 0, 100), again]));
    let validity: Vec<_> = summary.cells[0].trials.iter().map(|trial| trial.validity).collect();
    assert_eq!(validity, [Validity::Valid, Validity::Suspect]);
}

#[test]
fn empty_record_has_an_empty_summary() {
    assert_eq!(summarise(&record(Vec::new())).cells, []);
}

#[test]
fn summary_serialises_to_json() {
    let json = serde_json::to_value(summarise(&record(vec![of_ttft(0, 0, 100), of_ttft(1, 0, 110)]))).unwrap();
    let cell = &json["cells"][0];
    assert_eq!(cell["unit"], "trial");
    assert_eq!(cell["figures"]["ttft_p50_ns"]["mean"], 105e6);
    assert_eq!(cell["figures"]["decode_tok_s"]["n"], 2);
    assert_eq!(cell["trials"][1]["validity"], "valid");
    assert_eq!(cell["trials"][1]["figures"]["ttft_p50_ns"], 110e6);
    assert_eq!(cell["trials"][1]["reasons"], serde_json::json!([]));
}

#[test]
fn summary_includes_the_account_of_the_server() {
    let of =
        |trial: Trial| serde_json::to_value(summarise(&record(vec![trial]))).unwrap()["cells"][0]["trials"][0]["sides"].clone();
    assert_eq!(of(crate::fixture::watched())["server_output_tokens"], 2412.0);
    assert_eq!(of(of_ttft(0, 0, 100)), serde_json::Value::Null);
}

/// The largest point of the suite: 384 streams, 768 requests, 400 chunks each.
#[test]
fn largest_trial_is_summarised() {
    let big = closed_trial("batch", 384, 2, S, 20 * MS, 400);
    assert_eq!(big.observations.iter().map(|observation: &Observation| observation.chunks.len()).sum::<usize>(), 307_200);
    let metrics = TrialMetrics::of(&big);
    assert_eq!((metrics.served, metrics.in_flight_peak), (768, 384));
    assert!((metrics.peak_tok_s.unwrap() - 384.0 * 51.0).abs() < 1e-3, "{:?}", metrics.peak_tok_s);
}
