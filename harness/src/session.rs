//! A run: boots, and in each boot the trials, written down one by one.

use futures_util::future::{self, Either};
use record::{Cell, EndReason, ExitCode, Header, Side, Trial};

use crate::{
    clock::Clock,
    drive::DriveLimits,
    engine::{Engine, EngineError, EngineInstance},
    journal::{Journal, JournalError},
    progress::Progress,
    sizing::TokenizerFile,
    stop::StopToken,
    suite::{Suite, SuiteError},
};

mod boot;
mod context;
mod interleaved;
mod progress_estimate;
mod run_in_progress;
mod trial;

pub use context::{exclude_cells, exclude_cells_of_both};
pub use interleaved::run_interleaved;
pub use run_in_progress::RunInProgress;

use progress_estimate::ProgressEstimate;

/// A run that could not go on. What was measured before is in the record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A plan could not be made.
    #[error("{cell}: cannot be planned: {why}")]
    Plan { cell: String, why: SuiteError },
    /// The engine ended in the middle of a trial.
    #[error("the engine ended during {cell}: {how}\n{log_tail}")]
    EngineExited {
        cell: String,
        how: String,
        /// The last lines of its log.
        log_tail: String,
    },
    /// One of two runs that were made together.
    #[error("the {side}: {error}")]
    Side {
        side: Side,
        /// Why it could not go on.
        error: Box<Self>,
    },
}

impl RunError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Journal(_) | Self::EngineExited { .. } => ExitCode::Engine,
            Self::Plan { .. } => ExitCode::Usage,
            Self::Side { error, .. } => error.exit_code(),
        }
    }

    /// Whether a person or a signal is the reason, so that nothing is wrong.
    fn is_interrupt(&self) -> bool {
        match self {
            Self::Engine(EngineError::Interrupted) => true,
            Self::Side { error, .. } => error.is_interrupt(),
            _ => false,
        }
    }
}

/// The configuration of a run.
pub struct Session<'a, C> {
    /// The record's first entry.
    pub header: Header,
    /// The cells to measure, in order.
    pub cells: Vec<Cell>,
    /// Where plans come from.
    pub suite: &'a dyn Suite,
    pub clock: &'a C,
    /// The model's tokenizer, if given.
    pub tokenizer: Option<TokenizerFile>,
    /// Limits of each trial.
    pub limits: DriveLimits,
    /// Whether a trial can be trusted, given the tokens that the chat template adds in its boot. One that cannot is repeated once, with
    /// its seed; both stay in the record. The harness itself judges nothing.
    pub is_valid: &'a dyn Fn(&Trial, u32) -> bool,
    /// Receives the run's events.
    pub progress: &'a dyn Progress,
    /// Requests that the run stops.
    pub stop: StopToken,
    /// False in virtual time, where the instrument has no cost.
    pub real_time: bool,
}

/// Executes a run. The record always says how it ended; an error says why it could not go on.
pub async fn run<E: Engine, C: Clock>(
    engine: &mut E,
    session: &Session<'_, C>,
    journal: &mut Journal,
) -> Result<EndReason, RunError> {
    let mut in_progress = RunInProgress::new(engine, session, journal);
    let made = make_boots(&mut in_progress, &mut ProgressEstimate::new(&[session])).await;
    session.progress.ended();
    let reason = end_reason(&made, &session.stop, ToString::to_string);
    let written = in_progress.end(reason.clone());
    conclude(made, written, reason)
}

async fn make_boots<E: Engine, C: Clock>(
    in_progress: &mut RunInProgress<'_, E, C>,
    estimate: &mut ProgressEstimate,
) -> Result<(), RunError> {
    in_progress.begin()?;
    for _ in 0..in_progress.session().header.boots {
        if in_progress.session().stop.is_requested() {
            break;
        }
        in_progress.boot(estimate).await?;
    }
    Ok(())
}

/// The reason for a run's end. `in_words` describes an error for its record.
fn end_reason(made: &Result<(), RunError>, stop: &StopToken, in_words: impl FnOnce(&RunError) -> String) -> EndReason {
    match made {
        Ok(()) if stop.is_requested() => EndReason::Interrupted,
        Ok(()) => EndReason::Finished,
        Err(error) if error.is_interrupt() => EndReason::Interrupted,
        Err(error) => EndReason::Failed { detail: in_words(error) },
    }
}

/// The result of a run for its caller: the error that ended it comes before one of writing its end.
fn conclude(made: Result<(), RunError>, written: Result<(), RunError>, reason: EndReason) -> Result<EndReason, RunError> {
    match made {
        Err(error) if !error.is_interrupt() => Err(error),
        _ => written.map(|()| reason),
    }
}

/// Why something under way must be given up.
enum AbortCause {
    Interrupted,
    EngineExited(String),
}

async fn abort_cause<R: EngineInstance, C: Clock>(running: &R, session: &Session<'_, C>) -> AbortCause {
    match future::select(Box::pin(session.stop.wait()), Box::pin(running.died())).await {
        Either::Left(_) => AbortCause::Interrupted,
        Either::Right((how, _)) => AbortCause::EngineExited(how),
    }
}
