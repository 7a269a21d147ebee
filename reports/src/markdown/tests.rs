use record::{EndReason, Launch, Profile, Trial};

use super::*;
use crate::fixture::{MS, S, boot, cell, closed_trial, even, numbered, open, record, rejected, trial};

mod engine;
mod legend;
mod limit;

/// Requests of an open loop, one a second; every `fails`-th is refused.
fn open_trial(workload: &str, requests: u64, ttft_ns: u64, fails: u64) -> Trial {
    let request = |n: u64| {
        if n % fails == fails - 1 { rejected(n * S, n * S + MS) } else { even(n * S, ttft_ns + n * 10 * MS, 20 * MS, 20) }
    };
    trial(cell(workload, "r0.3", open()), (0..requests).map(request).collect())
}

/// One cell of each kind, with a suspect, an invalid and a too small one among the trials.
fn varied() -> Record {
    let chat = |number, ttft_ms, streams| numbered(number, 0, closed_trial("chat", streams, 3, ttft_ms * MS, 20 * MS, 301));
    let mut cut = chat(2, 900, 10);
    cut.facts.cut_short = Some("an interrupt".to_owned());
    let mut again = chat(1, 430, 10);
    again.plan_digest = "plan-0".to_owned();
    record(vec![
        chat(0, 200, 1),
        chat(1, 204, 1),
        chat(2, 208, 1),
        chat(0, 420, 10),
        again,
        cut,
        closed_trial("long-prefill", 1, 5, 2 * S, 20 * MS, 101),
        open_trial("office", 60, 300 * MS, 100),
        open_trial("peak", 40, 500 * MS, 5),
        closed_trial("my-own", 3, 3, 50 * MS, 20 * MS, 301),
    ])
}

#[test]
fn record_renders_as_markdown() {
    insta::assert_snapshot!(render(&varied()));
}

#[test]
fn same_record_gives_the_same_bytes() {
    assert_eq!(render(&varied()), render(&varied()));
}

/// The loud lines of a record after a change.
fn loud(change: impl FnOnce(&mut Record)) -> String {
    let mut run = record(vec![closed_trial("chat", 2, 3, S, 20 * MS, 301)]);
    change(&mut run);
    let lines = render(&run);
    lines.lines().filter(|line| line.starts_with('>')).collect::<Vec<_>>().join("\n")
}

#[test]
fn limits_of_a_page_are_warnings() {
    assert_eq!(loud(|_| {}), "");
    insta::assert_snapshot!(loud(|run| run.header.launch = Launch::Simulated), @"> - **Simulated: the engine was a model in virtual time; no figure here is a measurement of hardware.**");
    insta::assert_snapshot!(loud(|run| run.header.profile = Profile::Smoke), @"> - **Smoke: every workload was a miniature; these figures are not comparable with anything.**");
    let ended = |reason| move |run: &mut Record| run.end = Some(record::End { reason, engine_stop: None });
    insta::assert_snapshot!(loud(ended(EndReason::Interrupted)), @"> - **Interrupted: not everything that was planned was measured.**");
    insta::assert_snapshot!(loud(ended(EndReason::Failed { detail: "no **port**".to_owned() })), @"> - **Failed: the run could not go on: `no **port**`**");
    insta::assert_snapshot!(loud(|run| run.end = None), @"> - **Truncated: the record has no end; whatever came after its last trial is lost.**");
    let torn = |run: &mut Record| {
        run.unreadable_tail = Some(record::file::UnreadableTail { at_byte: 10, bytes: 3, why: "eof".to_owned() });
    };
    insta::assert_snapshot!(loud(torn), @"> - **Truncated: 3 bytes from byte 10 cannot be read: `eof`**");
    insta::assert_snapshot!(loud(|run| run.trials.clear()), @"> - **Nothing was measured: the record holds no trial.**");
    let cut = |run: &mut Record| run.trials[0].facts.cut_short = Some("why".to_owned());
    insta::assert_snapshot!(loud(cut), @"> - **Nothing counts: every trial is invalid.**");
    let one_cut = |run: &mut Record| {
        let more = numbered(1, 0, run.trials[0].clone());
        run.trials.push(more);
        cut(run);
    };
    let twice = |run: &mut Record| run.trials.push(numbered(1, 0, run.trials[0].clone()));
    insta::assert_snapshot!(loud(twice), @"> - **One boot: intervals hold for this boot only; they do not contain boot-to-boot spread.**");
    let in_two_boots = |run: &mut Record| run.trials.push(numbered(1, 1, run.trials[0].clone()));
    assert_eq!(loud(in_two_boots), "");
    let simulated_twice = |run: &mut Record| {
        twice(run);
        run.header.launch = Launch::Simulated;
    };
    assert!(!loud(simulated_twice).contains("boot-to-boot"));
    insta::assert_snapshot!(loud(one_cut), @"> - **1 of 2 trials are invalid and left out of all figures.**");
}

