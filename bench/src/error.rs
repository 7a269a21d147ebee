//! What keeps a run from being made.

use std::path::PathBuf;

use harness::{
    endpoint::EndpointError,
    engine::{DockerError, EngineError},
    run_lock::RunLockError,
    session::RunError,
};
use record::ExitCode;

/// The command line, a recipe or a file that they name asks for something that cannot be: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl UsageError {
    /// From an error that says of a person's choice why it cannot be.
    #[must_use]
    pub fn because(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What keeps a run from being made, or from going on. What was measured before is in its record.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// It was asked for something that cannot be.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The folder holds a run already.
    #[error("{} holds a run already, and a run is never written over", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// This build lacks a part that is needed.
    #[error("{what}, and this build of Sparkgauge has no part that {does}: `cargo install --path sparkgauge` builds it whole")]
    NotBuiltIn {
        /// What needs it.
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
    /// The operating system.
    #[error("{what}: {why}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// Its answer.
        why: std::io::Error,
    },
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
