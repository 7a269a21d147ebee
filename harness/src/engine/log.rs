//! An engine's log: a file in the run's folder, from which secrets are taken out.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::backends::backends;
use crate::secrets::Secrets;

/// Lines that an error message quotes.
pub(super) const TAIL_LINES: usize = 12;
/// Bytes from the file's end in which they are looked for.
const TAIL_BYTES: u64 = 16 * 1024;
/// Bytes from the file's beginning that tell of the boot.
const BOOT_BYTES: u64 = 8 << 20;

/// An engine's log file, and the secrets that must not stay in it.
#[derive(Clone)]
pub struct EngineLog {
    path: PathBuf,
    secrets: Secrets,
}

impl std::fmt::Debug for EngineLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineLog").field("path", &self.path).finish_non_exhaustive()
    }
}

impl EngineLog {
    /// A log at `path`. `secrets` are values, e.g. of `HF_TOKEN`; short ones are ignored, since they would redact half the text.
    #[must_use]
    pub fn new(path: PathBuf, secrets: Vec<String>) -> Self {
        Self { path, secrets: Secrets::new(secrets) }
    }

    /// Creates the file, for the engine to write to.
    pub fn create(&self) -> io::Result<File> {
        File::create(&self.path)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last lines, redacted; empty if there are none.
    #[must_use]
    pub fn tail(&self) -> String {
        let Ok(text) = self.read_end() else { return String::new() };
        let lines: Vec<_> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        self.redact(&lines[from..].join("\n"))
    }

    /// The lines that say which kernels and backends the engine chose, by the words that mark them, redacted.
    #[must_use]
    pub fn backends(&self, words: &[&str]) -> Vec<String> {
        let Ok(file) = File::open(&self.path) else { return Vec::new() };
        let mut bytes = Vec::new();
        // A log that breaks off in the middle still told what came before.
        let _ = file.take(BOOT_BYTES).read_to_end(&mut bytes);
        backends(&self.redact(&String::from_utf8_lossy(&bytes)), words)
    }

    /// Rewrites the file without the secrets, once the engine no longer writes to it.
    pub fn redact_file(&self) -> io::Result<()> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&fs::read(&self.path)?).into_owned();
        fs::write(&self.path, self.redact(&text))
    }

    /// A text without the secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// The longest secret, in bytes; 0 if there is none.
    #[must_use]
    pub fn longest_secret(&self) -> usize {
        self.secrets.longest()
    }

    fn read_end(&self) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        let from = file.metadata()?.len().saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_tail_and_file_are_redacted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.log");
        let text = format!("{}token is hf_abcdefgh123, says the engine\n", "a line\n".repeat(40));
        fs::write(&path, text).unwrap();
        let log = EngineLog::new(path.clone(), vec!["hf_abcdefgh123".to_owned(), "x".to_owned()]);
        let tail = log.tail();
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("token is [redacted], says the engine"), "{tail}");
        log.redact_file().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("a line\n") && !text.contains("hf_abcdefgh123"));
        assert!(!format!("{log:?}").contains("hf_abcdefgh123"));
    }

    #[test]
    fn overlapping_and_multiline_secrets_are_redacted_whole() {
        let secrets = ["abcdefgh", "abcdefgh-and-more", "first-line-of-it\nsecond-line-of-it"].map(str::to_owned);
        let log = EngineLog::new(PathBuf::new(), secrets.to_vec());
        assert_eq!(log.redact("abcdefgh-and-more abcdefgh first-line-of-it"), "[redacted] [redacted] [redacted]");
        assert_eq!(log.longest_secret(), 17);
    }

    #[test]
    fn backend_lines_of_log_are_redacted() {
        let folder = tempfile::tempdir().unwrap();
        let log = EngineLog::new(folder.path().join("engine.log"), vec!["hunter2-hunter2".to_owned()]);
        assert_eq!(log.backends(&["backend"]), [""; 0]);
        fs::write(log.path(), "x\nbackend hunter2-hunter2\n").unwrap();
        assert_eq!(log.backends(&["backend"]), ["backend [redacted]"]);
    }
}
