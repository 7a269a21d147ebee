//! Verdicts as a person gets them: `compare`, `gate`, `accept`, and `bench` where there is something to compare with. On the simulated
//! Spark in virtual time, which is why two runs of one seed are the same to the byte and need different seeds of noise.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use record::{EndReason, Entry, Side, file};
use serde_json::Value;

use crate::program::{ProgramOutput, check, record_in, sparkgauge};

/// Measures `chat` as a verdict needs it.
fn bench(out: &Path, more: &[&str]) -> ProgramOutput {
    sparkgauge(&[&["bench", "--workload", "chat", "--out", out.to_str().unwrap()], more].concat())
}

/// A simulated Spark that decodes slower by far more than the margin of 3 %.
const SLOWER: [&str; 4] = ["--simulated-noise-seed", "4", "--simulated-slower", "decode=10"];

/// Runs that several tests only read: they are made once.
struct Runs {
    folder: tempfile::TempDir,
}

impl Runs {
    fn get() -> &'static Self {
        static MADE: OnceLock<Runs> = OnceLock::new();
        MADE.get_or_init(|| {
            let runs = Self { folder: tempfile::tempdir().unwrap() };
            let nowhere = runs.path("nowhere");
            let nowhere = ["--accepted-in", nowhere.to_str().unwrap()];
            check(&bench(&runs.path("one"), &nowhere), 0, &[]);
            check(&bench(&runs.path("other"), &[&nowhere[..], &["--simulated-noise-seed", "2"]].concat()), 0, &[]);
            check(&bench(&runs.path("slower"), &[&nowhere[..], &SLOWER].concat()), 0, &[]);
            runs
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy that a test may write beside.
    fn copy(&self, name: &str, to: &Path) -> String {
        fs::create_dir_all(to).unwrap();
        fs::copy(self.path(name).join(file::FILE_NAME), to.join(file::FILE_NAME)).unwrap();
        to.to_str().unwrap().to_owned()
    }

    fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn json(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("verdict.json")).unwrap()).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn run_of_the_same_engine_is_not_regressed() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let (one, other) = (runs.word("one"), runs.copy("other", folder.path()));
    let done = sparkgauge(&["compare", &one, &other]);
    check(&done, 0, &[]);
    assert!(done.stdout.lines().count() == 2 && done.stdout.contains("verdict.md"), "{}", done.stdout);
    let verdict = json(folder.path());
    assert_eq!(verdict["exit_code"], 0);
    assert!(verdict["rows"].as_array().unwrap().iter().any(|row| row["gate"] == true));
    // A person's note stays, and nothing else changes.
    let page = fs::read_to_string(folder.path().join("verdict.md")).unwrap();
    let marker = "<!-- sparkgauge:note -->";
    fs::write(folder.path().join("verdict.md"), page.replace(marker, &format!("{marker}\nA person wrote this."))).unwrap();
    check(&sparkgauge(&["compare", &one, &other]), 0, &[]);
    let again = fs::read_to_string(folder.path().join("verdict.md")).unwrap();
    assert_eq!(again.replace("A person wrote this.\n", ""), page);
    assert!(again.contains("A person wrote this."));
    // Printed, it is the same, and nothing is written.
    fs::remove_file(folder.path().join("verdict.json")).unwrap();
    let printed = sparkgauge(&["compare", &one, &other, "--stdout", "--format", "json"]);
    check(&printed, 0, &[]);
    assert_eq!(serde_json::from_str::<Value>(&printed.stdout).unwrap(), verdict);
    assert!(!folder.path().join("verdict.json").exists());
}

#[test]
fn slower_engine_is_regressed_with_its_treatment_and_refused_without() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let (one, slower) = (runs.word("one"), runs.copy("slower", folder.path()));
    check(&sparkgauge(&["compare", &one, &slower]), 4, &[]);
    assert_eq!(json(folder.path())["overall"], "refused");
    check(&sparkgauge(&["compare", &one, &slower, "--treatment", "image"]), 4, &[]);
    let done = sparkgauge(&["compare", &one, &slower, "--treatment", "image", "--treatment", "flags"]);
    check(&done, 5, &[]);
    assert!(done.stdout.starts_with("regressed"), "{}", done.stdout);
    assert_eq!(json(folder.path())["overall"], "regressed");
    // The other way round it improved, which passes.
    let improved = sparkgauge(&["compare", &slower, &one, "--treatment", "flags", "--stdout", "--format", "json"]);
    check(&improved, 0, &[]);
    assert_eq!(serde_json::from_str::<Value>(&improved.stdout).unwrap()["overall"], "improved");
}

