//! The run request: the resolved command line, as the measuring program receives it.

use serde::{Deserialize, Serialize};

use crate::engine::named;
use crate::{ClientCore, Recipe};

named! {
    /// How much of the suite a run takes.
    Profile {
        /// A declared miniature of every workload: proves plumbing, compares with nothing.
        Smoke = "smoke",
        /// Few points, few trials: advisory.
        Quick = "quick",
        /// Enough boots and trials for a verdict.
        Standard = "standard",
        /// Every point of every workload, however long it takes.
        Full = "full",
    }
}

/// A run request: the engine, the workloads, and how often and with what each is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    /// The engine that is measured: the candidate, where `against` names a baseline.
    pub target: Target,
    /// The baseline that it is compared with, measured together with it boot by boot; the records then lie in `candidate` and `baseline` of the
    /// run's folder.
    pub against: Option<Target>,
    /// Workloads by name; empty means all nine.
    pub workloads: Vec<String>,
    /// How much of each.
    pub profile: Profile,
    /// Boots of the engine; `None` takes the profile's number.
    pub boots: Option<u32>,
    /// The number of the first boot: above 0 where this run adds to an earlier one.
    pub first_boot: u32,
    /// Trials of each cell in each boot; `None` takes the profile's number.
    pub trials: Option<u32>,
    /// The seed from which each trial's seed and the order of cells are derived.
    pub seed: u64,
    /// The folder that the record and the engine's logs are written to.
    pub out_dir: std::path::PathBuf,
    /// The testbed's folder, for recipes that name it.
    pub testbed_dir: Option<std::path::PathBuf>,
    /// The cache of the Hugging Face hub on this machine, for recipes that mount it.
    pub hf_cache_dir: Option<std::path::PathBuf>,
    /// The folder in which engines may keep what they compile and download.
    pub cache_dir: Option<std::path::PathBuf>,
    /// The model's `tokenizer.json`; overrides the recipe's.
    pub tokenizer: Option<std::path::PathBuf>,
    /// A file of `ShareGPT` conversations, and the digest it must have if one was given.
    pub sharegpt: Option<(std::path::PathBuf, Option<String>)>,
    /// The command line, word for word.
    pub command: Vec<String>,
    /// Whether to wait while another run measures on this machine, instead of refusing.
    pub wait: bool,
    /// The processor that the client is to have for itself.
    pub client_core: ClientCore,
    /// Whether a recipe may be measured in a `standard` or `full` run that could be another engine tomorrow.
    pub allow_unpinned: bool,
    /// Whether standard input ends when the command line's program does, so that its end means stop.
    pub stop_at_eof: bool,
    /// The commit that the harness was built from, where git knows it.
    pub commit: Option<String>,
    /// The instrument's own error on this machine, if it was measured.
    #[serde(default)]
    pub instrument: Option<crate::ErrorBudget>,
}

/// Which engine a run measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The simulated Spark, in virtual time.
    Simulated(SimulatedSpark),
    /// A recipe: a server to start, or one that already runs.
    Recipe {
        /// The recipe itself. One of a running server may leave the model's name empty, which takes the only one that the server lists.
        recipe: Box<Recipe>,
        /// The folder of its file, which `${RECIPES}` stands for.
        folder: std::path::PathBuf,
    },
}

impl Target {
    /// The recipe; none of the simulated Spark.
    #[must_use]
    pub fn recipe(&self) -> Option<&Recipe> {
        match self {
            Self::Simulated(_) => None,
            Self::Recipe { recipe, .. } => Some(recipe),
        }
    }

    /// Whether it is a server that runs already, wherever that may be.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.recipe().is_some_and(|recipe| recipe.attach.is_some())
    }

    /// The client's processor beside this target: an attached server is not kept from any, and so the client has none to itself unasked.
    #[must_use]
    pub fn client_core(&self, asked: ClientCore) -> ClientCore {
        if asked == ClientCore::Auto && self.is_attached() { ClientCore::Shared } else { asked }
    }
}

/// The simulated Spark that a run measures: its parameters, noise and injected slowdown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedSpark {
    /// The slowdown that is injected.
    pub slower: Slowdown,
    /// The seed of its noise; `None` takes the run's. Two runs of one seed are the same to the byte, so that a comparison needs two.
    pub noise_seed: Option<u64>,
    /// Its parameters as the TOML that `cargo xtask sim fit --out` writes; `None` takes the default ones.
    pub params: Option<String>,
}

/// A simulated Spark that is slower than it should be, to test what a verdict finds. In parts per million; 50 000 are 5 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slowdown {
    /// Added to each decode step's duration.
    pub decode_ppm: u32,
    /// Every token of prefill.
    pub prefill_ppm: u32,
    /// Every wait in the scheduler's queue.
    pub queue_ppm: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attached_server_gets_no_automatic_client_core() {
        let text = "name = 'x'\nengine = 'other'\ndialect = 'openai'\n[model]\nid = 'm'\n[attach]\nurl = 'http://127.0.0.1:1'\n";
        let recipe = crate::recipe::parse(text, "x.toml", "x").unwrap();
        let attached = Target::Recipe { recipe: Box::new(recipe), folder: "recipes".into() };
        let simulated = Target::Simulated(SimulatedSpark::default());
        assert!(attached.is_attached() && !simulated.is_attached());
        let of_attached = [ClientCore::Auto, ClientCore::Shared, ClientCore::Number(3)].map(|asked| attached.client_core(asked));
        assert_eq!(of_attached, [ClientCore::Shared, ClientCore::Shared, ClientCore::Number(3)]);
        assert_eq!(simulated.client_core(ClientCore::Auto), ClientCore::Auto);
    }
}
