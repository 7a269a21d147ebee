//! The engine that a run request names, made ready to boot.

use fixtures::{engine_model::Params, simulated_engine::SimulatedEngine, virtual_time::VirtualTime};
use std::{path::Path, rc::Rc, time::Duration};

use harness::{
    clock::RealClock,
    dialect::dialect,
    engine::{
        EngineError,
        attach::{AttachedEngine, choose_model},
        placeholders::Placeholders,
        process::{ProcessEngine, kill_leftover},
    },
    http::{ApiKey, HttpEndpoint, HttpOptions},
    machine,
    run_lock::{self, Holder, RunLock, RunLockError},
    secrets::Secrets,
};
use record::{DialectName, EngineName, ExitCode, Recipe, Target, recipe};

use crate::{
    say,
    setup::{EngineFacts, Setup, Usage},
};

/// Measures what the request asks for.
pub(crate) fn run(setup: &Setup) -> anyhow::Result<ExitCode> {
    match setup.request().target.clone() {
        Target::Simulated => simulated(setup),
        Target::Recipe { recipe, folder } => in_real_time(from_recipe(setup, *recipe, folder)),
        Target::Attach { url, engine, dialect, model, api_key_env } => {
            in_real_time(attached(setup, Attachment { url, engine, dialect, model, api_key_env }))
        }
    }
}

/// One thread: what is measured is the engine, and a second thread would only take its cores.
fn in_real_time(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn simulated(setup: &Setup) -> anyhow::Result<ExitCode> {
    let time = VirtualTime::new();
    let mut engine = SimulatedEngine::new(Params::default(), setup.request().seed, &time)?;
    let facts = EngineFacts { recipe: engine.recipe(), machine: SimulatedEngine::machine(), tokenizer: None };
    time.block_on(setup.measure(&mut engine, &time, facts))?
}

async fn from_recipe(setup: &Setup, recipe: Recipe, recipes: std::path::PathBuf) -> anyhow::Result<ExitCode> {
    let request = setup.request();
    let placeholders = Placeholders {
        recipes,
        testbed: request.testbed_dir.clone(),
        hf_cache: request.hf_cache_dir.clone(),
        cache: request.cache_dir.clone(),
        ..Placeholders::default()
    };
    let tokenizer = match (&request.tokenizer, &recipe.model.tokenizer) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(text)) => {
            let filled = placeholders.fill(text).map_err(|why| Usage(format!("recipe `{}`: {why}", recipe.name)))?;
            Some(filled.into())
        }
        (None, None) => None,
    };
    let machine = recipe.attach.as_ref().map_or_else(machine::look, |attach| machine_of(&attach.url));
    let facts = EngineFacts { recipe: recipe.clone(), machine, tokenizer };
    let clock = RealClock::start();
    let metrics_path = recipe.metrics_path.clone();
    if let Some(attach) = recipe.attach.clone() {
        let attachment = Attachment {
            url: attach.url,
            engine: Some(recipe.engine),
            dialect: recipe.dialect,
            model: Some(recipe.model.id.clone()),
            api_key_env: attach.api_key_env,
        };
        let options = HttpOptions { metrics_path, ..HttpOptions::default() };
        let endpoint = attachment.endpoint(&recipe.model.id, idle_ns(&recipe), options)?;
        let _alone = machine_alone(setup)?;
        return setup.measure(&mut AttachedEngine::new(attachment.url, endpoint), &clock, facts).await;
    }
    let secrets = secrets(&recipe)?;
    let known = Secrets::new(secrets.iter().map(|(_, value)| value.clone()));
    let mut options = HttpOptions { metrics_path, secrets: known, ..HttpOptions::default() };
    options.idle_ns = idle_ns(&recipe).unwrap_or(options.idle_ns);
    if recipe.container.is_some() {
        return Box::pin(in_container(setup, recipe, placeholders, secrets, options, facts)).await;
    }
    let mut values: Vec<_> = secrets.into_iter().map(|(_, value)| value).collect();
    values.extend(inherited_secrets());
    let engine = ProcessEngine::new(recipe, placeholders, request.out_dir.clone(), values, options)?;
    let lock = Rc::new(machine_alone(setup)?);
    if let Some(said) = lock.leftover().and_then(|leftover| kill_leftover(&leftover)) {
        say(&said);
    }
    setup.measure(&mut engine.noted_in(lock), &clock, facts).await
}

#[cfg(feature = "container")]
async fn in_container(
    setup: &Setup,
    recipe: Recipe,
    placeholders: Placeholders,
    secrets: Vec<(String, String)>,
    options: HttpOptions,
    facts: EngineFacts,
) -> anyhow::Result<ExitCode> {
    use harness::engine::container::{ContainerEngine, connect, remove_orphans};
    let mut engine = ContainerEngine::new(recipe, placeholders, setup.request().out_dir.clone(), secrets, options)?;
    let lock = machine_alone(setup)?;
    if let Some(said) = lock.leftover().and_then(|leftover| kill_leftover(&leftover)) {
        say(&said);
        lock.forget_engine()?;
    }
    // A daemon that is not there is said by the boot, whose record then says it too.
    if let Ok(docker) = setup.unless_stopped(connect()).await? {
        for removed in remove_orphans(&docker).await.map_err(EngineError::from)? {
            say(&removed);
        }
    }
    Box::pin(setup.measure(&mut engine, &RealClock::start(), facts)).await
}

