//! `sim`: the simulated Spark as a server that any OpenAI client can talk to.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Context;
use clap::{Args, Subcommand};
use record::ExitCode;

use crate::run_folder;

/// What can be done with the simulated Spark.
#[derive(Debug, Subcommand)]
pub(crate) enum SimVerb {
    /// Serve it over HTTP; `cargo xtask sim serve -- --help` lists its options.
    Serve(ServeArgs),
}

/// What `sim serve` takes: the server's own options, passed on as they are.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Options of the server.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Becomes the server's process, so that signals and exit code are its own.
pub(crate) fn run(verb: &SimVerb) -> anyhow::Result<ExitCode> {
    let SimVerb::Serve(args) = verb;
    let error = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--package", "fixtures", "--bin", "simulated-spark", "--"])
        .args(&args.options)
        .current_dir(run_folder::workspace())
        .exec();
    Err(error).context("cannot run cargo")
}
