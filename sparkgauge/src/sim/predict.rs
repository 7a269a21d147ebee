//! `sim predict`: what the workloads would give on an engine that is described or was fitted.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use record::{Cell, ExitCode, Plan, Profile};
use reports::statistics::student::StudentT;
use twin::{
    load::{Load, Release, Request, ServedRequest, serve},
    published::place_on_spark,
    quantile::quantile,
    server::Params,
};
use workloads::{PromptSizing, RecordedLengths, TokenTable, cells, plan, seed::trial_seed};

use super::{fit::with_noise, source};
use crate::{RefusedError, UsageError, print};

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// Engine parameters, as `sim fit --out` writes them
    #[arg(long, value_name = "FILE", conflicts_with = "model", required_unless_present = "model")]
    params: Option<PathBuf>,
    /// Described model, e.g. gpt-oss-120b-mxfp4, on the engine that its description names
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Forecast only this workload; may be given several times
    #[arg(long, value_name = "NAME")]
    workload: Vec<String>,
    /// Points of the workloads to forecast: smoke, quick, standard or full
    #[arg(long, value_name = "NAME", default_value = "standard")]
    profile: Profile,
    /// Simulated trials of each cell (one workload at one point), each with its own load and noise
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=200))]
    trials: u32,
    /// Seed of loads and noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: &PredictArgs) -> anyhow::Result<ExitCode> {
    let params = params(args)?;
    let cells = cells(args.profile, &args.workload).map_err(|error| UsageError(error.to_string()))?;
    let mut text =
        String::from("| cell | TTFT p50, s | TTFT p95, s | decode per request, tok/s | output, tok/s |\n|---|---|---|---|---|\n");
    for cell in &cells {
        let name = format!("{}/{}", cell.workload, cell.point);
        let trials = (0..args.trials).map(|trial| predict_trial(&params, cell, trial_seed(args.seed, &name, trial)));
        let trials = trials.collect::<anyhow::Result<Vec<_>>>()?;
        // A `String` takes whatever is written.
        let _ = match trials.into_iter().collect::<Option<Vec<_>>>() {
            Some(figures) => writeln!(text, "| {name} | {} |", intervals(&figures).join(" | ")),
            None => writeln!(text, "| {name} | beyond the context of {} tokens | | | |", params.max_context_tokens),
        };
    }
    let _ = write!(
        text,
        "\n{}: mean and 95 % interval of one more trial, from {} trials that differ in load and noise. The model's own error comes on top: \
         see docs/twin.md.",
        params.model, args.trials
    );
    print(&text);
    Ok(ExitCode::Success)
}

fn params(args: &PredictArgs) -> anyhow::Result<Params> {
    if let Some(path) = &args.params {
        return Ok(source::params(path)?.1);
    }
    let name = args.model.as_deref().unwrap_or_default();
    let models = twin::description::models()?;
    let names: Vec<_> = models.iter().map(|model| model.name.as_str()).collect();
    let Some(model) = models.iter().find(|model| model.name == name) else {
        return Err(UsageError(format!("no model is described as {name}; there are {}", names.join(", "))).into());
    };
    // A description says nothing of noise.
    Ok(with_noise(&place_on_spark(&model.name, &model.engine).map_err(|error| RefusedError(error.to_string()))?.params))
}

/// TTFT p50 and p95, decode rate and output rate of one trial; none if the cell does not fit into the context.
fn predict_trial(params: &Params, cell: &Cell, seed: u64) -> anyhow::Result<Option<[f64; 4]>> {
    // Four bytes per token and a short template: only lengths matter here, and those are the plan's.
    let sizing = PromptSizing { table: TokenTable::uniform(4.0)?, template_tokens: 11, message_tokens: 5, scale: 1.0 };
    let plan = plan(cell, seed, &sizing, &RecordedLengths::Drawn)?;
    let fits = |request: &record::PlannedRequest| params.admits(request.prompt_tokens, request.output_tokens).is_ok();
    if !plan.requests.iter().all(fits) {
        return Ok(None);
    }
    Ok(Some(figures(&serve(params, seed, &load(&plan))?)))
}

fn load(plan: &Plan) -> Load {
    let release = |release: record::Release| match release {
        record::Release::At { t_ns } => Release::At(t_ns),
        record::Release::After { request } => Release::After(request as usize),
    };
    let requests = plan.requests.iter().map(|request| Request {
        release: release(request.release),
        prompt_tokens: request.prompt_tokens,
        // Without a prefix cache, as the suite measures.
        cached_tokens: 0,
        output_tokens: request.output_tokens,
    });
    Load { requests: requests.collect(), max_in_flight: None }
}

fn figures(served: &[ServedRequest]) -> [f64; 4] {
    let mut ttfts_s: Vec<_> = served.iter().map(ServedRequest::ttft_s).collect();
    ttfts_s.sort_by(f64::total_cmp);
    let mut rates: Vec<_> = served.iter().filter_map(ServedRequest::tpot_s).map(f64::recip).collect();
    rates.sort_by(f64::total_cmp);
    let last_ns = served.iter().map(|request| request.last_ns).max().unwrap_or(1);
    let tokens: f64 = served.iter().map(|request| f64::from(request.output_tokens)).sum();
    [quantile(&ttfts_s, 0.5), quantile(&ttfts_s, 0.95), quantile(&rates, 0.5), tokens * 1e9 / last_ns as f64]
}

/// Mean and half width of the interval in which one more trial lies, for each figure.
fn intervals(trials: &[[f64; 4]]) -> [String; 4] {
    let count = trials.len() as f64;
    std::array::from_fn(|place| {
        let mean = trials.iter().map(|trial| trial[place]).sum::<f64>() / count;
        let variance = trials.iter().map(|trial| (trial[place] - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let t = StudentT::new(count - 1.0).and_then(|student| student.quantile(0.975)).unwrap_or(f64::INFINITY);
        let half = t * (variance * (1.0 + 1.0 / count)).sqrt();
        format!("{mean:.3} ± {half:.3}")
    })
}
