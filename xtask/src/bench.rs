//! `bench`: from a command line to a record and its report.

use std::path::PathBuf;

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use record::{DialectName, EngineName, ExitCode, Profile, RunRequest, Target};

use crate::{Wrong, cache_folder, measure, recipe_file, report, run_folder, say, testbed};

/// What `bench` takes. Without an engine it measures the simulated Spark, and says so.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Boot this engine's default recipe.
    #[arg(long, value_parser = names::<EngineName>(EngineName::ALL.iter().map(|name| name.as_str())))]
    engine: Option<EngineName>,
    /// Boot this recipe: a name in recipes/, or a file.
    #[arg(long, value_name = "FILE-OR-NAME", conflicts_with_all = ["engine", "attach"])]
    recipe: Option<String>,
    /// Measure a server that already runs, e.g. `http://127.0.0.1:8000`; with --engine, in that engine's dialect.
    #[arg(long, value_name = "URL")]
    attach: Option<String>,
    /// With --attach: the dialect that the server speaks.
    #[arg(long, requires = "attach", value_parser = names::<DialectName>(DialectName::ALL.iter().map(|name| name.as_str())))]
    dialect: Option<DialectName>,
    /// With --attach: the model's name in requests; not needed if the server lists only one.
    #[arg(long, requires = "attach")]
    model: Option<String>,
    /// With --attach: the environment variable that holds the API key.
    #[arg(long, requires = "attach", value_name = "NAME")]
    api_key_env: Option<String>,
    /// Only these workloads; may be given several times.
    #[arg(long = "workload", value_name = "NAME", value_parser = PossibleValuesParser::new(workloads::ALL.iter().map(|spec| spec.name)))]
    workloads: Vec<String>,
    /// How much of the suite.
    #[arg(long, default_value = "standard", value_parser = names::<Profile>(Profile::ALL.iter().map(|name| name.as_str())))]
    profile: Profile,
    /// Wait while another run measures on this machine, instead of refusing.
    #[arg(long)]
    wait: bool,
    /// Measure a recipe in a standard or full run though it is not pinned; the report says so.
    #[arg(long)]
    allow_unpinned: bool,
    /// Boots of the engine, instead of the profile's number.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    boots: Option<u32>,
    /// Trials of each cell in each boot, instead of the profile's number.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    trials: Option<u32>,
    /// The run's seed: the same seed gives the same prompts. By default 1 for an engine that is booted; for one that is attached to a
    /// new one each time, since its prefix cache may hold the prompts of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// The run's folder; by default one of its own in runs/.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The model's tokenizer.json, instead of the recipe's.
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// A file of ShareGPT conversations for workload `sharegpt`.
    #[arg(long, value_name = "FILE")]
    sharegpt: Option<PathBuf>,
    /// The SHA-256 that the ShareGPT file must have.
    #[arg(long, value_name = "HEX", requires = "sharegpt")]
    sharegpt_sha256: Option<String>,
}

/// A parser for a closed list of names: an unknown one is refused with the list.
fn names<T>(known: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(known).try_map(|name| name.parse::<T>())
}

/// Runs the measuring program, then renders whatever record it left.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let request = args.to_request()?;
    let record = request.out_dir.join(record::file::FILE_NAME);
    if record.exists() {
        return Err(anyhow::anyhow!(
            "{} exists already: a run is never written over; choose another folder with --out",
            record.display()
        ));
    }
    let containers = matches!(&request.target, Target::Recipe { recipe, .. } if recipe.container.is_some());
    let program = measure::build(containers)?;
    let measured = measure::run(&program, &request)?;
    if record.is_file() {
        // A full disk must not hide how the measurement itself ended.
        if let Err(error) = report::render_beside(&record) {
            say(&format!("error: the report could not be written: {error:#}"));
            return Ok(if measured == ExitCode::Fine { ExitCode::Engine } else { measured });
        }
    }
    Ok(measured)
}

impl BenchArgs {
    fn to_request(&self) -> anyhow::Result<RunRequest> {
        let target = self.target()?;
        let absolute = |path: &Option<PathBuf>| path.as_deref().map(std::path::absolute).transpose();
        let sharegpt = absolute(&self.sharegpt)?.map(|path| (path, self.sharegpt_sha256.clone()));
        let seed = match (self.seed, &self.attach) {
            (Some(seed), _) => seed,
            (None, None) => 1,
            (None, Some(_)) => run_folder::now_s()?,
        };
        let mut command = command_line();
        if self.seed.is_none() && self.attach.is_some() {
            // So that what was drawn can be drawn again.
            command.extend(["--seed".to_owned(), seed.to_string()]);
        }
        let out_dir = match absolute(&self.out)? {
            Some(folder) => folder,
            None => run_folder::fresh(&self.label(), self.profile)?,
        };
        Ok(RunRequest {
            target,
            workloads: self.workloads.clone(),
            profile: self.profile,
            boots: self.boots,
            trials: self.trials,
            seed,
            out_dir,
            testbed_dir: testbed::root().ok(),
            hf_cache_dir: cache_folder::hugging_face(),
            cache_dir: cache_folder::own(),
            tokenizer: absolute(&self.tokenizer)?,
            sharegpt,
            command,
            wait: self.wait,
            allow_unpinned: self.allow_unpinned,
            stop_at_eof: true,
            commit: run_folder::commit(),
        })
    }

    fn target(&self) -> anyhow::Result<Target> {
        if let Some(url) = &self.attach {
            let dialect = self.dialect.or_else(|| self.engine.map(dialect_of)).unwrap_or(DialectName::Openai);
            return Ok(Target::Attach {
                url: url.clone(),
                engine: self.engine,
                dialect,
                model: self.model.clone(),
                api_key_env: self.api_key_env.clone(),
            });
        }
        if let Some(recipe) = &self.recipe {
            return load(recipe);
        }
        match self.engine {
            None | Some(EngineName::Simulated) => Ok(Target::Simulated),
            Some(EngineName::Other) => Err(Wrong(
                "`other` has no recipe of its own; use --recipe FILE-OR-NAME, or --attach URL for a server that runs".to_owned(),
            )
            .into()),
            Some(engine) => load(engine.as_str()),
        }
    }

    /// What the run's folder is called after.
    fn label(&self) -> String {
        let recipe =
            self.recipe.as_deref().map(|recipe| std::path::Path::new(recipe).file_stem().unwrap_or_default().to_string_lossy());
        match (recipe, &self.attach, self.engine) {
            (Some(recipe), _, _) => recipe.into_owned(),
            (None, Some(_), engine) => engine.map_or_else(|| "attach".to_owned(), |engine| format!("attach-{engine}")),
            (None, None, engine) => engine.unwrap_or(EngineName::Simulated).to_string(),
        }
    }
}

/// A recipe by name or path; each engine has one of its own name.
fn load(recipe: &str) -> anyhow::Result<Target> {
    let (recipe, folder) = recipe_file::load(recipe, &recipe_file::folder()).map_err(|error| Wrong(error.to_string()))?;
    Ok(Target::Recipe { recipe: Box::new(recipe), folder })
}

/// Each engine has a dialect of its own name.
fn dialect_of(engine: EngineName) -> DialectName {
    engine.as_str().parse().unwrap_or(DialectName::Openai)
}

/// The command line as it can be typed again.
fn command_line() -> Vec<String> {
    ["cargo".to_owned(), "xtask".to_owned()].into_iter().chain(std::env::args().skip(1)).collect()
}
