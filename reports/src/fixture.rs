//! Hand-made observations, trials and records for the tests.

use record::{
    Arrival, Boot, Cell, Chunk, Chunks, DialectName, End, EndReason, EngineName, Header, Launch, Length, Load, Machine,
    Observation, Outcome, PrefixReuse, Profile, Recipe, Record, Sizing, SizingSource, Slo, TokenSource, Trial, TrialFacts, Usage,
    WarmUp,
};

mod container;
pub(crate) mod ruling;

pub(crate) use container::{contained, identified, watched};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const S: u64 = 1_000_000_000;

/// A served request whose chunks are (stamp, tokens so far).
pub(crate) fn served(sched_ns: u64, send_ns: u64, chunks: &[(u64, u32)]) -> Observation {
    let (first, last) = (chunks[0], chunks[chunks.len() - 1]);
    Observation {
        request: 0,
        planned_prompt_tokens: 100,
        planned_output_tokens: last.1,
        forced_length: true,
        structured: false,
        sched_ns: Some(sched_ns),
        send_ns: Some(send_ns),
        connect_ns: None,
        headers_ns: Some(first.0),
        first_event_ns: Some(first.0),
        first_token_ns: Some(first.0),
        first_content_ns: Some(first.0),
        last_token_ns: Some(last.0),
        end_ns: Some(last.0),
        chunks: Chunks(chunks.iter().map(|&(t_ns, tokens)| Chunk { t_ns, tokens }).collect()),
        token_source: TokenSource::Running,
        usage: Some(Usage { prompt_tokens: 100, completion_tokens: last.1, cached_tokens: Some(0) }),
        server_timings: None,
        finish_reason: Some("length".to_owned()),
        outcome: Outcome::Complete,
        text: None,
    }
}

/// A served request, sent when due, whose tokens come one by one.
pub(crate) fn even(send_ns: u64, ttft_ns: u64, tpot_ns: u64, tokens: u32) -> Observation {
    let chunks: Vec<_> = (0..tokens).map(|token| (send_ns + ttft_ns + tpot_ns * u64::from(token), token + 1)).collect();
    served(send_ns, send_ns, &chunks)
}

/// A request that the server refused.
pub(crate) fn rejected(send_ns: u64, end_ns: u64) -> Observation {
    Observation {
        first_event_ns: None,
        first_token_ns: None,
        first_content_ns: None,
        last_token_ns: None,
        end_ns: Some(end_ns),
        chunks: Chunks::default(),
        token_source: TokenSource::None,
        usage: None,
        finish_reason: None,
        outcome: Outcome::Rejected { status: 503, detail: "full".to_owned() },
        ..served(send_ns, send_ns, &[(end_ns, 1)])
    }
}

pub(crate) fn closed(streams: u32) -> Load {
    Load::Closed { streams, requests_per_stream: 1 }
}

pub(crate) fn open() -> Load {
    Load::Open { rate_per_s: 0.3, arrival: Arrival::Gamma { shape: 0.7 }, requests: 4 }
}

pub(crate) fn cell(workload: &str, point: &str, load: Load) -> Cell {
    Cell {
        workload: workload.to_owned(),
        workload_hash: "0123456789abcdef".to_owned(),
        point: point.to_owned(),
        load,
        prompt_tokens: Length::Fixed { tokens: 100 },
        output_tokens: Length::Fixed { tokens: 100 },
        prefix_reuse: PrefixReuse::Forbidden,
        structured: false,
        slo: load.is_open().then_some(Slo { ttft_ms: 1000, tpot_ms: 50 }),
        comparable: true,
    }
}

/// A trial of those observations that ends when the last of them does.
pub(crate) fn trial(cell: Cell, observations: Vec<Observation>) -> Trial {
    Trial {
        cell,
        boot: 0,
        trial: 0,
        attempt: 0,
        order: 0,
        seed: 1,
        plan_digest: "plan-0".to_owned(),
        duration_ns: observations.iter().filter_map(|observation| observation.end_ns).max().unwrap_or(0),
        warm_up: WarmUp { requests: 1, completed: 1, duration_ns: S },
        observations,
        counters: None,
        server: None,
        facts: TrialFacts::default(),
    }
}

