//! The title, and what must be known before any figure is read.

use std::collections::BTreeSet;

use record::{EndReason, Launch, Profile, Record};

use super::{
    Page,
    front_matter::{SMOKE, not_pinned, utc},
    is_measured,
    text::code,
};
use crate::{
    identity,
    summary::{CellSummary, RunSummary},
    validity::Validity,
};

pub(super) fn write(page: &mut Page, record: &Record, summary: &RunSummary) {
    let header = &record.header;
    page.push(&format!("# {} on {}", code(&header.recipe.name), code(&header.machine.name)));
    let suite = format!(
        "Suite {} version {}, profile {}, seed {}",
        code(&header.suite),
        header.suite_version,
        header.profile,
        header.seed
    );
    let started = header.started_unix_s.map(|seconds| format!(", started {}", utc(seconds)));
    page.push(&format!("{suite}{}.", started.unwrap_or_default()));
    page.push_loud(loud(record, summary));
}

/// One line for each thing that a reader must not miss.
fn loud(record: &Record, summary: &RunSummary) -> Vec<String> {
    let mut lines = Vec::new();
    if record.header.launch == Launch::Simulated {
        lines.push("Simulated: the engine was a model in virtual time; no figure here is a measurement of hardware.".to_owned());
    }
    if record.header.profile == Profile::Smoke {
        lines.push(SMOKE.to_owned());
    }
    lines.extend(unpinned(record));
    lines.extend(boots_differ(record));
    match record.end.as_ref().map(|end| &end.reason) {
        Some(EndReason::Finished) => {}
        Some(EndReason::Interrupted) => lines.push("Interrupted: not everything that was planned was measured.".to_owned()),
        Some(EndReason::Failed { detail }) => lines.push(format!("Failed: the run could not go on: {}", code(detail))),
        None => lines.push("Torn: the record has no end; whatever came after its last trial is lost.".to_owned()),
    }
    if let Some(tail) = &record.unreadable_tail {
        let bytes = format!("{} bytes from byte {}", tail.bytes, tail.at_byte);
        lines.push(format!("Torn: {bytes} cannot be read: {}", code(&tail.why)));
    }
    if record.header.launch != Launch::Simulated && is_one_boot(summary) {
        lines.push("One boot: intervals hold for this boot only; they do not contain boot-to-boot spread.".to_owned());
    }
    let trials: usize = summary.cells.iter().map(|cell| cell.trials.len()).sum();
    let invalid: usize = summary.cells.iter().map(|cell| cell.count(Validity::Invalid)).sum();
    if trials == 0 {
        lines.push("Nothing was measured: the record holds no trial.".to_owned());
    } else if !is_measured(summary) {
        lines.push("Nothing counts: every trial is invalid.".to_owned());
    } else if invalid > 0 {
        lines.push(format!("{invalid} of {trials} trials are invalid and left out of all figures."));
    }
    lines
}

/// Why the same recipe could be another engine tomorrow.
fn unpinned(record: &Record) -> Option<String> {
    let why: Vec<String> = record.header.unpinned.iter().map(|why| code(why)).collect();
    let why = why.join("; ");
    (!why.is_empty()).then(|| not_pinned("This recipe", &why))
}

/// In what the boots differ whose figures stand together below.
fn boots_differ(record: &Record) -> Option<String> {
    let differences = identity::between_boots((&record.header, &record.boots));
    let fields: BTreeSet<&str> = differences.iter().map(|(_, difference)| difference.field.as_str()).collect();
    let fields: Vec<&str> = fields.into_iter().collect();
    let fields = fields.join(", ");
    let text = || {
        format!("Boots differ: the figures are not those of one engine, since not all boots had the same {fields}; see Identity.")
    };
    (!differences.is_empty()).then(text)
}

/// Whether all figures come from one boot and some have an interval: it would be taken for one that holds for the engine.
fn is_one_boot(summary: &RunSummary) -> bool {
    let counted = |cell: &CellSummary| cell.trials.len() - cell.count(Validity::Invalid);
    let trials = summary.cells.iter().flat_map(|cell| &cell.trials).filter(|trial| trial.validity != Validity::Invalid);
    let boots: BTreeSet<u32> = trials.map(|trial| trial.boot).collect();
    boots.len() == 1 && summary.cells.iter().any(|cell| counted(cell) > 1)
}
