//! How far the figures are the instrument's own doing.

use std::collections::BTreeMap;

use minijinja::{Value, context};
use record::{ErrorBudget, Record, instrument::BudgetPoint};

use super::{front_matter::harness, plural, text::code};
use crate::{
    instrument::{ClientLoad, Coverage, covering},
    metrics::TrialMetrics,
    number::{Unit, figure},
};

mod budget;
#[cfg(test)]
mod tests;

use budget::points_table;
pub use budget::render_budget;

pub(super) fn facts(record: &Record) -> Value {
    match &record.header.instrument {
        None if record.header.started_unix_s.is_none() => context! { kind => "virtual" },
        None => context! { kind => "unknown" },
        Some(budget) => budget_facts(record, budget),
    }
}

fn budget_facts(record: &Record, budget: &ErrorBudget) -> Value {
    let loads = loads(record);
    let covered = |load| match covering(budget, load) {
        Coverage::Within(point) | Coverage::Beyond(point) => Some(point),
        Coverage::Unchecked => None,
    };
    let mut points: Vec<&BudgetPoint> = Vec::new();
    for point in loads.values().filter_map(|&load| covered(load)) {
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points.sort_by(|one, other| one.chunks_per_s.total_cmp(&other.chunks_per_s));
    let line = |(cell, load): (&String, &ClientLoad)| {
        let requested =
            format!("{}, {} chunks/s", plural(load.streams as usize, "stream"), figure(load.chunks_per_s, Unit::Plain));
        let point = covered(*load).map_or("more than was checked".to_owned(), |point| code(&point.name));
        format!("{}: {requested}: {point}", code(cell))
    };
    context! {
        kind => "measured",
        harness => harness(&budget.harness_version, budget.harness_commit.as_deref()),
        machine => code(&budget.machine.name),
        table => (!points.is_empty()).then(|| points_table(&points)),
        lines => loads.iter().map(line).collect::<Vec<_>>(),
    }
}

/// The largest load of each cell.
fn loads(record: &Record) -> BTreeMap<String, ClientLoad> {
    let mut loads: BTreeMap<String, ClientLoad> = BTreeMap::new();
    for trial in &record.trials {
        let Some(load) = ClientLoad::of(trial, &TrialMetrics::of(trial)) else { continue };
        loads.entry(trial.cell.name()).and_modify(|most| *most = most.worse(load)).or_insert(load);
    }
    loads
}
