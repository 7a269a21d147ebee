//! What an engine's steps cost, from what was measured of it: least squares over the server itself.
//!
//! A trial of a closed loop is served by the model, and the figures of its client are compared with the measured ones. So queueing,
//! chunked prefill and the decode of others are in the prediction as they are in the measurement, and no formula has to undo them.

use crate::{
    least_squares::minimise,
    load::{BadLoad, Load, Release, Request, ServedRequest, serve},
    nearest::nearest_u32,
    server::Params,
};

mod costs;
mod recorded;

use costs::Costs;
pub use costs::{Cost, UnidentifiedCost};
pub use recorded::trials;

/// A figure of a closed loop that a fit can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantity {
    /// The mean time to first token, in seconds.
    TtftMean,
    /// All prompt tokens over the time until the last first token: of one wave only.
    PrefillTokS,
    /// The mean over requests of their tokens after the first over the time that these took.
    DecodeTokS,
    /// All tokens but first ones over the time from the first token of all to the last.
    OutputTokS,
}

/// A quantity as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurement {
    pub quantity: Quantity,
    /// Its value, in its unit.
    pub value: f64,
    /// The relative standard deviation of the value, as far as it is known; the fit adds what the model itself leaves out.
    pub sd: f64,
}

/// A closed loop that was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// What it is called in a table.
    pub name: String,
    /// Streams; each sends a request when its last one has ended.
    pub streams: u32,
    /// Prompt and output tokens of the requests, round by round: the first of every stream, then the second of every stream.
    pub requests: Vec<(u32, u32)>,
    /// Whether requests may have ended before they had all these tokens, at a time that is not recorded.
    pub may_end_early: bool,
    pub observed: Vec<Measurement>,
}

/// An engine with fitted costs, and how well they reproduce the trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The engine: what was given, with the costs that were found and without noise.
    pub params: Params,
    /// Each cost with its relative standard error.
    pub costs: Vec<Cost>,
    /// Each measurement with the fitted engine's value for it.
    pub residuals: Vec<Residual>,
    /// The probability that a request ends after any token of its own accord, where that was allowed.
    pub ends_per_token: f64,
}

/// A measurement and the fitted engine's value for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Residual {
    pub trial: String,
    pub observed: Measurement,
    /// What the fitted engine gives.
    pub fitted: f64,
}

/// Why nothing was fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// The measurements do not say what a cost is.
    #[error("the trials cannot tell what {} is: {}", .0.cost, .0.needs)]
    Unidentified(UnidentifiedCost),
    /// A figure is none, or the model has none for it, as for the decode rate of answers of one token.
    #[error(
        "{trial}: {quantity:?} cannot be compared with the model's: it must be above 0 and finite, and each answer have two tokens"
    )]
    NoFigure { trial: String, quantity: Quantity },
    /// A trial cannot be served.
    #[error("{trial}: {why}")]
    Trial { trial: String, why: BadLoad },
}

/// What the model leaves out of any figure, as a relative standard deviation: it should not be held to a hundredth of a percent.
const MODEL_SD: f64 = 0.03;
/// How far each start is followed.
const FIRST_ROUNDS: u32 = 5;
/// How far the best of them is.
const ROUNDS: u32 = 40;
/// From here on a residual counts by its size instead of its square, so that a trial that was disturbed does not bend the rest.
const ROBUST_FROM: f64 = 3.0;

/// Fits the costs of an engine whose limits and scheduling are known.
pub fn fit(engine: &Params, trials: &[Trial]) -> Result<Fit, FitError> {
    let costs = Costs::of(engine, trials).map_err(FitError::Unidentified)?;
    for trial in trials {
        let params = costs.params(&costs.starts()[0]);
        let (load, served) =
            serve_trial(&params, trial, 0.0).map_err(|why| FitError::Trial { trial: trial.name.clone(), why })?;
        let quantities = quantities(&load, &served);
        let is_figure = |value: f64| value > 0.0 && value.is_finite();
        let is_sound = |one: &&Measurement| is_figure(one.value) && one.sd.is_finite() && is_figure(quantities.get(one.quantity));
        if let Some(odd) = trial.observed.iter().find(|one| !is_sound(one)) {
            return Err(FitError::NoFigure { trial: trial.name.clone(), quantity: odd.quantity });
        }
    }
    let (low, high) = costs.bounds();
    let mut off = |at: &[f64]| residuals(&costs, at, trials);
    // Each start goes a few steps, and only the best of them to the end.
    let begun = costs.starts().into_iter().map(|start| minimise(&start, &low, &high, FIRST_ROUNDS, &mut off));
    let best = begun.min_by(|a, b| a.sum().total_cmp(&b.sum()));
    let least = best.map(|best| minimise(&best.at, &low, &high, ROUNDS, &mut off));
    // There is always a start.
    let Some(least) = least else { return Err(FitError::Unidentified(UnidentifiedCost::nothing())) };
    let found = costs.estimates(&least).map_err(FitError::Unidentified)?;
    let (params, ends_per_token) = (costs.params(&least.at), Costs::ends_per_token(&least.at));
    let residuals = trials.iter().flat_map(|trial| {
        let quantities = predict(&params, trial, ends_per_token);
        trial.observed.iter().map(move |&observed| Residual {
            trial: trial.name.clone(),
            observed,
            fitted: quantities.get(observed.quantity),
        })
    });
    Ok(Fit { residuals: residuals.collect(), params, costs: found, ends_per_token })
}

