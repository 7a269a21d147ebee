//! `regenerate`: the committed files that are made from others, written anew. There is no other way to accept what a change makes of them.

mod engine_tables;
mod json;
mod runs;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::{
    instructions, print,
    product::{self, Extent, Programs},
    say, workspace,
};

/// What `regenerate` takes.
#[derive(Debug, Args)]
pub(crate) struct RegenerateArgs {
    /// Which; all but instructions and error-rates if none is named: of these one depends on the machine, the other takes minutes.
    #[arg(value_enum, value_name = "NAME")]
    names: Vec<GeneratedFiles>,
}

/// Files that are generated together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GeneratedFiles {
    /// The tables of `docs/recipes.md` and `recipes/README.md`, from the recipes and the dialects.
    Tables,
    /// The JSON schemas of records and rulings: `record/schema`, `reports/schema`.
    Schemas,
    /// The twin beside published figures: `twin/published.md`.
    Published,
    /// The reports and verdicts below `reports/runs`, from the records there.
    Reports,
    /// The glossary, from the entries in `reports` and the table of metrics: `docs/glossary.md`.
    Glossary,
    /// The instructions per event on this machine, counted by valgrind: `harness/instructions.toml`. Only where named.
    Instructions,
    /// How often the judge is wrong, simulated: `reports/operating_characteristics.md`. Only where named.
    ErrorRates,
}

/// What is generated where nothing is named, and held to by `ci`: the same on every machine, and soon done.
const DEFAULT: [GeneratedFiles; 5] = [
    GeneratedFiles::Tables,
    GeneratedFiles::Schemas,
    GeneratedFiles::Published,
    GeneratedFiles::Reports,
    GeneratedFiles::Glossary,
];

/// Writes what is named, and prints which files changed.
pub(crate) fn run(args: &RegenerateArgs) -> anyhow::Result<()> {
    let changed = write(if args.names.is_empty() { &DEFAULT } else { &args.names })?;
    if changed.is_empty() {
        say("nothing changed");
    }
    for file in changed {
        print(&file);
    }
    Ok(())
}

/// Fails if a file was not as it is generated now.
pub(crate) fn check() -> anyhow::Result<()> {
    let changed = write(&DEFAULT)?;
    for file in &changed {
        say(&format!("{file}: was not what it would be generated as now; it is written: look at it and commit it"));
    }
    if !changed.is_empty() {
        bail!("{} generated files were stale", changed.len());
    }
    Ok(())
}

/// Writes them and returns which files changed, as seen from the workspace.
fn write(names: &[GeneratedFiles]) -> anyhow::Result<Vec<String>> {
    let mut changed = BTreeSet::new();
    for &name in names {
        let before = contents(&files(name)?)?;
        generate(name)?;
        for file in files(name)? {
            if let Some(old) = before.get(&file)
                && is_same(&file, old)?
            {
                continue;
            }
            changed.insert(file.strip_prefix(workspace()).unwrap_or(&file).display().to_string());
        }
    }
    Ok(changed.into_iter().collect())
}

/// Those of the files that are there now.
fn files(name: GeneratedFiles) -> anyhow::Result<Vec<PathBuf>> {
    let root = workspace();
    Ok(match name {
        GeneratedFiles::Tables => engine_tables::PLACES.map(|(file, _)| root.join(file)).to_vec(),
        GeneratedFiles::Schemas => {
            SCHEMAS.iter().map(|one| below(&root.join(one.folder), &[])).collect::<Result<Vec<_>, _>>()?.concat()
        }
        GeneratedFiles::Published => vec![root.join(PUBLISHED)],
        GeneratedFiles::Reports => below(&root.join(runs::FOLDER), &runs::GENERATED)?,
        GeneratedFiles::Glossary => vec![root.join(GLOSSARY)],
        GeneratedFiles::Instructions => vec![root.join(instructions::FILE)],
        GeneratedFiles::ErrorRates => vec![root.join("reports/operating_characteristics.md")],
    })
}

