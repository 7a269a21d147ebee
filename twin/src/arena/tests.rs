//! Folders of published runs, good and bad.

use std::{collections::BTreeMap, fmt::Write as _};

use proptest::prelude::*;

use super::{Run, check::check};

const META: &str = r#"{"served_name": "m", "server_config": {"max_model_len": 32768, "async_scheduling": true,
    "extra_vllm_args": "--foo bar --max-num-seqs=300 --max-num-batched-tokens 4096"}}"#;

const OPEN: &str = r#"{"num_prompts": 20, "completed": 20, "request_rate": 0.5, "burstiness": 0.7, "max_concurrency": null,
    "total_input_tokens": 80000, "total_output_tokens": 9000, "output_throughput": 60, "p50_ttft_ms": 900, "p95_ttft_ms": 2100}"#;

const HEADERS: &str =
    "| model | test | t/s (total) | t/s (req) | peak t/s | peak t/s (req) | ttfr (ms) | est_ppt (ms) | e2e_ttft (ms) |\n";

fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// A made-up machine that prefills 4000 tokens in a second and decodes at 30 tok/s, whatever the batch.
fn table() -> String {
    let mut table = HEADERS.to_owned();
    for streams in [1, 5, 10] {
        for tokens in [512, 2048, 8192] {
            let (seconds, mean_s) = (f64::from(tokens * streams) / 4000.0, f64::from(tokens * (streams + 1)) / 8000.0);
            let tok_s = f64::from(tokens * streams) / seconds;
            let load = format!("{tok_s:.2} ± 1.00 | 1.0 ± 0.1 | | | {0:.2} ± 1.00 | {0:.2} ± 1.00", mean_s * 1e3);
            let _ = writeln!(table, "| m | pp{tokens} (c{streams}) | {load} | |");
            let rate = 25.0 * f64::from(streams);
            let _ = writeln!(table, "| m | tg128 (c{streams}) | {rate:.2} ± 1.00 | 30.00 ± 0.10 | 1 ± 0 | 1 ± 0 | | | |");
        }
    }
    table
}

#[test]
fn folder_yields_engine_closed_and_open_loops() {
    let table = table();
    let run = Run::read(&files(&[
        ("meta.json", META),
        ("01-chat.md", &table),
        ("07-office.json", OPEN),
        ("11-rate-sweep-0.5.json", OPEN),
        ("11-rate-sweep.json", "{}"),
    ]))
    .unwrap();
    let engine = &run.engine;
    assert_eq!(
        (engine.max_sequences, engine.max_step_tokens, engine.max_context_tokens, engine.async_scheduling),
        (300, 4096, 32_768, true)
    );
    assert_eq!((run.closed.len(), run.open.len()), (9, 2));
    // What was drawn is not what the file says was served, so that it is not counted; where it is, the sweep has its steps.
    let drawn: u32 = run.open[1].load.requests.iter().map(|request| request.output_tokens).sum();
    assert!(!run.open[1].published.complete && check(&run).unwrap().steps().is_empty());
    let open = OPEN.replace("9000", &drawn.to_string());
    let run = Run::read(&files(&[
        ("meta.json", META),
        ("01-chat.md", &table),
        ("07-office.json", &open),
        ("11-rate-sweep-0.5.json", &open),
    ]))
    .unwrap();
    let checked = check(&run).unwrap();
    assert_eq!(checked.tests.len(), 2);
    assert!(
        checked
            .tests
            .iter()
            .all(|test| test.predicted.ttft_p95_s >= test.predicted.ttft_p50_s && test.predicted.output_tok_s > 0.0)
    );
    assert_eq!(checked.steps().len(), 3);
}

#[test]
fn missing_or_broken_file_is_named() {
    let refusal = |pairs: &[(&str, &str)]| Run::read(&files(pairs)).unwrap_err().to_string();
    let table = table();
    insta::assert_snapshot!(refusal(&[]), @"no meta.json in the folder: a run of the arena has one");
    insta::assert_snapshot!(refusal(&[("meta.json", "{")]), @"meta.json: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(refusal(&[("meta.json", META), ("01-chat.md", "nothing")]), @"no closed loop (01-*.md to 06-*.md with llama-benchy's tables) in the folder: a run of the arena has one");
    insta::assert_snapshot!(refusal(&[("meta.json", META), ("01-chat.md", &table.replace("ttfr", "ttft"))]), @"01-chat.md: the table has a column `ttft (ms)`, which llama-benchy 0.4.0 does not write");
    insta::assert_snapshot!(refusal(&[("meta.json", META), ("01-chat.md", &table), ("09-x.json", "[]")]), @"09-x.json: invalid length 0, expected struct Results with 10 elements at line 1 column 2");
}

proptest! {
    /// Whatever stands in the files: an answer or an error, and no panic.
    #[test]
    fn any_text_is_read_without_panic(meta in ".{0,80}", cells in prop::collection::vec("(pp|tg)?[0-9]{0,12}( @ d[0-9]{0,3})?( \\(c[0-9]{0,4}\\))?", 0..6), figure in "[0-9.±e -]{0,12}", open in ".{0,80}") {
        let mut rows = HEADERS.to_owned();
        for cell in &cells {
            let _ = writeln!(rows, "| m | {cell} | {figure} | {figure} | | | {figure} | {figure} |");
        }
        for meta in [meta.as_str(), META] {
            let _ = Run::read(&files(&[("meta.json", meta), ("01-x.md", &rows), ("07-x.json", &open)]));
        }
    }
}
