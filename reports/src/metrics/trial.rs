//! The metrics of one trial.

use std::collections::BTreeMap;

use record::{Load, Observation, Trial};

use super::{
    RequestMetrics, arrivals, between,
    in_flight::{self, InFlight},
    per_second,
    queue::{self, Queue},
    request::uncached_prompt_tokens,
    token_curve::{PEAK_WINDOW_NS, TokenCurve},
};
use crate::quantile::SortedSample;

#[cfg(test)]
mod tests;

/// Three percentiles of one metric over a trial, type 7, in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distribution {
    pub p50: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
}

impl Distribution {
    fn of(values: &SortedSample) -> Option<Self> {
        Some(Self { p50: values.quantile(0.5)?, p95: values.quantile(0.95)?, p99: values.quantile(0.99)? })
    }

    fn over(metrics: &[RequestMetrics], read: impl Fn(&RequestMetrics) -> Option<f64>) -> Option<Self> {
        Self::of(&metrics.iter().filter_map(read).collect())
    }
}

/// The steady state of a closed loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SteadyState {
    /// The longest span with enough in flight.
    Span {
        /// Start of the span, in nanoseconds since the trial began.
        from_ns: u64,
        /// End of the span, likewise.
        to_ns: u64,
        /// Output tokens per second inside the span; none where tokens are unknown.
        output_tok_s: Option<f64>,
    },
    /// The longest such span is too short.
    TooShort {
        /// Length of the longest span, in nanoseconds.
        longest_ns: u64,
        /// Shortest length that counts, in nanoseconds.
        needed_ns: u64,
    },
    /// An open loop has no target number in flight.
    OpenLoop,
}

impl SteadyState {
    /// Output tok/s in the steady state, where there is one.
    #[must_use]
    pub fn output_tok_s(&self) -> Option<f64> {
        match *self {
            Self::Span { output_tok_s, .. } => output_tok_s,
            Self::TooShort { .. } | Self::OpenLoop => None,
        }
    }
}

/// The metrics of one trial. Times are nanoseconds, rates per second; what is undefined is `None`, and a failed request is +inf.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialMetrics {
    /// Planned requests, each with exactly one outcome.
    pub attempted: u32,
    /// Requests that ended as the protocol says, with at least one token.
    pub served: u32,
    /// Other requests, by outcome; complete but empty answers count as `empty`.
    pub failed: BTreeMap<&'static str, u32>,
    /// Time to first token over requests, in nanoseconds.
    pub ttft: Option<Distribution>,
    /// Time to first output that is not reasoning, over requests, in nanoseconds.
    pub ttfo: Option<Distribution>,
    /// Time to first event of any kind over requests, in nanoseconds.
    pub ttfe: Option<Distribution>,
    /// End-to-end latency over requests, in nanoseconds.
    pub e2el: Option<Distribution>,
    /// TPOT over the requests that have one.
    pub tpot: Option<Distribution>,
    /// ITL over the tokens of served requests: each arrival's gap shared among its tokens.
    pub itl: Option<Distribution>,
    /// ICL over the arrivals of served requests: the gap itself.
    pub icl: Option<Distribution>,
    /// Tokens per arrival after the first; 1 where every token came alone.
    pub tokens_per_chunk: Option<f64>,
    /// Decode tok/s per user: median over requests.
    pub decode_tok_s: Option<f64>,
    /// E2E tok/s per user: median over requests.
    pub e2e_tok_s: Option<f64>,
    /// Prefill tok/s: uncached prompt tokens over TTFT, median over requests; at one stream only, since a queue would count as work.
    /// The suite's statistics have the sum of tokens over the sum of times, which is the mean weighted by TTFT; with prompts of one
    /// length the two differ only by their spread, and a single request that stalled moves the median least.
    pub prefill_tok_s: Option<f64>,
    /// Output tokens over the whole trial. None where a served request's tokens are unknown.
    pub output_tok_s: Option<f64>,
    pub steady: SteadyState,
    /// The best second. None where tokens are unknown or the trial took less than one.
    pub peak_tok_s: Option<f64>,
    /// Mean requests in flight, by sweep line.
    pub in_flight_mean: Option<f64>,
    /// Mean requests in flight, by Little's law.
    pub in_flight_by_law: Option<f64>,
    /// Most requests in flight.
    pub in_flight_peak: u32,
    /// The queue of an open loop.
    pub queue: Option<Queue>,
    /// Goodput: requests per second that met every limit of the SLO, where the cell has one. It has the window of the achieved rate,
    /// of which it is the good ones' share of the served, and so never lies above it.
    pub goodput_per_s: Option<f64>,
    /// Requests that met the SLO as a share of those attempted.
    pub attainment: Option<f64>,
    /// Cached prompt tokens over prompt tokens, over the requests whose usage reports both.
    pub prefix_hit_share: Option<f64>,
    /// Send lag over the requests that were sent; in an open loop also the wait before the send.
    pub send_lag: Option<Distribution>,
    /// The worst send lag.
    pub send_lag_max_ns: Option<f64>,
}

