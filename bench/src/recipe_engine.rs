//! From a recipe to an engine that can be started, and what a run must know of it beforehand.

use std::path::PathBuf;

#[cfg(feature = "container")]
use harness::engine::container::ContainerEngine;
use harness::{
    engine::{placeholders::Placeholders, process::ProcessEngine},
    http::HttpOptions,
    machine,
    secrets::Secrets,
};
use record::Recipe;

#[cfg(not(feature = "container"))]
use crate::parts;
use crate::{BenchError, UsageError, attach, measurement::EngineFacts, real_engine::RealEngine, setup::Setup};

/// A recipe, and the folder that it came from.
pub(crate) struct Source {
    pub(crate) recipe: Recipe,
    pub(crate) folder: PathBuf,
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
    pub(crate) fn facts(&self, setup: &Setup) -> Result<EngineFacts, UsageError> {
        let recipe = &self.recipe;
        let tokenizer = match (&setup.request.tokenizer, &recipe.model.tokenizer) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(text)) => {
                let filled = self.placeholders(setup).fill(text);
                Some(filled.map_err(|why| UsageError(format!("recipe `{}`: {why}", recipe.name)))?.into())
            }
            (None, None) => None,
        };
        let machine = recipe.attach.as_ref().map_or_else(machine::detect, |attach| attach::machine_of(&attach.url));
        Ok(EngineFacts { recipe: recipe.clone(), machine, tokenizer })
    }

    /// The variables that it names, with their values.
    pub(crate) fn secrets(&self) -> Result<Vec<(String, String)>, UsageError> {
        let Recipe { name: recipe, secrets, .. } = &self.recipe;
        let missing =
            |name: &str| UsageError(format!("recipe `{recipe}` needs the environment variable {name}, which is not set"));
        secrets.iter().map(|name| Ok((name.clone(), secret(name).ok_or_else(|| missing(name))?))).collect()
    }

    /// The engine itself, to be started on its processors. Its logs go to `folder`; `others` are values of secrets that are not its own and
    /// must not stay there either.
    pub(crate) fn engine(
        self,
        setup: &Setup,
        folder: PathBuf,
        secrets: &[(String, String)],
        others: &[String],
    ) -> Result<RealEngine, BenchError> {
        let placeholders = self.placeholders(setup);
        let recipe = self.recipe;
        let mut values: Vec<String> = secrets.iter().map(|(_, value)| value).chain(others).cloned().collect();
        let known = Secrets::new(values.iter().cloned());
        let mut options = HttpOptions { metrics_path: recipe.metrics_path.clone(), secrets: known, ..HttpOptions::default() };
        options.idle_ns = idle_ns(&recipe).unwrap_or(options.idle_ns);
        if recipe.container.is_some() {
            #[cfg(not(feature = "container"))]
            return Err(parts::no_containers(&recipe));
            #[cfg(feature = "container")]
            {
                let engine = ContainerEngine::new(recipe, placeholders, folder, secrets.to_vec(), options)?;
                let engine = engine.with_redaction(others.to_vec()).with_cores(setup.cores.clone());
                return Ok(RealEngine::Container(Box::new(engine)));
            }
        }
        values.extend(inherited_secrets());
        let engine = ProcessEngine::new(recipe, placeholders, folder, values, options)?;
        Ok(RealEngine::Process(Box::new(engine.with_cores(setup.cores.clone()))))
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
