//! The whole way from a workload to a verdict, on the simulated Spark, whose truth is known.

#![expect(clippy::unwrap_used, reason = "tests")]

mod requests;
mod spark;
mod verdicts;
