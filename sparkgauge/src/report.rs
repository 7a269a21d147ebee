//! `report`: a record's Markdown, again and again the same.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use record::{ExitCode, Record, file};
use reports::VerdictLine;

use crate::{UsageError, print, say, sides, whole_file};

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run: its record or folder
    path: PathBuf,
    /// Print the report instead of writing report.md beside the record
    #[arg(long)]
    stdout: bool,
}

pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let path = record_file(&args.path);
    if args.stdout {
        print(reports::render(&read(&path)?).trim_end());
    } else {
        render_beside(&path)?;
    }
    Ok(ExitCode::Success)
}

/// Writes `report.md` beside a record. A person's text between its markers stays.
pub(crate) fn render_beside(record: &Path) -> anyhow::Result<()> {
    let read = read(record)?;
    if let Some(tail) = &read.unreadable_tail {
        say(&format!(
            "{}: the last {} bytes cannot be read ({}); the {} trials before them can",
            record.display(),
            tail.bytes,
            tail.why,
            read.trials.len()
        ));
    }
    print(&write_beside(record, &read)?.display().to_string());
    Ok(())
}

/// Renders the reports of a folder with a verdict again, where there are any, so that they say what the verdict is.
pub(crate) fn add_verdict(folder: &Path) -> anyhow::Result<()> {
    for record in [folder.to_path_buf(), folder.join(sides::CANDIDATE)].map(|folder| folder.join(file::FILE_NAME)) {
        if record.is_file() && record.with_file_name(REPORT).is_file() {
            write_beside(&record, &read(&record)?)?;
        }
    }
    Ok(())
}

const REPORT: &str = "report.md";

fn write_beside(path: &Path, record: &Record) -> anyhow::Result<PathBuf> {
    let report = path.with_file_name(REPORT);
    let previous = fs::read_to_string(&report).ok();
    let verdict = verdict_of(path);
    let verdict = verdict.as_ref().map(|(headline, place)| VerdictLine { headline, place });
    whole_file::write(&report, &reports::render_onto(record, previous.as_deref(), verdict))?;
    Ok(report)
}

/// The headline of the verdict on a record, and where its page is: beside it, or above it where two were measured together.
fn verdict_of(record: &Path) -> Option<(String, &'static str)> {
    let folder = record.parent()?;
    let is_candidate = folder.file_name().is_some_and(|name| name == sides::CANDIDATE);
    let above = folder.parent().filter(|_| is_candidate).map(|above| (above.join("verdict.md"), "../verdict.md"));
    let places = [Some((folder.join("verdict.md"), "verdict.md")), above];
    places.into_iter().flatten().find_map(|(page, place)| {
        let page = fs::read_to_string(page).ok()?;
        Some((page.lines().next()?.strip_prefix("# ")?.to_owned(), place))
    })
}

pub(crate) fn record_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(file::FILE_NAME) } else { path.to_path_buf() }
}

/// A record with all its trials.
pub(crate) fn read(path: &Path) -> anyhow::Result<Record> {
    let wrong = |why: String| UsageError(format!("{}: {why}", path.display()));
    let bytes = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Ok(file::decode(&bytes).map_err(|error| wrong(error.to_string()))?)
}
