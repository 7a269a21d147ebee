//! What tests begin with: the tree's recipes, and a record that is a committed one, made into what a baseline is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use record::{Boot, Entry, Profile, Record, Trial, file};

use crate::recipe_store::RecipeStore;

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn recipes() -> RecipeStore {
    RecipeStore::of(repository().join("recipes"))
}

/// A finished standard run of five boots with a trial of each cell in each.
pub(crate) fn record() -> Record {
    let path = "reports/runs/2026-11-20-xeon-testbed-llamacpp-smoke/record.jsonl.gz";
    let smoke = file::decode(&fs::read(repository().join(path)).unwrap()).unwrap();
    let mut record = Record { boots: Vec::new(), trials: Vec::new(), ..smoke.clone() };
    record.header.profile = Profile::Standard;
    (record.header.boots, record.header.trials_per_boot) = (5, 1);
    let first_of_cells: Vec<&Trial> =
        smoke.trials.iter().filter(|trial| trial.trial == 0 && trial.cell.workload == "chat").collect();
    for boot in 0..5 {
        record.boots.push(Boot { boot, ..smoke.boots[0].clone() });
        for trial in &first_of_cells {
            let mut trial = Trial { boot, trial: boot, plan_digest: format!("{boot}"), ..(*trial).clone() };
            trial.cell.comparable = true;
            record.trials.push(trial);
        }
    }
    record
}

pub(crate) fn bytes(record: &Record) -> Vec<u8> {
    let header = Entry::Header(Box::new(record.header.clone()));
    let boots = record.boots.iter().map(|boot| Entry::Boot(Box::new(boot.clone())));
    let trials = record.trials.iter().map(|trial| Entry::Trial(Box::new(trial.clone())));
    let end = record.end.clone().map(Entry::End);
    let entries = [header].into_iter().chain(boots).chain(trials).chain(end);
    entries.flat_map(|entry| file::encode(&entry)).collect()
}