#[test]
fn comparison_of_a_run_with_its_copy_is_refused() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let (one, copy) = (runs.word("one"), runs.copy("one", folder.path()));
    for same in [&one, &copy] {
        let done = sparkgauge(&["compare", &one, same, "--stdout"]);
        check(&done, 4, &[]);
        assert!(done.stdout.starts_with("# Refused") && done.stdout.contains("the very same values"), "{}", done.stdout);
    }
}

#[test]
fn gate_judges_against_the_accepted_run() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let place = folder.path().join("baselines");
    let place_word = place.to_str().unwrap();
    let gate = |name: &str, more: &[&str]| sparkgauge(&[&["gate", &runs.word(name), "--accepted-in", place_word], more].concat());
    let none = gate("other", &[]);
    check(&none, 4, &[]);
    assert!(none.stdout.starts_with("refused: no baseline") && none.stdout.contains("`sparkgauge accept"), "{}", none.stdout);
    assert_eq!(none.stdout.lines().count(), 1);

    let accept = |name: &str, why: &str| {
        sparkgauge(&["accept", &runs.word(name), "--why", why, "--who", "A Person", "--accepted-in", place_word])
    };
    check(&accept("one", "the first"), 0, &[]);
    let baseline = place.join("simulated-DGX-Spark/simulated/canonical-v1");
    assert_eq!(names_in(&baseline), ["accepted.json", "record.jsonl.gz", "report.md"]);
    assert_eq!(record_in(&baseline), record_in(&runs.path("one")));
    let before: Vec<_> = names_in(&runs.path("other"));
    for (name, more, code, says) in
        [("other", &[][..], 0, ""), ("slower", &["--treatment", "flags"], 5, "regressed"), ("slower", &[], 4, "refused")]
    {
        let done = gate(name, more);
        check(&done, code, &[]);
        assert!(done.stdout.lines().count() == 1 && done.stdout.starts_with(says), "{}", done.stdout);
    }
    assert_eq!(names_in(&runs.path("other")), before, "a gate writes nothing");

    // It is replaced, and what was said of the new one beside it is kept.
    check(&accept("slower", "we live with it"), 0, &["beside the baseline that it replaces: regressed"]);
    let accepted: Value = serde_json::from_str(&fs::read_to_string(baseline.join("accepted.json")).unwrap()).unwrap();
    assert_eq!(accepted["why"], "we live with it");
    assert_eq!(accepted["replaces"]["why"], "the first");
    assert!(accepted["replaces"]["ruling"].as_str().unwrap().starts_with("regressed"));
    assert_eq!(names_in(baseline.parent().unwrap()), ["canonical-v1"]);
}

#[test]
fn bench_is_judged_against_the_accepted_baseline() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let place = folder.path().join("baselines");
    let place_word = place.to_str().unwrap();
    check(&sparkgauge(&["accept", &runs.word("one"), "--why", "x", "--who", "y", "--accepted-in", place_word]), 0, &[]);
    let chat = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        (bench(&out, &[&["--accepted-in", place_word], more].concat()), out)
    };
    let (done, out) = chat("like-it", &["--simulated-noise-seed", "2"]);
    check(&done, 0, &[]);
    assert!(done.stdout.contains("report.md") && done.stdout.contains("verdict.md"), "{}", done.stdout);
    assert_eq!(json(&out)["exit_code"], 0);
    let slower = [&SLOWER[..], &["--treatment", "flags"]].concat();
    let (done, out) = chat("slower", &slower);
    check(&done, 5, &[]);
    assert_eq!(json(&out)["overall"], "regressed");
    // Named, it is the same; without, there is no verdict; nor is there of a miniature.
    let one = runs.word("one");
    check(&chat("named", &[&slower[..], &["--baseline", &one]].concat()).0, 5, &[]);
    for (name, more) in [("alone", &["--no-baseline"][..]), ("smoke", &["--profile", "smoke"])] {
        let (done, out) = chat(name, more);
        check(&done, 0, &[]);
        assert_eq!(names_in(&out), ["record.jsonl.gz", "report.md"]);
    }
}

#[test]
fn interleaved_pair_is_judged_after_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pair");
    let out_word = out.to_str().unwrap();
    let done = bench(&out, &["--against", "simulated", "--simulated-slower", "decode=10"]);
    check(&done, 5, &[]);
    let [candidate, baseline] = ["candidate", "baseline"].map(|side| record_in(&out.join(side)));
    let sides = [&candidate, &baseline].map(|record| record.header.interleaved.clone().unwrap());
    assert_eq!((sides[0].side, sides[1].side), (Side::Candidate, Side::Baseline));
    assert_eq!((&sides[0].pair, &sides[0].order), (&sides[1].pair, &sides[1].order));
    for side in ["candidate", "baseline"] {
        assert!(out.join(side).join("report.md").is_file());
    }
    let verdict = json(&out);
    assert_eq!((&verdict["overall"], &verdict["method"]["order"]), (&"regressed".into(), &"interleaved".into()));
    assert_eq!(verdict["method"]["options"]["looks"], "two");
    assert!(!out.join("look-2").exists(), "what is decided is not looked at again");
    // The folder alone says it again, in a line or in full.
    let again = sparkgauge(&["compare", out_word, "--stdout", "--format", "json"]);
    check(&again, 5, &[]);
    assert_eq!(serde_json::from_str::<Value>(&again.stdout).unwrap(), verdict);
    let line = sparkgauge(&["gate", out_word]);
    check(&line, 5, &[]);
    assert_eq!(line.stdout.lines().count(), 1);
    check(&sparkgauge(&["compare", out_word, out_word]), 2, &["measured together"]);
}

