//! `recipe check`: what is wrong with a recipe, and what about it would spoil a measurement without a word.

use std::{collections::BTreeSet, env};

use bench::terminal::as_called;
use record::{
    ExitCode, Recipe,
    recipe::{Container, repository},
};

use super::boot::{self, Places};
use crate::{
    docker::{self, Image},
    print,
    recipe_store::RecipeStore,
    say,
};

mod agreement;
mod flags;
mod mounts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The engine cannot boot or be reached.
    Error,
    /// It boots, but the measurement may differ from what was meant.
    Warning,
    Note,
}

#[derive(Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    text: String,
}

impl Finding {
    fn new(level: Level, text: impl Into<String>) -> Self {
        Self { level, text: text.into() }
    }
}

/// Checks recipes by name or path, all of them by default.
pub(crate) fn run(names: &[String]) -> ExitCode {
    let store = RecipeStore::open();
    let names = if names.is_empty() { store.names() } else { names.to_vec() };
    let mut wrong = 0;
    let mut no_docker = None;
    for name in &names {
        let stored = match store.load(name) {
            Ok(loaded) => loaded,
            Err(error) => {
                say(&format!("{name}: wrong: {error}"));
                wrong += 1;
                continue;
            }
        };
        let recipe = &stored.recipe;
        let mut findings = recipe_findings(recipe);
        findings.extend(machine_findings(recipe, &Places::of_this_machine(&stored.folder), &stored.text));
        if let Some(container) = recipe.container.as_ref().filter(|_| no_docker.is_none()) {
            match docker::image(&image_reference(container)) {
                Ok(image) => findings.extend(image_finding(container, image.as_ref())),
                Err(error) => no_docker = Some(error),
            }
        }
        wrong += findings.iter().filter(|finding| finding.level == Level::Error).count();
        show(name, &findings);
    }
    if let Some(error) = no_docker {
        say(&format!("images were not looked at: {error}"));
    }
    if wrong == 0 { ExitCode::Success } else { ExitCode::Usage }
}

fn show(name: &str, findings: &[Finding]) {
    if findings.is_empty() {
        print(&format!("{name}: fine"));
    }
    for finding in findings {
        let level = match finding.level {
            Level::Error => "wrong",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        print(&as_called(&format!("{name}: {level}: {}", finding.text)));
    }
}

/// What the recipe itself tells.
fn recipe_findings(recipe: &Recipe) -> Vec<Finding> {
    let mut findings = placeholders(recipe);
    findings.extend(recipe.unpinned().into_iter().map(|why| Finding::new(Level::Warning, format!("not pinned: {why}"))));
    let model = &recipe.model;
    if recipe.container.as_ref().is_some_and(|container| !container.is_pinned() || model.is_of_hub() && !model.is_pinned()) {
        let pin = format!("`sparkgauge recipe pin {}` writes the digest and the commit that are on this machine", recipe.name);
        findings.push(Finding::new(Level::Note, pin));
    }
    if let Some(container) = &recipe.container {
        findings.extend(flags::findings(recipe, container));
    }
    findings.extend(agreement::findings(recipe));
    findings
}

/// Each field knows its own placeholders; any other would be a typing error, or a variable of a shell that nobody runs.
fn placeholders(recipe: &Recipe) -> Vec<Finding> {
    const INSIDE: [&str; 3] = ["PORT", "MODEL", "REVISION"];
    const PROCESS: [&str; 3] = ["PORT", "TESTBED", "RECIPES"];
    let mut findings = BTreeSet::new();
    let mut check = |field: &str, text: &str, known: &[&str]| match boot::placeholders(text) {
        Err(why) => drop(findings.insert(format!("{field}: {why}"))),
        Ok(names) => {
            for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
                let known: Vec<_> = known.iter().map(|name| format!("${{{name}}}")).collect();
                findings.insert(format!("{field}: unknown placeholder `${{{name}}}`; known there are {}", known.join(", ")));
            }
        }
    };
    if let Some(container) = &recipe.container {
        for word in container.command.iter().chain(container.entrypoint.iter().flatten()) {
            check("[container] command", word, &INSIDE);
        }
        for (name, value) in &container.env {
            check(&format!("[container] env `{name}`"), value, &INSIDE);
        }
        for mount in &container.mounts {
            check("[container] mounts", &mount.source, &Places::NAMES);
        }
    }
    if let Some(process) = &recipe.process {
        for word in process.command.iter().chain(process.env.values()) {
            check("[process]", word, &PROCESS);
        }
    }
    if let Some(tokenizer) = &recipe.model.tokenizer {
        check("[model] tokenizer", tokenizer, &Places::NAMES);
    }
    findings.into_iter().map(|text| Finding::new(Level::Error, text)).collect()
}

/// What this machine lacks for it.
fn machine_findings(recipe: &Recipe, places: &Places, text: &str) -> Vec<Finding> {
    let mut findings = mounts::findings(recipe, places, text);
    for name in recipe.secrets.iter().filter(|name| env::var_os(name).is_none_or(|value| value.is_empty())) {
        findings.push(Finding::new(Level::Warning, format!("the secret `{name}` is not set in this environment")));
    }
    findings
}

/// An id names an image by itself; a registry's digest needs the repository.
fn image_reference(container: &Container) -> String {
    match &container.digest {
        Some(digest) if docker::image(digest).is_ok_and(|image| image.is_some()) => digest.clone(),
        Some(digest) => format!("{}@{digest}", repository(&container.image)),
        None => container.image.clone(),
    }
}

fn image_finding(container: &Container, image: Option<&Image>) -> Option<Finding> {
    let Some(image) = image else {
        let pull = format!("`docker pull {}` fetches it", container.image);
        return Some(Finding::new(Level::Note, format!("the image {} is not on this machine; {pull}", container.image)));
    };
    let built_for = format!("{}/{}", image.os, image.architecture);
    let wanted = container.platform.as_deref().filter(|wanted| *wanted != built_for)?;
    Some(Finding::new(Level::Warning, format!("the image on this machine is built for {built_for}, not for {wanted}")))
}

#[cfg(test)]
mod tests;
