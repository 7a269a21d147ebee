//! One preparation at a time.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;

use crate::say;

/// Held until this value is dropped and every program that was given it as its input has ended.
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock that stands beside the testbed's folder, and waits for it if need be.
    pub(super) fn take(root: &Path) -> anyhow::Result<Self> {
        let path = root.with_extension("lock");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        loop {
            let file = File::options()
                .create(true)
                .read(true)
                .append(true)
                .open(&path)
                .with_context(|| format!("cannot open {}", path.display()))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    say("testbed: waiting for another preparation, or for an installer that an interrupted one left running ...");
                    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
                }
                Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("cannot lock {}", path.display())),
            }
            // The holder may have deleted the file while this waited; then the lock is on a file that nobody else sees.
            let locked = file.metadata()?.ino();
            if fs::metadata(&path).is_ok_and(|now| now.ino() == locked) {
                return Ok(Self { file, path });
            }
        }
    }

    /// An empty input for a program. The program thereby shares the lock: if this process is killed and the installer is not, the next
    /// preparation waits instead of deleting the folder that the installer still writes to.
    pub(super) fn as_input(&self) -> anyhow::Result<Stdio> {
        Ok(self.file.try_clone().context("cannot share the lock")?.into())
    }

    /// Gives the lock back and leaves no file.
    pub(super) fn delete(self) -> anyhow::Result<()> {
        fs::remove_file(&self.path).with_context(|| format!("cannot delete {}", self.path.display()))
    }
}