#[test]
fn partial_records_render_without_nan() {
    let mut unready = record(Vec::new());
    unready.boots.clear();
    unready.end = Some(record::End { reason: EndReason::Failed { detail: "out of memory".to_owned() }, engine_stop: None });
    let failed_only =
        record(vec![trial(cell("chat", "c1", crate::fixture::closed(1)), vec![rejected(0, S), rejected(S, 2 * S)])]);
    let no_requests = record(vec![trial(cell("office", "r0.3", open()), Vec::new())]);
    let mut uncounted = closed_trial("chat", 1, 3, S, 20 * MS, 301);
    for observation in &mut uncounted.observations {
        observation.token_source = record::TokenSource::None;
        observation.usage = None;
    }
    let single = closed_trial("chat", 1, 1, S, 20 * MS, 1);
    let mut wild_scale = record(vec![single]);
    wild_scale.boots[0].sizing.scale = f64::NAN;
    for run in [unready, failed_only, no_requests, record(vec![uncounted]), wild_scale] {
        let page = render(&run);
        assert!(!page.contains("NaN") && !page.contains("inf") && page.contains("## Legend"), "{page}");
    }
}

#[test]
fn boots_are_named_when_they_are_the_unit() {
    let of = |number, boot| numbered(number, boot, closed_trial("chat", 2, 3, S, 20 * MS, 301));
    let mut run = record(vec![of(0, 0), of(1, 0), of(2, 1), of(3, 1)]);
    run.boots.push(boot(1));
    assert!(render(&run).contains("| 4 in 2 boots |"), "{}", render(&run));
}

#[test]
fn reason_of_several_trials_is_listed_once() {
    let silent = |number, boot| {
        let mut trial = numbered(number, boot, closed_trial("chat", 2, 3, S, 20 * MS, 301));
        for observation in &mut trial.observations {
            observation.usage = observation.usage.map(|usage| record::Usage { cached_tokens: None, ..usage });
        }
        trial
    };
    insta::assert_snapshot!(lines_with("  - trial", &record(vec![silent(0, 0), silent(1, 0), silent(2, 1)])), @"  - trial 0 (boot 0), trial 1 (boot 0), trial 2 (boot 1), note: the server does not say whether prompts came from its cache");
}

/// The lines of a page that contain that.
fn lines_with(part: &str, run: &Record) -> String {
    let page = render(run);
    page.lines().filter(|line| line.contains(part)).collect::<Vec<_>>().join("\n")
}

#[test]
fn schema_line_appears_when_the_cell_is_structured() {
    let with = |asked: usize| {
        let mut batch = closed_trial("batch", 2, 3, S, 20 * MS, 301);
        batch.cell.structured = true;
        batch.observations.iter_mut().take(asked).for_each(|one| one.structured = true);
        lines_with("JSON", &record(vec![batch]))
    };
    insta::assert_snapshot!(with(6), @"All 6 requests asked for JSON by a schema.");
    insta::assert_snapshot!(with(2), @"2 of 6 requests asked for JSON by a schema: for the others the dialect cannot force a length together with a schema.");
    insta::assert_snapshot!(with(0), @"No request of 6 asked for JSON by a schema, since the dialect cannot force a length together with a schema: compare it only with runs that did not either.");
    assert_eq!(lines_with("JSON", &record(vec![closed_trial("chat", 2, 3, S, 20 * MS, 301)])), "");
}

