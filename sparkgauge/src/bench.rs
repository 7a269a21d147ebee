//! `bench`: from a command line to a record, its report, and a verdict where there is something to compare with.

use std::path::PathBuf;

use ::bench::check_parts;
use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use record::{ClientCore, DialectName, EngineName, ExitCode, Profile, RunRequest, Target, file};
use workloads::ProfileDefaults;

use crate::{UsageError, baselines, home, measuring_program, report, run_folder, say, selftest, sides, verdict::PolicyArgs};

mod against;
mod stored;
mod target;

/// Without an engine `bench` measures the simulated Spark, and says so.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct BenchArgs {
    /// Boot this engine by its default recipe; without any target the simulated Spark is measured
    #[arg(long, value_name = "NAME", value_parser = names::<EngineName>(EngineName::ALL.iter().map(|name| name.as_str())))]
    engine: Option<EngineName>,
    /// Boot this recipe: a name from `recipe list`, or a TOML file
    #[arg(long, value_name = "FILE-OR-NAME", conflicts_with_all = ["engine", "attach"])]
    recipe: Option<String>,
    /// Measure a server that is already running, e.g. `http://127.0.0.1:8000`
    ///
    /// With --engine it is measured as that engine.
    #[arg(long, value_name = "URL")]
    attach: Option<String>,
    /// API of the attached server [default: that of --engine, else openai]
    #[arg(
        long,
        value_name = "NAME",
        requires = "attach",
        value_parser = names::<DialectName>(DialectName::ALL.iter().map(|name| name.as_str()))
    )]
    dialect: Option<DialectName>,
    /// Model name for requests to the attached server; needed if it lists several
    #[arg(long, value_name = "NAME", requires = "attach")]
    model: Option<String>,
    /// Environment variable that holds the API key of the attached server
    #[arg(long, requires = "attach", value_name = "NAME")]
    api_key_env: Option<String>,
    /// The model's tokenizer.json [default: that of the recipe]
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// Allow a standard or full run of a recipe that is not pinned; the report says so
    #[arg(long)]
    allow_unpinned: bool,

    /// Run only this workload; may be given several times
    #[arg(
        long = "workload",
        value_name = "NAME",
        help_heading = "What to run",
        value_parser = PossibleValuesParser::new(workloads::ALL.iter().map(|spec| spec.name))
    )]
    workloads: Vec<String>,
    /// Extent of the run
    #[arg(long, value_name = "NAME", help_heading = "What to run", default_value = "standard", value_parser = profiles())]
    pub(crate) profile: Profile,
    /// ShareGPT conversations (JSON) whose lengths the workload sharegpt takes
    ///
    /// Without a file, lengths are drawn from a distribution.
    #[arg(long, value_name = "FILE", help_heading = "What to run")]
    sharegpt: Option<PathBuf>,
    /// SHA-256 that the ShareGPT file must have
    #[arg(long, value_name = "HEX", help_heading = "What to run", requires = "sharegpt")]
    sharegpt_sha256: Option<String>,

    /// Boots (starts) of the engine, instead of the profile's number
    #[arg(long, value_name = "N", help_heading = "How often", value_parser = clap::value_parser!(u32).range(1..=100))]
    boots: Option<u32>,
    /// Trials of each cell in each boot, instead of the profile's number
    ///
    /// A cell is one workload at one setting, such as chat/c10: the workload chat with 10 concurrent streams.
    #[arg(long, value_name = "N", help_heading = "How often", value_parser = clap::value_parser!(u32).range(1..=100))]
    trials: Option<u32>,
    /// Seed of the prompts and of when they are sent [default: 1; with --attach a new one]
    ///
    /// The same seed gives the same requests. An attached server may still hold the prompts of an earlier run in its prefix cache, so each run
    /// takes new ones.
    #[arg(long, value_name = "N", help_heading = "How often")]
    seed: Option<u64>,

    /// Processor that is reserved for the load generator
    ///
    /// auto: the last one, if there are eight or more. shared: none. NUMBER: that one.
    #[arg(long, value_name = "auto|shared|NUMBER", help_heading = "Client", default_value = "auto")]
    client_core: ClientCore,
    /// Do not measure the load generator's own error first; the report then lacks it
    #[arg(long, help_heading = "Client")]
    no_selftest: bool,
    /// Wait for another run on this machine to end, instead of refusing
    #[arg(long, help_heading = "Client")]
    wait: bool,

    /// Folder of the run [default: a new one in runs/]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    simulated: target::SimulatedArgs,
}

/// The other side of the comparison, and how strict it is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
struct JudgingArgs {
    /// Run to compare with: its record or folder [default: the accepted baseline]
    #[arg(long, value_name = "PATH", conflicts_with = "against")]
    baseline: Option<PathBuf>,
    /// Write no verdict, though an accepted baseline exists
    #[arg(long, conflicts_with_all = ["baseline", "against", "treatment", "holm", "strict", "inconclusive", "noise"])]
    no_baseline: bool,
    /// Measure this recipe too, alternating boots, and compare with it
    ///
    /// This is the most sensitive comparison, since drift of the machine affects both sides alike. A recipe's name or file, or `simulated` for
    /// a second simulated Spark.
    #[arg(long, value_name = "FILE-OR-NAME", conflicts_with = "attach")]
    against: Option<String>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    baseline_store: baselines::BaselineStoreArgs,
}

