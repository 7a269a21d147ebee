use super::*;

fn complaint_lines(text: &str) -> Vec<String> {
    findings("twin/src/a.rs", text).iter().map(Finding::complaint).collect()
}

#[test]
fn each_rule_is_reported_with_file_and_line() {
    let text = format!(
        "struct Load;\n\n/// Its name.\nname: u32\npub(crate) struct Told<'a> {{\nconst ASKED: u32 = 1;\n    async fn what_came() {{\n// It {} its engine.\n",
        BANNED_PHRASES[1]
    );
    insta::assert_snapshot!(complaint_lines(&text).join("\n").replace(BANNED_PHRASES[1], "PHRASE"), @"
    twin/src/a.rs:3: `Its name.` says no more than the name: say something or delete it
    twin/src/a.rs:5: `Told`: a type or a constant is named by a noun of the field
    twin/src/a.rs:6: `ASKED`: a type or a constant is named by a noun of the field
    twin/src/a.rs:7: `what_came`: a test is named subject_condition_result
    twin/src/a.rs:8: `PHRASE`: an engine is shut down, or stopped
    ");
    assert_eq!(
        summary(&findings("a/b.rs", &text)),
        "1 empty doc lines, 2 banned names, 1 banned function names, 1 banned phrases"
    );
}

#[test]
fn declarations_are_found_with_any_qualifiers() {
    for (line, expected) in [
        ("struct One;", Some(("struct", "One"))),
        ("    pub(super) enum Part<'a> {", Some(("enum", "Part"))),
        ("pub type Thing = u32;", Some(("type", "Thing"))),
        ("pub(in crate::a) trait Seen: Sized {", Some(("trait", "Seen"))),
        ("pub const fn what_is() {", Some(("fn", "what_is"))),
        ("pub async unsafe fn f(x: u32) {", Some(("fn", "f"))),
        ("pub const CAME: &str = \"\";", Some(("const", "CAME"))),
        ("}", None),
    ] {
        assert_eq!(declared(line), expected, "{line}");
    }
}

#[test]
fn use_of_a_banned_word_elsewhere_is_allowed() {
    for line in [
        "impl Iterator for Median where T: Sized {",
        "    Part(u32),",
        "struct Partial;",
        "let what_is = 1;",
        "fn somewhat_slow() {}",
        "const ASKED_TOKENS: u32 = 1;",
        "use std::marker::Sized;",
        "// It was put awayward.",
    ] {
        assert_eq!(complaint_lines(line), [""; 0], "{line}");
    }
}