#[test]
fn inconclusive_workloads_have_a_second_look() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pair");
    let out_word = out.to_str().unwrap();
    // Just below the margin of 3 %, where five boots cannot tell; that prefill is as it was they can.
    let words = ["--workload", "long-prefill", "--against", "simulated", "--simulated-slower", "decode=2.9"];
    let done = bench(&out, &words);
    assert!([0, 5].contains(&done.code), "{}", done.stderr);
    assert!(done.stderr.contains("a second look: 5 more boots of each side for chat\n"), "{}", done.stderr);
    for side in ["candidate", "baseline"] {
        let record = record_in(&out.join("look-2").join(side));
        assert_eq!((record.header.first_boot, record.header.boots), (5, 5));
        assert_eq!(record.trials[0].boot, 5);
        assert!(record.trials.iter().all(|trial| trial.cell.workload == "chat"));
    }
    let verdict = json(&out);
    assert_eq!((&verdict["method"]["look"], &verdict["candidate"]["boots"]), (&2.into(), &10.into()));
    assert_eq!(i64::from(done.code), verdict["exit_code"]);
    check(&sparkgauge(&["compare", out_word, "--looks", "1"]), 2, &["looked at twice already"]);
    // One look was asked for: the same is measured, and left open.
    let once = folder.path().join("once");
    let done = bench(&once, &[&words[..], &["--looks", "1", "--inconclusive", "fail"]].concat());
    check(&done, 6, &[]);
    assert!(!once.join("look-2").exists());
    assert_eq!(json(&once)["method"]["options"]["looks"], "one");
}

#[test]
fn smoke_pair_is_measured_and_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pair");
    let against = || bench(&out, &["--profile", "smoke", "--against", "simulated"]);
    check(&against(), 0, &[]);
    assert_eq!(names_in(&out), ["baseline", "candidate"]);
    check(&against(), 3, &["a run is never written over"]);
}

#[test]
fn unacceptable_run_is_refused_with_every_reason() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let place = folder.path().join("baselines");
    let accept = |run: &str, more: &[&str]| {
        sparkgauge(&[&["accept", run, "--why", "x", "--who", "y", "--accepted-in", place.to_str().unwrap()], more].concat())
    };
    let smoke = folder.path().join("smoke");
    check(&bench(&smoke, &["--profile", "smoke"]), 0, &[]);
    check(&accept(smoke.to_str().unwrap(), &[]), 4, &["its profile is smoke", "it has 1 boot;"]);
    let torn = runs.copy("one", &folder.path().join("torn"));
    let path = folder.path().join("torn").join(file::FILE_NAME);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 200]).unwrap();
    check(&accept(&torn, &[]), 4, &["cannot be read"]);
    check(&sparkgauge(&["accept", &runs.word("one"), "--why", "  "]), 2, &["--why is empty"]);
    check(&sparkgauge(&["accept", &runs.word("one")]), 2, &["--why"]);
    let pair = format!("{},{}", runs.word("one"), runs.word("other"));
    check(&accept(&pair, &[]), 2, &["a baseline is one run"]);
    assert!(!place.exists());
}

