//! From trials to figures. The statistical unit is the trial, never the request: requests of one trial share one boot, one schedule
//! and one queue, and an interval over them would promise far too much.

use std::collections::BTreeMap;

use record::{Cell, Record, Trial};
use serde::Serialize;

use crate::{
    metrics::TrialMetrics,
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
    /// Planned requests over all trials, the invalid ones included.
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
    /// The mean of a boot's trials: they share what that boot was like.
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
        attempted += u64::from(metrics.attempted);
        served += u64::from(metrics.served);
        if summary.validity != Validity::Invalid {
            let requests = u64::from(metrics.attempted);
            requests_per_trial = Some(requests_per_trial.unwrap_or(requests).min(requests));
        }
        trials.push(summary);
    }
    let counted: Vec<&TrialSummary> = trials.iter().filter(|trial| trial.validity != Validity::Invalid).collect();
    let (unit, figures) = estimate_all(&counted);
    CellSummary { cell: group[0].cell.clone(), unit, attempted, served, requests_per_trial, figures, trials }
}

fn summarise_trial(record: &Record, trial: &Trial, earlier: &[&Trial], metrics: &TrialMetrics) -> TrialSummary {
    let boot = record.boots.iter().find(|boot| boot.boot == trial.boot);
    let template_tokens = boot.map_or(0, |boot| boot.sizing.template_tokens);
    let mut judgement = validity::judge(trial, metrics, template_tokens);
    judgement.reasons.extend(validity::judge_repetition(trial, earlier));
    let figures = Metric::ALL.iter().filter_map(|metric| Some((*metric, metric.of(metrics)?))).collect();
    TrialSummary { boot: trial.boot, trial: trial.trial, validity: judgement.validity(), judgement, figures }
}

/// Every metric that any trial defines. Where several boots have trials, and some of them several, a boot is one value.
fn estimate_all(trials: &[&TrialSummary]) -> (Unit, BTreeMap<Metric, Estimate>) {
    let mut per_boot: BTreeMap<u32, Vec<&TrialSummary>> = BTreeMap::new();
    for trial in trials {
        per_boot.entry(trial.boot).or_default().push(trial);
    }
    let unit = if per_boot.len() > 1 && per_boot.values().any(|trials| trials.len() > 1) { Unit::Boot } else { Unit::Trial };
    let groups: Vec<Vec<&TrialSummary>> = match unit {
        Unit::Boot => per_boot.into_values().collect(),
        Unit::Trial => trials.iter().map(|trial| vec![*trial]).collect(),
    };
    let value = |metric: Metric, group: &Vec<&TrialSummary>| {
        let values: Vec<f64> = group.iter().filter_map(|trial| trial.figures.get(&metric).copied()).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let estimates = Metric::ALL.iter().filter_map(|&metric| {
        let values: Vec<f64> = groups.iter().filter_map(|group| value(metric, group)).collect();
        Some((metric, Estimate::of(&values)?))
    });
    (unit, estimates.collect())
}
