//! From two sides to a ruling, and from that to `verdict.md` and `verdict.json`: what `compare`, `gate` and `bench` share.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use bench::terminal;
use clap::{Args, ValueEnum, builder::PossibleValuesParser, builder::TypedValueParser};
use record::{Cell, ExitCode, Gate};
use reports::{
    figures::RunFigures,
    judge::{InconclusivePolicy, Policy, Ruling, Treatment, judge},
    statistics::verdict::{Looks, Multiplicity, Options, Rule},
};

use crate::{UsageError, baselines, home, noise_file, print, report, sides::Sides, whole_file};

/// How strict a comparison is.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct PolicyArgs {
    /// Difference that is allowed, since the comparison is about it; may be given several times
    ///
    /// One of image, engine, flags, environment, model, tokenizer, machine. A comparison of runs that differ in anything else is refused.
    #[arg(long = "treatment", value_name = "WORD")]
    pub(crate) treatment: Vec<Treatment>,
    /// Correct for multiple cells by Holm's method: fewer false alarms, less power
    ///
    /// The default is to control the false discovery rate (Benjamini-Hochberg).
    #[arg(long)]
    pub(crate) holm: bool,
    /// Call a cell regressed only if its whole confidence interval is beyond the margin
    ///
    /// By default the estimate has to be beyond it. The margin is the smallest change that is worth acting on; each workload declares its own.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Whether an inconclusive verdict warns or fails, with exit code 6
    #[arg(long, default_value = "warn", value_name = "WORD", value_parser = inconclusive())]
    pub(crate) inconclusive: InconclusivePolicy,
    /// Noise file from `calibrate`, instead of noise.json beside the baseline
    #[arg(long, value_name = "FILE")]
    pub(crate) noise: Option<PathBuf>,
    /// Stages of a `bench --against` comparison: 1 or 2
    ///
    /// With two, workloads that are inconclusive after the first stage are measured again with as many boots. Default: 2 for 5 to 9 boots, else 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2))]
    pub(crate) looks: Option<u32>,
}

fn inconclusive() -> impl TypedValueParser<Value = InconclusivePolicy> {
    PossibleValuesParser::new(["warn", "fail"])
        .map(|word| if word == "fail" { InconclusivePolicy::Fail } else { InconclusivePolicy::Warn })
}

/// How a verdict is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The page that `verdict.md` holds
    Markdown,
    /// The data that `verdict.json` holds
    Json,
}

/// Boots of each side at which a run is looked at twice. With ten there is nothing left for a second look to add.
const BOOTS_OF_TWO_LOOKS: std::ops::Range<u32> = 5..10;

impl PolicyArgs {
    /// How often two that are measured together are looked at, where each has that many boots in the first look.
    pub(crate) fn looks_at(&self, boots: u32) -> Looks {
        match self.looks {
            Some(1) => Looks::One,
            Some(_) => Looks::Two,
            None if BOOTS_OF_TWO_LOOKS.contains(&boots) => Looks::Two,
            None => Looks::One,
        }
    }

    /// Whether the person asked for anything that only a comparison can give.
    pub(crate) fn asks_for_a_verdict(&self) -> bool {
        !self.treatment.is_empty()
            || self.holm
            || self.strict
            || self.noise.is_some()
            || self.inconclusive == InconclusivePolicy::Fail
    }

    /// The words that ask for the same again.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> =
            self.treatment.iter().flat_map(|one| ["--treatment".to_owned(), one.word().to_owned()]).collect();
        words.extend(self.holm.then(|| "--holm".to_owned()));
        words.extend(self.strict.then(|| "--strict".to_owned()));
        if self.inconclusive == InconclusivePolicy::Fail {
            words.extend(["--inconclusive".to_owned(), "fail".to_owned()]);
        }
        if let Some(noise) = &self.noise {
            words.extend(["--noise".to_owned(), home::shown(noise)]);
        }
        if let Some(looks) = self.looks {
            words.extend(["--looks".to_owned(), looks.to_string()]);
        }
        words
    }

    fn options(&self, looks: Looks) -> Options {
        let default = Options::default();
        Options {
            looks,
            multiplicity: if self.holm { Multiplicity::Holm } else { default.multiplicity },
            rule: if self.strict { Rule::BeyondMargin } else { default.rule },
        }
    }
}

/// Reads both sides and judges the candidate.
pub(crate) fn rule(sides: &Sides, args: &PolicyArgs, store: &baselines::BaselineStore) -> anyhow::Result<Ruling> {
    let (baseline, candidate) = sides.read()?;
    let boots = candidate.first().map_or(0, |run| run.header.boots);
    let looks = match sides.look_of_pair {
        Some(2) if args.looks == Some(1) => {
            return Err(
                UsageError(format!("{} was looked at twice already: --looks 1 is too late", sides.folder.display())).into()
            );
        }
        Some(2) => Looks::Two,
        Some(_) => args.looks_at(boots),
        None if args.looks.is_some() => {
            return Err(UsageError("--looks is for two that were measured together (`bench --against`)".to_owned()).into());
        }
        None => Looks::One,
    };
    let mut treatment: std::collections::BTreeSet<Treatment> = args.treatment.iter().copied().collect();
    if sides.look_of_pair.is_some() {
        treatment.extend(Treatment::RECIPE);
    }
    let policy = Policy {
        options: args.options(looks),
        look: sides.look_of_pair.unwrap_or(1),
        treatment,
        inconclusive: args.inconclusive,
        calibration: noise_file::load(args.noise.as_deref(), sides, &baseline, store)?,
        gates: gates(&candidate),
    };
    Ok(judge(&baseline, &candidate, &policy))
}