/// A closed loop of equal streams: each request of `tokens` tokens follows at once on the one before.
pub(crate) fn closed_trial(workload: &str, streams: u32, rounds: u64, ttft_ns: u64, tpot_ns: u64, tokens: u32) -> Trial {
    let round_ns = ttft_ns + tpot_ns * u64::from(tokens - 1);
    let sends = (0..rounds).flat_map(|round| (0..streams).map(move |_| round * round_ns));
    let observations = sends.map(|send_ns| even(send_ns, ttft_ns, tpot_ns, tokens)).collect();
    trial(cell(workload, &format!("c{streams}"), closed(streams)), observations)
}

/// The trial as the n-th of its cell.
pub(crate) fn numbered(number: u32, boot: u32, of: Trial) -> Trial {
    Trial { trial: number, boot, plan_digest: format!("plan-{number}"), ..of }
}

/// A finished run of those trials on one boot.
pub(crate) fn record(trials: Vec<Trial>) -> Record {
    let mut cells: Vec<String> = Vec::new();
    for trial in &trials {
        if !cells.contains(&trial.cell.name()) {
            cells.push(trial.cell.name());
        }
    }
    Record {
        header: Header { cells, ..header() },
        boots: vec![boot(0)],
        trials,
        end: Some(End { reason: EndReason::Finished, engine_stop: Some("exited with 0 after SIGTERM".to_owned()) }),
        unreadable_tail: None,
    }
}

pub(crate) fn boot(boot: u32) -> Boot {
    Boot {
        boot,
        ready_ns: Some(93 * S + 400 * MS),
        engine_version: Some("0.19.1".to_owned()),
        command: vec!["serve".to_owned(), "--model".to_owned(), "a model".to_owned()],
        healthy_ns: None,
        disk_read_bytes: None,
        identity: record::Identity::default(),
        sizing: Sizing { source: SizingSource::Endpoint, template_tokens: 9, message_tokens: 4, scale: 1.0 },
        sanity: "named the capital".to_owned(),
    }
}

fn header() -> Header {
    Header {
        schema_version: record::SCHEMA_VERSION,
        harness_version: "0.1.0".to_owned(),
        harness_commit: Some("0a1b2c3d".to_owned()),
        command: vec!["sparkgauge".to_owned(), "run".to_owned(), "--seed".to_owned(), "7".to_owned()],
        started_unix_s: Some(1_763_665_560),
        launch: Launch::Process,
        recipe: recipe(),
        machine: Machine {
            name: "a board".to_owned(),
            arch: "aarch64".to_owned(),
            cpus: Some(20),
            memory_bytes: Some(128 << 30),
            kernel: Some("6.11.0".to_owned()),
            gpu: None,
            driver: None,
        },
        profile: Profile::Standard,
        suite: "canonical".to_owned(),
        suite_version: 1,
        workload_hashes: [("chat".to_owned(), "0123456789abcdef".to_owned())].into(),
        seed: 7,
        boots: 1,
        first_boot: 0,
        trials_per_boot: 3,
        cells: Vec::new(),
        left_out: [("long-prefill/p65536-c1".to_owned(), "the model's context ends at 32768 tokens".to_owned())].into(),
        unpinned: Vec::new(),
        gates: Vec::new(),
        interleaved: None,
        cores: None,
        sharegpt_lengths: "the documented distribution".to_owned(),
        instrument: None,
    }
}

fn recipe() -> Recipe {
    Recipe {
        name: "tiny-llamacpp".to_owned(),
        engine: EngineName::Llamacpp,
        dialect: DialectName::Llamacpp,
        description: "a tiny model".to_owned(),
        model: record::recipe::Model {
            id: "tiny".to_owned(),
            source: "example/tiny".to_owned(),
            revision: "abc".to_owned(),
            tokenizer: None,
            max_context: Some(32768),
        },
        container: None,
        process: Some(record::recipe::Process {
            command: vec!["llama-server".to_owned(), "--port".to_owned(), "${PORT}".to_owned()],
            env: [("THREADS".to_owned(), "20".to_owned())].into(),
            port: 0,
            stop_signal: record::recipe::StopSignal::Term,
            stop_grace_s: 30,
        }),
        attach: None,
        prefix_cache: record::recipe::PrefixCache::default(),
        metrics_path: None,
        ready: record::recipe::Readiness { timeout_s: 600 },
        limits: record::recipe::Limits { max_concurrent: Some(8), ..Default::default() },
        secrets: vec!["HF_TOKEN".to_owned()],
    }
}
