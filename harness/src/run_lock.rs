//! One run per machine at a time: two would measure each other.
//!
//! The lock is the kernel's, on an open file (flock(2)), so a crash gives it back. The file's contents only tell who holds it,
//! and which engine a holder that crashed left behind. The file is never deleted: two could then hold locks on two files of one name.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use record::ExitCode;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

/// Where it is. Any user may take it.
pub const PATH: &str = "/tmp/sparkgauge.lock";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    pub pid: u32,
    pub command: String,
    /// Where its record goes.
    pub run_folder: String,
}

/// A process engine that a holder left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanedEngine {
    /// Its process group, which is also its leader's process id.
    pub group: u32,
    /// When its leader began, in clock ticks since the machine started.
    pub start_ticks: u64,
}

/// The file's contents. Anyone may write there, so nothing in it is trusted: it is shown, or checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LockNote {
    holder: LockHolder,
    #[serde(default)]
    engine: Option<OrphanedEngine>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunLockError {
    /// Another run holds it.
    #[error("another run measures on this machine: {holder}; two would measure each other, so wait for it (--wait), or stop it")]
    Held { holder: String },
    /// The file cannot be used.
    #[error("the lock file {path}: {error}; it must be a plain file that everyone may write (mode 666)")]
    Unusable { path: PathBuf, error: io::Error },
}

impl RunLockError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::Engine
    }
}

/// The right to measure on this machine, until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    // Behind a lock only since its position moves with every write.
    file: Mutex<File>,
    holder: LockHolder,
    orphan: Option<OrphanedEngine>,
}

impl RunLock {
    /// Takes the lock on the file at `path`, which is [`PATH`] but in tests.
    pub fn take(path: &Path, holder: LockHolder) -> Result<Self, RunLockError> {
        let unusable = |error| RunLockError::Unusable { path: path.to_owned(), error };
        let mut file = open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RunLockError::Held { holder: describe_note(read(&mut file)) }),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        // Whoever releases the lock empties the file; who left something there crashed.
        let orphan = read(&mut file).and_then(|note| note.engine);
        let lock = Self { file: Mutex::new(file), holder, orphan };
        // The orphan stays noted until it is dealt with: we may crash before that.
        lock.write(orphan).map_err(unusable)?;
        Ok(lock)
    }

    /// The engine that a holder before us left behind, if it crashed. It may have ended since.
    #[must_use]
    pub fn orphaned_engine(&self) -> Option<OrphanedEngine> {
        self.orphan
    }

    /// Notes that this engine now runs, as a process group and the start time of its leader.
    pub fn note_engine(&self, group: u32, start_ticks: u64) -> io::Result<()> {
        self.write(Some(OrphanedEngine { group, start_ticks }))
    }

    /// Notes that none runs any more.
    pub fn forget_engine(&self) -> io::Result<()> {
        self.write(None)
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, engine: Option<OrphanedEngine>) -> io::Result<()> {
        let text = serde_json::to_string(&LockNote { holder: self.holder.clone(), engine })?;
        let mut file = self.file();
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // A file that cannot be emptied names a holder whose engine is gone, which is seen when it is looked for.
        let _ = self.file().set_len(0);
    }
}

/// Opens the file, and makes it where it is not there. Not both in one call: in a folder like /tmp the kernel refuses to "create" a file
/// that is there and another's (`fs.protected_regular`, `proc_sys_fs(5)`). A link is not followed: it would be another's choice what
/// we write to.
fn open(path: &Path) -> io::Result<File> {
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(no_follow);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match options.create_new(true).open(path) {
            Ok(file) => {
                // The umask took the others' right to write away.
                file.set_permissions(Permissions::from_mode(0o666))?;
                file
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.create_new(false).open(path)?,
            Err(error) => return Err(error),
        },
        opened => opened?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    Ok(file)
}

/// The file's contents, if they can be parsed.
fn read(file: &mut File) -> Option<LockNote> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(1 << 16).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn describe_note(note: Option<LockNote>) -> String {
    let Some(LockNote { holder, .. }) = note else { return "its holder is unknown".to_owned() };
    let plain = |text: &str| text.chars().filter(|one| !one.is_control()).take(300).collect::<String>();
    format!("pid {}, `{}`, into {}", holder.pid, plain(&holder.command), plain(&holder.run_folder))
}

/// The run that holds the lock now, in words; none if it is free. Does not take the lock.
#[must_use]
pub fn describe_holder(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(describe_note(read(&mut file))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(command: &str) -> LockHolder {
        LockHolder { pid: 123, command: command.to_owned(), run_folder: "runs/x".to_owned() }
    }

    #[test]
    fn second_run_is_refused_and_names_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = RunLock::take(&path, holder("cargo xtask bench")).unwrap();
        assert_eq!(first.orphaned_engine(), None);
        let refused = RunLock::take(&path, holder("another")).unwrap_err();
        insta::assert_snapshot!(refused, @"another run measures on this machine: pid 123, `cargo xtask bench`, into runs/x; two would measure each other, so wait for it (--wait), or stop it");
        assert_eq!(describe_holder(&path).as_deref(), Some("pid 123, `cargo xtask bench`, into runs/x"));
        drop(first);
        assert_eq!(describe_holder(&path), None);
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
        assert_eq!(RunLock::take(&path, holder("another")).unwrap().orphaned_engine(), None);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    }

    #[test]
    fn crash_leaves_engine_note_and_release_removes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let engine = OrphanedEngine { group: 42, start_ticks: 777 };
        // What a crash leaves: the file as it is, the lock given back by the kernel.
        let lock = RunLock::take(&path, holder("first")).unwrap();
        lock.note_engine(41, 1).unwrap();
        lock.note_engine(engine.group, engine.start_ticks).unwrap();
        let crashed = fs::read(&path).unwrap();
        drop(lock);
        fs::write(&path, crashed).unwrap();
        let next = RunLock::take(&path, holder("a second one with a longer command")).unwrap();
        assert_eq!(next.orphaned_engine(), Some(engine));
        // Crashed again before it was dealt with.
        let crashed = fs::read(&path).unwrap();
        drop(next);
        fs::write(&path, crashed).unwrap();
        let third = RunLock::take(&path, holder("third")).unwrap();
        assert_eq!(third.orphaned_engine(), Some(engine));
        third.forget_engine().unwrap();
        fs::copy(&path, folder.path().join("copy")).unwrap();
        drop(third);
        fs::copy(folder.path().join("copy"), &path).unwrap();
        assert_eq!(RunLock::take(&path, holder("fourth")).unwrap().orphaned_engine(), None);
    }

    #[test]
    fn lock_path_that_is_no_file_is_refused_and_garbage_content_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("garbage"), [0xff, b'{', 0]).unwrap();
        let lock = RunLock::take(&path("garbage"), holder("x")).unwrap();
        assert_eq!(lock.orphaned_engine(), None);
        fs::write(path("garbage"), "{").unwrap();
        let refused = RunLock::take(&path("garbage"), holder("y")).unwrap_err().to_string();
        assert!(refused.contains("its holder is unknown"), "{refused}");
        std::os::unix::fs::symlink(path("elsewhere"), path("link")).unwrap();
        for not_a_file in [path("link"), folder.path().to_owned(), path("no/such/folder")] {
            let refused = RunLock::take(&not_a_file, holder("z")).unwrap_err().to_string();
            assert!(refused.starts_with(&format!("the lock file {}: ", not_a_file.display())), "{refused}");
        }
        assert!(!path("elsewhere").exists());
    }
}
