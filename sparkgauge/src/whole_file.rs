//! Files that are written whole or not at all.

use std::{
    ffi::OsString,
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Writes a text. A full disk or a crash leaves what was there before.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let written = || -> io::Result<File> {
        // As any other file that is made here: by itself, a temporary one could be read by nobody else.
        let mut fresh = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
        fresh.write_all(text.as_bytes())?;
        fresh.as_file().sync_all()?;
        Ok(fresh.persist(path)?)
    };
    written().map(drop).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes bytes and waits until they are on the disk.
pub(crate) fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The same path with an ending more.
pub(crate) fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut whole = OsString::from(path);
    whole.push(ending);
    PathBuf::from(whole)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        let other = folder.path().join("other.md");
        fs::write(&other, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&other), "those may read it who may read any file that is made here");

        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let why = write(&taken, "three").unwrap_err().to_string();
        assert!(why.starts_with("cannot write") && why.ends_with("taken"), "{why}");
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 3, "no draft is left");
    }
}
