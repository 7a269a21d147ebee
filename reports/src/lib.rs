//! Judging: pure functions of [`record::Record`]. Nothing here measures, reads a clock or touches a file.
//!
//! [`metrics`] holds every formula, [`validity`] says which trials can be trusted, [`summary`] turns trials into figures with their
//! uncertainty, [`identity`] says whether two engines were the same, and [`markdown`] writes what people read. A comparison of two
//! records will stand beside [`summary`].

pub mod identity;
pub mod markdown;
pub mod metrics;
mod number;
pub mod quantile;
pub mod statistics;
pub mod summary;
pub mod validity;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod vectors;

pub use markdown::{render, render_onto};
