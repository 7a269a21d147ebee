//! The program alone, in a folder that is no clone: what is built in, and where things go.

use std::{fs, path::Path};

use crate::program::{ProgramOutput, check, command};

/// A call in a folder, with a cache folder of its own.
fn call(folder: &Path, arguments: &[&str]) -> ProgramOutput {
    command(arguments).current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache")).output().unwrap().into()
}

#[test]
fn bench_outside_a_clone_writes_into_the_current_folder() {
    let folder = tempfile::tempdir().unwrap();
    let done = call(folder.path(), &["bench", "--profile", "smoke", "--workload", "chat"]);
    check(&done, 0, &["SIMULATED"]);
    let run = fs::read_dir(folder.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let names = ["record.jsonl.gz", "report.md"].map(|name| run.join(name).is_file());
    assert_eq!(names, [true, true], "{}", run.display());
    assert!(done.stdout.starts_with("chat: valid\n"), "{}", done.stdout);
    let report = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(report.contains("sparkgauge bench --profile smoke --workload chat") && !report.contains("cargo xtask"), "{report}");
    let run = run.to_str().unwrap();
    check(&call(folder.path(), &["report", run]), 0, &[]);
    check(&call(folder.path(), &["compare", run, run]), 4, &[]);
    check(&call(folder.path(), &["accept", run, "--why", "it is there", "--who", "Somebody"]), 4, &["cannot be a baseline"]);
}

#[test]
fn run_accepted_outside_a_clone_is_stored_in_baselines() {
    let folder = tempfile::tempdir().unwrap();
    let bench = ["bench", "--workload", "chat", "--out", "one"];
    check(&call(folder.path(), &bench), 0, &[]);
    check(&call(folder.path(), &["accept", "one", "--why", "the first", "--who", "Somebody"]), 0, &[]);
    assert!(folder.path().join("baselines/simulated-DGX-Spark/simulated/canonical-v1/record.jsonl.gz").is_file());
    let slower = ["bench", "--workload", "chat", "--simulated-noise-seed", "2", "--out", "two"];
    check(&call(folder.path(), &slower), 0, &[]);
    assert!(folder.path().join("two/verdict.md").is_file(), "it is judged against what was accepted");
}

#[test]
fn built_in_recipes_are_found_and_can_be_copied() {
    let folder = tempfile::tempdir().unwrap();
    let listed = call(folder.path(), &["recipe", "list"]);
    check(&listed, 0, &[]);
    assert!(["vllm ", "sglang ", "llamacpp ", "ollama ", "trtllm ", "nim "].iter().all(|name| listed.stdout.contains(name)));
    let shown = call(folder.path(), &["recipe", "show", "trtllm"]);
    check(&shown, 0, &[]);
    assert!(shown.stdout.contains("docker run") && shown.stdout.contains("cache/sparkgauge/recipes/"), "{}", shown.stdout);
    assert!(!folder.path().join("recipes").exists(), "nothing is written where nobody asked for it");

    check(&call(folder.path(), &["recipe", "new", "mine", "--from", "trtllm"]), 0, &["`sparkgauge recipe check mine`"]);
    let mine = fs::read_to_string(folder.path().join("recipes/mine.toml")).unwrap();
    assert!(mine.contains("name = \"mine\"") && mine.contains('#'), "its comments are kept: {mine}");
    assert!(folder.path().join("recipes/files/trtllm.yml").is_file(), "what it mounts lies beside it");
    assert!(call(folder.path(), &["recipe", "list"]).stdout.contains("\nmine "));
    check(&call(folder.path(), &["recipe", "new", "mine", "--from", "vllm"]), 2, &["is there already"]);
    check(&call(folder.path(), &["recipe", "new", "../mine", "--from", "vllm"]), 2, &["is no recipe's name"]);
    check(
        &call(folder.path(), &["recipe", "new", "other", "--from", "nobody"]),
        2,
        &["no recipe `nobody`", "known recipes: llamacpp"],
    );
}
