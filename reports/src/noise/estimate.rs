//! Estimates the noise of an engine from its runs.

use record::{Gate, Metric};

use super::{
    CALIBRATION_SCHEMA_VERSION, Calibration, CalibrationError, CellNoise,
    check::{MIN_BOOTS, check, plain_name},
    expiry,
    layout::{Boots, Seeds, logarithms, seeds},
};
use crate::{
    figures::{RunFigures, TrialFigures},
    statistics::{
        comparison::Component,
        variance_components::{three_levels, three_levels_by_seed, two_levels},
    },
};

/// Metrics of a gate's cell that are calibrated besides the gate.
const ADVISORY: [Metric; 3] = [Metric::DecodeTokS, Metric::TtftP50Ns, Metric::OutputTokS];

/// Occasions that a calibration should have; with fewer it carries a warning.
const RECOMMENDED_OCCASIONS: usize = 4;
/// Boots that each occasion should have.
const RECOMMENDED_BOOTS: usize = 3;

impl Calibration {
    /// The noise of every gate of the runs, and of decode tok/s, median TTFT and output tok/s of the gates' cells. Each run is an occasion.
    ///
    /// By analysis of variance on natural logarithms of the trials that count ([`three_levels`]; of a single occasion [`two_levels`]). Where a cell
    /// is compared seed by seed, the effect of a seed is not noise of the comparison. If the occasions share their seeds, the effect is removed first
    /// ([`three_levels_by_seed`]), so that the noise of a trial is that of a difference between equal seeds, over the square root of 2. If no two
    /// occasions share a seed, the noise of a trial includes that of seeds, and the noise of occasions is not affected.
    pub fn estimate(runs: &[RunFigures]) -> Result<Self, CalibrationError> {
        check(runs)?;
        let first = runs.first().ok_or(CalibrationError::NoRun)?;
        let mut warnings = Vec::new();
        let mut cells = Vec::new();
        for target in targets(runs) {
            match target.noise(runs)? {
                Some(noise) => cells.push(noise),
                None if target.is_gate => {
                    let name = plain_name(&target.gate.cell);
                    warnings.push(format!("{name} {}: too few valid trials for an estimate", target.gate.metric));
                }
                None => {}
            }
        }
        if cells.is_empty() {
            return Err(CalibrationError::NothingCounts);
        }
        warnings.extend(size_warning(runs));
        Ok(Self {
            schema_version: CALIBRATION_SCHEMA_VERSION,
            made_unix_s: runs.iter().filter_map(|run| run.header.started_unix_s).max(),
            recipe: first.header.recipe.name.clone(),
            machine: first.header.machine.name.clone(),
            expires_with: expiry::facts(&first.header, &first.boots),
            occasions: runs.len(),
            boots: runs.iter().map(|run| run.boots.len()).sum(),
            warnings,
            cells,
        })
    }
}

/// A warning about too few occasions or boots, if there are.
fn size_warning(runs: &[RunFigures]) -> Option<String> {
    let boots = runs.iter().map(|run| run.boots.len()).min().unwrap_or(0);
    (runs.len() < RECOMMENDED_OCCASIONS || boots < RECOMMENDED_BOOTS).then(|| {
        format!(
            "too few measurements: {} of at least {RECOMMENDED_OCCASIONS} occasions, {boots} of at least {RECOMMENDED_BOOTS} boots in the \
             shortest of them; the estimates are uncertain, and a noise of 0 between occasions is no evidence of none",
            runs.len()
        )
    })
}

/// A metric of a cell that is calibrated.
struct Target {
    gate: Gate,
    is_gate: bool,
}

/// The gates of all runs, each once, then the advisory metrics of their cells.
fn targets(runs: &[RunFigures]) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    let mut add = |gate: Gate, is_gate: bool| {
        if !targets.iter().any(|target| target.gate.cell == gate.cell && target.gate.metric == gate.metric) {
            targets.push(Target { gate, is_gate });
        }
    };
    let gates = || runs.iter().flat_map(|run| &run.header.gates);
    for gate in gates() {
        add(gate.clone(), true);
    }
    for gate in gates() {
        for metric in ADVISORY {
            add(Gate { metric, ..gate.clone() }, false);
        }
    }
    targets
}

impl Target {
    /// The noise of the target; none with too few valid trials.
    fn noise(&self, runs: &[RunFigures]) -> Result<Option<CellNoise>, CalibrationError> {
        let Gate { cell, metric, paired_by_seed, .. } = &self.gate;
        let seeds = if *paired_by_seed && runs.len() > 1 { seeds(runs, cell) } else { Seeds::Different };
        if seeds == Seeds::Mixed {
            return Err(CalibrationError::MixedSeeds);
        }
        let by_seed = seeds == Seeds::Same;
        let of_cell = |trial: &&TrialFigures| trial.cell.name() == *cell;
        let hash = runs.iter().flat_map(|run| &run.trials).find(of_cell).map(|trial| trial.cell.workload_hash.clone());
        let found = logarithms(runs, cell, *metric, by_seed);
        let components = found.and_then(|occasions| components(&occasions, by_seed));
        Ok(components.zip(hash).map(|((trial, boot, occasion), workload_hash)| CellNoise {
            cell: cell.clone(),
            workload_hash,
            metric: *metric,
            trial,
            boot,
            occasion,
        }))
    }
}

/// The noise of trials, boots and occasions; for a single occasion the last is none.
fn components(occasions: &[Boots], by_seed: bool) -> Option<(Component, Component, Option<Component>)> {
    if occasions.iter().any(|boots| boots.len() < MIN_BOOTS) {
        return None;
    }
    if let [only] = occasions {
        return two_levels(only).map(|noise| (noise.trial, noise.boot, None));
    }
    let noise = if by_seed { three_levels_by_seed(occasions) } else { three_levels(occasions) };
    noise.map(|noise| (noise.trial, noise.boot, Some(noise.occasion)))
}
