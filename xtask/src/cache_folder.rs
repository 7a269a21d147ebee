//! Folders of this user that outlive a run.

use std::{env, ffi::OsString, path::PathBuf};

/// Our own: the testbed, and what engines compile and download.
pub(crate) fn own() -> Option<PathBuf> {
    Some(base(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"))?.join("sparkgauge"))
}

/// That of the Hugging Face hub, whose `hub` folder holds the models, by its own documentation of `HF_HOME`.
pub(crate) fn hugging_face() -> Option<PathBuf> {
    let set = env::var_os("HF_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| Some(base(env::var_os("XDG_CACHE_HOME"), env::var_os("HOME"))?.join("huggingface")))
}

/// By the base directory specification, which has a relative path ignored.
fn base(xdg_cache_home: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: Option<OsString>| path.map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(xdg_cache_home).or_else(|| Some(absolute(home)?.join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_folder_follows_the_base_directory_specification() {
        let folder = |xdg: Option<&str>, home: Option<&str>| base(xdg.map(OsString::from), home.map(OsString::from));
        assert_eq!(folder(Some("/x"), Some("/h")), Some(PathBuf::from("/x")));
        assert_eq!(folder(Some("relative"), Some("/h")), Some(PathBuf::from("/h/.cache")));
        assert_eq!(folder(Some(""), Some("/h")), Some(PathBuf::from("/h/.cache")));
        assert_eq!(folder(None, None), None);
    }
}
