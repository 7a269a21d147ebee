//! Whether a recipe could boot another engine tomorrow.

use super::{Container, Model, Recipe};
use crate::EngineName;

impl Recipe {
    /// Why the same recipe could be another engine tomorrow, in words; empty if it could not. Only of what it boots itself from
    /// elsewhere: images, and the models that they load.
    #[must_use]
    pub fn unpinned(&self) -> Vec<String> {
        let Some(container) = &self.container else { return Vec::new() };
        let mut why = Vec::new();
        if !container.is_pinned() {
            why.push(format!("image {} has no digest", container.image));
        }
        let model = &self.model;
        if self.engine == EngineName::Ollama {
            why.push(format!("model {} is a tag of Ollama's library, which can move; its digest is only recorded", model.id));
        } else if model.source.is_empty() {
            why.push("[model] `source` does not say what model it is".to_owned());
        } else if model.is_of_hub() {
            why.extend(unpinned_model(model, container));
        }
        why.extend(drafts(container).map(|draft| format!("the draft model {draft} has no revision")));
        why
    }
}

fn unpinned_model(model: &Model, container: &Container) -> Option<String> {
    if !model.is_pinned() {
        let revision = if model.revision.is_empty() { "none" } else { &model.revision };
        return Some(format!("the revision of model {} is `{revision}`, not a commit", model.source));
    }
    let passed = words(container).chain(container.env.values()).any(|word| word.contains("${REVISION}"));
    (!passed).then(|| {
        let source = &model.source;
        format!("the command does not pass `${{REVISION}}`, so the engine loads whatever the newest revision of {source} is")
    })
}

/// Models of a hub that are given to a flag for drafts; one with a revision names it by a flag of its own.
fn drafts(container: &Container) -> impl Iterator<Item = &String> {
    let has_revision = words(container).any(|word| word.contains("draft") && word.contains("revision"));
    let pairs = container.command.windows(2).filter(|pair| pair[0].starts_with("--") && pair[0].contains("draft"));
    pairs.map(|pair| &pair[1]).filter(move |value| !has_revision && is_of_hub(value))
}

fn words(container: &Container) -> impl Iterator<Item = &String> {
    container.entrypoint.iter().flatten().chain(&container.command)
}

impl Model {
    /// Whether `source` names a repository of the Hugging Face hub: `owner/name`, with llama.cpp's `:QUANT` behind it or without.
    #[must_use]
    pub fn is_of_hub(&self) -> bool {
        is_of_hub(&self.source)
    }

    /// Whether the revision is a commit.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.revision.len() == 40 && self.revision.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

fn is_of_hub(source: &str) -> bool {
    let allowed = |part: &str| !part.is_empty() && part.chars().all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one));
    let repository = source.split_once(':').map_or(source, |(repository, _)| repository);
    repository.split_once('/').is_some_and(|(owner, name)| allowed(owner) && allowed(name))
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    /// Why a recipe with this engine, model and command is not pinned.
    fn why(engine: &str, model: &str, command: &str) -> String {
        let digest = format!("sha256:{}", "a".repeat(64));
        let text = format!(
            "name = \"x\"\nengine = \"{engine}\"\ndialect = \"openai\"\n[model]\nid = \"m\"\n{model}\n[container]\nimage = \"i:1\"\n\
             digest = \"{digest}\"\nport = 1\ncommand = {command}\n"
        );
        parse(&text, "x.toml", "x").unwrap().unpinned().join("; ")
    }

    #[test]
    fn model_without_passed_revision_is_unpinned() {
        let commit = format!("revision = \"{}\"", "0".repeat(40));
        let of_hub = |source: &str| format!("source = \"{source}\"\n{commit}");
        let passing = r#"["--revision", "${REVISION}"]"#;
        let cases = [
            why("vllm", &of_hub("a/b"), passing),
            why("vllm", "source = \"a/b\"\nrevision = \"main\"", passing),
            why("vllm", &of_hub("a/b"), "[]"),
            why("llamacpp", &of_hub("a/b:Q4_K_M"), "[]"),
            why("vllm", "", passing),
            why("nim", "source = \"the image's own\"", "[]"),
            why("ollama", "source = \"the library\"", "[]"),
            why("sglang", &of_hub("a/b"), r#"["${REVISION}", "--speculative-draft-model-path", "c/d"]"#),
            why("sglang", &of_hub("a/b"), r#"["${REVISION}", "--draft-model", "c/d", "--draft-model-revision", "e"]"#),
        ];
        insta::assert_snapshot!(cases.join("\n"), @"

        the revision of model a/b is `main`, not a commit
        the command does not pass `${REVISION}`, so the engine loads whatever the newest revision of a/b is
        the command does not pass `${REVISION}`, so the engine loads whatever the newest revision of a/b:Q4_K_M is
        [model] `source` does not say what model it is

        model m is a tag of Ollama's library, which can move; its digest is only recorded
        the draft model c/d has no revision
        ");
    }
}
