//! The fuzz corpora, replayed without a fuzzer: what was once found stays mended, on every run and with the stable compiler.

use std::{fs, path::Path};

#[expect(unreachable_pub, reason = "it is a crate's root for the fuzz targets")]
#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

/// Gives each file of a target's corpus to what the target checks. A panic names the file, since the test prints its name before.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{} has {} files", folder.display(), files.len());
    for file in files {
        println!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}

#[test]
fn sse() {
    replay("sse", fuzz::sse::check);
}

#[test]
fn answer() {
    replay("answer", fuzz::answer::check);
}

#[test]
fn recipe() {
    replay("recipe", fuzz::recipe::check);
}

#[test]
fn record() {
    replay("record", fuzz::record::check);
}

#[test]
fn response() {
    replay("response", fuzz::response::check);
}

#[test]
fn imported() {
    replay("imported", fuzz::imported::check);
}
