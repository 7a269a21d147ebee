//! `recipe import`: a sparkrun or Spark Arena recipe converted to a recipe of this program.

use std::path::PathBuf;

use clap::Args;
use record::ExitCode;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// YAML file to convert
    #[arg(value_name = "FILE.yaml")]
    file: PathBuf,
    /// Name of the recipe [default: that of the file]
    #[arg(long, value_name = "NAME")]
    out: Option<String>,
    /// Folder to write it to [default: recipes]
    #[arg(long, value_name = "FOLDER", conflicts_with = "stdout")]
    into: Option<PathBuf>,
    /// Print the recipe instead of writing it
    #[arg(long)]
    stdout: bool,
    /// Import a recipe that patches its image or runs commands, without these steps
    ///
    /// They are not run; the new recipe lists them as comments.
    #[arg(long)]
    allow_hooks: bool,
}

/// Says that this build cannot.
#[cfg(not(feature = "import"))]
pub(crate) fn run(_: &ImportArgs) -> anyhow::Result<ExitCode> {
    let what = "a recipe of others is YAML".to_owned();
    Err(bench::BenchError::NotBuiltIn { what, does: "reads that" }.into())
}

/// Reads, converts and writes.
#[cfg(feature = "import")]
pub(crate) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    use std::fs;

    use crate::{UsageError, import, print, recipe_store::RecipeStore, say};

    /// Those that are published have less than 10 KB.
    const BYTES_MAX: u64 = 256 * 1024;

    let shown = args.file.display();
    let wrong = |why: String| UsageError(format!("{shown}: {why}"));
    let length = fs::metadata(&args.file).map_err(|error| wrong(error.to_string()))?.len();
    if length > BYTES_MAX {
        return Err(wrong(format!("{length} bytes; a recipe has at most {BYTES_MAX}")).into());
    }
    let text = fs::read_to_string(&args.file).map_err(|error| wrong(error.to_string()))?;
    let file = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = import::name(args.out.as_deref(), &file).map_err(wrong)?;
    let request = import::ImportRequest { name: &name, file: &file, allow_hooks: args.allow_hooks };
    let imported = import::convert(&text, &request).map_err(|error| wrong(import::shown(&error.to_string())))?;
    for line in &imported.left_out {
        say(&format!("{shown}: {line}"));
    }
    if args.stdout {
        print(imported.text.trim_end());
        return Ok(ExitCode::Success);
    }
    let path = args.into.clone().unwrap_or_else(|| RecipeStore::open().folder().to_path_buf()).join(format!("{name}.toml"));
    if path.exists() {
        return Err(wrong(format!("{} exists; choose another name with --out", path.display())).into());
    }
    crate::whole_file::write(&path, &imported.text)?;
    print(&path.display().to_string());
    say(&format!("`sparkgauge recipe check {}` says what it lacks", path.display()));
    Ok(ExitCode::Success)
}
