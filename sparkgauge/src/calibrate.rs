//! `calibrate`: how much of an engine's noise on this machine comes from the trial, the boot and the occasion; and, by simulation, how often
//! the judge is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use record::{ExitCode, Profile};
use reports::{
    figures::RunFigures,
    noise::{Calibration, CellNoise, SplitHalf, split_half},
    operating,
};

use crate::{
    baselines::{BaselineStoreArgs, CALIBRATION},
    home, print, say, sides, whole_file,
};

#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// Runs of one recipe on one machine, each on another day: records or folders
    #[arg(value_name = "RUN", required_unless_present = "simulate")]
    runs: Vec<PathBuf>,
    /// Simulate how often verdicts are wrong, instead of reading runs
    #[arg(long, conflicts_with = "runs")]
    simulate: bool,
    /// File to write [default: noise.json beside the baseline; with --simulate a page in reports/]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    baseline_store: BaselineStoreArgs,
}

/// Estimates the noise and writes it down, or simulates.
pub(crate) fn run(args: &CalibrateArgs) -> anyhow::Result<ExitCode> {
    if args.simulate {
        return simulate(args.out.as_deref());
    }
    let mut records = Vec::new();
    for word in &args.runs {
        records.extend(sides::records(word)?);
    }
    let runs = sides::read(&records)?;
    let noise = match Calibration::estimate(&runs) {
        Ok(noise) => noise,
        Err(error) => {
            say(&format!("refused: {error}"));
            say(OCCASION_ADVICE);
            return Ok(ExitCode::Invalid);
        }
    };
    for line in lines(&noise, &runs) {
        print(&line);
    }
    let halves = split_half(&runs);
    print(&split_half_line(halves.as_ref()));
    if halves.is_some_and(|halves| !halves.is_fine()) {
        say(
            "refused: the halves of these boots differ by more than chance gives, so that the noise is not what is behind it: see the reports for what changed",
        );
        return Ok(ExitCode::Invalid);
    }
    let path = args.out.clone().unwrap_or_else(|| args.baseline_store.open().folder(&runs[0].header).join(CALIBRATION));
    write(&path, &(serde_json::to_string_pretty(&noise)? + "\n"))?;
    print(&path.display().to_string());
    Ok(ExitCode::Success)
}

const OCCASION_ADVICE: &str = "An occasion is one run, as on another day: `sparkgauge bench --engine NAME --boots 3 --trials 2`. Measure at least 4, \
                   all with the same --seed, then `sparkgauge calibrate RUN...`.";

fn lines(noise: &Calibration, runs: &[RunFigures]) -> Vec<String> {
    let mut lines = vec![format!(
        "{} on {}: {} occasions, {} boots",
        shown(&noise.recipe),
        shown(&noise.machine),
        noise.occasions,
        noise.boots
    )];
    lines.extend(noise.cells.iter().map(cell_line));
    let facts: Vec<String> =
        noise.expires_with.iter().map(|(name, value)| format!("{} ({})", shown(name), shown(value))).collect();
    lines.push(format!("expires when one of these is another: {}", facts.join(", ")));
    lines.push(match noise.trials_per_boot(runs) {
        Some(1) => "trials per boot: 1 teaches most for its time; further boots teach more than further trials".to_owned(),
        Some(trials) => format!(
            "trials per boot: {trials} teach most for their time, by what boots and trials took (bench --trials {trials})"
        ),
        None => "trials per boot: no advice in virtual time, where a boot takes no time".to_owned(),
    });
    for warning in &noise.warnings {
        lines.push(format!("warning: {warning}"));
    }
    if !noise.warnings.is_empty() {
        lines.push(OCCASION_ADVICE.to_owned());
    }
    lines
}

/// One line, e.g. `chat/c10 decode_tok_s: noise: trial 1.5 %, boot 0.9 %, occasion 0.7 %`.
fn cell_line(noise: &CellNoise) -> String {
    let percent = |sd_ln: f64| format!("{:.1} %", 100.0 * sd_ln.exp_m1());
    let occasion = noise.occasion.map_or_else(|| "not known from one".to_owned(), |one| percent(one.sd_ln));
    let (trial, boot) = (percent(noise.trial.sd_ln), percent(noise.boot.sd_ln));
    format!("{} {}: noise: trial {trial}, boot {boot}, occasion {occasion}", shown(&noise.cell), noise.metric)
}

fn split_half_line(halves: Option<&SplitHalf>) -> String {
    let Some(halves) = halves else { return "against itself: too few boots for two halves of three".to_owned() };
    let cells: Vec<String> = halves.regressed.iter().map(|(cell, metric)| format!("{} {metric}", shown(cell))).collect();
    let which = if cells.is_empty() { String::new() } else { format!(": {}", cells.join(", ")) };
    format!(
        "against itself: {} of {} comparisons of one half of the boots with the other say regressed, at most {} by chance{which}",
        cells.len(),
        halves.comparisons,
        halves.most
    )
}

/// Text of a record on one line of a terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(100).collect()
}

/// Writes a file whole or not at all, and the folders above it.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    whole_file::write(path, text)
}

/// Writes the page of the judge's error rates. What is required and missed is on it, and said.
fn simulate(out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let cells = workloads::cells(Profile::Standard, &[])?;
    let found = operating::characteristics(&workloads::gates(&cells), operating::SEED, u32::MAX)?;
    for rate in found.missed() {
        say(&format!("missed: {}, {} boots: {:.1} %", rate.scenario, rate.boots, 100.0 * rate.share()));
    }
    let path = out.map_or_else(|| home::folder().join("reports/operating_characteristics.md"), Path::to_path_buf);
    write(&path, &found.markdown())?;
    print(&path.display().to_string());
    Ok(ExitCode::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_records_are_not_printed() {
        assert_eq!(shown("a\u{1b}[31m\nb"), "a [31m b");
    }
}
