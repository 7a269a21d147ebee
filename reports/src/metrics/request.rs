//! The metrics of one request.

use record::Observation;

use super::{arrivals, between, per_second};

#[cfg(test)]
mod tests;

/// The metrics of one request, in nanoseconds and tokens per second.
///
/// A request that was not served stays in the tails: its times are +inf and its rates 0. What is undefined is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestMetrics {
    /// The request ended as the protocol says, with at least one token.
    pub served: bool,
    /// TTFT: from the start until the first content, reasoning or tool-call delta. The start is the send in a closed loop and the
    /// scheduled time in an open one.
    pub ttft_ns: f64,
    /// TTFO: the same until the first delta that is not reasoning. Undefined if there was none.
    pub ttfo_ns: Option<f64>,
    /// TTFE: the same until the first event of any kind, which some tools call TTFT.
    pub ttfe_ns: Option<f64>,
    /// E2EL: from the same start until the last token.
    pub e2el_ns: f64,
    /// TPOT: from the first token to the last, over the tokens that came after the first chunk. Undefined, not 0, where no token
    /// did or none was counted.
    pub tpot_ns: Option<f64>,
    /// Decode tok/s per user: 1 / TPOT.
    pub decode_tok_s: Option<f64>,
    /// E2E tok/s per user: output tokens over E2EL.
    pub e2e_tok_s: Option<f64>,
    /// From the scheduled time until just before the request was written. None if it was never scheduled or sent.
    pub send_lag_ns: Option<f64>,
}

impl RequestMetrics {
    /// The metrics of one request of an open or a closed loop.
    #[must_use]
    pub fn of(observation: &Observation, is_open: bool) -> Self {
        let send_lag_ns = observation.sched_ns.zip(observation.send_ns).map(|(due, sent)| between(due, sent));
        let start_ns = if is_open { observation.sched_ns } else { observation.send_ns };
        let stamps = (start_ns, observation.first_token_ns, observation.last_token_ns);
        let (true, (Some(start_ns), Some(first_ns), Some(last_ns))) = (observation.outcome.is_complete(), stamps) else {
            return Self { send_lag_ns, ..Self::UNSERVED };
        };
        let since_start = |t_ns: u64| between(start_ns, t_ns);
        let tpot_ns = tpot_ns(observation, first_ns, last_ns);
        let e2el_ns = since_start(last_ns);
        let tokens = arrivals::first(observation).and(observation.output_tokens());
        Self {
            served: true,
            ttft_ns: since_start(first_ns),
            ttfo_ns: observation.first_content_ns.map(since_start),
            ttfe_ns: observation.first_event_ns.map(since_start),
            e2el_ns,
            tpot_ns,
            decode_tok_s: tpot_ns.and_then(|tpot_ns| per_second(1.0, tpot_ns)),
            e2e_tok_s: tokens.and_then(|tokens| per_second(f64::from(tokens), e2el_ns)),
            send_lag_ns,
        }
    }

    const UNSERVED: Self = Self {
        served: false,
        ttft_ns: f64::INFINITY,
        ttfo_ns: Some(f64::INFINITY),
        ttfe_ns: Some(f64::INFINITY),
        e2el_ns: f64::INFINITY,
        tpot_ns: Some(f64::INFINITY),
        decode_tok_s: Some(0.0),
        e2e_tok_s: Some(0.0),
        send_lag_ns: None,
    };
}

/// `(t_last_token - t_first_token) / (n_out - n_first_chunk)`. An answer that came in one read has no time between tokens either.
fn tpot_ns(observation: &Observation, first_ns: u64, last_ns: u64) -> Option<f64> {
    let (_, in_first) = arrivals::first(observation)?;
    let after_first = observation.output_tokens()?.saturating_sub(in_first);
    let elapsed_ns = between(first_ns, last_ns);
    (after_first > 0 && elapsed_ns > 0.0).then(|| elapsed_ns / f64::from(after_first))
}

/// Prompt tokens that had to be computed: those that the server counted less those from its prefix cache. Where the server does not report its cache,
/// none are taken as cached if prompts share nothing; else the number is unknown.
#[must_use]
pub fn uncached_prompt_tokens(observation: &Observation, reuse: record::PrefixReuse) -> Option<u32> {
    let usage = observation.usage?;
    let cached = match (usage.cached_tokens, reuse) {
        (Some(cached), _) => cached,
        (None, record::PrefixReuse::Forbidden) => 0,
        (None, record::PrefixReuse::Allowed) => return None,
    };
    Some(usage.prompt_tokens.saturating_sub(cached))
}
