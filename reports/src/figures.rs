//! A run without its raw observations: one number per trial and metric, and what is needed to trust them. It is read from a run file
//! trial by trial, so that a run of millions of chunks is judged without ever being in memory as a whole.

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

/// A run as figures.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFigures {
    /// What the run is.
    pub header: Header,
    /// Starts of the engine.
    pub boots: Vec<Boot>,
    /// Trials, in the order in which they were run.
    pub trials: Vec<TrialFigures>,
    /// How it ended; none if the file is torn.
    pub end: Option<End>,
    /// What of the file could not be read.
    pub unreadable_tail: Option<UnreadableTail>,
    /// The limits of its machine, as far as header and boots tell.
    limits: Option<Roofline>,
}

/// A trial as figures.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialFigures {
    /// What was measured.
    pub cell: Cell,
    /// Its boot.
    pub boot: u32,
    /// Its number among the trials of its cell.
    pub trial: u32,
    /// 0, or 1 where it repeats one that was invalid.
    pub attempt: u32,
    /// Its place in the run.
    pub order: u32,
    /// The plan's seed.
    pub seed: u64,
    /// The plan's digest.
    pub plan_digest: String,
    /// How long it took with its warm-up, in nanoseconds.
    pub took_ns: u64,
    /// Planned requests.
    pub attempted: u32,
    /// Those that were served.
    pub served: u32,
    /// How far it can be trusted.
    pub validity: Validity,
    /// Why.
    pub judgement: Judgement,
    /// Each metric that is defined; +inf where a percentile fell among failures.
    pub figures: BTreeMap<Metric, f64>,
    /// The server's account beside the client's.
    pub server_account: Option<ServerAccount>,
    /// How close it came to the limits of its machine.
    pub distance: Distance,
}

impl RunFigures {
    /// Reads a run file, one trial at a time.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let (header, entries) = file::open(bytes)?;
        let mut run = Self::new(header);
        for entry in entries {
            match entry {
                Ok(entry) => run.take(entry),
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
            run.push(trial);
        }
        run.end.clone_from(&record.end);
        run.unreadable_tail.clone_from(&record.unreadable_tail);
        run
    }

    fn new(header: Header) -> Self {
        let limits = Roofline::of(&header, &[]);
        Self { header, boots: Vec::new(), trials: Vec::new(), end: None, unreadable_tail: None, limits }
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Header(_) => {}
            Entry::Boot(boot) => {
                self.boots.push(*boot);
                self.limits = Roofline::of(&self.header, &self.boots);
            }
            Entry::Trial(trial) => self.push(&trial),
            Entry::End(end) => self.end = Some(end),
        }
    }

    fn push(&mut self, trial: &Trial) {
        let template_tokens =
            self.boots.iter().find(|boot| boot.boot == trial.boot).map_or(0, |boot| boot.sizing.template_tokens);
        let earlier = self.trials.iter().filter(|other| other.cell == trial.cell);
        let instrument = self.header.instrument.as_ref();
        let figures = TrialFigures::of(trial, earlier, template_tokens, self.limits.as_ref(), instrument);
        self.trials.push(figures);
    }
}

impl TrialFigures {
    /// The figures of a trial. `earlier` are those of its cell before it; `template_tokens` is what the chat template adds, by its boot;
    /// `limits` are those of its machine and `instrument` the client's own errors, where they are known.
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
