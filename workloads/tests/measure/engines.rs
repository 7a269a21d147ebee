//! The engine that a run request names, made ready to boot; or two of them.

use fixtures::{simulated_engine::SimulatedEngine, virtual_time::VirtualTime};
use harness::{clock::RealClock, runtime};
use record::{ExitCode, Simulated, Slower, Target};
use twin::server::{BadParams, Params};

use crate::{
    attached::{Attachment, attached, attached_by_recipe},
    booted::{Bootable, Source, take_machine},
    measuring::{EngineFacts, Part},
    setup::{Setup, Usage},
};

/// Measures what the request asks for.
pub(crate) fn run(setup: &Setup) -> anyhow::Result<ExitCode> {
    match (setup.request.target.clone(), setup.request.against.clone()) {
        (Target::Simulated(spark), None) => simulated(setup, &spark),
        (Target::Recipe { recipe, folder }, None) => in_real_time(from_recipe(setup, Source { recipe: *recipe, folder })),
        (Target::Attach { url, engine, dialect, model, api_key_env }, None) => {
            in_real_time(attached(setup, Attachment { url, engine, dialect, model, api_key_env }))
        }
        (candidate, Some(baseline)) => run_both(setup, baseline, candidate),
    }
}

/// Measures two engines in turns.
fn run_both(setup: &Setup, baseline: Target, candidate: Target) -> anyhow::Result<ExitCode> {
    use Target::{Attach, Recipe, Simulated};
    let refused = match (baseline, candidate) {
        (Simulated(baseline), Simulated(candidate)) => return both_simulated(setup, &baseline, &candidate),
        (Recipe { recipe, folder }, Recipe { recipe: candidate, folder: candidate_folder }) => {
            let candidate = Source { recipe: *candidate, folder: candidate_folder };
            return in_real_time(both_from_recipes(setup, Source { recipe: *recipe, folder }, candidate));
        }
        (Attach { .. }, _) | (_, Attach { .. }) => ATTACHED,
        (Simulated(_), Recipe { .. }) | (Recipe { .. }, Simulated(_)) => {
            "the simulated Spark lives in virtual time: it is measured in turns with another simulated one, not with a real engine"
        }
    };
    Err(Usage(refused.to_owned()).into())
}

const ATTACHED: &str = "a server that was attached to cannot be booted in turns with another: measure each into a record of its own, and \
                        compare the records";

fn in_real_time(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    runtime::measuring()?.block_on(work)
}

fn simulated(setup: &Setup, spark: &Simulated) -> anyhow::Result<ExitCode> {
    let time = VirtualTime::new();
    let (mut engine, facts) = simulated_engine(spark, spark.noise_seed.unwrap_or(setup.request.seed), &time)?;
    time.block_on(setup.measure(Part { engine: &mut engine, facts }, &time))?
}

fn both_simulated(setup: &Setup, baseline: &Simulated, candidate: &Simulated) -> anyhow::Result<ExitCode> {
    let time = VirtualTime::new();
    let [seed, candidate_seed] = [baseline, candidate].map(|spark| spark.noise_seed.unwrap_or(setup.request.seed));
    // Two sides of one noise would be one and the same.
    let seed = if seed == candidate_seed { SimulatedEngine::other_noise(seed) } else { seed };
    let (mut baseline, facts) = simulated_engine(baseline, seed, &time)?;
    let (mut candidate, candidate_facts) = simulated_engine(candidate, candidate_seed, &time)?;
    let baseline = Part { engine: &mut baseline, facts };
    let candidate = Part { engine: &mut candidate, facts: candidate_facts };
    time.block_on(setup.measure_both(baseline, candidate, &time))?
}

