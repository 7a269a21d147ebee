//! An engine spawned as a process from a recipe.
//!
//! It gets a process group of its own: Ctrl-C at the terminal reaches us alone, so that the engine is stopped in order, and its
//! children are stopped with it.

use std::{cell::RefCell, path::PathBuf, process::ExitStatus, process::Stdio, rc::Rc, time::Duration};

use record::{Cell, Cores, Identity, Launch, PrefixReuse, Recipe, recipe};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{process::Command, sync::watch, time::timeout};

use super::{
    Engine, EngineError, EngineInstance, check_memory, choose_port, connections, device, group, log::EngineLog,
    placeholders::Placeholders,
};
use crate::{
    cores::with_engine_cores,
    dialect::dialect,
    http::{HttpEndpoint, HttpOptions},
    run_lock::{OrphanedEngine, RunLock},
};

/// How long what is killed is waited for: the kernel may have much memory to give back.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// A recipe with a `[process]`, ready to be spawned.
#[derive(Debug)]
pub struct ProcessEngine {
    recipe: Recipe,
    process: recipe::Process,
    placeholders: Placeholders,
    log_dir: PathBuf,
    secrets: Vec<String>,
    http: HttpOptions,
    lock: Option<Rc<RunLock>>,
    cores: Option<Cores>,
}

impl ProcessEngine {
    /// An engine from a recipe. Logs go to `log_dir`; `secrets` are values to take out of them.
    pub fn new(
        recipe: Recipe,
        placeholders: Placeholders,
        log_dir: PathBuf,
        secrets: Vec<String>,
        http: HttpOptions,
    ) -> Result<Self, EngineError> {
        let missing = |why: &str| EngineError::Recipe { recipe: recipe.name.clone(), why: why.to_owned() };
        let process = recipe.process.clone().ok_or_else(|| missing("it has no [process]"))?;
        let placeholders = placeholders.for_model(&recipe.model);
        let engine = Self { recipe, process, placeholders, log_dir, secrets, http, lock: None, cores: None };
        // A placeholder without a value is refused before a folder is made; the port is known only at the start.
        engine.fill(u16::MAX)?;
        Ok(engine)
    }

    /// Notes each engine in this lock, so that the next run can stop the engine if this one crashes.
    #[must_use]
    pub fn with_lock(self, lock: Rc<RunLock>) -> Self {
        Self { lock: Some(lock), ..self }
    }

    /// Starts it on the engine's processors.
    #[must_use]
    pub fn with_cores(self, cores: Option<Cores>) -> Self {
        Self { cores, ..self }
    }

    /// The command as a record may show it: where this machine keeps its folders is private.
    fn public_command(&self, port: u16) -> Vec<String> {
        let placeholders = Placeholders { port: Some(port), ..self.placeholders.clone() };
        self.process.command.iter().map(|word| placeholders.fill_public(word)).collect()
    }

    /// The command and its environment, every placeholder filled in.
    fn fill(&self, port: u16) -> Result<CommandLine, EngineError> {
        let placeholders = Placeholders { port: Some(port), ..self.placeholders.clone() };
        let wrong = |why| EngineError::Recipe { recipe: self.recipe.name.clone(), why };
        let command = self.process.command.iter().map(|word| placeholders.fill(word));
        let env = self.process.env.iter().map(|(name, value)| Ok((name.clone(), placeholders.fill(value)?)));
        Ok(CommandLine {
            command: command.collect::<Result<_, _>>().map_err(wrong)?,
            env: env.collect::<Result<_, _>>().map_err(wrong)?,
        })
    }
}

impl Engine for ProcessEngine {
    type Instance = RunningProcess;

    fn launch(&self) -> Launch {
        Launch::Process
    }

    async fn start(&mut self, boot: u32) -> Result<RunningProcess, EngineError> {
        check_memory(&self.recipe)?;
        let port = choose_port(self.process.port, "`port = 0` in [process]")?;
        let command_line = self.fill(port)?;
        let log = EngineLog::new(self.log_dir.join(format!("engine-boot{boot}.log")), self.secrets.clone());
        let endpoint = HttpEndpoint::new(
            &format!("http://127.0.0.1:{port}"),
            dialect(self.recipe.dialect),
            &self.recipe.model.id,
            self.http.clone(),
        )?;
        let (ended, group) = spawn(&command_line, &log, self.cores.as_ref())?;
        let running = RunningProcess {
            endpoint,
            backend_words: dialect(self.recipe.dialect).backend_words,
            command: self.public_command(port),
            log,
            ended,
            group,
            stop_signal: self.process.stop_signal,
            stop_grace: Duration::from_secs(self.process.stop_grace_s.into()),
            stopped: RefCell::new(false),
            lock: self.lock.clone(),
        };
        running.note_in_lock()?;
        Ok(running)
    }
}

struct CommandLine {
    command: Vec<String>,
    env: Vec<(String, String)>,
}

type ExitReceiver = watch::Receiver<Option<String>>;

