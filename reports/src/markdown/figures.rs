//! A cell's figures as text.

use record::Metric;

use super::plural;
use crate::{
    metric::info,
    number,
    summary::{CellSummary, Unit},
    validity::Validity,
};

/// Marks a percentile that too few requests support.
pub(super) const DISPLAY_ONLY: &str = "†";

/// A metric's mean with the half width of its interval; `-` if no trial that counts defines it, and `(n of m)` if only some do.
pub(super) fn figure(cell: &CellSummary, metric: Metric) -> String {
    let Some(over) = cell.figure(metric) else { return "-".to_owned() };
    let number = match over.mean {
        Some(mean) if over.n < cell.units => {
            format!("{} ({} of {})", number::estimate(mean, over.half_width, info(metric).unit), over.n, cell.units)
        }
        Some(mean) => number::estimate(mean, over.half_width, info(metric).unit),
        None => format!("∞ ({} of {})", over.unbounded, cell.units),
    };
    if is_display_only(cell, metric) { format!("{number} {DISPLAY_ONLY}") } else { number }
}

/// The mean with its interval, for a sentence; none where too few requests support it, since a sentence has no room for a mark.
pub(super) fn estimate(cell: &CellSummary, metric: Metric) -> Option<String> {
    let over = cell.figure(metric).filter(|_| !is_display_only(cell, metric))?;
    over.mean.map(|mean| number::estimate(mean, over.half_width, info(metric).unit))
}

/// Whether a percentile has too few requests behind it.
pub(super) fn is_display_only(cell: &CellSummary, metric: Metric) -> bool {
    let needed = info(metric).requests_needed.unwrap_or(0) as u64;
    cell.figure(metric).is_some() && cell.requests_per_trial.is_some_and(|requests| requests < needed)
}

/// How many trials the figures are made of, and what is to be known of them.
pub(super) fn trials(cell: &CellSummary) -> String {
    let invalid = cell.count(Validity::Invalid);
    let suspect = cell.count(Validity::Suspect);
    let mut words = (cell.trials.len() - invalid).to_string();
    if cell.unit == Unit::Boot {
        let boots: std::collections::BTreeSet<u32> =
            cell.trials.iter().filter(|trial| trial.validity != Validity::Invalid).map(|trial| trial.boot).collect();
        words = format!("{words} in {}", plural(boots.len(), "boot"));
    }
    let made = cell.trials.len();
    let oddities = [
        (suspect > 0).then(|| format!("{suspect} suspect")),
        (invalid > 0).then(|| format!("{} left out", plural(invalid, "invalid trial"))),
        ((made as u64) < cell.planned_trials).then(|| format!("{made} of {} planned trials made", cell.planned_trials)),
    ];
    let oddities: Vec<String> = oddities.into_iter().flatten().collect();
    if !oddities.is_empty() {
        words = format!("{words} ({})", oddities.join(", "));
    }
    words
}
