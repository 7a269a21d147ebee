//! `sim check`: how well the twin says what it was not fitted to.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use anyhow::Context;
use clap::Args;
use record::ExitCode;
use twin::arena::check::{Forecast, RunForecast, check, medians};

use super::{fit::with_noise, source};
use crate::{RefusedError, UsageError, print, run_folder, say, whole_file};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Folder with published runs of the DGX Spark arena, at any depth
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Write the table to this Markdown file instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the fitted engines to this folder, one TOML file per run
    #[arg(long, value_name = "FOLDER")]
    fits: Option<PathBuf>,
    /// Origin of the runs, to be named in the page and the files
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if let Some(fits) = &args.fits {
        fs::create_dir_all(fits).with_context(|| format!("cannot make {}", fits.display()))?;
    }
    let (mut runs, mut written) = (Vec::new(), BTreeSet::new());
    for folder in source::arena_folders(&args.folder)? {
        let below = folder.strip_prefix(&args.folder).ok().filter(|below| below.file_name().is_some());
        let name =
            below.map_or_else(|| folder.file_name().map(PathBuf::from).unwrap_or_default(), PathBuf::from).display().to_string();
        let run = source::arena_run(&folder)?;
        let checked = check(&run).map_err(|error| RefusedError(format!("{}: {error}", folder.display())))?;
        say(&format!("{name}: fitted to {} closed loops, {} open loops forecast", run.closed.len(), checked.tests.len()));
        if let Some(fits) = &args.fits {
            let path = fits.join(format!("{}.toml", run_folder::safe(&name)));
            if !written.insert(path.clone()) {
                return Err(UsageError(format!(
                    "{name}: another run has the same file, {}: check fewer at once",
                    path.display()
                ))
                .into());
            }
            let source = args.source.as_deref().map(|source| format!("# Source: {source}\n")).unwrap_or_default();
            let text = format!(
                "# Fitted by `cargo xtask sim check`.\n{source}# Run: {name}\n{}",
                with_noise(&checked.fit.params).to_toml()?
            );
            whole_file::write(&path, &text)?;
        }
        runs.push((name, checked));
    }
    let text = page(&runs, args.source.as_deref());
    match &args.out {
        None => print(&text),
        Some(out) => whole_file::write(out, &text)?,
    }
    Ok(ExitCode::Success)
}

fn page(runs: &[(String, RunForecast)], source: Option<&str>) -> String {
    let mut text = String::new();
    let checked: Vec<_> = runs.iter().map(|(_, checked)| checked.clone()).collect();
    let steps: Vec<_> = checked.iter().flat_map(RunForecast::steps).collect();
    let within = |apart: usize| steps.iter().filter(|step| step.apart <= apart).count();
    let from = source.map(|source| format!(" Their source: {source}.")).unwrap_or_default();
    let _ = writeln!(text, "{}{from}\n\n{}", HEAD.trim(), MEDIANS.trim());
    for test in ["07", "08", "09", "10", "11"] {
        if let Some(medians) = medians(&checked, |forecast| forecast.test.starts_with(test)) {
            let _ = writeln!(text, "| {test} | {} |", cells(medians));
        }
    }
    if let Some(medians) = medians(&checked, |forecast| !forecast.test.starts_with("11")) {
        let _ = writeln!(text, "| **07 to 10** | {} |", cells(medians));
    }
    let _ = writeln!(
        text,
        "\nThe highest step of the rate sweep that holds a TTFT p95 of 2, 5 or 10 s: right in {} of {}, right or next to right in {}.\n",
        within(0),
        steps.len(),
        within(1)
    );
    let _ = writeln!(text, "{}", TABLE.trim());
    for (name, checked) in runs {
        for forecast in &checked.tests {
            let _ = writeln!(text, "{}", row(name, forecast));
        }
    }
    text
}

const HEAD: &str = "
# Out of sample

Made by `cargo xtask sim check FOLDER --out FILE`; do not edit. Each run was fitted to its closed loops (tests 01 to 06) alone.
";

const MEDIANS: &str = "
Median absolute errors of what the fit says of its open loops:

| test | output tok/s | TTFT p50 | TTFT p95 |
|---|---|---|---|
";

const TABLE: &str = "
| run | test | output tok/s | forecast | | TTFT p50, s | forecast | | TTFT p95, s | forecast | |
|---|---|---|---|---|---|---|---|---|---|---|
";

fn cells(medians: [f64; 3]) -> String {
    medians.map(|median| format!("{:.1} %", median * 100.0)).join(" | ")
}

fn row(name: &str, forecast: &Forecast) -> String {
    let (was, is, off) = (&forecast.published, &forecast.predicted, forecast.errors());
    let cell = |was: f64, is: f64, off: f64| format!("{was:.2} | {is:.2} | {:+.0} %", off * 100.0);
    let lost = if was.complete { "" } else { ", lost requests, not counted" };
    format!(
        "| {} | {}{lost} | {} | {} | {} |",
        // A folder's name may be anything.
        name.replace('|', "\\|"),
        forecast.test,
        cell(was.output_tok_s, is.output_tok_s, off[0]),
        cell(was.ttft_p50_s, is.ttft_p50_s, off[1]),
        cell(was.ttft_p95_s, is.ttft_p95_s, off[2])
    )
}
