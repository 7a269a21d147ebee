use super::*;

#[test]
fn slower_interleaved_candidate_regresses() {
    let ruling = ruling_of(interleaved(chat(&FIVE), chat(&scaled(&FIVE, 0.93))));
    insta::assert_snapshot!(ruling.sentence, @"Regressed: 1 of 1 gate cell is worse beyond chance, by the margin or more as estimated; 0 pass");
    assert_eq!((ruling.overall, ruling.exit_code, ruling.method.order), (OverallVerdict::Regressed, 5, Order::Interleaved));
    assert_eq!((ruling.method.family, ruling.method.occasion, ruling.method.boot), (1, None, None));
    let row = row(&ruling);
    assert_eq!(
        (row.verdict, row.baseline.values.len(), row.candidate.unit),
        (Verdict::Regressed, 5, Some(crate::summary::Unit::Trial))
    );
    assert!((row.change_percent.unwrap() + 7.0).abs() < 0.1 && row.q_regressed.unwrap() < 0.01, "{row:?}");
    let interval = row.interval_percent.unwrap();
    assert!(interval.low < -7.0 && interval.high > -7.0 && interval.high < -5.0, "{interval:?}");
}

#[test]
fn each_verdict_has_its_words_and_exit_code() {
    let quiet: Vec<f64> = FIVE.iter().map(|value| 100.0 + (value - 100.0) / 4.0).collect();
    let loud: Vec<f64> = FIVE.iter().map(|value| 100.0 + (value - 100.0) * 6.0).collect();
    let table = [
        (
            quiet.clone(),
            scaled(&quiet, 1.001),
            OverallVerdict::Unchanged,
            0,
            "No regression: the gate cell passes, measured in turns",
        ),
        (
            quiet.clone(),
            scaled(&quiet, 1.08),
            OverallVerdict::Improved,
            0,
            "Improved: 1 of 1 gate cell is better beyond chance, by the margin or more as estimated; none is worse, 1 pass",
        ),
        (
            loud.clone(),
            scaled(&loud, 0.999),
            OverallVerdict::Inconclusive,
            0,
            "Inconclusive: 1 of 1 gate cell is neither shown to be worse nor shown to be unchanged; 0 pass",
        ),
        (
            quiet[..2].to_vec(),
            quiet[2..4].to_vec(),
            OverallVerdict::Insufficient,
            4,
            "Insufficient: 1 of 1 gate cell has fewer than three values on a side; 0 pass",
        ),
    ];
    for (baseline, candidate, overall, code, sentence) in table {
        let ruling = ruling_of(interleaved(chat(&baseline), chat(&candidate)));
        let said = (ruling.overall, ruling.exit_code, ruling.sentence.as_str());
        assert_eq!(said, (overall, code, sentence), "{:?}", row(&ruling).why);
    }
    let strict = Policy { inconclusive: InconclusivePolicy::Fail, ..Policy::default() };
    let (baseline, candidate) = interleaved(chat(&loud), chat(&scaled(&loud, 1.001)));
    let ruling = judge(&[baseline], &[candidate], &strict);
    assert_eq!((ruling.overall, ruling.exit_code), (OverallVerdict::Inconclusive, 6));
    let row = row(&ruling);
    assert!(row.trials_needed.unwrap() > 30 && row.is_futile && row.mde_percent.unwrap() > 5.0, "{row:?}");
}

#[test]
fn record_compared_with_itself_is_refused() {
    let ruling = ruling_of((chat(&FIVE), chat(&FIVE)));
    assert_eq!(ruling.overall, OverallVerdict::Refused);
    insta::assert_snapshot!(row(&ruling).why.clone().unwrap(), @"both sides have the very same values: is it one record, or are they cached or synthetic?");
}

#[test]
fn gate_without_better_direction_is_refused() {
    let streams = |values: &[f64]| {
        let mut run = chat(values);
        run.header.gates = vec![gate("chat/c10", Metric::InFlightMean, 0.03, false)];
        for (trial, value) in run.trials.iter_mut().zip(values) {
            trial.figures = [(Metric::InFlightMean, *value)].into();
        }
        run
    };
    let ruling = ruling_of(interleaved(streams(&FIVE), streams(&scaled(&FIVE, 0.9))));
    assert_eq!((ruling.overall, row(&ruling).verdict), (OverallVerdict::Refused, Verdict::Refused));
    insta::assert_snapshot!(row(&ruling).why.clone().unwrap(), @"its gate is about a metric of the load or the stream, and no way is better there: declare another gate");
}

