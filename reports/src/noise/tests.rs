use record::{Arrival, EndReason, Gate, Load};

use super::*;
use crate::{
    figures::TrialFigures,
    fixture::{boot, closed_trial, record},
    roofline::Distance,
    statistics::abba::SplitMix,
    validity::{Judgement, Validity},
};

/// A draw of about the normal distribution.
fn normal(chance: &mut SplitMix) -> f64 {
    (0..12).map(|_| (chance.word() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}

/// A trial of a closed-loop cell and one of an open-loop cell, with logarithms that are larger by so much.
fn trials(boot: u32, trial: u32, seed: u64, [closed, open]: [f64; 2]) -> [TrialFigures; 2] {
    let of = closed_trial("chat", 10, 1, 1_000_000, 20_000_000, 101);
    let chat = TrialFigures {
        cell: record::Cell { point: "c10".to_owned(), ..of.cell },
        boot,
        trial,
        attempt: 0,
        order: trial,
        seed,
        plan_digest: format!("plan-{seed}-{trial}"),
        took_ns: 10_000_000_000,
        attempted: 10,
        served: 10,
        validity: Validity::Valid,
        judgement: Judgement::default(),
        figures: [(Metric::DecodeTokS, 50.0 * closed.exp()), (Metric::OutputTokS, 500.0 * closed.exp())].into(),
        server_account: None,
        distance: Distance::default(),
    };
    let mut office = chat.clone();
    (office.cell.workload, office.cell.point) = ("office".to_owned(), "r0.3".to_owned());
    office.cell.load = Load::Open { rate_per_s: 0.3, arrival: Arrival::Poisson, requests: 10 };
    office.figures = [(Metric::TpotP50Ns, 1e7 * open.exp())].into();
    [chat, office]
}

/// An occasion of so many boots with two trials each. Its noise is 0.7 % between occasions, 1 % between boots, 1.5 % between trials and 10 % between
/// seeds.
fn occasion(number: u64, boots: u32, seed: u64) -> RunFigures {
    let mut run = RunFigures::of(&record(Vec::new()));
    let mut chance = SplitMix(1000 + number);
    let occasion = 0.007 * normal(&mut chance);
    run.boots = (0..boots).map(boot).collect();
    for boot in 0..boots {
        let level = occasion + 0.010 * normal(&mut chance);
        for trial in [2 * boot, 2 * boot + 1] {
            let of_seed = 0.10 * normal(&mut SplitMix(seed * 100 + u64::from(trial)));
            let [closed, open] = [0.0, of_seed].map(|of_seed| of_seed + level + 0.015 * normal(&mut chance));
            run.trials.extend(trials(boot, trial, seed, [closed, open]));
        }
    }
    let gate = |cell: &str, metric, paired_by_seed| Gate { cell: cell.to_owned(), metric, margin: 0.03, paired_by_seed };
    run.header.gates = vec![gate("chat/c10", Metric::DecodeTokS, false), gate("office/r0.3", Metric::TpotP50Ns, true)];
    run.header.cells = vec!["chat/c10".to_owned(), "office/r0.3".to_owned()];
    run.header.started_unix_s = Some(1_763_000_000 + number);
    run
}

fn occasions(count: u64, boots: u32, seed: impl Fn(u64) -> u64) -> Vec<RunFigures> {
    (0..count).map(|number| occasion(number, boots, seed(number))).collect()
}

fn near(component: Component, sd_ln: f64) {
    assert!((component.sd_ln / sd_ln - 1.0).abs() < 0.25 && !component.assumed, "{component:?} for {sd_ln}");
}

#[test]
fn components_are_recovered_and_shared_seeds_left_out() {
    let noise = Calibration::estimate(&occasions(200, 4, |_| 1)).unwrap();
    let names: Vec<(&str, Metric)> = noise.cells.iter().map(|cell| (cell.cell.as_str(), cell.metric)).collect();
    // Metrics that the fixture does not define are left out without a warning, since they have no gate.
    let expected = [("chat/c10", Metric::DecodeTokS), ("office/r0.3", Metric::TpotP50Ns), ("chat/c10", Metric::OutputTokS)];
    assert_eq!(names, expected);
    for one in &noise.cells {
        near(one.trial, 0.015);
        near(one.boot, 0.010);
        near(one.occasion.unwrap(), 0.007);
    }
    assert_eq!((noise.occasions, noise.boots, noise.made_unix_s), (200, 800, Some(1_763_000_199)));
    assert_eq!(noise.warnings, Vec::<String>::new());
    // Of the pairs, one occasion's degrees of freedom go to the seeds.
    let df = |cell: usize| noise.cells[cell].trial.df;
    assert!((df(0) - 800.0).abs() < 1e-9 && (df(1) - 796.0).abs() < 1e-9, "{} {}", df(0), df(1));
    assert_eq!(noise.of("chat/c10", "0123456789abcdef", Metric::DecodeTokS), noise.cells.first());
    assert_eq!(noise.of("chat/c10", "another", Metric::DecodeTokS), None);
}

#[test]
fn different_seeds_add_to_the_noise_of_trials_only() {
    let noise = Calibration::estimate(&occasions(200, 4, |number| number)).unwrap();
    near(noise.cells[0].trial, 0.015);
    near(noise.cells[1].trial, 0.10);
    let mixed = Calibration::estimate(&occasions(4, 3, |number| number / 2));
    assert_eq!(mixed.unwrap_err(), CalibrationError::MixedSeeds);
}

#[test]
fn invalid_trial_is_left_out_of_every_occasion_when_paired_by_seed() {
    let mut runs = occasions(4, 3, |_| 1);
    runs[2].trials[1].validity = Validity::Invalid;
    let noise = Calibration::estimate(&runs).unwrap();
    // 5 seeds in 3 boots, 4 occasions; of the cell without pairs nothing is missing: 24 trials in 12 boots.
    let [closed, open] = [0, 1].map(|cell: usize| noise.cells[cell].trial.df);
    assert!((open - 6.0).abs() < 1e-9 && (closed - 12.0).abs() < 1e-9, "{open} {closed}");
}

#[test]
fn single_occasion_has_no_occasion_component() {
    let noise = Calibration::estimate(&occasions(1, 5, |_| 1)).unwrap();
    assert!(noise.cells.iter().all(|cell| cell.occasion.is_none() && cell.boot.df > 0.0));
    assert!(
        noise.warnings[0].starts_with("too few measurements: 1 of at least 4 occasions, 5 of at least 3 boots"),
        "{:?}",
        noise.warnings
    );
}

#[test]
fn unusable_runs_are_refused_with_a_reason() {
    let check = |runs: &[RunFigures], says: &str| {
        let why = Calibration::estimate(runs).unwrap_err().to_string();
        assert!(why.contains(says), "{why}");
    };
    let changed = |change: &dyn Fn(&mut RunFigures)| {
        let mut runs = occasions(2, 3, |_| 1);
        change(&mut runs[1]);
        runs
    };
    check(&[], "there is no run");
    check(&occasions(2, 1, |_| 1), "run 1 has 1 boot");
    check(&changed(&|run| run.end = None), "run 2 is torn");
    check(&changed(&|run| run.end.as_mut().unwrap().reason = EndReason::Interrupted), "run 2 was interrupted");
    check(
        &changed(&|run| run.header.machine.name = "another".to_owned()),
        "run 2 is not of the same engine, machine and load as run 1 (machine)",
    );
    check(&changed(&|run| run.header.machine.kernel = None), "(kernel)");
    check(&changed(&|run| run.header.recipe.name = "another".to_owned()), "(recipe)");
    check(&changed(&|run| run.header.suite_version += 1), "(suite)");
    check(&changed(&|run| run.trials[0].cell.workload_hash = "x".to_owned()), "(workload hash)");
    check(&changed(&|run| run.boots[1].engine_version = Some("0.20".to_owned())), "engine version");
    check(&changed(&|run| run.trials = occasion(0, 3, 1).trials), "runs 1 and 2 have identical figures");
    let mut ungated = occasions(2, 3, |_| 1);
    for run in &mut ungated {
        run.header.gates.clear();
    }
    check(&ungated, "has no gate cell");
    let mut single = occasions(2, 3, |_| 1);
    for run in &mut single {
        run.trials.retain(|trial| trial.trial % 2 == 0);
    }
    check(&single, "--trials 2");
    let mut invalid = occasions(2, 3, |_| 1);
    invalid.iter_mut().flat_map(|run| &mut run.trials).for_each(|trial| trial.validity = Validity::Invalid);
    check(&invalid, "valid trials in every run");
}

#[test]
fn gate_without_enough_values_is_a_warning() {
    let mut runs = occasions(4, 3, |_| 1);
    runs[0].trials[1].figures.insert(Metric::TpotP50Ns, f64::INFINITY);
    let noise = Calibration::estimate(&runs).unwrap();
    assert!(noise.cells.iter().all(|cell| cell.cell == "chat/c10"));
    assert_eq!(noise.warnings, ["office/r0.3 tpot_p50_ns: too few valid trials for an estimate"]);
}

#[test]
fn calibration_expires_when_a_fact_changes() {
    let runs = occasions(4, 3, |_| 1);
    let noise = Calibration::estimate(&runs).unwrap();
    let run = &runs[0];
    assert_eq!(noise.expired(&run.header, &run.boots), None);
    let mut header = run.header.clone();
    header.machine.kernel = Some("<b>".to_owned());
    let why = noise.expired(&header, &run.boots).unwrap();
    assert_eq!(why, "kernel has changed since the noise was measured: calibrate again");
    // A fact that was unknown at calibration counts as changed.
    header.machine.gpu = Some("a GPU".to_owned());
    let mut boots = run.boots.clone();
    boots[0].engine_version = Some("0.20".to_owned());
    let why = noise.expired(&header, &boots).unwrap();
    assert_eq!(why, "GPU and driver, engine version, kernel have changed since the noise was measured: calibrate again");
    let mut edited = noise;
    edited.expires_with.insert("<b>".to_owned(), String::new());
    assert!(!edited.expired(&run.header, &run.boots).unwrap().contains('<'));
}

#[test]
fn calibration_round_trips_through_json() {
    let noise = Calibration::estimate(&occasions(3, 3, |_| 1)).unwrap();
    let text = serde_json::to_string_pretty(&noise).unwrap();
    assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), noise);
}

