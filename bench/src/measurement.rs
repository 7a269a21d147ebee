//! What is measured, on which engine, written where: one run, or two in turns.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use harness::{
    clock::Clock,
    drive::DriveLimits,
    engine::Engine,
    journal::Journal,
    progress::{Progress, TerminalProgress, format_duration},
    session::{RunError, RunInProgress, Session, exclude_cells, exclude_cells_of_both, run as run_session, run_interleaved},
    sizing::TokenizerFile,
};
use record::{Cell, EndReason, Header, Interleaving, Launch, Machine, Profile, Recipe, Side, Trial};
use reports::{figures::TrialFigures, roofline::Roofline, statistics::abba, validity::Validity};
use workloads::{Speeds, estimate_s};

use crate::{BenchError, UsageError, setup::Setup, terminal::say};

/// Longest trial. An engine with a single slot needs hours for the widest cells, and slow is no error; one that is dead is noticed
/// otherwise.
const TRIAL_LIMIT_S: u64 = 6 * 3600;
/// Longest request, unless the recipe says otherwise: in an overload it may wait for hundreds of others.
const REQUEST_LIMIT_S: u32 = 2 * 3600;

/// What a run must know of its engine beforehand.
pub(crate) struct EngineFacts {
    /// The recipe as it is used.
    pub(crate) recipe: Recipe,
    /// The machine that the engine runs on.
    pub(crate) machine: Machine,
    /// The model's tokenizer, if given.
    pub(crate) tokenizer: Option<PathBuf>,
}

/// An engine that is measured, with the facts that its record needs.
pub(crate) struct EngineUnderTest<'e, E> {
    pub(crate) engine: &'e mut E,
    pub(crate) facts: EngineFacts,
}

/// Where a side of a pair lies in the run's folder.
pub(crate) fn side_folder(out_dir: &Path, side: Side) -> PathBuf {
    out_dir.join(side.as_str())
}

impl Setup {
    /// Measures one engine to the end of the run.
    pub(crate) async fn measure<E: Engine, C: Clock>(
        &self,
        engine_under_test: EngineUnderTest<'_, E>,
        clock: &C,
    ) -> Result<EndReason, BenchError> {
        let EngineUnderTest { engine, facts } = engine_under_test;
        if engine.launch() == Launch::Attach && self.request.boots.is_some_and(|boots| boots > 1) {
            let why = "a server that was attached to cannot be booted again: use --trials instead of --boots";
            return Err(UsageError(why.to_owned()).into());
        }
        self.check_pinned(&facts.recipe)?;
        let (cells, left_out) = exclude_cells(&self.suite, self.cells.clone(), facts.recipe.model.max_context);
        let header = self.header(engine.launch(), &facts, &cells, left_out)?;
        self.announce(&header, &cells, 1);
        check_cells_left(&cells)?;
        let bar = TerminalProgress::new(trials(&header));
        let is_valid = validity_check(&header);
        let session = self.session(header, cells, &facts, clock, &bar, &is_valid)?;
        let mut journal = Journal::create(&self.request.out_dir).map_err(RunError::from)?;
        Ok(run_session(engine, &session, &mut journal).await?)
    }

    /// Measures two engines in turns, boot by boot, each into a record of its own.
    pub(crate) async fn measure_both<B: Engine, D: Engine, C: Clock>(
        &self,
        baseline: EngineUnderTest<'_, B>,
        candidate: EngineUnderTest<'_, D>,
        clock: &C,
    ) -> Result<EndReason, BenchError> {
        self.check_pinned(&baseline.facts.recipe)?;
        self.check_pinned(&candidate.facts.recipe)?;
        let contexts = [&baseline.facts, &candidate.facts].map(|facts| facts.recipe.model.max_context);
        let (cells, [left_out, candidate_left_out]) = exclude_cells_of_both(&self.suite, self.cells.clone(), contexts);
        let mut baseline_header = self.header(baseline.engine.launch(), &baseline.facts, &cells, left_out)?;
        let mut candidate_header = self.header(candidate.engine.launch(), &candidate.facts, &cells, candidate_left_out)?;
        let order = abba::order(candidate_header.boots, self.request.seed);
        for (header, side) in [(&mut baseline_header, Side::Baseline), (&mut candidate_header, Side::Candidate)] {
            header.interleaved = Some(Interleaving { pair: self.pair_name(), side, order: order.clone() });
        }
        self.announce(&candidate_header, &cells, 2);
        check_cells_left(&cells)?;
        let bar = TerminalProgress::new(trials(&baseline_header) + trials(&candidate_header));
        let (is_valid_baseline, is_valid_candidate) = (validity_check(&baseline_header), validity_check(&candidate_header));
        let baseline_session = self.session(baseline_header, cells.clone(), &baseline.facts, clock, &bar, &is_valid_baseline)?;
        let candidate_session = self.session(candidate_header, cells, &candidate.facts, clock, &bar, &is_valid_candidate)?;
        let journal = |side| Journal::create(&side_folder(&self.request.out_dir, side)).map_err(RunError::from);
        let (mut baseline_journal, mut candidate_journal) = (journal(Side::Baseline)?, journal(Side::Candidate)?);
        Ok(run_interleaved(
            RunInProgress::new(baseline.engine, &baseline_session, &mut baseline_journal),
            RunInProgress::new(candidate.engine, &candidate_session, &mut candidate_journal),
            &order,
        )
        .await?)
    }

    /// Names a pair without saying where on this machine it lies.
    fn pair_name(&self) -> String {
        let folder = self.request.out_dir.file_name().unwrap_or_default().to_string_lossy();
        format!("{folder}/{}/{}", self.request.seed, self.request.first_boot)
    }

