//! Files that are written whole or not at all.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Writes a text. A full disk or a crash leaves what was there before.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let fresh = beside(path, ".new");
    write_through(&fresh, text.as_bytes())
        .and_then(|()| fs::rename(&fresh, path))
        .inspect_err(|_| drop(fs::remove_file(&fresh)))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Writes bytes and waits until they are on the disk.
pub(crate) fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The same path with an ending more.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut whole = OsString::from(path);
    whole.push(ending);
    PathBuf::from(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        fs::create_dir(folder.path().join("a.md.new")).unwrap();
        let why = write(&path, "three").unwrap_err().to_string();
        assert!(why.starts_with("cannot write") && why.ends_with("a.md"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }
}
