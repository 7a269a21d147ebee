//! `sim fit`: what an engine's steps cost, from closed loops that were measured.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use record::ExitCode;
use twin::{
    fit::{Fit, Quantity, Trial},
    server::Params,
};

use super::source;
use crate::{RefusedError, UsageError, print, report, say, whole_file};

#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    /// Run to fit to: its record or folder, or the folder of a published arena run
    #[arg(value_name = "RUN")]
    source: PathBuf,
    /// Most tokens that the engine computes in one step (vLLM: --max-num-batched-tokens)
    ///
    /// It must be the engine's own setting, else the fit is wrong. A published arena run names it itself.
    #[arg(long, value_name = "N", default_value_t = 8192)]
    max_step_tokens: u32,
    /// Most requests that the engine computes at once (vLLM: --max-num-seqs)
    #[arg(long, value_name = "N", default_value_t = 256)]
    max_sequences: u32,
    /// The engine prepares a step while the one before it runs (vLLM: --async-scheduling)
    #[arg(long)]
    async_scheduling: bool,
    /// Write the fitted engine to this TOML file; without it only the table is printed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &FitArgs) -> anyhow::Result<ExitCode> {
    let (engine, trials) = source(args)?;
    let fit = twin::fit::fit(&engine, &trials).map_err(|error| RefusedError(format!("{}: {error}", args.source.display())))?;
    print(&table(&fit));
    if let Some(out) = &args.out {
        whole_file::write(out, &with_noise(&fit.params).to_toml()?)?;
        say(&format!("{out}: `sparkgauge sim serve --params {out}` serves it", out = out.display()));
    }
    Ok(ExitCode::Success)
}

/// A fit says nothing of noise: how much an engine differs from boot to boot is taken from the default one.
pub(super) fn with_noise(params: &Params) -> Params {
    Params { noise: Params::default().noise, ..params.clone() }
}

/// The engine's limits and what was measured of it.
fn source(args: &FitArgs) -> anyhow::Result<(Params, Vec<Trial>)> {
    if args.source.join("meta.json").is_file() {
        let run = source::arena_run(&args.source)?;
        return Ok((run.engine, run.closed));
    }
    let record = report::read(&report::record_file(&args.source))?;
    let model = &record.header.recipe.model;
    let engine = Params {
        model: model.id.clone(),
        max_context_tokens: model.max_context.unwrap_or(131_072).max(2),
        max_sequences: args.max_sequences,
        max_step_tokens: args.max_step_tokens,
        // What fits into memory is not in a record, and a closed loop of the suite does not fill it.
        kv_tokens: 100_000_000,
        async_scheduling: args.async_scheduling,
        ..Params::default()
    };
    engine.check().map_err(|error| UsageError(error.to_string()))?;
    Ok((engine, twin::fit::trials(&record)))
}

fn table(fit: &Fit) -> String {
    let mut text = String::new();
    // A `String` takes whatever is written.
    for cost in &fit.costs {
        let error = match cost.relative_se {
            _ if cost.at_bound => "at its bound: no measurement".to_owned(),
            None => "these trials do not depend on it".to_owned(),
            // What it does can as well be done by others; together they are right.
            Some(se) if se > 1.0 => "these trials do not tell it from the others".to_owned(),
            Some(se) => format!("± {:.0} %", se * 100.0),
        };
        let _ = writeln!(text, "{:<28} {:>16.6}  {error}", cost.name, cost.value);
    }
    for residual in &fit.residuals {
        let off = residual.fitted / residual.observed.value - 1.0;
        let what = match residual.observed.quantity {
            Quantity::TtftMean => "TTFT mean, s",
            Quantity::PrefillTokS => "prefill, tok/s",
            Quantity::DecodeTokS => "decode, tok/s",
            Quantity::OutputTokS => "output, tok/s",
        };
        let (observed, fitted) = (residual.observed.value, residual.fitted);
        let _ = writeln!(text, "{:<44} {what:<16} {observed:>10.3} {fitted:>10.3} {:>+7.1} %", residual.trial, off * 100.0);
    }
    text
}
