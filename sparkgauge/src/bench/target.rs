//! Which engine a run measures, and which one beside it.

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use record::{DialectName, EngineName, Recipe, SimulatedSpark, Slowdown, Target, recipe};

use super::BenchArgs;
use crate::{UsageError, recipe_store::RecipeStore, sim::source};

/// A simulated Spark that is not as it should be, to see what a verdict says of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulation")]
pub(super) struct SimulatedArgs {
    /// Slow down decode, prefill or queue, e.g. decode=5; may be given several times
    #[arg(long = "simulated-slower", value_name = "PART=PERCENT")]
    slower: Vec<PhaseSlowdown>,
    /// Seed of the simulated noise [default: the seed of the run]
    ///
    /// Two simulated runs with one seed are identical and cannot be compared.
    #[arg(long = "simulated-noise-seed", value_name = "N")]
    noise_seed: Option<u64>,
    /// Parameters of the simulated engine, as `sim fit --out` writes them
    ///
    /// With --against simulated, both sides have them.
    #[arg(long = "simulated-params", value_name = "FILE")]
    params: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServingPhase {
    Decode,
    Prefill,
    Queue,
}

/// `--simulated-slower`: how much longer a phase takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PhaseSlowdown {
    phase: ServingPhase,
    ppm: u32,
}

/// The word for the simulated Spark as the other side of a comparison.
const SIMULATED: &str = "simulated";

/// Ten times as long; more is a typing error.
const PPM_MAX: u32 = 9_000_000;

impl FromStr for PhaseSlowdown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (part, percent) = text.split_once('=').ok_or("it is not PART=PERCENT, e.g. `decode=5`")?;
        let phase = match part {
            "decode" => ServingPhase::Decode,
            "prefill" => ServingPhase::Prefill,
            "queue" => ServingPhase::Queue,
            _ => return Err(format!("`{part}` is not one of decode, prefill, queue")),
        };
        let ppm = ppm(percent).filter(|ppm| (1..=PPM_MAX).contains(ppm));
        let ppm = ppm.ok_or_else(|| format!("`{percent}` is no percentage above 0 and up to 900 with at most four decimals"))?;
        Ok(Self { phase, ppm })
    }
}

/// Percent as parts per million, exactly.
fn ppm(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 4 || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
    whole.parse::<u32>().ok()?.checked_mul(10_000)?.checked_add(decimals)
}

impl SimulatedArgs {
    fn is_given(&self) -> bool {
        !self.slower.is_empty() || self.noise_seed.is_some() || self.params.is_some()
    }

    fn target(&self) -> Result<Target, UsageError> {
        let mut slower = Slowdown::default();
        for slowdown in &self.slower {
            let part_ppm = match slowdown.phase {
                ServingPhase::Decode => &mut slower.decode_ppm,
                ServingPhase::Prefill => &mut slower.prefill_ppm,
                ServingPhase::Queue => &mut slower.queue_ppm,
            };
            if std::mem::replace(part_ppm, slowdown.ppm) != 0 {
                return Err(UsageError("--simulated-slower names a part twice".to_owned()));
            }
        }
        Ok(Target::Simulated(SimulatedSpark { slower, noise_seed: self.noise_seed, params: self.params()? }))
    }

    /// The text of the file with its parameters.
    fn params(&self) -> Result<Option<String>, UsageError> {
        self.params.as_ref().map(|path| source::params(path).map(|(text, _)| text)).transpose()
    }
}

impl BenchArgs {
    pub(super) fn target(&self) -> anyhow::Result<Target> {
        let is_simulated =
            self.attach.is_none() && self.recipe.is_none() && matches!(self.engine, None | Some(EngineName::Simulated));
        if is_simulated {
            return Ok(self.simulated.target()?);
        }
        if self.simulated.is_given() {
            let why = "--simulated-slower, --simulated-noise-seed and --simulated-params are for the simulated Spark: a real engine is as it is";
            return Err(UsageError(why.to_owned()).into());
        }
        if let Some(url) = &self.attach {
            return Ok(Target::Recipe { recipe: Box::new(self.recipe_of_attached(url)), folder: PathBuf::new() });
        }
        match (&self.recipe, self.engine) {
            (Some(recipe), _) => load(recipe),
            (None, Some(engine)) if engine != EngineName::Other => load(engine.as_str()),
            _ => Err(UsageError(
                "`other` has no recipe of its own; use --recipe FILE-OR-NAME, or --attach URL for a server that runs".to_owned(),
            )
            .into()),
        }
    }

