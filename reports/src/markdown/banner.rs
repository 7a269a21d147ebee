//! The title, and what must be known before any figure is read.

use std::collections::BTreeSet;

use record::{EndReason, Launch, Profile, Record};

use super::{Page, is_measured, text::code};
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
    for line in loud(record, summary) {
        page.push(&format!("> **{line}**"));
    }
}

/// One line for each thing that a reader must not miss.
fn loud(record: &Record, summary: &RunSummary) -> Vec<String> {
    let mut lines = Vec::new();
    if record.header.launch == Launch::Simulated {
        lines.push("Simulated: the engine was a model in virtual time; no figure here is a measurement of hardware.".to_owned());
    }
    if record.header.profile == Profile::Smoke {
        lines.push("Smoke: every workload was a miniature; these figures are not comparable with anything.".to_owned());
    }
    lines.extend(unpinned(record));
    lines.extend(boots_differ(record));
    match record.end.as_ref().map(|end| &end.reason) {
        Some(EndReason::Finished) => {}
        Some(EndReason::Interrupted) => lines.push("Interrupted: not everything that was planned was measured.".to_owned()),
        Some(EndReason::Failed { detail }) => lines.push(format!("Failed: the run could not go on: {}", code(detail))),
        None => lines.push("Torn: the record has no end; whatever came after its last trial is lost.".to_owned()),
    }
    if let Some(torn) = &record.torn {
        let bytes = format!("{} bytes from byte {}", torn.bytes, torn.at_byte);
        lines.push(format!("Torn: {bytes} cannot be read: {}", code(&torn.why)));
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
    (!why.is_empty()).then(|| format!("This recipe is not pinned: {why}. Tomorrow the same recipe may boot another engine."))
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

/// Seconds since 1970 as a date and time, by the proleptic Gregorian calendar.
pub(super) fn utc(seconds: u64) -> String {
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    // A 400-year cycle has 146,097 days; whole cycles first, so that a wild stamp costs no time.
    year += 400 * (days / 146_097);
    days %= 146_097;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02} {:02}:{:02} UTC", days + 1, second / 3600, second / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn seconds_become_a_date() {
        let table = [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59 UTC"),
            (1_763_665_560, "2025-11-20 19:06 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ];
        for (seconds, expected) in table {
            assert_eq!(utc(seconds), expected);
        }
    }
}
