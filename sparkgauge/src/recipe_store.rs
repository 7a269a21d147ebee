//! Recipes: those in the recipes folder, and those that are built in, found by name or path.

use std::{
    fs,
    path::{Path, PathBuf},
};

use record::{
    Recipe,
    recipe::{RecipeError, parse},
};

use crate::home;

mod built_in;

pub(crate) use built_in::files_of as files_of_built_in;

/// Where recipes are looked for by name: a folder first, then what is built in.
#[derive(Debug, Clone)]
pub(crate) struct RecipeStore {
    folder: PathBuf,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredRecipe {
    pub(crate) recipe: Recipe,
    /// TOML with its comments.
    pub(crate) text: String,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// The folder that `${RECIPES}` stands for.
    pub(crate) folder: PathBuf,
}

/// Where a recipe comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    File(PathBuf),
    BuiltIn,
}

impl RecipeStore {
    /// Recipes of the current folder or clone, and built-in ones.
    pub(crate) fn open() -> Self {
        Self::of(home::recipes())
    }

    /// Recipes of a folder, and built-in ones.
    pub(crate) fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Loads a recipe by name or by path. A name may hold dots, as those of models do.
    pub(crate) fn load(&self, name_or_path: &str) -> Result<StoredRecipe, RecipeError> {
        let is_path = name_or_path.contains(['/', '\\']) || Path::new(name_or_path).extension().is_some_and(|end| end == "toml");
        let path = if is_path { PathBuf::from(name_or_path) } else { self.folder.join(format!("{name_or_path}.toml")) };
        if path.is_file() {
            return from_file(path);
        }
        match built_in::text(name_or_path).filter(|_| !is_path) {
            Some(text) => from_text(name_or_path, text),
            None => Err(RecipeError::NotFound {
                name: name_or_path.to_owned(),
                looked: path.display().to_string(),
                known: self.names().join(", "),
            }),
        }
    }

    /// Every recipe, by name; or why one cannot be used.
    pub(crate) fn all(&self) -> Vec<Result<StoredRecipe, RecipeError>> {
        self.names().iter().map(|name| self.load(name)).collect()
    }

    /// The names of all, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        let mut names: Vec<_> = files
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
            .chain(built_in::names().map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

fn from_file(path: PathBuf) -> Result<StoredRecipe, RecipeError> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| RecipeError::Unreadable { path: shown.clone(), why: error.to_string() };
    let text = fs::read_to_string(&path).map_err(unreadable)?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let recipe = parse(&text, &shown, &stem)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let folder = fs::canonicalize(&folder).unwrap_or(folder);
    Ok(StoredRecipe { recipe, text, origin: Origin::File(path), folder })
}

fn from_text(name: &str, text: &str) -> Result<StoredRecipe, RecipeError> {
    let recipe = parse(text, &format!("the built-in recipe {name}"), name)?;
    let folder = built_in::folder_for(text)
        .map_err(|error| RecipeError::Unreadable { path: name.to_owned(), why: format!("the files beside it: {error:#}") })?;
    Ok(StoredRecipe { recipe, text: text.to_owned(), origin: Origin::BuiltIn, folder })
}

#[cfg(test)]
mod tests;
