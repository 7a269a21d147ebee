//! Judges whether the engine was in a steady state over the whole trial.

use record::{Load, Observation, Trial};

use super::{Reason, Validity, requests::OVERLOAD_WORKLOAD};
use crate::{
    metrics::RequestMetrics,
    number::{Unit, figure},
    statistics::steady::{Mser, Steadiness, effective_size, lag1_autocorrelation, mser5},
};

#[cfg(test)]
mod tests;

/// Fewest requests that are judged, and the effective size from which an unsteady trial is suspect: of so many independent values the check finds 3 %
/// not steady, of fewer far more.
const SUSPECT_FROM: usize = 200;

/// Effective size from which an unsteady trial is invalid: of so many independent values the check finds 0.3 % not steady.
const INVALID_FROM: usize = 500;

pub(super) fn judge(trial: &Trial, reasons: &mut Vec<Reason>) {
    if (trial.cell.load.requests() as usize) < SUSPECT_FROM {
        return;
    }
    let series = series(trial);
    if series.len() >= SUSPECT_FROM
        && let Some(mser) = mser5(&series)
    {
        reasons.extend(reason(&series, &mser));
    }
}

/// TPOT of the served requests in the order of their start, in nanoseconds. It should be the same from first to last, while the time to a
/// first token is that of a queue, which comes and goes. Empty where TPOT changes by design: an overload, a context that grows, and of a
/// closed loop the first request of each stream, which all start at once, and the last, beside which other streams have ended.
fn series(trial: &Trial) -> Vec<f64> {
    let ends = match trial.cell.load {
        Load::Open { .. } if trial.cell.workload != OVERLOAD_WORKLOAD => 0,
        Load::Open { .. } | Load::Conversations { .. } => return Vec::new(),
        Load::Closed { streams, .. } => streams as usize,
    };
    let is_open = trial.cell.load.is_open();
    let start_ns = |observation: &Observation| if is_open { observation.sched_ns } else { observation.send_ns };
    let mut started: Vec<_> =
        trial.observations.iter().filter_map(|observation| Some((start_ns(observation)?, observation))).collect();
    started.sort_by_key(|(start_ns, observation)| (*start_ns, observation.request));
    let kept = started.iter().take(started.len().saturating_sub(ends)).skip(ends);
    kept.filter_map(|(_, observation)| RequestMetrics::of(observation, is_open).tpot_ns)
        .filter(|tpot_ns| tpot_ns.is_finite())
        .collect()
}

/// How often the check errs is known of independent values, and requests that decode in one batch are not: of 48 trials of `office` and
/// `sharegpt` on the simulated Spark, which is steady, it found 4 not steady, and their 200 and 250 requests were worth 27 to 106. So
/// it is the worth of a series that decides, by the part that would be kept: one that was warming up resembles itself for that alone.
fn reason(series: &[f64], mser: &Mser) -> Option<Reason> {
    let kept = &series[mser.cut_values()..];
    let r1 = lag1_autocorrelation(kept).unwrap_or(0.0);
    let worth = effective_size(series.len(), r1).unwrap_or(0.0).min(series.len() as f64);
    let is_worth = |least: usize| worth >= least as f64;
    let (validity, what) = match mser.steadiness() {
        Steadiness::NotSteady if is_worth(INVALID_FROM) => (Validity::Invalid, "TPOT is not steady"),
        Steadiness::NotSteady if is_worth(SUSPECT_FROM) => (Validity::Suspect, "TPOT is not steady"),
        Steadiness::NotSteady => (Validity::Valid, "TPOT may not be steady"),
        Steadiness::WarmingUp if is_worth(SUSPECT_FROM) => (Validity::Valid, "TPOT settled late"),
        Steadiness::WarmingUp | Steadiness::Steady => return None,
    };
    let [worth, r1] = [worth, r1].map(|value| figure(value, Unit::Plain));
    let text = format!(
        "{what}: MSER-5 would cut the first {} of {} requests (neighbours among the others correlate by {r1}, so that all are worth \
         {worth} independent ones)",
        mser.cut_values(),
        series.len()
    );
    Some(Reason::new(validity, what, text))
}
