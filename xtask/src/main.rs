//! What builds and checks the project. Every other verb is `sparkgauge`'s: it is built, and called with the same words.

mod ci;
mod instructions;
mod product;
mod regenerate;
mod testbed;
mod tidy;

use std::{
    env,
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

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
    max_term_width = 100,
    after_help = "Every other verb is sparkgauge's: `cargo xtask --help` lists them, `cargo xtask bench --help` explains one."
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check everything that CI checks.
    Ci(ci::CiArgs),
    /// Check the source tree itself.
    Tidy,
    /// Write all generated files that are committed, and print which changed.
    Regenerate(regenerate::RegenerateArgs),
    /// Prepare real engines with a tiny model in the cache folder, as tests need them.
    Testbed(testbed::TestbedArgs),
    /// Count the instructions of the client's hot path and compare them with accepted ones.
    Instructions,
    /// A verb of sparkgauge.
    #[command(external_subcommand)]
    Product(Vec<OsString>),
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [flag @ ("-h" | "--help")] => help(flag),
        ["help"] => help("--help"),
        _ => run(Cli::parse().verb),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(record::ExitCode::Engine as u8)
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Ci(args) => ci::run(&args),
        Verb::Tidy => tidy::run(),
        Verb::Regenerate(args) => regenerate::run(&args),
        Verb::Testbed(args) => testbed::run(&args),
        Verb::Instructions => instructions::run(),
        Verb::Product(words) => product::run(&words),
    }
}

/// The first help page: sparkgauge's, and the verbs that only a clone has. These are listed even where sparkgauge cannot be built.
fn help(flag: &str) -> anyhow::Result<()> {
    let shown = product::help(flag);
    print(&format!("\n{}", clone_verbs()));
    shown
}

/// The verbs that only a clone has, a line each.
fn clone_verbs() -> String {
    let command = Cli::command();
    let lines = command.get_subcommands().map(|verb| {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        format!("  {:12}  {about}", verb.get_name())
    });
    std::iter::once("Develop Sparkgauge itself:".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_of_a_clone_is_listed_with_its_about() {
        let list = clone_verbs();
        let lines: Vec<&str> = list.lines().skip(1).collect();
        assert_eq!(lines.len(), 5, "{list}");
        assert!(lines.contains(&"  tidy          Check the source tree itself"), "{list}");
        assert!(lines.iter().all(|line| line.len() <= 100), "{list}");
    }
}
