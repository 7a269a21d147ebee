//! Calibration: estimates how much of a cell's noise comes from trials, boots and occasions, from runs of one engine on several occasions. It is a
//! file beside the baseline, and lists the facts that make it expire.

use std::collections::BTreeMap;

use record::Metric;
use serde::{Deserialize, Serialize};

use crate::{
    figures::RunFigures,
    statistics::{comparison::Component, moments, variance_components::trials_per_boot},
};

mod check;
mod estimate;
mod expiry;
mod layout;
mod split_half;

#[cfg(test)]
mod tests;

pub use check::CalibrationError;
pub use split_half::{SplitHalf, split_half};

/// The version of the layout of a calibration file.
pub const CALIBRATION_SCHEMA_VERSION: u32 = 1;

/// The noise of one engine on one machine, by cell and metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`CALIBRATION_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Start of the last of its runs, in seconds since 1970; none in virtual time.
    pub made_unix_s: Option<u64>,
    /// Name of the recipe of the calibrated engine.
    pub recipe: String,
    /// Name of the machine on which it was measured.
    pub machine: String,
    /// Facts that the noise depends on, by name; the calibration expires when one of them changes.
    pub expires_with: BTreeMap<String, String>,
    /// Number of runs that it was estimated from; each is an occasion.
    pub occasions: usize,
    /// Number of boots in all runs together.
    pub boots: usize,
    /// Warnings in words: too few occasions, gate cells without an estimate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The noise of each cell and metric.
    pub cells: Vec<CellNoise>,
}

/// The noise of one metric of one cell, as standard deviations of natural logarithms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellNoise {
    /// Name of the cell, `workload/point`.
    pub cell: String,
    /// Hash of the workload; the noise holds only for this load.
    pub workload_hash: String,
    /// Metric whose noise this is.
    pub metric: Metric,
    /// Noise between the trials of a boot.
    pub trial: Component,
    /// Noise between the boots of an occasion.
    pub boot: Component,
    /// Noise between occasions; none from a single one.
    pub occasion: Option<Component>,
}

impl Calibration {
    /// The noise of a metric of a cell, where it was calibrated for this load.
    #[must_use]
    pub fn of(&self, cell: &str, workload_hash: &str, metric: Metric) -> Option<&CellNoise> {
        self.cells.iter().find(|noise| noise.cell == cell && noise.workload_hash == workload_hash && noise.metric == metric)
    }

    /// How many trials of each cell a boot should have, from 1 to 3, by what a boot and a round of all cells cost in those runs, and by the
    /// mean variances over all cells and metrics, since a boot measures them all. None in virtual time, where a boot costs nothing.
    #[must_use]
    pub fn trials_per_boot(&self, runs: &[RunFigures]) -> Option<u32> {
        let boots: Vec<f64> = runs.iter().flat_map(|run| &run.boots).filter_map(|boot| Some(boot.ready_ns? as f64)).collect();
        let mut cells: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for trial in runs.iter().flat_map(|run| &run.trials) {
            cells.entry(trial.cell.name()).or_default().push(trial.took_ns as f64);
        }
        let round: f64 = cells.values().filter_map(|took| moments::mean(took)).sum();
        let mean = |of: fn(&CellNoise) -> Component| {
            let variance = self.cells.iter().map(|noise| of(noise).sd_ln.powi(2)).sum::<f64>() / self.cells.len() as f64;
            Component { sd_ln: variance.sqrt(), df: 1.0, assumed: false }
        };
        moments::mean(&boots).map(|boot| trials_per_boot(boot, round, mean(|noise| noise.trial), mean(|noise| noise.boot)))
    }
}
