//! `help`: the pages of verbs, and the glossary.

use crate::program::{check, sparkgauge};

#[test]
fn help_on_a_verb_is_the_page_of_its_help_flag() {
    for verb in [&[][..], &["bench"], &["sim", "plan"]] {
        let done = sparkgauge(&[&["help"], verb].concat());
        check(&done, 0, &[]);
        assert_eq!(done.stdout, sparkgauge(&[verb, &["--help"]].concat()).stdout, "{verb:?}");
        assert!(done.stdout.contains("Examples:\n"), "{}", done.stdout);
    }
    check(&sparkgauge(&["help", "benhc"]), 2, &["no help on `benhc`", "`sparkgauge help`"]);
}

#[test]
fn help_glossary_prints_the_glossary() {
    let done = sparkgauge(&["help", "glossary"]);
    check(&done, 0, &[]);
    for term in ["time to first token", "TPOT", "baseline"] {
        assert!(done.stdout.contains(term), "`{term}` is not in: {}", done.stdout);
    }
}
