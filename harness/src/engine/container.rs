//! An engine booted as a container from a recipe.
//!
//! testcontainers makes, starts and removes it; Docker's own client, beside it, does what it has no word for. What ends us in order stops
//! the engine in order; a panic removes it by its drop; after a kill that cannot be caught its labels tell the next run whose it was.

mod docker;
mod ended;
mod image;
mod logs;
mod mounts;
mod orphans;
mod request;
mod watch;

use std::{path::PathBuf, time::Duration};

use record::{Cell, Identity, Image, Launch, PrefixReuse, Recipe, recipe};
use testcontainers::{
    ContainerAsync, GenericImage,
    bollard::{Docker, query_parameters::KillContainerOptionsBuilder},
    runners::AsyncRunner,
};
use tokio::time::timeout;

pub use self::{
    docker::connect,
    orphans::{LABEL_BOOT, LABEL_PID, LABEL_PID_START, LABEL_RUN, remove_orphans},
};
use self::{
    logs::LogSink,
    request::{Wanted, public_command},
    watch::Watch,
};
use super::{
    Engine, EngineError, Running, check_memory, choose_port, connections, device, log::EngineLog, placeholders::Placeholders,
};
use crate::{
    clock::{Clock, RealClock},
    dialect::dialect,
    http::{HttpEndpoint, HttpOptions},
};

/// How long a container may take to end once it is killed: a GPU's memory is given back first.
const KILL_LIMIT: Duration = Duration::from_mins(1);

/// A recipe with a `[container]`, ready to be booted.
#[derive(Debug)]
pub struct ContainerEngine {
    recipe: Recipe,
    container: recipe::Container,
    placeholders: Placeholders,
    run_folder: PathBuf,
    secrets: Secrets,
    http: HttpOptions,
}