#[test]
fn expensive_boots_have_more_trials() {
    let mut runs = occasions(4, 3, |_| 1);
    let noise = Calibration::estimate(&runs).unwrap();
    // A round of both cells takes 20 s, and trials differ more than boots.
    assert_eq!(noise.trials_per_boot(&runs), Some(3), "a boot takes 93.4 s");
    let mut boots = runs.iter_mut().flat_map(|run| &mut run.boots);
    boots.by_ref().for_each(|boot| boot.ready_ns = Some(1_000_000_000));
    assert_eq!(noise.trials_per_boot(&runs), Some(1));
    runs.iter_mut().flat_map(|run| &mut run.boots).for_each(|boot| boot.ready_ns = None);
    assert_eq!(noise.trials_per_boot(&runs), None);
}

#[test]
fn halves_regress_only_when_their_boots_differ() {
    let mut runs = occasions(4, 3, |_| 1);
    let halves = split_half(&runs).unwrap();
    assert_eq!((halves.comparisons, halves.regressed.len(), halves.most, halves.is_fine()), (4, 0, 1, true));
    // Boots that alternate as the halves do.
    for place in (0..12).filter(|place| place % 4 == 1 || place % 4 == 2) {
        let of_boot = runs[place / 3].trials.iter_mut().filter(|trial| trial.boot as usize == place % 3);
        of_boot.flat_map(|trial| trial.figures.values_mut()).for_each(|value| *value *= 1.5);
    }
    let halves = split_half(&runs).unwrap();
    assert_eq!(halves.regressed.len(), 2, "each cell one way: {:?}", halves.regressed);
    assert!(!halves.is_fine());
    assert_eq!(split_half(&occasions(1, 5, |_| 1)), None, "too few boots for two halves");
}
