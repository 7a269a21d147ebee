//! `report`: a record's Markdown, again and again the same.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use record::{ExitCode, Record, file};

use crate::{UsageError, print, say, whole_file};

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
    let path = record.with_file_name("report.md");
    let previous = fs::read_to_string(&path).ok();
    let text = reports::render_onto(&read, previous.as_deref());
    whole_file::write(&path, &text)?;
    print(&path.display().to_string());
    Ok(())
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
