//! What the twin is fitted to and what it forecasts.

use std::fs;

use twin::server::Params;

use crate::program::{check, sparkgauge};

/// The simulated Spark is measured like any engine; from its record alone, a fit must find what it is made of.
#[test]
fn fit_to_a_record_recovers_the_simulated_engine() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (run, engine) = (path("run"), path("engine.toml"));
    let size = [
        "--profile",
        "standard",
        "--boots",
        "1",
        "--trials",
        "1",
        "--workload",
        "chat",
        "--workload",
        "rag",
        "--workload",
        "long-output",
    ];
    check(&sparkgauge(&[&["bench", "--no-baseline", "--out", &run][..], &size].concat()), 0, &[]);
    let truth = Params::default();
    let (steps, sequences) = (truth.max_step_tokens.to_string(), truth.max_sequences.to_string());
    let done = sparkgauge(&["sim", "fit", &run, "--max-step-tokens", &steps, "--max-sequences", &sequences, "--out", &engine]);
    check(&done, 0, &["sim serve --params"]);
    assert!(done.stdout.contains("decode.base_ns") && done.stdout.contains("chat/c10"), "{}", done.stdout);
    let found = Params::from_toml(&fs::read_to_string(&engine).unwrap()).unwrap();
    let near = |found: u64, truth: u64, share: f64| (found as f64 / truth as f64 - 1.0).abs() < share;
    // Whether a long prompt costs by the token or by the pair is hard to tell; what it costs is not.
    let prompt_ns = |params: &Params| {
        let (tokens, steps) = (8192, 8192 / u64::from(params.max_step_tokens));
        let read_ns = params.decode.base_ns + params.decode.experts_ns + params.prefill.base_ns + params.prefill.ramp_ns;
        tokens * params.prefill.per_token_ns + tokens * tokens / 2 * params.prefill.per_pair_fs / 1_000_000 + steps * read_ns
    };
    assert!(near(prompt_ns(&found), prompt_ns(&truth), 0.05), "{found:?}");
    let one_step_ns = |params: &Params| {
        let touched = params.decode.experts_ns * u64::from(params.decode.expert_share_ppm) / 1_000_000;
        params.decode.base_ns + touched + params.decode.per_sequence_ns
    };
    assert!(near(one_step_ns(&found), one_step_ns(&truth), 0.05), "{found:?}");

    // And what it found can be asked.
    let done = sparkgauge(&["sim", "predict", "--params", &engine, "--workload", "chat", "--profile", "quick", "--trials", "3"]);
    check(&done, 0, &[]);
    let bench = ["bench", "--no-baseline", "--profile", "smoke", "--workload", "chat", "--simulated-params", &engine, "--out"];
    let again = path("again");
    check(&sparkgauge(&[&bench[..], &[&again]].concat()), 0, &[]);
    assert!(crate::program::record_in(again.as_ref()).header.recipe.model.source.contains("their hash is"));
    assert!(done.stdout.contains("| chat/c10 | ") && done.stdout.contains(" ± "), "{}", done.stdout);
}

#[test]
fn plan_lists_memory_speed_and_most_users_per_model() {
    let done = sparkgauge(&["sim", "plan", "--users", "20", "--context", "2000", "--output", "100", "--ttft-p95", "4s"]);
    check(&done, 0, &[]);
    for part in ["| gpt-oss-120b-mxfp4 | vllm-mxfp4 | 64 GB |", "| llama-3.1-70b-fp8 |", "most users"] {
        assert!(done.stdout.contains(part), "`{part}` is not in: {}", done.stdout);
    }
    let lines: Vec<_> = done.stdout.lines().filter(|line| line.contains("| yes |") || line.contains("| no |")).collect();
    assert_eq!(lines.len(), 7, "{}", done.stdout);
}

#[test]
fn unusable_input_of_sim_verbs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().to_str().unwrap();
    check(&sparkgauge(&["sim", "plan", "--users", "0", "--context", "1", "--ttft-p95", "2s"]), 2, &["0 is not in 1..="]);
    check(&sparkgauge(&["sim", "plan", "--users", "1", "--context", "1", "--ttft-p95", "2"]), 2, &["with its unit"]);
    check(&sparkgauge(&["sim", "predict", "--model", "gpt-5"]), 2, &["no model is described as gpt-5", "gpt-oss-120b-mxfp4"]);
    check(&sparkgauge(&["sim", "predict"]), 2, &["--params"]);
    check(&sparkgauge(&["sim", "predict", "--params", "/no/such/file.toml"]), 2, &["cannot read /no/such/file.toml"]);
    check(&sparkgauge(&["bench", "--simulated-params", "/no/such/file.toml"]), 2, &["cannot read /no/such/file.toml"]);
    check(&sparkgauge(&["sim", "check", "/no/such/folder"]), 2, &["cannot read /no/such/folder"]);
    check(&sparkgauge(&["sim", "check", none]), 2, &["no published run"]);
    check(&sparkgauge(&["sim", "fit", none]), 2, &["record.jsonl.gz"]);
    let run = folder.path().join("run");
    check(
        &sparkgauge(&["bench", "--no-baseline", "--profile", "smoke", "--workload", "chat", "--out", run.to_str().unwrap()]),
        0,
        &[],
    );
    check(&sparkgauge(&["sim", "fit", run.to_str().unwrap()]), 4, &["cannot tell what", "streams"]);
    fs::write(folder.path().join("bad.toml"), "max_sequences = 0").unwrap();
    check(
        &sparkgauge(&["sim", "predict", "--params", folder.path().join("bad.toml").to_str().unwrap()]),
        2,
        &["max_sequences must be at least 1"],
    );
}
