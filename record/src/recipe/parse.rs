//! A recipe's text, parsed and checked for what a type cannot say.

use super::{Container, PrefixCache, Recipe, container::is_digest};
use crate::{
    EngineName,
    secret_name::{exposed_secret, is_secret_name, is_variable_name},
};

/// A recipe that cannot be used. Each message says which file, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// No file and no built-in recipe has that name.
    #[error("no recipe `{name}`: {looked} does not exist; known recipes: {known}")]
    NotFound {
        /// The name that was requested.
        name: String,
        /// The path or paths that were tried.
        looked: String,
        /// Names of the recipes that there are, for the message.
        known: String,
    },
    /// The file cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// What the system reports, e.g. that permission is denied.
        why: String,
    },
    /// Not TOML, a wrong type, an unknown or a missing key.
    #[error("{path}: {why}")]
    Syntax {
        /// Path of the file.
        path: String,
        /// What, with line and column.
        why: String,
    },
    /// The parts do not fit together.
    #[error("{path}: {why}")]
    Contradiction {
        /// Path of the file.
        path: String,
        /// Which keys contradict each other, and which one to change.
        why: String,
    },
}

/// Parses a recipe's text. `path` is for messages, `stem` the name that it must carry.
// Inline, so that what reads TOML is compiled where it is called: this crate is optimised for records, which costs seconds.
#[inline]
pub fn parse(text: &str, path: &str, stem: &str) -> Result<Recipe, RecipeError> {
    let recipe: Recipe = toml::from_str(text)
        .map_err(|error| RecipeError::Syntax { path: path.to_owned(), why: error.to_string().trim_end().to_owned() })?;
    match contradiction(&recipe, stem) {
        None => Ok(recipe),
        Some(why) => Err(RecipeError::Contradiction { path: path.to_owned(), why }),
    }
}

fn contradiction(recipe: &Recipe, stem: &str) -> Option<String> {
    if recipe.name != stem {
        return Some(format!("`name` is `{}` but the file is `{stem}.toml`; make them the same", recipe.name));
    }
    if recipe.model.id.trim().is_empty() {
        return Some("[model] `id` is empty; it is the name sent in requests".to_owned());
    }
    // The text itself is not repeated: somebody may have written a value there.
    if let Some(at) = recipe.secrets.iter().position(|name| !is_variable_name(name)) {
        return Some(format!("`secrets` takes names of environment variables and no values; number {} is none", at + 1));
    }
    let ways = [
        ("[container]", recipe.container.is_some()),
        ("[process]", recipe.process.is_some()),
        ("[attach]", recipe.attach.is_some()),
    ];
    let given: Vec<_> = ways.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    match given.as_slice() {
        [] => return Some("it has no way to start or reach the engine; add [container], [process] or [attach]".to_owned()),
        [_] => {}
        many => return Some(format!("it has {}; keep one", many.join(" and "))),
    }
    if let Some(process) = &recipe.process {
        if process.command.is_empty() {
            return Some("[process] `command` is empty".to_owned());
        }
        if process.port == 0 && !process.command.iter().any(|word| word.contains("${PORT}")) {
            return Some(
                "[process] `port` is 0 but `command` has no `${PORT}`, so the engine could not know its port".to_owned(),
            );
        }
    }
    let container = recipe.container.as_ref();
    let unbootable = container.and_then(|container| image_contradiction(container).or_else(|| mount_contradiction(container)));
    unbootable.or_else(|| secret_contradiction(recipe)).or_else(|| policy_contradiction(recipe))
}

fn image_contradiction(container: &Container) -> Option<String> {
    let image = &container.image;
    let name = image.rsplit('/').next().unwrap_or_default();
    if image.trim().is_empty() || image.contains(char::is_whitespace) {
        return Some("[container] `image` is not an image's name".to_owned());
    }
    if image.contains('@') {
        return Some("[container] `image` holds a digest; write it as `digest`, and the tag it came from in `image`".to_owned());
    }
    if !name.contains(':') {
        return Some(format!("[container] `image` has no tag; write `{image}:TAG`, so that a reader knows which one was meant"));
    }
    if let Some(digest) = container.digest.as_deref().filter(|digest| !is_digest(digest)) {
        return Some(format!("[container] `digest` is `{digest}`, not `sha256:` and 64 hexadecimal digits"));
    }
    (container.port == 0)
        .then(|| "[container] `port` is 0; write the port that the engine listens on inside the container".to_owned())
}

fn mount_contradiction(container: &Container) -> Option<String> {
    container.mounts.iter().find_map(|mount| {
        if !mount.target.starts_with('/') {
            return Some(format!("[container] mounts: `target` is `{}`; it must be absolute", mount.target));
        }
        let source = &mount.source;
        (!source.starts_with(['/', '$']))
            .then(|| format!("[container] mounts: `source` is `{source}`; it must be absolute or begin with a placeholder"))
    })
}

/// Flags that decide for every workload what only the workload may decide, and whether each turns the cache on.
const CACHE_FLAGS: [(&str, bool); 5] = [
    ("--enable-prefix-caching", true),
    ("--no-enable-prefix-caching", false),
    ("--disable-radix-cache", false),
    ("--cache-prompt", true),
    ("--no-cache-prompt", false),
];

fn policy_contradiction(recipe: &Recipe) -> Option<String> {
    let words = words(recipe);
    let given = CACHE_FLAGS.iter().find(|(flag, _)| words.iter().any(|word| word == flag));
    match (recipe.prefix_cache, given) {
        (PrefixCache::Workload, Some((flag, _))) => Some(format!(
            "the command has `{flag}`, but the workload decides what the prefix cache may do; leave it out, or say `prefix_cache = \
             \"off\"` above if the engine is to have none"
        )),
        (PrefixCache::Off, Some((flag, true))) => {
            Some(format!("the command has `{flag}`, but `prefix_cache` is \"off\"; keep one"))
        }
        // The others are told by a file or a variable, or cannot be told.
        (PrefixCache::Off, None) if matches!(recipe.engine, EngineName::Vllm | EngineName::Sglang | EngineName::Llamacpp) => {
            let off: Vec<_> = CACHE_FLAGS.iter().filter(|(_, on)| !on).map(|(flag, _)| *flag).collect();
            Some(format!("`prefix_cache` is \"off\", but no flag of the command turns it off: {}", off.join(", ")))
        }
        _ => None,
    }
}

fn words(recipe: &Recipe) -> Vec<&str> {
    let container = recipe.container.iter().flat_map(|one| one.entrypoint.iter().flatten().chain(&one.command));
    let process = recipe.process.iter().flat_map(|one| &one.command);
    container.chain(process).map(String::as_str).collect()
}

/// A secret by value would be in every record of the recipe. Its text is not repeated here either.
fn secret_contradiction(recipe: &Recipe) -> Option<String> {
    if let Some(flag) = exposed_secret(&words(recipe)) {
        return Some(format!(
            "the command has a key behind `{flag}`, for anyone to see; give it by a variable that `secrets` names"
        ));
    }
    let container = recipe.container.iter().flat_map(|one| &one.env);
    let process = recipe.process.iter().flat_map(|one| &one.env);
    let (name, _) = container
        .chain(process)
        .find(|(name, value)| recipe.secrets.contains(name) || is_secret_name(name) && !value.is_empty())?;
    Some(format!(
        "`env` gives `{name}` a value for anyone to see; remove it there, name it in `secrets`, and set it where you run this"
    ))
}
