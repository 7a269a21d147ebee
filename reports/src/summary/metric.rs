//! What each metric is for a trial, and what is to be known of it: how it is printed, which way it is better, what supports it.

use record::Metric;

use crate::{
    metrics::{Distribution, TrialMetrics, queue::Queue},
    number::Unit,
    statistics::comparison::Better,
};

/// Its value for a trial, if it is defined there.
#[must_use]
pub fn value(metric: Metric, trial: &TrialMetrics) -> Option<f64> {
    let p50 = |over: Option<Distribution>| over.map(|over| over.p50);
    let p95 = |over: Option<Distribution>| over.map(|over| over.p95);
    let p99 = |over: Option<Distribution>| over.map(|over| over.p99);
    let queue = |one: fn(Queue) -> Option<f64>| trial.queue.and_then(one);
    match metric {
        Metric::TtftP50Ns => p50(trial.ttft),
        Metric::TtftP95Ns => p95(trial.ttft),
        Metric::TtftP99Ns => p99(trial.ttft),
        Metric::TtfoP50Ns => p50(trial.ttfo),
        Metric::TtfeP50Ns => p50(trial.ttfe),
        Metric::E2elP50Ns => p50(trial.e2el),
        Metric::E2elP95Ns => p95(trial.e2el),
        Metric::TpotP50Ns => p50(trial.tpot),
        Metric::TpotP95Ns => p95(trial.tpot),
        Metric::ItlP50Ns => p50(trial.itl),
        Metric::ItlP99Ns => p99(trial.itl),
        Metric::IclP50Ns => p50(trial.icl),
        Metric::IclP99Ns => p99(trial.icl),
        Metric::TokensPerChunk => trial.tokens_per_chunk,
        Metric::DecodeTokS => trial.decode_tok_s,
        Metric::E2eTokS => trial.e2e_tok_s,
        Metric::PrefillTokS => trial.prefill_tok_s,
        Metric::OutputTokS => trial.output_tok_s,
        Metric::SteadyOutputTokS => trial.steady.output_tok_s(),
        Metric::PeakTokS => trial.peak_tok_s,
        Metric::InFlightMean => trial.in_flight_mean,
        Metric::InFlightPeak => Some(f64::from(trial.in_flight_peak)),
        Metric::OfferedPerS => queue(|queue| queue.offered_per_s),
        Metric::AchievedPerS => queue(|queue| queue.achieved_per_s),
        Metric::RecoveryNs => queue(|queue| queue.recovery_ns),
        Metric::GoodputPerS => trial.goodput_per_s,
        Metric::Attainment => trial.attainment,
        Metric::PrefixHitShare => trial.prefix_hit_share,
        Metric::SendLagP99Ns => p99(trial.send_lag),
        Metric::SendLagMaxNs => trial.send_lag_max_ns,
    }
}

/// What it counts, for printing.
pub(crate) fn unit(metric: Metric) -> Unit {
    match metric {
        Metric::TokensPerChunk
        | Metric::DecodeTokS
        | Metric::E2eTokS
        | Metric::PrefillTokS
        | Metric::OutputTokS
        | Metric::SteadyOutputTokS
        | Metric::PeakTokS
        | Metric::InFlightMean
        | Metric::InFlightPeak
        | Metric::OfferedPerS
        | Metric::AchievedPerS
        | Metric::GoodputPerS => Unit::Plain,
        Metric::Attainment | Metric::PrefixHitShare => Unit::Share,
        _ => Unit::Time,
    }
}

/// Fewest requests per trial that support it, for a percentile that has such a number. Gaps between the tokens of one request are
/// not independent, so theirs count requests too.
#[must_use]
pub fn requests_needed(metric: Metric) -> Option<usize> {
    match metric {
        Metric::TtftP95Ns | Metric::E2elP95Ns | Metric::TpotP95Ns => Some(crate::quantile::REQUESTS_FOR_P95),
        Metric::TtftP99Ns | Metric::ItlP99Ns | Metric::IclP99Ns | Metric::SendLagP99Ns => Some(crate::quantile::REQUESTS_FOR_P99),
        _ => None,
    }
}

/// Which way it is better.
#[must_use]
pub fn better(metric: Metric) -> Better {
    match metric {
        Metric::TokensPerChunk
        | Metric::DecodeTokS
        | Metric::E2eTokS
        | Metric::PrefillTokS
        | Metric::OutputTokS
        | Metric::SteadyOutputTokS
        | Metric::PeakTokS
        | Metric::OfferedPerS
        | Metric::AchievedPerS
        | Metric::GoodputPerS
        | Metric::Attainment
        | Metric::PrefixHitShare => Better::Higher,
        _ => Better::Lower,
    }
}
