//! A page of the documentation, read as far as its commands and links go.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use super::command::{self, PageCommand};

/// Pages outside of docs/.
const PAGES: [&str; 7] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "PERFORMANCE.md",
    "recipes/README.md",
    "reports/README.md",
    "twin/README.md",
];

/// Words that a command of a person begins with.
const PROGRAMS: [&str; 5] = ["cargo ", "sparkgauge ", "docker ", "git ", "$ "];

/// A block of lines between fences.
struct Block<'t> {
    language: &'t str,
    /// What stands behind the language.
    info: &'t str,
    /// The lines within, by their numbers from 0.
    lines: Range<usize>,
}

pub(super) struct Page {
    /// From the repository on.
    pub(super) name: String,
    text: String,
}

impl Page {
    fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }

    /// All pages for people, in the order of their names.
    pub(super) fn all(repository: &Path) -> Vec<Self> {
        let mut paths: Vec<_> = PAGES.iter().map(|name| repository.join(name)).collect();
        paths.extend(markdown_below(&repository.join("docs")));
        let name = |path: &Path| path.strip_prefix(repository).unwrap().display().to_string();
        paths.iter().map(|path| Self::new(&name(path), &fs::read_to_string(path).unwrap())).collect()
    }

    /// The commands of its blocks in their order, and everything that is wrong with them.
    pub(super) fn commands(&self) -> (Vec<PageCommand>, Vec<String>) {
        let (blocks, mut complaints) = self.blocks();
        let lines: Vec<_> = self.text.lines().collect();
        let mut commands = Vec::new();
        for block in &blocks {
            for number in block.lines.clone() {
                let (line, place) = (lines[number].trim(), self.place(number));
                if block.language == "sh" {
                    match command::of_line(&place, line, block.info) {
                        Ok(found) => commands.extend(found),
                        Err(why) => complaints.push(why),
                    }
                } else if is_command(line) {
                    complaints.push(format!(
                        "{place}: `{line}` stands in a block of `{}`, which no test runs: use `sh`",
                        block.language
                    ));
                }
            }
        }
        (commands, complaints)
    }

    /// The blocks between fences; a command in a block that is only indented is a complaint.
    fn blocks(&self) -> (Vec<Block<'_>>, Vec<String>) {
        let (mut blocks, mut complaints): (Vec<Block<'_>>, _) = (Vec::new(), Vec::new());
        let mut open: Option<Block<'_>> = None;
        for (number, line) in self.text.lines().enumerate() {
            if let Some(info) = line.trim_start().strip_prefix("```") {
                if let Some(block) = open.take() {
                    blocks.push(Block { lines: block.lines.start..number, ..block });
                } else {
                    let (language, info) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
                    open = Some(Block { language, info, lines: number + 1..number + 1 });
                }
            } else if open.is_none() && line.starts_with("    ") && is_command(line.trim_start()) {
                complaints
                    .push(format!("{}: a command in an indented block, which no test runs: use fences", self.place(number)));
            }
        }
        if open.is_some() {
            complaints.push(format!("{}: a block has no end", self.name));
        }
        (blocks, complaints)
    }

    /// The texts of its blocks of a language.
    pub(super) fn texts_of(&self, language: &str) -> Vec<String> {
        let lines: Vec<_> = self.text.lines().collect();
        let blocks = self.blocks().0.into_iter().filter(|block| block.language == language);
        blocks.map(|block| lines[block.lines].join("\n")).collect()
    }

    /// The files that it links to, as seen from the repository, each with the heading that is named behind `#`.
    pub(super) fn links(&self) -> Vec<(PathBuf, Option<&str>)> {
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let inside = targets.filter(|target| !target.contains("://"));
        let parts = inside.map(|target| target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading))));
        let path = |file: &str| if file.is_empty() { PathBuf::from(&self.name) } else { folder.join(file) };
        parts.map(|(file, heading)| (path(file), heading)).collect()
    }

    /// The names of its headings in links, as GitHub and mdBook make them.
    pub(super) fn headings(&self) -> Vec<String> {
        let titles = self.text.lines().filter_map(|line| line.strip_prefix('#')).map(|rest| rest.trim_start_matches('#').trim());
        let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        titles.map(|title| title.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-")).collect()
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{}", self.name, line + 1)
    }
}

fn is_command(line: &str) -> bool {
    let verb = PROGRAMS.iter().find_map(|program| line.strip_prefix(program));
    verb.is_some_and(|verb| verb.starts_with(|first: char| first.is_ascii_lowercase() || first == '-'))
}

fn markdown_below(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: &PathBuf| {
        let is_page = path.extension().is_some_and(|kind| kind == "md");
        if path.is_dir() { markdown_below(path) } else { Vec::from_iter(is_page.then(|| path.clone())) }
    };
    paths.iter().flat_map(below).collect()
}

#[test]
fn commands_are_found_in_blocks_of_sh_alone() {
    let page = Page::new(
        "a.md",
        "```sh\nsparkgauge clean\n```\n- item\n  ```sh needs-docker\n  cargo xtask clean\n  ```\n```toml\na = 1\n```\n",
    );
    let (commands, complaints) = page.commands();
    assert_eq!(complaints, <[String; 0]>::default());
    assert_eq!(commands.iter().map(|one| &one.place[..]).collect::<Vec<_>>(), ["a.md:2", "a.md:6"]);
    for (text, part) in [
        ("text\n\n    cargo xtask bench\n", "a.md:3: a command in an indented block"),
        ("```\nsparkgauge bench\n```\n", "a.md:2: `sparkgauge bench` stands in a block of ``"),
        ("```bash\ncargo xtask bench\n```\n", "a block of `bash`"),
        ("```sh\n", "has no end"),
    ] {
        let complaints = Page::new("a.md", text).commands().1;
        assert!(complaints.iter().any(|one| one.contains(part)), "{text}: {complaints:?}");
    }
}

#[test]
fn links_are_those_to_files_and_headings() {
    let page = Page::new("docs/a.md", "# A: `b` C\n[a](b.md#c) [d](../e/f.md) [g](https://h) [i](#j)");
    let (b, f, a) = (PathBuf::from("docs/b.md"), PathBuf::from("docs/../e/f.md"), PathBuf::from("docs/a.md"));
    assert_eq!(page.links(), [(b, Some("c")), (f, None), (a, Some("j"))]);
    assert_eq!(page.headings(), ["a-b-c"]);
}
