//! What the modules of a crate import from each other, as far as the text of their paths says it.

use std::{collections::BTreeSet, fs, path::Path};

use super::ImportGraph;

/// For each module that the crate's root declares, the others that it names in paths from the root on. Code of tests does not count.
pub(super) fn between_modules(src: &Path) -> ImportGraph {
    let root = ["lib.rs", "main.rs"].into_iter().map(|name| src.join(name)).find(|path| path.is_file()).unwrap();
    let modules = declared(&code(&fs::read_to_string(root).unwrap()));
    let imports = |module: &String| {
        let mut found = BTreeSet::new();
        let file = src.join(module).with_extension("rs");
        found.extend(named(&code(&fs::read_to_string(&file).unwrap()), 1));
        collect(&src.join(module), 2, &mut found);
        found.retain(|name| name != module && modules.contains(name));
        (module.clone(), found)
    };
    modules.iter().map(imports).collect()
}

/// Adds what the files of a folder name; `depth` is how far below the root their modules lie.
fn collect(folder: &Path, depth: usize, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            collect(&path, depth + 1, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(named(&code(&fs::read_to_string(&path).unwrap()), depth));
        }
    }
}

/// The modules that a text declares and leaves to files.
fn declared(code: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    code.lines().filter_map(name).collect()
}

/// A text without its comments and without the items that only tests have.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let content = line.trim_start();
        if content.starts_with("#[cfg(test)") || content.starts_with("#[cfg(all(test") {
            skip_item(&mut lines, &line[..line.len() - content.len()]);
        } else if !content.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Goes past the item that follows. If it has several lines it ends with a brace that stands as far from the left as it does.
fn skip_item<'a>(lines: &mut impl Iterator<Item = &'a str>, indentation: &str) {
    let Some(first) = lines.find(|line| !line.trim_start().starts_with(['#', '/'])) else { return };
    if !first.ends_with([';', '}']) {
        let end = format!("{indentation}}}");
        lines.find(|line| line.starts_with(&end));
    }
}

/// The names that stand directly below the crate's root in the paths of a module that lies so deep.
fn named(code: &str, depth: usize) -> BTreeSet<String> {
    ["crate::".to_owned(), "super::".repeat(depth)].iter().flat_map(|prefix| after(code, prefix)).collect()
}

/// The names that follow a prefix of paths, alone or in braces.
fn after(code: &str, prefix: &str) -> Vec<String> {
    let starts_a_path = |&(at, _): &(usize, &str)| !code[..at].ends_with(|c: char| is_of_name(c) || c == ':' || c == '$');
    let names = |(at, _): (usize, &str)| {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => members(group).into_iter().map(first_name).collect(),
            None => vec![first_name(rest)],
        }
    };
    code.match_indices(prefix).filter(starts_a_path).flat_map(names).filter(|name| !name.is_empty()).collect()
}

fn first_name(path: &str) -> String {
    path.trim_start().chars().take_while(|&c| is_of_name(c)).collect()
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What stands between the commas of a group up to its closing brace, with inner groups whole.
fn members(group: &str) -> Vec<&str> {
    let (mut members, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' if depth == 0 => {
                members.push(&group[begin..at]);
                begin = at + 1;
            }
            '}' => {
                members.push(&group[begin..at]);
                break;
            }
            _ => {}
        }
    }
    members
}

#[test]
fn imports_are_found_in_all_kinds_of_paths() {
    let check = |code: &str, depth: usize, expected: &[&str]| {
        assert_eq!(named(code, depth), expected.iter().map(|&name| name.to_owned()).collect(), "{code}");
    };
    check("use crate::judge::{Ruling, rows};\nlet x = crate::words::list(a);", 1, &["judge", "words"]);
    check("use crate::{\n    a::{self, b::{c, d}},\n    e,\n};\nuse other::f;", 1, &["a", "e"]);
    check("use super::a;\nuse super::{b::c, d};", 1, &["a", "b", "d"]);
    check("use super::a;\nuse super::super::b;", 2, &["b"]);
    check("use super::super::b;", 3, &[]);
    check("$crate::a; other_crate::b; x::super::c; use super::*;", 1, &[]);
}

#[test]
fn tests_and_comments_are_ignored() {
    let text = "//! crate::a\n#[cfg(test)]\nmod tests;\nuse crate::b;\n    /// [`crate::c`]\n    #[cfg(test)]\n    #[inline]\n    fn d() {\n        crate::e();\n    }\n\
                #[cfg(all(test, feature = \"x\"))]\nmod more {\n    use crate::f;\n\n    fn g() {\n    }\n}\npub mod h;\npub(crate) mod i;\nmod j {\n}\n\
                #[cfg(test)]\nuse crate::{\n    k,\n};\n#[cfg(feature = \"test\")]\nuse crate::l;\n#[cfg(test)]\nfn m() {}\nuse crate::n;\n";
    let code = code(text);
    assert_eq!(named(&code, 1).into_iter().collect::<Vec<_>>(), ["b", "l", "n"]);
    assert_eq!(declared(&code).into_iter().collect::<Vec<_>>(), ["h", "i"]);
}
