//! GitHub through the program `gh`, which knows the token, pages and proxies, so that this program needs no HTTP client.

use std::{
    env, fmt,
    io::Write,
    process::{Command, Stdio},
    str::FromStr,
};

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};

/// The longest message of `gh` that is passed on, in characters.
const MESSAGE_CHARS_MAX: usize = 2_000;

/// `OWNER/NAME`, such that it is one in any URL path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository(String);

impl FromStr for Repository {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_owner = |owner: &str| {
            (1..=39).contains(&owner.len())
                && owner.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
                && !owner.starts_with('-')
        };
        let is_name = |name: &str| {
            (1..=100).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                && !["", ".", ".."].contains(&name)
        };
        match text.split_once('/') {
            Some((owner, name)) if is_owner(owner) && is_name(name) => Ok(Self(text.to_owned())),
            _ => Err(format!("`{}` is not a repository; write OWNER/NAME", text.escape_default())),
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A comment on an issue or a pull request, which to this interface are one thing.
#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    /// Its number, over all of GitHub.
    pub(super) id: u64,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

impl Comment {
    /// Whether this login wrote it. The account of a comment may be gone.
    pub(super) fn is_by(&self, login: &str) -> bool {
        self.user.as_ref().is_some_and(|user| user.login == login)
    }

    pub(super) fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'t> {
    body: &'t str,
}

/// Every comment on a pull request, the oldest first.
pub(super) fn comments(repository: &Repository, number: u64) -> anyhow::Result<Vec<Comment>> {
    let path = format!("repos/{repository}/issues/{number}/comments?per_page=100");
    parse_pages(&api(&["--method", "GET", "--paginate", &path], None)?)
        .with_context(|| format!("what gh says of the comments on {repository}#{number}"))
}

pub(super) fn create_comment(repository: &Repository, number: u64, body: &str) -> anyhow::Result<()> {
    let path = format!("repos/{repository}/issues/{number}/comments");
    api(&["--method", "POST", &path, "--input", "-"], Some(&Body { body })).map(drop)
}

/// Replaces a comment's text.
pub(super) fn update_comment(repository: &Repository, id: u64, body: &str) -> anyhow::Result<()> {
    let path = format!("repos/{repository}/issues/comments/{id}");
    api(&["--method", "PATCH", &path, "--input", "-"], Some(&Body { body })).map(drop)
}

/// Pages come as one list or as several lists, one after another, by the version of `gh`.
fn parse_pages(text: &str) -> serde_json::Result<Vec<Comment>> {
    let pages = serde_json::Deserializer::from_str(text).into_iter::<Vec<Comment>>();
    Ok(pages.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn api(arguments: &[&str], body: Option<&Body<'_>>) -> anyhow::Result<String> {
    let body = body.map(serde_json::to_vec).transpose()?;
    let mut gh = Command::new("gh")
        .arg("api")
        .args(["--header", "Accept: application/vnd.github+json", "--header", "X-GitHub-Api-Version: 2022-11-28"])
        .args(arguments)
        // It would print requests; and nobody is there to be asked.
        .env_remove("GH_DEBUG")
        .env("GH_PROMPT_DISABLED", "1")
        .env("NO_COLOR", "1")
        .stdin(if body.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| anyhow!("cannot run gh ({error}); install the GitHub CLI and set GH_TOKEN"))?;
    let stdin = gh.stdin.take();
    let output = std::thread::scope(|scope| {
        if let (Some(mut stdin), Some(body)) = (stdin, body) {
            // Beside reading, since both pipes may be full at once. One that ends early says why itself.
            scope.spawn(move || drop(stdin.write_all(&body)));
        }
        gh.wait_with_output()
    })?;
    if !output.status.success() {
        let said = without_tokens(&String::from_utf8_lossy(&output.stderr), &tokens());
        bail!("gh failed ({}): {}", output.status, said.trim().chars().take(MESSAGE_CHARS_MAX).collect::<String>());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What `gh` takes for a token.
fn tokens() -> Vec<String> {
    let names = ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
    names.iter().filter_map(|name| environment_variable(name)).filter(|token| !token.is_empty()).collect()
}

fn without_tokens(text: &str, tokens: &[String]) -> String {
    tokens.iter().fold(text.to_owned(), |text, token| text.replace(token, "***"))
}

/// The page of the workflow run that this is part of, from what GitHub sets in each job.
pub(super) fn workflow_run_url() -> Option<String> {
    let of = environment_variable;
    run_url(&of("GITHUB_SERVER_URL")?, &of("GITHUB_REPOSITORY")?, &of("GITHUB_RUN_ID")?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "GitHub tells a job where it runs in no other way; nothing that is measured depends on it"
)]
fn environment_variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// It stands in a link, so each part must be what it is said to be.
fn run_url(server: &str, repository: &str, id: &str) -> Option<String> {
    let host = server.strip_prefix("https://")?;
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
    let repository: Repository = repository.parse().ok()?;
    let id: u64 = id.parse().ok()?;
    is_host.then(|| format!("https://{host}/{repository}/actions/runs/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_is_an_owner_and_a_name() {
        for right in ["a/b", "octo-org/octo.repo_1", "o_emu/.github"] {
            assert_eq!(right.parse::<Repository>().unwrap().to_string(), right);
        }
        let long = format!("{}/b", "a".repeat(40));
        for wrong in
            ["", "a", "/b", "a/", "a/b/c", "a/..", "a/.", "../b", "-a/b", "a/b?c", "a b/c", "a/b\n", "ä/b", "a/b%2f", &long]
        {
            assert!(wrong.parse::<Repository>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn comment_pages_are_read_as_one_list_or_several() {
        let ids = |text: &str| parse_pages(text).unwrap().iter().map(|comment| comment.id).collect::<Vec<_>>();
        assert_eq!(ids(r#"[{"id":1},{"id":2}]"#), [1, 2]);
        assert_eq!(ids("[{\"id\":1}][{\"id\":2}]\n[]"), [1, 2]);
        assert_eq!(ids(""), [0; 0]);
        assert!(parse_pages(r#"{"message":"Not Found"}"#).is_err());
        let gone = &parse_pages(r#"[{"id":1,"body":null,"user":null}]"#).unwrap()[0];
        assert!(gone.body().is_empty() && !gone.is_by(""));
    }

    #[test]
    fn workflow_run_url_is_a_link_or_absent() {
        let check = |server, repository, id, expected: Option<&str>| {
            assert_eq!(run_url(server, repository, id).as_deref(), expected, "{server} {repository} {id}");
        };
        check("https://github.com", "a/b", "42", Some("https://github.com/a/b/actions/runs/42"));
        check("http://github.com", "a/b", "42", None);
        check("https://github.com/)", "a/b", "42", None);
        check("https://", "a/b", "42", None);
        check("https://github.com", "a", "42", None);
        check("https://github.com", "a/b", "4)2", None);
    }

    #[test]
    fn token_is_removed_from_messages() {
        let tokens = ["ghs_secret".to_owned()];
        assert_eq!(without_tokens("401 for ghs_secret, ghs_other", &tokens), "401 for ***, ghs_other");
    }
}
