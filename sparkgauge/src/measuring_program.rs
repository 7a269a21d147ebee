//! The measuring part: started as a process of its own, told of signals.

use std::{
    io::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use ::bench::{RunOutcome, WorkloadOutcome, terminal::say};
use anyhow::Context;
use clap::Args;
use record::{ExitCode, RunRequest};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use crate::print;

/// The program to measure with, if it is not this one.
static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Notes the program to measure with. The first call counts.
pub(crate) fn set(program: Option<PathBuf>) {
    PROGRAM.get_or_init(|| program);
}

#[derive(Debug, Args)]
pub(crate) struct MeasureArgs {
    /// The request, as `bench` wrote it.
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
}

/// Makes the measurement that a file asks for, and says of each workload whether it can be trusted.
pub(crate) fn measure(args: &MeasureArgs) -> ExitCode {
    let outcome = match ::bench::read_request(&args.request) {
        Ok(request) => ::bench::measure(&request),
        Err(error) => RunOutcome { ended: Err(error), workloads: Vec::new() },
    };
    if let Err(error) = &outcome.ended {
        say(&format!("error: {error}"));
    }
    for line in outcome.workloads.iter().flat_map(lines) {
        print(&line);
    }
    outcome.exit_code()
}

fn lines(workload: &WorkloadOutcome) -> Vec<String> {
    let name = workload.name();
    match (workload.is_measured, workload.invalid.len()) {
        (false, _) => vec![format!("{name}: not measured")],
        (true, 0) => vec![format!("{name}: valid")],
        (true, _) => workload.invalid.iter().map(|why| format!("{name}: invalid: {why}")).collect(),
    }
}

/// Runs it to its end. SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on, so that it can stop the engine and finish its record.
pub(crate) fn run(request: &RunRequest) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let file = request_file(request)?;
    let mut command = if let Some(program) = PROGRAM.get().and_then(Option::as_ref) {
        Command::new(program)
    } else {
        let mut command = Command::new(std::env::current_exe().context("the own program is not found")?);
        command.arg("measure");
        command
    };
    // Standard input is held open and never written to: it ends when this program does, also by a kill, and the measurement then stops in
    // order.
    let spawned = command.arg("--request").arg(file.path()).stdin(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let pid = pid_of(&child);
    let listening = signals.handle();
    let _held_open = child.stdin.take();
    std::thread::spawn(move || {
        for _ in signals.forever() {
            // The terminal has told the child too; being told twice changes nothing. It may also be gone.
            let _ = pid.map(|pid| kill_process(pid, Signal::INT));
        }
    });
    let status = child.wait()?;
    // Its id may be another's from now on.
    listening.close();
    let Some(code) = status.code() else {
        say(&format!("error: the measuring program was killed: {status}"));
        return Ok(ExitCode::Engine);
    };
    Ok(from_code(code))
}

/// The request in a file that nobody else may read, and that goes with the value.
fn request_file(request: &RunRequest) -> anyhow::Result<tempfile::NamedTempFile> {
    let why = "cannot write the request for the measuring program";
    let mut file = tempfile::Builder::new().prefix("sparkgauge-request-").suffix(".json").tempfile().context(why)?;
    let text = serde_json::to_vec(request)?;
    file.write_all(&text).and_then(|()| file.flush()).context(why)?;
    Ok(file)
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn from_code(code: i32) -> ExitCode {
    let known = [ExitCode::Success, ExitCode::Usage, ExitCode::Engine, ExitCode::Invalid, ExitCode::Interrupted];
    // A panic of the program ends with 101: a bug of ours.
    known.into_iter().find(|&known| known as i32 == code).unwrap_or(ExitCode::Bug)
}
