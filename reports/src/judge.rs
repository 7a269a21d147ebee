//! The judge compares two sides, each one or several runs of one engine.
//!
//! It decides in three steps. `environment` asks whether the two can be compared at all. Then each gate, and every other cell for advice,
//! gets one number per unit and side (`units`), compared and judged by [`crate::statistics`] (`rows`), after `drift` has asked whether the
//! machine stood still. Last, everything is gathered in one [`Ruling`], which people read as Markdown and machines as JSON. Nothing here
//! measures, and the same records give the same ruling.

use std::collections::BTreeSet;

use crate::{
    figures::{RunFigures, TrialFigures},
    statistics::{
        STATS_VERSION,
        comparison::Component,
        verdict::{Decision, Options, Verdict, decide},
    },
    validity::Validity,
};

mod drift;
mod environment;
mod order;
mod policy;
mod rows;
mod ruling;
mod sentence;
mod units;

#[cfg(test)]
mod tests;

pub use crate::identity::{Comparability, Treatment};
pub use policy::{InconclusivePolicy, Policy};
pub use ruling::{
    Consequence, MachineDrift, Method, NoiseSource, Order, OverallVerdict, RULING_SCHEMA_VERSION, Row, Ruling, RunNote,
    SideDifference, SideSummary, SideValues, TrialNote, WorkloadRatio,
};

use rows::Design;
pub(crate) use rows::PendingRow;

/// Judges a candidate against its baseline. Each side is one or several runs of one engine.
#[must_use]
pub fn judge(baseline: &[RunFigures], candidate: &[RunFigures], policy: &Policy) -> Ruling {
    let sides = [baseline, candidate];
    let mut environment = environment::compare(sides, policy);
    let order = order::detect(sides);
    let expired = policy
        .calibration
        .as_ref()
        .and_then(|noise| candidate.iter().zip(baseline).find_map(|(run, before)| noise.expired(&run.header, &before.boots)));
    let calibration = policy.calibration.as_ref().filter(|_| expired.is_none());
    let design = Design { order, policy, calibration };
    let mut pending = if environment.refusals.is_empty() { rows::pending_rows(sides, &design) } else { Vec::new() };
    if environment.refusals.is_empty() && !pending.iter().any(|row| row.cell.gate) {
        environment.refusals.push(environment::no_gates(candidate));
    }
    let (drift, decisions) = decide_after_drift(&mut pending, order, &policy.options);
    let rows: Vec<Row> = pending.iter().zip(decisions).map(|(row, decision)| row.with_decision(decision, policy)).collect();
    let overall = overall_verdict(&environment.refusals, &rows);
    let boot = pending.iter().any(|row| row.is_one_boot).then(|| noise(&pending, &design, |row| row.boot));
    let method = Method {
        options: policy.options,
        alpha: policy.options.looks.alpha(),
        look: policy.look.max(1),
        family: rows.iter().filter(|row| row.gate).count(),
        order,
        occasion: (order == Order::Stored).then(|| noise(&pending, &design, |row| row.occasion)),
        boot,
        calibration_expired: expired,
        drift,
        treatment: policy.treatment.iter().copied().collect(),
        inconclusive: policy.inconclusive,
    };
    let mut ruling = Ruling {
        schema_version: RULING_SCHEMA_VERSION,
        stats_version: STATS_VERSION,
        overall,
        exit_code: overall.exit_code(policy.inconclusive) as u8,
        sentence: String::new(),
        baseline: side_summary(baseline),
        candidate: side_summary(candidate),
        refusals: environment.refusals,
        differences: environment.differences,
        ratios: rows::ratios(&rows),
        rows,
        method,
    };
    ruling.sentence = sentence::of(&ruling);
    ruling
}

/// The verdicts, after rows with too much drift have been refused. The simulation of the judge's error rates starts here.
pub(crate) fn decide_after_drift(
    pending: &mut [PendingRow],
    order: Order,
    options: &Options,
) -> (Option<MachineDrift>, Vec<Decision>) {
    let drift = drift::machine_drift(pending);
    drift::apply_drift(pending, drift, order);
    let cells: Vec<_> = pending.iter().map(|row| row.cell.clone()).collect();
    (drift, decide(&cells, options))
}

/// The worst verdict of the gate. A regression counts even where another cell is refused.
fn overall_verdict(refusals: &[String], rows: &[Row]) -> OverallVerdict {
    let any = |verdict| rows.iter().any(|row| row.gate && row.verdict == verdict);
    if !refusals.is_empty() {
        OverallVerdict::Refused
    } else if any(Verdict::Regressed) {
        OverallVerdict::Regressed
    } else if any(Verdict::Refused) {
        OverallVerdict::Refused
    } else if any(Verdict::Insufficient) {
        OverallVerdict::Insufficient
    } else if any(Verdict::Inconclusive) {
        OverallVerdict::Inconclusive
    } else if any(Verdict::Improved) {
        OverallVerdict::Improved
    } else {
        OverallVerdict::Unchanged
    }
}

/// Where the components that were added to the gate cells come from.
fn noise(pending: &[PendingRow], design: &Design<'_>, of: fn(&PendingRow) -> Option<Component>) -> NoiseSource {
    let calibrated = pending.iter().filter(|row| row.cell.gate && of(row).is_some_and(|component| !component.assumed)).count();
    match design.calibration {
        Some(calibration) if calibrated > 0 => {
            NoiseSource::Calibrated { made_unix_s: calibration.made_unix_s, cells: calibrated }
        }
        _ => NoiseSource::Assumed { component: Component::ASSUMED },
    }
}

fn side_summary(runs: &[RunFigures]) -> SideSummary {
    let trials = || runs.iter().flat_map(|run| &run.trials);
    let count = |validity| trials().filter(|trial| trial.validity == validity).count();
    let first = runs.first();
    SideSummary {
        recipe: first.map(|run| run.header.recipe.name.clone()).unwrap_or_default(),
        engine: first.map_or(record::EngineName::Other, |run| run.header.recipe.engine),
        launch: first.map_or(record::Launch::Attach, |run| run.header.launch),
        machine: first.map(|run| run.header.machine.name.clone()).unwrap_or_default(),
        profile: first.map_or(record::Profile::Smoke, |run| run.header.profile),
        runs: runs.iter().map(run_note).collect(),
        boots: runs.iter().map(|run| run.boots.len()).sum(),
        trials: trials().count(),
        suspect: count(Validity::Suspect),
        invalid: count(Validity::Invalid),
        repeated: trials().filter(|trial| trial.attempt > 0).count(),
        unpinned: runs.iter().flat_map(|run| run.header.unpinned.iter().cloned()).collect::<BTreeSet<_>>().into_iter().collect(),
        notes: trials().filter(|trial| trial.validity != Validity::Valid).map(trial_note).collect(),
    }
}

fn run_note(run: &RunFigures) -> RunNote {
    RunNote {
        command: run.header.command.clone(),
        commit: run.header.harness_commit.clone(),
        started_unix_s: run.header.started_unix_s,
        seed: run.header.seed,
        boots: run.boots.len(),
    }
}

fn trial_note(trial: &TrialFigures) -> TrialNote {
    let reasons = trial.judgement.reasons.iter().filter(|reason| reason.validity != Validity::Valid);
    TrialNote {
        cell: trial.cell.name(),
        boot: trial.boot,
        trial: trial.trial,
        attempt: trial.attempt,
        validity: trial.validity,
        reasons: reasons.cloned().collect(),
    }
}
