//! A run in progress: one engine and its record, boot by boot.

use record::{End, EndReason, Entry};

use super::{
    ProgressEstimate, RunError, Session,
    boot::{BootStart, prepare},
    trial::{TrialSlot, run_trial},
};
use crate::{
    clock::Clock,
    engine::{Engine, EngineInstance},
    journal::Journal,
};

/// A run that is being measured. Between two boots no engine of it is up, so that another run can be interleaved with it.
pub struct RunInProgress<'a, E, C> {
    engine: &'a mut E,
    session: &'a Session<'a, C>,
    journal: &'a mut Journal,
    has_header: bool,
    boots_begun: u32,
    /// Trials so far, repetitions included.
    trials_begun: u32,
    engine_stop: Option<String>,
}

impl<'a, E: Engine, C: Clock> RunInProgress<'a, E, C> {
    /// A run of which nothing is written yet.
    pub fn new(engine: &'a mut E, session: &'a Session<'a, C>, journal: &'a mut Journal) -> Self {
        Self { engine, session, journal, has_header: false, boots_begun: 0, trials_begun: 0, engine_stop: None }
    }

    pub(super) fn session(&self) -> &'a Session<'a, C> {
        self.session
    }

    pub(super) fn begin(&mut self) -> Result<(), RunError> {
        self.journal.append(&Entry::Header(Box::new(self.session.header.clone())))?;
        self.has_header = true;
        Ok(())
    }

    /// Runs the next boot with its trials, then stops the engine, whether or not they succeeded.
    pub(super) async fn boot(&mut self, estimate: &mut ProgressEstimate) -> Result<(), RunError> {
        let session = self.session;
        let boot = session.header.first_boot + self.boots_begun;
        self.boots_begun += 1;
        estimate.boot_started(session);
        let began = BootStart::now(session.clock);
        let running = self.engine.start(boot).await?;
        let made = self.trials(&running, boot, &began, estimate).await;
        session.progress.stopping();
        let stopped = running.stop().await;
        self.engine_stop = Some(match self.engine_stop.take() {
            Some(before) => format!("{before}; boot {boot}: {stopped}"),
            None => format!("boot {boot}: {stopped}"),
        });
        made
    }

    async fn trials<R: EngineInstance>(
        &mut self,
        running: &R,
        boot: u32,
        began: &BootStart,
        estimate: &mut ProgressEstimate,
    ) -> Result<(), RunError> {
        let session = self.session;
        let sized = prepare(running, session, self.journal, boot, began).await?;
        let order = session.suite.boot_order(session.header.seed, boot, &session.cells);
        for round in 0..session.header.trials_per_boot {
            for cell in order.iter().filter_map(|&cell| session.cells.get(cell)) {
                if session.stop.is_requested() {
                    return Ok(());
                }
                estimate.trial_started(session, cell);
                let trial = boot * session.header.trials_per_boot + round;
                let first = TrialSlot { cell, boot, trial, attempt: 0, order: self.next_order() };
                let is_invalid = run_trial(running, session, self.journal, &sized, &first).await?;
                if is_invalid && !session.stop.is_requested() {
                    session.progress.trial_repeated(cell);
                    let second = TrialSlot { attempt: 1, order: self.next_order(), ..first };
                    run_trial(running, session, self.journal, &sized, &second).await?;
                }
                estimate.trial_ended(session, cell);
            }
        }
        Ok(())
    }

    fn next_order(&mut self) -> u32 {
        self.trials_begun += 1;
        self.trials_begun - 1
    }

    /// Writes why it ended; nothing where not even the header could be written.
    pub(super) fn end(&mut self, reason: EndReason) -> Result<(), RunError> {
        if !self.has_header {
            return Ok(());
        }
        Ok(self.journal.append(&Entry::End(End { reason, engine_stop: self.engine_stop.take() }))?)
    }
}
