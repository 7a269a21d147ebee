//! An engine booted as a container from a recipe.
//!
//! testcontainers makes and starts it; Docker's own client, beside it, does what it has no word for. What ends us in order stops
//! the engine in order; a panic removes it by its drop; after a kill that cannot be caught its labels tell the next run whose it was.

mod cpu_time;
mod docker;
mod ended;
mod image;
mod logs;
mod mounts;
mod orphans;
mod remove;
mod request;
mod stop;
mod watch;

use std::path::PathBuf;

use record::{Cell, Cores, Identity, Image, Launch, PrefixReuse, Recipe, cores::format_core_list, recipe};
use testcontainers::{ContainerAsync, GenericImage, bollard::Docker, runners::AsyncRunner};

pub use self::{docker::connect, orphans::remove_orphans};
use self::{
    logs::LogSink,
    request::{ContainerSpec, public_command},
    stop::stop_container,
    watch::Watch,
};
use super::{
    Engine, EngineError, EngineInstance, check_memory, choose_port, connections, device, log::EngineLog,
    placeholders::Placeholders,
};
use crate::{
    dialect::dialect,
    http::{HttpEndpoint, HttpOptions},
};

/// A recipe with a `[container]`, ready to be booted.
#[derive(Debug)]
pub struct ContainerEngine {
    recipe: Recipe,
    container: recipe::Container,
    placeholders: Placeholders,
    run_folder: PathBuf,
    secrets: Secrets,
    http: HttpOptions,
    cores: Option<Cores>,
}

/// Secrets, which appear only in the container's environment.
struct Secrets {
    /// Its own, by name.
    own: Vec<(String, String)>,
    /// Values that are not for it, and must not stay in its log either.
    others: Vec<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.own.iter().map(|(name, _)| name)).finish()
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
        let secrets = Secrets { own: secrets, others: Vec::new() };
        let engine = Self { recipe, container, placeholders, run_folder, secrets, http, cores: None };
        // Whatever cannot be filled in is said before a folder is made.
        engine.spec()?;
        Ok(engine)
    }

    /// Takes these values out of its log too: those of an engine that it is measured in turns with.
    #[must_use]
    pub fn with_redaction(mut self, values: Vec<String>) -> Self {
        self.secrets.others.extend(values);
        self
    }

    /// Boots it on the engine's processors.
    #[must_use]
    pub fn with_cores(self, cores: Option<Cores>) -> Self {
        Self { cores, ..self }
    }

    fn spec(&self) -> Result<ContainerSpec, EngineError> {
        let wrong = |why| EngineError::Recipe { recipe: self.recipe.name.clone(), why };
        ContainerSpec::new(&self.container, &self.placeholders, &self.secrets.own).map_err(wrong)
    }

    fn log(&self, boot: u32) -> EngineLog {
        let own = self.secrets.own.iter().map(|(_, value)| value);
        let values = own.chain(&self.secrets.others).cloned().collect();
        EngineLog::new(self.run_folder.join(format!("engine-boot{boot}.log")), values)
    }

    /// Creates and starts the container, and leaves nothing behind where that fails.
    async fn start_container(docker: &Docker, spec: ContainerSpec) -> Result<ContainerAsync<GenericImage>, EngineError> {
        let (labels, host_port) = (spec.labels.clone(), spec.host_port);
        match spec.request().start().await {
            Ok(container) => Ok(container),
            Err(error) => {
                let error = docker::from_testcontainers(&error, host_port);
                // Why it could not be started matters more than what may be left; the next run removes that.
                let _ = orphans::remove_unstarted(docker, &labels).await;
                Err(error.into())
            }
        }
    }
}

impl Engine for ContainerEngine {
    type Instance = RunningContainer;

    fn launch(&self) -> Launch {
        Launch::Container
    }

    async fn start(&mut self, boot: u32) -> Result<RunningContainer, EngineError> {
        check_memory(&self.recipe)?;
        let docker = connect().await?;
        let found = image::find(&docker, &self.container).await?;
        let mut spec = self.spec()?;
        mounts::prepare(&self.container.mounts, &spec.mounts)?;
        spec.host_port = choose_port(self.container.host_port, "`host_port = 0` in [container]")?;
        spec.image_id.clone_from(&found.image.id);
        let run = self.run_folder.file_name().unwrap_or_default().to_string_lossy();
        spec.labels = orphans::labels(&run, boot);
        spec.cpus = self.cores.as_ref().map(|cores| format_core_list(&cores.engine));
        let endpoint = HttpEndpoint::new(
            &format!("http://127.0.0.1:{}", spec.host_port),
            dialect(self.recipe.dialect),
            &self.recipe.model.id,
            self.http.clone(),
        )?;
        let log = self.log(boot);
        let container = ContainerGuard::new(Self::start_container(&docker, spec).await?, docker.clone());
        let sink = LogSink::create(log.clone());
        let watch = Watch::begin(docker.clone(), container.id.clone(), sink, self.container.memory_limit_mib)
            .map_err(|error| EngineError::Spawn { program: "container-watch".to_owned(), why: error.to_string() })?;
        let command = public_command(&self.container, &self.placeholders, (&found.entrypoint, &found.command));
        let backend_words = dialect(self.recipe.dialect).backend_words;
        let settings = self.container.clone();
        Ok(RunningContainer { endpoint, command, log, backend_words, image: found.image, settings, docker, watch, container })
    }
}

