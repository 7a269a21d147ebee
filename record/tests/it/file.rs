use std::collections::BTreeMap;

use proptest::prelude::*;
use record::{
    Boot, Cell, Chunks, DialectName, End, EndReason, EngineName, Entry, Header, Launch, Length, Load, Machine, Message,
    Observation, Outcome, PlannedRequest, PrefixReuse, Profile, Recipe, Release, Role, SCHEMA_VERSION, Sizing, SizingSource,
    TokenSource, Trial, TrialFacts, Usage, WarmUp,
    file::{ReadError, decode, encode},
    recipe,
};

fn header() -> Header {
    Header {
        schema_version: SCHEMA_VERSION,
        harness_version: "0.1.0".to_owned(),
        harness_commit: None,
        command: vec!["cargo".to_owned(), "xtask".to_owned(), "bench".to_owned()],
        started_unix_s: Some(1_795_201_512),
        launch: Launch::Attach,
        recipe: Recipe {
            name: "attach".to_owned(),
            engine: EngineName::Vllm,
            dialect: DialectName::Vllm,
            description: String::new(),
            model: recipe::Model {
                id: "tiny".to_owned(),
                source: String::new(),
                revision: String::new(),
                tokenizer: None,
                max_context: None,
            },
            container: None,
            process: None,
            attach: Some(recipe::AttachTarget { url: "http://127.0.0.1:8000".to_owned(), api_key_env: None }),
            prefix_cache: record::recipe::PrefixCache::default(),
            metrics_path: None,
            ready: recipe::Readiness::default(),
            limits: recipe::Limits::default(),
            secrets: Vec::new(),
        },
        machine: Machine::default(),
        profile: Profile::Standard,
        suite: "canonical".to_owned(),
        suite_version: 1,
        workload_hashes: BTreeMap::from([("chat".to_owned(), "0123".to_owned())]),
        seed: 1,
        boots: 1,
        first_boot: 0,
        trials_per_boot: 2,
        cells: vec!["chat/c1".to_owned()],
        left_out: BTreeMap::new(),
        unpinned: Vec::new(),
        gates: Vec::new(),
        interleaved: None,
        cores: None,
        sharegpt_lengths: "drawn".to_owned(),
        instrument: None,
    }
}

fn boot() -> Boot {
    let sizing = Sizing { source: SizingSource::Endpoint, template_tokens: 12, message_tokens: 4, scale: 1.001 };
    Boot {
        boot: 0,
        ready_ns: Some(1),
        healthy_ns: None,
        disk_read_bytes: None,
        engine_version: None,
        command: Vec::new(),
        identity: record::Identity::default(),
        sizing,
        sanity: String::new(),
    }
}

/// A trial whose chunks come every `gap_ns` and a jitter that no compressor can foresee.
fn trial(requests: u32, tokens: u32, gap_ns: u64) -> Trial {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut jitter_ns = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % 1_000_000
    };
    let planned = PlannedRequest {
        id: 0,
        release: Release::At { t_ns: 0 },
        messages: vec![Message { role: Role::User, content: "text".into() }],
        prompt_tokens: 1024,
        output_tokens: tokens,
        structured: false,
        sampling_seed: 0,
    };
    let observations = (0..requests).map(|id| {
        let mut seen = Observation::unsent(&PlannedRequest { id, ..planned.clone() });
        let mut t_ns = 200_000_000 + jitter_ns();
        let mut chunks = Chunks::default();
        for count in 1..=tokens {
            chunks.push(t_ns, count);
            t_ns += gap_ns + jitter_ns();
        }
        seen.send_ns = Some(0);
        seen.last_token_ns = chunks.last().map(|chunk| chunk.t_ns);
        seen.chunks = chunks;
        seen.token_source = TokenSource::Running;
        seen.usage = Some(Usage { prompt_tokens: 1024, completion_tokens: tokens, cached_tokens: None });
        seen.outcome = Outcome::Complete;
        seen
    });
    Trial {
        cell: Cell {
            workload: "chat".to_owned(),
            workload_hash: "0123".to_owned(),
            point: "c1".to_owned(),
            load: Load::Closed { streams: 1, requests_per_stream: requests },
            prompt_tokens: Length::Fixed { tokens: 1024 },
            output_tokens: Length::Fixed { tokens },
            prefix_reuse: PrefixReuse::Forbidden,
            structured: false,
            slo: None,
            comparable: true,
        },
        boot: 0,
        trial: 0,
        attempt: 0,
        order: 0,
        seed: 1,
        plan_digest: "0".repeat(16),
        duration_ns: 1,
        warm_up: WarmUp::default(),
        observations: observations.collect(),
        counters: None,
        server: None,
        facts: TrialFacts::default(),
    }
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::Header(Box::new(header())),
        Entry::Boot(Box::new(boot())),
        Entry::Trial(Box::new(trial(2, 10, 30_000_000))),
        Entry::Trial(Box::new(trial(1, 3, 30_000_000))),
        Entry::End(End { reason: EndReason::Finished, engine_stop: None }),
    ]
}

