//! The engine that a run request names, made ready to start; or two of them.

use std::rc::Rc;

use fixtures::{simulated_engine::SimulatedEngine, virtual_time::VirtualTime};
use harness::{clock::RealClock, runtime};
use record::{EndReason, Side, SimulatedSpark, Slowdown, Target};
use twin::server::Params;

use crate::{
    BenchError, UsageError,
    attach::attach,
    machine_lock::{machine_alone, take_machine},
    measurement::{EngineFacts, EngineUnderTest, side_folder},
    real_engine::RealEngine,
    recipe_engine::Source,
    setup::Setup,
};

/// Measures what the request asks for.
pub(crate) fn run(setup: &Setup) -> Result<EndReason, BenchError> {
    let source = |target: &Target| match target.clone() {
        Target::Simulated(spark) => Err(spark),
        Target::Recipe { recipe, folder } => Ok(Source { recipe: *recipe, folder }),
    };
    let against = setup.request.against.as_ref().map(source);
    match (source(&setup.request.target), against) {
        (Err(spark), None) => simulated(setup, &spark),
        (Err(candidate), Some(Err(baseline))) => both_simulated(setup, &baseline, &candidate),
        (Ok(source), None) => in_real_time(from_recipe(setup, source)),
        (Ok(candidate), Some(Ok(baseline))) => in_real_time(both_from_recipes(setup, baseline, candidate)),
        (Ok(_), Some(Err(_))) | (Err(_), Some(Ok(_))) => {
            let why = "the simulated Spark lives in virtual time: it is measured in turns with another simulated one, not with a real \
                       engine";
            Err(UsageError(why.to_owned()).into())
        }
    }
}

fn in_real_time(work: impl Future<Output = Result<EndReason, BenchError>>) -> Result<EndReason, BenchError> {
    let runtime = runtime::measuring().map_err(|why| BenchError::System { what: "the runtime does not start", why })?;
    runtime.block_on(work)
}

fn simulated(setup: &Setup, spark: &SimulatedSpark) -> Result<EndReason, BenchError> {
    let time = VirtualTime::new();
    let (mut engine, facts) = simulated_engine(spark, spark.noise_seed.unwrap_or(setup.request.seed), &time)?;
    time.block_on(setup.measure(EngineUnderTest { engine: &mut engine, facts }, &time))?
}

fn both_simulated(setup: &Setup, baseline: &SimulatedSpark, candidate: &SimulatedSpark) -> Result<EndReason, BenchError> {
    let time = VirtualTime::new();
    let [seed, candidate_seed] = [baseline, candidate].map(|spark| spark.noise_seed.unwrap_or(setup.request.seed));
    // Two sides of one noise would be one and the same.
    let seed = if seed == candidate_seed { SimulatedEngine::other_noise(seed) } else { seed };
    let (mut baseline, facts) = simulated_engine(baseline, seed, &time)?;
    let (mut candidate, candidate_facts) = simulated_engine(candidate, candidate_seed, &time)?;
    let baseline = EngineUnderTest { engine: &mut baseline, facts };
    let candidate = EngineUnderTest { engine: &mut candidate, facts: candidate_facts };
    time.block_on(setup.measure_both(baseline, candidate, &time))?
}

fn simulated_engine(spark: &SimulatedSpark, seed: u64, time: &VirtualTime) -> Result<(SimulatedEngine, EngineFacts), UsageError> {
    let params = spark.params.as_deref().map_or(Ok(Params::default()), Params::from_toml).map_err(UsageError::because)?;
    // The command line's word goes before the file's.
    let slower = if spark.slower == Slowdown::default() { params.slower } else { spark.slower };
    let engine = SimulatedEngine::new(Params { slower, ..params }, seed, time).map_err(UsageError::because)?;
    let facts = EngineFacts { recipe: engine.recipe(), machine: SimulatedEngine::machine(), tokenizer: None };
    Ok((engine, facts))
}

async fn from_recipe(setup: &Setup, source: Source) -> Result<EndReason, BenchError> {
    let mut facts = source.facts(setup)?;
    let (mut engine, _lock) = if let Some(attached) = source.recipe.attach.clone() {
        let (engine, recipe) = attach(setup, source.recipe, &attached).await?;
        facts.recipe = recipe;
        (RealEngine::Attached(Box::new(engine)), Rc::new(machine_alone(setup)?))
    } else {
        let secrets = source.secrets()?;
        let engine = source.engine(setup, setup.request.out_dir.clone(), &secrets, &[])?;
        let lock = take_machine(setup, engine.is_container()).await?;
        (engine.with_lock(lock.clone()), lock)
    };
    Box::pin(setup.measure(EngineUnderTest { engine: &mut engine, facts }, &RealClock::start())).await
}

async fn both_from_recipes(setup: &Setup, baseline: Source, candidate: Source) -> Result<EndReason, BenchError> {
    if baseline.recipe.attach.is_some() || candidate.recipe.attach.is_some() {
        let why = "a server that was attached to cannot be booted in turns with another: measure each into a record of its own, and \
                   compare the records";
        return Err(UsageError(why.to_owned()).into());
    }
    let (facts, candidate_facts) = (baseline.facts(setup)?, candidate.facts(setup)?);
    let (secrets, candidate_secrets) = (baseline.secrets()?, candidate.secrets()?);
    // One may well print what the other one was given: both run as the same user, and read the same files.
    let all: Vec<String> = secrets.iter().chain(&candidate_secrets).map(|(_, value)| value.clone()).collect();
    let folder = |side| side_folder(&setup.request.out_dir, side);
    let baseline = baseline.engine(setup, folder(Side::Baseline), &secrets, &all)?;
    let candidate = candidate.engine(setup, folder(Side::Candidate), &candidate_secrets, &all)?;
    let lock = take_machine(setup, baseline.is_container() || candidate.is_container()).await?;
    let (mut baseline, mut candidate) = (baseline.with_lock(lock.clone()), candidate.with_lock(lock));
    let baseline = EngineUnderTest { engine: &mut baseline, facts };
    let candidate = EngineUnderTest { engine: &mut candidate, facts: candidate_facts };
    Box::pin(setup.measure_both(baseline, candidate, &RealClock::start())).await
}
