//! Tables of a Markdown document.

use std::collections::{BTreeMap, BTreeSet};

/// The rows of the table whose first heading is that, by the name in their first cell: of each further cell, the names between its commas.
pub(super) fn rows(document: &str, heading: &str) -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let is_head = |line: &&str| cells(line).first().is_some_and(|first| first == heading);
    let table = document.lines().skip_while(|line| !is_head(line)).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let mut cells = cells(line).into_iter();
        let name = cells.next().unwrap_or_default();
        let names = |cell: String| cell.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        (name, cells.map(names).collect())
    };
    // The second line only draws.
    table.skip(2).map(row).collect()
}

/// What stands between the bars of a line, without quotes.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.into_iter().flat_map(|line| line.split('|')).map(|cell| cell.replace('`', "").trim().to_owned()).collect()
}

#[test]
fn rows_are_read_from_the_table_with_the_heading() {
    let document = "| other | x |\n|---|---|\n| `a` | |\n\n| module of `p` | may import |\n|---|---|\n| `b` | `c`, `d` |\n| `c` | |\n\n| e | |\n";
    let rows = rows(document, "module of p");
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(rows["b"], [BTreeSet::from(["c".to_owned(), "d".to_owned()])]);
    assert_eq!(rows["c"], [BTreeSet::new()]);
}
