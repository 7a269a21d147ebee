//! The JSON schema of a run file's lines, generated from the types and committed.

use std::{fs, path::PathBuf};

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let schema = schemars::schema_for!(record::Entry);
    let generated = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("schema/record-{}.schema.json", record::SCHEMA_VERSION));
    if std::env::var_os("SPARKGAUGE_ACCEPT").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        generated == committed,
        "{} is not what the types say. If readers of older records still work, accept it: \
         SPARKGAUGE_ACCEPT=1 cargo test -p record --features schema; else raise SCHEMA_VERSION first",
        path.display()
    );
}
