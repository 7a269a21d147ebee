//! What a run's record says of each workload, as tests.

use std::{collections::BTreeMap, fs, path::Path};

use libtest_mimic::{Failed, Trial};
use record::file::{FILE_NAME, decode};
use reports::{
    summary::summarise,
    validity::{Reason, Validity},
};

/// One test per workload in the record, in its order: it fails where a trial is invalid. Reads the file back, so that what is judged is
/// what is on the disk.
pub(crate) fn tests(out_dir: &Path) -> anyhow::Result<Vec<Trial>> {
    let record = decode(&fs::read(out_dir.join(FILE_NAME))?)?;
    let mut invalid: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut measured: BTreeMap<String, usize> = BTreeMap::new();
    for cell in summarise(&record).cells {
        for trial in cell.trials {
            *measured.entry(cell.cell.workload.clone()).or_default() += 1;
            if trial.validity == Validity::Invalid {
                let reasons: Vec<_> =
                    trial.judgement.reasons.iter().filter(|reason| reason.validity == Validity::Invalid).map(in_words).collect();
                let line = format!("{} trial {}: {}", cell.cell.name(), trial.trial, reasons.join("; "));
                invalid.entry(cell.cell.workload.clone()).or_default().push(line);
            }
        }
    }
    let planned = record.header.workload_hashes.keys();
    Ok(planned
        .map(|workload| {
            let reasons = invalid.remove(workload).unwrap_or_default();
            let none = !measured.contains_key(workload);
            Trial::test(workload.clone(), move || if reasons.is_empty() { Ok(()) } else { Err(Failed::from(reasons.join("\n"))) })
                .with_ignored_flag(none)
        })
        .collect())
}

fn in_words(reason: &Reason) -> String {
    reason.quote.as_ref().map_or_else(|| reason.text.clone(), |quote| format!("{}: {quote}", reason.text))
}
