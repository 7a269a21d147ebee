//! A trial against a server that does everything wrong now and then: what became of each request is what the server's own log implies,
//! request by request, and nothing is lost.

use std::collections::BTreeMap;

use fixtures::{
    faults::{FaultKind, Faults},
    server::{Config, EventKind, LoggedRequest, Outage, RunningServer, SendLog},
};
use futures_util::future;
use harness::{
    clock::Clock,
    dialect::dialect,
    drive::{DriveLimits, DriveOutcome, drive},
    http::{HttpEndpoint, HttpOptions},
};
use record::{DialectName, Observation, Outcome, Release};
use twin::server::Params;

const MS: u64 = 1_000_000;
const REQUESTS: u32 = 200;
const SPACING_NS: u64 = 16 * MS;
const OUTPUT_TOKENS: u32 = 6;
/// Seconds of the engine in one second.
const SPEED: u32 = 50;
/// This and the request's limit are long for a stream of 5 ms, so that a busy machine is not taken for a fault.
const IDLE_NS: u64 = 3000 * MS;
const LIMITS: DriveLimits = DriveLimits { request_ns: 6000 * MS, trial_ns: 30_000 * MS, collect_text: true };

const NINE: [FaultKind; 9] = [
    FaultKind::Status500,
    FaultKind::Status429,
    FaultKind::Refused,
    FaultKind::Reset,
    FaultKind::CleanEnd,
    FaultKind::ErrorEvent,
    FaultKind::MalformedJson,
    FaultKind::Stall,
    FaultKind::SlowHeaders,
];

/// What was driven, and the server's account of it.
struct Trial {
    driven: DriveOutcome,
    requests: Vec<LoggedRequest>,
    outages: Vec<Outage>,
    /// The trial's begin on the server's clock lies between these two.
    origin_ns: (u64, u64),
}

fn request_id(seen: &Observation) -> String {
    format!("trial-{}", seen.request)
}

/// Nine faults at 5 % each, at a constant rate, every request over a connection of its own.
fn trial(limits: DriveLimits) -> Trial {
    let rates = NINE.map(|kind| format!("{kind}=0.05")).join(",");
    let engine_ns = |real_ns: u64| real_ns * u64::from(SPEED);
    let faults = Faults {
        seed: 11,
        // Longer than any limit: whoever meets one is given up.
        stall_ns: engine_ns(10 * LIMITS.request_ns),
        // One request falls into each outage, or two.
        refused_ns: engine_ns(SPACING_NS * 3 / 2),
        rates: rates.parse().unwrap(),
    };
    let config =
        Config { faults, speed: f64::from(SPEED), params: Params { accept_ns: 0, ..Params::default() }, ..Config::new(7) };
    let (clock, log, model) = (config.clock, config.log.clone(), config.params.model.clone());
    let server = RunningServer::start(config).unwrap();

    let releases: Vec<Release> = (0..u64::from(REQUESTS)).map(|place| Release::At { t_ns: place * SPACING_NS }).collect();
    let mut plan = crate::drive::plan(&releases);
    plan.requests.iter_mut().for_each(|request| request.output_tokens = OUTPUT_TOKENS);
    let options = HttpOptions { idle_ns: IDLE_NS, ..HttpOptions::default() };
    let endpoint = HttpEndpoint::new(&server.url(), dialect(DialectName::Simulated), &model, options).unwrap();
    endpoint.set_request_id_prefix("trial");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before_ns = clock.now_ns();
    let driven = runtime.block_on(drive(&endpoint, &clock, &plan, limits, future::pending()));
    drop((endpoint, runtime));
    with_server_log(driven, &log, before_ns)
}

fn with_server_log(driven: DriveOutcome, log: &SendLog, before_ns: u64) -> Trial {
    let (requests, outages) = (log.requests(), log.outages());
    let arrived = |seen: &Observation| log.find(&request_id(seen)).map(|one| one.arrived_ns - seen.send_ns.unwrap());
    let after_ns = driven.observations.iter().filter_map(arrived).min().unwrap();
    Trial { driven, requests, outages, origin_ns: (before_ns, after_ns) }
}

impl Trial {
    /// The server's account of a request; none for one that never came.
    fn logged(&self, seen: &Observation) -> Option<&LoggedRequest> {
        let id = request_id(seen);
        let mut of_this = self.requests.iter().filter(|one| one.request_id == id);
        let logged = of_this.next();
        assert!(of_this.next().is_none(), "{id} came twice");
        logged
    }

    /// Whether the port was closed at some time between a request's send and its end.
    fn met_an_outage(&self, seen: &Observation) -> bool {
        let (send_ns, end_ns) = (self.origin_ns.0 + seen.send_ns.unwrap(), self.origin_ns.1 + seen.end_ns.unwrap());
        self.outages.iter().any(|outage| outage.from_ns <= end_ns && outage.until_ns.is_none_or(|until_ns| until_ns >= send_ns))
    }

    /// The fault that decided a request's outcome: the first that struck, since each ends it for the client.
    fn fault(&self, seen: &Observation) -> Option<FaultKind> {
        match self.logged(seen) {
            Some(logged) => logged.faults.first().copied(),
            None => Some(FaultKind::Refused),
        }
    }
}

