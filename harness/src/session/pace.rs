//! How far a run is.

use record::Cell;

use super::Session;
use crate::clock::Clock;

/// How far the run is, for the time that is left: the planned seconds of what is done against the seconds that it took.
pub(super) struct Pace {
    started_ns: u64,
    planned_s: f64,
    done_s: f64,
    /// Trials so far.
    pub(super) order: u32,
}

impl Pace {
    pub(super) fn new<C: Clock>(session: &Session<'_, C>) -> Self {
        let once: f64 = session.cells.iter().map(|cell| session.suite.estimate_s(cell)).sum();
        let times = f64::from(session.header.boots * session.header.trials_per_boot);
        Self { started_ns: session.clock.now_ns(), planned_s: once * times, done_s: 0.0, order: 0 }
    }

    pub(super) fn trials<C>(session: &Session<'_, C>) -> u32 {
        let cells = u32::try_from(session.cells.len()).unwrap_or(u32::MAX);
        session.header.boots * session.header.trials_per_boot * cells
    }

    pub(super) fn step<C: Clock>(&mut self, session: &Session<'_, C>, cell: &Cell) {
        self.order += 1;
        self.done_s += session.suite.estimate_s(cell);
        let took_s = session.clock.now_ns().saturating_sub(self.started_ns) as f64 / 1e9;
        let left_s = if self.done_s > 0.0 { took_s * (self.planned_s - self.done_s) / self.done_s } else { 0.0 };
        session.progress.trial_ended(left_s);
    }
}
