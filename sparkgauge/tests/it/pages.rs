//! The commands that README.md and docs/ show: each is run here, or says what it needs, and then at least its flags are right.
//!
//! The blocks of a page run in their order in one folder, which stands for the clone where they say `cargo xtask`: a later command finds
//! what an earlier one left.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use self::{
    command::{Caller, Needs, PageCommand},
    page::Page,
};
use crate::program::{ProgramOutput, repository};

mod command;
mod page;

/// The commands of all pages.
fn all_commands() -> Vec<(Page, Vec<PageCommand>)> {
    let read = |page: Page| {
        let (commands, complaints) = page.commands();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        (page, commands)
    };
    Page::all(&repository()).into_iter().map(read).collect()
}

#[test]
fn every_command_that_needs_something_is_one_of_this_program() {
    let commands: Vec<_> = all_commands().into_iter().flat_map(|(_, commands)| commands).collect();
    assert!(commands.len() > 50, "only {} commands were found", commands.len());
    // Those that need nothing are run, and what they read is only there then.
    let wrong = |command: &PageCommand| {
        let why = sparkgauge::check_command_line(&command.words).err()?;
        Some(format!("{}: {why}", command.place))
    };
    let wrong: Vec<_> = commands.iter().filter(|command| command.needs.is_some()).filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_that_need_nothing_end_as_the_pages_say() {
    for (_, commands) in all_commands() {
        run_in_order(&commands, |command| command.needs.is_none());
    }
}

#[test]
#[ignore = "needs the testbed: cargo xtask testbed"]
fn commands_that_need_the_testbed_end_as_the_pages_say() {
    for (_, commands) in all_commands() {
        run_in_order(&commands, |command| command.needs == Some(Needs::Testbed));
    }
}

#[test]
fn every_command_that_is_not_run_is_shown_by_a_page() {
    let blocks: Vec<_> = Page::all(&repository()).iter().flat_map(|page| page.texts_of("sh")).collect();
    let is_shown = |start: &str| blocks.iter().any(|text| text.contains(start));
    let unused: Vec<_> = command::NOT_RUN.iter().map(|(start, _)| *start).filter(|start| !is_shown(start)).collect();
    assert!(unused.is_empty(), "no page shows {unused:?} any more: take them out of the list");
}

#[test]
fn every_recipe_of_a_page_is_one() {
    let texts: Vec<_> = Page::all(&repository()).iter().flat_map(|page| page.texts_of("toml")).collect();
    let recipes: Vec<_> = texts.iter().filter(|text| text.starts_with("name = ")).collect();
    assert!(!recipes.is_empty());
    for text in recipes {
        record::recipe::parse(text, "a page", "my-server").unwrap();
    }
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let pages = Page::all(&repository());
    let summary = pages.iter().find(|page| page.name == "docs/SUMMARY.md").unwrap().links();
    let of_book =
        pages.iter().map(|page| Path::new(&page.name)).filter(|name| name.starts_with("docs") && !name.ends_with("SUMMARY.md"));
    let missing: Vec<_> = of_book.filter(|name| !summary.iter().any(|(link, _)| link == name)).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md does not list {missing:?}");
}

#[test]
fn every_link_of_a_page_leads_to_a_file_and_a_heading() {
    let pages = Page::all(&repository());
    let is_missing = |link: &Path, heading: Option<&str>| {
        let page = pages.iter().find(|page| Path::new(&page.name) == link);
        let has_heading = |heading: &str| page.is_none_or(|page| page.headings().iter().any(|one| one == heading));
        !repository().join(link).exists() || !heading.is_none_or(has_heading)
    };
    let broken_of = |page: &Page| {
        let broken = page.links().into_iter().filter(|(link, heading)| is_missing(&plain(link), *heading));
        broken.map(|(link, heading)| format!("{}: {} {heading:?}", page.name, link.display())).collect::<Vec<_>>()
    };
    let broken: Vec<_> = pages.iter().flat_map(broken_of).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// Runs those of a page's commands that are chosen, in a folder of their own.
fn run_in_order(commands: &[PageCommand], is_chosen: impl Fn(&PageCommand) -> bool) {
    let commands: Vec<_> = commands.iter().filter(|command| is_chosen(command)).collect();
    if commands.is_empty() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    copy_recipes(folder.path());
    let mut servers = Servers::default();
    for command in commands {
        if command.is_background {
            servers.start(command, folder.path());
        } else {
            check(command, &call(command, folder.path()));
        }
    }
}

/// What a clone has: the recipes, and what those of the testbed start.
fn copy_recipes(folder: &Path) {
    std::os::unix::fs::symlink(repository().join("fixtures").canonicalize().unwrap(), folder.join("fixtures")).unwrap();
    fs::create_dir(folder.join("recipes")).unwrap();
    for entry in fs::read_dir(repository().join("recipes")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.join("recipes").join(path.file_name().unwrap())).unwrap();
        }
    }
}

fn program(command: &PageCommand, folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sparkgauge"));
    if command.caller == Caller::Xtask {
        program.arg(format!("--clone={}", folder.display()));
    }
    // Who accepts a run is asked of git, which need not know anybody here.
    let git = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "user.name"), ("GIT_CONFIG_VALUE_0", "Somebody")];
    program.args(&command.words).envs(git).current_dir(folder).stdin(Stdio::null());
    if command.needs.is_none() {
        program.env("XDG_CACHE_HOME", folder.join("cache"));
    }
    program
}

/// Calls it; while another test measures on this machine, again.
fn call(command: &PageCommand, folder: &Path) -> ProgramOutput {
    for _ in 0..600 {
        let done: ProgramOutput = program(command, folder).output().unwrap().into();
        if done.code != 3 || !done.stderr.contains("another run measures on this machine") {
            return done;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    panic!("{}: another run measured for ten minutes", command.place);
}

/// Checks how a command ended. What measures in real time may be invalid on a machine that is busy with other tests.
fn check(command: &PageCommand, done: &ProgramOutput) {
    let measures = command.words.iter().any(|word| word == "--attach" || word.starts_with("testbed-"));
    let is_starved = measures && done.code == 4;
    let line = command.words.join(" ");
    assert!(
        done.code == command.exit_code || is_starved,
        "{}: `{line}` ended with {} instead of {}\n{}\n{}",
        command.place,
        done.code,
        command.exit_code,
        done.stdout,
        done.stderr
    );
}

/// The servers that a page starts; they end with it.
#[derive(Default)]
struct Servers(Vec<Child>);

impl Servers {
    /// Starts one, and waits until it says where it serves.
    fn start(&mut self, command: &PageCommand, folder: &Path) {
        let log = folder.join(format!("server-{}.log", self.0.len()));
        let child = program(command, folder).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
        self.0.push(child);
        let serves = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            fs::read_to_string(&log).is_ok_and(|text| text.contains("http://"))
        });
        assert!(serves, "{}: it serves nothing: {}", command.place, fs::read_to_string(&log).unwrap());
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
