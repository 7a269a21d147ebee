//! Virtual environments with the pinned packages and nothing else: by uv, which is much faster, or where there is none yet by venv and pip.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::{python, workshop::Workshop};

/// The newest Python, by its second number, that all pinned packages have wheels for.
const NEWEST_PYTHON: u32 = 14;

const AGAIN: &str = "see that the Python package index can be reached and that the disk has room, then run the same command again; \
                     what was downloaded is kept. uv does not read pip's settings: behind a mirror set UV_DEFAULT_INDEX";

/// Makes it where it stays: its scripts name their interpreter.
pub(super) fn make(workshop: &Workshop, folder: &Path, oldest_python: u32, pins: &str) -> anyhow::Result<()> {
    match workshop.uv() {
        Some(uv) => by_uv(workshop, &uv, folder, oldest_python, pins),
        None => by_pip(workshop, folder, oldest_python, pins),
    }
}

fn by_uv(workshop: &Workshop, uv: &Path, folder: &Path, oldest_python: u32, pins: &str) -> anyhow::Result<()> {
    let python = format!(">=3.{oldest_python},<3.{}", NEWEST_PYTHON + 1);
    workshop.run(
        "make a virtual environment with uv",
        workshop.uv_command(uv).args(["venv", "--no-project", "--python", &python]).arg(folder),
        &format!("if it finds no Python, install one of 3.{oldest_python} to 3.{NEWEST_PYTHON}; nothing was changed outside of the testbed"),
    )?;
    let pins = write_pins(folder, pins)?;
    let mut install = workshop.uv_command(uv);
    install.args(["pip", "install", "--python"]).arg(folder.join("bin/python"));
    // Compiled now and once: an engine that compiles as it imports boots in twice the time, and where PYTHONDONTWRITEBYTECODE is set,
    // each of its processes would do so at each boot.
    install.args(["--no-deps", "--only-binary", ":all:", "--compile-bytecode", "--requirement"]).arg(pins);
    workshop.run("install the pinned packages with uv", &mut install, AGAIN)
}

fn by_pip(workshop: &Workshop, folder: &Path, oldest_python: u32, pins: &str) -> anyhow::Result<()> {
    let python = python::find(oldest_python, NEWEST_PYTHON)?;
    let advice = "install the venv module of that Python (Debian and Ubuntu: package python3-venv), or uv";
    workshop.run("make a virtual environment", Command::new(&python.path).args(["-I", "-m", "venv"]).arg(folder), advice)?;
    let pins = write_pins(folder, pins)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-I", "-m", "pip", "install", "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--only-binary", ":all:", "--requirement"]).arg(pins);
    workshop.run("install the pinned packages with pip", &mut pip, AGAIN)
}

fn write_pins(folder: &Path, pins: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join("requirements.txt");
    fs::write(&path, pins).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