/// Secrets by name, which show themselves nowhere but in the container's environment.
struct Secrets(Vec<(String, String)>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl ContainerEngine {
    /// An engine from a recipe. Logs go to `run_folder`, whose name marks the containers; `secrets` are the values of the recipe's
    /// `secrets`, by name.
    pub fn new(
        recipe: Recipe,
        placeholders: Placeholders,
        run_folder: PathBuf,
        secrets: Vec<(String, String)>,
        http: HttpOptions,
    ) -> Result<Self, EngineError> {
        let missing = |why: &str| EngineError::Recipe { recipe: recipe.name.clone(), why: why.to_owned() };
        let container = recipe.container.clone().ok_or_else(|| missing("it has no [container]"))?;
        let placeholders = placeholders.for_model(&recipe.model);
        let engine = Self { recipe, container, placeholders, run_folder, secrets: Secrets(secrets), http };
        // Whatever cannot be filled in is said before a folder is made.
        engine.wanted()?;
        Ok(engine)
    }

    fn wanted(&self) -> Result<Wanted, EngineError> {
        let wrong = |why| EngineError::Recipe { recipe: self.recipe.name.clone(), why };
        Wanted::new(&self.container, &self.placeholders, &self.secrets.0).map_err(wrong)
    }

    fn log(&self, boot: u32) -> EngineLog {
        let values = self.secrets.0.iter().map(|(_, value)| value.clone()).collect();
        EngineLog::new(self.run_folder.join(format!("engine-boot{boot}.log")), values)
    }

    /// Creates and starts the container, and leaves nothing behind where that fails.
    async fn start_container(docker: &Docker, wanted: Wanted) -> Result<ContainerAsync<GenericImage>, EngineError> {
        let (labels, host_port) = (wanted.labels.clone(), wanted.host_port);
        match wanted.request().start().await {
            Ok(container) => Ok(container),
            Err(error) => {
                let error = docker::of_testcontainers(&error, host_port);
                // Why it could not be started matters more than what may be left; the next run removes that.
                let _ = orphans::remove_unstarted(docker, &labels).await;
                Err(error.into())
            }
        }
    }
}

impl Engine for ContainerEngine {
    type Running = RunningContainer;

    fn launch(&self) -> Launch {
        Launch::Container
    }

    async fn start(&mut self, boot: u32) -> Result<RunningContainer, EngineError> {
        check_memory(&self.recipe)?;
        let docker = connect().await?;
        let found = image::find(&docker, &self.container).await?;
        let mut wanted = self.wanted()?;
        mounts::prepare(&self.container.mounts, &wanted.mounts)?;
        wanted.host_port = choose_port(self.container.host_port, "`host_port = 0` in [container]")?;
        wanted.image_id.clone_from(&found.image.id);
        let run = self.run_folder.file_name().unwrap_or_default().to_string_lossy();
        wanted.labels = orphans::labels(&run, boot);
        let endpoint = HttpEndpoint::new(
            &format!("http://127.0.0.1:{}", wanted.host_port),
            dialect(self.recipe.dialect),
            &self.recipe.model.id,
            self.http.clone(),
        )?;
        let log = self.log(boot);
        let container = Held(Some(Self::start_container(&docker, wanted).await?));
        let sink = LogSink::create(log.clone());
        let watch = Watch::begin(docker.clone(), container.id(), sink, self.container.memory_limit_mib)
            .map_err(|error| EngineError::Spawn { program: "container-watch".to_owned(), why: error.to_string() })?;
        let command = public_command(&self.container, &self.placeholders, (&found.entrypoint, &found.command));
        let backend_words = dialect(self.recipe.dialect).backend_words;
        let settings = self.container.clone();
        Ok(RunningContainer { endpoint, command, log, backend_words, image: found.image, settings, docker, watch, container })
    }
}

/// A container that is removed when it is dropped, wherever that happens.
struct Held(Option<ContainerAsync<GenericImage>>);

impl Held {
    fn id(&self) -> String {
        self.0.as_ref().map(|container| container.id().to_owned()).unwrap_or_default()
    }

    /// Removes it with its volumes. The error says what to do.
    async fn remove(mut self) -> Result<(), String> {
        let id = self.id();
        let Some(container) = self.0.take() else { return Ok(()) };
        match container.rm().await {
            Err(error) if !docker::is_gone(&error) => {
                Err(format!("it could not be removed ({}): `docker rm -f -v {id}`", docker::of_testcontainers(&error, 0)))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(container) = self.0.take() else { return };
        // Its own drop removes it by way of the runtime that it finds itself in, and panics outside of one.
        if tokio::runtime::Handle::try_current().is_ok() {
            drop(container);
        } else if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            let _inside = runtime.enter();
            drop(container);
        } else {
            // Without a runtime nothing can be asked of Docker; the next run removes it.
            std::mem::forget(container);
        }
    }
}

/// A booted container. If it is dropped without being stopped, it is removed.
pub struct RunningContainer {
    endpoint: HttpEndpoint,
    command: Vec<String>,
    log: EngineLog,
    backend_words: &'static [&'static str],
    image: Image,
    settings: recipe::Container,
    docker: Docker,
    watch: Watch,
    container: Held,
}

impl std::fmt::Debug for RunningContainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the container itself: its request holds the values of secrets.
        f.debug_struct("RunningContainer").field("id", &self.container.id()).field("image", &self.image).finish_non_exhaustive()
    }
}

impl Running for RunningContainer {
    type Endpoint = HttpEndpoint;

    fn endpoint(&self) -> &HttpEndpoint {
        &self.endpoint
    }

    fn command(&self) -> &[String] {
        &self.command
    }

    async fn died(&self) -> String {
        self.watch.ended().await
    }

    fn log_tail(&self) -> String {
        self.watch.log().tail()
    }

    async fn identity(&self) -> Result<Identity, EngineError> {
        let device = match self.settings.gpus {
            recipe::Gpus::None => device::of_cpu_container(),
            recipe::Gpus::All => device::of_gpu_container(&device::compute_apps(device::NVIDIA_SMI).await, &self.pids().await?)?,
        };
        Ok(Identity {
            image: Some(self.image.clone()),
            backends: self.log.backends(self.backend_words),
            device: Some(device),
            ..Identity::default()
        })
    }

    async fn begin_trial(&self, cell: &Cell, _order: u32) {
        self.endpoint.forbid_prefix_reuse(cell.prefix_reuse == PrefixReuse::Forbidden);
    }

