//! A container's log, line by line into the run's folder. Secrets are taken out before a line reaches the disk.

use std::{
    collections::VecDeque,
    fs::File,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::StreamExt;
use testcontainers::bollard::{Docker, container::LogOutput, query_parameters::LogsOptionsBuilder};

use crate::engine::log::{EngineLog, TAIL_LINES};

/// Longest line that is kept, in bytes; the rest of it is left out.
const LINE_MAX: usize = 64 * 1024;
/// An incomplete character becomes a longer one that stands for it.
const LOSSY: usize = 4;

/// Cuts bytes into lines, whatever pieces they come in. A carriage return ends a line too: progress bars are made of them.
#[derive(Debug)]
struct Lines {
    held: Vec<u8>,
    held_max: usize,
    skipping: bool,
    after_return: bool,
}

impl Lines {
    fn new(held_max: usize) -> Self {
        Self { held: Vec::new(), held_max, skipping: false, after_return: false }
    }

    /// Hands each line that is now complete to `emit`, and whether it was longer than what is held.
    fn push(&mut self, bytes: &[u8], mut emit: impl FnMut(&[u8], bool)) {
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                let is_rest = self.held.is_empty() && (self.after_return || byte == b'\r');
                if !self.skipping && !is_rest {
                    emit(&self.held, false);
                }
                self.held.clear();
                self.skipping = false;
                self.after_return = byte == b'\r';
            } else if !self.skipping {
                self.after_return = false;
                self.held.push(byte);
                if self.held.len() >= self.held_max {
                    emit(&self.held, true);
                    self.held.clear();
                    self.skipping = true;
                }
            }
        }
    }

    /// The last line may have no end.
    fn finish(&mut self, mut emit: impl FnMut(&[u8], bool)) {
        if !self.held.is_empty() {
            emit(&self.held, false);
            self.held.clear();
        }
    }
}

/// The state of a log that can be read while it is written.
#[derive(Debug, Clone, Default)]
pub(super) struct LogState(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    tail: VecDeque<String>,
    trouble: Option<String>,
}

impl LogState {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last lines, which are known even where nothing can be written.
    pub(super) fn tail(&self) -> String {
        self.state().tail.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Why the log's file is not whole, if it is not.
    pub(super) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Only the first trouble is kept: others follow from it.
    pub(super) fn set_trouble(&self, why: String) {
        self.state().trouble.get_or_insert(why);
    }
}

pub(super) struct LogSink {
    log: EngineLog,
    file: Option<File>,
    state: LogState,
}

impl LogSink {
    /// A sink into the log's file. A disk that is full does not end a run: what it could not take is told at the end.
    pub(super) fn create(log: EngineLog) -> Self {
        let state = LogState::default();
        let file = match log.create() {
            Ok(file) => Some(file),
            Err(error) => {
                state.set_trouble(format!("its log could not be made: {error}"));
                None
            }
        };
        Self { log, file, state }
    }

    /// The shared state of this log.
    pub(super) fn state(&self) -> LogState {
        self.state.clone()
    }

    fn lines(&self) -> Lines {
        // A secret that begins within the kept part must be held whole to be recognised.
        Lines::new(LINE_MAX + self.log.longest_secret() + LOSSY)
    }

    fn take(&mut self, line: &[u8], is_cut: bool) {
        let mut line = self.log.redact(&String::from_utf8_lossy(line));
        if is_cut {
            // What may be the beginning of a secret goes with the end.
            let kept = line.len().saturating_sub(self.log.longest_secret() + LOSSY).min(LINE_MAX);
            line.truncate(line.floor_char_boundary(kept));
            line.push_str(" [the rest of this line is left out]");
        }
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(format!("{line}\n").as_bytes())
        {
            self.state.set_trouble(format!("its log is not whole: {error}"));
            self.file = None;
        }
        let tail = &mut self.state.state().tail;
        tail.push_back(line);
        if tail.len() > TAIL_LINES {
            tail.pop_front();
        }
    }

