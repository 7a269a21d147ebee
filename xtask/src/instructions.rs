//! `instructions`: how many instructions the client's hot path takes for one event, held to what was accepted.
//!
//! A time depends on what else runs; a count does not. The program `harness/examples/hot_path.rs` runs twice under valgrind, with few
//! answers and with many, and the difference over the events between them is free of what starting costs.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use record::DialectName;
use serde::Deserialize;

use crate::{print, product, say, workspace};

/// Where the accepted counts are, seen from the workspace.
pub(crate) const FILE: &str = "harness/instructions.toml";

/// One for each way to count tokens and to frame an answer.
const DIALECTS: [DialectName; 4] = [DialectName::Openai, DialectName::Vllm, DialectName::Llamacpp, DialectName::Ollama];
/// Answers of the two runs, and the events of one.
const ANSWERS: [u64; 2] = [2, 6];
const EVENTS: u64 = 1024;
/// How much more than accepted is let pass.
const MARGIN_PERCENT: u64 = 3;

/// The accepted counts, by architecture: what one needs says nothing about another.
type AcceptedCounts = BTreeMap<String, Counts>;

/// What was accepted on one architecture.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    /// Version of the compiler that built the counted program.
    rustc: String,
    /// Instructions per event, by dialect.
    per_event: BTreeMap<String, u64>,
}

/// Counts, prints and compares.
pub(crate) fn run() -> anyhow::Result<()> {
    need_valgrind()?;
    let accepted = read()?;
    let Some(before) = accepted.get(std::env::consts::ARCH) else {
        say(&nothing_accepted());
        return Ok(());
    };
    compare(before, &count()?)
}

/// Counts, and accepts what is counted on this architecture.
pub(crate) fn accept() -> anyhow::Result<()> {
    need_valgrind()?;
    let mut accepted = read()?;
    accepted.insert(std::env::consts::ARCH.to_owned(), count()?);
    fs::write(path(), text(&accepted)).with_context(|| format!("cannot write {}", path().display()))
}

fn need_valgrind() -> anyhow::Result<()> {
    if has_valgrind() {
        return Ok(());
    }
    bail!("there is no valgrind; it counts the instructions (`apt-get install valgrind`)");
}

/// The same as a step of `ci`, which says what it left out.
pub(crate) fn check(in_ci: bool) -> anyhow::Result<Option<String>> {
    if !has_valgrind() {
        if in_ci {
            bail!("CI must count instructions, and there is no valgrind");
        }
        return Ok(Some("instruction counts: there is no valgrind".to_owned()));
    }
    let accepted = read()?;
    let Some(before) = accepted.get(std::env::consts::ARCH) else { return Ok(Some(nothing_accepted())) };
    compare(before, &count()?)?;
    Ok(None)
}

fn nothing_accepted() -> String {
    format!("instruction counts: none accepted on {}; `cargo xtask regenerate instructions` does", std::env::consts::ARCH)
}

fn has_valgrind() -> bool {
    let asked = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

fn path() -> PathBuf {
    workspace().join(FILE)
}

fn read() -> anyhow::Result<AcceptedCounts> {
    let shown = path().display().to_string();
    let text = fs::read_to_string(path()).with_context(|| format!("cannot read {shown}"))?;
    toml::from_str(&text).with_context(|| format!("cannot read {shown}"))
}

/// Renders `harness/instructions.toml`.
fn text(accepted: &AcceptedCounts) -> String {
    let head = "# Instructions that the client's hot path takes for one event, as `cargo xtask instructions` counts them.\n\
                # Do not edit: `cargo xtask regenerate instructions` writes it.\n\n";
    let mut document = toml_edit::DocumentMut::new();
    for (arch, Counts { rustc, per_event }) in accepted {
        let mut table = toml_edit::Table::new();
        table.insert("rustc", toml_edit::value(rustc));
        let counts = per_event.iter().map(|(name, &count)| (name.as_str(), i64::try_from(count).unwrap_or(i64::MAX)));
        table.insert("per_event", toml_edit::Item::Table(counts.collect()));
        document.insert(arch, toml_edit::Item::Table(table));
    }
    format!("{head}{document}")
}

fn count() -> anyhow::Result<Counts> {
    let built = product::executables(&["build", "--package", "harness", "--example", "hot_path"])?;
    let program = built.get("hot_path").context("cargo built no program `hot_path`")?;
    let mut per_event = BTreeMap::new();
    for name in DIALECTS {
        let [few, many] = ANSWERS.map(|answers| references(program, name, answers));
        per_event.insert(name.to_string(), (many? - few?) / ((ANSWERS[1] - ANSWERS[0]) * EVENTS));
    }
    Ok(Counts { rustc: rustc()?, per_event })
}

/// The instructions of one run.
fn references(program: &Path, name: DialectName, answers: u64) -> anyhow::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(program)
        .args([name.as_str(), &answers.to_string()])
        // The allocator's layout, and with it a few instructions, would depend on the environment's size.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .context("cannot run valgrind")?;
    let output_text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind on hot_path: {}: {}", output.status, output_text.trim());
    }
    refs(&output_text).with_context(|| format!("valgrind counted nothing: {}", output_text.trim()))
}

