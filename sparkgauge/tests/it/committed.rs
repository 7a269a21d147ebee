//! Committed runs: rendering a record again gives the report that was committed beside it.

use std::{fs, path::Path};

use crate::program::record_in;

#[test]
fn every_committed_report_is_that_of_its_record() {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/runs");
    let seen = check_below(&runs);
    assert!(seen >= 2, "the runs of both real engines are committed");
}

/// Checks every run in or below a folder, since a comparison holds several; gives their number.
fn check_below(folder: &Path) -> usize {
    let mut seen = 0;
    if folder.join("record.jsonl.gz").is_file() {
        let committed = fs::read_to_string(folder.join("report.md")).unwrap();
        let rendered = reports::render_onto(&record_in(folder), Some(&committed));
        assert!(rendered == committed, "{}: its report is stale; `cargo xtask regenerate reports` writes it", folder.display());
        seen += 1;
    }
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    seen + entries.filter(|path| path.is_dir()).map(|path| check_below(&path)).sum::<usize>()
}
