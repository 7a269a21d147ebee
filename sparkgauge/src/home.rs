//! Where a person's files lie: in the current folder, or in the clone that `cargo xtask` was called in.

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

static CLONE: OnceLock<Option<PathBuf>> = OnceLock::new();

/// Notes the clone. The first call counts.
pub(crate) fn set(clone: Option<PathBuf>) {
    CLONE.get_or_init(|| clone);
}

/// The clone that `cargo xtask` was called in, if it was.
pub(crate) fn clone() -> Option<&'static Path> {
    CLONE.get().and_then(Option::as_deref)
}

/// The folder that holds all others.
pub(crate) fn folder() -> PathBuf {
    clone().map_or_else(|| env::current_dir().unwrap_or_default(), Path::to_path_buf)
}

/// Recipes of one's own, which go before those that are built in.
pub(crate) fn recipes() -> PathBuf {
    folder().join("recipes")
}

pub(crate) fn runs() -> PathBuf {
    folder().join("runs")
}

/// Accepted runs: `baselines`, and in a clone, where they are committed, `reports/baselines`.
pub(crate) fn baselines() -> PathBuf {
    baselines_in(&folder(), clone().is_some())
}

fn baselines_in(folder: &Path, is_clone: bool) -> PathBuf {
    let committed = folder.join("reports/baselines");
    if is_clone || committed.is_dir() { committed } else { folder.join("baselines") }
}

/// A path from the home folder or the current one on, where it lies in one: what is above is private, and another one elsewhere.
pub(crate) fn shown(path: &Path) -> String {
    let here = env::current_dir().unwrap_or_default();
    let inner = path.strip_prefix(folder()).or_else(|_| path.strip_prefix(here)).unwrap_or(path);
    inner.display().to_string()
}

/// Our folder among those that outlive a run: instrument budgets, the testbed, and what engines compile and download.
pub(crate) fn cache() -> Option<PathBuf> {
    Some(dirs::cache_dir()?.join("sparkgauge"))
}

/// The testbed's folder, there or not: what `${TESTBED}` stands for in recipes.
pub(crate) fn testbed() -> Option<PathBuf> {
    Some(cache()?.join("testbed"))
}

/// The folder of the Hugging Face hub, whose `hub` folder holds the models, by its own documentation of `HF_HOME`.
pub(crate) fn hugging_face() -> Option<PathBuf> {
    let set = env::var_os("HF_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| Some(dirs::cache_dir()?.join("huggingface")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baselines_folder_is_the_committed_one_where_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let committed = folder.path().join("reports/baselines");
        assert_eq!(baselines_in(folder.path(), false), folder.path().join("baselines"));
        assert_eq!(baselines_in(folder.path(), true), committed);
        std::fs::create_dir_all(&committed).unwrap();
        assert_eq!(baselines_in(folder.path(), false), committed);
    }
}
