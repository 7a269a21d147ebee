//! A recipe: all that is needed to boot an engine again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DialectName, EngineName, Launch};

mod container;
mod parse;
mod pinned;

pub use container::{Container, Gpus, Ipc, Mount, Ulimit, is_digest, repository};
pub use parse::{RecipeError, parse};

/// All that is needed to boot an engine again. On disk it is a TOML file in `recipes/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The same as its file's name.
    pub name: String,
    /// Which engine it boots or attaches to.
    pub engine: EngineName,
    /// The dialect it speaks.
    pub dialect: DialectName,
    /// One line for people.
    #[serde(default)]
    pub description: String,
    /// The model that is served: its name, source, revision and tokenizer.
    pub model: Model,
    /// How to boot it as a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// How to spawn it as a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// Where it already runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<AttachTarget>,
    /// The policy for its prefix cache.
    #[serde(default, skip_serializing_if = "PrefixCache::is_default")]
    pub prefix_cache: PrefixCache,
    /// Path of its Prometheus metrics, where it is not the dialect's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_path: Option<String>,
    /// When it counts as ready.
    #[serde(default)]
    pub ready: Readiness,
    /// Limits of the engine.
    #[serde(default)]
    pub limits: Limits,
    /// Names of environment variables that the engine needs and whose values appear nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
}

/// The model that a recipe serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name sent in requests.
    pub id: String,
    /// Where the model comes from; for a model of the Hugging Face hub `owner/name`, which `${MODEL}` stands for.
    #[serde(default)]
    pub source: String,
    /// Its revision, e.g. a commit hash, which `${REVISION}` stands for. A branch such as `main` is not pinned.
    #[serde(default)]
    pub revision: String,
    /// Path of its `tokenizer.json`; may hold placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// Tokens, prompt and output together, that one request may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_context: Option<u32>,
}

/// A server spawned as a process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The program and its arguments. `${PORT}`, `${TESTBED}` and `${RECIPES}` are filled in.
    pub command: Vec<String>,
    /// Environment variables with values that anyone may see; they take the same placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The port; 0 means that a free one is chosen.
    #[serde(default)]
    pub port: u16,
    /// How it is asked to stop.
    #[serde(default)]
    pub stop_signal: StopSignal,
    /// Seconds it has to stop before it is killed.
    #[serde(default = "default_stop_grace_s")]
    pub stop_grace_s: u32,
}

/// The policy for an engine's prefix cache. The workload decides what may be shared; a recipe only tells whether the engine has a
/// cache at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PrefixCache {
    /// It is on, and each workload decides: prompts that share nothing, and a reset between trials, where sharing is forbidden.
    #[default]
    Workload,
    /// The command line turns it off, so `multi-turn` reads its whole context again in every turn, and the report says so.
    Off,
}

impl PrefixCache {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How an engine is asked to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum StopSignal {
    /// SIGTERM, signal 15.
    #[default]
    Term,
    /// SIGINT, signal 2: what Ctrl-C sends.
    Int,
}

/// A server that already runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Attach"))]
#[serde(deny_unknown_fields)]
pub struct AttachTarget {
    /// Its base URL, e.g. `http://127.0.0.1:8000`.
    pub url: String,
    /// Name of the environment variable that holds the API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
}

/// When an engine counts as ready: when it has answered with a real token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Ready"))]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// Seconds after which the boot has failed.
    #[serde(default = "default_ready_timeout_s")]
    pub timeout_s: u32,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { timeout_s: default_ready_timeout_s() }
    }
}

/// Limits of an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests that it runs at once; the others wait in its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
    /// Seconds that one request may take; the trial goes on without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timeout_s: Option<u32>,
    /// Seconds that a stream may be silent after its first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_s: Option<u32>,
    /// GiB of memory that must be available before it is booted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gib: Option<u32>,
}

fn default_stop_grace_s() -> u32 {
    30
}

/// Half an hour: 70 GB of weights take ten minutes to load, a cold compile longer.
fn default_ready_timeout_s() -> u32 {
    1800
}

impl Recipe {
    /// How its engine is started.
    #[must_use]
    pub fn launch(&self) -> Launch {
        if self.container.is_some() {
            Launch::Container
        } else if self.process.is_some() {
            Launch::Process
        } else {
            Launch::Attach
        }
    }
}

#[cfg(test)]
mod tests;
