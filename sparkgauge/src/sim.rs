//! `sim`: the twin of a Spark: as a server that any OpenAI client can talk to, fitted to what was measured, and held against it.

use clap::Subcommand;
use record::ExitCode;

mod check;
mod fit;
mod plan;
mod predict;
mod serve;
pub(crate) mod source;

/// What can be done with the simulated Spark.
#[derive(Debug, Subcommand)]
pub(crate) enum SimVerb {
    /// Serve it over HTTP, for any OpenAI client, until it is interrupted.
    Serve(serve::ServerArgs),
    /// Fit an engine's step costs to measured closed loops, and write them as a file that `sim serve --params` reads.
    Fit(fit::FitArgs),
    /// What the workloads would give on an engine that was fitted or is described.
    Predict(predict::PredictArgs),
    /// Which model serves so many people, how fast, and where it breaks.
    Plan(plan::PlanArgs),
    /// Fit each published run to its closed loops and hold what it says of the open loops against them.
    Check(check::CheckArgs),
}

pub(crate) fn run(verb: &SimVerb) -> anyhow::Result<ExitCode> {
    match verb {
        SimVerb::Serve(args) => serve::run(args),
        SimVerb::Fit(args) => fit::run(args),
        SimVerb::Predict(args) => predict::run(args),
        SimVerb::Plan(args) => plan::run(args),
        SimVerb::Check(args) => check::run(args),
    }
}
