//! Runs on the simulated Spark: boots, repeated trials, and two runs in turns.

mod bench;

use std::{cell::Cell as Memory, collections::BTreeMap};

use harness::{
    drive::DriveLimits,
    session::{RunError, RunInProgress, exclude_cells_of_both, run, run_interleaved},
    stop::stop_pair,
    suite::SuiteError,
};
use record::{Cell, EndReason, ExitCode, Length, Side, Trial};

use bench::{Bench, NoOutput, SmallSuite, Spark, cell, read};

/// Which trials a record holds: cell, boot, trial, attempt, order.
fn places(trials: &[Trial]) -> Vec<(String, u32, u32, u32, u32)> {
    trials.iter().map(|trial| (trial.cell.point.clone(), trial.boot, trial.trial, trial.attempt, trial.order)).collect()
}

fn place(cell: &str, boot: u32, trial: u32, attempt: u32, order: u32) -> (String, u32, u32, u32, u32) {
    (cell.to_owned(), boot, trial, attempt, order)
}

#[test]
fn invalid_trial_is_repeated_once_with_its_seed_and_both_are_kept() {
    let bench = Bench::new(2, 1);
    // One that is invalid the first time, and one that is so again.
    let judged = |trial: &Trial, template_tokens: u32| {
        assert_eq!(template_tokens, 12);
        !(trial.boot == 0 && trial.cell.point == "c1" && trial.attempt == 0 || trial.boot == 1 && trial.cell.point == "c2")
    };
    let session = bench.session(&judged);
    let reason = bench.time.block_on(run(&mut bench.spark("spark", 1), &session, &mut bench.journal("run"))).unwrap().unwrap();
    assert_eq!(reason, EndReason::Finished);
    let record = read(&bench.path("run"));
    assert_eq!(
        places(&record.trials),
        [
            place("c1", 0, 0, 0, 0),
            place("c1", 0, 0, 1, 1),
            place("c2", 0, 0, 0, 2),
            place("c1", 1, 1, 0, 3),
            place("c2", 1, 1, 0, 4),
            place("c2", 1, 1, 1, 5),
        ]
    );
    for (first, again) in [(0, 1), (4, 5)] {
        let (first, again) = (&record.trials[first], &record.trials[again]);
        assert_eq!((first.seed, &first.plan_digest), (again.seed, &again.plan_digest));
        assert_eq!(first.warm_up.requests, again.warm_up.requests);
        assert_ne!(first.observations, again.observations, "it was measured again");
    }
    insta::assert_snapshot!(bench.progress_log(), @"
    boot 0 of 2
    trial 0 of 4: small/c1
    again: small/c1
    ended
    trial 1 of 4: small/c2
    ended
    boot 1 of 2
    trial 2 of 4: small/c1
    ended
    trial 3 of 4: small/c2
    again: small/c2
    ended
    over
    ");
}

#[test]
fn trial_cut_short_is_not_repeated() {
    let bench = Bench::new(1, 1);
    let mut session = bench.session(&|_, _| false);
    session.limits = DriveLimits { trial_ns: 100_000_000, ..session.limits };
    bench.time.block_on(run(&mut bench.spark("spark", 1), &session, &mut bench.journal("run"))).unwrap().unwrap();
    let trials = read(&bench.path("run")).trials;
    assert!(trials.iter().all(|trial| trial.facts.cut_short.is_some()));
    assert_eq!(places(&trials), [place("c1", 0, 0, 0, 0), place("c2", 0, 0, 0, 1)]);
}

#[test]
fn stop_request_prevents_repetition() {
    let bench = Bench::new(1, 1);
    let (source, stop) = stop_pair();
    let judged = |_: &Trial, _: u32| {
        source.request_stop();
        false
    };
    let mut session = bench.session(&judged);
    session.stop = stop;
    let reason = bench.time.block_on(run(&mut bench.spark("spark", 1), &session, &mut bench.journal("run"))).unwrap().unwrap();
    let record = read(&bench.path("run"));
    assert_eq!((reason, record.end.unwrap().reason), (EndReason::Interrupted, EndReason::Interrupted));
    assert_eq!(places(&record.trials), [place("c1", 0, 0, 0, 0)]);
}

#[test]
fn run_adding_boots_continues_numbering_with_new_seeds() {
    let all_seeds = |first_boot: u32| {
        let bench = Bench::new(2, 2);
        let mut session = bench.session(&|_, _| true);
        session.header.first_boot = first_boot;
        let mut spark = bench.spark("spark", 1);
        bench.time.block_on(run(&mut spark, &session, &mut bench.journal("run"))).unwrap().unwrap();
        let record = read(&bench.path("run"));
        let boots: Vec<_> = record.boots.iter().map(|boot| boot.boot).collect();
        assert_eq!(boots, [first_boot, first_boot + 1]);
        let of_c1: Vec<_> = record.trials.iter().filter(|trial| trial.cell.point == "c1").collect();
        let numbers: Vec<_> = of_c1.iter().map(|trial| (trial.boot, trial.trial)).collect();
        assert_eq!(numbers, [0, 1, 2, 3].map(|place| (first_boot + place / 2, 2 * first_boot + place)));
        let stops = record.end.unwrap().engine_stop.unwrap();
        assert!(stops.starts_with(&format!("boot {first_boot}: ")), "{stops}");
        assert!(bench.events().contains(&format!("spark up {first_boot}")), "{:?}", bench.events());
        record.trials.iter().map(|trial| trial.seed).collect::<Vec<_>>()
    };
    let (first, added) = (all_seeds(0), all_seeds(2));
    assert!(first.iter().all(|seed| !added.contains(seed)), "{first:?} {added:?}");
}

const ORDER: [Side; 6] = [Side::Candidate, Side::Baseline, Side::Baseline, Side::Candidate, Side::Baseline, Side::Candidate];

/// Makes two runs in turns.
fn make_both(bench: &Bench, baseline: &mut Spark, candidate: &mut Spark) -> Result<EndReason, RunError> {
    let (baseline_session, candidate_session) = (bench.session(&|_, _| true), bench.session(&|_, _| true));
    make_both_of(bench, (baseline, &baseline_session), (candidate, &candidate_session))
}

type RunParts<'a> = (&'a mut Spark, &'a harness::session::Session<'a, fixtures::virtual_time::VirtualTime>);

