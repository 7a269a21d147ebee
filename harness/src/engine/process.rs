//! An engine spawned as a process from a recipe.
//!
//! It gets a process group of its own: Ctrl-C at the terminal reaches us alone, so that the engine is stopped in order, and its
//! children are stopped with it.

use std::{cell::RefCell, net::TcpListener, path::PathBuf, process::ExitStatus, process::Stdio, time::Duration};

use record::{Cell, Launch, PrefixReuse, Recipe, recipe};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{process::Command, sync::watch, time::timeout};

use super::{Engine, EngineError, Running, connections, log::EngineLog, placeholders::Placeholders};
use crate::{
    dialect::dialect,
    http::{HttpEndpoint, HttpOptions},
};

/// A recipe with a `[process]`, ready to be spawned.
#[derive(Debug)]
pub struct ProcessEngine {
    recipe: Recipe,
    process: recipe::Process,
    placeholders: Placeholders,
    log_dir: PathBuf,
    secrets: Vec<String>,
    http: HttpOptions,
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
        let engine = Self { recipe, process, placeholders, log_dir, secrets, http };
        // Whatever cannot be filled in is said before a folder is made; the port is known only at the start.
        engine.fill(u16::MAX)?;
        Ok(engine)
    }

    /// The command as a record may show it: where this machine keeps its folders is nobody's business.
    fn public_command(&self, port: u16) -> Vec<String> {
        self.process.command.iter().map(|word| word.replace("${PORT}", &port.to_string())).collect()
    }

    /// The command and its environment, every placeholder filled in.
    fn fill(&self, port: u16) -> Result<Filled, EngineError> {
        let placeholders = Placeholders { port: Some(port), ..self.placeholders.clone() };
        let wrong = |why| EngineError::Recipe { recipe: self.recipe.name.clone(), why };
        let command = self.process.command.iter().map(|word| placeholders.fill(word));
        let env = self.process.env.iter().map(|(name, value)| Ok((name.clone(), placeholders.fill(value)?)));
        Ok(Filled {
            command: command.collect::<Result<_, _>>().map_err(wrong)?,
            env: env.collect::<Result<_, _>>().map_err(wrong)?,
        })
    }
}

impl Engine for ProcessEngine {
    type Running = RunningProcess;

    fn launch(&self) -> Launch {
        Launch::Process
    }

    async fn start(&mut self, boot: u32) -> Result<RunningProcess, EngineError> {
        let port = choose_port(self.process.port)?;
        let filled = self.fill(port)?;
        let log = EngineLog::new(self.log_dir.join(format!("engine-boot{boot}.log")), self.secrets.clone());
        let endpoint = HttpEndpoint::new(
            &format!("http://127.0.0.1:{port}"),
            dialect(self.recipe.dialect),
            &self.recipe.model.id,
            self.http.clone(),
        )?;
        let (ended, group) = spawn(&filled, &log)?;
        Ok(RunningProcess {
            endpoint,
            command: self.public_command(port),
            log,
            ended,
            group,
            stop_signal: self.process.stop_signal,
            stop_grace: Duration::from_secs(self.process.stop_grace_s.into()),
            stopped: RefCell::new(false),
        })
    }
}

/// What is spawned.
struct Filled {
    command: Vec<String>,
    env: Vec<(String, String)>,
}

/// Finds out before the boot that the port is taken: an engine may need half a minute of imports to say so.
fn choose_port(wanted: u16) -> Result<u16, EngineError> {
    let listener = TcpListener::bind(("127.0.0.1", wanted)).map_err(|_| EngineError::PortTaken { port: wanted })?;
    listener.local_addr().map(|address| address.port()).map_err(|_| EngineError::PortTaken { port: wanted })
}

type Ended = watch::Receiver<Option<String>>;

fn spawn(filled: &Filled, log: &EngineLog) -> Result<(Ended, Pid), EngineError> {
    let (program, arguments) = filled.command.split_first().map_or(("", &[][..]), |(program, rest)| (program.as_str(), rest));
    let cannot = |why: String| EngineError::Spawn { program: program.to_owned(), why };
    let out = log.create().map_err(|error| cannot(format!("its log {}: {error}", log.path().display())))?;
    let err = out.try_clone().map_err(|error| cannot(error.to_string()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .envs(filled.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| cannot(error.to_string()))?;
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| cannot("it has no process id".to_owned()))?;
    let (tell, hear) = watch::channel(None);
    tokio::spawn(async move {
        let how = child.wait().await.map_or_else(|error| error.to_string(), describe);
        // Nobody may listen any more.
        let _ = tell.send(Some(how));
    });
    Ok((hear, pid))
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
    command: Vec<String>,
    log: EngineLog,
    ended: Ended,
    group: Pid,
    stop_signal: recipe::StopSignal,
    stop_grace: Duration,
    stopped: RefCell<bool>,
}

impl Running for RunningProcess {
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

    async fn begin_trial(&self, cell: &Cell, _order: u32) {
        self.endpoint.forbid_prefix_reuse(cell.prefix_reuse == PrefixReuse::Forbidden);
    }

    async fn open_connections(&self, cell: &Cell) {
        self.endpoint.warm_connections(connections(cell)).await;
    }

    async fn stop(self) -> String {
        let words = self.stop_group().await;
        self.stopped.replace(true);
        match self.log.redact_file() {
            Ok(()) => words,
            Err(error) => format!("{words}; its log could not be cleared of secrets: {error}"),
        }
    }
}

async fn wait(mut ended: Ended) -> String {
    match ended.wait_for(Option::is_some).await {
        Ok(how) => how.clone().unwrap_or_default(),
        Err(_) => "unknown".to_owned(),
    }
}

impl RunningProcess {
    async fn stop_group(&self) -> String {
        if let Some(how) = self.ended.borrow().clone() {
            self.kill_rest();
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
        self.kill_rest();
        words
    }

    /// Children that outlived the leader go too; the group's id cannot be another's as long as one of them lives.
    fn kill_rest(&self) {
        if test_kill_process_group(self.group).is_ok() {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        if !*self.stopped.borrow() {
            self.kill_rest();
        }
    }
}
