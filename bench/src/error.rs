//! What keeps a run from being made.

use std::path::PathBuf;

use harness::{
    endpoint::EndpointError,
    engine::{DockerError, EngineError},
    run_lock::RunLockError,
    session::RunError,
};
use record::ExitCode;

/// The command line, a recipe or a file that they name is invalid: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl UsageError {
    /// From the error that explains what is invalid.
    #[must_use]
    pub fn because(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What keeps a run from being made, or from going on. What was measured before is in its record.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The request or a recipe contradicts itself or names something that does not exist.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The folder holds a run already.
    #[error("{} holds a run already, and a run is never written over", folder.display())]
    Exists { folder: PathBuf },
    /// This build lacks a feature that is needed.
    #[error("{what}, and this build of Sparkgauge has no part that {does}: `cargo install --path sparkgauge` builds it whole")]
    NotBuiltIn {
        /// The recipe or file that needs it, as the subject of the message.
        what: String,
        /// What the part does.
        does: &'static str,
    },
    /// The run, or its engine's boot.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A question to an endpoint.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The lock of this machine.
    #[error(transparent)]
    Lock(#[from] RunLockError),
    /// A call of the operating system that failed.
    #[error("{what}: {why}")]
    System { what: &'static str, why: std::io::Error },
    /// Virtual time came to an end before the run did: a fault of the simulation.
    #[error(transparent)]
    VirtualTime(#[from] fixtures::virtual_time::Deadlock),
}

impl BenchError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::Usage,
            Self::NotBuiltIn { .. } => ExitCode::NotBuiltIn,
            Self::Run(error) => error.exit_code(),
            Self::Lock(error) => error.exit_code(),
            Self::Exists { .. } | Self::Endpoint(_) | Self::System { .. } | Self::VirtualTime(_) => ExitCode::Engine,
        }
    }
}

impl From<EngineError> for BenchError {
    fn from(error: EngineError) -> Self {
        Self::Run(RunError::Engine(error))
    }
}

impl From<DockerError> for BenchError {
    fn from(error: DockerError) -> Self {
        EngineError::Docker(error).into()
    }
}