#[test]
fn stored_baseline_adds_the_noise_between_occasions() {
    let ruling = ruling_of((chat(&FIVE), chat(&scaled(&FIVE, 0.999))));
    assert_eq!((ruling.method.order, ruling.overall), (Order::Stored, OverallVerdict::Inconclusive));
    assert_eq!(ruling.method.occasion, Some(NoiseSource::Assumed { component: Component::ASSUMED }));
    let assumed = row(&ruling).mde_percent.unwrap();

    let component = Component { sd_ln: 0.002, df: 9.0, assumed: false };
    let hash = chat(&FIVE).trials[0].cell.workload_hash.clone();
    let noise = crate::noise::CellNoise {
        cell: "chat/c10".to_owned(),
        workload_hash: hash,
        metric: Metric::DecodeTokS,
        trial: component,
        boot: component,
        occasion: Some(component),
    };
    let calibration = crate::noise::Calibration {
        schema_version: crate::noise::CALIBRATION_SCHEMA_VERSION,
        made_unix_s: Some(7),
        recipe: "tiny-llamacpp".to_owned(),
        machine: "a board".to_owned(),
        expires_with: BTreeMap::new(),
        occasions: 4,
        boots: 12,
        warnings: Vec::new(),
        cells: vec![noise],
    };
    let policy = Policy { calibration: Some(calibration), ..Policy::default() };
    let ruling = judge(&[chat(&FIVE)], &[chat(&scaled(&FIVE, 0.999))], &policy);
    assert_eq!(ruling.method.occasion, Some(NoiseSource::Calibrated { made_unix_s: Some(7), cells: 1 }));
    assert_eq!(ruling.overall, OverallVerdict::Unchanged);
    assert!(row(&ruling).mde_percent.unwrap() < assumed / 2.0);
}

#[test]
fn open_loop_is_paired_by_seed() {
    // The seeds differ by factors, the sides by 12 %.
    let seconds = [2e9, 9e9, 4e9, 20e9, 1e9];
    let slower = [2.26e9, 10.1e9, 4.5e9, 22.2e9, 1.12e9];
    let ruling = ruling_of(interleaved(office(&seconds), office(&slower)));
    let row_of = row(&ruling);
    assert_eq!((row_of.verdict, row_of.paired), (Verdict::Regressed, true));

    // Which boot had which seed does not matter.
    let mut reversed = office(&slower);
    reversed.trials.reverse();
    let (baseline, reversed) = interleaved(office(&seconds), reversed);
    assert_eq!(row(&ruling_of((baseline, reversed))).p_regressed, row_of.p_regressed);

    let mut others = office(&slower);
    others.trials.iter_mut().for_each(|trial| trial.seed += 1000);
    let ruling = ruling_of(interleaved(office(&seconds), others));
    assert_eq!(ruling.overall, OverallVerdict::Refused);
    assert!(row(&ruling).why.as_ref().unwrap().contains("no seed in common"), "{ruling:?}");

    let mut prompts = office(&slower);
    prompts.trials[0].plan_digest = "another".to_owned();
    let ruling = ruling_of(interleaved(office(&seconds), prompts));
    assert!(row(&ruling).why.as_ref().unwrap().contains("other prompts"), "{ruling:?}");

    // A trial that is missing on one side takes its counterpart with it.
    let mut fewer = office(&slower);
    fewer.trials[1].validity = Validity::Invalid;
    let ruling = ruling_of(interleaved(office(&seconds), fewer));
    assert_eq!(row(&ruling).baseline.values.len(), 4);
}

