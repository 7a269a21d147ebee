//! Committed runs: each report and each verdict is what its records give today.
//!
//! `cargo xtask regenerate reports` writes them anew.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::program::{check, repository, sparkgauge};

const RUNS: &str = "reports/runs";

/// The folders at or below one that hold a file of that name, from there on.
fn folders_with(name: &str, root: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut open) = (BTreeSet::new(), vec![root.to_path_buf()]);
    while let Some(folder) = open.pop() {
        if folder.join(name).is_file() {
            found.insert(folder.strip_prefix(root).unwrap().to_path_buf());
        }
        open.extend(fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()));
    }
    found
}

#[test]
fn committed_reports_match_their_records() {
    let runs = repository().join(RUNS);
    let records = folders_with("record.jsonl.gz", &runs);
    assert_eq!(records, folders_with("report.md", &runs), "each record has its report, and each report its record");
    assert!(records.len() >= 8, "two smoke runs and three pairs were committed: {records:?}");
    let copies = tempfile::tempdir().unwrap();
    for folder in records {
        let (folder, copy) = (runs.join(&folder), copies.path().join(&folder));
        fs::create_dir_all(&copy).unwrap();
        for name in ["record.jsonl.gz", "report.md", "../verdict.md"].iter().filter(|name| folder.join(name).is_file()) {
            fs::copy(folder.join(name), copy.join(name)).unwrap();
        }
        let committed = fs::read_to_string(folder.join("report.md")).unwrap();
        check(&sparkgauge(&["report", &copy.display().to_string()]), 0, &[]);
        let rendered = fs::read_to_string(copy.join("report.md")).unwrap();
        assert!(rendered == committed, "{}: `cargo xtask regenerate reports` writes another report", folder.display());
    }
}

#[test]
fn committed_verdicts_match_their_records() {
    let runs = repository().join(RUNS);
    let verdicts = folders_with("verdict.md", &runs);
    assert_eq!(verdicts, folders_with("verdict.json", &runs));
    assert!(verdicts.len() >= 3, "three pairs were judged: {verdicts:?}");
    // A page names its folder from the clone on, so the copies lie in one too.
    let clone = tempfile::tempdir().unwrap();
    for folder in verdicts {
        let (committed, copy) = (runs.join(&folder), clone.path().join(RUNS).join(&folder));
        for side in ["baseline", "candidate"] {
            fs::create_dir_all(copy.join(side)).unwrap();
            fs::copy(committed.join(side).join("record.jsonl.gz"), copy.join(side).join("record.jsonl.gz")).unwrap();
        }
        let page = fs::read_to_string(committed.join("verdict.md")).unwrap();
        // A person's note stays where it is.
        fs::write(copy.join("verdict.md"), &page).unwrap();
        let data = fs::read_to_string(committed.join("verdict.json")).unwrap();
        let code = i32::try_from(json(&data)["exit_code"].as_i64().unwrap()).unwrap();
        let flag = format!("--clone={}", clone.path().display());
        check(&sparkgauge(&words(&flag, &page, &copy)), code, &[]);
        assert!(fs::read_to_string(copy.join("verdict.md")).unwrap() == page, "{}: another page", folder.display());
        let now = fs::read_to_string(copy.join("verdict.json")).unwrap();
        assert_eq!(difference(&json(&data), &json(&now), "verdict"), None, "{}", folder.display());
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The command by which a page says that it is made again, on the copy.
fn words<'a>(flag: &'a str, page: &'a str, copy: &'a Path) -> Vec<&'a str> {
    let callers = ["cargo xtask compare ", "sparkgauge compare "];
    let command = page.lines().find_map(|line| callers.iter().find_map(|caller| line.strip_prefix(caller)));
    let command = command.expect("a page says how it is made");
    let options = command.split_whitespace().skip(1);
    [flag, "compare", copy.to_str().unwrap()].into_iter().chain(options).collect()
}

/// Where two differ. The last digits of a logarithm depend on the features that dependencies are built with, and those of tests are others.
fn difference(one: &Value, other: &Value, at: &str) -> Option<String> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64()?, other.as_f64()?);
            let is_near = (one - other).abs() <= 1e-9 * one.abs().max(other.abs());
            (!is_near).then(|| format!("{at}: {one} and {other}"))
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).enumerate().find_map(|(n, (one, other))| difference(one, other, &format!("{at}[{n}]")))
        }
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            one.iter().find_map(|(key, value)| difference(value, &other[key], &format!("{at}.{key}")))
        }
        _ if one == other => None,
        _ => Some(format!("{at}: {one} and {other}")),
    }
}

#[test]
fn difference_of_two_verdicts_names_its_place() {
    let of = |one: &str, other: &str| difference(&json(one), &json(other), "verdict");
    assert_eq!(of(r#"{"a": [1.0, 2.0]}"#, r#"{"a": [1.0, 2.0000000000000004]}"#), None);
    assert_eq!(of(r#"{"a": [1.0, 2.0]}"#, r#"{"a": [1.0, 2.00001]}"#).as_deref(), Some("verdict.a[1]: 2 and 2.00001"));
    assert_eq!(of(r#"{"a": "x"}"#, r#"{"a": "y"}"#).as_deref(), Some(r#"verdict.a: "x" and "y""#));
    assert!(of(r#"{"a": 1}"#, r#"{"b": 1}"#).is_some() && of("[1]", "[1, 2]").is_some());
}
