//! A record, or the ruling on two, as Markdown: what is committed beside it and read in a pull request. The same record gives the same
//! bytes everywhere.

use record::Record;

use crate::summary::{RunSummary, summarise};

mod banner;
mod figures;
mod front_matter;
mod headline;
mod identity;
mod instrument;
mod limit;
mod note;
mod published;
mod recipe;
mod server;
mod setup;
mod text;
mod trust;
mod verdict;
mod workloads;

#[cfg(test)]
mod tests;

pub use instrument::render_budget;
pub use verdict::{render_ruling, summary_line};

/// Renders a record.
#[must_use]
pub fn render(record: &Record) -> String {
    render_onto(record, None)
}

/// Renders a record and keeps what a person wrote between the note markers of an earlier rendering. No byte of a note is lost: one
/// whose closing marker is missing is kept to the end of the text.
#[must_use]
pub fn render_onto(record: &Record, previous: Option<&str>) -> String {
    let summary = summarise(record);
    let mut page = Page::default();
    banner::write(&mut page, record, &summary);
    page.push(&note::block(previous.and_then(note::find).unwrap_or("")));
    headline::write(&mut page, &summary);
    workloads::write(&mut page, record, &summary);
    limit::write(&mut page, record, &summary);
    published::write(&mut page, record, &summary);
    server::write(&mut page, &summary);
    trust::write(&mut page, record, &summary);
    instrument::write(&mut page, record);
    setup::write(&mut page, record);
    page.0
}

/// The Markdown so far: blocks with an empty line between them.
#[derive(Default)]
struct Page(String);

impl Page {
    /// Adds a paragraph, a table, a list or any other block.
    fn push(&mut self, block: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(block.trim_end_matches('\n'));
        self.0.push('\n');
    }

    /// Adds lines that a reader must not miss, each by itself.
    fn push_loud(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.push(&format!("> **{line}**"));
        }
    }
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
