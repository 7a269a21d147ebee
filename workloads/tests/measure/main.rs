//! The measuring program: the nine workloads as Rust tests.
//!
//! `cargo xtask bench` builds it, hands it a run request in `SPARKGAUGE_RUN`, and renders the record that it leaves. Without a request
//! there is no engine, and the nine show as ignored. What they assert is that the measurement is valid, never that it is fast.

mod attached;
mod booted;
mod canonical;
mod engines;
mod measuring;
mod outcome;
mod setup;

use std::io::Write;

use libtest_mimic::{Arguments, Failed, Trial};
use record::{ExitCode, RunRequest};

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    match request() {
        None => list_without_engine(&arguments),
        Some(Err(why)) => {
            say(&format!("error: SPARKGAUGE_RUN is not a run request: {why}"));
            ExitCode::Usage.into()
        }
        // Asked only for its list, it must not measure.
        Some(Ok(_)) if arguments.list => list_without_engine(&arguments),
        Some(Ok(request)) => measure(&arguments, &request).into(),
    }
}

fn request() -> Option<Result<RunRequest, String>> {
    #[expect(clippy::disallowed_methods, reason = "the one way in: a test binary's arguments belong to its runner")]
    let text = std::env::var("SPARKGAUGE_RUN").ok()?;
    Some(serde_json::from_str(&text).map_err(|error| error.to_string()))
}

fn list_without_engine(arguments: &Arguments) -> std::process::ExitCode {
    let needs_engine = || Err(Failed::from("needs an engine: start it with `cargo xtask bench --workload NAME`"));
    let tests = workloads::ALL.iter().map(|spec| Trial::test(spec.name, needs_engine).with_ignored_flag(true)).collect();
    libtest_mimic::run(arguments, tests).exit_code()
}

fn measure(arguments: &Arguments, request: &RunRequest) -> ExitCode {
    for folder in outcome::folders(request).values() {
        if folder.join(record::file::FILE_NAME).exists() {
            say(&format!("error: {} holds a run already, and a run is never written over", folder.display()));
            return ExitCode::Engine;
        }
    }
    let made = setup::run(request);
    let made_code = match &made {
        Ok(code) => *code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            setup::exit_code_of(error)
        }
    };
    let Ok(tests) = outcome::tests(request) else { return made_code };
    let conclusion = libtest_mimic::run(arguments, tests);
    match made_code {
        ExitCode::Fine if conclusion.has_failed() => ExitCode::Invalid,
        code => code,
    }
}

/// A line for the person: stdout is the test runner's.
fn say(line: &str) {
    // Nobody may be reading any more; the measurement goes on.
    let _ = writeln!(std::io::stderr(), "{line}");
}
