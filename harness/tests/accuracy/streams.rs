//! One, sixteen and sixty-four streams.

use std::sync::{Arc, Mutex, PoisonError};

use fixtures::server::{Config, EventKind, LoggedRequest, Running};
use harness::{
    clock::RealClock,
    dialect::dialect,
    drive::{DriveLimits, drive},
    http::{HttpEndpoint, HttpOptions},
};
use record::{
    Cell, DialectName, Length, Load, Message, Observation, Plan, PlannedRequest, PrefixReuse, Release, Role, TokenSource,
};

const OUTPUT_TOKENS: u32 = 24;
const ROUNDS: u32 = 2;
const ATTEMPTS: u32 = 20;
/// Simulated seconds in a second: the steps of 64 streams then take about 17 ms, and the whole test a few seconds.
const SPEED: f64 = 10.0;

fn plan(streams: u32) -> Plan {
    let request = |id: u32| PlannedRequest {
        id,
        release: if id < streams { Release::At { t_ns: 0 } } else { Release::After { request: id - streams } },
        messages: vec![Message { role: Role::User, content: Arc::from(format!("Number {id} asks for a short story.")) }],
        prompt_tokens: 0,
        output_tokens: OUTPUT_TOKENS,
        structured: false,
        sampling_seed: 0,
    };
    let cell = Cell {
        workload: "accuracy".to_owned(),
        workload_hash: String::new(),
        point: format!("c{streams}"),
        load: Load::Closed { streams, requests_per_stream: ROUNDS },
        prompt_tokens: Length::Fixed { tokens: 16 },
        output_tokens: Length::Fixed { tokens: OUTPUT_TOKENS },
        prefix_reuse: PrefixReuse::Forbidden,
        structured: false,
        slo: None,
        comparable: false,
    };
    Plan { cell, seed: 0, requests: (0..streams * ROUNDS).map(request).collect(), digest: String::new() }
}

/// What the client measured of a request, minus what the server did, in milliseconds.
struct Errors {
    ttft_ms: Vec<f64>,
    tpot_ms: Vec<f64>,
    rate: f64,
}

fn ms(from_ns: u64, to_ns: u64) -> f64 {
    (to_ns as f64 - from_ns as f64) / 1e6
}

fn stamp(stamp_ns: Option<u64>) -> u64 {
    stamp_ns.expect("a complete answer has every stamp")
}

fn compare(seen: &[Observation], log: &[LoggedRequest]) -> Errors {
    let mut errors = Errors { ttft_ms: Vec::new(), tpot_ms: Vec::new(), rate: 0.0 };
    let (mut first_ns, mut last_ns, mut seen_first_ns, mut seen_last_ns) = (u64::MAX, 0, u64::MAX, 0);
    for seen in seen {
        let name = format!("accuracy-{}", seen.request);
        let truth = log.iter().find(|truth| truth.request_id == name).expect("the server logs every request");
        let tokens: Vec<_> = truth.events.iter().filter(|event| event.kind == EventKind::Tokens).collect();
        // Counts are exact: every chunk's, and the sum.
        let counts: Vec<u32> = seen.chunks.iter().map(|chunk| chunk.tokens).collect();
        assert_eq!(counts, tokens.iter().map(|event| event.tokens).collect::<Vec<_>>());
        assert_eq!((seen.output_tokens(), seen.token_source), (Some(OUTPUT_TOKENS), TokenSource::Running));
        assert_eq!(seen.usage.map(|usage| usage.prompt_tokens), Some(truth.prompt_tokens));

        let (send_ns, seen_first, seen_last) = (stamp(seen.send_ns), stamp(seen.first_token_ns), stamp(seen.last_token_ns));
        let (first, last) = (tokens[0].t_ns, tokens[tokens.len() - 1].t_ns);
        errors.ttft_ms.push((ms(send_ns, seen_first) - ms(truth.arrived_ns, first)).abs());
        errors.tpot_ms.push((ms(seen_first, seen_last) - ms(first, last)).abs() / f64::from(OUTPUT_TOKENS - 1));
        (first_ns, last_ns) = (first_ns.min(truth.arrived_ns), last_ns.max(last));
        (seen_first_ns, seen_last_ns) = (seen_first_ns.min(send_ns), seen_last_ns.max(seen_last));
    }
    errors.rate = ms(first_ns, last_ns) / ms(seen_first_ns, seen_last_ns) - 1.0;
    errors
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(streams: u32) -> Errors {
    let clock = RealClock::start();
    let config = Config { speed: SPEED, clock, ..Config::new(5) };
    let log = config.log.clone();
    let server = Running::start(config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let driven = runtime.block_on(async {
        let model = "simulated-gpt-oss-120b";
        let endpoint = HttpEndpoint::new(&server.url(), dialect(DialectName::Simulated), model, HttpOptions::default()).unwrap();
        endpoint.set_request_id_prefix("accuracy");
        endpoint.warm_connections(streams as usize).await;
        let limits = DriveLimits { request_ns: 60_000_000_000, trial_ns: 120_000_000_000, collect_text: false };
        drive(&endpoint, &clock, &plan(streams), limits, std::future::pending()).await
    });
    server.shutdown().unwrap();
    assert!(driven.observations.iter().all(|seen| seen.outcome.is_complete()), "{:?}", driven.observations);
    compare(&driven.observations, &log.requests())
}

/// Other tests and other machines' load can push any one attempt off; an instrument that is off is off in all of them.
#[track_caller]
fn check(streams: u32) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // All answer at once, and the client reads them one after another on a machine that it shares with the server.
    let within_ms = 1.0 + f64::from(streams) / 20.0;
    let mut said = Vec::new();
    for _ in 0..ATTEMPTS {
        let errors = measure(streams);
        let (ttft_ms, tpot_ms) = (median(errors.ttft_ms), median(errors.tpot_ms));
        said.push(format!(
            "TTFT off by {ttft_ms:.3} ms, TPOT by {tpot_ms:.4} ms (medians), output tok/s by {:.3} %",
            errors.rate * 100.0
        ));
        println!("{streams} streams: {}", said[said.len() - 1]);
        if ttft_ms < within_ms && tpot_ms < 0.1 && errors.rate.abs() < 0.01 {
            return;
        }
    }
    panic!("{streams} streams: {said:#?}");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "measures time: run it with --release")]
fn one_stream() {
    check(1);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "measures time: run it with --release")]
fn sixteen_streams() {
    check(16);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "measures time: run it with --release")]
fn sixty_four_streams() {
    check(64);
}
