//! Allowed imports: the tables of ARCHITECTURE.md, compared with cargo's metadata and the sources. An unused entry fails as well, so
//! that the tables only shrink.

mod crates;
mod imports;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The names that each name imports.
type ImportGraph = BTreeMap<String, BTreeSet<String>>;

/// The packages whose modules are held to their tables.
const PACKAGES: [&str; 3] = ["reports", "sparkgauge", "xtask"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn architecture() -> String {
    fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap()
}

/// The table whose first heading is that: of each row the names in the column.
fn allowed(document: &str, heading: &str, column: usize) -> ImportGraph {
    let rows = table::rows(document, heading);
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table of each {heading}");
    rows.into_iter().map(|(name, mut cells)| (name, cells.remove(column - 1))).collect()
}

/// What is imported and not allowed, and the other way round.
fn complaints(allowed: &ImportGraph, found: &ImportGraph) -> Vec<String> {
    let mut complaints = Vec::new();
    for name in allowed.keys().filter(|name| !found.contains_key(*name)) {
        complaints.push(format!("`{name}` has a row and is not there"));
    }
    for (name, imports) in found {
        let Some(row) = allowed.get(name) else {
            complaints.push(format!("`{name}` has no row; it imports {imports:?}"));
            continue;
        };
        complaints
            .extend(imports.difference(row).map(|other| format!("`{name}` imports `{other}`, which its row does not allow")));
        complaints
            .extend(row.difference(imports).map(|other| format!("`{name}` does not import `{other}`: take it from its row")));
    }
    complaints
}

/// A way from a name back to it, if there is one.
fn cycle(graph: &ImportGraph) -> Option<Vec<String>> {
    fn walk(graph: &ImportGraph, way: &mut Vec<String>, done: &mut BTreeSet<String>, name: &str) -> bool {
        if let Some(start) = way.iter().position(|one| one == name) {
            way.drain(..start);
            way.push(name.to_owned());
            return true;
        }
        if done.contains(name) {
            return false;
        }
        way.push(name.to_owned());
        if graph.get(name).into_iter().flatten().any(|next| walk(graph, way, done, next)) {
            return true;
        }
        way.pop();
        done.insert(name.to_owned());
        false
    }
    let (mut way, mut done) = (Vec::new(), BTreeSet::new());
    graph.keys().any(|name| walk(graph, &mut way, &mut done, name)).then_some(way)
}

#[test]
fn crate_dependencies_match_the_table() {
    let crates = crates::read(&workspace());
    let document = architecture();
    let complaints = complaints(&allowed(&document, "crate", 1), &crates.members);
    assert!(complaints.is_empty(), "{complaints:#?}");
    let all_dependencies: BTreeSet<_> = crates.reached.values().flatten().cloned().collect();
    for (name, never) in allowed(&document, "crate", 2) {
        assert!(
            never.is_subset(&all_dependencies),
            "`{name}` must never have {never:?}, some of which no crate has: is it misspelled?"
        );
        let found: Vec<_> = never.intersection(&crates.reached[&name]).collect();
        assert!(
            found.is_empty(),
            "`{name}` must never have {found:?}; `cargo tree -p {name} -e normal -i NAME` shows how it came"
        );
    }
}

#[test]
fn module_imports_match_the_table_without_cycles() {
    let document = architecture();
    for package in PACKAGES {
        let found = imports::between_modules(&workspace().join(package).join("src"));
        let complaints = complaints(&allowed(&document, &format!("module of {package}"), 1), &found);
        assert!(complaints.is_empty(), "{package}: {complaints:#?}");
        assert_eq!(cycle(&found), None, "{package}");
    }
}

fn graph(edges: &[(&str, &[&str])]) -> ImportGraph {
    edges.iter().map(|(name, others)| ((*name).to_owned(), others.iter().map(|&other| other.to_owned()).collect())).collect()
}

#[test]
fn each_difference_from_the_table_is_reported() {
    let table = graph(&[("a", &["b", "c"]), ("b", &[]), ("old", &[])]);
    let found = graph(&[("a", &["b", "d"]), ("b", &[]), ("new", &["a"])]);
    insta::assert_snapshot!(complaints(&table, &found).join("\n"), @"
    `old` has a row and is not there
    `a` imports `d`, which its row does not allow
    `a` does not import `c`: take it from its row
    `new` has no row; it imports {\"a\"}
    ");
    assert_eq!(complaints(&found, &found), Vec::<String>::new());
}

#[test]
fn cycle_is_found_and_diamond_is_none() {
    assert_eq!(cycle(&graph(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])])), None);
    let found = cycle(&graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["d", "b"]), ("d", &[])]));
    assert_eq!(found.unwrap(), ["b", "c", "b"]);
}
