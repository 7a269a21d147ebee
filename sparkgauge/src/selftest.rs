//! `selftest`: how far off the instrument itself is on this machine, and what `bench` knows of that.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use clap::Args;
use fixtures::selftest::{processes::Program, program};
use record::{ClientCore, ErrorBudget, ExitCode};

use crate::{home, print, run_folder, say, whole_file};

#[derive(Debug, Args)]
pub(crate) struct SelftestArgs {
    /// Measure four loads only, about 15 seconds instead of several minutes
    #[arg(long)]
    quick: bool,
    /// Slow the client down by NS nanoseconds per reading of its clock, as a test of this test
    ///
    /// The result is not kept for `bench`.
    #[arg(long, value_name = "NS", default_value_t = 0)]
    slow_ns_per_read: u64,
    /// Processor reserved for the client, as in `bench`; the server gets the others
    #[arg(long, value_name = "auto|shared|NUMBER", default_value = "auto")]
    client_core: ClientCore,
    /// Write the table to this file too, and the figures as JSON beside it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Wait for a run on this machine to end, instead of refusing
    #[arg(long)]
    wait: bool,
}

/// Measures, prints, and keeps the budget. However large the errors are, they are what was to be found out: it ends well.
pub(crate) fn run(args: &SelftestArgs) -> anyhow::Result<ExitCode> {
    let budget = measure_budget(args.quick, args.slow_ns_per_read, args.client_core, args.wait)?;
    let page = reports::render_budget(&budget);
    print(&page);
    if let Some(out) = &args.out {
        whole_file::write(out, &page)?;
        let json = out.with_extension("json");
        whole_file::write(&json, &to_json(&budget)?)?;
        say(&format!("written: {} and {}", out.display(), json.display()));
    }
    if budget.slow_ns_per_read == 0 {
        store(&budget, args.client_core)?;
    }
    Ok(ExitCode::Success)
}

/// The budget that a run on this machine carries: the stored one, or a quick one that is made for it.
pub(crate) fn budget_for_run(client_core: ClientCore, wait: bool) -> anyhow::Result<ErrorBudget> {
    let commit = run_folder::commit();
    if let Some(budget) = stored_path(commit.as_deref(), client_core).and_then(|path| stored(&path)) {
        return Ok(budget);
    }
    say(
        "the instrument's own error on this machine is not known: measuring it first, about a quarter of a minute (--no-selftest leaves it out)",
    );
    let budget = measure_budget(true, 0, client_core, wait)?;
    store(&budget, client_core)?;
    Ok(budget)
}

/// Measures in a process of its own: it is kept on the client's processor, as the measuring part of a run is.
fn measure_budget(quick: bool, slow_ns_per_read: u64, client_core: ClientCore, wait: bool) -> anyhow::Result<ErrorBudget> {
    let mut command = Command::new(std::env::current_exe().context("the own program is not found")?);
    command.args([INSTRUMENT, "run", "--slow-ns-per-read", &slow_ns_per_read.to_string()]);
    command.args(["--client-core", &client_core.to_string()]);
    command.args(quick.then_some("--quick")).args(wait.then_some("--wait"));
    if let Some(commit) = run_folder::commit() {
        command.args(["--commit", &commit]);
    }
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("the selftest does not start")?;
    if !done.status.success() {
        bail!("the selftest failed ({}); what it said is above", done.status);
    }
    serde_json::from_slice(&done.stdout).context("the selftest printed no error budget")
}

/// The verb of the processes that measure.
pub(crate) const INSTRUMENT: &str = "instrument";

/// Runs one of them.
pub(crate) fn run_process(verb: program::Verb) -> anyhow::Result<ExitCode> {
    program::run(verb, Program::running(&[INSTRUMENT])?)?;
    Ok(ExitCode::Success)
}

fn read(path: &Path) -> anyhow::Result<ErrorBudget> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no error budget", path.display()))
}

fn to_json(budget: &ErrorBudget) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(budget)? + "\n")
}

/// Keeps a budget for the runs to come. One of a tree with changes is not kept: the next tree with changes may be another.
fn store(budget: &ErrorBudget, client_core: ClientCore) -> anyhow::Result<()> {
    let Some(path) = stored_path(budget.harness_commit.as_deref(), client_core) else { return Ok(()) };
    if stored(&path).is_some_and(|before| before.points.len() > budget.points.len()) {
        say(&format!("not kept: {} has more loads", path.display()));
        return Ok(());
    }
    let folder = path.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    whole_file::write(&path, &to_json(budget)?)?;
    say(&format!("kept for the runs to come: {}", path.display()));
    Ok(())
}

/// The stored budget; one that cannot be read is measured again.
fn stored(path: &Path) -> Option<ErrorBudget> {
    if !path.is_file() {
        return None;
    }
    read(path).inspect_err(|error| say(&format!("not used: {error:#}"))).ok()
}

/// Where the budget of this machine, kernel, harness, processors that may be used, and choice among them lies; none for a harness that has no commit of its own.
fn stored_path(commit: Option<&str>, client_core: ClientCore) -> Option<PathBuf> {
    let uname = rustix::system::uname();
    let machine = [uname.nodename(), uname.release()].map(|word| run_folder::safe(&word.to_string_lossy()));
    let allowed = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let name = file_name(commit, &machine, &format!("core-{client_core}-of-{allowed}"))?;
    Some(home::cache()?.join("instrument").join(name))
}

fn file_name(commit: Option<&str>, machine: &[String; 2], core: &str) -> Option<String> {
    let commit = commit.filter(|commit| !commit.ends_with("-dirty"))?;
    let [node, kernel] = machine;
    Some(format!("{}-{commit}-{node}-{kernel}-{core}.json", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_budget_is_per_machine_and_commit() {
        let machine = ["spark".to_owned(), "6-17-0".to_owned()];
        let name = |commit| file_name(commit, &machine, "core-19-of-20");
        let expected = format!("{}-0a1b2c-spark-6-17-0-core-19-of-20.json", env!("CARGO_PKG_VERSION"));
        assert_eq!(name(Some("0a1b2c")), Some(expected));
        assert_eq!(name(Some("0a1b2c-dirty")), None);
        assert_eq!(name(None), None);
    }

    #[test]
    fn unreadable_budget_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("budget.json");
        assert_eq!(stored(&path), None);
        fs::write(&path, "{\"harness_version\": 1}").unwrap();
        assert_eq!(stored(&path), None);
    }
}
