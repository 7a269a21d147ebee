//! The statistics of the judge: whether a difference is significant, whether it is large enough to act upon, and how large a change could have been
//! missed.
//!
//! Plain functions of numbers, without record, metric or clock. They sum in a fixed order, never panic, and return a refusal in words where they have
//! no answer. The unit is one number per boot (or per trial), never a request: requests of one trial share its boot, its schedule and its queue, and
//! pooling them raises 20 to 40 false alarms of 100 at a nominal 5.
//!
//! [`comparison`] gives each cell its difference with an interval, [`verdict`] judges all cells of a family together with the adjustments of
//! [`multiplicity`], and [`power`] gives the smallest detectable change. Besides these there are checks before a verdict ([`steady`], [`drift`],
//! [`outliers`]), a test of failures ([`fisher`]), and the planning and calibration of measurements ([`abba`], [`variance_components`]).
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
