//! The watch over a server, in virtual time, against an endpoint that takes as long as its script says.

use std::cell::RefCell;

use fixtures::virtual_time::VirtualTime;
use harness::{
    clock::{Clock, TrialClock},
    endpoint::{Endpoint, EndpointError, ServerPage},
    server_watch::{ReadingFailures, watch_server},
};
use record::{Observation, Outcome, PlannedRequest, ServerMetrics, ServerReading};

const MS: u64 = 1_000_000;

/// Answers the question for its page number `i` after `answers[i].0` ms; past the script it has no page.
struct ScriptedEndpoint {
    time: VirtualTime,
    answers: Vec<(u64, Result<f64, &'static str>)>,
    asked_ms: RefCell<Vec<u64>>,
}

impl ScriptedEndpoint {
    fn new(time: &VirtualTime, answers: &[(u64, Result<f64, &'static str>)]) -> Self {
        Self { time: time.clone(), answers: answers.to_vec(), asked_ms: RefCell::default() }
    }
}

impl Endpoint for ScriptedEndpoint {
    type PreparedRequest = ();

    fn prepare(&self, _: &PlannedRequest) {}

    async fn send_prepared<C: Clock>(&self, (): (), _: &TrialClock<'_, C>, _: &mut Observation) -> Outcome {
        Outcome::NotSent
    }

    async fn count_tokens(&self, _texts: &[&str]) -> Result<Option<Vec<u32>>, EndpointError> {
        Ok(None)
    }

    async fn server_page(&self) -> Option<Result<ServerPage, EndpointError>> {
        let number = self.asked_ms.borrow().len();
        self.asked_ms.borrow_mut().push(self.time.now_ns() / MS);
        let &(after_ms, running) = self.answers.get(number)?;
        self.time.sleep_until(self.time.now_ns() + after_ms * MS).await;
        let metrics = |running| ServerMetrics { running: Some(running), ..ServerMetrics::default() };
        let failed = |why: &str| EndpointError::Unexpected { url: "u".to_owned(), why: why.to_owned() };
        Some(running.map(|running| ServerPage { metrics: metrics(running), ..ServerPage::default() }).map_err(failed))
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

/// Watches for so long, after half a second of something else.
fn watch(time: &VirtualTime, endpoint: &ScriptedEndpoint, for_ms: u64) -> (Vec<ServerReading>, ReadingFailures) {
    let watched = async {
        time.sleep_until(500 * MS).await;
        let work = time.sleep_until((500 + for_ms) * MS);
        let ((), readings, failures) = watch_server(endpoint, time, work).await;
        assert_eq!(time.now_ns(), (500 + for_ms) * MS, "the end of the work is the end of the watch");
        (readings, failures)
    };
    time.block_on(watched).unwrap()
}

#[test]
fn slow_metrics_page_skips_readings_and_lost_one_times_out() {
    let time = VirtualTime::new();
    let answers = [
        (0, Ok(1.0)),
        (2_300, Ok(2.0)),
        (10, Err("no page")),
        (60_000, Ok(9.0)),
        (1_000, Ok(3.0)),
        (900, Ok(4.0)),
        (900, Ok(5.0)),
    ];
    let endpoint = ScriptedEndpoint::new(&time, &answers);
    let (readings, failures) = watch(&time, &endpoint, 15_500);
    // Begun at 500 ms: asked at 1 s, 2 s (answered after 4.3 s), 5 s, 6 s (given up at 11 s), 12 s, 14 s, 15 s (cut by the end).
    assert_eq!(*endpoint.asked_ms.borrow(), [1_500, 2_500, 5_500, 6_500, 12_500, 14_500, 15_500]);
    let seen: Vec<(u64, f64)> = readings.iter().map(|reading| (reading.t_ns / MS, reading.running.unwrap())).collect();
    assert_eq!(seen, [(1_000, 1.0), (2_000, 2.0), (12_000, 3.0), (14_000, 4.0)]);
    assert_eq!(failures, ReadingFailures { count: 2, last: Some("no page of metrics within 5 s".to_owned()) });
}

#[test]
fn server_without_metrics_is_queried_once() {
    let time = VirtualTime::new();
    let endpoint = ScriptedEndpoint::new(&time, &[]);
    assert_eq!(watch(&time, &endpoint, 60_000), (Vec::new(), ReadingFailures::default()));
    assert_eq!(*endpoint.asked_ms.borrow(), [1_500]);
}

#[test]
fn work_ending_at_once_has_no_readings() {
    let time = VirtualTime::new();
    let endpoint = ScriptedEndpoint::new(&time, &[(0, Ok(1.0))]);
    assert_eq!(watch(&time, &endpoint, 0), (Vec::new(), ReadingFailures::default()));
    assert!(endpoint.asked_ms.borrow().is_empty());
}
