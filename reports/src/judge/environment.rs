//! Decides whether two sides can be compared. The requested load must be the same, and the engines may differ only in the declared treatment.

use std::collections::{BTreeMap, BTreeSet};

use record::{Cell, EndReason};

use super::{Comparability, Consequence, Policy, SideDifference};
use crate::{
    figures::{RunFigures, TrialFigures},
    identity::{EngineRecord, between_boots, differences},
    validity::Validity,
};

/// A side with a larger share of invalid trials is refused.
const MAX_INVALID_SHARE: f64 = 0.20;

/// The outcome of the check of both environments.
pub(super) struct Environment {
    /// Why there is no comparison. The texts are the program's own and contain none from records.
    pub(super) refusals: Vec<String>,
    /// All differences between the sides, with their consequence.
    pub(super) differences: Vec<SideDifference>,
}

/// Checks both sides, baseline first.
pub(super) fn compare(sides: [&[RunFigures]; 2], policy: &Policy) -> Environment {
    let mut found: Vec<SideDifference> = Vec::new();
    let mut add = |field: String, comparability: Comparability, baseline: String, candidate: String| {
        let consequence = match comparability {
            Comparability::Informational => Consequence::Warned,
            Comparability::Treatable(treatment) if policy.treatment.contains(&treatment) => Consequence::Treatment,
            Comparability::Treatable(_) | Comparability::Load => Consequence::Refused,
        };
        found.push(SideDifference { field, comparability, baseline, candidate, consequence });
    };
    for (field, [baseline, candidate]) in load_differences(sides) {
        add(field, Comparability::Load, baseline, candidate);
    }
    let [baseline, candidate] = sides.map(engines);
    for difference in differences(&baseline, &candidate) {
        add(difference.field, difference.comparability, difference.left, difference.right);
    }
    for (side, runs) in ["baseline", "candidate"].into_iter().zip(sides) {
        for (place, difference) in differences_within(runs) {
            let field = format!("{} ({place} of the {side})", difference.field);
            add(field, difference.comparability, difference.left, difference.right);
        }
    }
    let mut refusals = Vec::new();
    for (side, runs) in ["baseline", "candidate"].into_iter().zip(sides) {
        refusals.extend(side_refusals(side, runs));
    }
    refusals.extend(difference_refusals(&found));
    Environment { refusals, differences: found }
}

/// The refusal of a comparison without gate cells.
pub(super) fn no_gates(candidate: &[RunFigures]) -> String {
    if candidate.iter().any(|run| run.trials.iter().any(|trial| !trial.cell.comparable)) {
        return "the candidate's cells are miniatures, which stand for nothing but the plumbing: measure with --profile quick, standard or full".to_owned();
    }
    "the candidate measured no gate cell: measure a workload with its standard points".to_owned()
}

/// One sentence for each kind of refused differences, without the values, which are untrusted texts of records.
fn difference_refusals(differences: &[SideDifference]) -> Vec<String> {
    let mut treatable = BTreeSet::new();
    let mut load = BTreeSet::new();
    for difference in differences.iter().filter(|difference| difference.consequence == Consequence::Refused) {
        match difference.comparability {
            Comparability::Treatable(treatment) => _ = treatable.insert(treatment.word()),
            Comparability::Load => _ = load.insert(difference.field.as_str()),
            Comparability::Informational => {}
        }
    }
    let list = |words: BTreeSet<&str>| words.into_iter().collect::<Vec<_>>().join(", ");
    let mut refusals = Vec::new();
    if !load.is_empty() {
        let load = list(load);
        refusals
            .push(format!("what was asked or how it was counted differs ({load}): measure both with the same suite and options"));
    }
    if !treatable.is_empty() {
        let words: Vec<String> = treatable.iter().map(|word| format!("--treatment {word}")).collect();
        let (treatable, words) = (list(treatable), words.join(" "));
        refusals.push(format!(
            "the engines differ in what is not the treatment ({treatable}): if that is what is compared, say {words}"
        ));
    }
    refusals
}

fn engines(runs: &[RunFigures]) -> Vec<EngineRecord<'_>> {
    runs.iter().map(|run| (&run.header, run.boots.as_slice())).collect()
}

/// The differences within one side, between its runs and between boots of one run, each with its place.
fn differences_within(runs: &[RunFigures]) -> Vec<(String, crate::identity::Difference)> {
    let engines = engines(runs);
    let mut found = Vec::new();
    for (number, engine) in engines.iter().enumerate() {
        if number > 0 {
            let others = differences(&engines[..1], std::slice::from_ref(engine));
            found.extend(others.into_iter().map(|difference| (format!("runs 1 and {}", number + 1), difference)));
        }
        found.extend(between_boots(*engine).into_iter().map(|(boot, difference)| (format!("boot {boot}"), difference)));
    }
    found
}

