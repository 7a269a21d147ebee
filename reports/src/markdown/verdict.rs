//! A ruling as Markdown: the page that a reviewer reads, short enough for a comment on a pull request.

use super::{Page, note, text};
use crate::judge::{OverallVerdict, Ruling, SideSummary};

mod advice;
mod differences;
mod extent;
mod gate;
mod line;
mod loud;
mod method;
mod reproduce;
mod validity;

#[cfg(test)]
mod tests;

use extent::{Extent, SHORTER};
pub use line::summary_line;

/// The longest page. A comment on GitHub takes 65,536 characters; bytes are never fewer than those, and what posts it may add a line.
const COMMENT_LIMIT_BYTES: usize = 65_536 - 512;

/// Renders a ruling and keeps what a person wrote between the note markers of an earlier rendering, as [`super::render_onto`] does.
/// `reproduce` is the command line that made the ruling; of no words, it is left out.
///
/// The page fits a comment on GitHub: what would make it longer is left out in a fixed order, which the page then says. The
/// verdict, the gate's table and the note always stay, so a note as long as a comment makes a longer page, which says that too.
#[must_use]
pub fn render_ruling(ruling: &Ruling, previous: Option<&str>, reproduce: &[String]) -> String {
    let note = note::block(previous.and_then(note::find).unwrap_or(""));
    let mut extent = Extent::WHOLE;
    let mut left_out = Vec::new();
    let mut parts = Parts::of(ruling, reproduce, &extent);
    for step in SHORTER {
        if parts.page(&note, &left_out).len() <= COMMENT_LIMIT_BYTES {
            break;
        }
        (step.cut)(&mut extent);
        let shorter = Parts::of(ruling, reproduce, &extent);
        if shorter.len() < parts.len() {
            left_out.push(step.what);
        }
        parts = shorter;
    }
    parts.page(&note, &left_out)
}

/// What stands above a person's note, and what below.
struct Parts {
    top: Page,
    rest: Page,
}

impl Parts {
    fn of(ruling: &Ruling, reproduce: &[String], extent: &Extent) -> Self {
        let (mut top, mut rest) = (Page::default(), Page::default());
        top.push(&format!("# {}", headline(ruling, extent)));
        top.push(&sides(ruling, extent));
        top.push_loud(loud::lines(ruling, extent));
        gate::write(&mut rest, ruling, extent);
        differences::write(&mut rest, ruling, extent);
        validity::write(&mut rest, ruling, extent);
        advice::write(&mut rest, ruling, extent);
        method::write(&mut rest, ruling);
        reproduce::write(&mut rest, ruling, reproduce, extent);
        Self { top, rest }
    }

    fn len(&self) -> usize {
        self.top.0.len() + self.rest.0.len()
    }

    fn page(&self, note: &str, left_out: &[&str]) -> String {
        let whole = self.joined(note, left_out, "");
        let too_long = "> **This page is longer than a comment can be, though only its note and the gate are whole.**";
        if whole.len() > COMMENT_LIMIT_BYTES { self.joined(note, left_out, too_long) } else { whole }
    }

    fn joined(&self, note: &str, left_out: &[&str], too_long: &str) -> String {
        let mut page = Page(self.top.0.clone());
        if !left_out.is_empty() {
            page.push(&format!(
                "Shortened to fit a comment: without {}. All of it is in `verdict.json` beside this page.",
                left_out.join("; ")
            ));
        }
        if !too_long.is_empty() {
            page.push(too_long);
        }
        page.push(note);
        page.push(&self.rest.0);
        page.0
    }
}

/// The verdict in words, a fitting word first. Why the two are not compared has lines of its own below.
fn headline(ruling: &Ruling, extent: &Extent) -> String {
    if !ruling.refusals.is_empty() {
        return "Refused: the two sides are not compared".to_owned();
    }
    let said = ruling.sentence.trim();
    let word = overall_word(ruling.overall);
    // `Regressed: ...`, `No regression: ...`: the sentence has its word already.
    let has_word = said.split_once(": ").is_some_and(|(word, _)| word.split_whitespace().count() <= 2);
    let said = if has_word { said.to_owned() } else { format!("{word}: {said}") };
    extent.sentence(&capital(&said))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn overall_word(overall: OverallVerdict) -> &'static str {
    match overall {
        OverallVerdict::Refused => "refused",
        OverallVerdict::Insufficient => "insufficient",
        OverallVerdict::Regressed => "regressed",
        OverallVerdict::Inconclusive => "inconclusive",
        OverallVerdict::Improved => "improved",
        OverallVerdict::Unchanged => "unchanged",
    }
}

/// Who was compared with whom.
fn sides(ruling: &Ruling, extent: &Extent) -> String {
    let Ruling { baseline, candidate, .. } = ruling;
    let one = |party: &SideSummary| match (party.engine.as_str(), party.launch.as_str()) {
        (engine, launch) if engine == launch => format!("{} ({engine})", extent.code(&party.recipe)),
        (engine, launch) => format!("{} ({engine}, {launch})", extent.code(&party.recipe)),
    };
    let where_ = if baseline.machine == candidate.machine {
        format!("both on {}", extent.code(&candidate.machine))
    } else {
        format!("on {} against {}", extent.code(&candidate.machine), extent.code(&baseline.machine))
    };
    let profile = if baseline.profile == candidate.profile {
        candidate.profile.to_string()
    } else {
        format!("{} against {}", candidate.profile, baseline.profile)
    };
    format!("Candidate {} against baseline {}, {where_}, profile {profile}.", one(candidate), one(baseline))
}
