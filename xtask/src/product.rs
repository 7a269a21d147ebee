//! The product's verbs in a clone: `sparkgauge` and the nine workloads as Rust tests are built, and called with the same words.
//!
//! They are built without what speaks to Docker and what reads YAML, since these take longer than all the rest. Whether the words need them is
//! asked of the program itself, which answers with exit code 69 and starts nothing; it is then built whole.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::{say, workspace};

/// How much of the product is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Without the features that take minutes to build.
    Lean,
    /// With Docker, the importers and the tokenizer.
    Whole,
}

/// The programs that were built.
#[derive(Debug)]
pub(crate) struct Programs {
    /// `sparkgauge`.
    pub(crate) sparkgauge: PathBuf,
    /// The nine workloads as Rust tests.
    pub(crate) measure: PathBuf,
}

/// Builds what the words need, and becomes it: signals and exit code are its own.
pub(crate) fn run(words: &[OsString]) -> anyhow::Result<()> {
    let lean = build(Extent::Lean)?;
    let asked = lean.command().arg("--needs-only").args(words).stdin(Stdio::null()).status();
    let lacks_a_part = asked.context("cannot run sparkgauge")?.code() == Some(i32::from(record::ExitCode::NotBuiltIn as u8));
    let programs = if lacks_a_part {
        say("building the parts that this needs, which takes minutes the first time");
        build(Extent::Whole)?
    } else {
        lean
    };
    Err(programs.command().args(words).exec()).context("cannot run sparkgauge")
}

/// Prints sparkgauge's first help page: most verbs are its own.
pub(crate) fn help(flag: &str) -> anyhow::Result<()> {
    let status = build(Extent::Lean)?.command().arg(flag).stdin(Stdio::null()).status().context("cannot run sparkgauge")?;
    if !status.success() {
        bail!("`sparkgauge {flag}` failed: {status}");
    }
    Ok(())
}

impl Programs {
    /// The program, told where it is called from.
    pub(crate) fn command(&self) -> Command {
        let flag = |name: &str, path: &Path| {
            let mut flag = OsString::from(format!("--{name}="));
            flag.push(path);
            flag
        };
        let mut command = Command::new(&self.sparkgauge);
        command.arg(flag("clone", &workspace())).arg(flag("measure-with", &self.measure));
        command
    }
}

/// Builds both programs. What they share is built once, since all dependencies have the same features in both; with one call of cargo they would
/// have those of sparkgauge's tests too, of which one changes the last digits of a logarithm.
pub(crate) fn build(extent: Extent) -> anyhow::Result<Programs> {
    let (product, tests): (&[&str], &[&str]) = match extent {
        Extent::Lean => (&["--no-default-features"], &[]),
        Extent::Whole => (&[], &["--features", "container,tokenizer"]),
    };
    let built = |name: &str, arguments: &[&str], features: &[&str]| {
        let mut built = executables(&[&["build"], arguments, features].concat())?;
        built.remove(name).with_context(|| format!("cargo built no program `{name}`"))
    };
    Ok(Programs {
        sparkgauge: built("sparkgauge", &["--package", "sparkgauge", "--bin", "sparkgauge"], product)?,
        measure: built("measure", &["--package", "bench", "--test", "measure"], tests)?,
    })
}

/// One line of cargo's JSON messages; only artifacts matter.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Has cargo build programs and returns their paths, by the names of their targets.
pub(crate) fn executables(arguments: &[&str]) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`cargo {}` failed; cargo's messages are above", arguments.join(" "));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    Ok(messages.filter_map(|message| Some((message.target?.name, message.executable?))).collect())
}
