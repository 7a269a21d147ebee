//! What a run needs, as small as it can be: a suite of two cells, an engine that notes when it is up, a progress that writes down what it
//! is told.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
};

use fixtures::{simulated::SimulatedSpark, simulated_engine::SimulatedEngine, virtual_time::VirtualTime};
use harness::{
    drive::DriveLimits,
    engine::{Engine, EngineError, EngineInstance},
    journal::Journal,
    progress::Progress,
    session::Session,
    stop::stop_pair,
    suite::{BootSizing, Probe, Suite, SuiteError},
};
use record::{
    Cell, Header, Identity, Launch, Length, Load, Message, Plan, PlannedRequest, PrefixReuse, Profile, Record, Release, Role,
    Trial, file,
};
use twin::server::Params;

const HOUR_NS: u64 = 3_600_000_000_000;

/// Two cells, one and two streams, of two short requests each.
pub(super) struct SmallSuite;

/// Why [`SmallSuite`] does not plan a cell.
#[derive(Debug, thiserror::Error)]
#[error("a request without output")]
pub(super) struct NoOutput;

fn words(tokens: u32) -> Message {
    Message { role: Role::User, content: " word".repeat(tokens as usize).into() }
}

fn plan(cell: &Cell, seed: u64, requests: u32) -> Plan {
    let request = |id: u32| PlannedRequest {
        id,
        release: id.checked_sub(1).map_or(Release::At { t_ns: 0 }, |request| Release::After { request }),
        messages: vec![words(40)],
        prompt_tokens: 52,
        output_tokens: 10,
        structured: false,
        sampling_seed: 0,
    };
    Plan { cell: cell.clone(), seed, requests: (0..requests).map(request).collect(), digest: format!("{} {seed}", cell.name()) }
}

impl Suite for SmallSuite {
    fn units(&self) -> &[&'static str] {
        &[" word"]
    }

    fn probe(&self, _counts: Option<&[u32]>, tokens: u32, _seed: u64) -> Result<Probe, SuiteError> {
        Ok(Probe { message: words(tokens), own_tokens: f64::from(tokens) })
    }

    fn boot_order(&self, _run_seed: u64, _boot: u32, cells: &[Cell]) -> Vec<usize> {
        (0..cells.len()).collect()
    }

    fn trial_seed(&self, run_seed: u64, cell: &Cell, trial: u32) -> u64 {
        run_seed * 10_000 + u64::from(trial) * 10 + u64::from(cell.load.target_in_flight().unwrap_or(0))
    }

    fn plan(&self, cell: &Cell, seed: u64, _sized: &BootSizing<'_>) -> Result<Plan, SuiteError> {
        if cell.output_tokens.high() == 0 {
            return Err(SuiteError::plan(NoOutput));
        }
        Ok(plan(cell, seed, cell.load.requests()))
    }

    fn warm_up(&self, cell: &Cell, seed: u64, _sized: &BootSizing<'_>) -> Result<Plan, SuiteError> {
        Ok(plan(cell, seed, 1))
    }

    fn context_tokens(&self, cell: &Cell) -> u32 {
        cell.prompt_tokens.high() + cell.output_tokens.high()
    }

    fn estimate_s(&self, _cell: &Cell) -> f64 {
        1.0
    }
}

pub(super) fn cell(streams: u32) -> Cell {
    Cell {
        workload: "small".to_owned(),
        workload_hash: String::new(),
        point: format!("c{streams}"),
        load: Load::Closed { streams, requests_per_stream: 2 },
        prompt_tokens: Length::Fixed { tokens: 52 },
        output_tokens: Length::Fixed { tokens: 10 },
        prefix_reuse: PrefixReuse::Forbidden,
        structured: false,
        slo: None,
        comparable: false,
    }
}

/// A place where runs are made, in virtual time.
pub(super) struct Bench {
    pub(super) time: VirtualTime,
    folder: tempfile::TempDir,
    suite: SmallSuite,
    progress_log: ProgressLog,
    events: Rc<RefCell<Vec<String>>>,
    boots: u32,
    trials_per_boot: u32,
}

