//! `gate`: one line and an exit code, for scripts. It writes nothing.

use std::path::PathBuf;

use bench::terminal::as_called;
use clap::Args;
use record::ExitCode;

use crate::{
    baselines::{self, BaselineStore},
    print,
    sides::{self, Sides},
    verdict::{self, PolicyArgs},
};

#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// Run to judge: its record or folder
    ///
    /// Several runs of one engine, separated by commas, count as one. The folder of a `bench --against` run holds both sides.
    candidate: PathBuf,
    /// Run to compare with [default: the accepted baseline of its machine, recipe and suite]
    #[arg(long, value_name = "PATH", help_heading = "Comparison")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten, next_help_heading = "Comparison")]
    baseline_store: baselines::BaselineStoreArgs,
}

/// Judges, and prints the verdict in one line.
pub(crate) fn run(args: &GateArgs) -> anyhow::Result<ExitCode> {
    let store = args.baseline_store.open();
    let Some(sides) = args.sides(&store)? else { return Ok(ExitCode::Invalid) };
    let ruling = verdict::rule(&sides, &args.policy, &store)?;
    print(&reports::summary_line(&ruling));
    Ok(verdict::exit_code(&ruling))
}

impl GateArgs {
    /// None where there is nothing to compare with, which is said on the one line.
    fn sides(&self, store: &BaselineStore) -> anyhow::Result<Option<Sides>> {
        if let (None, Some(pair)) = (&self.baseline, Sides::of_pair(&self.candidate)) {
            return Ok(Some(pair));
        }
        let candidate = sides::records(&self.candidate)?;
        if let Some(baseline) = &self.baseline {
            return Ok(Some(Sides::apart(sides::records(baseline)?, candidate)));
        }
        let header = sides::header(&candidate[0])?;
        let Some(baseline) = store.find(&header)? else {
            print(&as_called(&format!("refused: {}", store.missing(&header))));
            return Ok(None);
        };
        Ok(Some(Sides::apart(vec![baseline], candidate)))
    }
}
