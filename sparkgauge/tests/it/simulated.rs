//! The main job on the simulated Spark in virtual time.

use std::fs;

use crate::program::{check, record_in, sparkgauge};

#[test]
fn nine_workloads_run_and_equal_seeds_give_equal_records() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        // The same words apart from the folder, which no record names in another way than as it was typed.
        let done = crate::program::command(&["bench", "--profile", "smoke", "--seed", seed, "--out", "run"])
            .current_dir({
                fs::create_dir(&out).unwrap();
                &out
            })
            .output()
            .unwrap();
        check(&done.into(), 0, &["SIMULATED"]);
        fs::read(out.join("run/record.jsonl.gz")).unwrap()
    };
    let first = run("first", "7");
    assert!(first == run("second", "7"), "the same seed gives the same bytes");
    assert!(first != run("third", "8"), "another seed gives others");

    let record = record_in(&folder.path().join("first/run"));
    assert_eq!(record.header.workload_hashes.len(), 9);
    assert!(record.trials.iter().all(|trial| trial.observations.iter().all(|seen| seen.outcome.is_complete())));
    let report = fs::read_to_string(folder.path().join("first/run/report.md")).unwrap();
    assert!(report.contains("imulated") && report.contains("not comparable"), "{report}");
}

#[test]
fn report_is_rendered_to_equal_bytes_and_keeps_its_note() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let out_word = out.to_str().unwrap();
    check(&sparkgauge(&["bench", "--profile", "smoke", "--workload", "chat", "--out", out_word]), 0, &[]);
    let path = out.join("report.md");
    let report = fs::read_to_string(&path).unwrap();
    check(&sparkgauge(&["report", out_word]), 0, &[]);
    assert_eq!(fs::read_to_string(&path).unwrap(), report);

    let marker = "<!-- sparkgauge:note -->";
    assert!(report.contains(marker));
    let noted = report.replace(marker, &format!("{marker}\nA person wrote this."));
    fs::write(&path, noted).unwrap();
    check(&sparkgauge(&["report", out_word]), 0, &[]);
    assert!(fs::read_to_string(&path).unwrap().contains("A person wrote this."));
}

#[test]
fn truncated_record_is_read_up_to_its_last_whole_trial() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    check(&sparkgauge(&["bench", "--profile", "smoke", "--workload", "chat", "--out", out.to_str().unwrap()]), 0, &[]);
    let whole = record_in(&out);
    let path = out.join("record.jsonl.gz");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 200]).unwrap();
    let torn = record_in(&out);
    assert!(torn.unreadable_tail.is_some() && torn.end.is_none());
    assert!(torn.trials.len() + 1 >= whole.trials.len() && !torn.trials.is_empty());
    check(&sparkgauge(&["report", out.to_str().unwrap()]), 0, &["cannot be read"]);
}

#[test]
fn run_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let bench = ["bench", "--profile", "smoke", "--workload", "chat", "--out", out.to_str().unwrap()];
    check(&sparkgauge(&bench), 0, &[]);
    let before = fs::read(out.join("record.jsonl.gz")).unwrap();
    check(&sparkgauge(&bench), 3, &["a run is never written over"]);
    assert_eq!(fs::read(out.join("record.jsonl.gz")).unwrap(), before);
}
