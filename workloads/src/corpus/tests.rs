use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::{digest, grammar, grammar::Grammar, prose::Prose, split, units};
use crate::rng::Rng;

/// About so many units of prose, as one text.
fn prose(seed: u64, least_units: usize) -> String {
    let mut rng = Rng::new("prose", seed);
    let mut prose = Prose::begin(grammar(), &mut rng);
    let mut written = Vec::new();
    let mut line_start = true;
    while written.len() < least_units {
        let mut sentence = Vec::new();
        line_start = prose.sentence(line_start, &mut rng, &mut sentence);
        written.extend(sentence);
    }
    written.iter().map(|&unit| units()[usize::from(unit)]).collect()
}

#[test]
fn text_matches_prose_snapshot() {
    insta::assert_snapshot!(prose(1, 400));
}

#[test]
fn units_are_sorted_and_match_digest() {
    assert!(units().is_sorted_by(|one, next| one < next));
    insta::assert_snapshot!(format!("{} units, {}", units().len(), digest()), @"3480 units, c8df70cc0a72aa32ed25d0ecaac76300a9b8d61d790ebf13a1a98501c38c9a2d");
}

#[test]
fn unit_is_split_into_itself() {
    for unit in units() {
        assert_eq!(split(unit).collect::<Vec<_>>(), [*unit]);
    }
    let cut: Vec<_> = split("The quay, at 41 07:\nA sun-warmed  hull.\n").collect();
    assert_eq!(cut, ["The", " quay", ",", " at", " 41", " 07", ":\n", "A", " sun-warmed", " ", " hull", ".\n"]);
    assert_eq!(split("").count(), 0);
}

#[test]
fn vocabulary_is_large() {
    let words: BTreeSet<String> =
        units().iter().map(|unit| unit.trim_start().to_lowercase()).filter(|word| word.len() > 1).collect();
    let spelled = words.iter().filter(|word| word.starts_with(char::is_alphabetic)).count();
    assert!(spelled > 2000, "{spelled} word forms");
    // More than any plan has prompts, so that no two of them begin with the same word.
    assert!(grammar().openers.len() > 800, "{} openers", grammar().openers.len());
}

/// A prefix cache, or a model that copies, finds nothing to reuse: the longest run of units that comes twice is a phrase.
#[test]
fn long_runs_are_not_repeated() {
    let text = prose(2, 200_000);
    let written: Vec<&str> = split(&text).collect();
    let repeats = |length: usize| {
        let mut seen = HashSet::new();
        written.windows(length).filter(|window| !seen.insert(*window)).count()
    };
    // Words at the places of a sentence that are fixed repeat; whole sentences do not.
    let repeated: Vec<_> = [8, 12, 16, 20, 24].map(|length| (length, repeats(length))).into();
    assert_eq!(repeated[3].1, 0, "{repeated:?}");
    assert!(repeated[1].1 < 1000, "{repeated:?}");
}

#[test]
fn article_fits_the_next_word() {
    let text = prose(3, 50_000);
    let written: Vec<&str> = split(&text).map(str::trim_start).collect();
    let pairs = || written.windows(2).filter(|pair| matches!(pair[0], "a" | "an" | "A" | "An"));
    assert!(pairs().count() > 500);
    for pair in pairs() {
        let by_letter = pair[1].starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
        let by_sound =
            if ["hour", "honest"].contains(&pair[1]) { true } else { by_letter && !["useful", "useless"].contains(&pair[1]) };
        assert_eq!(pair[0].ends_with('n'), by_sound, "{} {}", pair[0], pair[1]);
    }
}

#[test]
fn line_begins_with_capital_and_ends_with_stop() {
    for line in prose(4, 20_000).lines() {
        assert!(line.starts_with(char::is_uppercase), "{line}");
        assert!(line.ends_with('.'), "{line}");
        assert!(!line.contains(['{', '}', '_']), "{line}");
        for sentence in line.trim_end_matches('.').split(". ") {
            assert!(sentence.starts_with(char::is_uppercase), "{sentence}");
        }
    }
}

/// A slot that names no list is a slip of the pen; it must not become text.
#[test]
fn source_with_unknown_slot_is_refused() {
    let common = "nn: 1\nname: X\nlead: so\ntail: so\nopening: so\nfiller: so\ns: the {nothing} is here";
    let theme = "place: here\nthing: it\nthings: they\nstuff: tar\ntrait: old\ns: it is {place}";
    let whole = std::panic::catch_unwind(|| Grammar::compile(common, &[theme], &[]));
    assert!(whole.is_err());
    let mended = common.replace("{nothing}", "{thing}");
    let grammar = Grammar::compile(&mended, &[theme], &["Do it."]);
    assert!(grammar.find("Do").is_some());
}

proptest! {
    #[test]
    fn prose_consists_of_units(seed: u64) {
        let text = prose(seed, 300);
        for unit in split(&text) {
            prop_assert!(units().binary_search(&unit).is_ok(), "{unit:?}");
        }
    }

    #[test]
    fn cutting_preserves_text(text in "\\PC*|[a-z ,.\n-]*") {
        prop_assert_eq!(split(&text).collect::<String>(), text);
    }
}