#[test]
fn unreadable_input_is_refused_by_name() {
    let (runs, folder) = (Runs::get(), tempfile::tempdir().unwrap());
    let one = runs.word("one");
    check(&sparkgauge(&["compare", &one, "no-such-run"]), 2, &["no-such-run", "No such file"]);
    check(&sparkgauge(&["compare", &one]), 2, &["no folder with candidate/ and baseline/"]);
    check(&sparkgauge(&["gate", "no-such-run"]), 2, &["no-such-run"]);
    // A record of a layout that is not known yet.
    let mut record = record_in(&runs.path("one"));
    record.header.schema_version = 999;
    let newer = folder.path().join("newer.jsonl.gz");
    fs::write(&newer, file::encode(&Entry::Header(Box::new(record.header.clone())))).unwrap();
    check(&sparkgauge(&["compare", &one, newer.to_str().unwrap()]), 2, &["newer.jsonl.gz", "schema version 999", "update it"]);
    // A calibration likewise.
    let noise = folder.path().join("noise.json");
    fs::write(&noise, r#"{"schema_version":999}"#).unwrap();
    let with_noise = ["compare", &one, &runs.word("other"), "--stdout", "--noise", noise.to_str().unwrap()];
    check(&sparkgauge(&with_noise), 2, &["noise.json", "schema version 999", "update it"]);
    assert_eq!(record.end.unwrap().reason, EndReason::Finished);
}

#[test]
fn comparison_flags_that_cannot_be_honoured_are_refused() {
    let against = |more: &[&str]| sparkgauge(&[&["bench", "--out", "never"], more].concat());
    check(&against(&["--attach", "http://127.0.0.1:1", "--against", "vllm"]), 2, &["cannot be used with"]);
    check(&against(&["--against", "vllm"]), 2, &["the simulated Spark with a real engine"]);
    check(&against(&["--recipe", "testbed-llamacpp", "--against", "simulated"]), 2, &["the simulated Spark with a real engine"]);
    check(&against(&["--against", "no-such-recipe", "--recipe", "testbed-llamacpp"]), 2, &["no recipe `no-such-recipe`"]);
    check(&against(&["--looks", "2"]), 2, &["--against"]);
    check(&against(&["--looks", "3", "--against", "simulated"]), 2, &["3 is not in 1..=2"]);
    check(&against(&["--profile", "smoke", "--baseline", "x"]), 2, &["a miniature compares with nothing"]);
    check(&against(&["--baseline", "no-such-run"]), 2, &["no-such-run", "No such file"]);
    check(&against(&["--no-baseline", "--treatment", "image"]), 2, &["cannot be used with"]);
    check(&against(&["--treatment", "colour"]), 2, &["`colour` is not one of image, engine"]);
    check(&against(&["--inconclusive", "ignore"]), 2, &["warn", "fail"]);
    check(&against(&["--simulated-slower", "decode"]), 2, &["PART=PERCENT"]);
    check(&against(&["--simulated-slower", "decode=5", "--simulated-slower", "decode=6"]), 2, &["a part twice"]);
    check(&against(&["--engine", "vllm", "--simulated-noise-seed", "2"]), 2, &["a real engine is as it is"]);
    check(&sparkgauge(&["compare", "a", "b", "--format", "json"]), 2, &["--stdout"]);
    check(
        &sparkgauge(&["compare", &Runs::get().word("one"), &Runs::get().word("other"), "--looks", "2"]),
        2,
        &["measured together"],
    );
}

/// The page that a reviewer of a change sees first: a slowdown of decoding by 5 %, both sides in turns, over all nine workloads.
#[test]
fn verdict_on_a_slowdown_of_five_percent_fits_one_screen() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pair");
    let pair = ["bench", "--against", "simulated", "--simulated-slower", "decode=5", "--looks", "1", "--out"];
    check(&sparkgauge(&[&pair[..], &[out.to_str().unwrap()]].concat()), 5, &[]);
    let page = fs::read_to_string(out.join("verdict.md")).unwrap();
    let (first_screen, _) = page.split_once("<details>").unwrap();
    assert!(first_screen.lines().count() <= 25, "{} lines: {first_screen}", first_screen.lines().count());
    insta::assert_snapshot!(first_screen);
    // The candidate's report names the verdict, and the baseline's, which it is not about, does not.
    let report = |side: &str| fs::read_to_string(out.join(side).join("report.md")).unwrap();
    assert!(report("candidate").contains("**What changed**: Regressed: ") && report("candidate").contains("(`../verdict.md`)"));
    assert!(!report("baseline").contains("Regressed"));
}

#[test]
fn accept_of_a_run_with_fewer_cells_needs_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    let (place, less) = (folder.path().join("accepted"), folder.path().join("less"));
    let two = folder.path().join("two");
    let run = |out: &Path, more: &[&str]| {
        let words = [&["bench", "--no-baseline", "--out", out.to_str().unwrap()], more].concat();
        check(&sparkgauge(&words), 0, &[]);
    };
    run(&two, &["--workload", "chat", "--workload", "long-output"]);
    run(&less, &["--workload", "chat", "--seed", "2"]);
    let accept = |run: &Path, more: &[&str]| {
        let words = ["accept", run.to_str().unwrap(), "--why", "x", "--who", "y", "--accepted-in", place.to_str().unwrap()];
        sparkgauge(&[&words[..], more].concat())
    };
    check(&accept(&two, &[]), 0, &[]);
    check(&accept(&less, &[]), 4, &["of its", "cells are missing (long-output/", "--replace-with-less"]);
    check(&accept(&less, &["--replace-with-less"]), 0, &[]);
    check(&accept(&two, &[]), 0, &["beside the baseline that it replaces"]);
}
