//! Committed runs: rendering a record again gives the report that was committed beside it.

use std::{fs, path::Path};

use crate::program::record_in;

#[test]
fn every_committed_report_is_that_of_its_record() {
    let runs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/runs");
    let mut seen = 0;
    for entry in fs::read_dir(runs).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let committed = fs::read_to_string(folder.join("report.md")).unwrap();
        let rendered = reports::render_onto(&record_in(&folder), Some(&committed));
        assert!(rendered == committed, "{}: `cargo xtask report` on it writes another report", folder.display());
        seen += 1;
    }
    assert!(seen >= 2, "the runs of both real engines are committed");
}
