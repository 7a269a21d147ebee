//! `ci`: everything that must hold before main moves, as one list of steps. CI runs this and nothing else.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    instructions, regenerate, say,
    testbed::{self, Images},
    tidy, workspace,
};

/// What `ci` takes.
#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    /// Leave out the real engines and their containers: no testbed is prepared and its tests stay ignored. Not for CI.
    #[arg(long)]
    without_testbed: bool,
}

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";

/// Runs every step and stops at the first that fails.
pub(crate) fn run(args: &CiArgs) -> anyhow::Result<()> {
    let mut left_out = Vec::new();
    step("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    step("tidy", tidy::run)?;
    step("lints", || {
        cargo(
            &["clippy", "--workspace", "--all-targets", "--all-features", "--quiet"],
            &[("CLIPPY_CONF_DIR", "."), ("RUSTFLAGS", "-Dwarnings")],
        )
    })?;
    let tests = TestScope::choose(args, &mut left_out)?;
    step("tests", || tests.run())?;
    step("generated", regenerate::check)?;
    step("documentation", || {
        cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"], &[("RUSTDOCFLAGS", "-Dwarnings")])
    })?;
    // Once each and untimed: a bench that only builds may not run.
    step("benches", || cargo(&["test", "--workspace", "--all-features", "--bench", "*", "--quiet"], &[]))?;
    step("instructions", || {
        left_out.extend(instructions::check(in_ci())?);
        Ok(())
    })?;
    step("dependencies", deny)?;
    left_out.push(
        "advisories of dependencies: their database is fetched from the network, so .github/workflows/ci.yml checks them"
            .to_owned(),
    );
    for what in &left_out {
        say(&format!("left out: {what}"));
    }
    say("all steps passed");
    Ok(())
}

/// Which of the tests run that need a real engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TestScope {
    Plain,
    /// The ones on the testbed's engines.
    WithTestbed,
    /// The ones on the testbed's engines and the ones in containers.
    WithContainers,
}

impl TestScope {
    /// Prepares the testbed where that is possible. In CI it must be: a skipped test is a failed one. Only a machine without Docker may
    /// leave out the containers; one that has it must be able to make the images.
    fn choose(args: &CiArgs, left_out: &mut Vec<String>) -> anyhow::Result<Self> {
        if args.without_testbed {
            left_out.push("tests on real engines and in containers, by --without-testbed".to_owned());
            return Ok(Self::Plain);
        }
        let mut prepared = Ok(Images::Ready);
        step("testbed", || {
            prepared = testbed::make_all_ready();
            Ok(())
        })?;
        match prepared {
            Ok(Images::Ready) => Ok(Self::WithContainers),
            Ok(Images::LeftOut(why)) => {
                left_out.push(format!("tests in containers: {why}"));
                Ok(Self::WithTestbed)
            }
            Err(error) if in_ci() => Err(error.context("CI must not skip the tests on real engines")),
            Err(error) => {
                left_out
                    .push(format!("tests on real engines and in containers, since the testbed could not be prepared: {error:#}"));
                Ok(Self::Plain)
            }
        }
    }

    /// Without an engine the nine workloads show as ignored, so they are run apart.
    fn run(self) -> anyhow::Result<()> {
        let env = [("INSTA_UPDATE", "no")];
        cargo(&["test", "--package", "bench", "--test", "measure", "--quiet"], &env)?;
        // What a build without all parts says, which one with all features cannot show.
        cargo(&["test", "--package", "bench", "--test", "it", "--quiet", "--", "requests"], &env)?;
        // Apart from the others, which would take the processors that it measures with.
        for package in ["harness", "fixtures"] {
            cargo(&["test", "--package", package, "--test", "accuracy", "--quiet", "--", "--ignored"], &env)?;
        }
        for arguments in self.commands() {
            cargo(&arguments, &env)?;
        }
        Ok(())
    }

    /// The arguments for cargo. Tests that need Docker are in modules named `container` of the `it` tests, and what is tested beside
    /// the code needs none: that is why the two are run apart where Docker is missing.
    fn commands(self) -> Vec<Vec<&'static str>> {
        let all = ["test", "--workspace", "--all-features"];
        let of = |rest: &[&'static str]| [&all[..], rest].concat();
        match self {
            Self::Plain => vec![of(&["--lib", "--bins", "--test", "it"])],
            Self::WithTestbed => vec![
                of(&["--lib", "--bins", "--", "--include-ignored"]),
                of(&["--test", "it", "--", "--include-ignored", "--skip", "container::"]),
            ],
            Self::WithContainers => vec![of(&["--lib", "--bins", "--test", "it", "--", "--include-ignored"])],
        }
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
        .current_dir(workspace())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_commands_skip_only_missing_engines() {
        let text = |tests: TestScope| tests.commands().iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(text(TestScope::Plain), @"test --workspace --all-features --lib --bins --test it");
        insta::assert_snapshot!(text(TestScope::WithTestbed), @"
        test --workspace --all-features --lib --bins -- --include-ignored
        test --workspace --all-features --test it -- --include-ignored --skip container::
        ");
        insta::assert_snapshot!(text(TestScope::WithContainers), @"test --workspace --all-features --lib --bins --test it -- --include-ignored");
    }
}
