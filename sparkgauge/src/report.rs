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
    let report = record.with_file_name(REPORT);
    let previous = fs::read_to_string(&report).ok();
    let verdict = record.parent().and_then(verdict_of);
    let verdict = verdict.as_ref().map(|(headline, place)| VerdictLine { headline, place });
    whole_file::write(&report, &reports::render_onto(&read, previous.as_deref(), verdict))?;
    print(&report.display().to_string());
    Ok(())
}

/// Writes into the reports of a folder with a verdict, where there are any, what the verdict is.
pub(crate) fn add_verdict(folder: &Path) -> anyhow::Result<()> {
    for folder in [folder.to_path_buf(), folder.join(sides::CANDIDATE)] {
        let report = folder.join(REPORT);
        if let (Ok(page), Some((headline, place))) = (fs::read_to_string(&report), verdict_of(&folder)) {
            whole_file::write(&report, &reports::with_verdict(&page, VerdictLine { headline: &headline, place }))?;
        }
    }
    Ok(())
}

const REPORT: &str = "report.md";

/// The headline of the verdict on the run of a folder, and where its page is: there, or above it where two were measured together.
fn verdict_of(folder: &Path) -> Option<(String, &'static str)> {
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
