//! How much of a ruling is told, and what goes first where all of it is too long.

use super::text;

/// How much of a ruling is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// Whether the figures outside of the gate are.
    pub(super) advice: bool,
    /// How many reasons of suspect and invalid trials, per side.
    pub(super) reasons: usize,
    /// How many entries of any other list.
    pub(super) entries: usize,
    /// How many characters of a text of others.
    pub(super) characters: usize,
    pub(super) commands: bool,
}

/// One way to be shorter.
pub(super) struct Step {
    pub(super) cut: fn(&mut Extent),
    /// What is missing then.
    pub(super) what: &'static str,
}

/// What is left out first stands first. The last step bounds everything but the gate's table and the note.
pub(super) const SHORTER: [Step; 7] = [
    Step { cut: |extent| extent.advice = false, what: "the figures outside of the gate" },
    Step { cut: |extent| extent.reasons = 20, what: "reasons of suspect and invalid trials beyond 20 of a side" },
    Step { cut: |extent| extent.reasons = 0, what: "all reasons of suspect and invalid trials" },
    Step { cut: |extent| extent.characters = 200, what: "what names and values have beyond 200 characters" },
    Step { cut: |extent| extent.entries = 20, what: "what lists have beyond 20 entries" },
    Step { cut: |extent| extent.commands = false, what: "the commands" },
    Step {
        cut: |extent| *extent = Extent { entries: 5, characters: 40, ..*extent },
        what: "what lists have beyond 5 entries, and names and values beyond 40 characters",
    },
];

impl Extent {
    pub(super) const WHOLE: Self =
        Self { advice: true, reasons: usize::MAX, entries: usize::MAX, characters: usize::MAX, commands: true };

    /// A text of others as a code span.
    pub(super) fn code(&self, text: &str) -> String {
        text::code_up_to(text, self.characters)
    }

    /// A sentence of ours that may have a word of others in it.
    pub(super) fn sentence(&self, text: &str) -> String {
        // A sentence is longer than a name.
        text::sentence(text, self.characters.saturating_mul(10))
    }

    /// Entries joined, and how many more there are.
    pub(super) fn joined(&self, entries: impl IntoIterator<Item = String>, separator: &str) -> String {
        let mut entries = entries.into_iter();
        let mut shown: Vec<String> = entries.by_ref().take(self.entries).collect();
        let more = entries.count();
        if more > 0 {
            shown.push(format!("and {more} more"));
        }
        shown.join(separator)
    }
}

/// The first entries as a list, and how many more there are.
pub(super) fn list(entries: impl IntoIterator<Item = String>, limit: usize) -> String {
    let mut entries = entries.into_iter();
    let mut lines: Vec<String> = entries.by_ref().take(limit).collect();
    let more = entries.count();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.iter().flat_map(|line| ["- ", line, "\n"]).collect()
}
