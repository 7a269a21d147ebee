//! What the comment says: pure.

use record::ExitCode;

#[cfg(test)]
mod tests;

/// The first line of our comment, by which it is found again.
pub(super) const MARKER: &str = "<!-- sparkgauge:bench -->";
/// What GitHub takes in a comment, in characters; counted in bytes here, of which there are never fewer.
pub(super) const COMMENT_BYTES_MAX: usize = 65_536;
/// What a summary may be long, in characters.
const SUMMARY_CHARS_MAX: usize = 500;

#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) code: ExitCode,
    pub(super) artifact: Artifact,
    /// Whether it was a smoke run, which is never judged.
    pub(super) is_smoke: bool,
    /// The commit that was measured.
    pub(super) commit: Option<String>,
    /// The page of the workflow run.
    pub(super) run_url: Option<String>,
}

/// What a run left for the comment.
#[derive(Debug)]
pub(super) enum Artifact {
    Verdict {
        markdown: String,
        /// `sentence` of verdict.json.
        sentence: Option<String>,
    },
    Report {
        markdown: String,
    },
    Nothing,
}

/// The comment: the marker, the verdict or the report's head, and where the rest is. At most [`COMMENT_BYTES_MAX`].
pub(super) fn comment(outcome: &Outcome) -> String {
    let body = match &outcome.artifact {
        Artifact::Verdict { markdown, .. } => markdown.clone(),
        Artifact::Report { markdown } => {
            format!("**{}.** {}\n\n{}", headline(outcome), advice(outcome), first_screen(markdown))
        }
        Artifact::Nothing => format!("**{}.** {}", headline(outcome), advice(outcome)),
    };
    let where_to_look = match outcome.artifact {
        Artifact::Verdict { .. } | Artifact::Report { .. } => "The whole report, and the record with every observation",
        Artifact::Nothing => "The log",
    };
    assemble(&body, &footer(outcome.commit.as_deref(), where_to_look, outcome.run_url.as_deref()))
}

/// The comment for a job that ended before it wrote one.
pub(super) fn comment_of_no_run(run_url: Option<&str>) -> String {
    assemble("**The job ended before it could say what it found.** Its log says why.", &footer(None, "The log", run_url))
}

/// The outcome on one line.
pub(super) fn summary(outcome: &Outcome) -> String {
    let sentence = match &outcome.artifact {
        Artifact::Verdict { sentence: Some(sentence), .. } => sentence.clone(),
        Artifact::Verdict { sentence: None, .. } => format!("Judged: {}", meaning(outcome.code)),
        Artifact::Report { .. } | Artifact::Nothing => headline(outcome),
    };
    let line: String = sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SUMMARY_CHARS_MAX).collect();
    format!("{} (exit code {})", line.trim().trim_end_matches('.'), outcome.code as u8)
}

fn headline(outcome: &Outcome) -> String {
    let was_measured = matches!(outcome.artifact, Artifact::Report { .. });
    match outcome.code {
        ExitCode::Success if outcome.is_smoke => "Measured and not judged: a smoke run compares with nothing".to_owned(),
        ExitCode::Success => "Measured and not judged: there is no baseline yet".to_owned(),
        ExitCode::Invalid if was_measured => "Measured, and it cannot be trusted".to_owned(),
        code if was_measured => format!("The run broke off: {}", meaning(code)),
        code => format!("Nothing was measured: {}", meaning(code)),
    }
}

fn advice(outcome: &Outcome) -> &'static str {
    match (&outcome.artifact, outcome.code) {
        (Artifact::Nothing, _) => "The job's log says why.",
        (_, ExitCode::Success) if outcome.is_smoke => "A standard run is what a verdict needs.",
        (_, ExitCode::Success) => "`sparkgauge accept` makes a run the baseline of its machine, recipe and suite.",
        (_, ExitCode::Invalid) => "The report names each trial and the reason.",
        _ => "What there is follows.",
    }
}

fn meaning(code: ExitCode) -> &'static str {
    match code {
        ExitCode::Success => "fine",
        ExitCode::Bug => "a bug of Sparkgauge",
        ExitCode::Usage => "the command line or a recipe is wrong",
        ExitCode::Engine => "the engine or its environment failed",
        ExitCode::Invalid => "a measurement is invalid, or the comparison is refused or insufficient",
        ExitCode::Regressed => "regressed",
        ExitCode::Inconclusive => "inconclusive",
        ExitCode::NotBuiltIn => "this build of Sparkgauge lacks a part that is needed",
        ExitCode::Interrupted => "interrupted",
    }
}

/// A report up to its first section: what was measured, the main figures, validity and verdict.
fn first_screen(report: &str) -> &str {
    report.split("\n## ").next().unwrap_or(report).trim_end()
}

fn footer(commit: Option<&str>, what: &str, run_url: Option<&str>) -> String {
    let commit = commit.map(|commit| format!("Commit `{commit}`. ")).unwrap_or_default();
    let place = run_url.map_or_else(|| "the workflow run".to_owned(), |url| format!("[the workflow run]({url})"));
    format!("{commit}{what}: {place}.")
}

fn assemble(body: &str, foot: &str) -> String {
    const CUT: &str = "\n\n**Cut here: the whole text is longer than a comment may be.**";
    let around = format!("{MARKER}\n\n\n\n---\n\n{foot}\n").len();
    let body = body.trim_end();
    let room = COMMENT_BYTES_MAX.saturating_sub(around);
    let (body, cut) =
        if body.len() <= room { (body, "") } else { (whole_blocks(body, room.saturating_sub(CUT.len())).trim_end(), CUT) };
    format!("{MARKER}\n\n{body}{cut}\n\n---\n\n{foot}\n")
}

/// As many lines of a Markdown text as `bytes_max` has room for, ending neither inside a fenced block nor inside `<details>`, where what
/// follows would be swallowed.
fn whole_blocks(text: &str, bytes_max: usize) -> &str {
    let (mut end, mut kept, mut fence, mut details) = (0, 0, 0_usize, 0_usize);
    for line in text.split_inclusive('\n') {
        end += line.len();
        if end > bytes_max {
            break;
        }
        let line = line.trim();
        let run = line.bytes().take_while(|byte| *byte == b'`').count();
        if fence > 0 {
            if run >= fence && run == line.len() {
                fence = 0;
            }
        } else if run >= 3 {
            fence = run;
        } else {
            details = (details + line.matches("<details").count()).saturating_sub(line.matches("</details").count());
        }
        if fence == 0 && details == 0 {
            kept = end;
        }
    }
    &text[..kept]
}
