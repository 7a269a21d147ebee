//! The program under test, and what it leaves.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use record::{Record, file};

pub(crate) struct ProgramOutput {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for ProgramOutput {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// The repository's folder, whose recipes those of the testbed are.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A call of the program that is yet to be made.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sparkgauge"));
    command.args(arguments).current_dir(repository()).stdin(Stdio::null());
    command
}

pub(crate) fn sparkgauge(arguments: &[&str]) -> ProgramOutput {
    command(arguments).output().unwrap().into()
}

/// Checks that a call ends with a code, and that it says each of these things.
#[track_caller]
pub(crate) fn check(done: &ProgramOutput, code: i32, says: &[&str]) {
    assert_eq!(done.code, code, "stderr: {}", done.stderr);
    for part in says {
        assert!(done.stderr.contains(part), "`{part}` is not in: {}", done.stderr);
    }
}

/// Reads the record that a run left.
pub(crate) fn record_in(folder: &Path) -> Record {
    file::decode(&std::fs::read(folder.join(file::FILE_NAME)).unwrap()).unwrap()
}

/// The words that start the simulated Spark as a server.
pub(crate) const SIMULATED_SERVER: [&str; 3] = [env!("CARGO_BIN_EXE_sparkgauge"), "sim", "serve"];

/// A recipe that runs `command`, written to a folder; gives its path.
pub(crate) fn recipe(folder: &Path, command: &[&str], more: &str) -> String {
    let path = folder.join("scripted.toml");
    let words: Vec<_> = command.iter().map(|word| format!("'''{word}'''")).collect();
    let text = format!(
        "name = \"scripted\"\nengine = \"other\"\ndialect = \"simulated\"\n[model]\nid = \"simulated-gpt-oss-120b\"\nmax_context = 8192\n\
         [process]\ncommand = [{}]\nstop_grace_s = 5\n{more}\n",
        words.join(", ")
    );
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

/// Checks that no process is left whose command line holds a word. One that was just killed may need a moment.
#[track_caller]
pub(crate) fn check_gone(word: &str) {
    let gone = (0..200).any(|_| {
        let gone = alive(word) == 0;
        if !gone {
            std::thread::sleep(Duration::from_millis(10));
        }
        gone
    });
    assert!(gone, "a process with `{word}` is left");
}

fn alive(word: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let own = std::process::id().to_string();
    processes
        .filter(|entry| entry.file_name().to_string_lossy() != own)
        .filter(|entry| std::fs::read_to_string(entry.path().join("cmdline")).is_ok_and(|line| line.contains(word)))
        .count()
}

/// Waits until the record of a run that is under way holds a trial.
///
/// Ten minutes at most: with `--wait` it may stand behind the runs of other tests, and vLLM's nine workloads take minutes.
pub(crate) fn wait_for_a_trial(run: &mut Child, out: &Path) {
    let has_one = |bytes: Vec<u8>| file::decode(&bytes).is_ok_and(|so_far| !so_far.trials.is_empty());
    let there = (0..30_000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let ended = run.try_wait().unwrap();
        let there = std::fs::read(out.join("record.jsonl.gz")).is_ok_and(has_one);
        assert!(there || ended.is_none(), "it ended before its first trial: {}", ended.unwrap());
        there
    });
    assert!(there, "no trial within ten minutes");
}