fn spawn(command_line: &CommandLine, log: &EngineLog, cores: Option<&Cores>) -> Result<(ExitReceiver, Pid), EngineError> {
    let (program, arguments) =
        command_line.command.split_first().map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
    let cannot = |why: String| EngineError::Spawn { program: program.to_owned(), why };
    let out = log.create().map_err(|error| cannot(format!("its log {}: {error}", log.path().display())))?;
    let err = out.try_clone().map_err(|error| cannot(error.to_string()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(command_line.env.iter().map(|(name, value)| (name, value)))
        .env(group::MARK, "1")
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .kill_on_drop(true);
    let mut child = with_engine_cores(cores, || command.spawn()).map_err(|error| cannot(error.to_string()))?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| cannot("it has no process id".to_owned()))?;
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let how = child.wait().await.map_or_else(|error| error.to_string(), describe);
        // Nobody may listen any more.
        let _ = sender.send(Some(how));
    });
    Ok((receiver, pid))
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// A spawned engine. If it is dropped without being stopped, its group is killed.
#[derive(Debug)]
pub struct RunningProcess {
    endpoint: HttpEndpoint,
    backend_words: &'static [&'static str],
    command: Vec<String>,
    log: EngineLog,
    ended: ExitReceiver,
    group: Pid,
    stop_signal: recipe::StopSignal,
    stop_grace: Duration,
    stopped: RefCell<bool>,
    lock: Option<Rc<RunLock>>,
}

impl EngineInstance for RunningProcess {
    type Endpoint = HttpEndpoint;

    fn endpoint(&self) -> &HttpEndpoint {
        &self.endpoint
    }

    fn command(&self) -> &[String] {
        &self.command
    }

    async fn died(&self) -> String {
        wait(self.ended.clone()).await
    }

    fn log_tail(&self) -> String {
        self.log.tail()
    }

    async fn identity(&self) -> Result<Identity, EngineError> {
        let pids = group::members(self.group_id());
        let device = device::of_process(&device::compute_apps(device::NVIDIA_SMI).await, &pids);
        Ok(Identity { backends: self.log.backends(self.backend_words), device: Some(device), ..Identity::default() })
    }

    async fn cpu_ns(&self) -> Option<u64> {
        group::cpu_ns(self.group_id())
    }

    async fn begin_trial(&self, cell: &Cell, _order: u32) {
        self.endpoint.forbid_prefix_reuse(cell.prefix_reuse == PrefixReuse::Forbidden);
    }

    async fn open_connections(&self, cell: &Cell) {
        self.endpoint.warm_connections(connections(cell)).await;
    }

    async fn stop(self) -> String {
        let words = self.stop_group().await;
        self.stopped.replace(true);
        if let Some(lock) = &self.lock {
            // The note would only be looked at, and nothing found.
            let _ = lock.forget_engine();
        }
        match self.log.redact_file() {
            Ok(()) => words,
            Err(error) => format!("{words}; its log could not be cleared of secrets: {error}"),
        }
    }
}

async fn wait(mut ended: ExitReceiver) -> String {
    match ended.wait_for(Option::is_some).await {
        Ok(how) => how.clone().unwrap_or_default(),
        Err(_) => "unknown".to_owned(),
    }
}

/// Kills what an earlier run left behind, and says what. Only what is surely that is killed: neither a later process of the same
/// id, nor one that was not spawned as an engine.
#[must_use]
pub fn kill_orphan(leftover: &OrphanedEngine) -> Option<String> {
    let id = leftover.group;
    if group::start_ticks(id).is_some_and(|start| start != leftover.start_ticks) {
        return None;
    }
    let marked = group::members(id).into_iter().filter(|pid| group::is_marked(*pid)).count();
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw)?;
    if marked == 0 {
        return None;
    }
    let description = format!("an engine that an earlier run left, process group {id} of {marked} processes");
    if let Err(error) = kill_process_group(pid, Signal::KILL) {
        return Some(format!("{description}, cannot be killed: {error}"));
    }
    let pause = Duration::from_millis(10);
    let gone = (0..KILL_WAIT.as_millis() / pause.as_millis()).any(|_| {
        std::thread::sleep(pause);
        // One that nobody has reaped yet is gone all the same.
        !group::members(id).into_iter().any(group::is_marked)
    });
    Some(if gone { format!("{description}, was killed") } else { format!("{description}, was killed, but is not gone yet") })
}

impl RunningProcess {
    fn group_id(&self) -> u32 {
        self.group.as_raw_nonzero().get().unsigned_abs()
    }

    fn note_in_lock(&self) -> Result<(), EngineError> {
        let Some(lock) = &self.lock else { return Ok(()) };
        let id = self.group_id();
        // Without a start time it is gone already, and `died` says how.
        let Some(start_ticks) = group::start_ticks(id) else { return Ok(()) };
        let program = self.command.first().cloned().unwrap_or_default();
        lock.note_engine(id, start_ticks)
            .map_err(|error| EngineError::Spawn { program, why: format!("it cannot be noted in the lock file: {error}") })
    }

    async fn stop_group(&self) -> String {
        if let Some(how) = self.ended.borrow().clone() {
            self.kill_remaining();
            return format!("had ended before: {how}");
        }
        let signal = match self.stop_signal {
            recipe::StopSignal::Term => Signal::TERM,
            recipe::StopSignal::Int => Signal::INT,
        };
        // An error means that it ended just now, which the wait below sees.
        let _ = kill_process_group(self.group, signal);
        let words = if let Ok(how) = timeout(self.stop_grace, wait(self.ended.clone())).await {
            format!("stopped when asked: {how}")
        } else {
            let _ = kill_process_group(self.group, Signal::KILL);
            let how = wait(self.ended.clone()).await;
            format!("killed after {} s of not stopping: {how}", self.stop_grace.as_secs())
        };
        self.kill_remaining();
        words
    }

    /// Children that outlived the leader go too; the group's id cannot be another's as long as one of them lives.
    fn kill_remaining(&self) {
        if test_kill_process_group(self.group).is_ok() {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        if !*self.stopped.borrow() {
            self.kill_remaining();
        }
    }
}
