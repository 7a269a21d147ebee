//! The JSON schema of a run file's lines, generated from the types and committed.

use std::{fs, path::PathBuf};

use record::schema::{file_name, schema};

#[test]
fn committed_schema_matches_the_types() {
    let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema").join(file_name());
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        generated == committed,
        "{} is not what the types say. If readers of older records still work, accept it: \
         `cargo xtask regenerate schemas`; else raise SCHEMA_VERSION first",
        path.display()
    );
}
