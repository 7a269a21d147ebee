//! `compare`: two runs, or the two sides of a run that measured both, and what can be said of the difference.

use std::path::PathBuf;

use clap::Args;
use record::ExitCode;

use crate::{
    UsageError, baselines, print, say,
    sides::{self, Sides},
    verdict::{self, Format, PolicyArgs},
};

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Run to compare with: its record or folder
    ///
    /// Several runs of one engine, separated by commas, count as one. Without CANDIDATE: the folder of a `bench --against` run, which holds
    /// both sides.
    baseline: PathBuf,
    /// Run to judge: its record or folder; several, separated by commas, count as one
    candidate: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten, next_help_heading = "Comparison")]
    baseline_store: baselines::BaselineStoreArgs,
    /// Print the verdict instead of writing files
    #[arg(long, help_heading = "Output")]
    stdout: bool,
    /// Format of the printed verdict
    #[arg(long, value_enum, default_value = "markdown", requires = "stdout", help_heading = "Output")]
    format: Format,
}

pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let sides = args.sides()?;
    let ruling = verdict::rule(&sides, &args.policy, &args.baseline_store.open())?;
    let reproduce = verdict::reproduce(&ruling, &sides, &args.policy);
    if args.stdout {
        match args.format {
            Format::Markdown => print(reports::render_ruling(&ruling, None, &reproduce).trim_end()),
            Format::Json => print(verdict::json(&ruling)?.trim_end()),
        }
        say(&reports::summary_line(&ruling));
    } else {
        verdict::write(&ruling, &sides.folder, &reproduce)?;
    }
    Ok(verdict::exit_code(&ruling))
}

impl CompareArgs {
    fn sides(&self) -> Result<Sides, UsageError> {
        match &self.candidate {
            Some(candidate) => Ok(Sides::apart(sides::records(&self.baseline)?, sides::records(candidate)?)),
            None => Sides::of_pair(&self.baseline).ok_or_else(|| {
                UsageError(format!(
                    "{} is no folder with candidate/ and baseline/ in it: name a second run to compare with it",
                    self.baseline.display()
                ))
            }),
        }
    }
}
