//! Recipes as files: found by name or path, parsed, and checked for what a type cannot say.

use std::{
    fs,
    path::{Path, PathBuf},
};

use record::Recipe;

/// A recipe that cannot be used. Each message says which file, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// No such file.
    #[error("no recipe `{name}`: {looked} does not exist; known recipes: {known}")]
    NotFound {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        looked: String,
        /// What there is.
        known: String,
    },
    /// The file cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// Not TOML, a wrong type, an unknown or a missing key.
    #[error("{path}: {why}")]
    Syntax {
        /// The file.
        path: String,
        /// What, with line and column.
        why: String,
    },
    /// The parts do not fit together.
    #[error("{path}: {why}")]
    Contradiction {
        /// The file.
        path: String,
        /// What, and what to do.
        why: String,
    },
}

/// Loads a recipe by name (`recipes/NAME.toml`) or by path. Returns the folder that it lies in too, for `${RECIPES}`.
pub fn load(name_or_path: &str, recipes_dir: &Path) -> Result<(Recipe, PathBuf), RecipeError> {
    let is_path = name_or_path.contains(['/', '\\']) || Path::new(name_or_path).extension().is_some();
    let path = if is_path { PathBuf::from(name_or_path) } else { recipes_dir.join(format!("{name_or_path}.toml")) };
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(RecipeError::NotFound { name: name_or_path.to_owned(), looked: shown, known: known(recipes_dir).join(", ") });
    }
    let text =
        fs::read_to_string(&path).map_err(|error| RecipeError::Unreadable { path: shown.clone(), why: error.to_string() })?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let recipe = parse(&text, &shown, &stem)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    Ok((recipe, fs::canonicalize(&folder).unwrap_or(folder)))
}

/// The names of the recipes in a folder, sorted.
#[must_use]
pub fn known(recipes_dir: &Path) -> Vec<String> {
    let Ok(folder) = fs::read_dir(recipes_dir) else { return Vec::new() };
    let files = folder.filter_map(Result::ok).map(|entry| entry.path());
    let mut names: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// Parses a recipe's text. `path` is for messages, `stem` the name that it must carry.
pub fn parse(text: &str, path: &str, stem: &str) -> Result<Recipe, RecipeError> {
    let recipe: Recipe = toml::from_str(text)
        .map_err(|error| RecipeError::Syntax { path: path.to_owned(), why: error.to_string().trim_end().to_owned() })?;
    let contradiction = if recipe.name != stem {
        Some(format!("`name` is `{}` but the file is `{stem}.toml`; make them the same", recipe.name))
    } else if recipe.model.id.trim().is_empty() {
        Some("[model] `id` is empty; it is the name sent in requests".to_owned())
    } else {
        launch_contradiction(&recipe)
    };
    contradiction.map_or(Ok(recipe), |why| Err(RecipeError::Contradiction { path: path.to_owned(), why }))
}

fn launch_contradiction(recipe: &Recipe) -> Option<String> {
    match (&recipe.process, &recipe.attach) {
        (Some(_), Some(_)) => Some("it has both [process] and [attach]; keep one".to_owned()),
        (None, None) => Some("it says nothing of how the engine comes to run; add [process] or [attach]".to_owned()),
        (Some(process), None) if process.command.is_empty() => Some("[process] `command` is empty".to_owned()),
        (Some(process), None) if process.port == 0 && !process.command.iter().any(|word| word.contains("${PORT}")) => {
            Some("[process] `port` is 0 but `command` has no `${PORT}`, so the engine could not know its port".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
