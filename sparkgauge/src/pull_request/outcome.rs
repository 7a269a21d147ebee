//! `pull-request bench`: a run, and what became of it as text for a comment.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use ::bench::terminal::as_called;
use anyhow::Context;
use record::{ExitCode, Profile};

use super::{
    github,
    text::{self, Artifact, Outcome},
};
use crate::{
    UsageError,
    bench::{self, BenchArgs},
    exit_code_of, run_folder, say,
};

/// Runs `bench`, then writes `comment.md` and `summary.txt` whatever came of it. The exit code is that of `bench`.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let Some(out) = &args.out else {
        return Err(UsageError("needs --out DIR: the folder that the next job is given".to_owned()).into());
    };
    let (code, artifact) = match bench::run(args) {
        Ok(code) => (code, artifact_in(out, code)),
        Err(error) => {
            say(&format!("error: {error:#}"));
            // What lies there is not of this run.
            (exit_code_of(&error), Artifact::Nothing)
        }
    };
    let outcome = Outcome {
        code,
        artifact,
        is_smoke: args.profile == Profile::Smoke,
        commit: run_folder::commit(),
        run_url: github::workflow_run_url(),
    };
    if let Err(error) = write(out, &outcome) {
        say(&format!("error: {error:#}"));
        return Ok(if code == ExitCode::Success { ExitCode::Engine } else { code });
    }
    Ok(code)
}

/// What a run left. A verdict counts only under the exit codes that come after judging, so that one that lay there before is not taken
/// for this run's.
fn artifact_in(out: &Path, code: ExitCode) -> Artifact {
    let read = |name: &str| fs::read_to_string(out.join(name)).ok();
    let is_judged = matches!(code, ExitCode::Success | ExitCode::Invalid | ExitCode::Regressed | ExitCode::Inconclusive);
    if let Some(verdict) = is_judged.then(|| read("verdict.md")).flatten() {
        let ruling = read("verdict.json").and_then(|json| serde_json::from_str::<serde_json::Value>(&json).ok());
        let sentence = ruling.and_then(|ruling| Some(ruling.get("sentence")?.as_str()?.to_owned()));
        return Artifact::Verdict { markdown: verdict, sentence };
    }
    // Of a pair that was measured together, the candidate is what the pull request is about.
    let report = read("report.md").or_else(|| read("candidate/report.md"));
    report.map_or(Artifact::Nothing, |markdown| Artifact::Report { markdown })
}

fn write(out: &Path, outcome: &Outcome) -> anyhow::Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let write = |name: &str, text: &str| {
        let path = out.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let summary = text::summary(outcome);
    write("comment.md", &as_called(&text::comment(outcome)))?;
    write("summary.txt", &format!("{summary}\n"))?;
    if let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from) {
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        // The page of the workflow run is a convenience: the artifact has the line too.
        if let Err(error) = file.and_then(|mut file| writeln!(file, "{summary}")) {
            say(&format!("{}: {error}", path.display()));
        }
    }
    say(&summary);
    Ok(())
}
