//! A ruling as Markdown: the page that a reviewer reads, short enough for a comment on a pull request.

use minijinja::{Value, context, value::merge_maps};

use super::{legend, note, template, text};
use crate::judge::{Ruling, SideSummary};

mod advice;
mod differences;
mod extent;
mod gate;
mod line;
mod loud;
mod method;
mod reproduce;
mod summary;
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
    top: String,
    rest: String,
}

impl Parts {
    fn of(ruling: &Ruling, reproduce: &[String], extent: &Extent) -> Self {
        let facts = merge_maps([
            context! { title => headline(ruling, extent) },
            sides(ruling, extent),
            loud::facts(ruling, extent),
            summary::facts(ruling, extent),
            gate::facts(ruling, extent),
            differences::facts(ruling, extent),
            validity::facts(ruling, extent),
            advice::facts(ruling, extent),
            method::facts(ruling),
            reproduce::facts(ruling, reproduce, extent),
        ]);
        let top = template::fill("verdict_top", facts.clone());
        let rest = template::fill("verdict_rest", facts);
        let legend = legend::of(&format!("{top}{rest}"));
        Self { top, rest: format!("{rest}\n{legend}") }
    }

    fn len(&self) -> usize {
        self.top.len() + self.rest.len()
    }

    fn page(&self, note: &str, left_out: &[&str]) -> String {
        let whole = self.joined(note, left_out, "");
        let too_long = "> **This page is longer than a comment can be, though only its note and the gate are whole.**";
        if whole.len() > COMMENT_LIMIT_BYTES { self.joined(note, left_out, too_long) } else { whole }
    }

    fn joined(&self, note: &str, left_out: &[&str], too_long: &str) -> String {
        let mut blocks = vec![self.top.clone()];
        if !left_out.is_empty() {
            blocks.push(format!(
                "Shortened to fit a comment: without {}. All of it is in `verdict.json` beside this page.\n",
                left_out.join("; ")
            ));
        }
        if !too_long.is_empty() {
            blocks.push(format!("{too_long}\n"));
        }
        blocks.extend([note.to_owned(), self.rest.clone()]);
        blocks.join("\n")
    }
}

/// The verdict in words, a fitting word first. Why the two are not compared has lines of its own below.
fn headline(ruling: &Ruling, extent: &Extent) -> String {
    if !ruling.refusals.is_empty() {
        return "Refused: the two sides are not compared".to_owned();
    }
    let said = ruling.sentence.trim();
    let word = ruling.overall.verdict().word();
    // `Regressed: ...`, `No regression: ...`: the sentence has its word already.
    let has_word = said.split_once(": ").is_some_and(|(word, _)| word.split_whitespace().count() <= 2);
    let said = if has_word { said.to_owned() } else { format!("{word}: {said}") };
    extent.sentence(&capital(&said))
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// Who was compared with whom.
fn sides(ruling: &Ruling, extent: &Extent) -> Value {
    let SideNames { place, profile } = SideNames::of(ruling, extent);
    let one = |side: &SideSummary| match (side.engine.as_str(), side.launch.as_str()) {
        (engine, launch) if engine == launch => format!("{} ({engine})", extent.code(&side.recipe)),
        (engine, launch) => format!("{} ({engine}, {launch})", extent.code(&side.recipe)),
    };
    context! { baseline => one(&ruling.baseline), candidate => one(&ruling.candidate), place, profile }
}

/// Machine and profile, which both sides should have in common.
struct SideNames {
    place: String,
    profile: String,
}

impl SideNames {
    fn of(Ruling { baseline, candidate, .. }: &Ruling, extent: &Extent) -> Self {
        let place = if baseline.machine == candidate.machine {
            format!("both on {}", extent.code(&candidate.machine))
        } else {
            format!("on {} against {}", extent.code(&candidate.machine), extent.code(&baseline.machine))
        };
        let profile = if baseline.profile == candidate.profile {
            candidate.profile.to_string()
        } else {
            format!("{} against {}", candidate.profile, baseline.profile)
        };
        Self { place, profile }
    }
}