/// `==12== I   refs:      1,234,567`, or `I refs:` of newer ones.
fn refs(output_text: &str) -> Option<u64> {
    let line = output_text.lines().find(|line| line.contains("refs:"))?;
    let (_, number) = line.rsplit_once(':')?;
    number.trim().replace(',', "").parse().ok()
}

fn rustc() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("--version").current_dir(workspace()).output().context("cannot run rustc")?;
    let output_text = String::from_utf8_lossy(&output.stdout);
    output_text.split_whitespace().nth(1).map(str::to_owned).context("rustc does not say its version")
}

/// Prints every count beside the accepted one, and fails if one is more than the margin above.
fn compare(before: &Counts, now: &Counts) -> anyhow::Result<()> {
    let mut above = Vec::new();
    for (name, &count) in &now.per_event {
        let Some(&accepted) = before.per_event.get(name) else { bail!("{FILE} has no count for {name}") };
        print(&format!("{name}: {count} instructions per event, accepted {accepted}"));
        if count * 100 > accepted * (100 + MARGIN_PERCENT) {
            above.push(format!("{name} {count} for {accepted}"));
        }
    }
    if above.is_empty() {
        return Ok(());
    }
    let mut why = format!(
        "the hot path takes more than {MARGIN_PERCENT} % more instructions per event than accepted: {}",
        above.join(", ")
    );
    if before.rustc != now.rustc {
        let _ = write!(why, "; those were rustc {}'s, this is {}", before.rustc, now.rustc);
    }
    bail!("{why}; if that is meant, `cargo xtask regenerate instructions` and say why in the commit");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rustc: &str, vllm: u64) -> Counts {
        Counts { rustc: rustc.to_owned(), per_event: BTreeMap::from([("vllm".to_owned(), vllm)]) }
    }

    #[test]
    fn count_is_parsed_from_old_and_new_valgrind() {
        assert_eq!(refs("==7== Cachegrind\n==7== \n==7== I   refs:      5,391,210\n"), Some(5_391_210));
        assert_eq!(refs("==7== I refs: 12"), Some(12));
        assert_eq!(refs("==7== nothing"), None);
    }

    #[test]
    fn count_above_the_margin_fails_with_advice() {
        let before = counts("1.95.0", 1000);
        assert!(compare(&before, &counts("1.96.0", 1030)).is_ok());
        insta::assert_snapshot!(compare(&before, &counts("1.96.0", 1031)).unwrap_err(), @"the hot path takes more than 3 % more instructions per event than accepted: vllm 1031 for 1000; those were rustc 1.95.0's, this is 1.96.0; if that is meant, `cargo xtask regenerate instructions` and say why in the commit");
        assert!(compare(&counts("1.95.0", 1), &Counts { per_event: BTreeMap::from([("new".to_owned(), 1)]), ..before }).is_err());
    }

    #[test]
    fn accepted_counts_round_trip() {
        let accepted = BTreeMap::from([("aarch64".to_owned(), counts("1.95.0", 7)), ("x86_64".to_owned(), counts("1.95.0", 8))]);
        assert_eq!(toml::from_str::<AcceptedCounts>(&text(&accepted)).unwrap(), accepted);
    }

    #[test]
    fn committed_file_has_a_count_for_each_dialect() {
        for (arch, counts) in read().unwrap() {
            let names: Vec<_> = counts.per_event.keys().map(String::as_str).collect();
            let mut wanted = DIALECTS.map(DialectName::as_str);
            wanted.sort_unstable();
            assert_eq!(names, wanted, "{arch}");
        }
    }
}
