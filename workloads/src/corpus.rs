//! The text of prompts: English prose of our own, from a grammar, the same on every machine.
//!
//! Eight themes (a harbour's log, an orchard's notebook, ...) each bring their nouns, verbs and sentences; a common part brings
//! what all share. Sentences are filled in at random, a few to a paragraph, a few paragraphs to a theme. That reads as the records of a
//! place, which a model continues at its usual pace. Prompts are unique from their first word, and share no run of words longer than a
//! phrase.
//!
//! The text is made of [`units`]: a word with the space before it, a punctuation mark, a line's end. The list is finite and every
//! cut between two units is one where tokenizers cut too, so a text's tokens are the sum of its units' tokens: the tokenizer is asked
//! once per unit, and then any prompt is sized exactly without it. Numbers are groups of two digits for the same reason.

pub(crate) mod grammar;
pub(crate) mod prose;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use grammar::Grammar;
use sha2::{Digest, Sha256};

/// The themes' sources, each with its name.
const THEMES: [(&str, &str); 8] = [
    ("archive", include_str!("corpus/archive.txt")),
    ("bakery", include_str!("corpus/bakery.txt")),
    ("depot", include_str!("corpus/depot.txt")),
    ("harbour", include_str!("corpus/harbour.txt")),
    ("observatory", include_str!("corpus/observatory.txt")),
    ("orchard", include_str!("corpus/orchard.txt")),
    ("pharmacy", include_str!("corpus/pharmacy.txt")),
    ("weaving", include_str!("corpus/weaving.txt")),
];
/// Slots and phrases that all themes share.
const COMMON: &str = include_str!("corpus/common.txt");

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::compile(COMMON, &THEMES.map(|(_, source)| source), &requests()));
static UNITS: LazyLock<Vec<&'static str>> = LazyLock::new(|| GRAMMAR.units.iter().map(String::as_str).collect());

/// Every unit that a prompt may hold, sorted. A table of token counts lists one count for each, in this order.
#[must_use]
pub fn units() -> &'static [&'static str] {
    &UNITS
}

/// SHA-256 of the corpus: the sources of the grammar and the units they give, 64 hexadecimal digits.
#[must_use]
pub fn digest() -> String {
    static DIGEST: LazyLock<String> = LazyLock::new(|| {
        let mut sha = Sha256::new();
        let sources = THEMES.iter().map(|&(_, source)| source).chain([COMMON]);
        for text in sources.chain(units().iter().copied()) {
            sha.update((text.len() as u64).to_le_bytes());
            sha.update(text);
        }
        hex(&sha.finalize())
    });
    DIGEST.clone()
}

/// Cuts a text into its units.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let tail = &rest[first.len_utf8()..];
        let end = if first.is_alphanumeric() || first == ' ' {
            tail.find(|c: char| !c.is_alphanumeric() && c != '-')
        } else {
            tail.find(|c: char| c != '\n')
        };
        let (unit, after) = rest.split_at(end.map_or(rest.len(), |end| first.len_utf8() + end));
        rest = after;
        Some(unit)
    })
}

pub(crate) fn grammar() -> &'static Grammar {
    &GRAMMAR
}

/// The lower-case hexadecimal digits of some bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// All that the workloads ask a model to do; their words are units too.
fn requests() -> Vec<&'static str> {
    crate::ALL.iter().flat_map(|spec| spec.instructions.iter().chain(spec.follow_ups)).copied().collect()
}