impl Bench {
    pub(super) fn new(boots: u32, trials_per_boot: u32) -> Self {
        let (time, folder) = (VirtualTime::new(), tempfile::tempdir().unwrap());
        Self {
            time,
            folder,
            suite: SmallSuite,
            progress_log: ProgressLog::default(),
            events: Rc::default(),
            boots,
            trials_per_boot,
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn journal(&self, name: &str) -> Journal {
        Journal::create(&self.path(name)).unwrap()
    }

    /// An engine of its own seed of noise.
    pub(super) fn spark(&self, name: &'static str, seed: u64) -> Spark {
        let inner = SimulatedEngine::new(Params::default(), seed, &self.time).unwrap();
        Spark { inner, name, events: Rc::clone(&self.events), fails_at: None }
    }

    /// A run of two cells that nobody stops.
    pub(super) fn session<'a>(&'a self, is_valid: &'a dyn Fn(&Trial, u32) -> bool) -> Session<'a, VirtualTime> {
        let cells = vec![cell(1), cell(2)];
        Session {
            header: self.header(&cells),
            cells,
            suite: &self.suite,
            clock: &self.time,
            tokenizer: None,
            limits: DriveLimits { request_ns: HOUR_NS, trial_ns: HOUR_NS, collect_text: false },
            is_valid,
            progress: &self.progress_log,
            stop: stop_pair().1,
            real_time: false,
        }
    }

    fn header(&self, cells: &[Cell]) -> Header {
        let engine = SimulatedEngine::new(Params::default(), 1, &VirtualTime::new()).unwrap();
        Header {
            schema_version: record::SCHEMA_VERSION,
            harness_version: String::new(),
            harness_commit: None,
            command: Vec::new(),
            started_unix_s: None,
            launch: Launch::Simulated,
            recipe: engine.recipe(),
            machine: SimulatedEngine::machine(),
            profile: Profile::Smoke,
            suite: "small".to_owned(),
            suite_version: 1,
            workload_hashes: [("small".to_owned(), String::new())].into(),
            seed: 1,
            boots: self.boots,
            first_boot: 0,
            trials_per_boot: self.trials_per_boot,
            cells: cells.iter().map(Cell::name).collect(),
            left_out: [].into(),
            unpinned: Vec::new(),
            gates: Vec::new(),
            interleaved: None,
            cores: None,
            sharegpt_lengths: String::new(),
            instrument: None,
        }
    }

    /// What was reported as progress, one line per event.
    pub(super) fn progress_log(&self) -> String {
        self.progress_log.0.borrow().join("\n")
    }

    /// When which engine was up.
    pub(super) fn events(&self) -> Vec<String> {
        self.events.borrow().clone()
    }
}

/// The record in a folder.
pub(super) fn read(folder: &Path) -> Record {
    let record = file::decode(&std::fs::read(folder.join(file::FILE_NAME)).unwrap()).unwrap();
    assert_eq!(record.unreadable_tail, None);
    record
}

#[derive(Default)]
struct ProgressLog(RefCell<Vec<String>>);

impl ProgressLog {
    fn line(&self, line: String) {
        self.0.borrow_mut().push(line);
    }
}

impl Progress for ProgressLog {
    fn boot_started(&self, place: u32, boots: u32) {
        self.line(format!("boot {place} of {boots}"));
    }

    fn ready(&self, _ready_ns: Option<u64>) {}

    fn trial_started(&self, cell: &Cell, place: u32, trials: u32) {
        self.line(format!("trial {place} of {trials}: {}", cell.name()));
    }

    fn trial_repeated(&self, cell: &Cell) {
        self.line(format!("again: {}", cell.name()));
    }

    fn trial_ended(&self, _left_s: f64) {
        self.line("ended".to_owned());
    }

    fn stopping(&self) {}

    fn ended(&self) {
        self.line("over".to_owned());
    }
}

/// The simulated Spark, which notes when it is up.
pub(super) struct Spark {
    inner: SimulatedEngine,
    name: &'static str,
    events: Rc<RefCell<Vec<String>>>,
    fails_at: Option<u32>,
}

impl Spark {
    /// The same, but this boot fails.
    pub(super) fn failing_at(self, boot: u32) -> Self {
        Self { fails_at: Some(boot), ..self }
    }
}

pub(super) struct RunningSpark {
    inner: SimulatedEngine,
    name: &'static str,
    boot: u32,
    events: Rc<RefCell<Vec<String>>>,
}

impl Engine for Spark {
    type Instance = RunningSpark;

    fn launch(&self) -> Launch {
        self.inner.launch()
    }

    async fn start(&mut self, boot: u32) -> Result<RunningSpark, EngineError> {
        if self.fails_at == Some(boot) {
            return Err(EngineError::Spawn { program: "spark".to_owned(), why: "it is broken".to_owned() });
        }
        self.events.borrow_mut().push(format!("{} up {boot}", self.name));
        let (name, events) = (self.name, Rc::clone(&self.events));
        Ok(RunningSpark { inner: self.inner.start(boot).await?, name, boot, events })
    }
}

impl EngineInstance for RunningSpark {
    type Endpoint = SimulatedSpark;

    fn endpoint(&self) -> &SimulatedSpark {
        self.inner.endpoint()
    }

    fn command(&self) -> &[String] {
        self.inner.command()
    }

    async fn died(&self) -> String {
        self.inner.died().await
    }

    fn log_tail(&self) -> String {
        self.inner.log_tail()
    }

    async fn identity(&self) -> Result<Identity, EngineError> {
        self.inner.identity().await
    }

    async fn begin_trial(&self, cell: &Cell, order: u32) {
        self.inner.begin_trial(cell, order).await;
    }

    async fn open_connections(&self, cell: &Cell) {
        self.inner.open_connections(cell).await;
    }

    async fn stop(self) -> String {
        self.events.borrow_mut().push(format!("{} down {}", self.name, self.boot));
        self.inner.stop().await
    }
}
