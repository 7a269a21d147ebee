use std::collections::BTreeSet;

use proptest::prelude::*;
use record::Record;

use super::*;
use crate::example;

fn accepted(why: &str) -> Acceptance {
    Acceptance {
        schema_version: ACCEPTED_SCHEMA_VERSION,
        who: "A Person".to_owned(),
        when_unix_s: 1_795_201_512,
        why: why.to_owned(),
        recipe: "r".to_owned(),
        machine: "m".to_owned(),
        suite: "canonical-v1".to_owned(),
        profile: Profile::Standard,
        boots: 5,
        harness_commit: None,
        allowed: Vec::new(),
        replaces: None,
    }
}

fn named(machine: &str, recipe: &str) -> Record {
    let mut record = example::record();
    machine.clone_into(&mut record.header.machine.name);
    recipe.clone_into(&mut record.header.recipe.name);
    record
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn new_baseline_replaces_the_old_and_keeps_the_calibration() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("m/r/canonical-v1");
    write(&folder, b"first", &accepted("one"), "report one").unwrap();
    fs::write(folder.join(CALIBRATION), "{}").unwrap();
    // What a call that was killed left behind is in nobody's way.
    fs::create_dir(root.path().join("m/r/canonical-v1.new")).unwrap();
    write(&folder, b"second", &accepted("two"), "report two").unwrap();
    assert_eq!(fs::read(folder.join(file::FILE_NAME)).unwrap(), b"second");
    assert_eq!(accepted_in(&folder), Some(accepted("two")));
    assert_eq!(names_in(&folder), ["accepted.json", "noise.json", "record.jsonl.gz", "report.md"].map(str::to_owned).into());
    assert_eq!(names_in(folder.parent().unwrap()), ["canonical-v1".to_owned()].into(), "nothing is left beside it");
}

#[test]
fn baseline_stays_when_its_folder_is_not_writable() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("m");
    write(&folder, b"first", &accepted("one"), "report one").unwrap();
    // Where the draft would be is a file.
    fs::write(root.path().join("m.new"), "").unwrap();
    let why = write(&folder, b"second", &accepted("two"), "report two").unwrap_err().to_string();
    assert!(why.starts_with("cannot write the baseline"), "{why}");
    assert_eq!(fs::read(folder.join(file::FILE_NAME)).unwrap(), b"first");
}

#[test]
fn baseline_is_found_by_machine_recipe_and_suite() {
    let root = tempfile::tempdir().unwrap();
    let store = BaselineStore(root.path().to_path_buf());
    let one = named("a board", "vllm");
    assert_eq!(store.find(&one.header).unwrap(), None);
    let folder = store.folder(&one.header);
    assert_eq!(folder, root.path().join("a-board/vllm/canonical-v1"));
    write(&folder, &example::bytes(&one), &accepted("one"), "report").unwrap();
    assert_eq!(store.find(&one.header).unwrap(), Some(folder.join(file::FILE_NAME)));
    assert_eq!(store.find(&named("a board", "sglang").header).unwrap(), None);
    assert_eq!(store.find(&named("another", "vllm").header).unwrap(), None);
    let mut next = one.header.clone();
    next.suite_version = 2;
    assert_eq!(store.find(&next).unwrap(), None);
    // Another machine, whose name gives the same folder.
    let why = store.find(&named("a/board", "vllm").header).unwrap_err();
    assert!(why.is::<RefusedError>() && why.to_string().contains("\"a board\""), "{why}");
    let missing = store.missing(&named("a\nboard", "x").header);
    assert!(missing.contains("sparkgauge accept") && !missing.contains('\n'), "{missing}");
}

proptest! {
    #[test]
    fn baseline_folder_is_inside_the_store_for_any_name(machine in ".*", recipe in "[./\\\\ a-z]*", suite in ".{0,5}") {
        let mut record = named(&machine, &recipe);
        record.header.suite = suite;
        let folder = BaselineStore(PathBuf::from("/place")).folder(&record.header);
        let inner = folder.strip_prefix("/place").unwrap();
        prop_assert_eq!(inner.components().count(), 3);
        prop_assert!(inner.components().all(|part| matches!(part, std::path::Component::Normal(_))));
    }
}
