//! Judges whether enough requests were served.

use record::Trial;

use super::{Reason, Validity};
use crate::{
    metrics::TrialMetrics,
    number::{Unit, figure},
};

/// Largest share of failed requests: above it a trial measures the failure.
pub(super) const MAX_FAILED_SHARE: f64 = 0.005;

/// The workload that offers more than an engine can take. How it fails is its answer, so failures make it suspect, not invalid.
pub(super) const OVERLOAD_WORKLOAD: &str = "peak";

pub(super) fn judge(trial: &Trial, metrics: &TrialMetrics, reasons: &mut Vec<Reason>) {
    if let Some(why) = &trial.facts.cut_short {
        reasons.push(Reason::invalid("cut short", "cut short").with_quote(Some(why.clone())));
    }
    if metrics.served == 0 {
        let text = format!("none of {} requests was served{}", metrics.attempted, words(metrics));
        reasons.push(Reason::invalid("no request was served", text));
    } else {
        judge_failures(trial, metrics, reasons);
    }
    let warm_up = trial.warm_up;
    if warm_up.completed < warm_up.requests {
        let failed = warm_up.requests - warm_up.completed;
        let text = format!("{failed} of {} warm-up requests failed", warm_up.requests);
        reasons.push(Reason::suspect("warm-up requests failed", text));
    }
}

fn judge_failures(trial: &Trial, metrics: &TrialMetrics, reasons: &mut Vec<Reason>) {
    let failed = metrics.attempted - metrics.served;
    if failed == 0 {
        return;
    }
    let share = f64::from(failed) / f64::from(metrics.attempted);
    let text = format!("{failed} of {} requests failed ({}){}", metrics.attempted, figure(share, Unit::Share), words(metrics));
    let validity = match share > MAX_FAILED_SHARE {
        false => Validity::Valid,
        true if trial.cell.workload == OVERLOAD_WORKLOAD => Validity::Suspect,
        true => Validity::Invalid,
    };
    reasons.push(Reason::new(validity, "requests failed", text).with_extent(share, Unit::Share));
}

/// `: 3 rejected, 1 timed out`.
fn words(metrics: &TrialMetrics) -> String {
    let each: Vec<_> = metrics.failed.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if each.is_empty() { String::new() } else { format!(": {}", each.join(", ")) }
}
