//! `ci`: everything that must hold before main moves, as one list of steps. CI runs this and nothing else.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use record::ExitCode;

use crate::{run_folder, say, testbed, tidy};

/// What `ci` takes.
#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    /// Leave out the real engines: no testbed is prepared and its tests stay ignored. Not for CI.
    #[arg(long)]
    without_testbed: bool,
}

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";

/// Runs every step and stops at the first that fails.
pub(crate) fn run(args: &CiArgs) -> anyhow::Result<ExitCode> {
    let mut left_out = Vec::new();
    step("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    step("tidy", || tidy::run().map(drop))?;
    step("lints", || {
        cargo(
            &["clippy", "--workspace", "--all-targets", "--all-features", "--quiet"],
            &[("CLIPPY_CONF_DIR", "."), ("RUSTFLAGS", "-Dwarnings")],
        )
    })?;
    let tests = Tests::choose(args, &mut left_out)?;
    step("tests", || tests.run())?;
    step("documentation", || {
        cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"], &[("RUSTDOCFLAGS", "-Dwarnings")])
    })?;
    step("benches build", || cargo(&["bench", "--workspace", "--no-run", "--quiet"], &[]))?;
    step("dependencies", deny)?;
    left_out.push(
        "advisories of dependencies: their database is fetched from the network, so .github/workflows/ci.yml checks them"
            .to_owned(),
    );
    for what in &left_out {
        say(&format!("left out: {what}"));
    }
    say("all steps passed");
    Ok(ExitCode::Fine)
}

/// Which tests run.
struct Tests {
    with_testbed: bool,
}

impl Tests {
    /// Prepares the testbed where that is possible. In CI it must be: a skipped test is a failed one.
    fn choose(args: &CiArgs, left_out: &mut Vec<String>) -> anyhow::Result<Self> {
        if args.without_testbed {
            left_out.push("tests on real engines, by --without-testbed".to_owned());
            return Ok(Self { with_testbed: false });
        }
        let mut prepared = Ok(());
        step("testbed", || {
            prepared = testbed::run(&testbed::TestbedArgs::default());
            Ok(())
        })?;
        match prepared {
            Ok(()) => Ok(Self { with_testbed: true }),
            Err(error) if in_ci() => Err(error.context("CI must not skip the tests on real engines")),
            Err(error) => {
                left_out.push(format!("tests on real engines, since the testbed could not be prepared: {error:#}"));
                Ok(Self { with_testbed: false })
            }
        }
    }

    /// The `measure` test is the measuring program: without an engine its nine show as ignored, so it is run apart.
    fn run(&self) -> anyhow::Result<()> {
        // Built with optimisation beforehand, so that none of the tests that start it waits for a compiler.
        crate::measure::build(false)?;
        let env = [("INSTA_UPDATE", "no")];
        cargo(&["test", "--package", "workloads", "--test", "measure", "--quiet"], &env)?;
        // The instrument's accuracy is that of the optimised program.
        cargo(&["test", "--release", "--package", "harness", "--test", "accuracy", "--quiet"], &env)?;
        let all = ["test", "--workspace", "--all-features", "--lib", "--bins", "--test", "it"];
        if self.with_testbed { cargo(&[&all[..], &["--", "--include-ignored"]].concat(), &env) } else { cargo(&all, &env) }
    }
}

/// GitHub, and most others, set it.
fn in_ci() -> bool {
    std::env::var_os("CI").is_some()
}

fn deny() -> anyhow::Result<()> {
    let installed = Command::new("cargo-deny").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--quiet"], &[])?;
    }
    cargo(&["deny", "--all-features", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"], &[])
}

fn cargo(arguments: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .envs(env.iter().copied())
        .current_dir(run_folder::workspace())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed: {status}", arguments.join(" "));
    }
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    say(&format!("== {name}"));
    #[expect(clippy::disallowed_methods, reason = "tells a person how long a step took")]
    let started = Instant::now();
    work().with_context(|| format!("step `{name}`"))?;
    say(&format!("== {name}: passed in {} s", rounded_s(started.elapsed())));
    Ok(())
}

fn rounded_s(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_millis() >= 500)
}
