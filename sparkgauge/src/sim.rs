//! `sim`: the twin of a Spark: as a server that any OpenAI client can talk to, fitted to what was measured, and held against it.

use clap::Subcommand;
use record::ExitCode;

mod check;
mod fit;
mod plan;
mod predict;
mod serve;
pub(crate) mod source;

#[derive(Debug, Subcommand)]
pub(crate) enum SimVerb {
    /// Serve the simulated Spark over HTTP, for any OpenAI client
    ///
    /// It answers in real time until it is interrupted.
    Serve(serve::ServerArgs),
    /// Fit a simulated engine to a measured run
    ///
    /// The closed loops of the run (a fixed number of concurrent requests) are served by the simulation until its step costs explain them.
    /// The file that --out writes is read by `sim serve --params`, `sim predict --params` and `bench --simulated-params`.
    Fit(fit::FitArgs),
    /// Forecast the workloads on a described or fitted engine
    ///
    /// Prints the median and 95th percentile of the time to first token (TTFT), and the decode and output rates in tokens per second.
    Predict(predict::PredictArgs),
    /// Forecast which models serve a number of users
    ///
    /// Prints for each described model its memory, time to first token (TTFT), tokens per second, and the most users that it serves within the
    /// limit.
    Plan(plan::PlanArgs),
    /// Compare forecasts with published runs
    ///
    /// Each run is fitted to its closed loops (a fixed number of concurrent requests); its open loops (requests at a given rate) are then
    /// forecast and compared with what was measured.
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
