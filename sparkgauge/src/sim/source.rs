//! Input of a fit: a record of this program, or a published run of the DGX Spark arena.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use twin::{arena::Run, server::Params};

use crate::UsageError;

fn unreadable(path: &Path, error: &std::io::Error) -> UsageError {
    UsageError(format!("cannot read {}: {error}", path.display()))
}

/// A file of an engine's parameters: its text and what it says.
pub(crate) fn params(path: &Path) -> Result<(String, Params), UsageError> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let params = Params::from_toml(&text).map_err(|error| UsageError(format!("{}: {error}", path.display())))?;
    Ok((text, params))
}

/// The folders of published runs at or below a folder, in the order of their names.
pub(super) fn arena_folders(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        if folder.join("meta.json").is_file() {
            found.push(folder);
            continue;
        }
        let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            // Not through links: they may lead in circles.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(UsageError(format!("no published run in {}: each has a meta.json", root.display())).into());
    }
    Ok(found)
}

pub(super) fn arena_run(folder: &Path) -> anyhow::Result<Run> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "md" || extension == "json") {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            files.insert(name, text);
        }
    }
    Run::read(&files).map_err(|error| UsageError(format!("{}: {error}", folder.display())).into())
}
