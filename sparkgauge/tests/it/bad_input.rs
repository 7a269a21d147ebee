//! What is refused, and how that reads. None of these starts a measurement.

use std::fs;

use crate::program::{check, recipe, sparkgauge};

#[test]
fn unknown_names_are_refused_with_the_known_ones() {
    check(&sparkgauge(&["bench", "--engine", "vlm"]), 2, &["invalid value 'vlm'", "vllm", "llamacpp", "simulated"]);
    check(&sparkgauge(&["bench", "--workload", "chatt"]), 2, &["invalid value 'chatt'", "chat", "long-prefill", "peak"]);
    check(&sparkgauge(&["bench", "--profile", "fast"]), 2, &["invalid value 'fast'", "smoke", "quick", "standard", "full"]);
    check(&sparkgauge(&["bench", "--fastest"]), 2, &["unexpected argument '--fastest'"]);
    check(&sparkgauge(&["bench", "--trials", "0"]), 2, &["0 is not in 1..=100"]);
    check(&sparkgauge(&["bnch"]), 2, &["unrecognized subcommand", "bench"]);
}

#[test]
fn flags_that_cannot_be_honoured_are_refused() {
    check(&sparkgauge(&["bench", "--recipe", "x", "--attach", "http://127.0.0.1:1"]), 2, &["cannot be used with"]);
    check(&sparkgauge(&["bench", "--model", "x"]), 2, &["--attach"]);
    check(&sparkgauge(&["bench", "--engine", "other"]), 2, &["`other` has no recipe of its own", "--attach"]);
}

#[test]
fn recipes_are_refused_with_file_line_and_field() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let bench = |recipe: &str| {
        sparkgauge(&["bench", "--no-selftest", "--profile", "smoke", "--recipe", recipe, "--out", out.to_str().unwrap()])
    };
    let path = recipe(folder.path(), &["server", "${PORT}"], "");
    let good = fs::read_to_string(&path).unwrap();
    let with = |text: String| {
        fs::write(&path, text).unwrap();
        bench(&path)
    };
    check(
        &with(good.replace("stop_grace_s = 5", "stop_grace_s = \"5\"")),
        2,
        &["scripted.toml", "line 9", "invalid type: string"],
    );
    check(&with(good.replace("stop_grace_s", "stop_grace")), 2, &["unknown field `stop_grace`", "stop_grace_s"]);
    check(
        &with(good.replace("[model]\nid = \"simulated-gpt-oss-120b\"\nmax_context = 8192\n", "")),
        2,
        &["missing field `model`"],
    );
    check(&with(good.replace("${PORT}", "8000")), 2, &["has no `${PORT}`"]);
    check(&with(good.replace("server", "${TESTBET}/server")), 2, &["unknown placeholder `${TESTBET}`"]);
    check(&bench("no-such-recipe"), 2, &["no recipe `no-such-recipe`", "testbed-llamacpp"]);
}

#[test]
fn urls_that_cannot_be_attached_to_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let attach = |name: &str, url: &str| {
        let out = folder.path().join(name);
        sparkgauge(&["bench", "--no-selftest", "--profile", "smoke", "--attach", url, "--out", out.to_str().unwrap()])
    };
    let twice = ["bench", "--no-selftest", "--attach", "http://127.0.0.1:1", "--model", "m", "--boots", "2", "--out", "never"];
    check(&sparkgauge(&twice), 2, &["cannot be booted again", "--trials"]);
    check(&attach("a", "https://127.0.0.1:1"), 3, &["https is not built in"]);
    check(&attach("b", "http://me:secret@127.0.0.1:1"), 3, &["must not hold a user name or password"]);
    check(&attach("c", "http://127.0.0.1:1"), 3, &["127.0.0.1:1"]);
}

#[test]
fn file_that_is_no_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl.gz");
    check(&sparkgauge(&["report", file.to_str().unwrap()]), 2, &["x.jsonl.gz", "No such file"]);
    fs::write(&file, b"").unwrap();
    check(&sparkgauge(&["report", file.to_str().unwrap()]), 2, &["the run ended before its header was written"]);
    fs::write(&file, b"plainly not").unwrap();
    check(&sparkgauge(&["report", file.to_str().unwrap()]), 2, &["not a record"]);
}
