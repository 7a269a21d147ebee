//! What builds and checks the project. Every other verb is `sparkgauge`'s: it is built, and called with the same words.

mod ci;
mod instructions;
mod product;
mod regenerate;
mod testbed;
mod tidy;

use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// Builds and checks Sparkgauge; and measures with it: `cargo xtask bench` is `sparkgauge bench`, built from this tree.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    allow_external_subcommands = true,
    after_help = "Every other verb is sparkgauge's: bench, compare, gate, accept, report, calibrate, selftest, sim, recipe, pull-request,\n\
                  clean. `cargo xtask help` lists them, `cargo xtask bench --help` explains one."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Everything that CI checks.
    Ci(ci::CiArgs),
    /// Check the source tree itself.
    Tidy,
    /// Write anew what is committed and made from other files, and print which of it changed.
    Regenerate(regenerate::RegenerateArgs),
    /// Prepare real engines with a tiny model in the cache folder.
    Testbed(testbed::TestbedArgs),
    /// Count the instructions that the client's hot path takes for one event, and compare them with what was accepted.
    Instructions,
    /// A verb of sparkgauge.
    #[command(external_subcommand)]
    Product(Vec<OsString>),
}

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Ci(args) => ci::run(&args),
        Verb::Tidy => tidy::run(),
        Verb::Regenerate(args) => regenerate::run(&args),
        Verb::Testbed(args) => testbed::run(&args),
        Verb::Instructions => instructions::run(),
        Verb::Product(words) => product::run(&words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(record::ExitCode::Engine as u8)
        }
    }
}

pub(crate) fn workspace() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A line for the person at the terminal: stderr, since stdout is for data.
pub(crate) fn say(line: &str) {
    // Nobody may be reading any more; the work goes on.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A line of data.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