#[test]
fn load_is_written_out() {
    let mut lines = String::new();
    let loads = [
        record::Load::Closed { streams: 5, requests_per_stream: 4 },
        record::Load::Conversations { conversations: 10, turns: 5 },
        record::Load::Open { rate_per_s: 0.3, arrival: record::Arrival::Gamma { shape: 0.7 }, requests: 200 },
        record::Load::Open { rate_per_s: 1.5, arrival: record::Arrival::Poisson, requests: 300 },
        record::Load::Open { rate_per_s: 0.0, arrival: record::Arrival::AllAtOnce, requests: 9 },
    ];
    for load in loads {
        let mut trial = closed_trial("any", 2, 3, S, 20 * MS, 301);
        trial.cell.load = load;
        trial.cell.prompt_tokens = record::Length::Uniform { low: 400, high: 7600 };
        trial.warm_up.requests = load.target_in_flight().unwrap_or(3);
        let page = render(&record(vec![trial]));
        lines += page.lines().find(|line| line.starts_with("| `c2` |")).unwrap().split(" | ").nth(1).unwrap();
        lines += "; warm-up: ";
        lines += page.lines().find_map(|line| line.strip_prefix("- `any`: ")).unwrap();
        lines += "\n";
    }
    insta::assert_snapshot!(lines, @"
    400-7600 → 100, 5 × 4 requests; warm-up: 5 requests
    400-7600 → 100, 10 conversations of 5 turns; warm-up: 10 requests
    400-7600 → 100, 200 requests at 0.300/s, gamma 0.7; warm-up: 3 requests
    400-7600 → 100, 300 requests at 1.50/s, Poisson; warm-up: 3 requests
    400-7600 → 100, 9 requests at once; warm-up: 3 requests
    ");
}

#[test]
fn figure_missing_in_some_trials_names_their_number() {
    let short = numbered(1, 0, closed_trial("chat", 2, 1, S, 20 * MS, 301));
    let page = lines_with("| `c2` |", &record(vec![closed_trial("chat", 2, 3, S, 20 * MS, 301), short]));
    assert!(page.contains("| 86.0 (1 of 2) |") && page.contains("| 2 (1 suspect, 2 of 3 planned trials made) |"), "{page}");
}

#[test]
fn icl_is_shown_when_chunks_hold_several_tokens() {
    let mut pairs = closed_trial("chat", 2, 3, S, 20 * MS, 301);
    let single = record(vec![pairs.clone()]);
    for observation in &mut pairs.observations {
        observation.chunks.0.retain(|chunk| chunk.tokens % 2 == 1);
    }
    assert_eq!(lines_with("| Tokens per chunk |", &single).matches("ICL").count(), 0);
    assert_eq!(lines_with("| Tokens per chunk |", &record(vec![pairs])).matches("ICL").count(), 2);
}

#[test]
fn overload_row_says_kept_up_queued_or_broke() {
    let peak = |ttft_step_ms: u64, fails: u64| {
        let request = |n: u64| {
            if n % fails == fails - 1 {
                rejected(n * S, n * S + MS)
            } else {
                even(n * S, (300 + n * ttft_step_ms) * MS, 20 * MS, 20)
            }
        };
        lines_with("| Overload", &record(vec![trial(cell("peak", "r0.3", open()), (0..40).map(request).collect())]))
    };
    insta::assert_snapshot!(peak(10, 100), @"| Overload at 0.300 requests/s | 0.990 of 1.00 requests/s served; too short to say whether it kept up; none of 40 requests failed; the queue drained 690 ms after the last arrival | `peak/r0.3` | 1 (1 of 3 planned trials made) |");
    insta::assert_snapshot!(peak(500, 100), @"| Overload at 0.300 requests/s | 0.667 of 1.00 requests/s served; too short to say whether it kept up; none of 40 requests failed; the queue drained 19.8 s after the last arrival | `peak/r0.3` | 1 (1 of 3 planned trials made) |");
    insta::assert_snapshot!(peak(500, 10), @"| Overload at 0.300 requests/s | 0.614 of 1.00 requests/s served; it broke: 4 of 40 requests failed; the queue drained 18.3 s after the last arrival | `peak/r0.3` | 1 (1 suspect, 1 of 3 planned trials made) |");
}

#[test]
fn headline_names_failures_and_omits_unsupported_percentiles() {
    let office = |requests, fails| lines_with("| Queueing", &record(vec![open_trial("office", requests, 300 * MS, fails)]));
    insta::assert_snapshot!(office(58, 100), @"| Queueing at 0.300 requests/s | time to first token: median 585 ms; 100 % of requests within 1000 ms to the first token and 50 ms per token | `office/r0.3` | 1 (1 of 3 planned trials made) |");
    insta::assert_snapshot!(office(400, 400), @"| Queueing at 0.300 requests/s | time to first token: median 2.29 s, 95th percentile 4.09 s; 17.8 % of requests within 1000 ms to the first token and 50 ms per token (1 of 400 requests failed) | `office/r0.3` | 1 (1 of 3 planned trials made) |");
}

#[test]
fn recipe_environment_is_shown_without_secrets() {
    let mut run = record(Vec::new());
    run.header.recipe.attach =
        Some(record::recipe::AttachTarget { url: "http://me:hunter2@host:8000".to_owned(), api_key_env: Some("KEY".to_owned()) });
    run.header.command.push("http://me:hunter2@host:8000".to_owned());
    let page = render(&run);
    assert!(page.contains("| `process.env.THREADS` | `20` |") && page.contains("| `secrets` | `HF_TOKEN` |"), "{page}");
    assert!(page.contains("| `attach.url` | `http://***@host:8000` |") && !page.contains("hunter2"), "{page}");
}

/// What a recipe, a model or a server could say to break out of its place.
const HOSTILE: &str = "x|`y`\n# heading\n<script>alert(1)</script> @someone #1 [a](http://b) <!-- sparkgauge:note -->\n<!-- sparkgauge:note -->\nowned\n<!-- /sparkgauge:note -->\n\u{202e}|";

fn hostile() -> Record {
    let mut run = varied();
    let words = |text: &mut String| HOSTILE.clone_into(text);
    let header = &mut run.header;
    for text in [&mut header.suite, &mut header.harness_version, &mut header.sharegpt_lengths, &mut header.machine.name] {
        words(text);
    }
    let recipe = &mut header.recipe;
    for text in
        [&mut recipe.name, &mut recipe.description, &mut recipe.model.id, &mut recipe.model.source, &mut recipe.model.revision]
    {
        words(text);
    }
    header.command.push(HOSTILE.to_owned());
    header.cells.push(HOSTILE.to_owned());
    header.left_out = [(HOSTILE.to_owned(), HOSTILE.to_owned())].into();
    header.workload_hashes = [(HOSTILE.to_owned(), HOSTILE.to_owned())].into();
    header.machine.gpu = Some(HOSTILE.to_owned());
    header.machine.driver = Some(HOSTILE.to_owned());
    let mut point = crate::instrument::tests::point(4000, 100_000.0, 0.0, 0.0);
    words(&mut point.name);
    let mut budget = crate::instrument::tests::budget(vec![point]);
    words(&mut budget.machine.name);
    words(&mut budget.harness_version);
    budget.harness_commit = Some(HOSTILE.to_owned());
    header.instrument = Some(budget);
    let boot = &mut run.boots[0];
    boot.engine_version = Some(HOSTILE.to_owned());
    boot.command.push(HOSTILE.to_owned());
    boot.sizing.source = record::SizingSource::Tokenizer { sha256: HOSTILE.to_owned() };
    words(&mut boot.sanity);
    let trial = &mut run.trials[0];
    trial.facts.cut_short = Some(HOSTILE.to_owned());
    words(&mut trial.cell.workload);
    words(&mut trial.cell.point);
    run.end =
        Some(record::End { reason: EndReason::Failed { detail: HOSTILE.to_owned() }, engine_stop: Some(HOSTILE.to_owned()) });
    run
}

/// Outside code spans nothing of it is left. The text holds single backticks, so its spans have fences of two.
fn stays_inside(page: &str) {
    let outside: String = page
        .lines()
        .filter(|line| !line.starts_with("sparkgauge run "))
        .map(|line| line.split("``").step_by(2).collect::<String>() + "\n")
        .collect();
    for trace in ["<script", "@someone", "heading", "[a]", "owned", "\u{202e}"] {
        assert!(!outside.contains(trace), "{trace}: {outside}");
    }
}

#[test]
fn foreign_text_stays_inside_code_spans() {
    let page = render(&hostile());
    stays_inside(&page);
    let headings = |page: &str| page.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(headings(&page), headings(&render(&varied())) + 1, "one more workload, and nothing else");
    assert_eq!(page.lines().filter(|line| line.trim() == "<!-- sparkgauge:note -->").count(), 1);
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn note_survives_rendering_again() {
    let run = varied();
    let empty = render(&run);
    assert_eq!(render_onto(&run, Some(&empty), None), empty);
    assert_eq!(render_onto(&run, Some("something else"), None), empty);

    let note = "The fan was loud.\r\n\r\n- **really**  \n";
    let written = empty.replacen("<!-- sparkgauge:note -->\n", &format!("<!-- sparkgauge:note -->\n{note}"), 1);
    assert_ne!(written, empty);
    assert_eq!(render_onto(&run, Some(&written), None), written);
    // It moves to another record's page, whatever that says.
    let moved = render_onto(&hostile(), Some(&written), None);
    assert!(moved.contains(&format!("<!-- sparkgauge:note -->\n{note}<!-- /sparkgauge:note -->\n")));
    assert_eq!(render_onto(&run, Some(&moved), None), written);
}

#[test]
fn verdict_added_later_gives_the_page_that_rendering_with_it_gives() {
    let run = varied();
    let page = render(&run);
    let quoted = page.replacen("<!-- sparkgauge:note -->\n", "<!-- sparkgauge:note -->\n**What changed**: my fan\n", 1);
    let verdict = VerdictLine { headline: "Regressed: 1 of 9", place: "../verdict.md" };
    let expected = render_onto(&run, Some(&quoted), Some(verdict));
    assert_eq!(with_verdict(&quoted, verdict), expected);
    assert!(expected.contains("**What changed**: Regressed: 1 of 9 (`../verdict.md`).") && expected.contains("my fan"));
    let other = VerdictLine { headline: "Improved: all", ..verdict };
    assert_eq!(with_verdict(&expected, other), render_onto(&run, Some(&quoted), Some(other)), "a later verdict replaces it");
    assert_eq!(with_verdict("no such line\n", verdict), "no such line\n");
}

#[test]
fn note_with_missing_or_odd_markers_is_kept() {
    let run = record(Vec::new());
    let table = [
        ("<!-- sparkgauge:note -->\nopen\nend", "<!-- sparkgauge:note -->\nopen\nend\n<!-- /sparkgauge:note -->\n"),
        ("<!-- sparkgauge:note -->", "<!-- sparkgauge:note -->\n<!-- /sparkgauge:note -->\n"),
        (
            "x\r\n  <!-- sparkgauge:note -->\r\na\r\n<!-- /sparkgauge:note -->\r\nb",
            "<!-- sparkgauge:note -->\na\r\n<!-- /sparkgauge:note -->\n",
        ),
    ];
    for (previous, expected) in table {
        assert!(render_onto(&run, Some(previous), None).contains(expected), "{previous:?}");
    }
}
