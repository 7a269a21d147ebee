//! Reduces trials to one number per unit, which the statistics compare.

use std::collections::{BTreeMap, BTreeSet};

use record::Metric;

use super::order;
use crate::{
    figures::{RunFigures, TrialFigures},
    statistics::{comparison::Refusal, fisher::RequestCounts},
    summary::{Unit, unit_value},
    validity::Validity,
};

use super::environment::is_failing;

/// A trial that is not invalid, with its boot and place in time.
#[derive(Clone, Copy)]
pub(super) struct CountedTrial<'r> {
    /// The number of the run within its side, and the boot within the run.
    pub(super) boot: (usize, u32),
    /// The place of that boot in time.
    pub(super) place: f64,
    pub(super) trial: &'r TrialFigures,
}

/// The trials of a cell that count, in the order of measuring.
pub(super) fn counted_trials<'r>(runs: &'r [RunFigures], cell: &str) -> Vec<CountedTrial<'r>> {
    let mut all = Vec::new();
    let mut before = 0.0;
    for (number, run) in runs.iter().enumerate() {
        let of_cell = run.trials.iter().filter(|trial| trial.validity != Validity::Invalid && trial.cell.name() == cell);
        all.extend(of_cell.map(|trial| CountedTrial {
            boot: (number, trial.boot),
            place: before + order::place(run, trial.boot),
            trial,
        }));
        before += order::length(run);
    }
    all
}

/// Served and failed requests of a cell, over the last attempt of each trial, including trials that are invalid because many requests failed. A trial
/// that was cut short or sent late is left out: its failures are not the engine's.
pub(super) fn request_counts(runs: &[RunFigures], cell: &str) -> RequestCounts {
    let mut last: BTreeMap<(usize, u32), &TrialFigures> = BTreeMap::new();
    for (number, run) in runs.iter().enumerate() {
        for trial in run.trials.iter().filter(|trial| trial.cell.name() == cell) {
            last.insert((number, trial.trial), trial);
        }
    }
    let counts = last.into_values().filter(|trial| trial.validity != Validity::Invalid || is_failing(trial));
    let (served, all) = counts.fold((0, 0), |(served, all), trial| (served + trial.served, all + trial.attempted));
    RequestCounts { served, failed: all - served }
}

/// The units of both sides in one metric.
pub(super) struct Units {
    pub(super) unit: Unit,
    /// Whether a side has a single boot, so that its trials are the units.
    pub(super) is_one_boot: bool,
    /// One number per unit, baseline first; paired, both in the order of the seeds.
    pub(super) values: [Vec<f64>; 2],
    /// The place in time of each.
    pub(super) places: [Vec<f64>; 2],
}

fn boot_count(trials: &[CountedTrial<'_>]) -> usize {
    trials.iter().map(|counted| counted.boot).collect::<BTreeSet<_>>().len()
}

fn is_one_boot(sides: &[Vec<CountedTrial<'_>>; 2]) -> bool {
    sides.iter().any(|trials| boot_count(trials) == 1)
}

/// Each boot's trials are one unit; where a side has one boot, each trial is.
pub(super) fn unpaired(metric: Metric, sides: &[Vec<CountedTrial<'_>>; 2]) -> Units {
    let is_one_boot = is_one_boot(sides);
    let mut values = [Vec::new(), Vec::new()];
    let mut places = [Vec::new(), Vec::new()];
    for (side, trials) in sides.iter().enumerate() {
        for group in groups(trials, is_one_boot) {
            let figures: Vec<&TrialFigures> = group.iter().map(|counted| counted.trial).collect();
            if let Some(value) = unit_value(metric, &figures) {
                values[side].push(value);
                places[side].push(group[0].place);
            }
        }
    }
    let unit = unit(sides, is_one_boot);
    Units { unit, is_one_boot, values, places }
}

/// The units of trials that are paired by seed. A unit consists of the pairs of one boot of the candidate.
pub(super) fn paired(metric: Metric, sides: &[Vec<CountedTrial<'_>>; 2]) -> Result<Units, Refusal> {
    let is_one_boot = is_one_boot(sides);
    let [baseline, candidate] = sides;
    let by_seed: BTreeMap<u64, &CountedTrial<'_>> = baseline.iter().map(|counted| (counted.trial.seed, counted)).collect();
    let mut values = [Vec::new(), Vec::new()];
    let mut places = [Vec::new(), Vec::new()];
    let mut pairs = 0;
    for group in groups(candidate, is_one_boot) {
        let mut both = [Vec::new(), Vec::new()];
        let mut at = None;
        for counted in group {
            let Some(other) = by_seed.get(&counted.trial.seed) else { continue };
            if other.trial.plan_digest != counted.trial.plan_digest {
                return Err(Refusal::Integrity { why: "the same seed gave other prompts on either side".to_owned() });
            }
            both[0].push(other.trial);
            both[1].push(counted.trial);
            at.get_or_insert((other.place, counted.place));
            pairs += 1;
        }
        let unit_values = [unit_value(metric, &both[0]), unit_value(metric, &both[1])];
        if let ([Some(left), Some(right)], Some((left_at, right_at))) = (unit_values, at) {
            values[0].push(left);
            values[1].push(right);
            places[0].push(left_at);
            places[1].push(right_at);
        }
    }
    if pairs == 0 && !baseline.is_empty() && !candidate.is_empty() {
        let why = "its trials are compared seed by seed, and the sides have no seed in common: measure both with the same --seed";
        return Err(Refusal::Integrity { why: why.to_owned() });
    }
    Ok(Units { unit: unit(sides, is_one_boot), is_one_boot, values, places })
}

fn unit(sides: &[Vec<CountedTrial<'_>>; 2], is_one_boot: bool) -> Unit {
    let has_several = sides.iter().any(|trials| trials.len() > boot_count(trials));
    if has_several && !is_one_boot { Unit::Boot } else { Unit::Trial }
}

/// Trials by boot in the order of measuring, or each by itself.
fn groups<'c, 'r>(trials: &'c [CountedTrial<'r>], each: bool) -> Vec<Vec<&'c CountedTrial<'r>>> {
    if each {
        return trials.iter().map(|counted| vec![counted]).collect();
    }
    let mut by_boot: BTreeMap<(usize, u32), Vec<&CountedTrial<'_>>> = BTreeMap::new();
    for counted in trials {
        by_boot.entry(counted.boot).or_default().push(counted);
    }
    by_boot.into_values().collect()
}
