//! The legend at the foot of a page: what its own abbreviations stand for, by the glossary.

use minijinja::context;

use super::{figures::DISPLAY_ONLY, template};
use crate::glossary::{Group, abbreviations};

/// The legend of a page that ends here.
pub(super) fn of(page: &str) -> String {
    let page = without_code(page);
    let used = |groups: &[Group]| {
        let entries = abbreviations().iter().filter(|entry| groups.contains(&entry.group) && has_word(&page, &entry.short));
        // What is spelled but for its unit needs no line: `output tok/s`.
        let entries = entries.filter(|entry| entry.group != Group::Rates || !entry.short.contains(' '));
        entries.map(|entry| format!("{} = {}", entry.short, entry.means)).collect::<Vec<_>>().join("; ")
    };
    let facts = context! {
        times => used(&[Group::Times, Group::Rates]),
        statistics => used(&[Group::Statistics, Group::Verdicts]),
        engine => used(&[Group::Setup, Group::Load, Group::Engine, Group::Instrument]),
        has_verdicts => page.contains("| Verdict |"),
        has_dash => page.contains("| - |"),
        has_part => page.lines().filter(|line| line.starts_with('|')).any(has_part),
        has_infinity => page.contains('∞'),
        has_dagger => page.contains(DISPLAY_ONLY),
    };
    template::fill("legend", facts)
}

/// Whether a row of a table has a figure that only some trials define: `86.0 (1 of 2)`.
fn has_part(row: &str) -> bool {
    let is_part =
        |inside: &str| inside.split_once(" of ").is_some_and(|(n, m)| [n, m].iter().all(|one| one.parse::<u64>().is_ok()));
    row.split('(').skip(1).any(|rest| rest.split_once(')').is_some_and(|(inside, _)| is_part(inside)))
}

/// A page without its code spans and blocks, in which others may say anything.
pub(super) fn without_code(page: &str) -> String {
    let mut kept = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(start) = rest.find('`') {
        let fence = rest[start..].chars().take_while(|c| *c == '`').count();
        kept.push_str(&rest[..start]);
        let inside = &rest[start + fence..];
        rest = end_of_span(inside, fence).map_or("", |end| &inside[end + fence..]);
    }
    kept + rest
}

/// Where a run of exactly so many backticks begins.
fn end_of_span(text: &str, fence: usize) -> Option<usize> {
    let mut from = 0;
    while let Some(start) = text[from..].find('`').map(|start| start + from) {
        let run = text[start..].chars().take_while(|c| *c == '`').count();
        if run == fence {
            return Some(start);
        }
        from = start + run;
    }
    None
}

/// Whether a text has that word, not as a part of another.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word)
        .any(|(start, _)| !is_inside(text[..start].chars().next_back()) && !is_inside(text[start + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_and_blocks_are_left_out() {
        assert_eq!(without_code("a `TTFT` b ``x`TPOT`` c\n```sh\nITL\n```\nd"), "a  b  c\n\nd");
        assert_eq!(without_code("open `end"), "open ");
    }

    #[test]
    fn words_are_found_whole_only() {
        assert!(has_part("| 86.0 (1 of 2) |") && !has_part("| 3 (1 suspect, 2 of 3 planned trials made) |"));
        assert!(has_word("a TTFT, b", "TTFT") && has_word("tok/s", "tok/s") && !has_word("TTFTs", "TTFT"));
    }
}