/// What the client must tell of a fault.
fn matches_fault(fault: Option<FaultKind>, seen: &Observation) -> bool {
    match (fault, &seen.outcome) {
        (None, Outcome::Complete) => true,
        (Some(FaultKind::Status500 | FaultKind::ErrorEvent), Outcome::Rejected { status, .. }) => *status == 500,
        (Some(FaultKind::Status429), Outcome::Rejected { status, .. }) => *status == 429,
        // Reset is one whom the kernel had let in, but not the server, in the instant in which the port was closed.
        (Some(FaultKind::Refused), Outcome::Disconnected { detail }) => detail.contains("refused") || detail.contains("reset"),
        (Some(FaultKind::Reset), Outcome::Disconnected { detail }) => detail.contains("reset"),
        (Some(FaultKind::CleanEnd), Outcome::Truncated { detail }) => detail.contains("without a finish reason"),
        (Some(FaultKind::MalformedJson), Outcome::Malformed { detail }) => detail.contains("not what the protocol says"),
        (Some(FaultKind::Stall), Outcome::TimedOut { detail }) if detail.contains("request's time limit") => {
            // Right where the machine was so busy that this limit passed before the silence was long enough.
            seen.last_token_ns.unwrap() + IDLE_NS >= seen.send_ns.unwrap() + LIMITS.request_ns
        }
        (Some(FaultKind::Stall), Outcome::TimedOut { detail }) => detail.contains("silent for 3000 ms"),
        (Some(FaultKind::SlowHeaders), Outcome::TimedOut { detail }) => detail.contains("request's time limit"),
        _ => false,
    }
}

/// The tokens that the server has written of an answer.
fn written_tokens(logged: &LoggedRequest) -> u32 {
    logged.events.iter().rfind(|event| event.kind == EventKind::Tokens).map_or(0, |event| event.tokens)
}

#[test]
fn nine_injected_faults_match_outcomes_request_by_request() {
    let trial = trial(LIMITS);
    let DriveOutcome { observations, duration_ns, cut_short } = &trial.driven;
    assert_eq!((observations.len(), cut_short), (REQUESTS as usize, &None));
    assert!(*duration_ns <= LIMITS.trial_ns, "{duration_ns}");

    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for seen in observations {
        let fault = trial.fault(seen);
        assert!(matches_fault(fault, seen), "{} {fault:?}: {:?}", request_id(seen), seen.outcome);
        *counts.entry(fault.map_or("none", FaultKind::as_str)).or_default() += 1;
        match trial.logged(seen) {
            None => assert!(trial.met_an_outage(seen) && seen.headers_ns.is_none(), "{seen:?}"),
            // The tokens that were there before the fault are there after it.
            Some(logged) if fault != Some(FaultKind::SlowHeaders) => {
                let counted = seen.chunks.last().map_or(0, |chunk| chunk.tokens);
                assert_eq!(counted, written_tokens(logged), "{}: {:?}", request_id(seen), seen.outcome);
            }
            Some(_) => assert!(seen.headers_ns.is_none(), "{seen:?}"),
        }
        if let Some(logged) = trial.logged(seen).filter(|_| fault.is_none()) {
            let usage = seen.usage.unwrap();
            assert_eq!((usage.prompt_tokens, usage.completion_tokens), (logged.prompt_tokens, OUTPUT_TOKENS));
            assert_eq!((seen.output_tokens(), seen.chunks.len()), (Some(OUTPUT_TOKENS), OUTPUT_TOKENS as usize));
        }
    }
    println!("{counts:?}");
    assert_eq!(counts.values().sum::<usize>(), REQUESTS as usize);
    assert!(NINE.iter().all(|kind| counts.contains_key(kind.as_str())), "{counts:?}");
    let refused = counts[FaultKind::Refused.as_str()];
    assert_eq!(trial.requests.len(), REQUESTS as usize - refused);
    let complete = observations.iter().filter(|seen| seen.outcome.is_complete()).count();
    assert_eq!(complete, counts["none"]);
}

#[test]
fn trial_cut_short_by_its_limit_accounts_for_every_request() {
    let trial = trial(DriveLimits { trial_ns: 1900 * MS, ..LIMITS });
    assert_eq!(trial.driven.cut_short.as_deref(), Some("the trial's time limit of 1900 ms passed"));
    let (mut cut, mut not_sent) = (0, 0);
    for seen in &trial.driven.observations {
        match &seen.outcome {
            Outcome::NotSent => {
                not_sent += 1;
                assert!(seen.send_ns.is_none() && trial.logged(seen).is_none(), "{seen:?}");
            }
            Outcome::TimedOut { detail } if detail.contains("the trial's") => {
                cut += 1;
                assert!(seen.send_ns.is_some() && seen.end_ns.is_some(), "{seen:?}");
            }
            outcome => {
                let fault = trial.fault(seen);
                assert!(matches_fault(fault, seen), "{} {fault:?}: {outcome:?}", request_id(seen));
            }
        }
    }
    // At least those due after the limit, and those whom a stall or a late head held.
    assert!(cut > 0 && not_sent >= REQUESTS as usize / 3, "{cut} {not_sent}");
}
