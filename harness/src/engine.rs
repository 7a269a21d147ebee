//! Engines: how a server comes to run, how it is known to be ready, and how it is put away.
//!
//! `process` spawns one from a recipe, `attach` finds one that runs. The simulated Spark implements the same two traits in
//! `fixtures`; containers will be a third module here.

pub mod attach;
pub mod log;
pub mod placeholders;
pub mod process;
pub mod readiness;

use record::{Cell, ExitCode, Launch};

use crate::endpoint::{Endpoint, EndpointError};

/// Something that can be started again and again.
pub trait Engine {
    /// What a start gives.
    type Running: Running;

    /// How it comes to run.
    fn launch(&self) -> Launch;

    /// Starts it, without waiting until it is ready. `boot` counts from 0.
    fn start(&mut self, boot: u32) -> impl Future<Output = Result<Self::Running, EngineError>>;
}

/// An engine that was started.
pub trait Running {
    /// Where it answers.
    type Endpoint: Endpoint;

    /// Where it answers.
    fn endpoint(&self) -> &Self::Endpoint;

    /// The command line as it was run, as a record may show it.
    fn command(&self) -> &[String];

    /// Resolves, with how, when the engine ends by itself; never for one that is not ours.
    fn died(&self) -> impl Future<Output = String>;

    /// The last lines of its log, secrets redacted; empty where there is none.
    fn log_tail(&self) -> String;

    /// Gets ready for a trial of this cell: whether its prompts may come from the cache, which noise a simulation draws.
    fn begin_trial(&self, cell: &Cell, order: u32) -> impl Future<Output = ()>;

    /// Opens the connections that the trial will use, just before it: the clock must not pay for them.
    fn open_connections(&self, cell: &Cell) -> impl Future<Output = ()>;

    /// Stops it: gracefully, then by force. Returns how it went, in words.
    fn stop(self) -> impl Future<Output = String>;
}

/// An engine that could not be started, or that cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The recipe asks for something that is not there.
    #[error("recipe `{recipe}`: {why}")]
    Recipe {
        /// The recipe's name.
        recipe: String,
        /// What is missing, and what to do.
        why: String,
    },
    /// The port is taken.
    #[error(
        "port {port} of 127.0.0.1 is in use: stop what listens there, or set `port = 0` in [process] to have a free one chosen"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The program cannot be run.
    #[error("cannot run `{program}`: {why}")]
    Spawn {
        /// The program.
        program: String,
        /// Why.
        why: String,
    },
    /// It ended before it was ready.
    #[error("the engine ended before it was ready: {how}\n{log_tail}")]
    Exited {
        /// How it ended.
        how: String,
        /// The last lines of its log.
        log_tail: String,
    },
    /// It did not answer with a token in time.
    #[error(
        "the engine gave no token within {timeout_s} s (raise [ready] timeout_s if it only needs longer); last answer: {last}\n{log_tail}"
    )]
    NeverReady {
        /// The limit.
        timeout_s: u32,
        /// What it said last.
        last: String,
        /// The last lines of its log.
        log_tail: String,
    },
    /// It answers, but not to this request, and waiting will not change that.
    #[error("the engine refuses a one-token request for model `{model}`: {answer}{hint}")]
    Refuses {
        /// The model that was asked for.
        model: String,
        /// Its answer.
        answer: String,
        /// What may help.
        hint: String,
    },
    /// Its output is garbage.
    #[error("the engine's output failed the sanity check, so nothing was timed: {why}")]
    Insane {
        /// What was seen.
        why: String,
    },
    /// Prompts cannot be sized.
    #[error("prompts cannot be sized: {why}")]
    Sizing {
        /// Why, and what to do.
        why: String,
    },
    /// A question outside any trial failed.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A person or a signal stopped us meanwhile.
    #[error("interrupted")]
    Interrupted,
}

impl EngineError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Recipe { .. } => ExitCode::Usage,
            Self::Interrupted => ExitCode::Interrupted,
            _ => ExitCode::Engine,
        }
    }
}

/// Connections that a cell's trial is begun with: one per stream; for an open loop enough for an ordinary morning, since nobody knows
/// beforehand how many requests an engine lets pile up.
fn connections(cell: &Cell) -> usize {
    const OPEN_LOOP: u32 = 32;
    cell.load.target_in_flight().unwrap_or(OPEN_LOOP.min(cell.load.requests())) as usize
}