#[cfg(not(feature = "container"))]
async fn in_container(
    _: &Setup,
    recipe: Recipe,
    _: Placeholders,
    _: Vec<(String, String)>,
    _: HttpOptions,
    _: EngineFacts,
) -> anyhow::Result<ExitCode> {
    let why = "it boots a container, and this program was built without what speaks to Docker; start it with `cargo xtask bench`";
    Err(Usage(format!("recipe `{}`: {why}", recipe.name)).into())
}

/// The right to measure on this machine; waits for another run to end where that is asked for.
fn machine_alone(setup: &Setup) -> anyhow::Result<RunLock> {
    let request = setup.request();
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

/// A server that already runs.
struct Attachment {
    url: String,
    engine: Option<EngineName>,
    dialect: DialectName,
    model: Option<String>,
    api_key_env: Option<String>,
}

impl Attachment {
    fn endpoint(&self, model: &str, idle_ns: Option<u64>, options: HttpOptions) -> anyhow::Result<HttpEndpoint> {
        let key = match &self.api_key_env {
            Some(name) => Some(secret(name).ok_or_else(|| Usage(format!("the environment variable {name} is not set")))?),
            None => None,
        };
        let mut options = HttpOptions { api_key: key.map(ApiKey::new), ..options };
        options.idle_ns = idle_ns.unwrap_or(options.idle_ns);
        Ok(HttpEndpoint::new(&self.url, dialect(self.dialect), model, options)?)
    }

    fn recipe(&self, model: String, max_context: Option<u32>) -> Recipe {
        Recipe {
            name: "attach".to_owned(),
            engine: self.engine.unwrap_or(EngineName::Other),
            dialect: self.dialect,
            description: "a server that was already running".to_owned(),
            model: recipe::Model { id: model, source: String::new(), revision: String::new(), tokenizer: None, max_context },
            container: None,
            process: None,
            attach: Some(recipe::Attach { url: self.url.clone(), api_key_env: self.api_key_env.clone() }),
            prefix_cache: recipe::PrefixCache::default(),
            metrics_path: None,
            ready: recipe::Ready { timeout_s: 60 },
            limits: recipe::Limits::default(),
            secrets: Vec::new(),
        }
    }
}

async fn attached(setup: &Setup, attachment: Attachment) -> anyhow::Result<ExitCode> {
    let asked = attachment.endpoint("", None, HttpOptions::default())?;
    let served = setup.unless_stopped(choose_model(&asked, &attachment.url, attachment.model.as_deref())).await??;
    let endpoint = attachment.endpoint(&served.id, None, HttpOptions::default())?;
    let _alone = machine_alone(setup)?;
    let facts = EngineFacts {
        recipe: attachment.recipe(served.id, served.max_model_len),
        machine: machine_of(&attachment.url),
        tokenizer: setup.request().tokenizer.clone(),
    };
    setup.measure(&mut AttachedEngine::new(attachment.url.clone(), endpoint), &RealClock::start(), facts).await
}

/// A server elsewhere runs on a machine that cannot be looked at from here.
fn machine_of(url: &str) -> record::Machine {
    let is_here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| url.contains(host));
    if is_here { machine::look() } else { record::Machine { name: "remote, unknown".to_owned(), ..record::Machine::default() } }
}

/// The recipe's limit of a stream's silence.
fn idle_ns(recipe: &Recipe) -> Option<u64> {
    recipe.limits.idle_timeout_s.map(|idle_s| u64::from(idle_s) * 1_000_000_000)
}

/// The variables that the recipe names, with their values.
fn secrets(recipe: &Recipe) -> anyhow::Result<Vec<(String, String)>> {
    let mut values = Vec::new();
    for name in &recipe.secrets {
        let missing = || Usage(format!("recipe `{}` needs the environment variable {name}, which is not set", recipe.name));
        values.push((name.clone(), secret(name).ok_or_else(missing)?));
    }
    Ok(values)
}

/// Values that must not stay in the log of a process either: those of every variable that it inherits and whose name says what it is.
fn inherited_secrets() -> Vec<String> {
    let telling = ["_TOKEN", "_KEY", "_SECRET", "_PASSWORD"];
    let inherited = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    inherited
        .filter(|(name, _)| telling.iter().any(|ending| name.to_uppercase().ends_with(ending)))
        .map(|(_, value)| value)
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "secrets are given by name, and only here turned into values")]
fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
