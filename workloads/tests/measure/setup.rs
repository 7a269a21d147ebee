//! From a run request to a run: what is measured, on which engine, written where.

use std::{collections::BTreeMap, fs, sync::Arc};

use anyhow::Context;
use harness::{
    clock::Clock,
    drive::DriveLimits,
    engine::{Engine, EngineError},
    journal::Journal,
    progress::{Bar, in_words},
    session::{RunError, Session, leave_out, run as run_session},
    sizing::TokenizerFile,
    stop::{Stop, StopTeller, stop_pair},
};
use record::{Cell, EndReason, ExitCode, Header, Launch, Machine, Profile, Recipe, RunRequest, Target};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};
use workloads::{
    RecordedLengths, Speeds, estimate_s,
    sharegpt::file::{self, FileError},
};

use crate::{canonical::Canonical, engines, say};

/// Longest trial. An engine with a single slot needs hours for the widest cells, and slow is no error; one that is dead is noticed
/// otherwise.
const TRIAL_LIMIT_S: u64 = 6 * 3600;
/// Longest request, unless the recipe says otherwise: in an overload it may wait for hundreds of others.
const REQUEST_LIMIT_S: u32 = 2 * 3600;

/// What of a run does not depend on its engine.
pub(crate) struct Setup {
    request: RunRequest,
    cells: Vec<Cell>,
    suite: Canonical,
    stop: Stop,
}

/// Makes the run. The code says how it ended where no error does.
pub(crate) fn run(request: &RunRequest) -> anyhow::Result<ExitCode> {
    let (teller, stop) = stop_pair();
    let teller = Arc::new(teller);
    stop_on_signals(Arc::clone(&teller))?;
    if request.stop_at_eof {
        stop_at_eof(teller);
    }
    let recorded = recorded_lengths(request)?;
    let cells = workloads::cells(request.profile, &request.workloads).map_err(|error| Usage(error.to_string()))?;
    let cells = workloads::with_recorded_lengths(cells, &recorded);
    if request.sharegpt.is_some() && !cells.iter().any(|cell| cell.workload == "sharegpt") {
        return Err(Usage("--sharegpt is given, but workload `sharegpt` is not measured".to_owned()).into());
    }
    if request.tokenizer.is_some() && request.target == Target::Simulated {
        return Err(Usage("--tokenizer cannot be used with the simulated Spark: it counts in its own way".to_owned()).into());
    }
    let suite = Canonical { recorded, speeds: Speeds::default() };
    engines::run(&Setup { request: request.clone(), cells, suite, stop })
}

fn stop_on_signals(teller: Arc<StopTeller>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        // Once: the terminal tells us, and so does the command line's program that it told too.
        let mut said = false;
        for _ in signals.forever() {
            teller.tell();
            if !std::mem::replace(&mut said, true) {
                say("stopping: the engine is put away and the record finished");
            }
        }
    });
    Ok(())
}

/// The command line's program holds the other end of standard input. It ends also when that program is killed without a word, and then
/// nobody is left who wants this run.
fn stop_at_eof(teller: Arc<StopTeller>) {
    std::thread::spawn(move || {
        let ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        teller.tell();
        say(&format!(
            "stopping: the program that asked for this run is gone{}",
            ended.map_or_else(|error| format!(" ({error})"), |_| String::new())
        ));
    });
}

impl Setup {
    pub(crate) fn request(&self) -> &RunRequest {
        &self.request
    }

