use proptest::prelude::*;

use super::*;

const REPORT: &str = "# `vllm` on `GB10`\n\nSuite.\n\n| a |\n| --- |\n\n## Workloads\n\nLong.\n";

fn outcome(code: ExitCode, artifact: Artifact) -> Outcome {
    let run_url = Some("https://github.com/a/b/actions/runs/42".to_owned());
    Outcome { code, artifact, is_smoke: false, commit: Some("0123456789ab".to_owned()), run_url }
}

fn report() -> Artifact {
    Artifact::Report { markdown: REPORT.to_owned() }
}

fn verdict(markdown: &str, sentence: Option<&str>) -> Artifact {
    Artifact::Verdict { markdown: markdown.to_owned(), sentence: sentence.map(str::to_owned) }
}

#[test]
fn comment_contains_the_whole_verdict() {
    let judged = outcome(ExitCode::Regressed, verdict("# Verdict: regressed\n\n| a |\n", Some("1 of 12 gates regressed.")));
    insta::assert_snapshot!("judged", comment(&judged));
    insta::assert_snapshot!("judged_summary", summary(&judged));
}

#[test]
fn comment_without_a_baseline_contains_the_head_of_the_report() {
    insta::assert_snapshot!("not_judged", comment(&outcome(ExitCode::Success, report())));
}

#[test]
fn summary_line_for_each_outcome() {
    let line = |code, artifact| summary(&outcome(code, artifact));
    let smoke = Outcome { is_smoke: true, ..outcome(ExitCode::Success, report()) };
    let lines = [
        line(ExitCode::Success, report()),
        summary(&smoke),
        line(ExitCode::Invalid, report()),
        line(ExitCode::Engine, report()),
        line(ExitCode::Interrupted, report()),
        line(ExitCode::Usage, Artifact::Nothing),
        line(ExitCode::Bug, Artifact::Nothing),
        line(ExitCode::Inconclusive, verdict("", None)),
        line(ExitCode::Success, verdict("", Some("two\nlines"))),
    ];
    insta::assert_snapshot!("lines", lines.join("\n"));
}

#[test]
fn comment_without_a_report_links_the_log() {
    insta::assert_snapshot!("nothing", comment(&outcome(ExitCode::Usage, Artifact::Nothing)));
    insta::assert_snapshot!("no_run", comment_of_no_run(None));
}

#[test]
fn cut_text_ends_outside_of_blocks() {
    let check = |text: &str, bytes_max: usize, expected: &str| assert_eq!(whole_blocks(text, bytes_max), expected);
    check("one\ntwo\nthree\n", 8, "one\ntwo\n");
    check("one\n<details>\ntwo\n</details>\nthree\n", 20, "one\n");
    check("one\n<details>\ntwo\n</details>\nthree\n", 32, "one\n<details>\ntwo\n</details>\n");
    check("one\n````sh\n```\ntwo\n````\nthree\n", 20, "one\n");
    check("one\n```\n<details>\n```\ntwo\n", 26, "one\n```\n<details>\n```\ntwo\n");
    check("äöü\n", 3, "");
}

#[test]
fn long_verdict_is_cut_to_the_limit() {
    let long = outcome(ExitCode::Success, verdict(&"| a row of the table |\n".repeat(10_000), None));
    let text = comment(&long);
    assert!(text.len() <= COMMENT_BYTES_MAX && text.len() > COMMENT_BYTES_MAX - 200, "{}", text.len());
    assert!(text.contains("Cut here") && text.ends_with("actions/runs/42).\n"), "{text}");
}

proptest! {
    #[test]
    fn comment_starts_with_the_marker_and_fits_the_limit(piece in "[a-z`<>/\né ]{0,40}", times in 0_usize..20_000) {
        let text = comment(&outcome(ExitCode::Success, verdict(&piece.repeat(times), None)));
        prop_assert!(text.len() <= COMMENT_BYTES_MAX);
        prop_assert_eq!(text.lines().next(), Some(MARKER));
        prop_assert!(text.contains("\n\n---\n\nCommit `"));
    }
}
