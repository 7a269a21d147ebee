//! The words of the sources: doc comments that only repeat a name, and names that say what something is by a pronoun or a participle.

mod doc;

/// Types with these names say nothing of what they are, or hide one of the prelude's.
const BANNED_TYPES: [&str; 42] = [
    "Again", "Asked", "Became", "Began", "Begun", "Came", "Class", "Due", "Everyone", "Felt", "Given", "Gone", "Heard", "Held",
    "Made", "Making", "Mine", "Nobody", "One", "Ours", "Part", "Room", "Said", "Seen", "Sized", "Somebody", "Someone", "Spoken",
    "Struck", "Taken", "Theirs", "Them", "Thing", "Told", "Torn", "Unheard", "Unsaid", "Unseen", "Wanted", "Who", "Woken",
    "Wrong",
];

const BANNED_CONSTANTS: [&str; 2] = ["ASKED", "CAME"];

/// A test is named `subject_condition_result`.
const BANNED_PREFIXES: [&str; 1] = ["what_"];

/// An engine is shut down, or stopped. Spelled so that this file does not contain them.
const BANNED_PHRASES: [&str; 3] = ["put\u{20}away", "puts\u{20}away", "putting\u{20}away"];

/// A place in the sources that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    file: String,
    /// From 1.
    line: usize,
    problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    /// With the text of the comment.
    EmptyDoc(String),
    /// Of a type or a constant.
    Name(String),
    FunctionName(String),
    Phrase(&'static str),
}

/// Everything in a Rust source that breaks a rule, by lines.
pub(super) fn findings(file: &str, text: &str) -> Vec<Finding> {
    let lines: Vec<_> = text.lines().collect();
    let empty_docs = doc::empty_lines(&lines).map(|(index, doc)| (index, Problem::EmptyDoc(doc.to_owned())));
    let names = lines.iter().enumerate().flat_map(|(index, line)| problems(line).map(move |problem| (index, problem)));
    let mut found: Vec<_> = empty_docs.chain(names).collect();
    found.sort_by_key(|&(index, _)| index);
    let finding = |(index, problem)| Finding { file: file.to_owned(), line: index + 1, problem };
    found.into_iter().map(finding).collect()
}

fn problems(line: &str) -> impl Iterator<Item = Problem> {
    let name = declared(line).and_then(|(keyword, name)| match keyword {
        "struct" | "enum" | "trait" | "type" | "union" if BANNED_TYPES.contains(&name) => Some(Problem::Name(name.to_owned())),
        "const" | "static" if BANNED_CONSTANTS.contains(&name) => Some(Problem::Name(name.to_owned())),
        "fn" if BANNED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) => Some(Problem::FunctionName(name.to_owned())),
        _ => None,
    });
    let phrases = BANNED_PHRASES.into_iter().filter(|phrase| has_phrase(line, phrase)).map(Problem::Phrase);
    name.into_iter().chain(phrases)
}

/// The keyword and the name of the item that begins on a line.
fn declared(line: &str) -> Option<(&str, &str)> {
    let mut rest = line.trim_start();
    if let Some(public) = rest.strip_prefix("pub") {
        let restricted = public.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        rest = restricted.map_or(public, |(_, after)| after).trim_start();
    }
    loop {
        let (keyword, after) = rest.split_once(' ')?;
        let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        match (keyword, name) {
            // Of `const fn`, the first word only qualifies.
            ("async" | "unsafe" | "default", _) | ("const", "fn" | "async" | "unsafe") => rest = after,
            _ => return Some((keyword, name)),
        }
    }
}

fn has_phrase(line: &str, phrase: &str) -> bool {
    let is_in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(phrase)
        .any(|(at, _)| !line[..at].ends_with(is_in_word) && !line[at + phrase.len()..].starts_with(is_in_word))
}

/// A line for each finding.
pub(super) fn complaints(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::complaint).collect()
}

/// How many there are of each kind.
pub(super) fn summary(findings: &[Finding]) -> String {
    let count = |is: fn(&Problem) -> bool| findings.iter().filter(|finding| is(&finding.problem)).count();
    format!(
        "{} empty doc lines, {} banned names, {} banned function names, {} banned phrases",
        count(|problem| matches!(problem, Problem::EmptyDoc(_))),
        count(|problem| matches!(problem, Problem::Name(_))),
        count(|problem| matches!(problem, Problem::FunctionName(_))),
        count(|problem| matches!(problem, Problem::Phrase(_))),
    )
}

impl Finding {
    fn complaint(&self) -> String {
        let Self { file, line, problem } = self;
        let what = match problem {
            Problem::EmptyDoc(doc) => format!("`{doc}` says no more than the name: say something or delete it"),
            Problem::Name(name) => format!("`{name}`: a type or a constant is named by a noun of the field"),
            Problem::FunctionName(name) => format!("`{name}`: a test is named subject_condition_result"),
            Problem::Phrase(phrase) => format!("`{phrase}`: an engine is shut down, or stopped"),
        };
        format!("{file}:{line}: {what}")
    }
}

#[cfg(test)]
mod tests;
