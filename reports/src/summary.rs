//! From trials to figures. The statistical unit is the trial, never the request: requests of one trial share one boot, one schedule
//! and one queue, and an interval over them would promise far too much.

use std::collections::BTreeMap;

use record::{Cell, Record, Trial};
use serde::Serialize;

use crate::{
    metrics::{SideBySide, TrialMetrics},
    validity::{self, Judgement, Validity},
};

mod estimate;
mod metric;

#[cfg(test)]
mod tests;

pub use estimate::{CONFIDENCE, Estimate};
pub use metric::Metric;

/// A record as figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// Cells with at least one trial, in the record's order of cells.
    pub cells: Vec<CellSummary>,
}

/// One cell over its trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellSummary {
    /// The cell.
    pub cell: Cell,
    /// Its trials, in the order in which they were run.
    pub trials: Vec<TrialSummary>,
    /// What one value of the figures is made of.
    pub unit: Unit,
    /// How many of those units count, which a figure's `n` never exceeds.
    pub units: usize,
    /// Trials that were planned: boots times trials in each.
    pub planned_trials: u64,
    /// Planned requests over the trials that are not invalid.
    pub attempted: u64,
    /// Those that were served.
    pub served: u64,
    /// Fewest requests behind a trial's percentiles, over the trials that count.
    pub requests_per_trial: Option<u64>,
    /// Each metric over the trials that are not invalid; without those that no trial defines.
    pub figures: BTreeMap<Metric, Estimate>,
}

/// What one value of a cell's figures is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// One trial.
    Trial,
    /// A boot: the geometric mean of its trials, which share what that boot was like; the arithmetic one where a value is 0.
    Boot,
}

/// One trial of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialSummary {
    /// Its boot, from 0.
    pub boot: u32,
    /// Its number among the cell's trials, from 0.
    pub trial: u32,
    /// How far it can be trusted.
    pub validity: Validity,
    /// Why.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Each metric that is defined; +inf, where a percentile fell among failures, is `null` in JSON.
    pub figures: BTreeMap<Metric, f64>,
    /// The server's account beside the client's, where the server has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sides: Option<SideBySide>,
}

impl CellSummary {
    /// How many of its trials are of that validity.
    #[must_use]
    pub fn count(&self, validity: Validity) -> usize {
        self.trials.iter().filter(|trial| trial.validity == validity).count()
    }

    /// A metric over the trials that count, if any defines it.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        self.figures.get(&metric)
    }
}

/// Turns a record into figures.
#[must_use]
pub fn summarise(record: &Record) -> RunSummary {
    let mut groups: Vec<Vec<&Trial>> = Vec::new();
    for trial in &record.trials {
        match groups.iter_mut().find(|group| group[0].cell == trial.cell) {
            Some(group) => group.push(trial),
            None => groups.push(vec![trial]),
        }
    }
    let place = |group: &Vec<&Trial>| {
        let name = group[0].cell.name();
        record.header.cells.iter().position(|cell| *cell == name).unwrap_or(usize::MAX)
    };
    groups.sort_by_key(place);
    RunSummary { cells: groups.iter().map(|group| summarise_cell(record, group)).collect() }
}

fn summarise_cell(record: &Record, group: &[&Trial]) -> CellSummary {
    let (mut attempted, mut served, mut requests_per_trial) = (0, 0, None);
    let mut trials = Vec::with_capacity(group.len());
    for (index, trial) in group.iter().enumerate() {
        let metrics = TrialMetrics::of(trial);
        let summary = summarise_trial(record, trial, &group[..index], &metrics);
        if summary.validity != Validity::Invalid {
            let requests = u64::from(metrics.attempted);
            attempted += requests;
            served += u64::from(metrics.served);
            requests_per_trial = Some(requests_per_trial.unwrap_or(requests).min(requests));
        }
        trials.push(summary);
    }
    let counted: Vec<&TrialSummary> = trials.iter().filter(|trial| trial.validity != Validity::Invalid).collect();
    let (unit, groups) = units(&counted);
    CellSummary {
        cell: group[0].cell.clone(),
        unit,
        units: groups.len(),
        planned_trials: u64::from(record.header.boots) * u64::from(record.header.trials_per_boot),
        attempted,
        served,
        requests_per_trial,
        figures: estimate_all(&groups),
        trials,
    }
}

fn summarise_trial(record: &Record, trial: &Trial, earlier: &[&Trial], metrics: &TrialMetrics) -> TrialSummary {
    let boot = record.boots.iter().find(|boot| boot.boot == trial.boot);
    let template_tokens = boot.map_or(0, |boot| boot.sizing.template_tokens);
    let mut judgement = validity::judge(trial, metrics, template_tokens);
    judgement.reasons.extend(validity::judge_repetition(trial, earlier));
    let figures = Metric::ALL.iter().filter_map(|metric| Some((*metric, metric.of(metrics)?))).collect();
    let (validity, sides) = (judgement.validity(), SideBySide::of(trial));
    TrialSummary { boot: trial.boot, trial: trial.trial, validity, judgement, figures, sides }
}

/// The trials, grouped into what is one value: where several boots have trials, and some of them several, a boot is.
fn units<'t>(trials: &[&'t TrialSummary]) -> (Unit, Vec<Vec<&'t TrialSummary>>) {
    let mut per_boot: BTreeMap<u32, Vec<&'t TrialSummary>> = BTreeMap::new();
    for trial in trials {
        per_boot.entry(trial.boot).or_default().push(trial);
    }
    let unit = if per_boot.len() > 1 && per_boot.values().any(|trials| trials.len() > 1) { Unit::Boot } else { Unit::Trial };
    let groups = match unit {
        Unit::Boot => per_boot.into_values().collect(),
        Unit::Trial => trials.iter().map(|trial| vec![*trial]).collect(),
    };
    (unit, groups)
}

/// Every metric that any trial defines.
fn estimate_all(units: &[Vec<&TrialSummary>]) -> BTreeMap<Metric, Estimate> {
    let estimates = Metric::ALL.iter().filter_map(|&metric| {
        let values: Vec<f64> = units.iter().filter_map(|trials| unit_value(metric, trials)).collect();
        Some((metric, Estimate::of(&values)?))
    });
    estimates.collect()
}

/// One unit's value. Trials of a boot are averaged on the scale on which they are compared, the logarithm; a figure that may be 0, such
/// as a share, has none there.
fn unit_value(metric: Metric, trials: &[&TrialSummary]) -> Option<f64> {
    let values: Vec<f64> = trials.iter().filter_map(|trial| trial.figures.get(&metric).copied()).collect();
    let n = values.len() as f64;
    match values[..] {
        [] => None,
        [only] => Some(only),
        _ if values.iter().all(|value| *value > 0.0) => Some((values.iter().map(|value| value.ln()).sum::<f64>() / n).exp()),
        _ => Some(values.iter().sum::<f64>() / n),
    }
}
