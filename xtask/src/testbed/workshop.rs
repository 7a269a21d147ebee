//! Where the components are made: the programs that are run for it, their log, the download cache.

use std::{
    env,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
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

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the output of all programs goes.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Runs a program to its end with its output in the log. A failure says what failed, how it ended, its last lines and what to do.
    pub(super) fn run(&self, what: &str, command: &mut Command, advice: &str) -> anyhow::Result<()> {
        let entry = self.entry(command)?;
        command.stdin(self.lock.as_input()?).stdout(entry.log.try_clone()?);
        let status = self.start(what, command, &entry)?.wait()?;
        entry.judge(what, status, advice)
    }

    /// Runs a program whose output is the other one's input, and returns what that one prints.
    ///
    /// Only when the writer has succeeded does the reader see the end of its input; else it is killed, so that it cannot take a part
    /// for the whole.
    pub(super) fn run_into(&self, what: &str, mut writer: Command, reader: &mut Command, advice: &str) -> anyhow::Result<String> {
        let reading = self.entry(reader)?;
        reader.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut reader = ChildGuard(self.start(what, reader, &reading)?);
        let pipe = reader.0.stdin.take().context("no pipe to write into")?;
        let writing = self.entry(&writer)?;
        // The command keeps the pipe open until it is dropped.
        writer.stdin(self.lock.as_input()?).stdout(pipe);
        let status = self.start(what, &mut writer, &writing)?.wait()?;
        // The reader's end first: a writer whose reader is gone can only say that.
        if let Some(status) = reader.0.try_wait()? {
            reading.judge(what, status, advice)?;
        }
        writing.judge(what, status, advice)?;
        drop(writer);
        let mut printed = String::new();
        reader.0.stdout.take().context("no pipe to read from")?.read_to_string(&mut printed)?;
        let status = reader.0.wait()?;
        reading.judge(what, status, advice)?;
        Ok(printed)
    }

    /// A new entry of the log, for a program that is about to run.
    fn entry(&self, command: &Command) -> anyhow::Result<Entry> {
        let mut log = File::options().append(true).read(true).open(&self.log).context("cannot write the log")?;
        writeln!(log, "\n$ {command:?}")?;
        let begin = log.metadata()?.len();
        Ok(Entry { log, path: self.log.clone(), begin })
    }

    fn start(&self, what: &str, command: &mut Command, entry: &Entry) -> anyhow::Result<Child> {
        command.stderr(entry.log.try_clone()?).current_dir(&self.root);
        // Whatever these point at was not made for the Python that is run here.
        command.env_remove("PYTHONPATH").env_remove("PYTHONHOME").env_remove("VIRTUAL_ENV");
        command.spawn().with_context(|| format!("cannot {what}: cannot start {}", command.get_program().display()))
    }

    /// The uv of the PATH, else that of the tools once they are made.
    pub(super) fn uv(&self) -> Option<PathBuf> {
        self.uv_or("uv")
    }

    /// The one of that name if it can be run, else that of the tools.
    pub(super) fn uv_or(&self, on_path: &str) -> Option<PathBuf> {
        let asked =
            Command::new(on_path).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if asked.is_ok_and(|status| status.success()) {
            return Some(PathBuf::from(on_path));
        }
        Some(self.root.join("tools/bin/uv")).filter(|uv| uv.is_file())
    }

    /// A uv that writes only below the testbed's folder.
    pub(super) fn uv_command(&self, uv: &Path) -> Command {
        let mut command = Command::new(uv);
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

/// Where the log has one program's output.
struct Entry {
    log: File,
    path: PathBuf,
    begin: u64,
}

impl Entry {
    fn judge(&self, what: &str, status: ExitStatus, advice: &str) -> anyhow::Result<()> {
        if status.success() {
            return Ok(());
        }
        let mut output = Vec::new();
        let mut log = &self.log;
        log.seek(SeekFrom::Start(self.begin))?;
        log.read_to_end(&mut output)?;
        let lines = last_lines(&String::from_utf8_lossy(&output));
        bail!(
            "cannot {what} ({status}). Its last lines:\n{lines}\nWhat to do: {advice}\nAll of its output: {}",
            self.path.display()
        )
    }
}

/// Kills its child when dropped.
struct ChildGuard(Child);

impl Drop for ChildGuard {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn last_lines(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}
