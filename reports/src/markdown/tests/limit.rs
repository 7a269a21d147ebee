//! The section of the limit, which only a described model on a described machine has.

use super::{engine::section, *};

/// A Spark that serves gpt-oss-120b to one stream, to ten and to a queue, and reads long prompts.
pub(super) fn on_a_spark() -> Record {
    let of = |workload, streams, ttft_ms, tpot_ms| {
        let mut trial = closed_trial(workload, streams, 3, ttft_ms * MS, tpot_ms * MS, 301);
        trial.cell.prompt_tokens = record::Length::Fixed { tokens: 1024 };
        trial.cell.output_tokens = record::Length::Fixed { tokens: 301 };
        for observation in &mut trial.observations {
            observation.usage = Some(record::Usage { prompt_tokens: 1024, completion_tokens: 301, cached_tokens: Some(0) });
            observation.planned_prompt_tokens = 1024;
        }
        trial
    };
    let faster = Trial { trial: 1, plan_digest: "plan-1".to_owned(), ..of("chat", 1, 500, 5) };
    let office = trial(cell("office", "r0.3", open()), (0..60).map(|n| even(n * S, 300 * MS, 60 * MS, 40)).collect());
    let mut run = record(vec![of("chat", 1, 500, 30), faster, of("chat", 10, 4000, 60), of("rag", 20, 9000, 90), office]);
    run.header.machine.gpu = Some("NVIDIA GB10".to_owned());
    run.header.machine.driver = Some("580.95.05".to_owned());
    run.header.recipe.engine = record::EngineName::Vllm;
    run.header.recipe.model.id = "gpt-oss-120b".to_owned();
    run.header.recipe.model.source = "openai/gpt-oss-120b".to_owned();
    run
}

#[test]
fn distance_to_the_limit_is_shown_per_cell() {
    insta::assert_snapshot!(section(&on_a_spark(), "Distance to the machine's limit"), @"
    `DGX Spark (GB10)` reads 273 GB/s and computes 125 TFLOP/s in BF16, dense; `gpt-oss-120b-mxfp4` cannot decode or prefill faster than that allows.

    - Memory bandwidth utilisation (MBU): the share of the bandwidth that the decode steps needed while any request was between its first token and its last. Model FLOPs utilisation (MFU): the share of the arithmetic that the prompts needed while any waited for its first token.
    - The ceiling is the rate at which the same work would have reached 100 %. Both shares are lower bounds: where prefill and decode take turns, each is charged with time that the other used, and keys and values count one byte per number. A trial above 100 % is suspect, and invalid where neither narrower weights or arithmetic nor tokens that choose the same experts would explain it.
    - A GB10 was seen to read 231 to 234 of its 273 GB/s at best (antirez/ds4, issue 773), so that an MBU near 85 % leaves little to gain. Short prompts have a low MFU by nature: reading the weights takes longer than computing with them.

    | Cell | Decode tok/s, all streams | Decode ceiling | MBU | Prefill tok/s, all streams | Prefill ceiling | MFU |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: |
    | `chat/c1` | 33.3 | 54.3 | 61.4 % | 2050 | 12100 | 17.0 % |
    | `chat/c10` | 167 | 194 | 85.8 % | 2560 | 12100 | 21.2 % |
    | `rag/c20` | 222 | 262 | 84.8 % | 2280 | 12100 | 18.8 % |
    | `office/r0.3` | 38.1 | 109 | 35.1 % | 333 | 12200 | 2.72 % |
    ");
}

#[test]
fn published_figures_have_their_own_section() {
    insta::assert_snapshot!(section(&on_a_spark(), "What others published of this model"), @"
    Other people's figures, neither measured nor checked here: for a cell the published figure of the same model on a Spark with the nearest number of streams. Prompts, answers and engines differ as the columns say, and images, versions and clocks besides. Lengths of others are those of `twin/published.toml`, which says where they are assumed.

    | Cell | Load here | Engine here | Load there | Engine there | Source | Rate | Here, tok/s | There, tok/s |
    | --- | --- | --- | --- | --- | --- | --- | ---: | ---: |
    | `chat/c1` | 1 stream, 1024 → 301 | `vllm` | 1 stream, 1500 (one prompt for all) → 400 | `vllm-mxfp4` | `dendro-logic, DGX Spark Concurrency Benchmark, 2026-04-22` | output | 31.7 | 33.5 |
    | `chat/c10` | 10 streams, 1024 → 301 | `vllm` | 8 streams, 1500 (one prompt for all) → 400 | `vllm-mxfp4` | `dendro-logic, DGX Spark Concurrency Benchmark, 2026-04-22` | output | 137 | 123 |
    | `rag/c20` | 20 streams, 1024 → 301 | `vllm` | 16 streams, 1500 (one prompt for all) → 400 | `vllm-mxfp4` | `dendro-logic, DGX Spark Concurrency Benchmark, 2026-04-22` | output | 167 | 173 |
    ");
    // The weights of a GGUF are not all as described, but the model is.
    let mut gguf = on_a_spark();
    gguf.header.recipe.model.source = "ggml-org/gpt-oss-120b-GGUF".to_owned();
    assert_eq!(section(&gguf, "Distance to the machine's limit"), "");
    assert_eq!(
        section(&gguf, "What others published of this model").lines().count(),
        section(&on_a_spark(), "What others published of this model").lines().count()
    );
}

#[test]
fn simulated_limit_is_marked() {
    let mut run = on_a_spark();
    let sentences = ["No machine was measured", "The simulated Spark was fitted"];
    let told = |run: &Record| sentences.map(|sentence| render(run).contains(sentence));
    assert_eq!(told(&run), [false, false]);
    run.header.launch = Launch::Simulated;
    assert_eq!(told(&run), [true, true]);
}

#[test]
fn unknown_limit_has_no_section() {
    let mut run = on_a_spark();
    run.header.machine.gpu = Some("NVIDIA H100".to_owned());
    assert_eq!(section(&run, "Distance to the machine's limit"), "");
    let mut run = on_a_spark();
    run.trials.clear();
    assert_eq!(section(&run, "Distance to the machine's limit"), "");
}

#[test]
fn miniatures_have_no_published_neighbours() {
    let mut run = on_a_spark();
    run.trials.iter_mut().for_each(|trial| trial.cell.comparable = false);
    assert!(section(&run, "Distance to the machine's limit").contains("| `chat/c1` |"));
    assert_eq!(section(&run, "What others published of this model"), "");
}

#[test]
fn published_points_show_both_rates() {
    let mut run = on_a_spark();
    (run.header.recipe.model.id, run.header.recipe.model.source) = ("llama-3.1-8b-fp8".to_owned(), String::new());
    run.trials.retain(|trial| trial.cell.name() != "chat/c1");
    let rows = section(&run, "What others published of this model");
    let rows: Vec<&str> = rows.lines().filter(|line| line.contains("LMSYS")).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    | `rag/c20` | 20 streams, 1024 → 301 | `vllm` | 32 streams, 2048 → 512 | `sglang-fp8` | `LMSYS, NVIDIA DGX Spark In-Depth Review, 2025-10-13` | decode | 222 | 368 |
    | `rag/c20` | 20 streams, 1024 → 301 | `vllm` | 32 streams, 2048 → 512 | `sglang-fp8` | `LMSYS, NVIDIA DGX Spark In-Depth Review, 2025-10-13` | prefill | 2280 | 7950 |
    ");
}

#[test]
fn published_names_stay_inside_code_spans() {
    let mut run = on_a_spark();
    HOSTILE.clone_into(&mut run.trials[0].cell.point);
    stays_inside(&render(&run));
}