fn make_both_of(
    bench: &Bench,
    (baseline, baseline_session): RunParts<'_>,
    (candidate, candidate_session): RunParts<'_>,
) -> Result<EndReason, RunError> {
    let (mut baseline_journal, mut candidate_journal) = (bench.journal("baseline"), bench.journal("candidate"));
    let work = run_interleaved(
        RunInProgress::new(baseline, baseline_session, &mut baseline_journal),
        RunInProgress::new(candidate, candidate_session, &mut candidate_journal),
        &ORDER,
    );
    bench.time.block_on(work).unwrap()
}

#[test]
fn interleaved_runs_send_the_same_plans_and_never_overlap() {
    let bench = Bench::new(3, 1);
    let reason = make_both(&bench, &mut bench.spark("baseline", 1), &mut bench.spark("candidate", 2)).unwrap();
    assert_eq!(reason, EndReason::Finished);
    insta::assert_snapshot!(bench.events().join("\n"), @"
    candidate up 0
    candidate down 0
    baseline up 0
    baseline down 0
    baseline up 1
    baseline down 1
    candidate up 1
    candidate down 1
    baseline up 2
    baseline down 2
    candidate up 2
    candidate down 2
    ");
    let [baseline, candidate] = ["baseline", "candidate"].map(|side| read(&bench.path(side)));
    for record in [&baseline, &candidate] {
        assert_eq!(record.end.as_ref().unwrap().reason, EndReason::Finished);
        assert_eq!(record.boots.iter().map(|boot| boot.boot).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(record.trials.iter().map(|trial| trial.order).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    }
    for (one, other) in baseline.trials.iter().zip(&candidate.trials) {
        assert_eq!(
            (&one.cell, one.trial, one.seed, &one.plan_digest),
            (&other.cell, other.trial, other.seed, &other.plan_digest)
        );
        assert_ne!(one.observations, other.observations, "they are two engines");
    }
    let progress_log = bench.progress_log();
    let count = |word: &str| progress_log.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((count("boot"), count("trial"), count("ended"), count("over")), (6, 12, 12, 1), "{progress_log}");
    assert!(progress_log.contains("boot 5 of 6") && progress_log.contains("trial 11 of 12"), "{progress_log}");
}

#[test]
fn failed_boot_ends_both_runs_and_both_records_say_why() {
    let bench = Bench::new(3, 1);
    let mut baseline = bench.spark("baseline", 1).failing_at(1);
    let error = make_both(&bench, &mut baseline, &mut bench.spark("candidate", 2)).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Engine);
    assert_eq!(error.to_string(), "the baseline: cannot run `spark`: it is broken");
    let end = |side: &str| read(&bench.path(side)).end.unwrap();
    let failed = |detail: &str| EndReason::Failed { detail: detail.to_owned() };
    assert_eq!(end("baseline").reason, failed("cannot run `spark`: it is broken"));
    let others = "the baseline, which was measured together with it, could not go on: cannot run `spark`: it is broken";
    assert_eq!(end("candidate").reason, failed(others));
    assert_eq!(end("candidate").engine_stop.as_deref(), Some("boot 0: simulated: nothing to stop"));
    assert_eq!(bench.events(), ["candidate up 0", "candidate down 0", "baseline up 0", "baseline down 0"]);
}

#[test]
fn interrupt_ends_both_runs_in_order() {
    let bench = Bench::new(3, 1);
    let (source, stop) = stop_pair();
    let judged = Memory::new(0);
    let is_valid = |_: &Trial, _: u32| {
        judged.set(judged.get() + 1);
        if judged.get() == 3 {
            source.request_stop();
        }
        true
    };
    let [mut baseline, mut candidate] = [(); 2].map(|()| bench.session(&is_valid));
    baseline.stop = stop.clone();
    candidate.stop = stop;
    let (mut one, mut other) = (bench.spark("baseline", 1), bench.spark("candidate", 2));
    let reason = make_both_of(&bench, (&mut one, &baseline), (&mut other, &candidate)).unwrap();
    assert_eq!(reason, EndReason::Interrupted);
    let [baseline, candidate] = ["baseline", "candidate"].map(|side| read(&bench.path(side)));
    assert_eq!((baseline.trials.len(), candidate.trials.len()), (1, 2));
    for record in [baseline, candidate] {
        assert_eq!(record.end.unwrap().reason, EndReason::Interrupted);
    }
    assert_eq!(bench.events().last().map(String::as_str), Some("baseline down 0"));
}

#[test]
fn cell_too_long_for_one_side_is_left_out_of_both() {
    let prompt = |tokens| Cell { point: format!("p{tokens}"), prompt_tokens: Length::Fixed { tokens }, ..cell(1) };
    let cells: Vec<_> = [1000, 4000, 9000].map(prompt).into();
    let (kept, [baseline, candidate]) = exclude_cells_of_both(&SmallSuite, cells.clone(), [Some(2000), Some(8000)]);
    assert_eq!(kept.iter().map(Cell::name).collect::<Vec<_>>(), ["small/p1000"]);
    let text = |left_out: &BTreeMap<String, String>| {
        left_out.iter().map(|(cell, why)| format!("{cell} {why}")).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(text(&baseline), @"
    small/p4000 needs a context of 4010 tokens, the recipe's model has 2000
    small/p9000 needs a context of 9010 tokens, the recipe's model has 2000
    ");
    insta::assert_snapshot!(text(&candidate), @"
    small/p4000 the baseline leaves it out: needs a context of 4010 tokens, the recipe's model has 2000
    small/p9000 needs a context of 9010 tokens, the recipe's model has 8000
    ");
    let (kept, left_out) = exclude_cells_of_both(&SmallSuite, cells.clone(), [None, None]);
    assert_eq!((kept, left_out), (cells, [BTreeMap::new(), BTreeMap::new()]));
}

#[test]
fn unplannable_cell_ends_the_run_before_any_trial() {
    let bench = Bench::new(1, 1);
    let mut session = bench.session(&|_, _| true);
    session.cells[1].output_tokens = Length::Fixed { tokens: 0 };
    let error = bench.time.block_on(run(&mut bench.spark("spark", 1), &session, &mut bench.journal("run"))).unwrap().unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.exit_code()),
        ("small/c2: cannot be planned: a request without output", ExitCode::Usage)
    );
    assert!(matches!(&error, RunError::Plan { why: SuiteError::Plan(why), .. } if why.is::<NoOutput>()), "{error:?}");
    assert_eq!(read(&bench.path("run")).trials.len(), 0);
}