/// The suite's gates among the cells that were measured, for records that were made before they declared them.
fn gates(candidate: &[RunFigures]) -> Vec<Gate> {
    let trials = candidate.iter().flat_map(|run| &run.trials);
    let cells: BTreeMap<String, &Cell> = trials.map(|trial| (trial.cell.name(), &trial.cell)).collect();
    let cells: Vec<Cell> = cells.into_values().cloned().collect();
    workloads::gates(&cells)
}

/// Writes `verdict.md` and `verdict.json`, prints the verdict in a line and where it is. A person's text between its markers stays.
pub(crate) fn write(ruling: &Ruling, folder: &Path, reproduce: &[String]) -> anyhow::Result<()> {
    let (page, data) = (folder.join("verdict.md"), folder.join("verdict.json"));
    let previous = fs::read_to_string(&page).ok();
    whole_file::write(&data, &json(ruling)?)?;
    whole_file::write(&page, &reports::render_ruling(ruling, previous.as_deref(), reproduce))?;
    report::add_verdict(folder)?;
    print(&reports::summary_line(ruling));
    print(&page.display().to_string());
    Ok(())
}

/// A ruling as data.
pub(crate) fn json(ruling: &Ruling) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(ruling)? + "\n")
}

/// The exit code of a ruling.
pub(crate) fn exit_code(ruling: &Ruling) -> ExitCode {
    ruling.overall.exit_code(ruling.method.inconclusive)
}

/// The command that compares two sides again, as whoever measured the candidate called the command line: so a page is the same whoever renders it.
pub(crate) fn reproduce(ruling: &Ruling, sides: &Sides, args: &PolicyArgs) -> Vec<String> {
    let measured = ruling.candidate.runs.first().map_or(&[][..], |run| &run.command);
    compare_words(&terminal::caller_of(measured), sides, args)
}

fn compare_words(caller: &str, sides: &Sides, args: &PolicyArgs) -> Vec<String> {
    let mut words: Vec<String> = caller.split(' ').chain(["compare"]).map(str::to_owned).collect();
    if sides.look_of_pair.is_some() {
        words.push(home::shown(&sides.folder));
    } else {
        let side = |records: &[PathBuf]| records.iter().map(|path| display_run(path)).collect::<Vec<_>>().join(",");
        words.extend([side(&sides.baseline), side(&sides.candidate)]);
    }
    words.extend(args.words());
    words
}

/// A record as a person names it: by its folder, where it has the usual name.
fn display_run(record: &Path) -> String {
    match record.parent() {
        Some(folder) if record.ends_with(record::file::FILE_NAME) && folder != Path::new("") => home::shown(folder),
        _ => home::shown(record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_looks_are_the_default_from_five_boots_on() {
        let looks = |boots: u32, looks: Option<u32>| PolicyArgs { looks, ..PolicyArgs::default() }.looks_at(boots);
        assert_eq!([3, 4, 5, 9, 10].map(|boots| looks(boots, None)), {
            use Looks::{One, Two};
            [One, One, Two, Two, One]
        });
        assert_eq!(looks(5, Some(1)), Looks::One);
        assert_eq!(looks(3, Some(2)), Looks::Two);
    }

    #[test]
    fn reproduce_command_names_no_private_folder() {
        let at = |name: &str| home::folder().join(name).join(record::file::FILE_NAME);
        let args = PolicyArgs {
            treatment: vec![Treatment::Image, Treatment::Flags],
            holm: true,
            inconclusive: InconclusivePolicy::Fail,
            noise: Some(home::folder().join("noise.json")),
            ..PolicyArgs::default()
        };
        let sides = Sides::apart(vec![at("reports/baselines/m/r/canonical-v1")], vec![at("runs/a"), at("runs/b")]);
        assert_eq!(
            compare_words("sparkgauge", &sides, &args).join(" "),
            "sparkgauge compare reports/baselines/m/r/canonical-v1 runs/a,runs/b --treatment image --treatment flags --holm \
             --inconclusive fail --noise noise.json"
        );
        let pair = Sides { folder: home::folder().join("runs/x"), look_of_pair: Some(1), ..sides };
        let args = PolicyArgs { looks: Some(1), ..PolicyArgs::default() };
        assert_eq!(compare_words("cargo xtask", &pair, &args).join(" "), "cargo xtask compare runs/x --looks 1");
    }
}
