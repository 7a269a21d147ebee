use clap::CommandFactory;

use super::*;
use crate::{Cli, example};

/// How people call the program: installed, and in a clone, where lines are longer.
const CALLERS: [&str; 2] = ["sparkgauge", "cargo xtask"];

fn command_line(caller: &str) -> Command {
    with_pages(Cli::command().bin_name(caller.to_owned()), caller).term_width(COLUMNS_MAX)
}

/// The paths of all verbs that are not hidden; the first is empty.
fn paths(verb: &Command, path: &str) -> Vec<String> {
    let visible = verb.get_subcommands().filter(|verb| !verb.is_hide_set());
    let below = visible.flat_map(|verb| paths(verb, format!("{path} {}", verb.get_name()).trim_start()));
    std::iter::once(path.to_owned()).chain(below).collect()
}

/// The verbs' paths with what `-h` and `--help` print.
fn pages(command: &Command) -> Vec<(String, [String; 2])> {
    let pages = |path: String| {
        let verb: Vec<String> = path.split_whitespace().map(str::to_owned).collect();
        let both = ["-h", "--help"].map(|flag| page(command.clone(), &verb, flag).unwrap().to_string());
        (path, both)
    };
    paths(command, "").into_iter().map(pages).collect()
}

fn long_page(path: &str) -> String {
    let (_, [_, long]) = pages(&command_line(CALLERS[1])).into_iter().find(|(verb, _)| verb == path).unwrap();
    long
}

#[test]
fn every_visible_verb_is_in_one_group() {
    let command = command_line(CALLERS[0]);
    let grouped: Vec<&str> = GROUPS.iter().flat_map(|group| group.verbs).copied().collect();
    for path in &grouped {
        let about = find(&command, path).and_then(Command::get_about).map(ToString::to_string);
        assert!(about.is_some_and(|about| !about.is_empty()), "no verb `{path}`");
    }
    for (path, _) in pages(&command) {
        let is_leaf = !path.is_empty() && find(&command, &path).unwrap().get_subcommands().next().is_none();
        let count = grouped.iter().filter(|group| path == **group || path.starts_with(&format!("{group} "))).count();
        assert!(!is_leaf || count == 1, "`{path}` is in {count} groups");
    }
}

#[test]
fn lines_of_pages_have_at_most_100_columns() {
    for caller in CALLERS {
        let pages = pages(&command_line(caller));
        assert!(pages.len() > 20, "{} pages", pages.len());
        for (path, both) in pages {
            for line in both.iter().flat_map(|page| page.lines()) {
                assert!(line.chars().count() <= 100, "{path}: {line}");
            }
        }
    }
}

#[test]
fn every_page_ends_with_examples() {
    let pages = pages(&command_line(CALLERS[1]));
    for (path, both) in &pages {
        let examples = examples::of(path);
        assert!(!examples.is_empty() && examples.len() <= 4, "`{path}` has {} examples", examples.len());
        for page in both {
            let (_, end) = page.split_once("Examples:\n").unwrap();
            let commands: Vec<_> = end.lines().filter_map(|line| line.strip_prefix("  cargo xtask ")).collect();
            let expected: Vec<_> = examples.iter().map(|example| example.arguments).collect();
            assert_eq!(commands, expected, "{path}");
        }
    }
    for path in ["", "bench"] {
        assert_eq!(examples::of(path).len(), 4, "`{path}`");
    }
    for (path, _) in examples::ALL {
        assert!(pages.iter().any(|(verb, _)| verb == path), "there is no verb `{path}`");
    }
}

/// The commands of all examples as they stand on the pages, as words.
fn commands(caller: &str) -> Vec<Vec<String>> {
    let start = format!("  {caller} ");
    let pages = pages(&command_line(caller));
    let lines = pages.iter().flat_map(|(_, [_, long])| long.lines().filter_map(|line| line.strip_prefix(&start)));
    lines.map(|line| shlex::split(line).unwrap()).collect()
}

#[test]
fn every_example_is_parsed_by_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let engine = folder.path().join("my-engine.toml");
    std::fs::write(&engine, "").unwrap();
    for caller in CALLERS {
        let commands = commands(caller);
        assert!(commands.len() > 60, "{} commands", commands.len());
        for mut words in commands {
            // `sim serve` reads the file as it parses.
            for word in words.iter_mut().filter(|word| *word == "my-engine.toml") {
                *word = engine.to_str().unwrap().to_owned();
            }
            let parsed = command_line(caller).try_get_matches_from([caller.to_owned()].iter().chain(&words));
            assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn recipes_and_models_of_examples_exist() {
    let recipes = example::recipes();
    let models = twin::description::models().unwrap();
    let mut checked = 0;
    for words in commands(CALLERS[0]) {
        for pair in words.windows(2) {
            let name = &pair[1];
            let is_known = match (pair[0].as_str(), words[0].as_str()) {
                // `my-server` stands for a recipe of the reader's own.
                (_, "bench" | "pull-request" | "recipe") if name == "my-server" || name.contains('/') => continue,
                ("--recipe" | "--against", _) | ("--from" | "check" | "pin" | "show", "recipe") => recipes.load(name).is_ok(),
                ("--model", "sim") => models.iter().any(|model| model.name == *name),
                _ => continue,
            };
            assert!(is_known, "`{name}` of {words:?} does not exist");
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked} names");
}

#[test]
fn help_on_an_unknown_topic_is_refused() {
    let topic = vec!["benhc".to_owned()];
    let error = run(command_line(CALLERS[0]), &HelpArgs { topic }).unwrap_err();
    assert!(error.is::<UsageError>() && error.to_string().contains("no help on `benhc`"), "{error}");
}

#[test]
fn first_page() {
    insta::assert_snapshot!(long_page(""));
}

#[test]
fn page_of_bench() {
    insta::assert_snapshot!(long_page("bench"));
}
