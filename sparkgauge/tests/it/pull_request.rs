//! A run's verdict as a comment: what a run leaves for it, and what is asked of GitHub, for which a script stands in.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::program::{ProgramOutput, check, command};

const MARKER: &str = "<!-- sparkgauge:bench -->";
/// Where our API calls begin, whatever they ask.
const HEADERS: &str = "api --header Accept: application/vnd.github+json --header X-GitHub-Api-Version: 2022-11-28";

/// Runs `pull-request bench` without what the machine that tests may itself have from GitHub.
fn bench(out: &Path, more: &[&str], summary: Option<&Path>) -> ProgramOutput {
    let mut bench = command(&["pull-request", "bench", "--no-selftest", "--wait", "--out", out.to_str().unwrap()]);
    bench.args(more).env("GITHUB_SERVER_URL", "https://github.com").env("GITHUB_REPOSITORY", "octo/spark");
    bench.env("GITHUB_RUN_ID", "42").env_remove("GITHUB_STEP_SUMMARY");
    if let Some(path) = summary {
        bench.env("GITHUB_STEP_SUMMARY", path);
    }
    bench.output().unwrap().into()
}

#[test]
fn pull_request_bench_writes_comment_and_summary() {
    let folder = tempfile::tempdir().unwrap();
    let (out, page) = (folder.path().join("run"), folder.path().join("summary.md"));
    fs::write(&page, "Earlier step.\n").unwrap();
    check(&bench(&out, &["--profile", "smoke", "--workload", "chat"], Some(&page)), 0, &["not judged"]);
    let comment = fs::read_to_string(out.join("comment.md")).unwrap();
    let report = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(comment.starts_with(&format!("{MARKER}\n\n**Measured and not judged")), "{comment}");
    assert!(comment.contains(report.lines().next().unwrap()) && comment.contains("**Validity**"), "{comment}");
    assert!(!comment.contains("## Workloads"), "only the head of the report: {comment}");
    assert!(comment.contains("(https://github.com/octo/spark/actions/runs/42)"), "{comment}");
    let line = "Measured and not judged: a smoke run compares with nothing (exit code 0)\n";
    assert_eq!(fs::read_to_string(out.join("summary.txt")).unwrap(), line);
    assert_eq!(fs::read_to_string(&page).unwrap(), format!("Earlier step.\n{line}"));

    // The same folder again: refused, and neither verdict nor report there is taken for this run's.
    fs::write(out.join("verdict.md"), "# Verdict: improved\n").unwrap();
    check(&bench(&out, &["--profile", "smoke", "--workload", "chat"], None), 3, &["never written over"]);
    let comment = fs::read_to_string(out.join("comment.md")).unwrap();
    assert!(comment.contains("**Nothing was measured") && !comment.contains("improved"), "{comment}");
    assert!(fs::read_to_string(out.join("summary.txt")).unwrap().ends_with("(exit code 3)\n"));
}

#[test]
fn refused_run_is_stated_in_the_comment() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    check(&bench(&out, &["--recipe", "no-such-recipe"], None), 2, &["no-such-recipe"]);
    let comment = fs::read_to_string(out.join("comment.md")).unwrap();
    assert!(comment.contains("**Nothing was measured: the command line or a recipe is wrong.**"), "{comment}");
    assert!(!comment.contains("no-such-recipe"), "what others wrote stays in the log: {comment}");
    check(&command(&["pull-request", "bench"]).output().unwrap().into(), 2, &["--out DIR"]);
}

#[test]
fn engine_failure_is_in_the_comment_with_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let recipe = crate::program::recipe(folder.path(), &["sh", "-c", "echo out of memory >&2; exit 9", "${PORT}"], "");
    check(&bench(&out, &["--profile", "smoke", "--workload", "chat", "--recipe", &recipe], None), 3, &["out of memory"]);
    let comment = fs::read_to_string(out.join("comment.md")).unwrap();
    assert!(comment.contains("**The run broke off: the engine or its environment failed.**"), "{comment}");
    assert!(comment.contains("# `scripted`"), "{comment}");
}

/// The stand-in for `gh`, and what it is asked.
struct FakeGh {
    folder: tempfile::TempDir,
}

impl FakeGh {
    fn new(comments: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("comments"), comments).unwrap();
        fs::write(folder.path().join("comment.md"), format!("{MARKER}\n\n\"It\" \\ `is` @fine.\n")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Calls `pull-request comment` with comment.md.
    fn comment(&self, more: &[&str]) -> ProgramOutput {
        let file = self.path("comment.md");
        let mut comment = command(&["pull-request", "comment", "--repository", "octo/spark", "--number", "7", "--file"]);
        comment.arg(file).args(more).env("PATH", path_with(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fake_gh")));
        comment.env("FAKE_GH", self.folder.path()).env("GH_TOKEN", "ghs_5ecret").env_remove("GITHUB_RUN_ID");
        comment.output().unwrap().into()
    }

    /// What it was asked, without what all calls have.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().map(|line| line.strip_prefix(HEADERS).unwrap().trim().to_owned()).collect()
    }

    /// The comment's text that it was sent.
    fn sent(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&fs::read(self.path("body")).unwrap()).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1);
        body["body"].as_str().unwrap().to_owned()
    }
}

