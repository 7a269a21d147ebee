//! What was measured on what, and what must be known before any figure is read.

use std::collections::BTreeSet;

use minijinja::{Value, context};
use record::{EndReason, Launch, Profile, Record};

use super::{
    VerdictLine, each_once,
    front_matter::utc,
    is_measured, template,
    text::{code, sentence},
};
use crate::{
    identity,
    number::duration,
    summary::{CellSummary, RunSummary},
    validity::Validity,
};

pub(super) fn facts(record: &Record, summary: &RunSummary, verdict: Option<VerdictLine<'_>>) -> Value {
    let header = &record.header;
    let trials: usize = summary.cells.iter().map(|cell| cell.trials.len()).sum();
    let count = |validity| summary.cells.iter().map(|cell| cell.count(validity)).sum::<usize>();
    let versions = each_once(record.boots.iter().filter_map(|boot| boot.engine_version.as_deref()));
    let images = record.boots.iter().filter_map(|boot| boot.identity.image.as_ref().map(|image| image.name.as_str()));
    let image = images.chain(header.recipe.container.as_ref().map(|container| container.image.as_str())).next();
    let (end, end_detail) = match record.end.as_ref().map(|end| &end.reason) {
        Some(EndReason::Finished) => ("finished", String::new()),
        Some(EndReason::Interrupted) => ("interrupted", String::new()),
        Some(EndReason::Failed { detail }) => ("failed", code(detail)),
        None => ("missing", String::new()),
    };
    let truncated = record.unreadable_tail.as_ref().map(|torn| {
        context! { bytes => torn.bytes, at_byte => torn.at_byte, why => code(&torn.why) }
    });
    context! {
        recipe => code(&header.recipe.name),
        machine => code(&header.machine.name),
        engine => header.recipe.engine.as_str(),
        version => (!versions.is_empty()).then(|| versions.iter().map(|version| code(version)).collect::<Vec<_>>().join(", ")),
        model => code(&header.recipe.model.id),
        image => image.map(code),
        suite => code(&header.suite),
        suite_version => header.suite_version,
        profile => header.profile.to_string(),
        seed => header.seed,
        started => header.started_unix_s.map(utc),
        measuring => measuring(record),
        boots => record.boots.len(),
        cells => summary.cells.len(),
        trials,
        valid => count(Validity::Valid),
        suspect => count(Validity::Suspect),
        invalid => count(Validity::Invalid),
        is_measured => is_measured(summary),
        is_simulated => header.launch == Launch::Simulated,
        is_smoke => header.profile == Profile::Smoke,
        unpinned => header.unpinned.iter().map(|why| code(why)).collect::<Vec<_>>().join("; "),
        boots_differ_in => boots_differ_in(record),
        is_one_boot => header.launch != Launch::Simulated && is_one_boot(summary),
        end,
        end_detail,
        truncated,
        verdict => verdict.map(verdict_facts),
    }
}

/// The line of a report that names its verdict.
pub(super) fn verdict_line(verdict: VerdictLine<'_>) -> String {
    template::fill_line("what_changed", context! { verdict => verdict_facts(verdict) })
}

fn verdict_facts(verdict: VerdictLine<'_>) -> Value {
    context! { headline => sentence(verdict.headline, 300), place => code(verdict.place) }
}

/// How long all trials with their warm-ups took together; none without a trial.
fn measuring(record: &Record) -> Option<String> {
    let ns: u64 = record
        .trials
        .iter()
        .map(|trial| trial.duration_ns.saturating_add(trial.warm_up.duration_ns))
        .fold(0, u64::saturating_add);
    (ns > 0).then(|| duration(ns))
}

/// In what the boots differ whose figures stand together on the page.
fn boots_differ_in(record: &Record) -> String {
    let differences = identity::between_boots((&record.header, &record.boots));
    let fields: BTreeSet<&str> = differences.iter().map(|(_, difference)| difference.field.as_str()).collect();
    fields.into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether all figures come from one boot and some have an interval: it would be taken for one that holds for the engine.
fn is_one_boot(summary: &RunSummary) -> bool {
    let counted = |cell: &CellSummary| cell.trials.len() - cell.count(Validity::Invalid);
    let trials = summary.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| trial.validity != Validity::Invalid);
    let boots: BTreeSet<u32> = trials.map(|trial| trial.boot).collect();
    boots.len() == 1 && summary.cells.iter().any(|cell| counted(cell) > 1)
}
