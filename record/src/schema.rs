//! The JSON schema of a run file's lines, generated from the types.

use crate::{Entry, SCHEMA_VERSION};

/// The schema of one line.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Entry)
}

/// The name of the file below `record/schema`.
#[must_use]
pub fn file_name() -> String {
    format!("record-{SCHEMA_VERSION}.schema.json")
}
