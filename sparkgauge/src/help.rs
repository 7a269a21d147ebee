//! Help pages: verbs grouped by purpose, flags by heading, examples that are parsed by a test, and the glossary.
//!
//! Names, abouts and flags stand with the verbs. Here is added what no verb can know: its group on the first page, how the command line
//! was called, and the pointer to the glossary.

mod examples;

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Args, Command, builder::StyledStr, error::ErrorKind};
use record::ExitCode;

use crate::{UsageError, print};
use examples::Example;

/// Columns that a page may have; where the terminal is narrower, text is wrapped to it.
const COLUMNS_MAX: usize = 100;

/// Verbs of one purpose on the first page.
struct Group {
    title: &'static str,
    /// Paths of verbs: `bench`, `sim plan`.
    verbs: &'static [&'static str],
}

const GROUPS: [Group; 4] = [
    Group { title: "Measure", verbs: &["bench", "report", "selftest"] },
    Group { title: "Compare", verbs: &["compare", "gate", "accept", "calibrate"] },
    Group { title: "Explore without hardware", verbs: &["sim plan", "sim predict", "sim serve", "sim fit", "sim check"] },
    Group { title: "Maintain", verbs: &["recipe", "clean", "pull-request"] },
];

/// A verb or a page to explain.
#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// A verb, e.g. `bench` or `sim plan`, or `glossary`; without one, the list of verbs
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// Prints the help page of a verb, which its `--help` prints too, or the glossary.
pub(crate) fn run(command: Command, args: &HelpArgs) -> anyhow::Result<ExitCode> {
    if args.topic == ["glossary"] {
        print(reports::glossary::markdown().trim_end());
        return Ok(ExitCode::Success);
    }
    match page(command, &args.topic, "--help") {
        Some(page) => {
            // Whoever reads the page may stop before its end.
            let _ = page.print();
            Ok(ExitCode::Success)
        }
        None => Err(UsageError(format!("no help on `{}`: `sparkgauge help` lists the verbs", args.topic.join(" "))).into()),
    }
}

/// What clap prints for a verb and `-h` or `--help`; none where there is no such verb.
fn page(command: Command, verb: &[String], flag: &str) -> Option<clap::Error> {
    let program = command.get_name().to_owned();
    let words = [program].into_iter().chain(verb.iter().cloned()).chain([flag.to_owned()]);
    command.try_get_matches_from(words).err().filter(|error| error.kind() == ErrorKind::DisplayHelp)
}

/// The command line with everything that its help pages show.
///
/// `caller` is how this person calls the program: `cargo xtask` in a clone, `sparkgauge` where it is installed.
pub(crate) fn with_pages(command: Command, caller: &str) -> Command {
    let template = first_page(&command);
    with_examples(command, caller, "").help_template(template).max_term_width(COLUMNS_MAX)
}

/// The template of the first page: clap has no headings for subcommands.
fn first_page(command: &Command) -> StyledStr {
    let (header, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let width = GROUPS.iter().flat_map(|group| group.verbs).map(|path| path.len()).max().unwrap_or(0);
    let mut page = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    // A `String` takes whatever is written.
    for Group { title, verbs } in &GROUPS {
        let _ = writeln!(page, "\n{header}{title}:{header:#}");
        for path in *verbs {
            let about = find(command, path).and_then(Command::get_about).map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(page, "  {literal}{path:width$}{literal:#}  {about}");
        }
    }
    let _ = write!(page, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    StyledStr::from(page)
}

/// The verb of a path like `sim plan`.
fn find<'c>(command: &'c Command, path: &str) -> Option<&'c Command> {
    path.split_whitespace().try_fold(command, |verb, name| verb.find_subcommand(name))
}

/// Ends the page of a verb, and of all verbs below it, with its examples and the way to the glossary.
fn with_examples(command: Command, caller: &str, path: &str) -> Command {
    let end = page_end(&command, caller, path);
    let names: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = names.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}").trim_start().to_owned();
        command.mut_subcommand(name, |verb| with_examples(verb, caller, &path))
    });
    with_help_flag(command).after_help(end)
}

/// Where flags have headings, `--help` has one too, and comes last: without one it would stand before them all.
fn with_help_flag(command: Command) -> Command {
    if command.get_arguments().all(|flag| flag.get_help_heading().is_none()) {
        return command;
    }
    let flag = Arg::new("help").short('h').long("help").action(ArgAction::Help).help_heading("Help");
    command.disable_help_flag(true).arg(flag.help("Print help: -h a summary, --help all of it"))
}

fn page_end(command: &Command, caller: &str, path: &str) -> StyledStr {
    let (header, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let mut end = String::new();
    // A `String` takes whatever is written.
    let examples = examples::of(path);
    if !examples.is_empty() {
        let _ = writeln!(end, "{header}Examples:{header:#}");
    }
    for Example { purpose, arguments } in examples {
        let _ = writeln!(end, "  # {purpose}\n  {literal}{caller} {arguments}{literal:#}");
    }
    if path.is_empty() {
        let _ = write!(end, "\nHelp on a verb: {caller} help VERB");
    }
    let _ = write!(end, "\nTerms: {caller} help glossary");
    StyledStr::from(end)
}

#[cfg(test)]
mod tests;
