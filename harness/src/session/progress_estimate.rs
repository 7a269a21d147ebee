//! How far a run is, or two that are made together.

use record::Cell;

use super::Session;
use crate::clock::Clock;

/// Progress and time left: the planned seconds of finished trials against the seconds that they took. A repetition takes
/// its time, and is no further trial.
pub(super) struct ProgressEstimate {
    started_ns: u64,
    planned_s: f64,
    done_s: f64,
    trials: u32,
    trials_ended: u32,
    boots: u32,
    boots_begun: u32,
}

impl ProgressEstimate {
    /// Over all runs that are made together.
    pub(super) fn new<C: Clock>(sessions: &[&Session<'_, C>]) -> Self {
        let started_ns = sessions.first().map_or(0, |session| session.clock.now_ns());
        let mut estimate = Self { started_ns, planned_s: 0.0, done_s: 0.0, trials: 0, trials_ended: 0, boots: 0, boots_begun: 0 };
        for session in sessions {
            let once_s: f64 = session.cells.iter().map(|cell| session.suite.estimate_s(cell)).sum();
            let times = session.header.boots * session.header.trials_per_boot;
            estimate.planned_s += once_s * f64::from(times);
            estimate.trials += times * u32::try_from(session.cells.len()).unwrap_or(u32::MAX);
            estimate.boots += session.header.boots;
        }
        estimate
    }

    pub(super) fn boot_started<C>(&mut self, session: &Session<'_, C>) {
        session.progress.boot_started(self.boots_begun, self.boots);
        self.boots_begun += 1;
    }

    pub(super) fn trial_started<C>(&self, session: &Session<'_, C>, cell: &Cell) {
        session.progress.trial_started(cell, self.trials_ended, self.trials);
    }

    pub(super) fn trial_ended<C: Clock>(&mut self, session: &Session<'_, C>, cell: &Cell) {
        self.trials_ended += 1;
        self.done_s += session.suite.estimate_s(cell);
        let took_s = session.clock.now_ns().saturating_sub(self.started_ns) as f64 / 1e9;
        let left_s = if self.done_s > 0.0 { took_s * (self.planned_s - self.done_s) / self.done_s } else { 0.0 };
        session.progress.trial_ended(left_s);
    }
}
