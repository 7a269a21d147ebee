//! That a clone's `cargo xtask` builds the product from this tree and passes on to it what a person asks for.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

/// Calls `cargo xtask` as cargo would.
fn xtask(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(words).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).stdin(Stdio::null());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All of the way: cargo builds `sparkgauge` and the nine workloads as Rust tests, the first starts the second, which measures one of the nine
/// on the simulated Spark. Needs cargo, and from cold takes as long as it takes to build the product; afterwards some seconds.
#[test]
fn bench_in_a_clone_builds_the_product_and_runs_workloads_as_tests() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let done = xtask(&["bench", "--profile", "smoke", "--workload", "chat", "--out", out.to_str().unwrap()]);
    let (stdout, stderr) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{stdout}\n{stderr}");
    assert!(stdout.contains("running 1 test\ntest chat ... ok\n"), "{stdout}");
    let record = record::file::decode(&fs::read(out.join(record::file::FILE_NAME)).unwrap()).unwrap();
    assert_eq!(record.header.command[..3], ["cargo", "xtask", "bench"]);
    assert!(record.trials.iter().all(|trial| trial.cell.workload == "chat") && !record.trials.is_empty());
    assert!(out.join("report.md").is_file());
}

#[test]
fn unknown_flag_exits_with_the_usage_code() {
    let done = xtask(&["bench", "--list-nothing-such"]);
    let stderr = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--list-nothing-such") && stderr.contains("Usage: cargo xtask bench"), "{stderr}");
}
