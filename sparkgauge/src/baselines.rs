//! Accepted records: one for each machine, recipe and suite, in `reports/baselines/MACHINE/RECIPE/SUITE-vN`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use record::{Header, Profile, file};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};

use crate::{RefusedError, home, run_folder, sides, whole_file};

/// The version of the layout of `accepted.json`.
pub(crate) const ACCEPTED_SCHEMA_VERSION: u32 = 1;

/// The name of the file that says who accepted a record, and why.
pub(crate) const ACCEPTED: &str = "accepted.json";

/// The name of the file beside it that says how noisy its engine and machine are.
pub(crate) const CALIBRATION: &str = "noise.json";

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct BaselineStoreArgs {
    /// Folder of accepted baselines [default: reports/baselines in a clone, else baselines]
    #[arg(long, value_name = "DIR")]
    accepted_in: Option<PathBuf>,
}

impl BaselineStoreArgs {
    pub(crate) fn open(&self) -> BaselineStore {
        BaselineStore(self.accepted_in.clone().unwrap_or_else(home::baselines))
    }
}

/// The folder of accepted records.
#[derive(Debug, Clone)]
pub(crate) struct BaselineStore(PathBuf);

/// Who accepted a record, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acceptance {
    /// [`ACCEPTED_SCHEMA_VERSION`].
    pub(crate) schema_version: u32,
    /// The person who ran `accept`: `--who`, else git's user.name.
    pub(crate) who: String,
    /// Seconds since 1970.
    pub(crate) when_unix_s: u64,
    /// The text of `--why`.
    pub(crate) why: String,
    pub(crate) recipe: String,
    pub(crate) machine: String,
    /// Suite and version, e.g. `canonical-v1`.
    pub(crate) suite: String,
    pub(crate) profile: Profile,
    /// Boots in the record.
    pub(crate) boots: usize,
    /// The commit of the harness that measured it.
    pub(crate) harness_commit: Option<String>,
    /// Requirements that `--allow` waived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allowed: Vec<String>,
    /// The baseline before it, and the ruling on this one against it.
    pub(crate) replaces: Option<ReplacedBaseline>,
}

/// An accepted record that another took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplacedBaseline {
    /// Absent where its acceptance cannot be read; so are time and reason.
    pub(crate) who: Option<String>,
    /// Seconds since 1970.
    pub(crate) when_unix_s: Option<u64>,
    pub(crate) why: Option<String>,
    /// The commit of the harness that measured it.
    pub(crate) harness_commit: Option<String>,
    /// The ruling on the new one against it, in a line.
    pub(crate) ruling: String,
}

impl BaselineStore {
    /// The folder of the baseline that a run belongs to, whether there is one or not. Names come from records, so each is one harmless
    /// word: none leads out of the store.
    pub(crate) fn folder(&self, header: &Header) -> PathBuf {
        let name = |text: &str| if text.trim().is_empty() { "unnamed".to_owned() } else { run_folder::safe(text) };
        self.0.join(name(&header.machine.name)).join(name(&header.recipe.name)).join(name(&suite(header)))
    }

    /// The accepted record that a run belongs to, if there is one.
    pub(crate) fn find(&self, header: &Header) -> anyhow::Result<Option<PathBuf>> {
        let record = self.folder(header).join(file::FILE_NAME);
        if !record.is_file() {
            return Ok(None);
        }
        let found = sides::header(&record)?;
        let names = |header: &Header| (header.machine.name.clone(), header.recipe.name.clone(), suite(header));
        if names(&found) != names(header) {
            // Two names may become the same word.
            let (machine, recipe, _) = names(&found);
            let shown = record.display();
            return Err(RefusedError(format!(
                "{shown} is of recipe {recipe:?} on machine {machine:?}, whose names give the same folder as this run's: choose another \
                 folder with --accepted-in"
            ))
            .into());
        }
        Ok(Some(record))
    }

    /// Why there is nothing to compare with, and what to do.
    pub(crate) fn missing(&self, header: &Header) -> String {
        format!(
            "no baseline for recipe {:?} on machine {:?} ({}): `sparkgauge accept RUN --why TEXT` makes a run one, or name one with \
             --baseline",
            header.recipe.name,
            header.machine.name,
            self.folder(header).display()
        )
    }
}

/// Suite and version, as folders are called.
pub(crate) fn suite(header: &Header) -> String {
    format!("{}-v{}", header.suite, header.suite_version)
}

/// The acceptance in a baseline's folder; none if there is none that can be read.
pub(crate) fn accepted_in(folder: &Path) -> Option<Acceptance> {
    serde_json::from_str(&fs::read_to_string(folder.join(ACCEPTED)).ok()?).ok()
}

/// Writes a baseline to its folder: record, who accepted it, report. A calibration that is there already stays. It is written elsewhere and
/// moved as a whole, so that a crash leaves either the old one or the new.
pub(crate) fn write(folder: &Path, record: &[u8], accepted: &Acceptance, report: &str) -> anyhow::Result<()> {
    let fresh = whole_file::sibling(folder, ".new");
    write_all(&fresh, folder, record, accepted, report)
        .and_then(|()| exchange(&fresh, folder))
        .inspect_err(|_| drop(fs::remove_dir_all(&fresh)))
        .with_context(|| format!("cannot write the baseline {}", folder.display()))?;
    // After an exchange this is the old one. If it cannot be removed now, the next call does.
    let _ = remove(&fresh);
    Ok(())
}

fn write_all(fresh: &Path, old: &Path, record: &[u8], accepted: &Acceptance, report: &str) -> io::Result<()> {
    // A call that was killed may have left one.
    remove(fresh)?;
    fs::create_dir_all(fresh)?;
    whole_file::write_through(&fresh.join(file::FILE_NAME), record)?;
    whole_file::write_through(&fresh.join(ACCEPTED), (serde_json::to_string_pretty(accepted)? + "\n").as_bytes())?;
    whole_file::write_through(&fresh.join("report.md"), report.as_bytes())?;
    match fs::read(old.join(CALIBRATION)) {
        Ok(noise) => whole_file::write_through(&fresh.join(CALIBRATION), &noise),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Moves a folder to where another may be, which then is where this one was. Linux does that in one step on the usual file systems; on
/// the others the old one lies under the name of the new one's draft for a moment.
fn exchange(fresh: &Path, folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        return fs::rename(fresh, folder);
    }
    if renameat_with(CWD, fresh, CWD, folder, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let old = whole_file::sibling(folder, ".old");
    remove(&old)?;
    fs::rename(folder, &old)?;
    fs::rename(fresh, folder).inspect_err(|_| drop(fs::rename(&old, folder)))?;
    remove(&old)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