    fn session<'s, C: Clock>(
        &'s self,
        header: Header,
        cells: Vec<Cell>,
        facts: &EngineFacts,
        clock: &'s C,
        progress: &'s dyn Progress,
        is_valid: &'s dyn Fn(&Trial, u32) -> bool,
    ) -> Result<Session<'s, C>, BenchError> {
        let request_s = facts.recipe.limits.request_timeout_s.unwrap_or(REQUEST_LIMIT_S);
        Ok(Session {
            real_time: header.launch != Launch::Simulated,
            header,
            cells,
            suite: &self.suite,
            clock,
            tokenizer: facts.tokenizer.as_deref().map(TokenizerFile::read).transpose()?,
            limits: DriveLimits {
                request_ns: u64::from(request_s) * 1_000_000_000,
                trial_ns: TRIAL_LIMIT_S * 1_000_000_000,
                collect_text: false,
            },
            is_valid,
            progress,
            stop: self.stop.clone(),
        })
    }

    /// A verdict must still mean something when the same recipe is booted next year.
    fn check_pinned(&self, recipe: &Recipe) -> Result<(), UsageError> {
        let unpinned = recipe.unpinned();
        let is_verdict = matches!(self.request.profile, Profile::Standard | Profile::Full);
        if !is_verdict || self.request.allow_unpinned || unpinned.is_empty() {
            return Ok(());
        }
        Err(UsageError(format!(
            "recipe `{name}` is not pinned: {why}; a {profile} run could not be repeated with the same engine. Pin it with \
             `sparkgauge recipe pin {name}`, or say --allow-unpinned and the report will say so",
            name = recipe.name,
            why = unpinned.join("; "),
            profile = self.request.profile
        )))
    }

    fn header(
        &self,
        launch: Launch,
        facts: &EngineFacts,
        cells: &[Cell],
        left_out: BTreeMap<String, String>,
    ) -> Result<Header, UsageError> {
        let request = &self.request;
        let defaults = workloads::defaults(request.profile);
        let (boots, trials_per_boot) = match launch {
            Launch::Attach => (1, defaults.boots * defaults.trials_per_boot),
            _ => (defaults.boots, defaults.trials_per_boot),
        };
        let (boots, trials_per_boot) = (request.boots.unwrap_or(boots), request.trials.unwrap_or(trials_per_boot));
        let after_last = request.first_boot.checked_add(boots).and_then(|boot| boot.checked_mul(trials_per_boot));
        after_last.ok_or_else(|| {
            UsageError(format!("boot {} is one too many: trials would be numbered past 32 bits", request.first_boot))
        })?;
        Ok(Header {
            schema_version: record::SCHEMA_VERSION,
            harness_version: env!("CARGO_PKG_VERSION").to_owned(),
            harness_commit: request.commit.clone(),
            command: request.command.clone(),
            started_unix_s: (launch != Launch::Simulated).then(harness::clock::unix_s),
            launch,
            recipe: facts.recipe.clone(),
            machine: facts.machine.clone(),
            profile: request.profile,
            suite: workloads::SUITE.to_owned(),
            suite_version: workloads::SUITE_VERSION,
            workload_hashes: cells.iter().map(|cell| (cell.workload.clone(), cell.workload_hash.clone())).collect(),
            seed: request.seed,
            boots,
            first_boot: request.first_boot,
            trials_per_boot,
            cells: cells.iter().map(Cell::name).collect(),
            left_out,
            unpinned: facts.recipe.unpinned(),
            gates: workloads::gates(cells),
            interleaved: None,
            cores: self.cores.clone(),
            sharegpt_lengths: self.suite.recorded.describe(),
            // Virtual time has no instrument.
            instrument: request.instrument.clone().filter(|_| launch != Launch::Simulated),
        })
    }

    /// Says what will be measured, on how many sides.
    fn announce(&self, header: &Header, cells: &[Cell], sides: u8) {
        let speeds: &Speeds = &self.suite.speeds;
        let planned_s = f64::from(sides) * estimate_s(cells, header.boots, header.trials_per_boot, speeds);
        let each = if sides > 1 { " on either side, in turns" } else { "" };
        let (boots, trials) = (header.boots, header.trials_per_boot);
        let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let cells_boots = format!("{}, {}", count(cells.len(), "cell"), count(boots as usize, "boot"));
        let what = format!("{}: {cells_boots} of {} each{each}", header.profile, count(trials as usize, "trial"));
        if header.launch == Launch::Simulated {
            say(&format!(
                "{what}; about {} of virtual time, on the SIMULATED Spark: no engine is measured",
                format_duration(planned_s)
            ));
        } else {
            say(&format!("{what}; planned for about {} on a Spark", format_duration(planned_s)));
        }
        for (cell, why) in &header.left_out {
            say(&format!("left out: {cell}: {why}"));
        }
    }
}

/// Whether a trial can be trusted by itself, on the machine and with the model of that header.
fn validity_check(header: &Header) -> impl Fn(&Trial, u32) -> bool + use<> {
    let limits = Roofline::of(header, &[]);
    let instrument = header.instrument.clone();
    move |trial, template_tokens| {
        let figures = TrialFigures::of(trial, [], template_tokens, limits.as_ref(), instrument.as_ref());
        figures.validity != Validity::Invalid
    }
}

fn check_cells_left(cells: &[Cell]) -> Result<(), UsageError> {
    if cells.is_empty() {
        return Err(UsageError("no cell is left to measure: the model's context holds none of them".to_owned()));
    }
    Ok(())
}

fn trials(header: &Header) -> u32 {
    header.boots * header.trials_per_boot * u32::try_from(header.cells.len()).unwrap_or(u32::MAX)
}
