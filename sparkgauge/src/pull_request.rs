//! `pull-request`: a run's verdict as a comment, in two steps that do not trust each other alike.
//!
//! `bench` runs on the machine that measures, with the code of the pull request and without a token that may write. It leaves text.
//! `comment` runs elsewhere, with the code of the branch that is merged into and a token that may comment. To it, that text is data.

mod comment;
mod github;
mod outcome;
mod text;

use clap::Subcommand;
use record::ExitCode;

use crate::bench::BenchArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum PullRequestVerb {
    /// Do what `bench` does, then write the comment
    ///
    /// comment.md and summary.txt are written to the folder of --out, which is required. The exit code is that of `bench`.
    Bench(Box<BenchArgs>),
    /// Open the comment on a pull request, or update it, through the program gh
    Comment(comment::CommentArgs),
}

pub(crate) fn run(verb: &PullRequestVerb) -> anyhow::Result<ExitCode> {
    match verb {
        PullRequestVerb::Bench(args) => outcome::run(args),
        PullRequestVerb::Comment(args) => comment::run(args),
    }
}
