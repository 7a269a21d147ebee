//! The command line for people: thin verbs over the libraries.
//!
//! It measures nothing itself: `bench` starts the measuring part as a process of its own and renders the record that it leaves, so that
//! judging stays apart from measuring, and a measurement ends in order whatever becomes of the terminal.

mod accept;
mod baselines;
mod bench;
mod calibrate;
mod clean;
mod compare;
mod docker;
mod gate;
mod help;
mod home;
#[cfg(feature = "import")]
mod import;
mod measuring_program;
mod noise_file;
mod pull_request;
mod recipe;
mod recipe_store;
mod recipe_text;
mod report;
mod run_folder;
mod selftest;
mod sides;
mod sim;
mod verdict;
mod whole_file;

use std::{io::Write, path::PathBuf, process::ExitCode};

use ::bench::{
    BenchError, UsageError,
    terminal::{self, say},
};
use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

#[cfg(feature = "import")]
pub use import::check_foreign;

/// Measure LLM inference engines on a DGX Spark, reproducibly
#[derive(Debug, Parser)]
#[command(
    name = terminal::PROGRAM,
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    /// The clone in which `cargo xtask` was called: its folders are used, and commands are named as they are typed there.
    #[arg(long, value_name = "DIR", hide = true, require_equals = true)]
    clone: Option<PathBuf>,
    /// The program to measure with, instead of this one: in a clone, the one in which the workloads are Rust tests.
    #[arg(long, value_name = "FILE", hide = true, require_equals = true)]
    measure_with: Option<PathBuf>,
    /// Start nothing: exit code 69 says that this build lacks a part that the rest of the command line needs.
    #[arg(long, hide = true)]
    needs_only: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Measure an engine: run the workloads, write a record and a report
    ///
    /// The engine is booted from a recipe (--engine, --recipe) or is already running (--attach). Without any of these the simulated Spark is
    /// measured, which needs no hardware; every page says so. If there is an accepted baseline for the same machine, recipe and suite, the
    /// run is judged against it.
    ///
    /// Exit codes: 0 fine; 2 wrong arguments or recipe; 3 the engine or the environment failed; 4 the measurement is invalid or its
    /// comparison is refused; 5 regressed; 6 inconclusive, with --inconclusive fail; 130 interrupted.
    Bench(Box<bench::BenchArgs>),
    /// Judge a run against another run and write the verdict
    ///
    /// Writes verdict.md and verdict.json beside the record of the run that is judged.
    ///
    /// Exit codes: 0 no regression; 4 refused or insufficient; 5 regressed; 6 inconclusive, with --inconclusive fail.
    Compare(compare::CompareArgs),
    /// Judge a run against its baseline: one line and an exit code
    ///
    /// For scripts; no file is written. Exit codes: 0 no regression; 4 refused, insufficient or no baseline; 5 regressed; 6 inconclusive,
    /// with --inconclusive fail.
    Gate(gate::GateArgs),
    /// Make a run the baseline that later runs are judged against
    ///
    /// A baseline belongs to one machine, recipe and suite. A run with another recipe or on another machine is not compared with it.
    Accept(accept::AcceptArgs),
    /// Write the Markdown report of a run again
    Report(report::ReportArgs),
    /// Estimate how much an engine varies between trials, boots and days
    ///
    /// Runs on several days (occasions) are needed, at least four for a useful estimate. Comparisons between days use the result instead of
    /// a cautious assumption.
    Calibrate(calibrate::CalibrateArgs),
    /// Measure the timing error of the load generator on this machine
    ///
    /// The load generator is held against a server that knows when it wrote each token. The result is the error of time to first token (TTFT),
    /// inter-token latency (ITL), time per output token (TPOT), output tokens per second and send lag, for each load.
    Selftest(selftest::SelftestArgs),
    /// Simulate a Spark: forecast, serve, and fit to measured runs
    #[command(subcommand)]
    Sim(sim::SimVerb),
    /// List, check, pin, create and import recipes
    ///
    /// A recipe (TOML) says how an engine is booted: its image or command, its model and its limits.
    #[command(subcommand)]
    Recipe(recipe::RecipeVerb),
    /// Measure a pull request in CI and comment the verdict on it
    #[command(subcommand)]
    PullRequest(pull_request::PullRequestVerb),
    /// Remove the containers that killed runs left behind
    ///
    /// Only containers whose process is gone are removed.
    Clean,
    /// Print the help of a verb, or the glossary
    #[command(hide = true)]
    Help(help::HelpArgs),
    /// The processes of the selftest.
    #[command(subcommand, hide = true)]
    Instrument(fixtures::selftest::program::Verb),
    /// Make the measurement that a file asks for: what `bench` starts.
    #[command(hide = true)]
    Measure(measuring_program::MeasureArgs),
}