/// The reasons to refuse a side as a whole.
fn side_refusals(side: &str, runs: &[RunFigures]) -> Vec<String> {
    let mut why = Vec::new();
    if runs.is_empty() {
        return vec![format!("the {side} has no run")];
    }
    for run in runs {
        match run.end.as_ref().map(|end| &end.reason) {
            Some(EndReason::Finished) if run.unreadable_tail.is_none() => {}
            Some(EndReason::Interrupted) => why.push(format!("a run of the {side} was interrupted: measure it again")),
            Some(EndReason::Failed { .. }) => {
                why.push(format!("a run of the {side} failed: its report says why; measure it again"));
            }
            Some(EndReason::Finished) | None => why.push(format!("a record of the {side} is torn: measure it again")),
        }
    }
    let trials = || runs.iter().flat_map(|run| &run.trials);
    // Failing trials are judged by the test of failures, and do not count as invalid here.
    let invalid = trials().filter(|trial| trial.validity == Validity::Invalid && !is_failing(trial)).count();
    let all = trials().count();
    if invalid as f64 > MAX_INVALID_SHARE * all as f64 {
        why.push(format!(
            "{invalid} of {all} trials of the {side} are invalid, more than one in five: see its report for the reasons"
        ));
    }
    why
}

/// Whether a trial is invalid because its requests failed, and not because of how they were sent.
pub(super) fn is_failing(trial: &TrialFigures) -> bool {
    let failed = trial.attempted - trial.served;
    f64::from(failed) > 0.005 * f64::from(trial.attempted)
}

/// The differences in the requested load and in how it is counted, with the values of both sides.
fn load_differences(sides: [&[RunFigures]; 2]) -> Vec<(String, [String; 2])> {
    let mut found = Vec::new();
    let mut compare = |field: String, values: [BTreeSet<String>; 2]| {
        let [left, right] = &values;
        if left != right || left.len() > 1 {
            found.push((field, values.map(|values| values.into_iter().collect::<Vec<_>>().join(" or "))));
        }
    };
    let over = |of: fn(&RunFigures) -> String| sides.map(|runs| runs.iter().map(of).collect::<BTreeSet<_>>());
    compare("suite".to_owned(), over(|run| format!("{} version {}", run.header.suite, run.header.suite_version)));
    compare("harness version".to_owned(), over(|run| compatible_version(&run.header.harness_version)));
    let [baseline, candidate] = sides.map(cell_loads);
    for (name, one) in &candidate {
        // A cell that only one side measured is no difference of load; its row says that there is nothing to compare with.
        let Some(other) = baseline.get(name) else { continue };
        let values = |of: fn(&CellLoad) -> BTreeSet<String>| [of(other), of(one)];
        compare(format!("workload hash of {}", plain_cell_name(name)), values(|load| load.hashes.clone()));
        compare(format!("requests of {}", plain_cell_name(name)), values(|load| load.requests.clone()));
    }
    found
}

/// The load of one cell on one side: workload hashes with shapes, and numbers of requests.
#[derive(Default)]
struct CellLoad {
    hashes: BTreeSet<String>,
    requests: BTreeSet<String>,
}

fn cell_loads(runs: &[RunFigures]) -> BTreeMap<String, CellLoad> {
    let mut cells: BTreeMap<String, CellLoad> = BTreeMap::new();
    for trial in runs.iter().flat_map(|run| &run.trials) {
        let load = cells.entry(trial.cell.name()).or_default();
        load.hashes.insert(format!("{} {}", trial.cell.workload_hash, load_parameters(&trial.cell)));
        load.requests.insert(trial.attempted.to_string());
    }
    cells
}

/// The load's parameters, which the workload hash covers. They are compared too, since a record can be edited.
fn load_parameters(cell: &Cell) -> String {
    format!("{:?} {:?} {:?}", cell.load, cell.prompt_tokens, cell.output_tokens)
}

/// A cell's name reduced to the characters that the suite uses, so that a record cannot add text.
pub(super) fn plain_cell_name(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_./".contains(*c)).take(60).collect()
}

/// The part of a harness version that must be equal: the major number, below 1.0 also the minor one.
fn compatible_version(version: &str) -> String {
    let mut numbers = version.split('.');
    match (numbers.next(), numbers.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (major, _) => major.unwrap_or_default().to_owned(),
    }
}
