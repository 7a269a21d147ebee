//! The Hugging Face hub's cache on this machine: which commit of a model is there.
//!
//! Layout and variables: <https://huggingface.co/docs/huggingface_hub>, "Understand caching" and "Environment variables".

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// The folder that holds the hub's files: `$HF_HOME`, else `~/.cache/huggingface`.
pub(crate) fn home(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("HF_HOME")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("huggingface")))
        .or_else(|| Some(set("HOME")?.join(".cache/huggingface")))
}

/// The folder that holds the models: `$HF_HUB_CACHE`, else `hub` in the folder above.
pub(crate) fn models(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = variable("HF_HUB_CACHE").filter(|value| !value.is_empty()).map(PathBuf::from);
    set.or_else(|| Some(home(variable)?.join("hub")))
}

/// The commit that a branch of `owner/name` stands for in the cache, or why that cannot be told.
pub(crate) fn commit(models: &Path, source: &str, branch: &str) -> Result<String, String> {
    let branch = if branch.is_empty() { "main" } else { branch };
    if branch.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err(format!("`{branch}` is no branch's name"));
    }
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
    fn the_cache_is_where_the_variables_say() {
        let check = |set: &[(&str, &str)], expected: Option<&str>| {
            let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(models(&variable), expected.map(PathBuf::from), "{set:?}");
        };
        check(&[("HF_HUB_CACHE", "/a"), ("HF_HOME", "/b"), ("HOME", "/c")], Some("/a"));
        check(&[("HF_HUB_CACHE", ""), ("HF_HOME", "/b"), ("HOME", "/c")], Some("/b/hub"));
        check(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/c")], Some("/x/huggingface/hub"));
        check(&[("HOME", "/c")], Some("/c/.cache/huggingface/hub"));
        check(&[], None);
    }

    #[test]
    fn a_branch_is_a_commit_in_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let refs = folder.path().join("models--openai--gpt-oss-20b/refs");
        fs::create_dir_all(&refs).unwrap();
        let hash = "0123456789abcdef0123456789abcdef01234567";
        fs::write(refs.join("main"), format!("{hash}\n")).unwrap();
        fs::write(refs.join("odd"), "no commit").unwrap();
        assert_eq!(commit(folder.path(), "openai/gpt-oss-20b", "").as_deref(), Ok(hash));
        assert_eq!(commit(folder.path(), "openai/gpt-oss-20b", "main").as_deref(), Ok(hash));
        let why = |branch: &str| commit(folder.path(), "openai/gpt-oss-20b", branch).unwrap_err();
        assert!(why("odd").ends_with("odd: holds no commit"));
        assert!(why("v2").contains("hf download openai/gpt-oss-20b"));
        assert!(why("../../x").contains("is no branch's name"));
    }
}
