//! Out-of-sample check: an engine that is fitted to a run's closed loops forecasts its open loops, and is compared with the published
//! figures.

use super::{OpenTest, PublishedFigures, Run};
use crate::{
    fit::{Fit, FitError, fit},
    load::{BadLoad, serve},
    quantile::quantile,
    server::Params,
};

/// A run's open loops as they were and as the fit says.
#[derive(Debug, Clone, PartialEq)]
pub struct RunForecast {
    pub fit: Fit,
    pub tests: Vec<Forecast>,
}

/// An open loop as it was and as the fit says.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    pub test: String,
    pub rate_per_s: f64,
    pub published: PublishedFigures,
    /// What the fit says.
    pub predicted: PredictedFigures,
}

/// What a client would see of an open loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedFigures {
    /// Output tokens per second, until the last token.
    pub output_tok_s: f64,
    /// Median time to first token, in seconds, since the client sent the request.
    pub ttft_p50_s: f64,
    /// Its 95th percentile.
    pub ttft_p95_s: f64,
}

impl Forecast {
    /// Relative errors: of output tok/s, TTFT p50 and TTFT p95.
    #[must_use]
    pub fn errors(&self) -> [f64; 3] {
        let (is, was) = (&self.predicted, &self.published);
        let off = |is: f64, was: f64| is / was - 1.0;
        [off(is.output_tok_s, was.output_tok_s), off(is.ttft_p50_s, was.ttft_p50_s), off(is.ttft_p95_s, was.ttft_p95_s)]
    }
}

/// The highest step of a rate sweep at which TTFT p95 stays within an SLO.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The SLO, in seconds.
    pub slo_s: f64,
    /// The rate of the step that was measured; none if none held it.
    pub published: Option<f64>,
    /// The rate of the step that the fit says.
    pub predicted: Option<f64>,
    /// How many steps lie between them.
    pub apart: usize,
}

/// The SLOs of the published rate sweeps, in seconds.
const SLOS_S: [f64; 3] = [2.0, 5.0, 10.0];

/// Fits a run and forecasts its open loops.
pub fn check(run: &Run) -> Result<RunForecast, FitError> {
    let fit = fit(&run.engine, &run.closed)?;
    let tests = run.open.iter().map(|test| {
        let predicted = forecast(&fit.params, test).map_err(|why| FitError::Trial { trial: test.name.clone(), why })?;
        Ok(Forecast { test: test.name.clone(), rate_per_s: test.rate_per_s, published: test.published, predicted })
    });
    let tests = tests.collect::<Result<_, _>>()?;
    Ok(RunForecast { fit, tests })
}

fn forecast(params: &Params, test: &OpenTest) -> Result<PredictedFigures, BadLoad> {
    let served = serve(params, 1, &test.load)?;
    let last_ns = served.iter().map(|one| one.last_ns).max().unwrap_or(1);
    let tokens: f64 = served.iter().map(|one| f64::from(one.output_tokens)).sum();
    let mut ttfts_s: Vec<_> = served.iter().map(crate::load::ServedRequest::ttft_s).collect();
    ttfts_s.sort_by(f64::total_cmp);
    let (ttft_p50_s, ttft_p95_s) = (quantile(&ttfts_s, 0.5), quantile(&ttfts_s, 0.95));
    Ok(PredictedFigures { output_tok_s: tokens * 1e9 / last_ns as f64, ttft_p50_s, ttft_p95_s })
}

impl RunForecast {
    /// The steps of the rate sweep; none if there was no sweep.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut sweep: Vec<_> = self.tests.iter().filter(|test| test.test.starts_with("11") && test.published.complete).collect();
        sweep.sort_by(|a, b| a.rate_per_s.total_cmp(&b.rate_per_s));
        if sweep.is_empty() {
            return Vec::new();
        }
        let highest = |slo_s: f64, ttft_p95_s: fn(&Forecast) -> f64| sweep.iter().rposition(|test| ttft_p95_s(test) <= slo_s);
        let step = |slo_s: f64| {
            let published = highest(slo_s, |test| test.published.ttft_p95_s);
            let predicted = highest(slo_s, |test| test.predicted.ttft_p95_s);
            // No step at all is one below the first.
            let place = |step: Option<usize>| step.map_or(0, |step| step + 1);
            let rate = |step: Option<usize>| step.map(|step| sweep[step].rate_per_s);
            Step {
                slo_s,
                published: rate(published),
                predicted: rate(predicted),
                apart: place(published).abs_diff(place(predicted)),
            }
        };
        SLOS_S.map(step).into()
    }
}

/// The medians of absolute relative errors over several runs: of output tok/s, TTFT p50 and TTFT p95. Open loops that lost requests are
/// left out, as are those that `counts` rejects; none if nothing is left.
#[must_use]
pub fn medians(checked: &[RunForecast], counts: impl Fn(&Forecast) -> bool) -> Option<[f64; 3]> {
    let tests = checked.iter().flat_map(|checked| &checked.tests).filter(|test| test.published.complete && counts(test));
    let errors: Vec<_> = tests.map(Forecast::errors).collect();
    let median = |which: usize| {
        let mut sizes: Vec<_> = errors.iter().map(|errors| errors[which].abs()).collect();
        sizes.sort_by(f64::total_cmp);
        quantile(&sizes, 0.5)
    };
    (!errors.is_empty()).then(|| [median(0), median(1), median(2)])
}