impl TrialMetrics {
    /// The metrics of one trial.
    #[must_use]
    pub fn of(trial: &Trial) -> Self {
        let (observations, duration_ns) = (&trial.observations[..], trial.duration_ns);
        let is_open = trial.cell.load.is_open();
        let requests: Vec<_> = observations.iter().map(|observation| RequestMetrics::of(observation, is_open)).collect();
        let in_flight = InFlight::of(observations, duration_ns);
        let curve = are_tokens_known(observations, &requests).then(|| TokenCurve::of(observations));
        let tokens = output_tokens(observations);
        let good = trial.cell.slo.and_then(|slo| queue::good_requests(observations, &requests, slo));
        let served = count(requests.iter().filter(|request| request.served).count());
        let queue = is_open.then(|| Queue::of(observations, &requests));
        let timing = TokenTiming::of(observations, &requests);
        let send_lag: SortedSample = requests.iter().filter_map(|request| request.send_lag_ns).collect();
        let median = |read: fn(&RequestMetrics) -> Option<f64>| Distribution::over(&requests, read).map(|over| over.p50);
        Self {
            attempted: count(observations.len()),
            served,
            failed: failed(observations, &requests),
            ttft: Distribution::over(&requests, |request| Some(request.ttft_ns)),
            ttfo: Distribution::over(&requests, |request| request.ttfo_ns),
            ttfe: Distribution::over(&requests, |request| request.ttfe_ns),
            e2el: Distribution::over(&requests, |request| Some(request.e2el_ns)),
            tpot: Distribution::over(&requests, |request| request.tpot_ns),
            itl: Distribution::of(&timing.itl),
            icl: Distribution::of(&timing.icl),
            tokens_per_chunk: timing.tokens_per_chunk(),
            decode_tok_s: median(|request| request.decode_tok_s),
            e2e_tok_s: median(|request| request.e2e_tok_s),
            prefill_tok_s: prefill_tok_s(trial, &requests),
            output_tok_s: curve.as_ref().and_then(|_| per_second(tokens, duration_ns as f64)),
            steady: steady(trial, &in_flight, curve.as_ref()),
            peak_tok_s: curve.filter(|_| duration_ns >= PEAK_WINDOW_NS).and_then(|curve| curve.peak_tok_s()),
            in_flight_mean: in_flight.mean(),
            in_flight_by_law: in_flight::by_littles_law(observations, duration_ns),
            in_flight_peak: in_flight.peak(),
            queue,
            goodput_per_s: goodput_per_s(queue, good, served),
            attainment: good.filter(|_| !observations.is_empty()).map(|good| f64::from(good) / observations.len() as f64),
            prefix_hit_share: prefix_hit_share(observations, &requests),
            send_lag: Distribution::of(&send_lag),
            send_lag_max_ns: send_lag.max(),
        }
    }
}

/// The gaps between the arrivals of served requests.
struct TokenTiming {
    itl: SortedSample,
    icl: SortedSample,
}

