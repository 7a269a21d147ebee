//! `{key}` in a foreign command: replaced by their defaults, again and again, until none is left.

use std::collections::{BTreeMap, BTreeSet};

use super::convert::ImportError;

/// Values may name each other this deep.
const ROUNDS_MAX: usize = 16;
/// A command that is longer was not written by a person.
const BYTES_MAX: usize = 16 * 1024;

/// A text without placeholders, and the keys that went into it.
#[derive(Debug)]
pub(super) struct ResolvedCommand {
    pub(super) text: String,
    /// Keys of `defaults` that the command uses.
    pub(super) used: BTreeSet<String>,
}

/// Replaces every placeholder, or says which have no value.
pub(super) fn resolve(text: &str, values: &BTreeMap<String, String>) -> Result<ResolvedCommand, ImportError> {
    let mut text = text.to_owned();
    let mut used = BTreeSet::new();
    for _ in 0..ROUNDS_MAX {
        if text.len() > BYTES_MAX {
            return Err(ImportError::Refused(format!("the command has more than {BYTES_MAX} bytes")));
        }
        let found = names(&text);
        if found.is_empty() {
            return Ok(ResolvedCommand { text, used });
        }
        let unknown: BTreeSet<_> =
            found.iter().filter(|(_, name)| !values.contains_key(key(name))).map(|(_, name)| *name).collect();
        if !unknown.is_empty() {
            let unknown: Vec<_> = unknown.into_iter().map(|name| format!("`{{{name}}}`")).collect();
            return Err(ImportError::Unresolved(unknown.join(", ")));
        }
        let mut next = String::with_capacity(text.len());
        let mut from = 0;
        for (at, name) in found {
            next.push_str(&text[from..at]);
            next.push_str(&values[key(name)]);
            if next.len() > BYTES_MAX {
                return Err(ImportError::Refused(format!("the command has more than {BYTES_MAX} bytes")));
            }
            used.insert(key(name).to_owned());
            from = at + name.len() + 2;
        }
        next.push_str(&text[from..]);
        text = next;
    }
    Err(ImportError::Refused("its defaults name each other in a circle".to_owned()))
}

/// Newer recipes write `{config.port}` for `{port}`.
fn key(name: &str) -> &str {
    name.strip_prefix("config.").unwrap_or(name)
}

/// The placeholders and where they begin. Braces around anything but a name, as in JSON, are none.
fn names(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('{') {
        let inner = &text[at + 1..];
        let Some(end) = inner.find('}') else { break };
        let name = &inner[..end];
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if begins && name.chars().all(|one| one.is_ascii_alphanumeric() || "_.".contains(one)) {
            found.push((at, name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, values: &[(&str, &str)], expected: Result<&str, &str>) {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        match (resolve(text, &values), expected) {
            (Ok(done), Ok(expected)) => assert_eq!(done.text, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (done, _) => panic!("{text}: {done:?}"),
        }
    }

    #[test]
    fn placeholders_are_resolved_until_none_is_left() {
        check("a {x} {config.y}", &[("x", "1"), ("y", "{x}2")], Ok("a 1 12"));
        check("'{\"method\": \"mtp\"}' {}", &[], Ok("'{\"method\": \"mtp\"}' {}"));
        check("{s}", &[("s", "{\"n\": {n}}"), ("n", "3")], Ok("{\"n\": 3}"));
        check("{x} {y} {x}", &[("y", "1")], Err("`{x}`"));
        check("{launch.num_nodes} {b}", &[], Err("`{b}`, `{launch.num_nodes}`"));
        check("{x}", &[("x", "{y}"), ("y", "{x}")], Err("in a circle"));
        check("{x}", &[("x", "{x}{x}{x}{x}{x}{x}{x}{x}{x}{x}")], Err("bytes"));
        check("{ü} {", &[], Ok("{ü} {"));
    }
}
