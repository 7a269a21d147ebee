//! `recipe new`: a recipe of one's own, begun from one that there is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use record::{ExitCode, recipe::parse};
use toml_edit::{DocumentMut, value};

use crate::{
    UsageError, print,
    recipe_store::{RecipeStore, StoredRecipe, files_of_built_in},
    run_folder, say, whole_file,
};

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Name of the new recipe; it is written to recipes/NAME.toml
    name: String,
    /// Recipe to copy: a name from `recipe list`, or a TOML file
    #[arg(long, value_name = "FILE-OR-NAME")]
    from: String,
}

/// Writes it, and says what comes next.
pub(super) fn run(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let name = &args.name;
    // A name may hold dots, as those of models do.
    let plain = name.replace('.', "-");
    if plain.is_empty() || name.starts_with('.') || plain != run_folder::safe(&plain) {
        return Err(UsageError(format!("`{name}` is no recipe's name: letters, digits, `-`, `_` and `.`, at most 60")).into());
    }
    let store = RecipeStore::open();
    let StoredRecipe { text, folder, .. } = store.load(&args.from).map_err(UsageError::because)?;
    let text = renamed(&text, name).map_err(|why| UsageError(format!("{}: {why}", args.from)))?;
    let path = free_path(&store, name)?;
    let recipe = parse(&text, &path.display().to_string(), name).map_err(UsageError::because)?;
    write(&path, &text)?;
    copy_files(&text, &folder, store.folder())?;
    print(&path.display().to_string());
    say(&format!(
        "yours to change: `sparkgauge recipe check {name}` says what it lacks, `sparkgauge bench --recipe {name}` measures it{}",
        if recipe.unpinned().is_empty() { "" } else { ", `sparkgauge recipe pin` makes it the same engine for ever" }
    ));
    Ok(ExitCode::Success)
}

/// The same recipe under another name, its comments and layout as they were.
fn renamed(text: &str, name: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let item = document.get_mut("name").ok_or("it has no `name`")?;
    let decor = item.as_value().map(|value| value.decor().clone());
    *item = value(name);
    if let (Some(value), Some(decor)) = (item.as_value_mut(), decor) {
        *value.decor_mut() = decor;
    }
    Ok(document.to_string())
}

/// A copy of a built-in recipe in a person's folder, under its own name. Nothing is written yet but the files that it mounts.
pub(super) fn copy_built_in(store: &RecipeStore, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    let path = free_path(store, name)?;
    fs::create_dir_all(store.folder()).with_context(|| format!("cannot make {}", store.folder().display()))?;
    copy_files(text, Path::new(""), store.folder())?;
    Ok(path)
}

fn free_path(store: &RecipeStore, name: &str) -> Result<PathBuf, UsageError> {
    let path = store.folder().join(format!("{name}.toml"));
    if path.exists() {
        return Err(UsageError(format!("{} is there already: choose another name", path.display())));
    }
    Ok(path)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    whole_file::write(path, text)
}

/// Copies the files that a built-in recipe mounts from beside it, unless they are there.
fn copy_files(text: &str, from: &Path, to: &Path) -> anyhow::Result<()> {
    for (path, built_in) in files_of_built_in(text) {
        let (source, target) = (from.join(path), to.join(path));
        if !target.exists() {
            write(&target, &fs::read_to_string(source).unwrap_or_else(|_| built_in.to_owned()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipe_renamed_keeps_its_comments() {
        let text = "# top\nname = 'vllm'  # the name\nengine = \"vllm\"\n";
        assert_eq!(renamed(text, "mine").unwrap(), "# top\nname = \"mine\"  # the name\nengine = \"vllm\"\n");
        assert_eq!(renamed("engine = 'x'\n", "mine").unwrap_err(), "it has no `name`");
    }
}