    /// Follows a container's log to its end.
    pub(super) async fn follow(mut self, docker: Docker, id: String) {
        let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).tail("all").build();
        let mut pieces = docker.logs(&id, Some(options));
        let (mut out, mut err) = (self.lines(), self.lines());
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => {
                    let lines = if matches!(piece, LogOutput::StdErr { .. }) { &mut err } else { &mut out };
                    lines.push(piece.as_ref(), |line, is_cut| self.take(line, is_cut));
                }
                Err(error) => {
                    self.state.set_trouble(format!("its log could not be followed: {error}"));
                    break;
                }
            }
        }
        for lines in [&mut out, &mut err] {
            lines.finish(|line, is_cut| self.take(line, is_cut));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "hunter2-hunter2";

    fn written(path: &Path, pieces: &[&[u8]]) -> (String, LogState) {
        let mut sink = LogSink::create(EngineLog::new(path.to_owned(), vec![SECRET.to_owned()]));
        let mut lines = sink.lines();
        for piece in pieces {
            lines.push(piece, |line, is_cut| sink.take(line, is_cut));
        }
        lines.finish(|line, is_cut| sink.take(line, is_cut));
        (std::fs::read_to_string(path).unwrap(), sink.state())
    }

    #[test]
    fn secret_split_over_reads_is_redacted_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let (text, state) =
            written(&folder.path().join("log"), &[b"token hunter2-", b"hunter2 is bad\r\n\r\n50%\r100%\rlast \xff"]);
        assert_eq!(text, "token [redacted] is bad\n50%\n100%\nlast \u{fffd}\n");
        assert_eq!(state.tail(), text.trim_end());
        assert_eq!(state.trouble(), None);
    }

    #[test]
    fn overlong_line_is_cut_without_leaving_part_of_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        for offset in 0..2 * SECRET.len() {
            // With many secrets before the cut, the text that is kept is shorter than what came in.
            let line = format!(
                "{}{}{}{}\nnext\n",
                SECRET.repeat(100),
                "x".repeat(LINE_MAX - 1500 - SECRET.len() + offset),
                SECRET,
                "y".repeat(100)
            );
            let (text, _) = written(&folder.path().join("log"), &[line.as_bytes()]);
            let (first, rest) = text.split_once('\n').unwrap();
            assert_eq!(rest, "next\n");
            assert!(first.ends_with(" [the rest of this line is left out]"), "{offset}");
            assert!(first.len() < LINE_MAX + 50 && !first.contains("hunter"), "{offset}");
        }
    }

    #[test]
    fn full_disk_is_reported_and_log_tail_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut sink = LogSink::create(EngineLog::new(path, Vec::new()));
        for line in ["one", "two"] {
            sink.take(line.as_bytes(), false);
        }
        assert_eq!(sink.state().tail(), "one\ntwo");
        assert_eq!(sink.state().trouble().as_deref(), Some("its log is not whole: No space left on device (os error 28)"));
        let sink = LogSink::create(EngineLog::new(folder.path().join("no/such/folder"), Vec::new()));
        assert!(sink.state().trouble().is_some_and(|why| why.starts_with("its log could not be made")));
    }

    proptest! {
        #[test]
        fn log_lines_are_independent_of_read_boundaries(text in "[a\n\r]{0,40}", at in 0..40_usize) {
            let lines = |pieces: &[&[u8]]| {
                let (mut lines, mut seen) = (Lines::new(8), Vec::new());
                for piece in pieces {
                    lines.push(piece, |line, is_cut| seen.push((line.to_vec(), is_cut)));
                }
                lines.finish(|line, is_cut| seen.push((line.to_vec(), is_cut)));
                seen
            };
            let (before, after) = text.as_bytes().split_at(at.min(text.len()));
            prop_assert_eq!(lines(&[before, after]), lines(&[text.as_bytes()]));
            let unix = text.replace("\r\n", "\n");
            let whole: Vec<_> = unix.split('\n').collect();
            if !unix.contains('\r') {
                let short: Vec<_> = lines(&[unix.as_bytes()]).into_iter().map(|(line, _)| line.len()).collect();
                let mut expected: Vec<_> = whole.iter().map(|line| line.len().min(8)).collect();
                if expected.last() == Some(&0) { expected.pop(); }
                prop_assert_eq!(short, expected);
            }
        }
    }
}