    async fn open_connections(&self, cell: &Cell) {
        self.endpoint.warm_connections(connections(cell)).await;
    }

    async fn stop(self) -> String {
        let Self { endpoint, docker, watch, container, settings, .. } = self;
        // Some servers wait for their clients to hang up before they end.
        drop(endpoint);
        let mut words = stop_container(&docker, &container.id(), &watch, &settings).await;
        if let Err(error) = container.remove().await {
            words = format!("{words}; {error}");
        }
        if let Some(trouble) = watch.log().trouble() {
            words = format!("{words}; {trouble}");
        }
        words
    }
}

impl RunningContainer {
    /// The host's ids of its processes, as `docker top` has them.
    pub async fn pids(&self) -> Result<Vec<u32>, EngineError> {
        let top = self.docker.top_processes(&self.container.id(), None).await.map_err(|error| docker::of_bollard(&error, 0))?;
        let column = top.titles.unwrap_or_default().iter().position(|title| title == "PID").unwrap_or(1);
        let rows = top.processes.unwrap_or_default();
        Ok(rows.iter().filter_map(|row| row.get(column)?.parse().ok()).collect())
    }
}

/// Asks it to stop, then kills it. Says how it went and how long it took.
async fn stop_container(docker: &Docker, id: &str, watch: &Watch, settings: &recipe::Container) -> String {
    if let Some(how) = watch.has_ended() {
        return format!("had ended before: {how}");
    }
    let clock = RealClock::start();
    let took_s = || clock.now_ns() as f64 / 1e9;
    let signal = match settings.stop_signal {
        recipe::StopSignal::Term => "SIGTERM",
        recipe::StopSignal::Int => "SIGINT",
    };
    let kill = async |signal: &str| {
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        // An error means that it ended just now, or that Docker is gone; the wait sees both.
        let _ = docker.kill_container(id, Some(options)).await;
    };
    kill(signal).await;
    let grace_s = settings.stop_grace_s;
    if let Ok(how) = timeout(Duration::from_secs(grace_s.into()), watch.ended()).await {
        return format!("stopped when asked after {:.1} s: {how}", took_s());
    }
    kill("SIGKILL").await;
    match timeout(KILL_LIMIT, watch.ended()).await {
        Ok(how) => format!("killed after {grace_s} s of not stopping: {how}"),
        Err(_) => format!("does not end, though it was killed {} s ago", KILL_LIMIT.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recipe with these lines of `[container]` and of `[model]`.
    pub(super) fn recipe(container: &str, model: &str) -> Recipe {
        let text = format!(
            "name = \"x\"\nengine = \"other\"\ndialect = \"openai\"\n[model]\nid = \"m\"\n{model}\n[container]\n{container}\n"
        );
        record::recipe::parse(&text, "x.toml", "x").unwrap()
    }

    #[test]
    fn secrets_are_named_and_never_shown() {
        let engine = ContainerEngine::new(
            recipe("image = \"x:1\"\nport = 1", ""),
            Placeholders::default(),
            "/runs/x".into(),
            vec![("HF_TOKEN".to_owned(), "hunter2-hunter2".to_owned())],
            HttpOptions::default(),
        )
        .unwrap();
        let shown = format!("{engine:?}");
        assert!(shown.contains("HF_TOKEN") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_cannot_be_filled_in_is_said_before_anything_boots() {
        let refuse = |container: &str| {
            let recipe = recipe(&format!("image = \"x:1\"\nport = 1\n{container}"), "");
            let made =
                ContainerEngine::new(recipe, Placeholders::default(), "/runs/x".into(), Vec::new(), HttpOptions::default());
            made.unwrap_err().to_string()
        };
        insta::assert_snapshot!(refuse("command = [\"${MODEL}\"]"), @"recipe `x`: `${MODEL}` has no value: [model] has no `source`");
        insta::assert_snapshot!(refuse("env = { X = \"${HOME}\" }"), @"recipe `x`: unknown placeholder `${HOME}`; known are ${PORT}, ${MODEL}, ${REVISION}, ${RECIPES}, ${TESTBED}, ${HF_CACHE}, ${CACHE}");
    }
}
