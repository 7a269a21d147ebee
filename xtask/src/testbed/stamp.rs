//! Which parts are whole. A stamp is written last and deleted first, so a folder that has one was finished.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{docker::Docker, part::Part};

const FILE_NAME: &str = ".sparkgauge-stamp";

/// Finished, from the same pins as today's, and not broken since: a virtual environment dies with the Python it was made from, and
/// Docker's images are removed by whoever needs room.
pub(super) fn is_whole(root: &Path, part: &Part) -> bool {
    let folder = root.join(part.name);
    fs::read_to_string(folder.join(FILE_NAME)).is_ok_and(|found| found == text(part))
        && folder.join(part.proof).is_file()
        && part.image.is_none_or(|image| image.is_there(&Docker::on_path(), &folder))
}

/// Deletes a part, its stamp first.
pub(super) fn clear(folder: &Path) -> anyhow::Result<()> {
    for path in [folder.join(FILE_NAME), folder.to_owned()] {
        let deleted = if path == folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match deleted {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Says that a part is whole.
pub(super) fn set(folder: &Path, part: &Part) -> anyhow::Result<()> {
    let path = folder.join(FILE_NAME);
    let unfinished: PathBuf = path.with_extension("new");
    fs::write(&unfinished, text(part))
        .and_then(|()| fs::rename(&unfinished, &path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// All that a part is made from, as it is: a digest could only say that something differs.
fn text(part: &Part) -> String {
    format!("layout {}\n{}", part.layout, part.made_from.concat())
}
