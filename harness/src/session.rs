//! A run: boots, and in each boot the trials, written down one by one.

use futures_util::future::{self, Either};
use record::{Cell, End, EndReason, Entry, ExitCode, Header};

use crate::{
    clock::Clock,
    drive::DriveLimits,
    engine::{Engine, EngineError, Running},
    journal::{Journal, JournalError},
    progress::Progress,
    sizing::TokenizerFile,
    stop::Stop,
    suite::Suite,
};

mod boot;
mod context;
mod pace;
mod trial;

pub use context::leave_out;

use boot::{Began, prepare};
use pace::Pace;
use trial::{Place, run_trial};

/// A run that could not go on. What was measured before is in the record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The disk.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A plan could not be made.
    #[error("{cell}: cannot be planned: {why}")]
    Plan {
        /// The cell.
        cell: String,
        /// Why.
        why: String,
    },
    /// The engine ended in the middle of a trial.
    #[error("the engine ended during {cell}: {how}\n{log_tail}")]
    Died {
        /// The cell.
        cell: String,
        /// How it ended.
        how: String,
        /// The last lines of its log.
        log_tail: String,
    },
}

impl RunError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Journal(_) | Self::Died { .. } => ExitCode::Engine,
            Self::Plan { .. } => ExitCode::Usage,
        }
    }
}

/// What a run is made of.
pub struct Session<'a, C> {
    /// The record's first entry.
    pub header: Header,
    /// What is measured, in order.
    pub cells: Vec<Cell>,
    /// Where plans come from.
    pub suite: &'a dyn Suite,
    /// Time.
    pub clock: &'a C,
    /// The model's tokenizer, if given.
    pub tokenizer: Option<TokenizerFile>,
    /// Limits of each trial.
    pub limits: DriveLimits,
    /// Who is told what happens.
    pub progress: &'a dyn Progress,
    /// The wish to stop.
    pub stop: Stop,
    /// False in virtual time, where the instrument has no cost.
    pub real_time: bool,
}

/// Makes a run. The record says how it ended, whatever happens; an error says why it could not go on.
pub async fn run<E: Engine, C: Clock>(
    engine: &mut E,
    session: &Session<'_, C>,
    journal: &mut Journal,
) -> Result<EndReason, RunError> {
    journal.append(&Entry::Header(Box::new(session.header.clone())))?;
    let mut engine_stop = None;
    let made = run_boots(engine, session, journal, &mut engine_stop).await;
    session.progress.ended();
    let reason = match &made {
        Ok(()) if session.stop.is_told() => EndReason::Interrupted,
        Ok(()) => EndReason::Finished,
        Err(RunError::Engine(EngineError::Interrupted)) => EndReason::Interrupted,
        Err(error) => EndReason::Failed { detail: error.to_string() },
    };
    let written = journal.append(&Entry::End(End { reason: reason.clone(), engine_stop }));
    match made {
        Err(RunError::Engine(EngineError::Interrupted)) => {}
        made => made?,
    }
    written?;
    Ok(reason)
}

async fn run_boots<E: Engine, C: Clock>(
    engine: &mut E,
    session: &Session<'_, C>,
    journal: &mut Journal,
    engine_stop: &mut Option<String>,
) -> Result<(), RunError> {
    let mut pace = Pace::new(session);
    for boot in 0..session.header.boots {
        if session.stop.is_told() {
            break;
        }
        session.progress.boot_started(boot, session.header.boots);
        let began = Began::now(session.clock);
        let running = engine.start(boot).await?;
        let made = run_boot(&running, session, journal, (boot, began), &mut pace).await;
        session.progress.stopping();
        let stopped = running.stop().await;
        *engine_stop = Some(match engine_stop.take() {
            Some(before) => format!("{before}; boot {boot}: {stopped}"),
            None => format!("boot {boot}: {stopped}"),
        });
        made?;
    }
    Ok(())
}

async fn run_boot<R: Running, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    journal: &mut Journal,
    (boot, began): (u32, Began),
    pace: &mut Pace,
) -> Result<(), RunError> {
    let sized = prepare(running, session, journal, boot, &began).await?;
    let order = session.suite.boot_order(session.header.seed, boot, &session.cells);
    for round in 0..session.header.trials_per_boot {
        for cell in order.iter().filter_map(|&cell| session.cells.get(cell)) {
            if session.stop.is_told() {
                return Ok(());
            }
            let trial = boot * session.header.trials_per_boot + round;
            run_trial(running, session, journal, &sized, &Place { cell, boot, trial, order: pace.order }).await?;
            pace.step(session, cell);
        }
    }
    Ok(())
}

/// Why something under way must be given up.
enum GivenUp {
    Interrupted,
    Died(String),
}

async fn given_up<R: Running, C: Clock>(running: &R, session: &Session<'_, C>) -> GivenUp {
    match future::select(Box::pin(session.stop.wait()), Box::pin(running.died())).await {
        Either::Left(_) => GivenUp::Interrupted,
        Either::Right((how, _)) => GivenUp::Died(how),
    }
}
