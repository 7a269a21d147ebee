//! The run file: round trips, torn tails, size, and the committed schema.

#[cfg(test)]
mod file;
#[cfg(all(test, feature = "schema"))]
mod schema;
