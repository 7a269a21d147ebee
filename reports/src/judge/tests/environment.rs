use record::{EndReason, SizingSource};

use super::*;

/// The sentence after a change of the candidate.
fn after(change: impl FnOnce(&mut RunFigures)) -> String {
    after_with(&Policy::default(), change).sentence
}

fn after_with(policy: &Policy, change: impl FnOnce(&mut RunFigures)) -> Ruling {
    let (baseline, mut candidate) = interleaved(chat(&FIVE), chat(&scaled(&FIVE, 1.001)));
    change(&mut candidate);
    judge(&[baseline], &[candidate], policy)
}

#[test]
fn different_loads_are_refused() {
    insta::assert_snapshot!(after(|run| run.trials.iter_mut().for_each(|trial| trial.cell.workload_hash = "fedc".to_owned())), @"Refused: what was asked or how it was counted differs (workload hash of chat/c10): measure both with the same suite and options");
    insta::assert_snapshot!(after(|run| run.trials[1].attempted = 9), @"Refused: what was asked or how it was counted differs (requests of chat/c10): measure both with the same suite and options");
    insta::assert_snapshot!(after(|run| run.header.suite_version = 2), @"Refused: what was asked or how it was counted differs (suite): measure both with the same suite and options");
    insta::assert_snapshot!(after(|run| run.header.harness_version = "0.2.0".to_owned()), @"Refused: what was asked or how it was counted differs (harness version): measure both with the same suite and options");
    assert!(after(|run| run.header.harness_version = "0.1.7".to_owned()).starts_with("No regression"));
    let miniature = after(|run| {
        run.header.gates.clear();
        run.trials.iter_mut().for_each(|trial| trial.cell.comparable = false);
    });
    insta::assert_snapshot!(miniature, @"Refused: the candidate's cells are miniatures, which stand for nothing but the plumbing: measure with --profile quick, standard or full");
}

#[test]
fn engine_difference_outside_the_treatment_is_refused() {
    let flag = |run: &mut RunFigures| run.boots.iter_mut().for_each(|boot| boot.command.push("--eager".to_owned()));
    insta::assert_snapshot!(after(flag), @"Refused: the engines differ in what is not the treatment (flags): if that is what is compared, say --treatment flags");
    insta::assert_snapshot!(after(|run| run.header.recipe.model.revision = "other".to_owned()), @"Refused: the engines differ in what is not the treatment (model): if that is what is compared, say --treatment model");
    let tokenizer = |run: &mut RunFigures| {
        for boot in &mut run.boots {
            boot.sizing.source = SizingSource::Tokenizer { sha256: "ab".to_owned() };
        }
    };
    insta::assert_snapshot!(after(tokenizer), @"Refused: the engines differ in what is not the treatment (tokenizer): if that is what is compared, say --treatment tokenizer");
    insta::assert_snapshot!(after(|run| run.header.machine.name = "another".to_owned()), @"Refused: the engines differ in what is not the treatment (machine): if that is what is compared, say --treatment machine");
    insta::assert_snapshot!(after(|run| { run.header.recipe.process.as_mut().unwrap().env.insert("X".to_owned(), "1".to_owned()); }), @"Refused: the engines differ in what is not the treatment (environment): if that is what is compared, say --treatment environment");

    let policy = Policy { treatment: [Treatment::Flags].into(), ..Policy::default() };
    let ruling = after_with(&policy, flag);
    assert_eq!((ruling.overall, ruling.differences.len()), (OverallVerdict::Unchanged, 1));
    assert_eq!((ruling.differences[0].consequence, ruling.method.treatment), (Consequence::Treatment, vec![Treatment::Flags]));

    let ruling = after_with(&Policy::default(), |run| run.header.machine.kernel = Some("6.17".to_owned()));
    assert_eq!((ruling.overall, ruling.differences[0].consequence), (OverallVerdict::Unchanged, Consequence::Warned));
}

#[test]
fn side_with_two_engines_is_refused() {
    let ruling = after_with(&Policy::default(), |run| run.boots[3].engine_version = Some("9".to_owned()));
    assert_eq!(ruling.overall, OverallVerdict::Refused);
    assert!(
        ruling.differences.iter().any(|difference| difference.field == "engine version (boot 3 of the candidate)"),
        "{:?}",
        ruling.differences
    );

    let mut other = chat(&FIVE);
    other.header.recipe.model.id = "other".to_owned();
    let ruling = judge(&[chat(&FIVE)], &[chat(&FIVE), other], &Policy::default());
    assert!(
        ruling.differences.iter().any(|difference| difference.field == "model id (runs 1 and 2 of the candidate)"),
        "{:?}",
        ruling.differences
    );
}

#[test]
fn unfinished_run_is_refused() {
    let ended = |reason| move |run: &mut RunFigures| run.end.as_mut().unwrap().reason = reason;
    insta::assert_snapshot!(after(ended(EndReason::Interrupted)), @"Refused: a run of the candidate was interrupted: measure it again");
    insta::assert_snapshot!(after(ended(EndReason::Failed { detail: "no".to_owned() })), @"Refused: a run of the candidate failed: its report says why; measure it again");
    insta::assert_snapshot!(after(|run| run.end = None), @"Refused: a record of the candidate is torn: measure it again");
    assert!(judge(&[], &[chat(&FIVE)], &Policy::default()).sentence.contains("the baseline has no run"));
}

#[test]
fn sides_are_interleaved_only_with_their_counterparts() {
    let order = |left: &RunFigures, right: &RunFigures| {
        judge(std::slice::from_ref(left), std::slice::from_ref(right), &Policy::default()).method.order
    };
    let (mut baseline, mut candidate) = interleaved(chat(&FIVE), chat(&scaled(&FIVE, 1.001)));
    assert_eq!(order(&baseline, &candidate), Order::Interleaved);
    // Either may be called the candidate.
    assert_eq!(order(&candidate, &baseline), Order::Interleaved);
    assert_eq!(order(&baseline, &baseline), Order::Stored);
    let mut elsewhere = candidate.clone();
    elsewhere.header.interleaved.as_mut().unwrap().pair = "b".to_owned();
    assert_eq!(order(&baseline, &elsewhere), Order::Stored);
    for run in [&mut baseline, &mut candidate] {
        run.header.interleaved.as_mut().unwrap().order = [[Side::Baseline; 5], [Side::Candidate; 5]].concat();
    }
    assert_eq!(order(&baseline, &candidate), Order::Stored);
}

#[test]
fn sentence_contains_no_text_of_records() {
    let hostile = |run: &mut RunFigures| {
        for trial in &mut run.trials {
            trial.cell.workload = "`<b>|\n".to_owned();
        }
        run.header.recipe.model.id = "<script>".to_owned();
    };
    let sentence = after(hostile);
    assert!(!sentence.contains(['<', '`', '|', '\n']), "{sentence}");
}
