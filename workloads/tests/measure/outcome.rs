//! What a run's record says of each workload, as tests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use libtest_mimic::{Failed, Trial};
use record::{RunRequest, Side, file::FILE_NAME};
use reports::{
    figures::RunFigures,
    summary::{CellSummary, TrialSummary, summarise_figures},
    validity::{Reason, Validity},
};

use crate::measuring::side_folder;

/// The folders in which records are written, by what their tests' names begin with: one, or one for each side.
pub(crate) fn folders(request: &RunRequest) -> BTreeMap<String, PathBuf> {
    if request.against.is_none() {
        return [(String::new(), request.out_dir.clone())].into();
    }
    Side::ALL.iter().map(|&side| (format!("{side}: "), side_folder(&request.out_dir, side))).collect()
}

/// One test per workload in each record, in its order: it fails where a trial is invalid, and so was its repetition. Reads the files back,
/// so that what is judged is what is on the disk.
pub(crate) fn tests(request: &RunRequest) -> anyhow::Result<Vec<Trial>> {
    let mut all = Vec::new();
    for (prefix, folder) in folders(request) {
        all.extend(of_record(&prefix, &folder)?);
    }
    Ok(all)
}

fn of_record(prefix: &str, folder: &Path) -> anyhow::Result<Vec<Trial>> {
    let run = RunFigures::read(&fs::read(folder.join(FILE_NAME))?)?;
    let mut invalid: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut measured: BTreeMap<String, usize> = BTreeMap::new();
    for cell in summarise_figures(&run).cells {
        *measured.entry(cell.cell.workload.clone()).or_default() += cell.trials.len();
        let lines = cell.last_attempts().filter(|trial| trial.validity == Validity::Invalid).map(|trial| in_words(&cell, trial));
        invalid.entry(cell.cell.workload.clone()).or_default().extend(lines);
    }
    let planned = run.header.workload_hashes.keys();
    Ok(planned
        .map(|workload| {
            let reasons = invalid.remove(workload).unwrap_or_default();
            let none = !measured.contains_key(workload);
            let test = move || if reasons.is_empty() { Ok(()) } else { Err(Failed::from(reasons.join("\n"))) };
            Trial::test(format!("{prefix}{workload}"), test).with_ignored_flag(none)
        })
        .collect())
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
