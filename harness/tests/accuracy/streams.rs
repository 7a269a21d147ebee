//! One, sixteen and sixty-four streams.

use std::sync::{Arc, Mutex, PoisonError};

use fixtures::server::{Config, EventKind, LoggedRequest, RunningServer};
use harness::{
    clock::RealClock,
    dialect::dialect,
    drive::{DriveLimits, drive},
    http::{HttpEndpoint, HttpOptions},
};
use record::{
    Cell, DialectName, Length, Load, Message, Observation, Plan, PlannedRequest, PrefixReuse, Release, Role, TokenSource,
};

/// Enough that the wait of a thread for its turn, which is in a TTFT, is less than 1 % of an answer.
const OUTPUT_TOKENS: u32 = 48;
const ROUNDS: u32 = 2;
/// Measurements, all of which are made.
const ATTEMPTS: usize = 9;
/// So many of them must be within the limit of TPOT: their median is.
const MOST: usize = 5;
/// So many must be within those of TTFT and of output tok/s: their third. Both hang on two threads that each must get their turn once,
/// where a TPOT is a mean over all tokens.
const SOME: usize = 3;
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
    let server = RunningServer::start(config).unwrap();
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

/// The claim is that the instrument is this accurate where it gets its turn. What else runs on the machine only adds to an error, so that an
/// order statistic of several is at least the instrument's own; an instrument that is off is so in all, and a lucky one or two do not pass.
///
/// Measured in nine runs on two processors with four to six compilers on them. TTFT: one stream was off by 0.16 to 1.58 ms in the third of
/// nine and by 0.17 to 3.27 ms in the median, 16 streams by 0.33 to 1.05 and 0.61 to 1.91 ms, 64 by 1.00 to 2.05 and 1.19 to 3.36 ms. TPOT:
/// at most 0.031 ms in the median. Output tok/s: at most 0.12 % in the third and 1.1 % in the median.
#[track_caller]
fn check(streams: u32) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // All answer at once, and the client reads them one after another on a machine that it shares with the server.
    // 2 ms at least: so long waits a thread on a busy machine of two processors until it is its turn.
    let within_ms = (1.0 + f64::from(streams) / 20.0).max(2.0);
    let attempts: Vec<Errors> = (0..ATTEMPTS).map(|_| measure(streams)).collect();
    let each = |of: fn(&Errors) -> f64| attempts.iter().map(of).collect::<Vec<_>>();
    let mut off = [
        ("TTFT, ms", each(|errors| median(errors.ttft_ms.clone())), SOME, within_ms),
        ("TPOT, ms", each(|errors| median(errors.tpot_ms.clone())), MOST, 0.1),
        ("output tok/s, as a share", each(|errors| errors.rate.abs()), SOME, 0.01),
    ];
    for (what, errors, _, _) in &mut off {
        errors.sort_by(f64::total_cmp);
        println!("{streams} streams: {what}: off by {errors:.5?}");
    }
    for (what, errors, needed, within) in off {
        assert!(errors[needed - 1] < within, "{streams} streams: {what}: {needed} of {errors:.5?} must be below {within}");
    }
}

#[test]
#[ignore = "measures time: cargo xtask ci runs it by itself"]
fn stamps_match_server_log_for_one_stream() {
    check(1);
}

#[test]
#[ignore = "measures time: cargo xtask ci runs it by itself"]
fn stamps_match_server_log_for_sixteen_streams() {
    check(16);
}

#[test]
#[ignore = "measures time: cargo xtask ci runs it by itself"]
fn stamps_match_server_log_for_sixty_four_streams() {
    check(64);
}
