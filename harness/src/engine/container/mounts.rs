//! Checks a container's mounts before the boot: Docker's own error comes late and gives little detail.

use std::{fs, path::Path};

use record::recipe;

use crate::engine::DockerError;

/// Makes sure that what is mounted is there. `written` are the mounts as the recipe has them, `filled` the same with their placeholders
/// filled in. Folders below `${CACHE}` that the engine may write to are ours, and are made; any other that is missing is a mistake or
/// was not filled yet.
pub(super) fn prepare(written: &[recipe::Mount], filled: &[recipe::Mount]) -> Result<(), DockerError> {
    for (written, filled) in written.iter().zip(filled) {
        let missing =
            |hint: String| DockerError::MountMissing { path: filled.source.clone(), target: filled.target.clone(), hint };
        let path = Path::new(&filled.source);
        if !path.is_absolute() {
            return Err(missing("it is not absolute; correct `source` in [container] mounts".to_owned()));
        }
        if path.exists() {
            continue;
        }
        if written.source.starts_with("${CACHE}") && !written.writable {
            return Err(missing(
                "the engine only reads it, so it must be filled first; the recipe's comments say how".to_owned(),
            ));
        } else if written.source.starts_with("${CACHE}") {
            fs::create_dir_all(path).map_err(|error| missing(format!("it cannot be made: {error}")))?;
        } else if written.source.starts_with("${HF_CACHE}") {
            return Err(missing(
                "download the model first (`hf download OWNER/NAME`), or make the folder for the engine to download to; HF_HOME says \
                 where the cache is"
                    .to_owned(),
            ));
        } else {
            return Err(missing("make it, or correct `source` in [container] mounts".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_source_is_created_only_inside_the_cache() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_string_lossy().into_owned();
        let prepared = |written: &str, filled: &str, writable: bool| {
            let mount = |source: &str| recipe::Mount { source: source.replace("ROOT", &root), target: "/x".to_owned(), writable };
            prepare(&[mount(written)], &[mount(filled)]).map_err(|error| error.to_string().replace(&root, "ROOT"))
        };
        let check = |written: &str, filled: &str| prepared(written, filled, true);
        let unfilled = prepared("${CACHE}/a/b", "ROOT/a/b", false).unwrap_err();
        assert!(unfilled.contains("must be filled first"), "{unfilled}");
        assert_eq!(check("${CACHE}/a/b", "ROOT/a/b"), Ok(()));
        assert!(folder.path().join("a/b").is_dir());
        assert_eq!(check("ROOT/a", "ROOT/a"), Ok(()));
        let refused =
            [("${HF_CACHE}", "ROOT/hf"), ("ROOT/y", "ROOT/y"), ("${RECIPES}", "recipes"), ("${CACHE}/x", "/dev/null/x")]
                .map(|(written, filled)| check(written, filled).unwrap_err());
        insta::assert_snapshot!(refused.join("\n"), @"
        the folder ROOT/hf, which is mounted as /x in the container, does not exist: download the model first (`hf download OWNER/NAME`), or make the folder for the engine to download to; HF_HOME says where the cache is
        the folder ROOT/y, which is mounted as /x in the container, does not exist: make it, or correct `source` in [container] mounts
        the folder recipes, which is mounted as /x in the container, does not exist: it is not absolute; correct `source` in [container] mounts
        the folder /dev/null/x, which is mounted as /x in the container, does not exist: it cannot be made: Not a directory (os error 20)
        ");
        assert!(!folder.path().join("hf").exists());
    }
}
