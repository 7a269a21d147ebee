//! The committed runs: the report of each record and the verdict of each comparison, by the product's own verbs.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use record::file::FILE_NAME as RECORD;

use super::{below, build_lean};
use crate::workspace;

pub(super) const FOLDER: &str = "reports/runs";
/// Names of the generated files, in any folder below.
pub(super) const GENERATED: [&str; 3] = [REPORT, VERDICT, VERDICT_DATA];
/// A verdict as machines read it.
pub(super) const VERDICT_DATA: &str = "verdict.json";

const REPORT: &str = "report.md";
const VERDICT: &str = "verdict.md";

/// Writes all of them.
pub(super) fn write() -> anyhow::Result<()> {
    let programs = build_lean()?;
    let root = workspace();
    for record in below(&root.join(FOLDER), &[RECORD])? {
        judge(programs.command().arg("report").arg(record.with_file_name("")), REPORT)?;
    }
    for page in below(&root.join(FOLDER), &[VERDICT])? {
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let words = comparison(&text).with_context(|| page.display().to_string())?;
        judge(programs.command().args(words), VERDICT)?;
    }
    Ok(())
}

/// Runs a verb that ends by printing the path of the page that it wrote. Its exit code is the verdict's, and says nothing of that.
fn judge(command: &mut Command, page: &str) -> anyhow::Result<()> {
    let output = command.current_dir(workspace()).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run sparkgauge")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    if !printed.lines().last().is_some_and(|line| Path::new(line).ends_with(page)) {
        bail!("{command:?} wrote no {page}: {}", output.status);
    }
    Ok(())
}

/// The words of the comparison that a verdict's page names under how to reproduce it.
fn comparison(page: &str) -> anyhow::Result<Vec<&str>> {
    let Some((_, reproduce)) = page.split_once("\n## Reproduce\n") else { bail!("it does not say how to reproduce it") };
    // The command may name either program.
    let called = |line| ["cargo xtask ", "sparkgauge "].iter().find_map(|caller| str::strip_prefix(line, caller));
    let commands = reproduce.lines().filter_map(called);
    let mut comparisons = commands.filter(|command| command.starts_with("compare "));
    let (Some(one), None) = (comparisons.next(), comparisons.next()) else {
        bail!("it names no `compare`, or several, under how to reproduce it");
    };
    if one.contains(['\'', '"', '\\']) {
        bail!("its `{one}` has words that a shell would have to take apart: give the folders plainer names");
    }
    Ok(one.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_command_is_parsed_from_the_verdict_page() {
        let page = "# Regressed\n\n```sh\ncargo xtask compare other\n```\n\n## Reproduce\n\n```sh\ncargo xtask bench --out a\n```\n\n\
                    The comparison:\n\n```sh\ncargo xtask compare reports/runs/a --looks 1\n```\n";
        assert_eq!(comparison(page).unwrap(), ["compare", "reports/runs/a", "--looks", "1"]);
        assert_eq!(comparison(&page.replace("cargo xtask", "sparkgauge")).unwrap()[0], "compare");
        for wrong in [
            "# Regressed\n".to_owned(),
            page.replace("cargo xtask", "somebody"),
            page.replace("reports/runs/a", "'reports/runs/a b'"),
            format!("{page}cargo xtask compare b\n"),
        ] {
            assert!(comparison(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn verb_without_a_page_fails_whatever_its_exit_code() {
        let check = |script: &str| judge(Command::new("sh").args(["-c", script]), VERDICT).is_ok();
        assert!(check("echo one line; echo a/verdict.md; exit 5"));
        assert!(!check("echo a/report.md"));
        assert!(!check("exit 0"));
    }
}
