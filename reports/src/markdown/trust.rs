//! What the figures rest on: validity, token counts, and what was not measured.

use std::collections::{BTreeMap, BTreeSet};

use record::{Record, SizingSource, TokenSource};

use super::{
    Page, plural,
    text::{Table, code},
};
use crate::{
    number::{Unit, figure},
    summary::{CellSummary, RunSummary, TrialSummary},
    validity::{Reason, Validity},
};

pub(super) fn write(page: &mut Page, record: &Record, summary: &RunSummary) {
    page.push("## Validity");
    let count = |validity| summary.cells.iter().map(|cell| cell.count(validity)).sum::<usize>();
    let total = plural(record.trials.len(), "trial");
    let [valid, suspect, invalid] = [Validity::Valid, Validity::Suspect, Validity::Invalid].map(count);
    page.push(&format!(
        "{total}: {valid} valid, {suspect} suspect, {invalid} invalid. Suspect trials count; invalid ones are left out."
    ));
    let reasons: String = summary.cells.iter().map(reasons).collect();
    if !reasons.is_empty() {
        page.push(&reasons);
    }
    if let Some(resets) = cache_resets(record) {
        page.push(&resets);
    }
    page.push("## Token counts");
    page.push(&token_counts(record));
    if !record.boots.is_empty() {
        page.push(&sizing(record));
    }
    write_missing(page, record, summary);
}

/// How the prefix cache was emptied between trials. Older records, and those of virtual time, say nothing of it.
fn cache_resets(record: &Record) -> Option<String> {
    if record.header.schema_version < 2 || record.header.started_unix_s.is_none() || record.trials.is_empty() {
        return None;
    }
    let resets = record.trials.iter().filter_map(|trial| trial.facts.cache_reset.as_deref());
    let done: Vec<_> = resets.filter(|how| how.starts_with("emptied")).collect();
    Some(match done.first() {
        Some(how) => format!("The prefix cache before {} of {} trials: {}.", done.len(), record.trials.len(), code(how)),
        None => "The prefix cache was not emptied between trials: prompts that share nothing must do, and its hits are counted."
            .to_owned(),
    })
}

/// Every reason and note of a cell, as a list in a list; one that several trials have is told once.
fn reasons(cell: &CellSummary) -> String {
    let mut told: Vec<(&Reason, Vec<&TrialSummary>)> = Vec::new();
    for trial in &cell.trials {
        for reason in &trial.judgement.reasons {
            match told.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, trials)) => trials.push(trial),
                None => told.push((reason, vec![trial])),
            }
        }
    }
    let lines: String = told.into_iter().map(|(one, trials)| reason(&trials, one)).collect();
    if lines.is_empty() { lines } else { format!("- {}\n{lines}", code(&cell.cell.name())) }
}

fn reason(trials: &[&TrialSummary], reason: &Reason) -> String {
    let quote = reason.quote.as_ref().map(|quote| format!(": {}", code(quote))).unwrap_or_default();
    let trials: Vec<String> = trials.iter().map(|trial| format!("trial {} (boot {})", trial.trial, trial.boot)).collect();
    format!("  - {}, {}: {}{quote}\n", trials.join(", "), reason.word(), reason.text)
}

fn token_counts(record: &Record) -> String {
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut forced, mut served) = (0_usize, 0_usize);
    for observation in record.trials.iter().flat_map(|trial| &trial.observations).filter(|one| one.outcome.is_complete()) {
        served += 1;
        forced += usize::from(observation.forced_length);
        *sources.entry(source(observation.token_source)).or_insert(0) += 1;
    }
    if served == 0 {
        return "No request was completed, so no token was counted.".to_owned();
    }
    let sources: Vec<String> = sources.into_iter().map(|(source, count)| format!("{source} ({count})")).collect();
    let sources = sources.join("; ");
    format!(
        "Output tokens of {}: {sources}. The output length was forced in {forced} of them.",
        plural(served, "completed request")
    )
}

fn source(source: TokenSource) -> &'static str {
    match source {
        TokenSource::Running => "the server's running count in every chunk",
        TokenSource::Final => "the server's final count, shared evenly among the chunks",
        TokenSource::Tokenizer => "the model's tokenizer, run over the text",
        TokenSource::None => "unknown",
    }
}

fn sizing(record: &Record) -> String {
    let mut table =
        Table::new(&["Boot", "Prompts sized by", "Template tokens", "Per further message", "Server's count over ours"], 2);
    for boot in &record.boots {
        let source = match &boot.sizing.source {
            SizingSource::Tokenizer { sha256 } => format!("the model's tokenizer, SHA-256 {}", code(sha256)),
            SizingSource::Endpoint => "the engine's tokenize endpoint".to_owned(),
            SizingSource::Calibrated => "the usage that came back for probes".to_owned(),
        };
        let tokens = [boot.sizing.template_tokens, boot.sizing.message_tokens].map(|tokens| tokens.to_string());
        let scale = figure(boot.sizing.scale, Unit::Plain);
        table.row([boot.boot.to_string(), source].into_iter().chain(tokens).chain([scale]));
    }
    table.markdown().to_owned()
}

/// Cells that were left out on purpose, and planned ones that no trial came of.
fn write_missing(page: &mut Page, record: &Record, summary: &RunSummary) {
    let measured: BTreeSet<String> = summary.cells.iter().map(|cell| cell.cell.name()).collect();
    let left_out = record.header.left_out.iter().map(|(cell, why)| format!("- {}: left out: {}\n", code(cell), code(why)));
    let is_missing = |cell: &&String| !measured.contains(*cell) && !record.header.left_out.contains_key(*cell);
    let missing = record.header.cells.iter().filter(is_missing).map(|cell| format!("- {}: planned, not measured\n", code(cell)));
    let lines: String = left_out.chain(missing).collect();
    if !lines.is_empty() {
        page.push("## Not measured");
        page.push(&lines);
    }
}
