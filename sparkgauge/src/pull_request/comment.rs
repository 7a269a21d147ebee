//! `pull-request comment`: exactly one comment, opened once and updated ever after.

use std::{fs, path::Path, path::PathBuf};

use clap::Args;
use record::ExitCode;

use super::{
    github::{self, Repository},
    text::{self, COMMENT_BYTES_MAX, MARKER},
};
use crate::{UsageError, say};

#[derive(Debug, Args)]
pub(crate) struct CommentArgs {
    /// Repository of the pull request, as OWNER/NAME
    #[arg(long, value_name = "REPO")]
    repository: Repository,
    /// Number of the pull request
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    number: u64,
    /// The comment.md that `pull-request bench` wrote
    #[arg(long)]
    file: PathBuf,
    /// If the file does not exist, comment that the job ended before it wrote one
    #[arg(long)]
    or_say_why_not: bool,
    /// Login whose comment is updated: that of the workflow's token
    #[arg(long, default_value = "github-actions[bot]")]
    login: String,
}

/// Opens the comment, or updates the one that is there.
pub(super) fn run(args: &CommentArgs) -> anyhow::Result<ExitCode> {
    let body = if args.or_say_why_not && !args.file.exists() {
        text::comment_of_no_run(github::workflow_run_url().as_deref())
    } else {
        read(&args.file).map_err(|why| UsageError(format!("{}: {why}", args.file.display())))?
    };
    let (repository, number) = (&args.repository, args.number);
    let existing = github::comments(repository, number)?
        .into_iter()
        .find(|comment| comment.is_by(&args.login) && has_marker(comment.body()));
    if let Some(comment) = existing {
        github::update_comment(repository, comment.id, &body)?;
        say(&format!("{repository}#{number}: updated comment {}", comment.id));
    } else {
        github::create_comment(repository, number, &body)?;
        say(&format!("{repository}#{number}: opened the comment"));
    }
    Ok(ExitCode::Success)
}

/// The text of a job that is trusted less than this one: only its size and its first line matter, and it is sent as data.
fn read(path: &Path) -> Result<String, String> {
    let about = fs::symlink_metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("is not a plain file".to_owned());
    }
    if about.len() > COMMENT_BYTES_MAX as u64 {
        return Err(format!("has {} bytes; a comment has at most {COMMENT_BYTES_MAX}", about.len()));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    if !has_marker(&text) {
        return Err(format!("its first line is not {MARKER}; give the comment.md of `pull-request bench`"));
    }
    Ok(text)
}

/// Whether a comment starts with the marker. GitHub may give lines back with CR LF.
fn has_marker(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line == MARKER)
}
