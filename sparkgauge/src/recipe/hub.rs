//! The Hugging Face hub's cache on this machine: which commit of a model is there.
//!
//! Layout and variables: <https://huggingface.co/docs/huggingface_hub>, "Understand caching" and "Environment variables".

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// The folder that holds the models, below the one that recipes mount.
///
/// `HF_HUB_CACHE` is not looked at, though it moves this folder for the hub's own programs: recipes mount the folder above, so a model
/// elsewhere would be pinned and never be served.
pub(crate) fn models(home: &Path) -> PathBuf {
    home.join("hub")
}

/// What to say of `HF_HUB_CACHE` where it leads elsewhere: what was downloaded there is not found here.
pub(crate) fn unmounted_cache_note(models: &Path, hub_cache: Option<OsString>) -> Option<String> {
    let set = hub_cache.filter(|value| !value.is_empty()).map(PathBuf::from).filter(|set| set != models)?;
    let (set, models) = (set.display(), models.display());
    Some(format!(
        "HF_HUB_CACHE is {set}, but recipes mount what holds {models}: download with HF_HUB_CACHE unset, or move HF_HOME"
    ))
}

/// The commit that a branch of `owner/name` stands for in the cache, or why that cannot be told.
pub(crate) fn commit(models: &Path, source: &str, branch: &str) -> Result<String, String> {
    let branch = if branch.is_empty() { "main" } else { branch };
    if branch.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(format!("`{branch}` is no branch's name"));
    }
    // llama.cpp's `:QUANT` names a file of the repository.
    let source = source.split_once(':').map_or(source, |(repository, _)| repository);
    let file = models.join(format!("models--{}", source.replace('/', "--"))).join("refs").join(branch);
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("{}: {error}; download the model first: `hf download {source}`", file.display()))?;
    let commit = text.trim();
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("{}: holds no commit", file.display()));
    }
    Ok(commit.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_that_recipes_do_not_mount_is_named() {
        let models = models(Path::new("/b"));
        let said = |set: &str| unmounted_cache_note(&models, Some(OsString::from(set)));
        assert!(said("/a").unwrap().contains("HF_HUB_CACHE is /a, but recipes mount what holds /b/hub"));
        assert_eq!([said("/b/hub/"), said(""), unmounted_cache_note(&models, None)], [None, None, None]);
    }

    #[test]
    fn branch_is_resolved_to_its_commit_in_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let refs = folder.path().join("models--openai--gpt-oss-20b/refs");
        fs::create_dir_all(&refs).unwrap();
        let hash = "0123456789abcdef0123456789abcdef01234567";
        fs::write(refs.join("main"), format!("{hash}\n")).unwrap();
        fs::write(refs.join("odd"), "no commit").unwrap();
        assert_eq!(commit(folder.path(), "openai/gpt-oss-20b", "").as_deref(), Ok(hash));
        assert_eq!(commit(folder.path(), "openai/gpt-oss-20b", "main").as_deref(), Ok(hash));
        assert_eq!(commit(folder.path(), "openai/gpt-oss-20b:Q8_0", "main").as_deref(), Ok(hash));
        let why = |branch: &str| commit(folder.path(), "openai/gpt-oss-20b", branch).unwrap_err();
        assert!(why("odd").ends_with("odd: holds no commit"));
        assert!(why("v2").contains("hf download openai/gpt-oss-20b"));
        assert!(why("../../x").contains("is no branch's name"));
    }
}
