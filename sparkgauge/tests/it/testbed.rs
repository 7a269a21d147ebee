//! The main job on real engines. `cargo xtask ci` prepares the testbed and includes these; without it they show as ignored.

use std::path::Path;

use record::{EndReason, Record, TokenSource};
use reports::{summary::CellSummary, validity::Validity};

use crate::program::{check, record_in, sparkgauge};

/// Boots the recipe's engine, measures all nine in miniature, and looks at what is left.
pub(crate) fn smoke(recipe: &str, out: &Path) -> Record {
    let done = sparkgauge(&[
        "bench",
        "--no-selftest",
        "--wait",
        "--recipe",
        recipe,
        "--profile",
        "smoke",
        "--out",
        out.to_str().unwrap(),
    ]);
    let record = record_in(out);
    // On a machine that is busy with other tests a request may be sent too late, and the instrument must say so. Nothing else may be
    // wrong.
    check(&done, if is_starved(&record) { 4 } else { 0 }, &[]);
    let end = record.end.as_ref().unwrap();
    assert_eq!(end.reason, EndReason::Finished);
    assert!(
        end.engine_stop.as_deref().is_some_and(|words| words.starts_with("boot 0: stopped when asked")),
        "{:?}",
        end.engine_stop
    );
    assert_eq!(record.header.workload_hashes.len(), 9);
    for seen in record.trials.iter().flat_map(|trial| &trial.observations) {
        assert!(seen.outcome.is_complete(), "{seen:?}");
        assert_eq!(seen.token_source, TokenSource::Running);
        assert_eq!(seen.output_tokens(), Some(seen.planned_output_tokens));
    }
    let sizing = &record.boots[0].sizing;
    assert!((sizing.scale - 1.0).abs() < 0.02, "the model's own tokenizer sizes its prompts: {sizing:?}");
    assert!(out.join("report.md").is_file());
    record
}

fn process_smoke(recipe: &str) {
    let folder = tempfile::tempdir().unwrap();
    smoke(recipe, &folder.path().join("run"));
}

/// Whether a trial is invalid for nothing but its late sends, and was so again when it was repeated.
fn is_starved(record: &Record) -> bool {
    let cells = reports::summary::summarise(record).cells;
    let reasons = cells.iter().flat_map(CellSummary::last_attempts).flat_map(|trial| &trial.judgement.reasons);
    let invalid: Vec<_> =
        reasons.filter(|reason| reason.validity == Validity::Invalid).map(|reason| reason.text.as_str()).collect();
    let is_late = |text: &&str| text.starts_with("send lag") || text.starts_with("worst send lag");
    assert!(invalid.iter().all(is_late), "{invalid:?}");
    !invalid.is_empty()
}

#[test]
#[ignore = "needs the testbed: cargo xtask testbed"]
fn llamacpp_runs_nine_workloads() {
    process_smoke("testbed-llamacpp");
}

#[test]
#[ignore = "needs the testbed: cargo xtask testbed"]
fn vllm_runs_nine_workloads() {
    process_smoke("testbed-vllm");
}
