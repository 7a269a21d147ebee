//! The figures of a run without its raw observations: one number per trial and metric, with the validity of each trial. A run file is read trial by
//! trial, so that a run of millions of chunks is never in memory as a whole.

use std::collections::BTreeMap;

use record::{
    Boot, Cell, End, Entry, ErrorBudget, Header, Metric, Record, Trial,
    file::{self, ReadError, UnreadableTail},
};

use crate::{
    metric::METRICS,
    metrics::{ServerAccount, TrialMetrics},
    roofline::{Distance, Roofline},
    validity::{self, Judgement, Validity},
};

/// A run reduced to one number per trial and metric.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFigures {
    pub header: Header,
    /// Starts of the engine, in order.
    pub boots: Vec<Boot>,
    /// Trials, in the order in which they were run.
    pub trials: Vec<TrialFigures>,
    /// How the run ended; none if the file is truncated.
    pub end: Option<End>,
    /// The part of the file that could not be read, if any.
    pub unreadable_tail: Option<UnreadableTail>,
    /// The limits of the machine for the model; none where one of them is not described.
    limits: Option<Roofline>,
}

/// A trial reduced to one number per metric.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialFigures {
    pub cell: Cell,
    /// The boot's number within the run, from 0.
    pub boot: u32,
    /// The trial's number within its cell, from 0.
    pub trial: u32,
    /// 0, or 1 where the trial repeats an invalid one.
    pub attempt: u32,
    /// The trial's place in the run, over all cells.
    pub order: u32,
    /// The seed of the request plan.
    pub seed: u64,
    /// The digest of the request plan: equal digests mean equal prompts.
    pub plan_digest: String,
    /// Duration of the trial and its warm-up, in nanoseconds.
    pub took_ns: u64,
    /// Requests that were planned.
    pub attempted: u32,
    /// Requests that ended as the protocol says, with at least one token.
    pub served: u32,
    /// The worst of the reasons in `judgement`.
    pub validity: Validity,
    pub judgement: Judgement,
    /// Each metric that is defined; +inf where a percentile fell among failures.
    pub figures: BTreeMap<Metric, f64>,
    /// The server's metrics of the trial with the client's counts of the same; none of a server without metrics.
    pub server_account: Option<ServerAccount>,
    /// How close the trial came to the limits of the machine; empty where they are not known.
    pub distance: Distance,
}

impl RunFigures {
    /// Reads a run file, one trial at a time.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let (header, entries) = file::open(bytes)?;
        let mut run = Self::new(header);
        for entry in entries {
            match entry {
                Ok(entry) => run.add_entry(entry),
                Err(tail) => run.unreadable_tail = Some(tail),
            }
        }
        Ok(run)
    }

    /// The figures of a record that is in memory.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let mut run = Self::new(record.header.clone());
        run.boots.clone_from(&record.boots);
        run.limits = Roofline::of(&run.header, &run.boots);
        for trial in &record.trials {
            run.add_trial(trial);
        }
        run.end.clone_from(&record.end);
        run.unreadable_tail.clone_from(&record.unreadable_tail);
        run
    }

    fn new(header: Header) -> Self {
        let limits = Roofline::of(&header, &[]);
        Self { header, boots: Vec::new(), trials: Vec::new(), end: None, unreadable_tail: None, limits }
    }

    fn add_entry(&mut self, entry: Entry) {
        match entry {
            Entry::Header(_) => {}
            Entry::Boot(boot) => {
                self.boots.push(*boot);
                self.limits = Roofline::of(&self.header, &self.boots);
            }
            Entry::Trial(trial) => self.add_trial(&trial),
            Entry::End(end) => self.end = Some(end),
        }
    }

    fn add_trial(&mut self, trial: &Trial) {
        let template_tokens =
            self.boots.iter().find(|boot| boot.boot == trial.boot).map_or(0, |boot| boot.sizing.template_tokens);
        let earlier = self.trials.iter().filter(|other| other.cell == trial.cell);
        let instrument = self.header.instrument.as_ref();
        let figures = TrialFigures::of(trial, earlier, template_tokens, self.limits.as_ref(), instrument);
        self.trials.push(figures);
    }
}

impl TrialFigures {
    /// The figures of a trial. `earlier` are the figures of the trials of its cell before it; `template_tokens` is the number of tokens that the chat
    /// template adds, by the boot; `limits` are the limits of the machine and `instrument` the measured errors of the client, where they are known.
    pub fn of<'f>(
        trial: &Trial,
        earlier: impl IntoIterator<Item = &'f Self>,
        template_tokens: u32,
        limits: Option<&Roofline>,
        instrument: Option<&ErrorBudget>,
    ) -> Self {
        let metrics = TrialMetrics::of(trial);
        let mut judgement = validity::judge(trial, &metrics, template_tokens, instrument);
        let server_account = ServerAccount::of(trial);
        let distance = limits.map(|limits| limits.distance(trial, server_account.as_ref())).unwrap_or_default();
        judgement.reasons.extend(limits.map(|limits| validity::judge_distance(&distance, limits)).unwrap_or_default());
        let plans = earlier.into_iter().map(|other| (other.trial, other.plan_digest.as_str()));
        judgement.reasons.extend(validity::judge_repetition(trial, plans));
        let figures = METRICS.iter().filter_map(|row| Some((row.id, (row.value)(&metrics)?))).collect();
        Self {
            cell: trial.cell.clone(),
            boot: trial.boot,
            trial: trial.trial,
            attempt: trial.attempt,
            order: trial.order,
            seed: trial.seed,
            plan_digest: trial.plan_digest.clone(),
            took_ns: trial.warm_up.duration_ns.saturating_add(trial.duration_ns),
            attempted: metrics.attempted,
            served: metrics.served,
            validity: judgement.validity(),
            judgement,
            figures,
            server_account,
            distance,
        }
    }
}
