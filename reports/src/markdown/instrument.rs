//! How far the figures are the instrument's own doing.

use std::collections::BTreeMap;

use record::{ErrorBudget, Record, instrument::BudgetPoint};

use super::{Page, front_matter::harness, plural, text::code};
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

pub(super) fn write(page: &mut Page, record: &Record) {
    page.push("## Instrument");
    match &record.header.instrument {
        None if record.header.started_unix_s.is_none() => {
            page.push("Virtual time is exact: there is no instrument between the figures and the engine.");
        }
        None => page.push("Its own error was not measured; `sparkgauge selftest` does."),
        Some(budget) => write_budget(page, record, budget),
    }
}

fn write_budget(page: &mut Page, record: &Record, budget: &ErrorBudget) {
    page.push(&format!(
        "The client's own errors at the loads that stand for this run's, by the selftest of harness {} on {}: spans that it saw \
         against those that a server of known timing stamped.",
        harness(&budget.harness_version, budget.harness_commit.as_deref()),
        code(&budget.machine.name)
    ));
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
    if !points.is_empty() {
        page.push(&points_table(&points));
    }
    let line = |(cell, load): (&String, &ClientLoad)| {
        let asked = format!("{}, {} chunks/s", plural(load.streams as usize, "stream"), figure(load.chunks_per_s, Unit::Plain));
        let stands = covered(*load).map_or("more than was checked".to_owned(), |point| code(&point.name));
        format!("- {}: {asked}: {stands}\n", code(cell))
    };
    let lines: String = loads.iter().map(line).collect();
    if !lines.is_empty() {
        page.push(&lines);
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