/// A container that is removed when it is dropped, wherever that happens.
struct ContainerGuard {
    id: String,
    docker: Docker,
    is_removed: bool,
}

impl ContainerGuard {
    /// Takes it from testcontainers, whose drop leaves a container where `TESTCONTAINERS_COMMAND` says so, and panics outside of a runtime.
    fn new(container: ContainerAsync<GenericImage>, docker: Docker) -> Self {
        let id = container.id().to_owned();
        std::mem::forget(container);
        Self { id, docker, is_removed: false }
    }

    /// Removes it with its volumes. The error says what to do.
    async fn remove(mut self) -> Result<(), String> {
        let removed = remove::remove_container(&self.docker, &self.id).await;
        // Even where it failed: it was tried for long enough.
        self.is_removed = true;
        removed
    }
}

impl Drop for ContainerGuard {
    fn drop(&mut self) {
        if self.is_removed {
            return;
        }
        let (docker, id) = (self.docker.clone(), std::mem::take(&mut self.id));
        // A runtime may be at work on this thread, and cannot be waited for from within.
        let worker = std::thread::spawn(move || {
            // Without a runtime nothing can be asked of Docker; the next run removes it.
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let _ = runtime.block_on(remove::remove_container(&docker, &id));
        });
        let _ = worker.join();
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
    container: ContainerGuard,
}

impl std::fmt::Debug for RunningContainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the container itself: its request holds the values of secrets.
        f.debug_struct("RunningContainer").field("id", &self.container.id).field("image", &self.image).finish_non_exhaustive()
    }
}

impl EngineInstance for RunningContainer {
    type Endpoint = HttpEndpoint;

    fn endpoint(&self) -> &HttpEndpoint {
        &self.endpoint
    }

    fn command(&self) -> &[String] {
        &self.command
    }

    async fn died(&self) -> String {
        self.watch.whole().await.into_description()
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

    async fn cpu_ns(&self) -> Option<u64> {
        cpu_time::cpu_ns(&self.docker, &self.container.id).await
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
        let mut words = stop_container(&docker, &container.id, &watch, &settings).await;
        // The rest of its log goes with it; one that has not ended has no rest.
        if watch.has_ended().is_some() {
            watch.whole().await;
        }
        let removed = container.remove().await;
        if let Some(trouble) = watch.log().trouble() {
            words = format!("{words}; {trouble}");
        }
        if let Err(error) = removed {
            words = format!("{words}; {error}");
        }
        words
    }
}

impl RunningContainer {
    /// The host's ids of its processes, as `docker top` has them.
    pub async fn pids(&self) -> Result<Vec<u32>, EngineError> {
        let top = self.docker.top_processes(&self.container.id, None).await.map_err(|error| docker::from_bollard(&error, 0))?;
        let column = top.titles.unwrap_or_default().iter().position(|title| title == "PID").unwrap_or(1);
        let rows = top.processes.unwrap_or_default();
        Ok(rows.iter().filter_map(|row| row.get(column)?.parse().ok()).collect())
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
    fn secret_values_are_absent_from_debug_output() {
        let engine = ContainerEngine::new(
            recipe("image = \"x:1\"\nport = 1", ""),
            Placeholders::default(),
            "/runs/x".into(),
            vec![("HF_TOKEN".to_owned(), "hunter2-hunter2".to_owned())],
            HttpOptions::default(),
        )
        .unwrap()
        .with_redaction(vec!["correct-horse".to_owned()]);
        let shown = format!("{engine:?}");
        assert!(shown.contains("HF_TOKEN") && !shown.contains("hunter2") && !shown.contains("correct-horse"), "{shown}");
        assert_eq!(engine.log(0).redact("hunter2-hunter2, correct-horse"), "[redacted], [redacted]");
    }

    #[test]
    fn unknown_placeholder_is_refused_before_boot() {
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
