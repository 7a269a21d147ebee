//! Settings that a recipe gives twice, to the harness and to its server: where they differ, the harness plans for another server.
//!
//! Sources: the servers' own documentation of their flags, as the dialects cite it; llama.cpp dividing its context among slots:
//! tools/server/README.md there; Ollama's variables: its docs/faq.mdx.

use std::collections::BTreeMap;

use record::{DialectName, Recipe};

use super::{
    Finding, Level,
    flags::{has, value},
};

/// Flags and variables of the server's command line.
struct ServerSettings<'a> {
    words: Vec<&'a str>,
    env: &'a BTreeMap<String, String>,
}

pub(super) fn findings(recipe: &Recipe) -> Vec<Finding> {
    let settings = if let Some(container) = &recipe.container {
        let words = container.entrypoint.iter().flatten().chain(&container.command);
        ServerSettings { words: words.map(String::as_str).collect(), env: &container.env }
    } else if let Some(process) = &recipe.process {
        ServerSettings { words: process.command.iter().map(String::as_str).collect(), env: &process.env }
    } else {
        return Vec::new();
    };
    let findings =
        [served_name_finding(recipe, &settings), concurrency_finding(recipe, &settings), context_finding(recipe, &settings)];
    findings.into_iter().flatten().map(|text| Finding::new(Level::Warning, text)).collect()
}

impl ServerSettings<'_> {
    /// The first of these flags or variables that is given a value, and the value.
    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        let given = |name: &str| value(&self.words, name).or_else(|| self.env.get(name).map(String::as_str));
        names.iter().find_map(|name| Some((*name, given(name)?)))
    }

    /// Likewise, if the value is a number.
    fn number(&self, names: &[&'static str]) -> Option<(&'static str, u32)> {
        let (name, value) = self.first(names)?;
        Some((name, value.parse().ok()?))
    }

    /// Every value of a flag that takes several.
    fn values(&self, flag: &str) -> Vec<&str> {
        let at = self.words.iter().rposition(|word| *word == flag);
        let Some(at) = at else { return value(&self.words, flag).into_iter().collect() };
        self.words[at + 1..].iter().take_while(|word| !word.starts_with('-')).copied().collect()
    }
}

/// A request for a model by a name that the server does not know is answered with an error.
fn served_name_finding(recipe: &Recipe, settings: &ServerSettings<'_>) -> Option<String> {
    let id = &recipe.model.id;
    let (flag, names): (_, Vec<&str>) = match recipe.dialect {
        DialectName::Vllm | DialectName::Sglang => ("`--served-model-name`", settings.values("--served-model-name")),
        DialectName::Llamacpp => {
            let given = settings.first(&["--alias", "-a"]).map(|(_, names)| names.split(',').collect());
            ("`--alias`", given.unwrap_or_default())
        }
        // Its library's names are NAME:TAG; the text around them is for people.
        DialectName::Ollama => {
            let is_tag = |word: &&str| word.split_once(':').is_some_and(|(name, tag)| !name.is_empty() && !tag.is_empty());
            let tag = recipe.model.source.split_whitespace().find(is_tag);
            ("the tag in `source`", tag.into_iter().collect())
        }
        _ => return None,
    };
    let known = names.is_empty() || names.iter().any(|name| name.replace("${MODEL}", &recipe.model.source) == *id);
    (!known).then(|| format!("[model] `id`, which requests name, is `{id}`, but {flag} is `{}`", names.join(", ")))
}

/// The harness plans its load by what it believes to run at once.
fn concurrency_finding(recipe: &Recipe, settings: &ServerSettings<'_>) -> Option<String> {
    let limit = recipe.limits.max_concurrent?;
    let (flag, number) = settings.number(match recipe.dialect {
        DialectName::Vllm => &["--max-num-seqs"],
        DialectName::Sglang => &["--max-running-requests"],
        DialectName::Llamacpp => &["--parallel", "-np"],
        DialectName::Trtllm => &["--max_batch_size"],
        DialectName::Ollama => &["OLLAMA_NUM_PARALLEL"],
        _ => return None,
    })?;
    (number != limit).then(|| format!("[limits] `max_concurrent` is {limit}, but `{flag}` is {number}"))
}

/// A prompt that is longer than what the server takes is refused, or cut.
fn context_finding(recipe: &Recipe, settings: &ServerSettings<'_>) -> Option<String> {
    let wanted = recipe.model.max_context?;
    let (flag, tokens) = match recipe.dialect {
        DialectName::Vllm => settings.number(&["--max-model-len"]),
        DialectName::Sglang => settings.number(&["--context-length"]),
        DialectName::Trtllm => settings.number(&["--max_seq_len"]),
        DialectName::Ollama => settings.number(&["OLLAMA_CONTEXT_LENGTH"]),
        // 0 is the model's own.
        DialectName::Llamacpp => settings.number(&["--ctx-size", "-c"]).filter(|(_, tokens)| *tokens > 0),
        _ => None,
    }?;
    let shared =
        recipe.dialect == DialectName::Llamacpp && !has(&settings.words, "--kv-unified") && !has(&settings.words, "-kvu");
    let slots = if shared { settings.number(&["--parallel", "-np"]).map_or(1, |(_, slots)| slots.max(1)) } else { 1 };
    let each = tokens / slots;
    let among = if slots > 1 { format!(" among {slots} slots, {each} for each") } else { String::new() };
    (wanted > each).then(|| format!("[model] `max_context` is {wanted}, but `{flag}` is {tokens}{among}"))
}
