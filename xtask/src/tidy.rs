//! `tidy`: what the source tree promises about itself, checked.

mod words;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{say, workspace};

/// Lines that a source file may have; past this it is two things under one name.
const LINES_MAX: usize = 500;
/// What a committed run may weigh.
const RUN_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Where images keep models and what they compile: in a container that is nobody's home.
const IMAGE_CACHES: [&str; 2] = ["/ro\u{6f}t/.cache/huggingface", "/ro\u{6f}t/.ollama"];

/// Checks the tree and prints every complaint.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = workspace();
    let files = tracked_files(&root)?;
    let mut complaints = Vec::new();
    for file in &files {
        complaints.extend(check_file(&root, file));
    }
    complaints.extend(check_documents(&root));
    let findings = word_findings(&root, &files);
    complaints.extend(words::complaints(&findings));
    say(&format!("words: {}", words::summary(&findings)));
    for complaint in &complaints {
        say(complaint);
    }
    if !complaints.is_empty() {
        bail!("{} complaints about the tree", complaints.len());
    }
    Ok(())
}

/// What git tracks or would track; outside a checkout there is nothing to check.
fn tracked_files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(PathBuf::from).filter(|file| root.join(file).is_file()).collect())
}

fn check_file(root: &Path, file: &Path) -> Vec<String> {
    let shown = file.display();
    let mut complaints = Vec::new();
    let Ok(bytes) = fs::read(root.join(file)) else { return vec![format!("{shown}: cannot be read")] };
    if bytes.len() as u64 > RUN_BYTES_MAX {
        complaints.push(format!("{shown}: {} bytes; a committed file has at most {RUN_BYTES_MAX}", bytes.len()));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else { return complaints };
    if file.extension().is_some_and(|extension| extension == "rs") {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            complaints.push(format!("{shown}: {lines} lines; past {LINES_MAX} a file is two things under one name"));
        }
        if file.ends_with("mod.rs") {
            complaints.push(format!("{shown}: modules are `foo.rs` beside `foo/`"));
        }
    }
    // A path of somebody's machine helps nobody else, and says who they are.
    let text = IMAGE_CACHES.iter().fold(text.to_owned(), |text, cache| text.replace(cache, ""));
    for home in ["/ho\u{6d}e/", "/ro\u{6f}t/", "/User\u{73}/"] {
        if text.contains(home) {
            complaints.push(format!("{shown}: names a path below {home}"));
        }
    }
    if text.lines().any(|line| line.ends_with([' ', '\t']))
        && !file.extension().is_some_and(|kind| kind == "snap" || kind == "sse")
        // What was recorded, or made up by a fuzzer, stays as it came.
        && !file.starts_with("fixtures/recorded")
        && !file.starts_with("fuzz/corpus")
    {
        complaints.push(format!("{shown}: has spaces at the end of a line"));
    }
    complaints
}

/// What the names and doc comments of all Rust sources break.
fn word_findings(root: &Path, files: &[PathBuf]) -> Vec<words::Finding> {
    let sources = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    // A file that cannot be read has its complaint.
    let read = |file: &PathBuf| Some((file.to_string_lossy().into_owned(), fs::read_to_string(root.join(file)).ok()?));
    sources.filter_map(read).flat_map(|(file, text)| words::findings(&file, &text)).collect()
}

/// A workload that the documents do not name, or an exit code that they do not explain, is not finished.
fn check_documents(root: &Path) -> Vec<String> {
    let readme = fs::read_to_string(root.join("README.md")).unwrap_or_default();
    let exit_codes = fs::read_to_string(root.join("docs/ci.md")).unwrap_or_default();
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    let mut complaints = Vec::new();
    for spec in workloads::ALL {
        if !readme.contains(&format!("`{}`", spec.name)) {
            complaints.push(format!("README.md: does not name the workload `{}`", spec.name));
        }
        if !root.join(format!("workloads/src/{}.rs", spec.name.replace('-', "_"))).is_file() {
            complaints.push(format!("workloads/src: no module for the workload `{}`", spec.name));
        }
    }
    for code in ["| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 6 |", "| 130 |"] {
        if !exit_codes.contains(code) {
            complaints.push(format!("docs/ci.md: does not explain exit code {code}"));
        }
    }
    let folders =
        ["record/", "workloads/", "harness/", "twin/", "fixtures/", "reports/", "bench/", "sparkgauge/", "xtask/", "recipes/"];
    for folder in folders {
        if !architecture.contains(&format!("`{folder}`")) {
            complaints.push(format!("ARCHITECTURE.md: its code map does not name `{folder}`"));
        }
    }
    complaints
}
