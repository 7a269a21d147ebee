//! What the figures rest on: validity, token counts, and what was not measured.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Value, context};
use record::{Record, SizingSource, TokenSource};

use super::{
    kinds::kind_lines,
    text::{Table, code},
};
use crate::{
    number::{Unit, figure},
    summary::{CellSummary, RunSummary, TrialSummary},
    validity::{Reason, Validity},
};

/// How many kinds of reasons stand on the first screen.
const KINDS_FIRST: usize = 4;

pub(super) fn facts(record: &Record, summary: &RunSummary) -> Value {
    let kinds = kinds(summary);
    // A note says nothing against a trial: the first screen leaves it to the section.
    let against: Vec<String> =
        kinds.iter().filter(|(validity, _)| *validity != Validity::Valid).map(|(_, line)| line.clone()).collect();
    let reasons: String = summary.cells.iter().map(reasons).collect();
    context! {
        kinds_first => against.iter().take(KINDS_FIRST).cloned().collect::<Vec<_>>(),
        kinds_more => against.len().saturating_sub(KINDS_FIRST),
        kinds => kinds.iter().map(|(_, line)| line.clone()).collect::<Vec<_>>(),
        reasons => (!reasons.is_empty()).then_some(reasons),
        cache_resets => cache_resets(record),
        tokens => token_counts(record),
        sizing => (!record.boots.is_empty()).then(|| sizing(record)),
        missing => missing(record, summary),
    }
}

/// Each kind of reason on a line, with the trials that have it and the worst of them; the invalid first.
fn kinds(summary: &RunSummary) -> Vec<(Validity, String)> {
    let trials: Vec<&TrialSummary> = summary.cells.iter().flat_map(|cell| &cell.trials).collect();
    let reasons = trials.iter().map(|trial| trial.judgement.reasons.as_slice());
    kind_lines(reasons, trials.len())
}

/// How the prefix cache was emptied between trials. Older records, and those of virtual time, say nothing of it.
fn cache_resets(record: &Record) -> Option<Value> {
    if record.header.schema_version < 2 || record.header.started_unix_s.is_none() || record.trials.is_empty() {
        return None;
    }
    let resets = record.trials.iter().filter_map(|trial| trial.facts.cache_reset.as_deref());
    let done: Vec<_> = resets.filter(|how| how.starts_with("emptied")).collect();
    Some(context! { emptied => done.len(), how => done.first().map(|how| code(how)) })
}

/// Every reason and note of a cell, as a list in a list; one that several trials have is shown once.
fn reasons(cell: &CellSummary) -> String {
    let mut groups: Vec<(&Reason, Vec<&TrialSummary>)> = Vec::new();
    for trial in &cell.trials {
        for reason in &trial.judgement.reasons {
            match groups.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, trials)) => trials.push(trial),
                None => groups.push((reason, vec![trial])),
            }
        }
    }
    let lines: String = groups.into_iter().map(|(one, trials)| reason(&trials, one)).collect();
    if lines.is_empty() { lines } else { format!("- {}\n{lines}", code(&cell.cell.name())) }
}

fn reason(trials: &[&TrialSummary], reason: &Reason) -> String {
    let quote = reason.quote.as_ref().map(|quote| format!(": {}", code(quote))).unwrap_or_default();
    let trials: Vec<String> = trials.iter().map(|trial| format!("trial {} (boot {})", trial.trial, trial.boot)).collect();
    format!("  - {}, {}: {}{quote}\n", trials.join(", "), reason.word(), reason.text)
}

fn token_counts(record: &Record) -> Value {
    let mut sources: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut forced, mut requests) = (0_usize, 0_usize);
    for observation in record.trials.iter().flat_map(|trial| &trial.observations).filter(|one| one.outcome.is_complete()) {
        requests += 1;
        forced += usize::from(observation.forced_length);
        *sources.entry(source(observation.token_source)).or_insert(0) += 1;
    }
    let sources: Vec<String> = sources.into_iter().map(|(source, count)| format!("{source} ({count})")).collect();
    context! { requests, forced, sources => sources.join("; ") }
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
fn missing(record: &Record, summary: &RunSummary) -> Vec<String> {
    let measured: BTreeSet<String> = summary.cells.iter().map(|cell| cell.cell.name()).collect();
    let left_out = record.header.left_out.iter().map(|(cell, why)| format!("{}: left out: {}", code(cell), code(why)));
    let is_missing = |cell: &&String| !measured.contains(*cell) && !record.header.left_out.contains_key(*cell);
    let missing = record.header.cells.iter().filter(is_missing).map(|cell| format!("{}: planned, not measured", code(cell)));
    left_out.chain(missing).collect()
}
