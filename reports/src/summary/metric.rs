//! The metrics that have one number per trial.

use serde::Serialize;

use crate::{
    metrics::{Distribution, TrialMetrics, queue::Queue},
    number::Unit,
};

/// A metric with one number per trial. Times are in nanoseconds, rates per second, shares of 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the suite's own, and TrialMetrics documents each")]
pub enum Metric {
    TtftP50Ns,
    TtftP95Ns,
    TtftP99Ns,
    TtfoP50Ns,
    TtfeP50Ns,
    E2elP50Ns,
    E2elP95Ns,
    TpotP50Ns,
    TpotP95Ns,
    ItlP50Ns,
    ItlP99Ns,
    IclP50Ns,
    IclP99Ns,
    TokensPerChunk,
    DecodeTokS,
    E2eTokS,
    PrefillTokS,
    OutputTokS,
    SteadyOutputTokS,
    PeakTokS,
    InFlightMean,
    InFlightPeak,
    OfferedPerS,
    AchievedPerS,
    RecoveryNs,
    GoodputPerS,
    Attainment,
    PrefixHitShare,
    SendLagP99Ns,
    SendLagMaxNs,
}

impl Metric {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::TtftP50Ns,
        Self::TtftP95Ns,
        Self::TtftP99Ns,
        Self::TtfoP50Ns,
        Self::TtfeP50Ns,
        Self::E2elP50Ns,
        Self::E2elP95Ns,
        Self::TpotP50Ns,
        Self::TpotP95Ns,
        Self::ItlP50Ns,
        Self::ItlP99Ns,
        Self::IclP50Ns,
        Self::IclP99Ns,
        Self::TokensPerChunk,
        Self::DecodeTokS,
        Self::E2eTokS,
        Self::PrefillTokS,
        Self::OutputTokS,
        Self::SteadyOutputTokS,
        Self::PeakTokS,
        Self::InFlightMean,
        Self::InFlightPeak,
        Self::OfferedPerS,
        Self::AchievedPerS,
        Self::RecoveryNs,
        Self::GoodputPerS,
        Self::Attainment,
        Self::PrefixHitShare,
        Self::SendLagP99Ns,
        Self::SendLagMaxNs,
    ];

    /// Its value for a trial, if it is defined there.
    #[must_use]
    pub fn of(self, trial: &TrialMetrics) -> Option<f64> {
        let p50 = |over: Option<Distribution>| over.map(|over| over.p50);
        let p95 = |over: Option<Distribution>| over.map(|over| over.p95);
        let p99 = |over: Option<Distribution>| over.map(|over| over.p99);
        let queue = |one: fn(Queue) -> Option<f64>| trial.queue.and_then(one);
        match self {
            Self::TtftP50Ns => p50(trial.ttft),
            Self::TtftP95Ns => p95(trial.ttft),
            Self::TtftP99Ns => p99(trial.ttft),
            Self::TtfoP50Ns => p50(trial.ttfo),
            Self::TtfeP50Ns => p50(trial.ttfe),
            Self::E2elP50Ns => p50(trial.e2el),
            Self::E2elP95Ns => p95(trial.e2el),
            Self::TpotP50Ns => p50(trial.tpot),
            Self::TpotP95Ns => p95(trial.tpot),
            Self::ItlP50Ns => p50(trial.itl),
            Self::ItlP99Ns => p99(trial.itl),
            Self::IclP50Ns => p50(trial.icl),
            Self::IclP99Ns => p99(trial.icl),
            Self::TokensPerChunk => trial.tokens_per_chunk,
            Self::DecodeTokS => trial.decode_tok_s,
            Self::E2eTokS => trial.e2e_tok_s,
            Self::PrefillTokS => trial.prefill_tok_s,
            Self::OutputTokS => trial.output_tok_s,
            Self::SteadyOutputTokS => trial.steady.output_tok_s(),
            Self::PeakTokS => trial.peak_tok_s,
            Self::InFlightMean => trial.in_flight_mean,
            Self::InFlightPeak => Some(f64::from(trial.in_flight_peak)),
            Self::OfferedPerS => queue(|queue| queue.offered_per_s),
            Self::AchievedPerS => queue(|queue| queue.achieved_per_s),
            Self::RecoveryNs => queue(|queue| queue.recovery_ns),
            Self::GoodputPerS => trial.goodput_per_s,
            Self::Attainment => trial.attainment,
            Self::PrefixHitShare => trial.prefix_hit_share,
            Self::SendLagP99Ns => p99(trial.send_lag),
            Self::SendLagMaxNs => trial.send_lag_max_ns,
        }
    }

    /// What it counts, for printing.
    pub(crate) fn unit(self) -> Unit {
        match self {
            Self::TokensPerChunk
            | Self::DecodeTokS
            | Self::E2eTokS
            | Self::PrefillTokS
            | Self::OutputTokS
            | Self::SteadyOutputTokS
            | Self::PeakTokS
            | Self::InFlightMean
            | Self::InFlightPeak
            | Self::OfferedPerS
            | Self::AchievedPerS
            | Self::GoodputPerS => Unit::Plain,
            Self::Attainment | Self::PrefixHitShare => Unit::Share,
            _ => Unit::Time,
        }
    }

    /// Fewest requests per trial that support it, for a percentile that has such a number. Gaps between the tokens of one request are
    /// not independent, so theirs count requests too.
    #[must_use]
    pub fn requests_needed(self) -> Option<usize> {
        match self {
            Self::TtftP95Ns | Self::E2elP95Ns | Self::TpotP95Ns => Some(crate::quantile::REQUESTS_FOR_P95),
            Self::TtftP99Ns | Self::ItlP99Ns | Self::IclP99Ns | Self::SendLagP99Ns => Some(crate::quantile::REQUESTS_FOR_P99),
            _ => None,
        }
    }
}