/// A parser for profiles: what each takes stands in the long help.
fn profiles() -> impl TypedValueParser<Value = Profile> {
    let value = |&profile: &Profile| {
        let ProfileDefaults { boots, trials_per_boot: trials } = workloads::defaults(profile);
        let what = match profile {
            Profile::Smoke => "a miniature of each workload; compares with nothing",
            Profile::Quick => "one or two points of each workload",
            Profile::Standard => "enough for a verdict",
            Profile::Full => "every point of each workload",
        };
        PossibleValue::new(profile.as_str()).help(format!("{what} [boots: {boots}, trials: {trials}]"))
    };
    PossibleValuesParser::new(Profile::ALL.iter().map(value)).try_map(|name| name.parse::<Profile>())
}

/// A parser for a closed list of names: an unknown one is refused with the list.
fn names<T>(known: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(known).try_map(|name| name.parse::<T>())
}

/// Measures, renders whatever record that left, and judges it.
pub(crate) fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let request = args.to_request()?;
    args.judging.check(&request)?;
    if let Some(record) = records(&request).into_iter().find(|record| record.exists()) {
        return Err(anyhow::anyhow!(
            "{} exists already: a run is never written over; choose another folder with --out",
            record.display()
        ));
    }
    check_parts(&request)?;
    let request = args.with_instrument(request)?;
    let measured = measure_and_render(&request)?;
    let is_judged = matches!(measured, ExitCode::Success | ExitCode::Invalid) && request.profile != Profile::Smoke;
    if !is_judged || args.judging.no_baseline {
        return Ok(measured);
    }
    let ruled = match &request.against {
        Some(_) => against::judge(&request, &args.judging),
        None => stored::judge(&request, &args.judging),
    };
    match ruled {
        Ok(ruled) if measured == ExitCode::Success => Ok(ruled),
        Err(error) if measured == ExitCode::Success => Err(error),
        Ok(_) => Ok(measured),
        // What is wrong with the verdict must not hide how the measurement itself ended.
        Err(error) => {
            say(&format!("error: {error:#}"));
            Ok(measured)
        }
    }
}

/// The records that a run leaves.
fn records(request: &RunRequest) -> Vec<PathBuf> {
    let folder = &request.out_dir;
    let folders = match request.against {
        None => vec![folder.clone()],
        Some(_) => vec![folder.join(sides::CANDIDATE), folder.join(sides::BASELINE)],
    };
    folders.into_iter().map(|folder| folder.join(file::FILE_NAME)).collect()
}

/// Measures, then renders whatever record that left.
fn measure_and_render(request: &RunRequest) -> anyhow::Result<ExitCode> {
    let measured = measuring_program::run(request)?;
    for record in records(request).iter().filter(|record| record.is_file()) {
        // A full disk must not hide how the measurement itself ended.
        if let Err(error) = report::render_beside(record) {
            say(&format!("error: the report could not be written: {error:#}"));
            return Ok(if measured == ExitCode::Success { ExitCode::Engine } else { measured });
        }
    }
    Ok(measured)
}

impl JudgingArgs {
    /// Refuses what could not be judged, before hours are spent on it.
    fn check(&self, request: &RunRequest) -> anyhow::Result<()> {
        if let Some(baseline) = &self.baseline {
            if request.profile == Profile::Smoke {
                let why = "--baseline cannot be used with --profile smoke: a miniature compares with nothing";
                return Err(UsageError(why.to_owned()).into());
            }
            sides::records(baseline)?.iter().try_for_each(|record| sides::header(record).map(drop))?;
        }
        if self.policy.looks.is_some() && self.against.is_none() {
            return Err(UsageError("--looks is for two that are measured together: use it with --against".to_owned()).into());
        }
        Ok(())
    }
}

impl BenchArgs {
    fn to_request(&self) -> anyhow::Result<RunRequest> {
        let target = self.target()?;
        let against = self.against(&target)?;
        let absolute = |path: &Option<PathBuf>| path.as_deref().map(std::path::absolute).transpose();
        let sharegpt = absolute(&self.sharegpt)?.map(|path| (path, self.sharegpt_sha256.clone()));
        let seed = match (self.seed, &self.attach) {
            (Some(seed), _) => seed,
            (None, None) => 1,
            (None, Some(_)) => run_folder::now_s()?,
        };
        let mut command = run_folder::command_line();
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
            against,
            workloads: self.workloads.clone(),
            profile: self.profile,
            boots: self.boots,
            first_boot: 0,
            trials: self.trials,
            seed,
            out_dir,
            testbed_dir: home::testbed(),
            hf_cache_dir: home::hugging_face(),
            cache_dir: home::cache(),
            tokenizer: absolute(&self.tokenizer)?,
            sharegpt,
            command,
            wait: self.wait,
            client_core: self.client_core,
            allow_unpinned: self.allow_unpinned,
            stop_at_eof: true,
            commit: run_folder::commit(),
            instrument: None,
        })
    }

    /// Whether this build can do what is asked for; what is wrong with it otherwise is told elsewhere.
    pub(crate) fn has_all_parts(&self) -> bool {
        !self.to_request().is_ok_and(|request| check_parts(&request).is_err())
    }

    /// The request with what is known of the instrument's own error. Virtual time has no instrument.
    fn with_instrument(&self, request: RunRequest) -> anyhow::Result<RunRequest> {
        if self.no_selftest || matches!(request.target, Target::Simulated(_)) {
            return Ok(request);
        }
        let budget = selftest::budget_for_run(request.target.client_core(request.client_core), request.wait)?;
        Ok(RunRequest { instrument: Some(budget), ..request })
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
