//! Servers that already run.

use harness::{
    clock::RealClock,
    dialect::dialect,
    engine::attach::{AttachedEngine, choose_model},
    http::{ApiKey, HttpEndpoint, HttpOptions},
    machine,
};
use record::{DialectName, EngineName, ExitCode, Recipe, recipe};

use crate::{
    booted::{idle_ns, machine_alone, secret},
    measuring::{EngineFacts, Part},
    setup::{Setup, Usage},
};

/// A server that already runs.
pub(crate) struct Attachment {
    pub(crate) url: String,
    pub(crate) engine: Option<EngineName>,
    pub(crate) dialect: DialectName,
    pub(crate) model: Option<String>,
    pub(crate) api_key_env: Option<String>,
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

/// Measures a server that a recipe names.
pub(crate) async fn attached_by_recipe(setup: &Setup, facts: EngineFacts, attach: recipe::Attach) -> anyhow::Result<ExitCode> {
    let recipe = &facts.recipe;
    let attachment = Attachment {
        url: attach.url,
        engine: Some(recipe.engine),
        dialect: recipe.dialect,
        model: Some(recipe.model.id.clone()),
        api_key_env: attach.api_key_env,
    };
    let options = HttpOptions { metrics_path: recipe.metrics_path.clone(), ..HttpOptions::default() };
    let endpoint = attachment.endpoint(&recipe.model.id, idle_ns(recipe), options)?;
    let _alone = machine_alone(setup)?;
    let mut engine = AttachedEngine::new(attachment.url, endpoint);
    setup.measure(Part { engine: &mut engine, facts }, &RealClock::start()).await
}

/// Measures a server that the command line names.
pub(crate) async fn attached(setup: &Setup, attachment: Attachment) -> anyhow::Result<ExitCode> {
    let asked = attachment.endpoint("", None, HttpOptions::default())?;
    let served = setup.unless_stopped(choose_model(&asked, &attachment.url, attachment.model.as_deref())).await??;
    let endpoint = attachment.endpoint(&served.id, None, HttpOptions::default())?;
    let _alone = machine_alone(setup)?;
    let facts = EngineFacts {
        recipe: attachment.recipe(served.id, served.max_model_len),
        machine: machine_of(&attachment.url),
        tokenizer: setup.request.tokenizer.clone(),
    };
    let mut engine = AttachedEngine::new(attachment.url, endpoint);
    setup.measure(Part { engine: &mut engine, facts }, &RealClock::start()).await
}

/// A server elsewhere runs on a machine that cannot be looked at from here.
pub(crate) fn machine_of(url: &str) -> record::Machine {
    let is_here = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| url.contains(host));
    if is_here { machine::look() } else { record::Machine { name: "remote, unknown".to_owned(), ..record::Machine::default() } }
}
