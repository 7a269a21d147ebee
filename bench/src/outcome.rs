//! What became of a run: how it ended, and for each workload whether its trials can be trusted.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use record::{EndReason, ExitCode, RunRequest, Side, file::FILE_NAME};
use reports::{
    figures::RunFigures,
    summary::{CellSummary, TrialSummary, summarise_figures},
    validity::{Reason, Validity},
};

use crate::{BenchError, measurement::side_folder};

/// How a run ended, and what it measured.
#[derive(Debug)]
pub struct RunOutcome {
    /// How it ended, or what kept it from going on.
    pub ended: Result<EndReason, BenchError>,
    /// Each workload of each record that it left, in the order of the suite; empty where it left none that can be read.
    pub workloads: Vec<WorkloadOutcome>,
}

/// A workload of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadOutcome {
    /// The side, where two were measured in turns.
    pub side: Option<Side>,
    pub workload: String,
    /// Whether any trial of it was measured.
    pub is_measured: bool,
    /// Its trials that are invalid, and so was their repetition, each with its reasons.
    pub invalid: Vec<String>,
}

impl RunOutcome {
    /// The outcome of a run that left no record.
    pub(crate) fn failed(error: BenchError) -> Self {
        Self { ended: Err(error), workloads: Vec::new() }
    }

    /// Reads the records back, so that what is judged is what is on the disk.
    pub(crate) fn read(request: &RunRequest, ended: Result<EndReason, BenchError>) -> Self {
        let read = folders(request).into_iter().map(|(side, folder)| workloads_of(side, &folder)).collect::<Option<Vec<_>>>();
        Self { ended, workloads: read.unwrap_or_default().concat() }
    }

    /// The exit code of the run: a trial that cannot be trusted matters where nothing worse happened.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match &self.ended {
            Err(error) => error.exit_code(),
            Ok(EndReason::Interrupted) => ExitCode::Interrupted,
            Ok(_) if self.workloads.iter().any(|workload| !workload.invalid.is_empty()) => ExitCode::Invalid,
            Ok(_) => ExitCode::Success,
        }
    }
}

impl WorkloadOutcome {
    /// The workload, with its side where there are two: `candidate: chat`.
    #[must_use]
    pub fn name(&self) -> String {
        self.side.map_or_else(|| self.workload.clone(), |side| format!("{side}: {}", self.workload))
    }
}

/// The folders in which records are written: one, or one for each side.
pub(crate) fn folders(request: &RunRequest) -> Vec<(Option<Side>, PathBuf)> {
    if request.against.is_none() {
        return vec![(None, request.out_dir.clone())];
    }
    Side::ALL.iter().map(|&side| (Some(side), side_folder(&request.out_dir, side))).collect()
}

fn workloads_of(side: Option<Side>, folder: &Path) -> Option<Vec<WorkloadOutcome>> {
    let run = RunFigures::read(&fs::read(folder.join(FILE_NAME)).ok()?).ok()?;
    let mut invalid: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cell in summarise_figures(&run).cells.iter().filter(|cell| !cell.trials.is_empty()) {
        let lines = cell.last_attempts().filter(|trial| trial.validity == Validity::Invalid).map(|trial| in_words(cell, trial));
        invalid.entry(cell.cell.workload.clone()).or_default().extend(lines);
    }
    let planned = run.header.workload_hashes.into_keys();
    Some(
        planned
            .map(|workload| {
                let measured = invalid.remove(&workload);
                WorkloadOutcome { side, workload, is_measured: measured.is_some(), invalid: measured.unwrap_or_default() }
            })
            .collect(),
    )
}

fn in_words(cell: &CellSummary, trial: &TrialSummary) -> String {
    let reasons: Vec<_> =
        trial.judgement.reasons.iter().filter(|reason| reason.validity == Validity::Invalid).map(reason_in_words).collect();
    let again = if trial.attempt > 0 { ", made again" } else { "" };
    format!("{} trial {}{again}: {}", cell.cell.name(), trial.trial, reasons.join("; "))
}

fn reason_in_words(reason: &Reason) -> String {
    reason.quote.as_ref().map_or_else(|| reason.text.clone(), |quote| format!("{}: {quote}", reason.text))
}