    /// Does something before the run itself, which listens by itself; an error if we are stopped meanwhile.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, EngineError> {
        tokio::select! {
            () = self.stop.wait() => Err(EngineError::Interrupted),
            done = work => Ok(done),
        }
    }

    /// Whether a person or a signal stopped us already.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_told()
    }

    /// Measures one engine to the end of the run.
    pub(crate) async fn measure<E: Engine, C: Clock>(
        &self,
        engine: &mut E,
        clock: &C,
        facts: EngineFacts,
    ) -> anyhow::Result<ExitCode> {
        if engine.launch() == Launch::Attach && self.request.boots.is_some_and(|boots| boots > 1) {
            let why = "a server that was attached to cannot be booted again: use --trials instead of --boots";
            return Err(Usage(why.to_owned()).into());
        }
        let real_time = engine.launch() != Launch::Simulated;
        self.check_pinned(&facts.recipe)?;
        let (cells, left_out) = leave_out(self.cells.clone(), facts.recipe.model.max_context);
        let header = self.header(engine.launch(), &facts, &cells, left_out, real_time);
        announce(&header, &cells, &self.suite.speeds, real_time);
        if cells.is_empty() {
            return Err(Usage("no cell is left to measure: the model's context holds none of them".to_owned()).into());
        }
        let tokenizer = facts.tokenizer.as_deref().map(TokenizerFile::read).transpose()?;
        let mut journal = Journal::create(&self.request.out_dir).map_err(RunError::from)?;
        let trials = header.boots * header.trials_per_boot * u32::try_from(cells.len())?;
        let request_s = facts.recipe.limits.request_timeout_s.unwrap_or(REQUEST_LIMIT_S);
        let session = Session {
            header,
            cells,
            suite: &self.suite,
            clock,
            tokenizer,
            limits: DriveLimits {
                request_ns: u64::from(request_s) * 1_000_000_000,
                trial_ns: TRIAL_LIMIT_S * 1_000_000_000,
                collect_text: false,
            },
            progress: &Bar::new(trials),
            stop: self.stop.clone(),
            real_time,
        };
        let reason = run_session(engine, &session, &mut journal).await?;
        Ok(if reason == EndReason::Interrupted { ExitCode::Interrupted } else { ExitCode::Fine })
    }

    /// A verdict must still mean something when the same recipe is booted next year.
    fn check_pinned(&self, recipe: &Recipe) -> Result<(), Usage> {
        let unpinned = recipe.unpinned();
        let is_verdict = matches!(self.request.profile, Profile::Standard | Profile::Full);
        if !is_verdict || self.request.allow_unpinned || unpinned.is_empty() {
            return Ok(());
        }
        Err(Usage(format!(
            "recipe `{name}` is not pinned: {why}; a {profile} run would measure what nobody can boot again. Pin it with \
             `cargo xtask recipe pin {name}`, or say --allow-unpinned and the report will say so",
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
        real_time: bool,
    ) -> Header {
        let request = &self.request;
        let defaults = workloads::defaults(request.profile);
        Header {
            schema_version: record::SCHEMA_VERSION,
            harness_version: env!("CARGO_PKG_VERSION").to_owned(),
            harness_commit: request.commit.clone(),
            command: request.command.clone(),
            started_unix_s: real_time.then(harness::clock::unix_s),
            launch,
            recipe: facts.recipe.clone(),
            machine: facts.machine.clone(),
            profile: request.profile,
            suite: workloads::SUITE.to_owned(),
            suite_version: workloads::SUITE_VERSION,
            workload_hashes: cells.iter().map(|cell| (cell.workload.clone(), cell.workload_hash.clone())).collect(),
            seed: request.seed,
            boots: request.boots.unwrap_or(if launch == Launch::Attach { 1 } else { defaults.boots }),
            trials_per_boot: request.trials.unwrap_or(if launch == Launch::Attach {
                defaults.boots * defaults.trials_per_boot
            } else {
                defaults.trials_per_boot
            }),
            cells: cells.iter().map(Cell::name).collect(),
            left_out,
            unpinned: facts.recipe.unpinned(),
            sharegpt_lengths: self.suite.recorded.describe(),
        }
    }
}

/// What a run must know of its engine beforehand.
pub(crate) struct EngineFacts {
    /// The recipe as it is used.
    pub(crate) recipe: Recipe,
    /// The machine that the engine runs on.
    pub(crate) machine: Machine,
    /// The model's tokenizer, if given.
    pub(crate) tokenizer: Option<std::path::PathBuf>,
}

fn announce(header: &Header, cells: &[Cell], speeds: &Speeds, real_time: bool) {
    let planned_s = estimate_s(cells, header.boots, header.trials_per_boot, speeds);
    let cells = cells.len();
    let (boots, trials) = (header.boots, header.trials_per_boot);
    let what = format!("{}: {cells} cells, {boots} boots of {trials} trials each", header.profile);
    if real_time {
        say(&format!("{what}; planned for about {} on a Spark", in_words(planned_s)));
    } else {
        say(&format!("{what}; about {} of virtual time, on the SIMULATED Spark: no engine is measured", in_words(planned_s)));
    }
    for (cell, why) in &header.left_out {
        say(&format!("left out: {cell}: {why}"));
    }
}

fn recorded_lengths(request: &RunRequest) -> anyhow::Result<RecordedLengths> {
    let Some((path, sha256)) = &request.sharegpt else { return Ok(RecordedLengths::Drawn) };
    let bytes = fs::read(path).with_context(|| format!("{}", path.display())).map_err(|error| Usage(format!("{error:#}")))?;
    let wrong = |error: FileError| Usage(format!("{}: {error}", path.display()));
    Ok(file::read(&bytes, sha256.as_deref()).map_err(wrong)?)
}

/// The request asks for something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The documented exit code of an error.
pub(crate) fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    if error.is::<Usage>() {
        return ExitCode::Usage;
    }
    match (error.downcast_ref::<RunError>(), error.downcast_ref::<EngineError>()) {
        (Some(error), _) => error.exit_code(),
        (_, Some(error)) => error.exit_code(),
        _ => ExitCode::Engine,
    }
}