fn generate(name: GeneratedFiles) -> anyhow::Result<()> {
    match name {
        GeneratedFiles::Tables => engine_tables::write(&workspace()),
        GeneratedFiles::Schemas => SCHEMAS.iter().try_for_each(Schema::write),
        GeneratedFiles::Published => {
            let page = printed(&example("twin", "published", &[])?, &[])?;
            write_if_different(&workspace().join(PUBLISHED), &page)
        }
        GeneratedFiles::Reports => runs::write(),
        GeneratedFiles::Glossary => {
            let output = build_lean()?.command().args(["help", "glossary"]).stdin(Stdio::null()).output();
            let output = output.context("cannot run sparkgauge")?;
            if !output.status.success() {
                bail!("`cargo xtask help glossary` failed: {}", output.status);
            }
            write_if_different(&workspace().join(GLOSSARY), &String::from_utf8(output.stdout)?)
        }
        GeneratedFiles::Instructions => instructions::accept(),
        GeneratedFiles::ErrorRates => {
            let status =
                build_lean()?.command().args(["calibrate", "--simulate"]).stdin(Stdio::null()).stdout(Stdio::null()).status();
            let status = status.context("cannot run sparkgauge")?;
            if !status.success() {
                bail!("`cargo xtask calibrate --simulate` failed: {status}");
            }
            Ok(())
        }
    }
}

const GLOSSARY: &str = "docs/glossary.md";

/// The page of `published`.
const PUBLISHED: &str = "twin/published.md";

/// A JSON schema that a crate generates of its types.
struct Schema {
    package: &'static str,
    /// Prints it, and with `--file-name` what its file is called: that has the version of its layout.
    example: &'static str,
    folder: &'static str,
}

const SCHEMAS: [Schema; 2] = [
    Schema { package: "record", example: "record_schema", folder: "record/schema" },
    Schema { package: "reports", example: "ruling_schema", folder: "reports/schema" },
];

impl Schema {
    fn write(&self) -> anyhow::Result<()> {
        let program = example(self.package, self.example, &["--features", "schema"])?;
        let name = printed(&program, &["--file-name"])?;
        write_if_different(&workspace().join(self.folder).join(name.trim()), &printed(&program, &[])?)
    }
}

fn build_lean() -> anyhow::Result<Programs> {
    product::build(Extent::Lean)
}

fn example(package: &str, name: &str, features: &[&str]) -> anyhow::Result<PathBuf> {
    let mut built = product::executables(&[&["build", "--package", package, "--example", name], features].concat())?;
    built.remove(name).with_context(|| format!("cargo built no program `{name}`"))
}

/// What a program prints.
fn printed(program: &Path, words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", program.display(), output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", program.display()))
}

/// A file that is as it should be keeps its time: whatever includes it is not built again.
fn write_if_different(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes()) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn contents(files: &[PathBuf]) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let read = |path: &PathBuf| Ok((path.clone(), fs::read(path).with_context(|| format!("cannot read {}", path.display()))?));
    files.iter().map(read).collect()
}

/// Whether a file is what it was. A verdict's data that only differ where the features of dependencies make a difference are put back.
fn is_same(path: &Path, old: &[u8]) -> anyhow::Result<bool> {
    let new = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    if new == old {
        return Ok(true);
    }
    let is_same = path.ends_with(runs::VERDICT_DATA) && json::is_close(old, &new);
    if is_same {
        fs::write(path, old).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(is_same)
}

/// All files in or below a folder that have one of the names, or all if there are none, in the order of their paths.
fn below(folder: &Path, names: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(below(&path, names)?);
        } else if names.is_empty() || names.iter().any(|name| path.ends_with(name)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_data_within_rounding_is_restored() {
        let folder = tempfile::tempdir().unwrap();
        let check = |name: &str, old: &str, new: &str, is_expected_same: bool, left: &str| {
            let path = folder.path().join(name);
            fs::write(&path, new).unwrap();
            assert_eq!(is_same(&path, old.as_bytes()).unwrap(), is_expected_same, "{name}: {old} {new}");
            assert_eq!(fs::read_to_string(&path).unwrap(), left);
        };
        let (old, close, other) = ("{\"q\": 0.1}\n", "{\"q\": 0.10000000000000002}\n", "{\"q\": 0.2}\n");
        check("verdict.json", old, old, true, old);
        check("verdict.json", old, close, true, old);
        check("verdict.json", old, other, false, other);
        check("report.md", old, close, false, close);
    }

    #[test]
    fn every_set_has_its_files() {
        for &name in GeneratedFiles::value_variants() {
            let files = files(name).unwrap();
            assert!(!files.is_empty() && files.iter().all(|file| file.is_file()), "{name:?}: {files:?}");
        }
    }
}
