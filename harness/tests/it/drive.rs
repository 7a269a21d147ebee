//! The drive loop, in virtual time, against an endpoint that does what its script says.

use std::{cell::RefCell, sync::Arc};

use fixtures::virtual_time::VirtualTime;
use harness::{
    clock::{Clock, TrialClock},
    drive::{DriveLimits, DriveOutcome, drive},
    endpoint::{Endpoint, EndpointError, ServerPage},
};
use proptest::prelude::*;
use record::{Arrival, Cell, Length, Load, Message, Observation, Outcome, Plan, PlannedRequest, PrefixReuse, Release, Role};

const MS: u64 = 1_000_000;

/// Answers request `i` after `service_ms[i]`, and notes when each was sent.
struct ScriptedEndpoint {
    service_ms: Vec<u64>,
    sent: RefCell<Vec<(u32, u64)>>,
}

impl Endpoint for ScriptedEndpoint {
    type PreparedRequest = PlannedRequest;

    fn prepare(&self, request: &PlannedRequest) -> PlannedRequest {
        request.clone()
    }

    async fn send_prepared<C: Clock>(
        &self,
        request: PlannedRequest,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> Outcome {
        let now_ns = clock.now_ns();
        observation.send_ns = Some(now_ns);
        self.sent.borrow_mut().push((request.id, now_ns));
        clock.sleep_until(now_ns + self.service_ms[request.id as usize] * MS).await;
        observation.end_ns = Some(clock.now_ns());
        Outcome::Complete
    }

    async fn count_tokens(&self, _texts: &[&str]) -> Result<Option<Vec<u32>>, EndpointError> {
        Ok(None)
    }

    async fn server_page(&self) -> Option<Result<ServerPage, EndpointError>> {
        None
    }

    async fn reset_cache(&self) -> Option<Result<String, EndpointError>> {
        None
    }

    async fn healthy(&self) -> Option<bool> {
        None
    }

    async fn served_models(&self) -> Vec<String> {
        Vec::new()
    }

    async fn version(&self) -> Option<String> {
        None
    }
}

/// A plan of small requests, released like this.
pub(crate) fn plan(releases: &[Release]) -> Plan {
    let requests = (0..).zip(releases).map(|(id, &release)| PlannedRequest {
        id,
        release,
        messages: vec![Message { role: Role::User, content: Arc::from("text") }],
        prompt_tokens: 1,
        output_tokens: 1,
        structured: false,
        sampling_seed: 0,
    });
    let cell = Cell {
        workload: "scripted".to_owned(),
        workload_hash: String::new(),
        point: "p".to_owned(),
        load: Load::Open { rate_per_s: 1.0, arrival: Arrival::Constant, requests: 1 },
        prompt_tokens: Length::Fixed { tokens: 1 },
        output_tokens: Length::Fixed { tokens: 1 },
        prefix_reuse: PrefixReuse::Forbidden,
        structured: false,
        slo: None,
        comparable: false,
    };
    Plan { cell, seed: 0, requests: requests.collect(), digest: String::new() }
}

const LIMITS: DriveLimits = DriveLimits { request_ns: 60_000 * MS, trial_ns: 3_600_000 * MS, collect_text: false };

fn drive_it(
    releases: &[Release],
    service_ms: Vec<u64>,
    limits: DriveLimits,
    stop_ms: Option<u64>,
) -> (DriveOutcome, Vec<(u32, u64)>) {
    let time = VirtualTime::new();
    let endpoint = ScriptedEndpoint { service_ms, sent: RefCell::default() };
    let plan = plan(releases);
    let stop = async {
        match stop_ms {
            Some(stop_ms) => time.sleep_until(stop_ms * MS).await,
            None => std::future::pending().await,
        }
        "told to".to_owned()
    };
    let driven = time.block_on(drive(&endpoint, &time, &plan, limits, stop)).unwrap();
    (driven, endpoint.sent.into_inner())
}

#[test]
fn open_loop_sends_on_schedule_whatever_the_server_does() {
    let releases = [0, 10, 20].map(|t_ms| Release::At { t_ns: t_ms * MS });
    let (driven, sent) = drive_it(&releases, vec![1000, 1000, 1], LIMITS, None);
    assert_eq!(sent, [(0, 0), (1, 10 * MS), (2, 20 * MS)]);
    assert_eq!(driven.duration_ns, 1010 * MS);
    assert!(driven.observations.iter().all(|seen| seen.outcome.is_complete() && seen.sched_ns == seen.send_ns));
}

#[test]
fn closed_loop_sends_when_previous_request_ends() {
    // Two streams: 0 -> 2 -> 4, and 1 -> 3.
    let after = |request| Release::After { request };
    let releases = [Release::At { t_ns: 0 }, Release::At { t_ns: 0 }, after(0), after(1), after(2)];
    let (driven, sent) = drive_it(&releases, vec![5, 7, 5, 7, 5], LIMITS, None);
    assert_eq!(sent, [(0, 0), (1, 0), (2, 5 * MS), (3, 7 * MS), (4, 10 * MS)]);
    assert_eq!(driven.observations[4].sched_ns, Some(10 * MS));
    assert_eq!(driven.duration_ns, 15 * MS);
}

#[test]
fn request_past_its_limit_times_out_and_its_stream_continues() {
    let releases = [Release::At { t_ns: 0 }, Release::After { request: 0 }];
    let limits = DriveLimits { request_ns: 100 * MS, ..LIMITS };
    let (driven, _) = drive_it(&releases, vec![500, 5], limits, None);
    assert_eq!(
        driven.observations[0].outcome,
        Outcome::TimedOut { detail: "the request's time limit of 100 ms passed".to_owned() }
    );
    assert_eq!(driven.observations[0].end_ns, Some(100 * MS));
    assert_eq!(driven.observations[1].send_ns, Some(100 * MS));
    assert!(driven.observations[1].outcome.is_complete() && driven.cut_short.is_none());
}

#[test]
fn stopped_trial_keeps_observations_and_gives_every_request_an_outcome() {
    let releases = [Release::At { t_ns: 0 }, Release::At { t_ns: 0 }, Release::At { t_ns: 900 * MS }];
    let (driven, _) = drive_it(&releases, vec![10, 500, 1], LIMITS, Some(50));
    let words: Vec<_> = driven.observations.iter().map(|seen| seen.outcome.word()).collect();
    assert_eq!(words, ["complete", "disconnected", "not sent"]);
    assert_eq!(driven.cut_short.as_deref(), Some("told to"));
    assert_eq!(driven.observations[1].end_ns, Some(50 * MS));
}

#[test]
fn trial_past_its_limit_is_cut_short() {
    let limits = DriveLimits { trial_ns: 2000 * MS, ..LIMITS };
    let (driven, _) = drive_it(&[Release::At { t_ns: 0 }], vec![5000], limits, None);
    assert_eq!(driven.cut_short.as_deref(), Some("the trial's time limit of 2 s passed"));
    assert_eq!(driven.duration_ns, 2000 * MS);
    assert_eq!(driven.observations[0].outcome.word(), "timed out");
}

proptest! {
    /// Whatever the schedule, the service times and the moment of a stop: each planned request ends in exactly one outcome, none is
    /// sent before it is due, and the same inputs give the same observations.
    #[test]
    fn every_request_has_one_outcome(
        shape in prop::collection::vec((any::<bool>(), 0_u32..200, 1_u64..100), 1..40),
        stop_ms in prop::option::of(0_u64..400),
    ) {
        let releases: Vec<Release> = (0..).zip(&shape).map(|(id, &(after, t_ms, _))| match (after, id) {
            (true, 1..) => Release::After { request: t_ms % id },
            _ => Release::At { t_ns: u64::from(t_ms) * MS },
        }).collect();
        let service_ms: Vec<u64> = shape.iter().map(|&(_, _, ms)| ms).collect();
        let (driven, sent) = drive_it(&releases, service_ms.clone(), LIMITS, stop_ms);
        prop_assert_eq!(driven.observations.len(), releases.len());
        let not_sent = driven.observations.iter().filter(|seen| seen.outcome == Outcome::NotSent).count();
        prop_assert_eq!(sent.len() + not_sent, releases.len());
        for seen in &driven.observations {
            if let (Some(sched_ns), Some(send_ns)) = (seen.sched_ns, seen.send_ns) {
                prop_assert!(send_ns >= sched_ns);
            }
            prop_assert!(stop_ms.is_some() || seen.outcome.is_complete());
        }
        let (again, _) = drive_it(&releases, service_ms, LIMITS, stop_ms);
        prop_assert_eq!(driven.observations, again.observations);
    }
}
