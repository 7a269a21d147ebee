//! The statistics of the judge: is a difference real, is it large enough to act upon, and what could have been missed?
//!
//! Plain functions of numbers. They know no record, no metric and no clock; they sum in a fixed order, never panic, and refuse in words
//! what they cannot answer. The unit is one number per boot (or per trial), never a request: requests of one trial share its boot, its
//! schedule and its queue, and pooling them raises 20 to 40 false alarms of 100 at a nominal 5.
//!
//! From the values of two sides to verdicts: [`comparison`] gives each cell its difference with an interval, [`verdict`] judges all cells
//! of a family together, with [`multiplicity`] in between, and [`power`] says what could be seen at all. Beside that way stand the checks
//! before a verdict ([`steady`], [`drift`], [`outliers`]), what judges failures ([`fisher`]), and what plans and calibrates a measurement
//! ([`abba`], [`variance_components`]).
//!
//! Every function is checked against values that numpy, scipy and statsmodels computed (`statistics/vectors.json`).

pub mod abba;
pub mod comparison;
pub mod drift;
pub mod fisher;
pub mod moments;
pub mod multiplicity;
pub mod outliers;
mod pairing;
pub mod power;
pub mod steady;
pub mod student;
mod tails;
pub mod variance_components;
pub mod verdict;

#[cfg(test)]
mod tests;

/// The version of these procedures, which a verdict names: figures of two versions are not compared.
pub const STATS_VERSION: u32 = 1;
