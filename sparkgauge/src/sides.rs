//! The two sides of a comparison, as the command line names them, and what is in their records.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use record::{Header, file};
use reports::figures::RunFigures;

use crate::{UsageError, say};

/// The folder of the second look within that of the first.
pub(crate) const LOOK_2: &str = "look-2";

/// Folders of the two sides within the folder of a run that measured both.
pub(crate) const CANDIDATE: &str = "candidate";
pub(crate) const BASELINE: &str = "baseline";

/// The records of both sides of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) baseline: Vec<PathBuf>,
    pub(crate) candidate: Vec<PathBuf>,
    /// Folder that the verdict is written to.
    pub(crate) folder: PathBuf,
    /// Which look at the data this is, where the two were measured together.
    pub(crate) look_of_pair: Option<u32>,
}

impl Sides {
    /// Two sides that were measured each for itself. The verdict belongs beside the candidate's first record.
    pub(crate) fn apart(baseline: Vec<PathBuf>, candidate: Vec<PathBuf>) -> Self {
        let folder = candidate.first().and_then(|path| path.parent()).unwrap_or(Path::new("")).to_path_buf();
        Self { baseline, candidate, folder, look_of_pair: None }
    }

    /// The two sides of a folder of `bench --against`, its second look included; none if it holds no such run.
    pub(crate) fn of_pair(folder: &Path) -> Option<Self> {
        let looks = [folder.to_path_buf(), folder.join(LOOK_2)];
        let records = |side: &str| -> Vec<PathBuf> {
            let all = looks.iter().map(|look| look.join(side).join(file::FILE_NAME));
            all.take_while(|path| path.is_file()).collect()
        };
        let (mut baseline, mut candidate) = (records(BASELINE), records(CANDIDATE));
        // A second look that was cut short before both sides had begun says nothing.
        let look = baseline.len().min(candidate.len());
        baseline.truncate(look);
        candidate.truncate(look);
        (look > 0).then(|| Self {
            baseline,
            candidate,
            folder: folder.to_path_buf(),
            look_of_pair: Some(u32::try_from(look).unwrap_or(u32::MAX)),
        })
    }

    /// Reads both, each on a thread of its own: most of the time goes into unpacking.
    pub(crate) fn read(&self) -> anyhow::Result<(Vec<RunFigures>, Vec<RunFigures>)> {
        let (baseline, candidate) = std::thread::scope(|scope| {
            let baseline = scope.spawn(|| read(&self.baseline));
            let candidate = read(&self.candidate);
            (baseline.join(), candidate)
        });
        let baseline = baseline.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((baseline?, candidate?))
    }
}

/// The records of one side: a record, a run's folder, or several of them with commas between.
pub(crate) fn records(word: &Path) -> Result<Vec<PathBuf>, UsageError> {
    let parts: Vec<&Path> = match word.to_str() {
        // A name may hold a comma.
        Some(text) if !word.exists() && text.contains(',') => text.split(',').map(Path::new).collect(),
        _ => vec![word],
    };
    let records = parts.into_iter().map(record_file).collect::<Result<Vec<_>, _>>()?;
    let mut seen = BTreeSet::new();
    match records.iter().find(|path| !seen.insert(fs::canonicalize(path).unwrap_or_else(|_| (*path).clone()))) {
        Some(twice) => Err(UsageError(format!("{} is given twice on one side: a run counts once", twice.display()))),
        None => Ok(records),
    }
}

fn record_file(path: &Path) -> Result<PathBuf, UsageError> {
    if !path.is_dir() {
        return Ok(path.to_path_buf());
    }
    let record = path.join(file::FILE_NAME);
    if !record.is_file() && Sides::of_pair(path).is_some() {
        return Err(UsageError(format!(
            "{shown} holds two runs that were measured together: `sparkgauge compare {shown}` compares them; name {shown}/{CANDIDATE} \
             or {shown}/{BASELINE} to take one of them",
            shown = path.display()
        )));
    }
    Ok(record)
}

/// The header of a record.
pub(crate) fn header(path: &Path) -> Result<Header, UsageError> {
    let bytes = bytes(path)?;
    let (header, _) = file::open(&bytes).map_err(|error| unreadable(path, &error.to_string()))?;
    Ok(header)
}

/// Reads records, one after the other.
pub(crate) fn read(records: &[PathBuf]) -> Result<Vec<RunFigures>, UsageError> {
    records.iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &Path) -> Result<RunFigures, UsageError> {
    let run = RunFigures::read(&bytes(path)?).map_err(|error| unreadable(path, &error.to_string()))?;
    if let Some(tail) = &run.unreadable_tail {
        say(&format!(
            "{}: the last {} bytes cannot be read ({}); the {} trials before them can",
            path.display(),
            tail.bytes,
            tail.why,
            run.trials.len()
        ));
    }
    Ok(run)
}

/// A file that may be a record.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, UsageError> {
    fs::read(path).map_err(|error| unreadable(path, &error.to_string()))
}

fn unreadable(path: &Path, why: &str) -> UsageError {
    UsageError(format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, names: &[&str]) {
        for name in names {
            let path = folder.join(name).join(file::FILE_NAME);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
    }

    #[test]
    fn side_is_a_record_a_folder_or_several() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["a", "b", "with,comma", "pair/candidate", "pair/baseline"]);
        let at = |name: &str| folder.path().join(name);
        let of = |word: &str| records(&at(word));
        let record = |name: &str| at(name).join(file::FILE_NAME);
        assert_eq!(of("a").unwrap(), [record("a")]);
        assert_eq!(of("a/record.jsonl.gz").unwrap(), [record("a")]);
        assert_eq!(of("with,comma").unwrap(), [record("with,comma")]);
        let both = format!("{},{}", at("a").display(), record("b").display());
        assert_eq!(records(Path::new(&both)).unwrap(), [record("a"), record("b")]);
        let twice = format!("{},{}", at("a").display(), record("a").display());
        assert!(records(Path::new(&twice)).unwrap_err().0.contains("given twice"));
        let pair = of("pair").unwrap_err().0;
        assert!(pair.contains("measured together") && pair.contains("pair/candidate"), "{pair}");
        assert_eq!(of("pair/candidate").unwrap(), [record("pair/candidate")]);
        assert_eq!(of("not-there").unwrap(), [at("not-there")], "it is read later, and the message is that of the file");
    }

    #[test]
    fn pair_has_one_look_or_two() {
        let folder = tempfile::tempdir().unwrap();
        let pair = || Sides::of_pair(folder.path());
        assert_eq!(pair(), None);
        touch(folder.path(), &["candidate"]);
        assert_eq!(pair(), None);
        touch(folder.path(), &["baseline"]);
        assert_eq!(pair().unwrap().look_of_pair, Some(1));
        touch(folder.path(), &["look-2/candidate"]);
        let half = pair().unwrap();
        assert_eq!((half.look_of_pair, half.candidate.len(), half.baseline.len()), (Some(1), 1, 1));
        touch(folder.path(), &["look-2/baseline"]);
        let two = pair().unwrap();
        assert_eq!((two.look_of_pair, two.candidate.len()), (Some(2), 2));
        assert!(two.baseline[1].ends_with("look-2/baseline/record.jsonl.gz"));
        assert_eq!(two.folder, folder.path());
    }
}
