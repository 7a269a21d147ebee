//! Offered and achieved rates of an open loop.

use record::{Observation, Slo};

use super::{RequestMetrics, between, per_second};

#[cfg(test)]
mod tests;

/// Nanoseconds in a millisecond.
const MS_NS: f64 = 1e6;

/// Rates and recovery time of an open loop.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Queue {
    /// Arrivals per second as they were scheduled: gaps between arrivals over the time from the first to the last.
    pub offered_per_s: Option<f64>,
    /// Served requests per second, in the same way: gaps between their ends over the time from the first end to the last. Where the
    /// engine keeps up it equals the offered rate; where it does not it is the engine's own rate.
    pub achieved_per_s: Option<f64>,
    /// From the last arrival until no request waits for its first token any more; a failed one waits until its end. Without an
    /// overload it is about the last request's TTFT. Undefined if an arrival never came or never ended.
    pub recovery_ns: Option<f64>,
}

impl Queue {
    /// The queue of one trial; `metrics` are its requests'.
    #[must_use]
    pub fn of(observations: &[Observation], metrics: &[RequestMetrics]) -> Self {
        let served = observations.iter().zip(metrics).filter(|(_, metrics)| metrics.served);
        Self {
            offered_per_s: rate(observations.iter().filter_map(|observation| observation.sched_ns)),
            achieved_per_s: rate(served.filter_map(|(observation, _)| observation.end_ns)),
            recovery_ns: recovery_ns(observations),
        }
    }
}

/// Events per second between the first and the last; none of fewer than two, or all at once.
fn rate(times_ns: impl Iterator<Item = u64>) -> Option<f64> {
    let (mut first, mut last, mut count) = (u64::MAX, 0, 0_u32);
    for t_ns in times_ns {
        (first, last, count) = (first.min(t_ns), last.max(t_ns), count + 1);
    }
    per_second(f64::from(count.checked_sub(1)?), between(first, last))
}

fn recovery_ns(observations: &[Observation]) -> Option<f64> {
    let mut last_arrival_ns = 0;
    let mut waits_until_ns = 0;
    for observation in observations {
        last_arrival_ns = last_arrival_ns.max(observation.sched_ns?);
        waits_until_ns = waits_until_ns.max(observation.first_token_ns.or(observation.end_ns)?);
    }
    (!observations.is_empty()).then(|| between(last_arrival_ns, waits_until_ns))
}

/// Requests that met every limit of an SLO. A request without time between tokens has only the first limit to meet. None where a
/// served request's tokens are unknown: it cannot be judged.
#[must_use]
pub fn good_requests(observations: &[Observation], metrics: &[RequestMetrics], slo: Slo) -> Option<u32> {
    let mut good = 0;
    for (observation, metrics) in observations.iter().zip(metrics).filter(|(_, metrics)| metrics.served) {
        super::arrivals::first(observation).and(observation.output_tokens())?;
        let ttft_met = metrics.ttft_ns <= f64::from(slo.ttft_ms) * MS_NS;
        let tpot_met = metrics.tpot_ns.is_none_or(|tpot_ns| tpot_ns <= f64::from(slo.tpot_ms) * MS_NS);
        good += u32::from(ttft_met && tpot_met);
    }
    Some(good)
}