impl TokenTiming {
    fn of(observations: &[Observation], requests: &[RequestMetrics]) -> Self {
        let (mut itl, mut icl) = (Vec::new(), Vec::new());
        for (observation, _) in observations.iter().zip(requests).filter(|(_, metrics)| metrics.served) {
            for arrival in arrivals::rest(observation) {
                let gap_ns = arrival.gap_ns as f64;
                itl.push((gap_ns / f64::from(arrival.tokens), arrival.tokens));
                icl.push((gap_ns, 1));
            }
        }
        Self { itl: SortedSample::weighted(itl), icl: SortedSample::weighted(icl) }
    }

    fn tokens_per_chunk(&self) -> Option<f64> {
        (self.icl.count() > 0).then(|| self.itl.count() as f64 / self.icl.count() as f64)
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// Whether the tokens of every served request, and of at least one request, are known: a total without some of them would be too low.
fn are_tokens_known(observations: &[Observation], requests: &[RequestMetrics]) -> bool {
    let known = |observation: &Observation| arrivals::first(observation).and(observation.output_tokens()).is_some();
    observations.iter().any(known)
        && observations.iter().zip(requests).all(|(observation, metrics)| !metrics.served || known(observation))
}

/// Output tokens of all requests whose counts are known, served or not.
fn output_tokens(observations: &[Observation]) -> f64 {
    let known = observations.iter().filter(|observation| arrivals::first(observation).is_some());
    known.filter_map(Observation::output_tokens).map(f64::from).sum()
}

fn failed(observations: &[Observation], requests: &[RequestMetrics]) -> BTreeMap<&'static str, u32> {
    let mut failed = BTreeMap::new();
    for (observation, _) in observations.iter().zip(requests).filter(|(_, metrics)| !metrics.served) {
        let word = if observation.outcome.is_complete() { "empty" } else { observation.outcome.word() };
        *failed.entry(word).or_insert(0) += 1;
    }
    failed
}

/// The achieved rate's share of good requests.
fn goodput_per_s(queue: Option<Queue>, good: Option<u32>, served: u32) -> Option<f64> {
    Some(queue?.achieved_per_s? * (f64::from(good?) / f64::from(served)))
}

fn prefill_tok_s(trial: &Trial, requests: &[RequestMetrics]) -> Option<f64> {
    if trial.cell.load.target_in_flight() != Some(1) {
        return None;
    }
    let rates = trial.observations.iter().zip(requests).filter_map(|(observation, metrics)| {
        if !metrics.served {
            return Some(0.0);
        }
        let tokens = uncached_prompt_tokens(observation, trial.cell.prefix_reuse)?;
        per_second(f64::from(tokens), metrics.ttft_ns)
    });
    rates.collect::<SortedSample>().quantile(0.5)
}

fn steady(trial: &Trial, in_flight: &InFlight, curve: Option<&TokenCurve>) -> SteadyState {
    let target = match trial.cell.load {
        Load::Open { .. } => return SteadyState::OpenLoop,
        Load::Closed { streams, .. } => streams,
        Load::Conversations { conversations, .. } => conversations,
    };
    let needed_ns = in_flight::steady_min_ns(trial.duration_ns);
    let (from_ns, to_ns) = in_flight.longest_steady(target).unwrap_or_default();
    if to_ns - from_ns < needed_ns {
        return SteadyState::TooShort { longest_ns: to_ns - from_ns, needed_ns };
    }
    let output_tok_s = curve.and_then(|curve| per_second(curve.inside(from_ns, to_ns), between(from_ns, to_ns)));
    SteadyState::Span { from_ns, to_ns, output_tok_s }
}

fn prefix_hit_share(observations: &[Observation], requests: &[RequestMetrics]) -> Option<f64> {
    let served = observations.iter().zip(requests).filter(|(_, metrics)| metrics.served);
    let reported = served
        .filter_map(|(observation, _)| observation.usage.and_then(|usage| Some((usage.cached_tokens?, usage.prompt_tokens))));
    let (cached, prompt) =
        reported.fold((0_u64, 0_u64), |sum, tokens| (sum.0 + u64::from(tokens.0), sum.1 + u64::from(tokens.1)));
    (prompt > 0).then(|| cached as f64 / prompt as f64)
}
