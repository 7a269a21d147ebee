use super::*;
use crate::{
    fixture::{MS, S, closed_trial},
    validity::Validity,
};

/// The judgement of a trial of 15 s after a change, one line per reason.
fn after(change: impl FnOnce(&mut Trial)) -> String {
    let mut trial = closed_trial("chat", 4, 3, S, 20 * MS, 201);
    change(&mut trial);
    let mut reasons = Vec::new();
    judge(&trial, &mut reasons);
    reasons.iter().map(|reason| format!("{}: {}", reason.validity.word(), reason.text)).collect::<Vec<_>>().join("\n")
}

/// CPU time in ms of the machine, the engine and the client.
fn cpu(machine: u64, engine: Option<u64>, client: Option<u64>) -> impl Fn(&mut Trial) {
    move |trial| {
        trial.facts.machine_cpu_ns = Some(machine * MS);
        trial.facts.engine_cpu_ns = engine.map(|ms| ms * MS);
        trial.facts.client_cpu_ns = client.map(|ms| ms * MS);
    }
}

#[test]
fn foreign_cpu_load_is_suspect() {
    // Of 15 s, 3.75 s are a quarter of a core.
    assert_eq!(after(cpu(15_000 + 3750 + 150, Some(15_000), Some(150))), "");
    insta::assert_snapshot!(
        after(cpu(15_000 + 3751 + 150, Some(15_000), Some(150))),
        @"suspect: programs beside the engine and the client used 0.250 cores (1.26 of the machine, less 1.00 and 0.0100)"
    );
    insta::assert_snapshot!(
        after(cpu(60_000, Some(9_000), Some(150))),
        @"suspect: programs beside the engine and the client used 3.39 cores (4.00 of the machine, less 0.600 and 0.0100)"
    );
    // Of 20 busy cores the twentieth is let pass, since the two accounts differ by as much.
    assert_eq!(after(cpu(300_000, Some(285_000), Some(0))), "");
    assert!(
        after(cpu(300_000, Some(284_999), Some(0)))
            .contains("suspect: programs beside the engine and the client used 1.00 cores")
    );
}

#[test]
fn foreign_cpu_load_is_judged_only_when_all_parts_are_known() {
    for facts in [cpu(60_000, None, Some(150)), cpu(60_000, Some(0), None)] {
        assert_eq!(after(facts), "");
    }
    let without_machine = |trial: &mut Trial| {
        cpu(60_000, Some(0), Some(0))(trial);
        trial.facts.machine_cpu_ns = None;
    };
    assert_eq!(after(without_machine), "");
    // The two accounts are not of one clock: less than nothing is nothing.
    assert_eq!(after(cpu(15_000, Some(15_010), Some(150))), "");
}

#[test]
fn stolen_cpu_time_is_suspect() {
    let stolen = |ms: u64| move |trial: &mut Trial| trial.facts.stolen_cpu_ns = Some(ms * MS);
    assert_eq!((after(stolen(0)), after(stolen(300))), (String::new(), String::new()));
    insta::assert_snapshot!(after(stolen(310)), @"suspect: a hypervisor gave 310 ms of CPU time to others, 2.07 % of one core, above 2.00 %");
}

#[test]
fn cpu_time_of_a_trial_below_one_second_is_not_judged() {
    let lasting = |ms: u64| {
        move |trial: &mut Trial| {
            cpu(9000, Some(100), Some(10))(trial);
            trial.facts.stolen_cpu_ns = Some(900 * MS);
            trial.duration_ns = ms * MS;
        }
    };
    assert_eq!(after(lasting(999)), "");
    assert_eq!(after(lasting(1000)).lines().count(), 2);
}

#[test]
fn swapping_above_the_limit_is_invalid() {
    let swapped = |bytes: u64| move |trial: &mut Trial| trial.facts.swapped_in_bytes = Some(bytes);
    assert_eq!(after(swapped(0)), "");
    insta::assert_snapshot!(after(swapped(4096)), @"valid: 0.00391 MiB were read back from swap");
    insta::assert_snapshot!(after(swapped(16 << 20)), @"valid: 16.0 MiB were read back from swap");
    insta::assert_snapshot!(after(swapped((16 << 20) + 4096)), @"invalid: 16.0 MiB were read back from swap, above 16.0 MiB: memory was full");
    // However short the trial was.
    let short = |trial: &mut Trial| {
        swapped(100 << 20)(trial);
        trial.duration_ns = MS;
    };
    insta::assert_snapshot!(after(short), @"invalid: 100 MiB were read back from swap, above 16.0 MiB: memory was full");
}

#[test]
fn foreign_cpu_load_is_never_invalid() {
    let mut trial = closed_trial("chat", 4, 3, S, 20 * MS, 201);
    cpu(u64::MAX / MS, Some(0), Some(0))(&mut trial);
    trial.facts.stolen_cpu_ns = Some(u64::MAX);
    let mut reasons = Vec::new();
    judge(&trial, &mut reasons);
    assert_eq!(reasons.iter().map(|reason| reason.validity).collect::<Vec<_>>(), [Validity::Suspect; 2]);
}