#[test]
fn boot_is_the_unit_unless_a_side_has_one_boot() {
    let twice = |values: &[f64]| {
        let numbered = (0..).zip(values);
        run(numbered.flat_map(|(n, value)| [trial(2 * n, n, value * 1.01), trial(2 * n + 1, n, value / 1.01)]).collect())
    };
    let ruling = ruling_of(interleaved(twice(&FIVE), twice(&scaled(&FIVE, 0.93))));
    let two = row(&ruling);
    assert_eq!((two.baseline.values.len(), two.baseline.unit), (5, Some(crate::summary::Unit::Boot)));
    assert!((two.baseline.values[0] - FIVE[0]).abs() < 1e-9);

    let one_boot = |values: &[f64]| run((0..).zip(values).map(|(n, value)| trial(n, 0, *value)).collect());
    for (factor, expected) in [(0.8, Verdict::Regressed), (1.25, Verdict::NotWorse)] {
        let ruling = ruling_of((one_boot(&FIVE), one_boot(&scaled(&FIVE, factor))));
        let row = row(&ruling);
        assert_eq!((row.verdict, row.baseline.values.len()), (expected, 5));
        assert!(ruling.method.boot.is_some() && ruling.overall != OverallVerdict::Improved);
        assert_eq!(row.notes.contains(&Note::ImprovementWithheld), factor > 1.0);
    }
}

#[test]
fn invalid_trial_is_excluded_and_its_repetition_counts() {
    let mut candidate = chat(&scaled(&FIVE, 1.001));
    candidate.trials[0].validity = Validity::Invalid;
    candidate.trials[0].judgement.reasons = vec![Reason {
        validity: Validity::Invalid,
        kind: "send lag".to_owned(),
        text: "send lag".to_owned(),
        extent: None,
        quote: None,
    }];
    candidate.trials[0].figures.insert(Metric::DecodeTokS, 1.0);
    let repeated = TrialFigures { attempt: 1, ..trial(0, 0, 100.1) };
    candidate.trials.insert(1, repeated);
    let ruling = ruling_of(interleaved(chat(&FIVE), candidate.clone()));
    let row_of = row(&ruling);
    assert_eq!(row_of.candidate.values, [100.1, FIVE[1] * 1.001, FIVE[2] * 1.001, FIVE[3] * 1.001, FIVE[4] * 1.001]);
    assert_eq!((ruling.candidate.trials, ruling.candidate.invalid, ruling.candidate.repeated), (6, 1, 1));
    assert_eq!(ruling.candidate.notes[0].reasons[0].text, "send lag");

    for trial in &mut candidate.trials {
        trial.validity = Validity::Invalid;
    }
    let ruling = ruling_of(interleaved(chat(&FIVE), candidate));
    insta::assert_snapshot!(ruling.sentence, @"Refused: 6 of 6 trials of the candidate are invalid, more than one in five: see its report for the reasons");
}

#[test]
fn candidate_with_more_failures_regresses_even_if_faster() {
    let mut candidate = chat(&scaled(&FIVE, 1.2));
    for trial in &mut candidate.trials {
        (trial.served, trial.validity) = (7, Validity::Invalid);
    }
    let ruling = ruling_of(interleaved(chat(&FIVE), candidate));
    let row = row(&ruling);
    assert_eq!((ruling.overall, row.verdict, row.candidate.served), (OverallVerdict::Regressed, Verdict::Regressed, 35));
    assert!(row.notes.contains(&Note::FailsMore));

    let mut unbounded = chat(&FIVE);
    unbounded.header.gates = vec![gate("chat/c10", Metric::TtftP50Ns, 0.05, false)];
    for one in &mut unbounded.trials {
        one.figures = [(Metric::TtftP50Ns, 1e9)].into();
    }
    let mut candidate = unbounded.clone();
    candidate.trials[3].figures = [(Metric::TtftP50Ns, f64::INFINITY)].into();
    let ruling = ruling_of(interleaved(unbounded, candidate));
    assert_eq!(ruling.rows[0].notes, [Note::Unbounded]);
}

#[test]
fn drift_is_refused_for_stored_and_tolerated_for_interleaved_sides() {
    let drifting: Vec<f64> =
        (0..5).map(|boot| 100.0 - 1.5 * f64::from(boot) + if boot % 2 == 0 { 0.05 } else { -0.05 }).collect();
    let ruling = ruling_of((chat(&drifting), chat(&scaled(&drifting, 1.001))));
    assert_eq!(ruling.overall, OverallVerdict::Refused);
    assert!(ruling.method.drift.unwrap().matters);
    let why = row(&ruling).why.clone().unwrap();
    insta::assert_snapshot!(why, @"the machine drifted by 6.4 % over a side's boots, which cannot be told from a difference: let it warm up, or measure both sides interleaved with --against");

    // A record compared with itself is reported as such, with or without drift.
    let ruling = ruling_of((chat(&drifting), chat(&drifting)));
    assert!(row(&ruling).why.as_ref().unwrap().contains("the very same values"));

    let ruling = ruling_of(interleaved(chat(&drifting), chat(&scaled(&drifting, 1.001))));
    let row = row(&ruling);
    assert!(!matches!(row.verdict, Verdict::Refused | Verdict::Regressed), "{row:?}");
    assert!(row.notes.contains(&Note::Drifted) && ruling.method.drift.unwrap().matters);
}

