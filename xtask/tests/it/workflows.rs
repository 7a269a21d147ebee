//! What the workflows of CI may not do, as far as their text shows it. CI runs real linters over them besides; these lines need nothing.

use std::{fs, path::Path};

/// What is wrong with a workflow's text.
fn complaints(text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    // The column of the key whose block of shell text we are in.
    let mut run_column = None;
    for (number, line) in (1..).zip(text.lines()) {
        let column = line.len() - line.trim_start().len();
        let content = line.trim_start().trim_start_matches("- ");
        let mut complain = |what: &str| complaints.push(format!("line {number}: {what}"));
        if run_column.is_some_and(|run| column <= run && !content.is_empty()) {
            run_column = None;
        }
        if let Some(value) = content.strip_prefix("run:") {
            // A block ends where a line stands no deeper than its key, and the key of a list's item stands behind its dash.
            run_column = Some(line.len() - content.len());
            if value.contains("${{") {
                complain("an expression in shell text; pass it through env");
            }
        } else if run_column.is_some() && content.contains("${{") {
            complain("an expression in shell text; pass it through env");
        } else if run_column.is_none() && content.starts_with('#') {
            continue;
        }
        if content.starts_with("uses:") && !is_pinned(content) {
            complain("an action without its full commit and its version as a comment");
        }
        for trigger in ["pull_request_target", "workflow_run"] {
            if content.contains(trigger) {
                complain("a trigger that runs with the rights of the branch that is merged into");
            }
        }
        if content.contains("secrets.") || content.starts_with("secrets:") {
            complain("a secret; none is needed");
        }
    }
    complaints.extend(of_the_whole(text).into_iter().map(str::to_owned));
    complaints
}

fn of_the_whole(text: &str) -> Vec<&'static str> {
    let count = |what: &str| text.matches(what).count();
    let checks = [
        (count("actions/checkout@") == count("persist-credentials: false"), "a checkout that leaves its token behind"),
        (
            count("self-hosted") == 0 || count("pull_request:") == 0 || text.contains("head.repo.full_name == github.repository"),
            "a machine of ours that runs code of forks",
        ),
        (text.lines().any(|line| line.starts_with("permissions:")), "a token with all rights that there are by default"),
        (count("runs-on:") == count("timeout-minutes:"), "a job without timeout-minutes"),
    ];
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

/// `uses: owner/name@40 digits # v1.2.3`, or an action of this repository.
fn is_pinned(content: &str) -> bool {
    let action = content.trim_start_matches("uses:").trim();
    if action.starts_with("./") {
        return true;
    }
    let is_version =
        |comment: &str| comment.trim().strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let is_commit = |commit: &str| commit.len() == 40 && commit.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    action.split_once('#').is_some_and(|(name, comment)| {
        is_version(comment) && name.trim().split_once('@').is_some_and(|(_, commit)| is_commit(commit))
    })
}

#[test]
fn committed_workflows_have_no_complaints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let complaints = complaints(&fs::read_to_string(&path).unwrap());
        assert!(complaints.is_empty(), "{}: {complaints:#?}", path.display());
        seen += 1;
    }
    assert!(seen >= 2, "{seen} workflows");
}

#[test]
fn forbidden_workflow_steps_are_reported() {
    const START: &str = "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: x\n    timeout-minutes: 1\n    steps:\n";
    let check = |step: &str, expected: usize| {
        let found = complaints(&format!("{START}{step}"));
        assert_eq!(found.len(), expected, "{step}: {found:?}");
    };
    let commit = "0123456789abcdef0123456789abcdef01234567";
    check(&format!("      - uses: a/b@{commit} # v1.2.3\n"), 0);
    check(&format!("      - name: c\n        uses: a/b/c@{commit} # v4\n"), 0);
    check("      - uses: ./own\n", 0);
    check("      - uses: a/b@v1 # v1\n", 1);
    check(&format!("      - uses: a/b@{commit}\n"), 1);
    check(&format!("      - uses: a/b@{commit} # latest\n"), 1);
    check(&format!("      - uses: a/b@{} # v1\n", &commit[1..]), 1);
    check(&format!("      - uses: a/b@{} # v1\n", commit.to_uppercase()), 1);
    check(&format!("      - uses: actions/checkout@{commit} # v1\n"), 1);

    check("      - run: echo hello\n        env:\n          A: ${{ inputs.a }}\n", 0);
    check(
        "      - env:\n          A: ${{ inputs.a }}\n        run: |\n          echo a\n\n          echo b\n      - name: ${{ inputs.a }}\n",
        0,
    );
    check("      - run: echo ${{ github.event.pull_request.title }}\n", 1);
    check("      - run: |\n          echo a\n\n          echo ${{ inputs.a }}\n", 1);
    check("      - name: a\n        run: >-\n          echo\n          # ${{ inputs.a }}\n", 1);
    check("      # What pull_request_target would do.\n      - run: echo\n", 0);
    check("      - run: echo\n        env:\n          A: ${{ secrets.A }}\n", 1);

    let whole = |text: &str, expected: usize| assert_eq!(complaints(text).len(), expected, "{text}: {:?}", complaints(text));
    whole("on: pull_request_target\npermissions: {}\n", 1);
    whole("on:\n  workflow_run:\npermissions: {}\n", 1);
    whole("on: push\n", 1);
    whole("on: push\npermissions: {}\njobs:\n  a:\n    runs-on: x\n", 1);
    let ours = "on:\n  pull_request:\npermissions: {}\njobs:\n  a:\n    runs-on: self-hosted\n    timeout-minutes: 1\n";
    whole(ours, 1);
    whole(&format!("{ours}    if: github.event.pull_request.head.repo.full_name == github.repository\n"), 0);
}
