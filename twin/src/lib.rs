//! The model of a Spark: what a step of an inference server costs, and a server that takes such steps.
//!
//! Pure: no clock, no network, no file system. What it is fitted to and what it predicts are plain data. Adapters in `fixtures` put it
//! behind the harness, in virtual time, and behind HTTP.

pub mod arena;
pub mod chance;
pub mod description;
pub mod fit;
pub mod load;
pub mod plan;
pub mod published;
pub mod quantile;
pub mod server;

mod least_squares;
mod nearest;
