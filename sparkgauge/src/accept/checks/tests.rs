use record::{Outcome, Trial};

use super::*;
use crate::example;

#[track_caller]
fn check(change: impl FnOnce(&mut Record), allow: &[Allow], says: &str) {
    let mut record = example::record();
    change(&mut record);
    let missing = unmet_requirements(&record, allow);
    assert!(missing.len() == 1 && missing[0].contains(says), "`{says}` is not all of: {missing:?}");
}

fn few(boots: usize) -> impl FnOnce(&mut Record) {
    move |record| {
        record.boots.truncate(boots);
        record.trials.retain(|trial| (trial.boot as usize) < boots);
    }
}

/// All of its requests fail, so that nothing of it counts.
fn spoilt(trial: &Trial) -> Trial {
    let mut trial = trial.clone();
    for seen in &mut trial.observations {
        seen.outcome = Outcome::Rejected { status: 503, detail: "full".to_owned() };
    }
    trial
}

#[test]
fn finished_standard_run_of_five_boots_is_accepted() {
    assert_eq!(unmet_requirements(&example::record(), &[]), Vec::<String>::new());
}

#[test]
fn incomplete_run_is_refused() {
    check(|record| record.end = None, &[], "it has no end");
    check(|record| record.end.as_mut().unwrap().reason = EndReason::Interrupted, &[], "it was interrupted");
    let failed = EndReason::Failed { detail: "boot\n1".to_owned() };
    check(|record| record.end.as_mut().unwrap().reason = failed, &[], "it failed: boot\\n1");
    let torn = record::file::UnreadableTail { at_byte: 10, bytes: 7, why: "cut".to_owned() };
    check(|record| record.unreadable_tail = Some(torn), &[], "its last 7 bytes cannot be read");
}

#[test]
fn run_that_cannot_be_compared_is_refused() {
    check(|record| record.header.profile = Profile::Smoke, &[], "its profile is smoke");
    check(|record| record.header.profile = Profile::Quick, &[], "its profile is quick");
    check(|record| record.trials[0].cell.comparable = false, &[], "--profile standard");
    check(|record| record.header.launch = Launch::Attach, &[Allow::FewBoots], "nobody can boot it again");
    check(|record| record.boots[2].engine_version = Some("another".to_owned()), &[], "boot 2 differs in its engine version");
    check(|record| record.header.unpinned = vec!["no digest".to_owned()], &[Allow::FewBoots], "not pinned: no digest");
}

#[test]
fn few_boots_and_unpinned_recipe_are_accepted_with_allow() {
    check(few(4), &[Allow::Unpinned], "--allow few-boots");
    check(few(2), &[Allow::FewBoots], "it has 2 boots; a comparison takes 3");
    let mut record = example::record();
    few(3)(&mut record);
    record.header.unpinned = vec!["no digest".to_owned()];
    assert_eq!(unmet_requirements(&record, &[Allow::FewBoots, Allow::Unpinned]), Vec::<String>::new());
}

#[test]
fn run_with_a_validly_repeated_trial_is_accepted() {
    let repeated = |record: &mut Record| {
        let good = record.trials[1].clone();
        record.trials[1] = spoilt(&good);
        record.trials.push(Trial { attempt: 1, ..good });
    };
    let mut record = example::record();
    repeated(&mut record);
    assert_eq!(unmet_requirements(&record, &[]), Vec::<String>::new());
    check(|record| record.trials[1] = spoilt(&record.trials[1]), &[], "1 of its trials are invalid");
    check(
        |record| {
            repeated(record);
            let last = record.trials.last_mut().unwrap();
            *last = spoilt(last);
        },
        &[],
        "1 of its trials are invalid",
    );
}
