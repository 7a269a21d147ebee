//! Checks whether runs can be calibrated together.

use std::collections::BTreeSet;

use record::EndReason;
use thiserror::Error;

use super::expiry;
use crate::{
    figures::RunFigures,
    identity::{Comparability, between_boots, differences},
};

/// Fewest boots in a run from which anything is estimated.
pub(super) const MIN_BOOTS: usize = 2;

/// Why there is no calibration. Runs are numbered from 1, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalibrationError {
    #[error("there is no run: measure an occasion first, with at least two boots of two trials")]
    NoRun,
    /// A run did not finish.
    #[error("run {run} {why}: measure that occasion again")]
    Unfinished {
        /// Number of the run.
        run: usize,
        /// How the run ended, as the end of a sentence.
        why: &'static str,
    },
    /// Two runs are not of one engine on one machine.
    #[error("run {run} is not of the same engine, machine and load as run 1 ({facts}): calibrate each by itself")]
    DifferentEngine {
        /// Number of the run.
        run: usize,
        /// Names of the facts that differ.
        facts: String,
    },
    /// Boots of a run were not of one engine.
    #[error("boots of run {run} differ ({facts}): its report lists the differences; measure that occasion again")]
    BootsDiffer {
        /// Number of the run.
        run: usize,
        /// Names of the facts that differ.
        facts: String,
    },
    /// Two runs have the same figures, so they are the same run.
    #[error(
        "runs {earlier} and {later} have identical figures: give each occasion once; a simulated engine needs another seed of its noise for each occasion"
    )]
    SameRun {
        /// Number of the earlier run.
        earlier: usize,
        /// Number of the later run.
        later: usize,
    },
    #[error("run 1 has no gate cell: measure with --profile quick, standard or full")]
    NoGates,
    /// A run has too few boots for the noise between boots.
    #[error("run {run} has {boots} boot, and the noise between boots needs {MIN_BOOTS}, better 3: measure with --boots 3")]
    TooFewBoots {
        /// Number of the run.
        run: usize,
        /// Number of boots in the run.
        boots: usize,
    },
    /// Without several trials per boot, the noise of trials cannot be separated from that of boots.
    #[error(
        "every boot has one trial of each cell, and the noise of a trial cannot be separated from that of a boot: measure with --trials 2"
    )]
    OneTrialPerBoot,
    /// Occasions share some of their seeds but not all.
    #[error(
        "some of the runs share their seeds and others do not: measure every occasion with the same --seed, --boots and --trials"
    )]
    MixedSeeds,
    /// No gate cell has enough valid trials in every run.
    #[error(
        "no gate cell has two boots with valid trials in every run, one of them with two: the runs' reports list why trials are invalid"
    )]
    NothingCounts,
}

/// Refuses runs that cannot be calibrated together.
pub(super) fn check(runs: &[RunFigures]) -> Result<(), CalibrationError> {
    let first = runs.first().ok_or(CalibrationError::NoRun)?;
    for (place, run) in runs.iter().enumerate() {
        let number = place + 1;
        if let Some(why) = unfinished(run) {
            return Err(CalibrationError::Unfinished { run: number, why });
        }
        let facts = differing_facts(first, run);
        if !facts.is_empty() {
            return Err(CalibrationError::DifferentEngine { run: number, facts: list(facts) });
        }
        let boots: BTreeSet<String> = between_boots((&run.header, &run.boots))
            .into_iter()
            .filter(|(_, difference)| difference.comparability != Comparability::Informational)
            .map(|(_, difference)| plain_name(&difference.field))
            .collect();
        if !boots.is_empty() {
            return Err(CalibrationError::BootsDiffer { run: number, facts: list(boots) });
        }
        if run.boots.len() < MIN_BOOTS {
            return Err(CalibrationError::TooFewBoots { run: number, boots: run.boots.len() });
        }
        if let Some(same) = runs[..place].iter().position(|other| is_same_run(other, run)) {
            return Err(CalibrationError::SameRun { earlier: same + 1, later: number });
        }
    }
    if runs.iter().all(|run| run.header.gates.is_empty()) {
        return Err(CalibrationError::NoGates);
    }
    let has_several = |run: &RunFigures| {
        let mut seen = BTreeSet::new();
        run.trials.iter().filter(|trial| trial.attempt == 0).any(|trial| !seen.insert((trial.cell.name(), trial.boot)))
    };
    if runs.iter().any(has_several) { Ok(()) } else { Err(CalibrationError::OneTrialPerBoot) }
}

fn unfinished(run: &RunFigures) -> Option<&'static str> {
    match run.end.as_ref().map(|end| &end.reason) {
        None => Some("is torn"),
        _ if run.unreadable_tail.is_some() => Some("is torn"),
        Some(EndReason::Interrupted) => Some("was interrupted"),
        Some(EndReason::Failed { .. }) => Some("failed"),
        Some(EndReason::Finished) => None,
    }
}

/// The names of facts in which two runs differ.
fn differing_facts(first: &RunFigures, other: &RunFigures) -> BTreeSet<String> {
    let engine = differences(&[(&first.header, &first.boots)], &[(&other.header, &other.boots)]);
    let matters = engine
        .into_iter()
        .filter(|difference| difference.comparability != Comparability::Informational || expiry::depends_on(&difference.field));
    let mut facts: BTreeSet<String> = matters.map(|difference| plain_name(&difference.field)).collect();
    let (left, right) = (&first.header, &other.header);
    if left.recipe.name != right.recipe.name {
        facts.insert("recipe".to_owned());
    }
    if (&left.suite, left.suite_version) != (&right.suite, right.suite_version) {
        facts.insert("suite".to_owned());
    }
    let hashes = |run: &RunFigures| -> BTreeSet<(String, String)> {
        run.trials.iter().map(|trial| (trial.cell.name(), trial.cell.workload_hash.clone())).collect()
    };
    let (left, right) = (hashes(first), hashes(other));
    if left.iter().any(|(cell, hash)| right.iter().any(|(name, other)| name == cell && hash != other)) {
        facts.insert("workload hash".to_owned());
    }
    facts
}

/// Whether two runs are the same run: every figure is equal to the last digit.
fn is_same_run(one: &RunFigures, other: &RunFigures) -> bool {
    let both = one.trials.iter().zip(&other.trials);
    !one.trials.is_empty()
        && one.trials.len() == other.trials.len()
        && both.into_iter().all(|(one, other)| one.figures == other.figures)
}

fn list(facts: BTreeSet<String>) -> String {
    facts.into_iter().collect::<Vec<_>>().join(", ")
}

/// A name from a record reduced to harmless characters.
pub(super) fn plain_name(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || " -_./,".contains(*c)).take(80).collect()
}