/// Whether words are a command line of this program, as far as can be told without running it: what the documentation shows is held to it.
///
/// # Errors
/// What is wrong with them, as a person would be told.
pub fn check_command_line(words: &[String]) -> Result<(), String> {
    let words = [terminal::PROGRAM.to_owned()].into_iter().chain(words.iter().cloned());
    match Cli::try_parse_from(words) {
        // Help and version are no errors.
        Err(error) if error.exit_code() != 0 => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// Runs the verb that the command line asks for.
#[must_use]
pub fn main() -> ExitCode {
    terminal::set_caller(&run_folder::command_line());
    let parsed = command_line().try_get_matches();
    let Cli { clone, measure_with, needs_only, verb } = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        // Whoever only asks what is needed calls again, and is told then.
        Err(_) if std::env::args().any(|word| word == "--needs-only") => return ExitCode::SUCCESS,
        Err(error) => error.exit(),
    };
    home::set(clone);
    if needs_only {
        return if has_all_parts(&verb) { ExitCode::SUCCESS } else { record::ExitCode::NotBuiltIn.into() };
    }
    measuring_program::set(measure_with);
    match run(verb) {
        Ok(code) => code.into(),
        Err(error) => {
            say(&format!("error: {error:#}"));
            exit_code_of(&error).into()
        }
    }
}

/// All verbs, with their help pages.
fn command_line() -> Command {
    help::with_pages(Cli::command().bin_name(terminal::caller()), terminal::caller())
}

/// Whether this build can do what is asked for. What is wrong with that otherwise is said when it is done.
fn has_all_parts(verb: &Verb) -> bool {
    match verb {
        Verb::Bench(args) | Verb::PullRequest(pull_request::PullRequestVerb::Bench(args)) => args.has_all_parts(),
        Verb::Recipe(recipe::RecipeVerb::Import(_)) => cfg!(feature = "import"),
        _ => true,
    }
}

fn run(verb: Verb) -> anyhow::Result<record::ExitCode> {
    match verb {
        Verb::Bench(args) => bench::run(&args),
        Verb::Compare(args) => compare::run(&args),
        Verb::Gate(args) => gate::run(&args),
        Verb::Accept(args) => accept::run(&args),
        Verb::Report(args) => report::run(&args),
        Verb::Calibrate(args) => calibrate::run(&args),
        Verb::Selftest(args) => selftest::run(&args),
        Verb::Sim(verb) => sim::run(&verb),
        Verb::Recipe(verb) => recipe::run(&verb),
        Verb::PullRequest(verb) => pull_request::run(&verb),
        Verb::Clean => clean::run(),
        Verb::Help(args) => help::run(command_line(), &args),
        Verb::Measure(args) => Ok(measuring_program::measure(&args)),
        Verb::Instrument(verb) => selftest::run_process(verb),
    }
}

/// The one mapping from errors to exit codes. Those of the environment carry none of their own.
fn exit_code_of(error: &anyhow::Error) -> record::ExitCode {
    if error.is::<UsageError>() {
        return record::ExitCode::Usage;
    }
    if error.is::<RefusedError>() {
        return record::ExitCode::Invalid;
    }
    error.downcast_ref::<BenchError>().map_or(record::ExitCode::Engine, BenchError::exit_code)
}

/// A run is not what is needed of it, or there is nothing to compare it with: exit code 4.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RefusedError(pub(crate) String);

/// A line of data.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod example;
#[cfg(test)]
mod tests;
