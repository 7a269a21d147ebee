//! Judges whether the load was the planned one.

use record::Trial;

use super::Reason;
use crate::{
    metrics::{SteadyState, TrialMetrics},
    number::{Unit, figure},
};

/// Largest difference between the mean in flight by sweep line and by Little's law: both are sums over the same stamps.
pub(super) const MAX_LAW_DIFFERENCE: f64 = 0.02;

/// Streams from which a closed loop needs a steady state: a single one has no ramp.
pub(super) const STEADY_FROM_STREAMS: u32 = 2;

pub(super) fn judge(trial: &Trial, metrics: &TrialMetrics, reasons: &mut Vec<Reason>) {
    if let Some((mean, law)) = metrics.in_flight_mean.zip(metrics.in_flight_by_law)
        && (mean - law).abs() > MAX_LAW_DIFFERENCE * mean.max(law)
    {
        let (mean, law) = (figure(mean, Unit::Plain), figure(law, Unit::Plain));
        let text = format!("{mean} requests in flight on average, but {law} by Little's law");
        reasons.push(Reason::suspect("requests in flight disagree with Little's law", text));
    }
    let streams = trial.cell.load.target_in_flight().unwrap_or(0);
    // A miniature is too short by design, and its figures stand for nothing anyway.
    if let (true, true, SteadyState::TooShort { longest_ns, needed_ns }) =
        (trial.cell.comparable, streams >= STEADY_FROM_STREAMS, metrics.steady)
    {
        let (longest, needed) = (figure(longest_ns as f64, Unit::Time), figure(needed_ns as f64, Unit::Time));
        let text = format!("no steady state: {streams} streams were held for {longest}, not for {needed}");
        reasons.push(Reason::suspect("no steady state", text));
    }
}
