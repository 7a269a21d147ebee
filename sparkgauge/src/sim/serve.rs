//! `sim serve`: the simulated Spark over HTTP.

use fixtures::server::program;
use record::ExitCode;

pub(super) use program::ServerArgs;

pub(super) fn run(args: &ServerArgs) -> anyhow::Result<ExitCode> {
    program::run(args.clone())?;
    Ok(ExitCode::Success)
}
