//! The engine that a run request names, made ready to boot.

use fixtures::{engine_model::Params, simulated_engine::SimulatedEngine, virtual_time::VirtualTime};
use harness::{
    clock::RealClock,
    dialect::dialect,
    engine::{
        attach::{AttachedEngine, choose_model},
        placeholders::Placeholders,
        process::ProcessEngine,
    },
    http::{ApiKey, HttpEndpoint, HttpOptions},
    machine,
};
use record::{DialectName, EngineName, ExitCode, Recipe, Target, recipe};

use crate::setup::{EngineFacts, Setup, Usage};

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
    let placeholders = Placeholders { recipes, testbed: request.testbed_dir.clone(), ..Placeholders::default() };
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
    if let Some(attach) = recipe.attach.clone() {
        let attachment = Attachment {
            url: attach.url,
            engine: Some(recipe.engine),
            dialect: recipe.dialect,
            model: Some(recipe.model.id.clone()),
            api_key_env: attach.api_key_env,
        };
        let endpoint = attachment.endpoint(&recipe.model.id, idle_ns(&recipe))?;
        return setup.measure(&mut AttachedEngine::new(attachment.url, endpoint), &clock, facts).await;
    }
    let secrets = secrets(&recipe)?;
    let mut options = HttpOptions::default();
    options.idle_ns = idle_ns(&recipe).unwrap_or(options.idle_ns);
    let mut engine = ProcessEngine::new(recipe, placeholders, request.out_dir.clone(), secrets, options)?;
    setup.measure(&mut engine, &clock, facts).await
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
    fn endpoint(&self, model: &str, idle_ns: Option<u64>) -> anyhow::Result<HttpEndpoint> {
        let key = match &self.api_key_env {
            Some(name) => Some(secret(name).ok_or_else(|| Usage(format!("the environment variable {name} is not set")))?),
            None => None,
        };
        let mut options = HttpOptions { api_key: key.map(ApiKey::new), ..HttpOptions::default() };
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
    let served = choose_model(&attachment.endpoint("", None)?, &attachment.url, attachment.model.as_deref()).await?;
    let endpoint = attachment.endpoint(&served.id, None)?;
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

/// Values that must not stay in an engine's log: those of the variables that the recipe names, and of every other variable that the
/// engine inherits and whose name says what it is.
fn secrets(recipe: &Recipe) -> anyhow::Result<Vec<String>> {
    let mut values = Vec::new();
    for name in &recipe.secrets {
        let missing = || Usage(format!("recipe `{}` needs the environment variable {name}, which is not set", recipe.name));
        values.push(secret(name).ok_or_else(missing)?);
    }
    let telling = ["_TOKEN", "_KEY", "_SECRET", "_PASSWORD"];
    let inherited = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    values.extend(
        inherited.filter(|(name, _)| telling.iter().any(|ending| name.to_uppercase().ends_with(ending))).map(|(_, value)| value),
    );
    Ok(values)
}

#[expect(clippy::disallowed_methods, reason = "secrets are given by name, and only here turned into values")]
fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
