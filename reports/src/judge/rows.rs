//! Builds the rows of a comparison: which metrics of which cells are compared, and by which design.

use std::collections::BTreeSet;

use record::{Gate, Metric};

use super::{
    Order, Policy, Row, SideValues, WorkloadRatio,
    environment::plain_cell_name,
    units::{self, CountedTrial, Units, counted_trials, request_counts},
};
use crate::{
    figures::RunFigures,
    metric::info,
    noise::Calibration,
    statistics::{
        comparison::{self, BetterDirection, Component, Pairing, Refusal, compare},
        fisher::{RequestCounts, fails_more},
        moments, outliers,
        verdict::{self, Decision, Note},
    },
    summary::Unit,
};

/// Metrics that are compared without belonging to the gate.
const ADVISORY: [Metric; 7] = [
    Metric::DecodeTokS,
    Metric::TtftP50Ns,
    Metric::TtftP95Ns,
    Metric::PrefillTokS,
    Metric::OutputTokS,
    Metric::AchievedPerS,
    Metric::GoodputPerS,
];

/// Metrics of which each workload has a ratio of candidate to baseline.
const RATIOS: [Metric; 3] = [Metric::DecodeTokS, Metric::TtftP50Ns, Metric::OutputTokS];

/// Two measurements never agree to the last digit.
const IDENTICAL_VALUES: &str = "both sides have the very same values: is it one record, or are they cached or synthetic?";

/// Reached only by edited or foreign records: the built-in suite declares no such gate.
const NO_BETTER_DIRECTION: &str =
    "its gate is about a metric of the load or the stream, and no way is better there: declare another gate";

/// The settings that all rows share.
pub(super) struct Design<'p> {
    pub(super) order: Order,
    pub(super) policy: &'p Policy,
    pub(super) calibration: Option<&'p Calibration>,
}

/// A row that is compared and not judged yet.
pub(crate) struct PendingRow {
    gate: Gate,
    workload: String,
    pub(crate) cell: verdict::Cell,
    pub(super) is_paired: bool,
    pub(super) is_one_boot: bool,
    unit: Unit,
    pub(super) values: [Vec<f64>; 2],
    pub(super) places: [Vec<f64>; 2],
    served: [RequestCounts; 2],
    /// The noise components that were added to the comparison, if any.
    pub(super) occasion: Option<Component>,
    pub(super) boot: Option<Component>,
    pub(super) notes: Vec<Note>,
}

/// The rows of a comparison: the candidate's gates in the suite's order, then the other cells that both sides measured.
pub(super) fn pending_rows(sides: [&[RunFigures]; 2], design: &Design<'_>) -> Vec<PendingRow> {
    let [_, candidate] = sides;
    let gates = gates(candidate, design.policy);
    let mut rows: Vec<PendingRow> = gates.iter().map(|gate| pending_row(sides, gate, true, design)).collect();
    let mut seen = BTreeSet::new();
    for trial in candidate.iter().flat_map(|run| &run.trials).filter(|trial| trial.cell.comparable) {
        let cell = trial.cell.name();
        if !seen.insert(cell.clone()) {
            continue;
        }
        for metric in ADVISORY {
            if gates.iter().any(|gate| gate.cell == cell && gate.metric == metric) || !is_supported(metric, trial.attempted) {
                continue;
            }
            let Some(margin) = info(metric).margin else { continue };
            let gate = Gate { cell: cell.clone(), metric, margin, paired_by_seed: trial.cell.load.is_open() };
            let row = pending_row(sides, &gate, false, design);
            if row.values.iter().all(|values| !values.is_empty()) {
                rows.push(row);
            }
        }
    }
    rows
}

/// Whether so many requests support a percentile.
fn is_supported(metric: Metric, requests: u32) -> bool {
    info(metric).requests_needed.is_none_or(|needed| requests as usize >= needed)
}

