//! Where the parts are made: the programs that are run for it, their log, the download cache.

use std::{
    env,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use super::{lock::Lock, stamp};

/// How much of a failed program's output is shown; the log has the rest.
const LINES_SHOWN: usize = 15;

/// Holds the lock for as long as anything is made.
pub(super) struct Workshop {
    root: PathBuf,
    log: PathBuf,
    lock: Lock,
}

impl Workshop {
    /// Starts a new log.
    pub(super) fn open(root: &Path, lock: Lock) -> anyhow::Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("cannot make {}", root.display()))?;
        let log = root.join("testbed.log");
        File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        Ok(Self { root: root.to_owned(), log, lock })
    }

    /// The testbed's folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the output of all programs goes.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Runs a program to its end with its output in the log. A failure says what failed, how it ended, its last lines and what to do.
    pub(super) fn run(&self, what: &str, command: &mut Command, advice: &str) -> anyhow::Result<()> {
        let mut log = File::options().append(true).read(true).open(&self.log).context("cannot write the log")?;
        writeln!(log, "\n$ {command:?}")?;
        let begin = log.metadata()?.len();
        command.stdin(self.lock.as_input()?).stdout(log.try_clone()?).stderr(log.try_clone()?).current_dir(&self.root);
        // Whatever these point at was not made for the Python that is run here.
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env_remove("VIRTUAL_ENV");
        let status =
            command.status().with_context(|| format!("cannot {what}: cannot start {}", command.get_program().display()))?;
        if status.success() {
            return Ok(());
        }
        let mut output = Vec::new();
        log.seek(SeekFrom::Start(begin))?;
        log.read_to_end(&mut output)?;
        let lines = last_lines(&String::from_utf8_lossy(&output));
        bail!(
            "cannot {what} ({status}). Its last lines:\n{lines}\nWhat to do: {advice}\nAll of its output: {}",
            self.log.display()
        )
    }

    /// `uv`, as the tools have it, writing only below the testbed's folder.
    pub(super) fn uv(&self) -> Command {
        let mut command = Command::new(self.root.join("tools/bin/uv"));
        // A Python that uv fetched would lie outside of the testbed.
        command.env("UV_PYTHON_DOWNLOADS", "never").env("UV_NO_PROGRESS", "1");
        if env::var_os("UV_CACHE_DIR").is_none() {
            command.env("UV_CACHE_DIR", self.download_cache());
        }
        command
    }

    /// Deletes what only a next attempt would have needed. Installed files are links to those in the cache, so they stay.
    pub(super) fn close(self) -> anyhow::Result<()> {
        stamp::clear(&self.download_cache())
    }

    fn download_cache(&self) -> PathBuf {
        self.root.join("downloads")
    }
}

fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}
