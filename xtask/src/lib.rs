//! The command line: thin verbs over the libraries.
//!
//! It measures nothing itself: `bench` starts the measuring program (the `measure` test of `workloads`) and renders the record that it
//! leaves, so that this crate stays quick to build and judging stays apart from measuring.

mod accept;
mod baselines;
mod bench;
mod cache_folder;
mod calibrate;
mod ci;
mod clean;
mod compare;
mod docker;
mod gate;
mod instructions;
mod measure;
mod noise_file;
mod pull_request;
mod recipe;
mod recipe_file;
mod report;
mod run_folder;
mod selftest;
mod sides;
mod sim;
mod testbed;
mod tidy;
mod verdict;
mod whole_file;

use std::{io::Write, process::ExitCode};

#[cfg(feature = "import")]
pub use recipe::check_foreign;

use clap::{Parser, Subcommand};

/// Measures LLM inference engines on a DGX Spark, reproducibly.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Boot an engine, run the workloads, write a record and a report, and judge it against the accepted baseline if there is one.
    Bench(Box<bench::BenchArgs>),
    /// Judge a run against another and write the verdict beside it.
    Compare(compare::CompareArgs),
    /// Judge a run against the accepted baseline: one line and an exit code.
    Gate(gate::GateArgs),
    /// Make a run the baseline of its machine, recipe and suite.
    Accept(accept::AcceptArgs),
    /// Render the report of a record again.
    Report(report::ReportArgs),
    /// How noisy an engine is on this machine, from runs on several days.
    Calibrate(calibrate::CalibrateArgs),
    /// How far off the instrument itself is on this machine, load by load.
    Selftest(selftest::SelftestArgs),
    /// The simulated Spark as a server.
    #[command(subcommand)]
    Sim(sim::SimVerb),
    /// Prepare real engines with a tiny model in the cache folder.
    Testbed(testbed::TestbedArgs),
    /// What engines there are, what boots them, and whether that is right.
    #[command(subcommand)]
    Recipe(recipe::RecipeVerb),
    /// A run's verdict as a comment on a pull request.
    #[command(subcommand)]
    PullRequest(pull_request::PullRequestVerb),
    /// Remove the containers that a killed run left behind.
    Clean,
    /// Everything that CI checks.
    Ci(ci::CiArgs),
    /// Count the instructions that the client's hot path takes for one event, and compare them with what was accepted.
    Instructions(instructions::InstructionsArgs),
    /// Check the source tree itself.
    Tidy(tidy::TidyArgs),
}

/// Runs the verb that the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    let verb = Cli::parse().verb;
    let done = match &verb {
        Verb::Bench(args) => bench::run(args),
        Verb::Compare(args) => compare::run(args),
        Verb::Gate(args) => gate::run(args),
        Verb::Accept(args) => accept::run(args),
        Verb::Report(args) => report::run(args),
        Verb::Calibrate(args) => calibrate::run(args),
        Verb::Selftest(args) => selftest::run(args),
        Verb::Sim(verb) => sim::run(verb),
        Verb::Testbed(args) => testbed::run(args).map(|()| record::ExitCode::Fine),
        Verb::Recipe(verb) => recipe::run(verb),
        Verb::PullRequest(verb) => pull_request::run(verb),
        Verb::Clean => clean::run(),
        Verb::Ci(args) => ci::run(args),
        Verb::Instructions(args) => instructions::run(args),
        Verb::Tidy(args) => tidy::verb(args),
    };
    match done {
        Ok(code) => code.into(),
        Err(error) => {
            say(&format!("error: {error:#}"));
            exit_code_of(&error).into()
        }
    }
}

/// Errors of the environment carry no code of their own; those of usage and what is refused are marked where they arise.
fn exit_code_of(error: &anyhow::Error) -> record::ExitCode {
    match error {
        _ if error.is::<Wrong>() => record::ExitCode::Usage,
        _ if error.is::<Refused>() => record::ExitCode::Invalid,
        _ => record::ExitCode::Engine,
    }
}

/// The command line asks for something that cannot be: exit code 2.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// A run is not what is needed of it, or there is nothing to compare it with: exit code 4.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

/// A line for the person at the terminal: stderr, since stdout is for data.
pub(crate) fn say(line: &str) {
    // Nobody may be reading any more; the work goes on.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A line of data.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;