fn path_with(first: &Path) -> std::ffi::OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths([first.to_path_buf()].into_iter().chain(env::split_paths(&rest))).unwrap()
}

const LIST: &str = "--method GET --paginate repos/octo/spark/issues/7/comments?per_page=100";
const POST: &str = "--method POST repos/octo/spark/issues/7/comments --input -";

fn by(login: &str, id: u64, body: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "node_id": "IC_x", "user": { "login": login, "type": "User" }, "body": body, "reactions": {} })
}

#[test]
fn first_comment_is_opened() {
    let gh = FakeGh::new("[]");
    check(&gh.comment(&[]), 0, &["octo/spark#7: opened the comment"]);
    assert_eq!(gh.calls(), [LIST, POST]);
    assert_eq!(gh.sent(), fs::read_to_string(gh.path("comment.md")).unwrap());
}

#[test]
fn only_the_own_comment_is_updated() {
    let ours = "github-actions[bot]";
    let quoted = format!("> {MARKER}");
    let first = serde_json::json!([by("mallory", 1, MARKER), by(ours, 2, "another workflow's"), by(ours, 3, &quoted)]);
    let second = serde_json::json!([by(ours, 4, &format!("{MARKER}\r\n\r\nold")), by(ours, 5, MARKER)]);
    // Two pages, as an older `gh` prints them.
    let gh = FakeGh::new(&format!("{first}{second}"));
    check(&gh.comment(&[]), 0, &["updated comment 4"]);
    assert_eq!(gh.calls(), [LIST, "--method PATCH repos/octo/spark/issues/comments/4 --input -"]);
    assert!(gh.sent().contains("@fine"));

    let gh = FakeGh::new(&first.to_string());
    check(&gh.comment(&[]), 0, &["opened the comment"]);
    assert_eq!(gh.calls(), [LIST, POST]);

    let gh = FakeGh::new(&first.to_string());
    check(&gh.comment(&["--login", "mallory"]), 0, &["updated comment 1"]);
}

#[test]
fn gh_error_is_reported_without_the_token() {
    let gh = FakeGh::new("[]");
    fs::write(gh.path("stderr"), "gh: Resource not accessible by integration (HTTP 403) ghs_5ecret\n").unwrap();
    let done = gh.comment(&[]);
    check(&done, 3, &["gh failed", "HTTP 403", "***"]);
    assert!(!done.stderr.contains("5ecret"), "{}", done.stderr);
    assert_eq!(gh.calls(), [LIST]);

    let gh = FakeGh::new("{\"message\": \"Not Found\"}");
    check(&gh.comment(&[]), 3, &["what gh says of the comments on octo/spark#7"]);
    assert_eq!(gh.calls(), [LIST], "nothing is written by one who cannot read");
}

#[test]
fn file_without_the_marker_is_not_sent() {
    let gh = FakeGh::new("[]");
    let refused = |text: &[u8], says: &str| {
        fs::write(gh.path("comment.md"), text).unwrap();
        check(&gh.comment(&[]), 2, &[says]);
    };
    refused(b"Hello\n<!-- sparkgauge:bench -->\n", "first line");
    refused(b"", "first line");
    refused(format!("{MARKER}\n{}", "a".repeat(65_536)).as_bytes(), "at most 65536");
    refused(&[MARKER.as_bytes(), b"\n\xff"].concat(), "UTF-8");
    fs::remove_file(gh.path("comment.md")).unwrap();
    check(&gh.comment(&[]), 2, &["comment.md"]);
    std::os::unix::fs::symlink(gh.path("comments"), gh.path("comment.md")).unwrap();
    check(&gh.comment(&[]), 2, &["is not a plain file"]);
    assert_eq!(gh.calls(), [""; 0]);
}

#[test]
fn missing_file_is_stated_in_the_comment() {
    let gh = FakeGh::new("[]");
    fs::remove_file(gh.path("comment.md")).unwrap();
    check(&gh.comment(&["--or-say-why-not"]), 0, &["opened the comment"]);
    assert!(gh.sent().starts_with(&format!("{MARKER}\n\n**The job ended before")), "{}", gh.sent());
}

#[test]
fn malformed_repository_or_number_is_refused() {
    let refused = |repository: &str, number: &str| {
        let arguments = ["pull-request", "comment", "--repository", repository, "--number", number, "--file", "comment.md"];
        check(&command(&arguments).output().unwrap().into(), 2, &["invalid value"]);
    };
    refused("octo", "7");
    refused("octo/spark/../other", "7");
    refused("octo/..", "7");
    refused("octo/spark", "0");
    refused("octo/spark", "7/../8");
}
