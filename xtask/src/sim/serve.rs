//! `sim serve`: the simulated Spark over HTTP.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Context;
use clap::Args;
use record::ExitCode;

use crate::run_folder;

/// What `sim serve` takes: the server's own options, passed on as they are.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Options of the server.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

/// Becomes the server's process, so that signals and exit code are its own.
pub(super) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let error = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--release", "--package", "fixtures", "--bin", "simulated-spark", "--"])
        .args(&args.options)
        .current_dir(run_folder::workspace())
        .exec();
    Err(error).context("cannot run cargo")
}
