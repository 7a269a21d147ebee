//! A record, or the ruling on two, as Markdown: what is committed beside it and read in a pull request. The same record gives the same
//! bytes everywhere.

use minijinja::{context, value::merge_maps};
use record::Record;

use crate::summary::{RunSummary, summarise};

mod banner;
mod figures;
mod front_matter;
mod headline;
mod identity;
mod instrument;
mod kinds;
mod legend;
mod limit;
mod note;
mod published;
mod recipe;
mod server;
mod setup;
mod template;
mod text;
mod trust;
mod verdict;
mod workloads;

#[cfg(test)]
mod tests;

pub use instrument::render_budget;
pub use verdict::{render_ruling, summary_line};

/// The verdict on a run, for its report.
#[derive(Debug, Clone, Copy)]
pub struct VerdictLine<'v> {
    /// The verdict's headline, plain text.
    pub headline: &'v str,
    /// Where its page is, as seen from the report.
    pub place: &'v str,
}

#[must_use]
pub fn render(record: &Record) -> String {
    render_onto(record, None, None)
}

/// Renders a record and keeps what a person wrote between the note markers of an earlier rendering. No byte of a note is lost: one
/// whose closing marker is missing is kept to the end of the text.
#[must_use]
pub fn render_onto(record: &Record, previous: Option<&str>, verdict: Option<VerdictLine<'_>>) -> String {
    let summary = summarise(record);
    let sections = context! {
        headline => headline::facts(&summary),
        limit => limit::facts(record, &summary),
        published => published::table(record, &summary),
        server => server::facts(&summary),
        instrument => instrument::facts(record),
    };
    let facts = merge_maps([
        sections,
        banner::facts(record, &summary, verdict),
        workloads::facts(record, &summary),
        trust::facts(record, &summary),
        setup::facts(record),
    ]);
    let top = template::fill("report_top", facts.clone());
    let rest = template::fill("report_rest", facts);
    let legend = legend::of(&format!("{top}{rest}"));
    [top, note::block(previous.and_then(note::find).unwrap_or("")), rest, legend].join("\n")
}

/// A rendered report with another verdict, without reading its record again; as it was where it has no line for one.
#[must_use]
pub fn with_verdict(report: &str, verdict: VerdictLine<'_>) -> String {
    const LINE: &str = "**What changed**: ";
    // A person's note below it may quote such a line.
    let mut lines = report.split_inclusive('\n').peekable();
    let mut changed = String::with_capacity(report.len());
    while let Some(line) = lines.next_if(|line| !line.starts_with(LINE) && !note::is_open(line)) {
        changed.push_str(line);
    }
    if lines.next_if(|line| line.starts_with(LINE)).is_some() {
        changed.push_str(&banner::verdict_line(verdict));
        changed.push('\n');
    }
    changed.extend(lines);
    changed
}

/// Names in the order in which they come first, each once.
fn each_once<'t>(names: impl IntoIterator<Item = &'t str>) -> Vec<&'t str> {
    let mut once = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// `1 trial`, `2 trials`.
fn plural(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// Whether a run's figures stand for a machine at all.
fn is_measured(summary: &RunSummary) -> bool {
    summary.cells.iter().any(|cell| !cell.figures.is_empty())
}