fn residuals(costs: &Costs<'_>, at: &[f64], trials: &[Trial]) -> Vec<f64> {
    let (params, ends_per_token) = (costs.params(at), Costs::ends_per_token(at));
    let mut all = Vec::new();
    for trial in trials {
        let quantities = predict(&params, trial, ends_per_token);
        for observed in &trial.observed {
            let off = libm::log(quantities.get(observed.quantity) / observed.value) / libm::hypot(observed.sd, MODEL_SD);
            all.push(off / (1.0 + off.abs() / ROBUST_FROM).sqrt());
        }
    }
    all.extend(Costs::prior_residuals(at));
    all
}

/// A client's view of a trial, in the order of [`Quantity`].
#[derive(Debug, Clone, Copy, Default)]
struct Quantities([f64; 4]);

impl Quantities {
    fn get(self, quantity: Quantity) -> f64 {
        let [ttft_s, prefill_tok_s, decode_tok_s, output_tok_s] = self.0;
        match quantity {
            Quantity::TtftMean => ttft_s,
            Quantity::PrefillTokS => prefill_tok_s,
            Quantity::DecodeTokS => decode_tok_s,
            Quantity::OutputTokS => output_tok_s,
        }
    }
}

fn predict(params: &Params, trial: &Trial, ends_per_token: f64) -> Quantities {
    // Every trial was served once before the fit began; its lengths only get shorter.
    serve_trial(params, trial, ends_per_token).map(|(load, served)| quantities(&load, &served)).unwrap_or_default()
}

fn serve_trial(params: &Params, trial: &Trial, ends_per_token: f64) -> Result<(Load, Vec<ServedRequest>), BadLoad> {
    let streams = trial.streams.max(1) as usize;
    let requests = trial.requests.iter().enumerate().map(|(index, &(prompt_tokens, output_tokens))| {
        // A client sends one after the other, not all at once.
        let first = Release::At(index as u64 * 1_000_000);
        let release = index.checked_sub(streams).map_or(first, Release::After);
        let early = trial.may_end_early.then(|| ends_early(index, trial.requests.len(), output_tokens, ends_per_token));
        Request { release, prompt_tokens, cached_tokens: 0, output_tokens: early.unwrap_or(output_tokens) }
    });
    let load = Load { requests: requests.collect(), max_in_flight: None };
    let served = serve(params, 1, &load)?;
    Ok((load, served))
}

/// When a request of several ends that may each end after any of its tokens: the quantiles of that, dealt out in a fixed order, since a
/// draw would make the fit depend on its seed.
fn ends_early(index: usize, of: usize, at_most: u32, ends_per_token: f64) -> u32 {
    if ends_per_token <= 0.0 {
        return at_most;
    }
    let place = (index * 7 + 3) % of;
    let quantile = (place as f64 + 0.5) / of as f64;
    let tokens = -libm::log(quantile) / ends_per_token;
    nearest_u32(tokens.clamp(8.0, f64::from(at_most.max(8)))).min(at_most)
}

fn quantities(load: &Load, served: &[ServedRequest]) -> Quantities {
    let requests = served.len() as f64;
    let mean = |of: fn(&ServedRequest) -> Option<f64>| {
        let values: Vec<_> = served.iter().filter_map(of).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let prompt_tokens: f64 = load.requests.iter().map(|request| f64::from(request.prompt_tokens)).sum();
    let first_ns = served.iter().map(|one| one.first_ns).min().unwrap_or(0);
    let last_first_ns = served.iter().map(|one| one.first_ns).max().unwrap_or(0);
    let last_ns = served.iter().map(|one| one.last_ns).max().unwrap_or(0);
    let output_tokens = served.iter().map(|one| f64::from(one.output_tokens)).sum::<f64>() - requests;
    Quantities([
        mean(|one| Some(one.ttft_s())),
        prompt_tokens * 1e9 / last_first_ns as f64,
        mean(|one| one.tpot_s().map(f64::recip)),
        output_tokens * 1e9 / (last_ns - first_ns) as f64,
    ])
}

#[cfg(test)]
mod tests;
