//! The nine workloads as Rust tests.
//!
//! `cargo xtask bench` builds this, hands it a run request (`--request FILE`) and renders the record that it leaves. Without a request there
//! is no engine, and the nine show as ignored. What they assert is that the measurement is valid, never that it is fast.

use std::{ffi::OsString, path::PathBuf};

use bench::{RunOutcome, WorkloadOutcome, terminal::say};
use libtest_mimic::{Arguments, Failed, Trial};
use record::ExitCode;

fn main() -> std::process::ExitCode {
    let (request, rest) = without_request(std::env::args_os());
    let arguments = Arguments::from_iter(rest);
    match request {
        // Asked only for its list, it must not measure.
        Some(request) if !arguments.list => measure(&arguments, &request).into(),
        _ => list_without_engine(&arguments),
    }
}

/// The file that `--request` names, and the arguments that are the test runner's.
fn without_request(arguments: impl Iterator<Item = OsString>) -> (Option<PathBuf>, Vec<OsString>) {
    let mut arguments = arguments;
    let (mut request, mut rest) = (None, Vec::new());
    while let Some(word) = arguments.next() {
        if word == "--request" {
            request = arguments.next().map(PathBuf::from);
        } else {
            rest.push(word);
        }
    }
    (request, rest)
}

fn list_without_engine(arguments: &Arguments) -> std::process::ExitCode {
    let needs_engine = || Err(Failed::from("needs an engine: start it with `cargo xtask bench --workload NAME`"));
    let tests = workloads::ALL.iter().map(|spec| Trial::test(spec.name, needs_engine).with_ignored_flag(true)).collect();
    libtest_mimic::run(arguments, tests).exit_code()
}

fn measure(arguments: &Arguments, request: &std::path::Path) -> ExitCode {
    let outcome = match bench::read_request(request) {
        Ok(request) => bench::measure(&request),
        Err(error) => RunOutcome { ended: Err(error), workloads: Vec::new() },
    };
    if let Err(error) = &outcome.ended {
        say(&format!("error: {error}"));
    }
    if !outcome.workloads.is_empty() {
        // What failed is in the outcome's exit code too.
        let _conclusion = libtest_mimic::run(arguments, outcome.workloads.iter().map(test).collect());
    }
    outcome.exit_code()
}

/// Fails where a trial is invalid, and so was its repetition.
fn test(outcome: &WorkloadOutcome) -> Trial {
    let invalid = outcome.invalid.clone();
    let test = move || if invalid.is_empty() { Ok(()) } else { Err(Failed::from(invalid.join("\n"))) };
    Trial::test(outcome.name(), test).with_ignored_flag(!outcome.is_measured)
}
