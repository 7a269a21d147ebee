//! The writer of records: each entry is on the disk before the next one is measured.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use record::{
    Entry,
    file::{FILE_NAME, encode},
};

/// A run's folder that cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The folder cannot be used.
    #[error("cannot write to the run's folder {path}: {why}; choose another with --out")]
    Folder { path: String, why: String },
    /// The folder holds a run already.
    #[error("{path} exists already: a run is never written over; choose another folder with --out")]
    Exists { path: String },
    /// An entry could not be written.
    #[error("cannot write {path}: {why}; what was written before is whole and readable: `sparkgauge report {path}`")]
    Write { path: String, why: String },
}

/// A record that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    whole_bytes: u64,
}

impl Journal {
    /// Creates the folder and the record in it. Fails before anything is booted if either cannot be written.
    pub fn create(folder: &Path) -> Result<Self, JournalError> {
        let cannot = |error: io::Error| JournalError::Folder { path: folder.display().to_string(), why: error.to_string() };
        fs::create_dir_all(folder).map_err(cannot)?;
        let path = folder.join(FILE_NAME);
        let file = match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(JournalError::Exists { path: path.display().to_string() });
            }
            Err(error) => return Err(cannot(error)),
        };
        Ok(Self { path, file, whole_bytes: 0 })
    }

    /// Where the record is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one entry and flushes it to the disk. If that fails, the file is cut back to the entries that are whole.
    pub fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let bytes = encode(entry);
        match self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.whole_bytes += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // If even this fails, the reader still finds the torn tail and leaves it out.
                let _ = self.file.set_len(self.whole_bytes);
                Err(JournalError::Write { path: self.path.display().to_string(), why: error.to_string() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use record::{End, EndReason};

    use super::*;

    #[test]
    fn existing_run_is_not_overwritten_and_bad_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path()).unwrap();
        journal.append(&Entry::End(End { reason: EndReason::Finished, engine_stop: None })).unwrap();
        let again = Journal::create(folder.path()).unwrap_err().to_string();
        assert!(again.contains("never written over"), "{again}");
        let below_a_file = Journal::create(&journal.path().join("x")).unwrap_err().to_string();
        assert!(below_a_file.starts_with("cannot write to the run's folder"), "{below_a_file}");
        assert!(record::file::decode(&fs::read(journal.path()).unwrap()).is_err(), "a record begins with its header");
    }
}
