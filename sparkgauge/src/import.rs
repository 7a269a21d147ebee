//! Conversion of sparkrun and Spark Arena recipes (YAML, with a command line in it) to TOML recipes: pure functions from text to text.
//!
//! Their format: github.com/spark-arena/sparkrun, RECIPES.md. What others wrote is text to be read, never to be run: nothing of this
//! machine is expanded into it, no hook is run, and what cannot be carried is listed.
//!
//! Reading YAML costs a cold build more than the rest of this program's own code, so it is behind the feature `import`.

mod arguments;
mod convert;
mod environment;
mod template;
mod yaml;

pub(crate) use convert::{ImportError, ImportRequest, convert, name, shown};

/// Any text at all comes to a recipe or is refused for a reason, and what comes out reads back as it was written. Panics where that does
/// not hold: this is what a fuzzer calls. The first byte says whether hooks are let pass.
///
/// # Panics
/// If it does not hold.
pub fn check_foreign(data: &[u8]) {
    let [hooks, text @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let request = ImportRequest { name: "mine", file: "mine.yaml", allow_hooks: *hooks & 1 == 1 };
    match convert(text, &request) {
        Ok(imported) => {
            let read = record::recipe::parse(&imported.text, "mine.toml", "mine");
            assert!(read.is_ok(), "{read:?}: {}", imported.text);
            assert!(imported.left_out.iter().all(|note| !note.contains('\n')), "{:?}", imported.left_out);
        }
        Err(error) => {
            assert!(!matches!(error, ImportError::RoundTrip), "{error}: {text}");
            assert!(!shown(&error.to_string()).is_empty(), "refused without a reason");
        }
    }
}

#[cfg(test)]
mod corpus {
    use std::{fs, path::Path};

    /// The fuzz corpus, without a fuzzer.
    #[test]
    fn fuzz_corpus_of_imports_is_handled() {
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