fn simulated_engine(spark: &Simulated, seed: u64, time: &VirtualTime) -> Result<(SimulatedEngine, EngineFacts), Usage> {
    let usage = |error: BadParams| Usage(error.to_string());
    let params = spark.params.as_deref().map_or(Ok(Params::default()), Params::from_toml).map_err(usage)?;
    // The command line's word goes before the file's.
    let slower = if spark.slower == Slower::default() { params.slower } else { spark.slower };
    let engine = SimulatedEngine::new(Params { slower, ..params }, seed, time).map_err(usage)?;
    let facts = EngineFacts { recipe: engine.recipe(), machine: SimulatedEngine::machine(), tokenizer: None };
    Ok((engine, facts))
}

async fn from_recipe(setup: &Setup, source: Source) -> anyhow::Result<ExitCode> {
    if let Some(attach) = source.recipe.attach.clone() {
        return attached_by_recipe(setup, source.facts(setup)?, attach).await;
    }
    let facts = source.facts(setup)?;
    let secrets = source.secrets()?;
    let bootable = source.bootable(setup, setup.request.out_dir.clone(), secrets, &[])?;
    let lock = take_machine(setup, bootable.is_container()).await?;
    let clock = RealClock::start();
    match bootable {
        Bootable::Process(engine) => {
            let mut engine = engine.noted_in(lock);
            setup.measure(Part { engine: &mut engine, facts }, &clock).await
        }
        #[cfg(feature = "container")]
        Bootable::Container(mut engine) => Box::pin(setup.measure(Part { engine: &mut *engine, facts }, &clock)).await,
    }
}

async fn both_from_recipes(setup: &Setup, baseline: Source, candidate: Source) -> anyhow::Result<ExitCode> {
    use crate::measuring::side_folder;
    use record::Side;
    if baseline.recipe.attach.is_some() || candidate.recipe.attach.is_some() {
        return Err(Usage(ATTACHED.to_owned()).into());
    }
    let (facts, candidate_facts) = (baseline.facts(setup)?, candidate.facts(setup)?);
    let (secrets, candidate_secrets) = (baseline.secrets()?, candidate.secrets()?);
    // One may well print what the other one was given: both run as the same user, and read the same files.
    let all: Vec<String> = secrets.iter().chain(&candidate_secrets).map(|(_, value)| value.clone()).collect();
    let folder = |side| side_folder(&setup.request.out_dir, side);
    let baseline = baseline.bootable(setup, folder(Side::Baseline), secrets, &all)?;
    let candidate = candidate.bootable(setup, folder(Side::Candidate), candidate_secrets, &all)?;
    let lock = take_machine(setup, baseline.is_container() || candidate.is_container()).await?;
    let clock = RealClock::start();
    match (baseline, candidate) {
        (Bootable::Process(baseline), Bootable::Process(candidate)) => {
            let (mut baseline, mut candidate) = (baseline.noted_in(lock.clone()), candidate.noted_in(lock));
            let baseline = Part { engine: &mut baseline, facts };
            let candidate = Part { engine: &mut candidate, facts: candidate_facts };
            Box::pin(setup.measure_both(baseline, candidate, &clock)).await
        }
        #[cfg(feature = "container")]
        (Bootable::Container(mut baseline), Bootable::Process(candidate)) => {
            let baseline = Part { engine: &mut *baseline, facts };
            let candidate = Part { engine: &mut candidate.noted_in(lock), facts: candidate_facts };
            Box::pin(setup.measure_both(baseline, candidate, &clock)).await
        }
        #[cfg(feature = "container")]
        (Bootable::Process(baseline), Bootable::Container(mut candidate)) => {
            let baseline = Part { engine: &mut baseline.noted_in(lock), facts };
            let candidate = Part { engine: &mut *candidate, facts: candidate_facts };
            Box::pin(setup.measure_both(baseline, candidate, &clock)).await
        }
        #[cfg(feature = "container")]
        (Bootable::Container(mut baseline), Bootable::Container(mut candidate)) => {
            let baseline = Part { engine: &mut *baseline, facts };
            let candidate = Part { engine: &mut *candidate, facts: candidate_facts };
            Box::pin(setup.measure_both(baseline, candidate, &clock)).await
        }
    }
}
