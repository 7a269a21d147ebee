//! The measuring program: built by cargo, started, told of signals.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};
use record::{ExitCode, RunRequest};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};

use crate::{run_folder, say};

/// One line of cargo's JSON messages; only artifacts matter.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Builds the measuring program with optimisation and returns its path. What speaks to Docker takes minutes to build, so only a run that
/// boots a container builds it.
pub(crate) fn build(containers: bool) -> anyhow::Result<PathBuf> {
    say("building the measuring program");
    let mut arguments = vec!["test", "--release", "--package", "workloads", "--test", "measure", "--no-run"];
    arguments.extend(containers.then_some("--features=container"));
    built("measure", "test", &arguments)
}

/// Has cargo build a program and returns the path of the one with this name and kind.
pub(crate) fn built(name: &str, kind: &str, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(run_folder::workspace())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the {kind} `{name}` does not build; cargo's messages are above");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let is_it = |target: &Target| target.name == name && target.kind.iter().any(|one| one == kind);
    messages
        .filter(|message| message.target.as_ref().is_some_and(is_it))
        .find_map(|message| message.executable)
        .with_context(|| format!("cargo built no program for the {kind} `{name}`"))
}

/// Runs it to its end. SIGINT, SIGTERM, SIGHUP and SIGQUIT are passed on, so that it can stop the engine and finish its record.
pub(crate) fn run(program: &std::path::Path, request: &RunRequest) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let mut child = Command::new(program)
        .env("SPARKGAUGE_RUN", serde_json::to_string(request)?)
        // Held open and never written to: it ends when this program does, also by a kill, and the measuring program then stops in order.
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
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

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn from_code(code: i32) -> ExitCode {
    let known = [ExitCode::Fine, ExitCode::Usage, ExitCode::Engine, ExitCode::Invalid, ExitCode::Interrupted];
    // A panic of the program ends with 101: a bug of ours.
    known.into_iter().find(|&known| known as i32 == code).unwrap_or(ExitCode::Bug)
}
