//! Judging: pure functions of [`record::Record`]. Nothing here measures, reads a clock or touches a file.
//!
//! [`metrics`] holds every formula, [`metric`] what is to be known of each figure, [`validity`] says which trials can be trusted, [`summary`] turns trials into figures with their
//! uncertainty, [`roofline`] how far they are from what the machine can do, [`identity`] says whether two engines were the same, [`judge`] compares two sides with the noise that [`mod@noise`] measured,
//! [`operating`] says how often it is wrong, and [`markdown`] writes what people read.

pub mod figures;
pub mod glossary;
pub mod identity;
pub mod instrument;
pub mod judge;
pub mod markdown;
pub mod metric;
pub mod metrics;
pub mod noise;
mod number;
pub mod operating;
pub mod quantile;
pub mod roofline;
#[cfg(feature = "schema")]
pub mod schema;
pub mod statistics;
pub mod summary;
pub mod validity;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod vectors;

pub use markdown::{VerdictLine, render, render_budget, render_onto, render_ruling, summary_line, with_verdict};