/// The gates that the candidate declared before it was measured; those of the policy where its record is too old to declare any. Each
/// once, though several runs of a side declare the same.
fn gates(candidate: &[RunFigures], policy: &Policy) -> Vec<Gate> {
    let mut gates: Vec<Gate> = Vec::new();
    for run in candidate {
        let knows_gates = run.header.schema_version >= 3;
        let planned = policy.gates.iter().filter(|gate| !knows_gates && run.header.cells.contains(&gate.cell));
        for gate in run.header.gates.iter().chain(planned) {
            if !gates.iter().any(|other| other.cell == gate.cell && other.metric == gate.metric) {
                gates.push(gate.clone());
            }
        }
    }
    // A miniature stands for nothing but the plumbing.
    let is_miniature = |gate: &Gate| {
        let mut trials = candidate.iter().flat_map(|run| &run.trials);
        trials.any(|trial| !trial.cell.comparable && trial.cell.name() == gate.cell)
    };
    gates.retain(|gate| !is_miniature(gate));
    gates
}

fn pending_row(sides: [&[RunFigures]; 2], gate: &Gate, is_gate: bool, design: &Design<'_>) -> PendingRow {
    let trials = sides.map(|runs| counted_trials(runs, &gate.cell));
    let units = if gate.paired_by_seed { units::paired(gate.metric, &trials) } else { Ok(units::unpaired(gate.metric, &trials)) };
    let none =
        || Units { unit: Unit::Trial, is_one_boot: false, values: [Vec::new(), Vec::new()], places: [Vec::new(), Vec::new()] };
    let (units, refusal) = match units {
        Ok(units) => (units, None),
        Err(refusal) => (none(), Some(refusal)),
    };
    let [occasion, boot] = components(gate, &trials[1], design);
    let boot = boot.filter(|_| units.is_one_boot);
    let pairing = if gate.paired_by_seed { Pairing::BySeed } else { Pairing::Unpaired };
    let outcome = match (refusal, info(gate.metric).better) {
        (Some(refusal), _) => Err(refusal),
        (None, None) => Err(Refusal::Integrity { why: NO_BETTER_DIRECTION.to_owned() }),
        (None, Some(_)) if units.values[0] == units.values[1] && !units.values[0].is_empty() => {
            Err(Refusal::Integrity { why: IDENTICAL_VALUES.to_owned() })
        }
        (None, Some(better)) => {
            let comparison_design = comparison::Design { better, pairing, occasion, boot };
            compare(&units.values[0], &units.values[1], comparison_design)
        }
    };
    let served = sides.map(|runs| request_counts(runs, &gate.cell));
    let workload = trials.iter().flatten().next().map_or_else(
        || gate.cell.split('/').next().unwrap_or_default().to_owned(),
        |counted| counted.trial.cell.workload.clone(),
    );
    PendingRow {
        gate: gate.clone(),
        workload,
        cell: verdict::Cell { outcome, margin: gate.margin, gate: is_gate, fails_more: fails_more(served[0], served[1]) },
        is_paired: gate.paired_by_seed,
        is_one_boot: units.is_one_boot,
        unit: units.unit,
        values: units.values,
        places: units.places,
        served,
        occasion,
        boot,
        notes: Vec::new(),
    }
}

