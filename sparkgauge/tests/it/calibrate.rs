//! Noise from runs, and the page of the judge's error rates.

use std::{fs, path::Path};

use record::Profile;
use reports::{noise::Calibration, operating};

use crate::program::{check, sparkgauge};

/// An occasion of the simulated Spark, in virtual time.
fn occasion(folder: &Path, noise: &str, trials: &str) -> String {
    let out = folder.join(noise).to_str().unwrap().to_owned();
    let size = ["--workload", "chat", "--workload", "office", "--profile", "quick", "--boots", "3", "--trials", trials];
    let what = [&["bench", "--seed", "1", "--simulated-noise-seed", noise, "--out", &out][..], &size].concat();
    check(&sparkgauge(&what), 0, &[]);
    out
}

#[test]
fn calibrate_estimates_noise_from_occasions() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["1", "2", "3"].map(|noise| occasion(folder.path(), noise, "2"));
    let file = folder.path().join("some/where/noise.json");
    let mut words: Vec<&str> = vec!["calibrate"];
    words.extend(runs.iter().map(String::as_str));
    words.extend(["--out", file.to_str().unwrap()]);
    let done = sparkgauge(&words);
    check(&done, 0, &[]);
    for part in [
        "3 occasions, 9 boots",
        "chat/c10 decode_tok_s: noise: trial ",
        "office/r0.3 ttft_p95_ns: noise: trial ",
        "expires when",
        "of at least 4 occasions",
        "on another day",
    ] {
        assert!(done.stdout.contains(part), "`{part}` is not in: {}", done.stdout);
    }
    let noise: Calibration = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert!(noise.cells.iter().all(|one| one.occasion.is_some() && one.trial.sd_ln < 0.2), "{noise:?}");
    assert!(noise.expires_with.contains_key("machine"));

    // What cannot be told apart is refused, with what to do.
    let again = sparkgauge(&["calibrate", &runs[0], &runs[0]]);
    check(&again, 4, &["refused: runs 1 and 2 have identical figures"]);
    let single = ["7", "8"].map(|noise| occasion(folder.path(), noise, "1"));
    check(&sparkgauge(&["calibrate", &single[0], &single[1]]), 4, &["refused: every boot has one trial", "--trials 2"]);
    check(&sparkgauge(&["calibrate", folder.path().to_str().unwrap()]), 2, &["record.jsonl.gz"]);
    check(&sparkgauge(&["calibrate"]), 2, &["RUN"]);
}

/// The page of error rates is simulated anew in part: the first comparisons of each scenario, which the page counts for themselves. Whoever
/// changes a default of the judge sees it here, and writes the page anew with `cargo xtask calibrate --simulate`.
#[test]
fn committed_page_of_error_rates_is_current() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/operating_characteristics.md")).unwrap();
    let gates = workloads::gates(&workloads::cells(Profile::Standard, &[]).unwrap());
    let found = operating::characteristics(&gates, operating::SEED, operating::FIRST_COMPARISONS).unwrap();
    assert!(page.contains(&format!("\n{}\n", found.first_counts())), "`cargo xtask calibrate --simulate` writes another page");
    for rate in found.rates() {
        let line = format!("\n| {} | {} |", rate.scenario, rate.boots);
        assert!(page.contains(&line), "the page has no line {line}");
    }
}
