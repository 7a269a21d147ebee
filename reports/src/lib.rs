//! Judging: pure functions of [`record::Record`]. Nothing here measures, reads a clock or touches a file.
//!
//! [`metrics`] holds every formula, [`validity`] says which trials can be trusted, [`summary`] turns trials into figures with their
//! uncertainty, and [`markdown`] writes what people read. A comparison of two records will stand beside [`summary`].

pub mod markdown;
pub mod metrics;
mod number;
pub mod quantile;
pub mod statistics;
pub mod summary;
pub mod validity;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod vectors;

pub use markdown::{render, render_onto};