#[test]
fn family_is_the_gates_of_the_candidate() {
    // The baseline measured less: the gate is there, and says that it has nothing.
    let mut both = chat(&scaled(&FIVE, 1.001));
    both.trials.extend(office(&FIVE).trials);
    let candidate = run(both.trials);
    let (baseline, candidate) = interleaved(chat(&FIVE), candidate);
    let ruling = judge(&[baseline], &[candidate], &Policy::default());
    let verdicts: Vec<_> = ruling.gate_rows().map(|row| (row.cell.as_str(), row.verdict)).collect();
    assert_eq!(verdicts, [("chat/c10", Verdict::Unchanged), ("office/r0.3", Verdict::Insufficient)]);
    assert_eq!((ruling.overall, ruling.exit_code, ruling.method.family), (OverallVerdict::Insufficient, 4, 2));

    // A record of before there were gates has those of the suite, as far as it planned their cells.
    let mut older = chat(&FIVE);
    (older.header.schema_version, older.header.gates) = (2, Vec::new());
    let gates = vec![gate("chat/c10", Metric::DecodeTokS, 0.03, false), gate("rag/c5", Metric::OutputTokS, 0.03, false)];
    let policy = Policy { gates, ..Policy::default() };
    let ruling = judge(std::slice::from_ref(&older), std::slice::from_ref(&older), &policy);
    assert_eq!(ruling.gate_rows().map(|row| row.cell.as_str()).collect::<Vec<_>>(), ["chat/c10"]);
    assert!(judge(std::slice::from_ref(&older), &[older.clone()], &Policy::default()).sentence.contains("no gate cell"));
}

/// Boots with some noise.
fn any_values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(90.0..110.0_f64, 5..7)
}

fn mirrored(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Regressed => Verdict::Improved,
        Verdict::Improved => Verdict::Regressed,
        other => other,
    }
}

proptest! {
    #[test]
    fn swapping_sides_swaps_regressed_and_improved(values in any_values(), factor in 0.8..1.25_f64) {
        let other = scaled(&values, factor);
        let (left, right) = (ruling_of(interleaved(chat(&values), chat(&other))), ruling_of(interleaved(chat(&other), chat(&values))));
        let (left, right) = (row(&left).verdict, row(&right).verdict);
        let is_directed = matches!(left, Verdict::Regressed | Verdict::Improved) || matches!(right, Verdict::Regressed | Verdict::Improved);
        prop_assert!(!is_directed || left == mirrored(right), "{left:?} {right:?}");
    }

    #[test]
    fn verdict_is_independent_of_unit_and_boot_order(values in any_values(), other in any_values(), scale in 0.001..1000.0_f64) {
        let plain = ruling_of(interleaved(chat(&values), chat(&other[..])));
        prop_assume!(plain.refusals.is_empty() && values.len() == other.len());
        let scaled = ruling_of(interleaved(chat(&scaled(&values, scale)), chat(&scaled(&other, scale))));
        prop_assert_eq!(row(&plain).verdict, row(&scaled).verdict);
        let mut back = other.clone();
        back.reverse();
        let reordered = ruling_of(interleaved(chat(&values), chat(&back)));
        prop_assert_eq!(row(&plain).p_regressed, row(&reordered).p_regressed);
    }

    #[test]
    fn exit_code_matches_the_sentence(values in any_values(), other in any_values()) {
        let ruling = judge(&[chat(&values)], &[chat(&other)], &Policy::default());
        let word = ruling.sentence.split([':', ' ']).next().unwrap().to_owned();
        let expected = match ruling.exit_code {
            4 => ["Refused", "Insufficient"],
            5 => ["Regressed", "Regressed"],
            0 => ["No", "Inconclusive"],
            code => panic!("{code}"),
        };
        prop_assert!(expected.contains(&word.as_str()) || word == "Improved", "{}", ruling.sentence);
    }
}
