//! Which components are complete. A stamp is written last and deleted first, so a folder that has one was finished.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{component::Component, docker::Docker};

const FILE_NAME: &str = ".sparkgauge-stamp";

/// Finished, from the same pins as today's, and not broken since: a virtual environment dies with the Python it was made from, and
/// Docker's images may be removed to free space.
pub(super) fn is_whole(root: &Path, component: &Component) -> bool {
    let folder = root.join(component.name);
    fs::read_to_string(folder.join(FILE_NAME)).is_ok_and(|found| found == text(component))
        && folder.join(component.proof).is_file()
        && component.image.is_none_or(|image| image.is_there(&Docker::on_path(), &folder))
}

/// Deletes a component, its stamp first.
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

/// Marks a component as complete.
pub(super) fn set(folder: &Path, component: &Component) -> anyhow::Result<()> {
    let path = folder.join(FILE_NAME);
    let unfinished: PathBuf = path.with_extension("new");
    fs::write(&unfinished, text(component))
        .and_then(|()| fs::rename(&unfinished, &path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// All that a component is made from, in full: a digest could only show that something differs.
fn text(component: &Component) -> String {
    format!("layout {}\n{}", component.layout, component.made_from.concat())
}