fn whole() -> Vec<u8> {
    entries().iter().flat_map(encode).collect()
}

#[test]
fn record_round_trips_through_file() {
    let record = decode(&whole()).unwrap();
    assert_eq!((record.boots.len(), record.trials.len(), &record.unreadable_tail), (1, 2, &None));
    assert_eq!(record.header, header());
    assert_eq!(record.trials[0], trial(2, 10, 30_000_000));
    assert_eq!(record.end, Some(End { reason: EndReason::Finished, engine_stop: None }));
    assert_eq!(whole(), whole(), "the same entries give the same bytes");
}

#[test]
fn truncated_file_keeps_the_entries_before_the_cut() {
    let ends: Vec<usize> = entries()
        .iter()
        .scan(0, |end, entry| {
            *end += encode(entry).len();
            Some(*end)
        })
        .collect();
    let bytes = whole();
    for cut in 0..bytes.len() {
        let whole_entries = ends.iter().filter(|&&end| end <= cut).count();
        match decode(&bytes[..cut]) {
            Err(error) => assert_eq!((whole_entries, error == ReadError::Empty), (0, cut == 0), "{error}"),
            Ok(record) => {
                let read = 1 + record.boots.len() + record.trials.len() + usize::from(record.end.is_some());
                assert_eq!(read, whole_entries);
                assert_eq!(record.unreadable_tail.is_some(), !ends.contains(&cut), "cut at {cut}");
            }
        }
    }
}

#[test]
fn newer_schema_version_is_refused_before_parsing() {
    let line = serde_json::json!({"header": {"schema_version": SCHEMA_VERSION + 1, "shape": "unknown"}}).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, line.as_bytes()).unwrap();
    assert_eq!(decode(&gzip.finish().unwrap()), Err(ReadError::Newer { found: SCHEMA_VERSION + 1 }));
}

/// A standard run has about 1.4 million output tokens per boot (the sum over its cells), five boots, and must stay under 50 MB. Stamps of a
/// real engine jitter: here by a millisecond, uniformly, which leaves nothing to compress but the digits.
#[test]
fn chunk_takes_at_most_five_bytes() {
    let tokens = 200_000;
    let bytes = encode(&Entry::Trial(Box::new(trial(200, 1000, 30_000_000)))).len();
    assert!(bytes < tokens * 5, "{:.2} bytes per chunk", bytes as f64 / tokens as f64);
    assert!(7_000_000 / tokens * bytes < 50_000_000);
}

proptest! {
    #[test]
    fn chunks_round_trip_through_json(gaps in prop::collection::vec((0_u64..1 << 40, 0_u32..6), 0..200)) {
        let mut chunks = Chunks::default();
        let (mut t_ns, mut tokens) = (0, 0);
        for (gap_ns, added) in gaps {
            t_ns += gap_ns;
            tokens += added;
            chunks.push(t_ns, tokens);
        }
        let text = serde_json::to_string(&chunks).unwrap();
        prop_assert_eq!(serde_json::from_str::<Chunks>(&text).unwrap(), chunks);
    }

    /// Bytes from anywhere are read or refused, never a panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), flip in any::<(usize, u8)>()) {
        let _ = decode(&bytes);
        let mut damaged = whole();
        let place = flip.0 % damaged.len();
        damaged[place] ^= flip.1;
        let _ = decode(&damaged);
    }

    #[test]
    fn even_shares_end_at_the_total(total in 0_u32..5000, chunks in 1_usize..300) {
        let mut shared = Chunks::default();
        (0..chunks as u64).for_each(|t_ns| shared.push(t_ns, 0));
        shared.share_evenly(total);
        prop_assert_eq!(shared.last().unwrap().tokens, total);
        let steps: Vec<u32> = shared.windows(2).map(|pair| pair[1].tokens - pair[0].tokens).collect();
        if let (Some(least), Some(most)) = (steps.iter().min(), steps.iter().max()) {
            prop_assert!(most - least <= 1);
        }
    }
}
