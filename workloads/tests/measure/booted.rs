//! Engines that recipes boot, as processes or in containers, and the machine that they need for themselves.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use harness::{
    engine::{
        EngineError,
        placeholders::Placeholders,
        process::{ProcessEngine, kill_leftover},
    },
    http::HttpOptions,
    machine,
    run_lock::{self, Holder, RunLock, RunLockError},
    secrets::Secrets,
};
use record::Recipe;

use crate::{
    attached::machine_of,
    measuring::EngineFacts,
    say,
    setup::{Setup, Usage},
};

/// A recipe, and the folder that it came from.
pub(crate) struct Source {
    pub(crate) recipe: Recipe,
    pub(crate) folder: PathBuf,
}

/// An engine that can be booted.
pub(crate) enum Bootable {
    Process(Box<ProcessEngine>),
    #[cfg(feature = "container")]
    Container(Box<harness::engine::container::ContainerEngine>),
}

impl Bootable {
    /// Boots it on the engine's processors.
    fn on_cores(self, cores: Option<record::Cores>) -> Self {
        match self {
            Self::Process(engine) => Self::Process(Box::new(engine.on_cores(cores))),
            #[cfg(feature = "container")]
            Self::Container(engine) => Self::Container(Box::new(engine.on_cores(cores))),
        }
    }

    pub(crate) fn is_container(&self) -> bool {
        match self {
            Self::Process(_) => false,
            #[cfg(feature = "container")]
            Self::Container(_) => true,
        }
    }
}

impl Source {
    fn placeholders(&self, setup: &Setup) -> Placeholders {
        Placeholders {
            recipes: self.folder.clone(),
            testbed: setup.request.testbed_dir.clone(),
            hf_cache: setup.request.hf_cache_dir.clone(),
            cache: setup.request.cache_dir.clone(),
            ..Placeholders::default()
        }
    }

    /// What a run must know of it.
    pub(crate) fn facts(&self, setup: &Setup) -> Result<EngineFacts, Usage> {
        let recipe = &self.recipe;
        let tokenizer = match (&setup.request.tokenizer, &recipe.model.tokenizer) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(text)) => {
                let filled = self.placeholders(setup).fill(text);
                Some(filled.map_err(|why| Usage(format!("recipe `{}`: {why}", recipe.name)))?.into())
            }
            (None, None) => None,
        };
        let machine = recipe.attach.as_ref().map_or_else(machine::look, |attach| machine_of(&attach.url));
        Ok(EngineFacts { recipe: recipe.clone(), machine, tokenizer })
    }

    /// The variables that it names, with their values.
    pub(crate) fn secrets(&self) -> Result<Vec<(String, String)>, Usage> {
        let Recipe { name: recipe, secrets, .. } = &self.recipe;
        let missing = |name: &str| Usage(format!("recipe `{recipe}` needs the environment variable {name}, which is not set"));
        secrets.iter().map(|name| Ok((name.clone(), secret(name).ok_or_else(|| missing(name))?))).collect()
    }

    /// The engine itself. Its logs go to `folder`; `others` are values of secrets that are not its own and must not stay there either.
    pub(crate) fn bootable(
        self,
        setup: &Setup,
        folder: PathBuf,
        secrets: Vec<(String, String)>,
        others: &[String],
    ) -> anyhow::Result<Bootable> {
        let placeholders = self.placeholders(setup);
        let recipe = self.recipe;
        let mut values: Vec<String> = secrets.iter().map(|(_, value)| value).chain(others).cloned().collect();
        let known = Secrets::new(values.iter().cloned());
        let mut options = HttpOptions { metrics_path: recipe.metrics_path.clone(), secrets: known, ..HttpOptions::default() };
        options.idle_ns = idle_ns(&recipe).unwrap_or(options.idle_ns);
        if recipe.container.is_some() {
            return in_container(recipe, placeholders, folder, secrets, others.to_vec(), options)
                .map(|bootable| bootable.on_cores(setup.cores.clone()));
        }
        values.extend(inherited_secrets());
        let engine = ProcessEngine::new(recipe, placeholders, folder, values, options)?;
        Ok(Bootable::Process(Box::new(engine)).on_cores(setup.cores.clone()))
    }
}