    /// The recipe in the record of a server that `--attach` names. Without `--model` it is the only model that the server lists.
    fn recipe_of_attached(&self, url: &str) -> Recipe {
        Recipe {
            name: "attach".to_owned(),
            engine: self.engine.unwrap_or(EngineName::Other),
            dialect: self.dialect.or_else(|| self.engine.map(dialect_of)).unwrap_or(DialectName::Openai),
            description: "a server that was already running".to_owned(),
            model: recipe::Model {
                id: self.model.clone().unwrap_or_default(),
                source: String::new(),
                revision: String::new(),
                tokenizer: None,
                max_context: None,
            },
            container: None,
            process: None,
            attach: Some(recipe::AttachTarget { url: url.to_owned(), api_key_env: self.api_key_env.clone() }),
            prefix_cache: recipe::PrefixCache::default(),
            metrics_path: None,
            ready: recipe::Readiness { timeout_s: 60 },
            limits: recipe::Limits::default(),
            secrets: Vec::new(),
        }
    }

    /// The engine of `--against`.
    pub(super) fn against(&self, target: &Target) -> anyhow::Result<Option<Target>> {
        let Some(word) = &self.judging.against else { return Ok(None) };
        let against = if word == SIMULATED {
            Target::Simulated(SimulatedSpark { params: self.simulated.params()?, ..SimulatedSpark::default() })
        } else {
            load(word)?
        };
        if matches!(target, Target::Simulated(_)) != matches!(against, Target::Simulated(_)) {
            let why = "--against cannot compare the simulated Spark with a real engine: one of them measures no hardware";
            return Err(UsageError(why.to_owned()).into());
        }
        for target in [target, &against] {
            if let Target::Recipe { recipe, .. } = target
                && recipe.attach.is_some()
            {
                return Err(UsageError(format!(
                    "recipe `{}` attaches to a server that runs, which cannot be booted in turn with another: --against needs recipes \
                     with [process] or [container]",
                    recipe.name
                ))
                .into());
            }
        }
        Ok(Some(against))
    }
}

/// A recipe by name or path; each engine has one of its own name.
fn load(recipe: &str) -> anyhow::Result<Target> {
    let stored = RecipeStore::open().load(recipe).map_err(UsageError::because)?;
    Ok(Target::Recipe { recipe: Box::new(stored.recipe), folder: stored.folder })
}

/// Each engine has a dialect of its own name.
fn dialect_of(engine: EngineName) -> DialectName {
    engine.as_str().parse().unwrap_or(DialectName::Openai)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slowdown_percent_is_parsed_exactly() {
        let of = |text: &str| text.parse::<PhaseSlowdown>();
        assert_eq!(of("decode=5"), Ok(PhaseSlowdown { phase: ServingPhase::Decode, ppm: 50_000 }));
        assert_eq!(of("prefill=0.25"), Ok(PhaseSlowdown { phase: ServingPhase::Prefill, ppm: 2500 }));
        assert_eq!(of("queue=900"), Ok(PhaseSlowdown { phase: ServingPhase::Queue, ppm: 9_000_000 }));
        assert_eq!(of("queue=0.0001").unwrap().ppm, 1);
        for wrong in ["decode", "decode=", "decode=0", "decode=-1", "decode=1e2", "decode=901", "decode=0.00001", "decode=."] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(of("boot=5").unwrap_err().contains("decode, prefill, queue"));
    }

    #[test]
    fn phase_slowed_twice_is_refused() {
        let args = |words: &[&str]| SimulatedArgs {
            slower: words.iter().map(|word| word.parse().unwrap()).collect(),
            noise_seed: Some(3),
            params: None,
        };
        let slower = Slowdown { decode_ppm: 50_000, queue_ppm: 100_000, prefill_ppm: 0 };
        assert_eq!(
            args(&["decode=5", "queue=10"]).target().unwrap(),
            Target::Simulated(SimulatedSpark { slower, noise_seed: Some(3), params: None })
        );
        assert!(args(&["decode=5", "decode=5"]).target().unwrap_err().0.contains("twice"));
    }
}
