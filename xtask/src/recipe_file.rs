//! Recipes as files: found by name or path.

use std::{
    fs,
    path::{Path, PathBuf},
};

use record::{
    Recipe,
    recipe::{RecipeError, parse},
};

/// The workspace's recipes.
pub(crate) fn folder() -> PathBuf {
    crate::run_folder::workspace().join("recipes")
}

/// Loads a recipe by name (`recipes/NAME.toml`) or by path. Returns the folder that it lies in too, for `${RECIPES}`.
pub(crate) fn load(name_or_path: &str, recipes_dir: &Path) -> Result<(Recipe, PathBuf), RecipeError> {
    let path = path(name_or_path, recipes_dir);
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

/// The file that a name or a path means. A name may hold dots, as those of models do.
pub(crate) fn path(name_or_path: &str, recipes_dir: &Path) -> PathBuf {
    let is_path = name_or_path.contains(['/', '\\']) || Path::new(name_or_path).extension().is_some_and(|end| end == "toml");
    if is_path { PathBuf::from(name_or_path) } else { recipes_dir.join(format!("{name_or_path}.toml")) }
}

/// Every recipe in a folder, by name; or why one cannot be used.
pub(crate) fn all(recipes_dir: &Path) -> Vec<Result<Recipe, RecipeError>> {
    known(recipes_dir).iter().map(|name| load(name, recipes_dir).map(|(recipe, _)| recipe)).collect()
}

/// The names of the recipes in a folder, sorted.
#[must_use]
pub(crate) fn known(recipes_dir: &Path) -> Vec<String> {
    let Ok(folder) = fs::read_dir(recipes_dir) else { return Vec::new() };
    let files = folder.filter_map(Result::ok).map(|entry| entry.path());
    let mut names: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "name = 'mine'\nengine = 'llamacpp'\ndialect = 'llamacpp'\n[model]\nid = 'tiny'\n[attach]\nurl = 'http://127.0.0.1:1'\n";

    #[test]
    fn not_found_names_what_there_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine.toml"), GOOD).unwrap();
        let message = load("yours", folder.path()).unwrap_err().to_string();
        assert!(message.starts_with("no recipe `yours`: ") && message.ends_with("known recipes: mine"), "{message}");
        assert_eq!(load("mine", folder.path()).unwrap().0.name, "mine");
        let path = folder.path().join("mine.toml");
        assert_eq!(load(&path.to_string_lossy(), Path::new("elsewhere")).unwrap().0.name, "mine");
    }
}