/// The noise between occasions, for stored sides, and between boots: as calibrated for this load, else [`Component::ASSUMED`].
fn components(gate: &Gate, trials: &[CountedTrial<'_>], design: &Design<'_>) -> [Option<Component>; 2] {
    let hash = trials.first().map(|counted| counted.trial.cell.workload_hash.as_str()).unwrap_or_default();
    let noise = design.calibration.and_then(|calibration| calibration.of(&gate.cell, hash, gate.metric));
    let occasion = noise.and_then(|noise| noise.occasion).unwrap_or(Component::ASSUMED);
    let boot = noise.map_or(Component::ASSUMED, |noise| noise.boot);
    [(design.order == Order::Stored).then_some(occasion), Some(boot)]
}

impl PendingRow {
    /// A gate's row of simulated values, each with the place of its boot in time.
    pub(crate) fn of_values(gate: &Gate, values: [Vec<f64>; 2], places: [Vec<f64>; 2], design: comparison::Design) -> Self {
        let outcome = compare(&values[0], &values[1], design);
        Self {
            gate: gate.clone(),
            workload: gate.cell.split('/').next().unwrap_or_default().to_owned(),
            cell: verdict::Cell { outcome, margin: gate.margin, gate: true, fails_more: false },
            is_paired: gate.paired_by_seed,
            is_one_boot: design.boot.is_some(),
            unit: Unit::Boot,
            values,
            places,
            served: [RequestCounts { served: 1, failed: 0 }; 2],
            occasion: design.occasion,
            boot: design.boot,
            notes: Vec::new(),
        }
    }

    /// The sign that makes a difference of logarithms positive when it is worse; none of a metric without a better direction.
    pub(super) fn worse_sign(&self) -> Option<f64> {
        info(self.gate.metric).better.map(BetterDirection::worse_sign)
    }

    /// The row with its decision.
    pub(super) fn with_decision(&self, decision: Decision, policy: &Policy) -> Row {
        let alpha = policy.options.looks.alpha();
        let compared = self.cell.outcome.as_ref().ok();
        let percent = |share: f64| 100.0 * share;
        let is_suspected = compared.is_some_and(|comparison| comparison.seems_worse(self.gate.margin, alpha));
        let mut notes = decision.notes;
        notes.extend(&self.notes);
        Row {
            cell: self.gate.cell.clone(),
            workload: self.workload.clone(),
            metric: self.gate.metric,
            gate: decision.gate,
            margin: self.gate.margin,
            paired: self.is_paired,
            baseline: self.side_values(0),
            candidate: self.side_values(1),
            change_percent: compared.map(comparison::Comparison::change_percent).or_else(|| self.change_of_means()),
            interval_percent: compared.and_then(|comparison| comparison.change_interval_percent(alpha)),
            mde_percent: compared.and_then(|comparison| comparison.mde80(alpha)).map(percent),
            p_regressed: compared.map(|comparison| comparison.p_regressed),
            p_improved: compared.map(|comparison| comparison.p_improved),
            q_regressed: decision.q_regressed,
            q_improved: decision.q_improved,
            verdict: decision.verdict,
            notes,
            why: decision.refusal.as_ref().map(ToString::to_string),
            trials_needed: decision.trials_needed,
            // A cell that seems worse gets a second look even if its noise makes that look futile.
            is_futile: !is_suspected && compared.is_none_or(|comparison| comparison.noise.is_futile(self.gate.margin, alpha)),
        }
    }

    /// The change of the means where there is no comparison, without an interval.
    fn change_of_means(&self) -> Option<f64> {
        let [baseline, candidate] = &self.values;
        let change = moments::geometric_mean(candidate)? / moments::geometric_mean(baseline)? - 1.0;
        change.is_finite().then_some(100.0 * change)
    }

    fn side_values(&self, side: usize) -> SideValues {
        let values = &self.values[side];
        let logarithms = moments::logarithms(values);
        let sd = logarithms.as_deref().and_then(moments::sd);
        let is_outlier = outliers::flag_outliers(values);
        SideValues {
            unit: (!values.is_empty()).then_some(self.unit),
            mean: moments::geometric_mean(values).filter(|mean| mean.is_finite()),
            cv_percent: sd.filter(|sd| sd.is_finite()).map(|sd| 100.0 * sd),
            outliers: (0..values.len()).filter(|&place| is_outlier[place]).collect(),
            values: values.clone(),
            attempted: self.served[side].served + self.served[side].failed,
            served: self.served[side].served,
        }
    }
}

/// The geometric mean of the ratios of each workload's cells, in the order of the rows.
pub(super) fn ratios(rows: &[Row]) -> Vec<WorkloadRatio> {
    let mut workloads: Vec<&str> = Vec::new();
    for row in rows {
        if !workloads.contains(&row.workload.as_str()) {
            workloads.push(&row.workload);
        }
    }
    let mut ratios = Vec::new();
    for workload in workloads {
        for metric in RATIOS {
            let of = rows.iter().filter(|row| row.workload == workload && row.metric == metric);
            let each: Vec<f64> = of.filter_map(|row| Some(row.candidate.mean? / row.baseline.mean?)).collect();
            if let Some(ratio) = moments::geometric_mean(&each) {
                ratios.push(WorkloadRatio { workload: plain_cell_name(workload), metric, cells: each.len(), ratio });
            }
        }
    }
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that lacked either would be left out of every comparison without a word.
    #[test]
    fn advisory_metrics_have_a_margin_and_a_better_direction() {
        for metric in ADVISORY.into_iter().chain(RATIOS) {
            assert!(info(metric).margin.is_some() && info(metric).better.is_some(), "{metric}");
        }
    }
}
