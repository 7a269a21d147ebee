//! What a container's command line and environment do to a measurement.
//!
//! Sources: the servers' own documentation, as the dialects cite it; `--enforce-eager` halving decode on a DGX Spark (59 to 26 tok/s):
//! conselara.dev; Ollama's defaults: its docs/faq.mdx.

use record::{
    DialectName, Recipe,
    recipe::{Container, Gpus},
};

use super::{Finding, Level};

/// A flag that a dialect's measurement needs, and what is lost without it.
const NEEDED: [(DialectName, &str, &str); 4] = [
    (DialectName::Vllm, "--enable-prompt-tokens-details", "`usage` does not tell how much of a prompt came from the cache"),
    (DialectName::Sglang, "--enable-metrics", "it has no metrics page"),
    (DialectName::Sglang, "--enable-cache-report", "`usage` does not tell how much of a prompt came from the cache"),
    (DialectName::Llamacpp, "--metrics", "it has no metrics page"),
];

/// A variable that Ollama should be given, and what happens without it.
const OLLAMA: [(&str, &str); 3] = [
    ("OLLAMA_CONTEXT_LENGTH", "prompts are cut at 4096 tokens"),
    ("OLLAMA_NUM_PARALLEL", "it answers one request at a time"),
    ("OLLAMA_KEEP_ALIVE", "the model is unloaded after five idle minutes"),
];

/// Servers that listen on the loopback address of their container unless told otherwise, where nobody reaches them.
const LOOPBACK_BY_DEFAULT: [DialectName; 3] = [DialectName::Sglang, DialectName::Llamacpp, DialectName::Trtllm];

pub(super) fn findings(recipe: &Recipe, container: &Container) -> Vec<Finding> {
    let words: Vec<&str> = container.entrypoint.iter().flatten().chain(&container.command).map(String::as_str).collect();
    let mut findings = listening_findings(recipe, container, &words);
    let mut warn = |text: String| findings.push(Finding::new(Level::Warning, text));
    for (dialect, flag, lost) in NEEDED {
        if recipe.dialect == dialect && !has(&words, flag) {
            warn(format!("`command` has no `{flag}`, so {lost}"));
        }
    }
    if recipe.dialect == DialectName::Vllm && container.env.get("VLLM_SERVER_DEV_MODE").is_none_or(|value| value != "1") {
        warn("`env` has no VLLM_SERVER_DEV_MODE = \"1\", so the prefix cache cannot be emptied between trials".to_owned());
    }
    if has(&words, "--disable-log-stats") {
        warn("`command` has `--disable-log-stats`, so its metrics page is empty".to_owned());
    }
    if has(&words, "--enforce-eager") && container.gpus == Gpus::All {
        warn("`command` has `--enforce-eager`: without CUDA graphs decode was seen at half its rate".to_owned());
    }
    for (variable, otherwise) in OLLAMA {
        if recipe.dialect == DialectName::Ollama && !container.env.contains_key(variable) {
            warn(format!("`env` has no {variable}, so {otherwise}"));
        }
    }
    let passes_revision = words.iter().any(|word| word.contains("${REVISION}"));
    // One that is a commit is not pinned by that alone, and that was said.
    if recipe.model.is_of_hub() && !recipe.model.is_pinned() && !passes_revision {
        let revision = "the engine serves what its cache takes for the newest, whatever `revision` says";
        warn(format!("`command` does not pass `${{REVISION}}`, so {revision}"));
    }
    findings
}

/// Whether it listens where the harness asks.
fn listening_findings(recipe: &Recipe, container: &Container, words: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let host = value(words, "--host").or_else(|| container.env.get("OLLAMA_HOST").map(String::as_str));
    match host {
        Some(host) if ["127.", "localhost", "::1", "[::1]"].iter().any(|own| host.starts_with(own)) => {
            findings
                .push(Finding::new(Level::Error, format!("it listens on `{host}`, which is the container's own; write 0.0.0.0")));
        }
        None if LOOPBACK_BY_DEFAULT.contains(&recipe.dialect) => {
            let text = "`command` has no `--host`, and by default it listens on the container's own address only; write 0.0.0.0";
            findings.push(Finding::new(Level::Error, text));
        }
        _ => {}
    }
    if let Some(port) = value(words, "--port").and_then(|port| port.parse::<u16>().ok()).filter(|port| *port != container.port) {
        let text =
            format!("it listens on {port}, but [container] `port` is {}; write `${{PORT}}` in the command", container.port);
        findings.push(Finding::new(Level::Error, text));
    }
    findings
}

pub(super) fn has(words: &[&str], flag: &str) -> bool {
    words.iter().any(|word| word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
}

/// The value of `--flag value` or `--flag=value`; of several the last, as servers take it.
pub(super) fn value<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let at =
        words.iter().rposition(|word| word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))?;
    match words[at].split_once('=') {
        Some((_, value)) => Some(value),
        None => words.get(at + 1).copied(),
    }
}
