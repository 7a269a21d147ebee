//! What a recipe would run, as a command line that a person can read and type.
//!
//! It is for people and for snapshots: a run boots containers through the daemon's interface, with the same parts.

use std::path::{Path, PathBuf};

use record::{
    Recipe,
    recipe::{Container, Gpus, Ipc, Process, repository},
};

use crate::home;

/// What the placeholders for places stand for. One that is not known stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// `${HF_CACHE}`.
    pub(crate) hf_cache: Option<PathBuf>,
    /// `${CACHE}`.
    pub(crate) cache: Option<PathBuf>,
    /// `${TESTBED}`.
    pub(crate) testbed: Option<PathBuf>,
    /// `${RECIPES}`.
    pub(crate) recipes: Option<PathBuf>,
}

impl Places {
    /// Those of this machine, for a recipe that lies in `folder`.
    pub(crate) fn of_this_machine(folder: &Path) -> Self {
        Self {
            hf_cache: home::hugging_face(),
            cache: home::cache(),
            testbed: home::testbed(),
            recipes: Some(folder.to_path_buf()),
        }
    }

    /// The names that stand for places.
    pub(crate) const NAMES: [&str; 4] = ["HF_CACHE", "CACHE", "TESTBED", "RECIPES"];

    fn value(&self, name: &str) -> Option<String> {
        let place = match name {
            "HF_CACHE" => &self.hf_cache,
            "CACHE" => &self.cache,
            "TESTBED" => &self.testbed,
            "RECIPES" => &self.recipes,
            _ => return None,
        };
        place.as_ref().map(|path| path.display().to_string())
    }

    /// A text with the places filled in that are known.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        replace_placeholders(text, |name| self.value(name))
    }
}

/// The names of the placeholders in a text.
pub(crate) fn placeholders(text: &str) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    replace_placeholders(text, |name| {
        names.push(name.to_owned());
        None
    })?;
    Ok(names)
}

/// Replaces each `${NAME}` for which `value` has one.
fn replace_placeholders(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or_else(|| format!("`{text}` has a `${{` without its `}}`"))?;
        done.push_str(before);
        match value(name) {
            Some(value) => done.push_str(&value),
            None => done.extend(["${", name, "}"]),
        }
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

/// The command that a recipe amounts to. `${PORT}` stays where a free port is chosen at each boot.
pub(crate) fn as_command(recipe: &Recipe, places: &Places) -> Result<String, String> {
    if let Some(container) = &recipe.container {
        return as_docker_run(recipe, container, places);
    }
    if let Some(process) = &recipe.process {
        return as_process(process, places);
    }
    let url = recipe.attach.as_ref().map_or("", |attach| attach.url.as_str());
    Ok(format!("# nothing: the server at {url} already runs"))
}

fn as_process(process: &Process, places: &Places) -> Result<String, String> {
    let mut words = Vec::new();
    for (name, value) in &process.env {
        words.push(format!("{name}={}", quote(&places.fill(value)?)));
    }
    for word in &process.command {
        words.push(quote(&places.fill(word)?));
    }
    Ok(break_lines(&words))
}

fn as_docker_run(recipe: &Recipe, container: &Container, places: &Places) -> Result<String, String> {
    let inside = |text: &str| {
        let value = |name: &str| match name {
            "PORT" => Some(container.port.to_string()),
            "MODEL" => Some(recipe.model.source.clone()),
            "REVISION" => Some(recipe.model.revision.clone()),
            _ => None,
        };
        replace_placeholders(text, value)
    };
    let mut words = vec!["docker".to_owned(), "run".to_owned()];
    let mut flag = |name: &str, value: &str| words.extend([format!("--{name}"), quote(value)]);
    if let Some(platform) = &container.platform {
        flag("platform", platform);
    }
    if container.gpus == Gpus::All {
        flag("gpus", "all");
    }
    if container.ipc == Ipc::Host {
        flag("ipc", "host");
    }
    if let Some(shm_mib) = container.shm_mib {
        flag("shm-size", &format!("{shm_mib}m"));
    }
    if let Some(limit) = container.memory_limit_mib {
        flag("memory", &format!("{limit}m"));
    }
    for (name, limit) in &container.ulimits {
        flag("ulimit", &format!("{name}={}:{}", limit.soft, limit.hard));
    }
    flag("publish", &format!("127.0.0.1:{}:{}", container.host_port, container.port));
    for mount in &container.mounts {
        let end = if mount.writable { "" } else { ",readonly" };
        flag("mount", &format!("type=bind,source={},target={}{end}", places.fill(&mount.source)?, mount.target));
    }
    for (name, value) in &container.env {
        flag("env", &format!("{name}={}", inside(value)?));
    }
    // By name only: docker takes the value from the environment that it is started in.
    for name in &recipe.secrets {
        flag("env", name);
    }
    let mut command = container.command.iter().map(|word| inside(word)).collect::<Result<Vec<_>, _>>()?;
    if let Some(entrypoint) = &container.entrypoint {
        flag("entrypoint", entrypoint.first().map_or("", String::as_str));
        command.splice(0..0, entrypoint.iter().skip(1).cloned());
    }
    let inside: Vec<_> = [image(container)].iter().chain(&command).map(|word| quote(word)).collect();
    Ok(format!("{} \\\n    {}", break_lines(&words), break_lines(&inside)))
}

/// With its digest, the tag says nothing any more.
fn image(container: &Container) -> String {
    match &container.digest {
        Some(digest) => format!("{}@{digest}", repository(&container.image)),
        None => container.image.clone(),
    }
}

/// What to say beneath the command: by its text a registry's digest cannot be told from the id of an image that was made here, of which
/// no registry knows. A run takes either.
pub(crate) fn local_id_note(container: &Container) -> Option<String> {
    let digest = container.digest.as_ref()?;
    Some(format!(
        "# if {digest} is the id of an image that was made on this machine, `docker run` takes {} instead",
        container.image
    ))
}

/// A word as a shell needs it.
fn quote(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_=./:,@%+".contains(character);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// One flag with its value on each line.
fn break_lines(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        match text.is_empty() {
            true => {}
            false if word.starts_with('-') => text.push_str(" \\\n    "),
            false => text.push(' '),
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests;