#[cfg(feature = "container")]
fn in_container(
    recipe: Recipe,
    placeholders: Placeholders,
    folder: PathBuf,
    secrets: Vec<(String, String)>,
    others: Vec<String>,
    options: HttpOptions,
) -> anyhow::Result<Bootable> {
    let engine = harness::engine::container::ContainerEngine::new(recipe, placeholders, folder, secrets, options)?;
    Ok(Bootable::Container(Box::new(engine.redacting(others))))
}

#[cfg(not(feature = "container"))]
#[expect(clippy::needless_pass_by_value, reason = "with containers it becomes part of the engine")]
fn in_container(
    recipe: Recipe,
    _: Placeholders,
    _: PathBuf,
    _: Vec<(String, String)>,
    _: Vec<String>,
    _: HttpOptions,
) -> anyhow::Result<Bootable> {
    let why = "it boots a container, and this program was built without what speaks to Docker; start it with `cargo xtask bench`";
    Err(Usage(format!("recipe `{}`: {why}", recipe.name)).into())
}

/// The machine for this run alone, and rid of what an earlier one left on it.
pub(crate) async fn take_machine(setup: &Setup, containers: bool) -> anyhow::Result<Rc<RunLock>> {
    let lock = machine_alone(setup)?;
    if let Some(said) = lock.leftover().and_then(|leftover| kill_leftover(&leftover)) {
        say(&said);
        lock.forget_engine()?;
    }
    if containers {
        remove_orphans(setup).await?;
    }
    Ok(Rc::new(lock))
}

#[cfg(feature = "container")]
async fn remove_orphans(setup: &Setup) -> anyhow::Result<()> {
    use harness::engine::container;
    // A daemon that is not there is said by the boot, whose record then says it too.
    if let Ok(docker) = setup.unless_stopped(container::connect()).await? {
        for removed in container::remove_orphans(&docker).await.map_err(EngineError::from)? {
            say(&removed);
        }
    }
    Ok(())
}

#[cfg(not(feature = "container"))]
#[expect(clippy::unused_async, reason = "with containers it waits for Docker")]
async fn remove_orphans(_: &Setup) -> anyhow::Result<()> {
    Ok(())
}

/// The right to measure on this machine; waits for another run to end where that is asked for.
pub(crate) fn machine_alone(setup: &Setup) -> anyhow::Result<RunLock> {
    let request = &setup.request;
    let mut told = false;
    loop {
        let holder = Holder {
            pid: std::process::id(),
            command: request.command.join(" "),
            run_folder: request.out_dir.display().to_string(),
        };
        match RunLock::take(Path::new(run_lock::PATH), holder) {
            Err(RunLockError::Held { .. }) if setup.is_stopped() => return Err(EngineError::Interrupted.into()),
            Err(error @ RunLockError::Held { .. }) if request.wait => {
                if !std::mem::replace(&mut told, true) {
                    say(&format!("waiting: {error}"));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            taken => return taken.map_err(Into::into),
        }
    }
}

/// The recipe's limit of a stream's silence.
pub(crate) fn idle_ns(recipe: &Recipe) -> Option<u64> {
    recipe.limits.idle_timeout_s.map(|idle_s| u64::from(idle_s) * 1_000_000_000)
}

/// Values that must not stay in the log of a process either: those of every variable that it inherits and whose name says what it is.
fn inherited_secrets() -> Vec<String> {
    let inherited = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    inherited.filter(|(name, _)| record::is_secret_name(name)).map(|(_, value)| value).collect()
}

/// The value of a variable, if it has one.
#[expect(clippy::disallowed_methods, reason = "secrets are given by name, and only here turned into values")]
pub(crate) fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
