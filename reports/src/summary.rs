//! From trials to figures. The statistical unit is the trial, never the request: requests of one trial share one boot, one schedule
//! and one queue, and an interval over them would promise far too much.

use std::collections::BTreeMap;

use record::{Cell, Metric, Record};
use serde::Serialize;

use crate::{
    figures::{RunFigures, TrialFigures},
    metrics::ServerAccount,
    roofline::Distance,
    validity::{Judgement, Validity},
};

mod estimate;

#[cfg(test)]
mod tests;

pub use estimate::{CONFIDENCE, Estimate};

/// The figures of a run, cell by cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// Cells with at least one trial, in the record's order of cells.
    pub cells: Vec<CellSummary>,
}

/// The figures of one cell over its trials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellSummary {
    pub cell: Cell,
    /// Trials of the cell, in the order in which they were run.
    pub trials: Vec<TrialSummary>,
    /// Whether a value of the figures is a trial or a boot.
    pub unit: Unit,
    /// Number of units that count; a figure's `n` never exceeds it.
    pub units: usize,
    /// Trials that were planned: boots times trials in each.
    pub planned_trials: u64,
    /// Planned requests over the trials that are not invalid.
    pub attempted: u64,
    /// Requests that were served, over the same trials.
    pub served: u64,
    /// Fewest requests behind a trial's percentiles, over the trials that count.
    pub requests_per_trial: Option<u64>,
    /// Each metric over the trials that are not invalid; without those that no trial defines.
    pub figures: BTreeMap<Metric, Estimate>,
}

/// The statistical unit: what one value of a cell's figures stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A trial: each value is the figure of one trial.
    Trial,
    /// A boot: the geometric mean of its trials, which share the effects of the boot; the arithmetic mean where a value is 0.
    Boot,
}

/// One trial of a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialSummary {
    /// Number of the boot within its run, from 0.
    pub boot: u32,
    /// Number of the trial within its cell, from 0.
    pub trial: u32,
    /// 0, or 1 where the trial repeats an invalid one.
    pub attempt: u32,
    /// The worst of the reasons in `judgement`.
    pub validity: Validity,
    /// The reasons and notes of the validity rules.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Each metric that is defined; +inf, where a percentile fell among failures, is `null` in JSON.
    pub figures: BTreeMap<Metric, f64>,
    /// The server's account beside the client's, where the server has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "sides")]
    pub server_account: Option<ServerAccount>,
    /// How close the trial came to the limits of the machine, where they are known.
    #[serde(skip_serializing_if = "Distance::is_empty")]
    pub distance: Distance,
}

impl CellSummary {
    /// The last attempt of each trial.
    pub fn last_attempts(&self) -> impl Iterator<Item = &TrialSummary> {
        let is_repeated =
            |trial: &TrialSummary| self.trials.iter().any(|other| other.trial == trial.trial && other.attempt > trial.attempt);
        self.trials.iter().filter(move |trial| !is_repeated(trial))
    }

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

/// Turns a record into figures with their uncertainty.
#[must_use]
pub fn summarise(record: &Record) -> RunSummary {
    summarise_figures(&RunFigures::of(record))
}

/// Summarises a run of which only the figures are left.
#[must_use]
pub fn summarise_figures(run: &RunFigures) -> RunSummary {
    let mut groups: Vec<Vec<&TrialFigures>> = Vec::new();
    for trial in &run.trials {
        match groups.iter_mut().find(|group| group[0].cell == trial.cell) {
            Some(group) => group.push(trial),
            None => groups.push(vec![trial]),
        }
    }
    let place = |group: &Vec<&TrialFigures>| {
        let name = group[0].cell.name();
        run.header.cells.iter().position(|cell| *cell == name).unwrap_or(usize::MAX)
    };
    groups.sort_by_key(place);
    let planned_trials = u64::from(run.header.boots) * u64::from(run.header.trials_per_boot);
    RunSummary { cells: groups.iter().map(|group| summarise_cell(group, planned_trials)).collect() }
}

fn summarise_cell(group: &[&TrialFigures], planned_trials: u64) -> CellSummary {
    let trials: Vec<TrialSummary> = group.iter().map(|trial| TrialSummary::of(trial)).collect();
    let counted: Vec<&TrialFigures> = group.iter().filter(|trial| trial.validity != Validity::Invalid).copied().collect();
    let (unit, units) = units(&counted);
    let sum = |read: fn(&TrialFigures) -> u32| counted.iter().map(|trial| u64::from(read(trial))).sum();
    CellSummary {
        cell: group[0].cell.clone(),
        trials,
        unit,
        units: units.len(),
        planned_trials,
        attempted: sum(|trial| trial.attempted),
        served: sum(|trial| trial.served),
        requests_per_trial: counted.iter().map(|trial| u64::from(trial.attempted)).min(),
        figures: estimate_all(&units),
    }
}

impl TrialSummary {
    fn of(trial: &TrialFigures) -> Self {
        Self {
            boot: trial.boot,
            trial: trial.trial,
            attempt: trial.attempt,
            validity: trial.validity,
            judgement: trial.judgement.clone(),
            figures: trial.figures.clone(),
            server_account: trial.server_account,
            distance: trial.distance,
        }
    }
}

/// Groups trials into units: the unit is a boot where several boots have trials and one of them has several, else a trial.
pub(crate) fn units<'t>(trials: &[&'t TrialFigures]) -> (Unit, Vec<Vec<&'t TrialFigures>>) {
    let mut per_boot: BTreeMap<u32, Vec<&'t TrialFigures>> = BTreeMap::new();
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
fn estimate_all(units: &[Vec<&TrialFigures>]) -> BTreeMap<Metric, Estimate> {
    let estimates = Metric::ALL.iter().filter_map(|&metric| {
        let values: Vec<f64> = units.iter().filter_map(|trials| unit_value(metric, trials)).collect();
        Some((metric, Estimate::of(&values)?))
    });
    estimates.collect()
}

/// One unit's value. Trials of a boot are averaged on the scale on which they are compared, the logarithm; a figure that may be 0, such
/// as a share, has none there.
pub(crate) fn unit_value(metric: Metric, trials: &[&TrialFigures]) -> Option<f64> {
    let values: Vec<f64> = trials.iter().filter_map(|trial| trial.figures.get(&metric).copied()).collect();
    let n = values.len() as f64;
    match values[..] {
        [] => None,
        [only] => Some(only),
        _ if values.iter().all(|value| *value > 0.0) => Some((values.iter().map(|value| value.ln()).sum::<f64>() / n).exp()),
        _ => Some(values.iter().sum::<f64>() / n),
    }
}
