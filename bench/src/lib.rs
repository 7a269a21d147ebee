//! The composition root: a [`RunRequest`] in, a record on the disk and a [`RunOutcome`] out.
//!
//! What the product does when it measures is decided here and nowhere else: which engine a request means, what of the machine it needs for
//! itself, which cells are measured how often, and when a trial can be trusted. Two programs are built over it: the binary `sparkgauge`, and
//! the test target `measure`, in which the nine workloads are Rust tests. Both take the request as a file.

mod attach;
pub mod canonical;
mod engines;
mod error;
mod machine_lock;
mod measurement;
mod outcome;
mod parts;
mod real_engine;
mod recipe_engine;
mod setup;
mod signals;
pub mod terminal;

use std::{fs, path::Path};

use record::{RunRequest, file::FILE_NAME};

pub use error::{BenchError, UsageError};
pub use outcome::{RunOutcome, WorkloadOutcome};
pub use parts::check_parts;

/// Reads the request that another program wrote.
pub fn read_request(path: &Path) -> Result<RunRequest, BenchError> {
    let invalid = |why: &dyn std::fmt::Display| UsageError(format!("{} is no run request: {why}", path.display()));
    let text = fs::read(path).map_err(|error| invalid(&error))?;
    Ok(serde_json::from_slice(&text).map_err(|error| invalid(&error))?)
}

/// Measures what is asked for. SIGINT, SIGTERM, SIGHUP and SIGQUIT end it in order: the engine is stopped, the record finished.
#[must_use]
pub fn measure(request: &RunRequest) -> RunOutcome {
    terminal::set_caller(&request.command);
    if let Some(folder) =
        outcome::folders(request).into_iter().map(|(_, folder)| folder).find(|folder| folder.join(FILE_NAME).exists())
    {
        return RunOutcome::failed(BenchError::Exists { folder });
    }
    let ended = check_parts(request).and_then(|()| setup::run(request));
    RunOutcome::read(request, ended)
}
