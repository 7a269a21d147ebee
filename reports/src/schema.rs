//! The JSON schema of a ruling, generated from the types.

use crate::judge::{RULING_SCHEMA_VERSION, Ruling};

/// The schema for serialisation: a ruling is only ever written.
#[must_use]
pub fn schema() -> schemars::Schema {
    schemars::generate::SchemaSettings::default().for_serialize().into_generator().into_root_schema_for::<Ruling>()
}

/// Name of the schema file below `reports/schema`.
#[must_use]
pub fn file_name() -> String {
    format!("ruling-{RULING_SCHEMA_VERSION}.schema.json")
}

#[cfg(test)]
mod tests;
