//! `recipe import`: a sparkrun or Spark Arena recipe made into one of ours.
//!
//! Their format: github.com/spark-arena/sparkrun, RECIPES.md. What others wrote is text to be read, never to be run: nothing of this
//! machine is expanded into it, no hook is run, and what cannot be carried is listed.
//!
//! Reading YAML costs a cold build more than the rest of this program's own code, so it is behind the feature `import`.

use std::path::PathBuf;

use clap::Args;
use record::ExitCode;

#[cfg(feature = "import")]
mod arguments;
#[cfg(feature = "import")]
mod convert;
#[cfg(feature = "import")]
mod environment;
#[cfg(feature = "import")]
mod template;
#[cfg(feature = "import")]
mod yaml;

/// What `recipe import` takes.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The YAML file.
    #[arg(value_name = "FILE.yaml")]
    file: PathBuf,
    /// What the recipe is to be called; by default after the file.
    #[arg(long, value_name = "NAME")]
    out: Option<String>,
    /// The folder to write it to, instead of recipes.
    #[arg(long, value_name = "FOLDER", conflicts_with = "stdout")]
    into: Option<PathBuf>,
    /// Print it instead of writing it.
    #[arg(long)]
    stdout: bool,
    /// Import what there is of a recipe that patches its image or runs commands; those steps are not run, but noted.
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

    use crate::{UsageError, print, recipe_store::RecipeStore, say};

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
    let name = convert::name(args.out.as_deref(), &file).map_err(wrong)?;
    let request = convert::Request { name: &name, file: &file, allow_hooks: args.allow_hooks };
    let imported = convert::convert(&text, &request).map_err(|error| wrong(convert::shown(&error.to_string())))?;
    for line in &imported.left_out {
        say(&format!("{shown}: {line}"));
    }
    if args.stdout {
        print(imported.text.trim_end());
        return Ok(ExitCode::Fine);
    }
    let path = args.into.clone().unwrap_or_else(|| RecipeStore::open().folder().to_path_buf()).join(format!("{name}.toml"));
    if path.exists() {
        return Err(wrong(format!("{} exists; choose another name with --out", path.display())).into());
    }
    crate::whole_file::write(&path, &imported.text)?;
    print(&path.display().to_string());
    say(&format!("`sparkgauge recipe check {}` says what it lacks", path.display()));
    Ok(ExitCode::Fine)
}

/// Any text at all comes to a recipe or is refused for a reason, and what comes out reads back as it was written. Panics where that does
/// not hold: this is what a fuzzer calls. The first byte says whether hooks are let pass.
///
/// # Panics
/// If it does not hold.
#[cfg(feature = "import")]
pub fn check_foreign(data: &[u8]) {
    let [hooks, text @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let request = convert::Request { name: "mine", file: "mine.yaml", allow_hooks: *hooks & 1 == 1 };
    match convert::convert(text, &request) {
        Ok(imported) => {
            let read = record::recipe::parse(&imported.text, "mine.toml", "mine");
            assert!(read.is_ok(), "{read:?}: {}", imported.text);
            assert!(imported.left_out.iter().all(|note| !note.contains('\n')), "{:?}", imported.left_out);
        }
        Err(error) => {
            assert!(!matches!(error, convert::ImportError::Unlike), "{error}: {text}");
            assert!(!convert::shown(&error.to_string()).is_empty(), "refused without a reason");
        }
    }
}

#[cfg(all(test, feature = "import"))]
mod corpus {
    use std::{fs, path::Path};

    /// The fuzz corpus, without a fuzzer.
    #[test]
    fn what_a_fuzzer_found_stays_mended() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/import");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 5, "{} files", files.len());
        for file in files {
            println!("{}", file.display());
            super::check_foreign(&fs::read(file).unwrap());
        }
    }
}
