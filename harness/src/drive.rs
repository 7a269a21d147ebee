//! The one drive loop. The schedule is data: closed loop, open loop, bursts and conversations all run here.

use futures_util::{
    FutureExt, StreamExt,
    future::{self, Either, LocalBoxFuture, Shared},
    stream::FuturesUnordered,
};
use record::{Observation, Outcome, Plan, Release};
use tokio::{sync::oneshot, task::unconstrained};

use crate::{
    clock::{Clock, TrialClock, limit::until},
    endpoint::Endpoint,
    wake_gated::WakeGated,
};

/// Limits of one trial. Every one that is passed shows as an outcome.
#[derive(Debug, Clone, Copy)]
pub struct DriveLimits {
    /// Longest time for one request, from its send, in nanoseconds.
    pub request_ns: u64,
    /// Longest trial, in nanoseconds.
    pub trial_ns: u64,
    /// Keep each answer's text, for a server that counts nothing itself.
    pub collect_text: bool,
}

/// The result of driving a plan.
#[derive(Debug)]
pub struct DriveOutcome {
    /// One observation per planned request, in the plan's order.
    pub observations: Vec<Observation>,
    /// From the begin until the last request ended, in nanoseconds.
    pub duration_ns: u64,
    /// Why it was cut short, if it was.
    pub cut_short: Option<String>,
}

/// Drives a plan against an endpoint. `stop` resolves, with the reason, when the trial must be given up; what was observed until
/// then is kept.
pub async fn drive<E: Endpoint, C: Clock>(
    endpoint: &E,
    clock: &C,
    plan: &Plan,
    limits: DriveLimits,
    stop: impl Future<Output = String>,
) -> DriveOutcome {
    let mut observations: Vec<_> = plan.requests.iter().map(Observation::unsent).collect();
    for observation in &mut observations {
        observation.text = limits.collect_text.then(String::new);
    }
    let prepared: Vec<_> = plan.requests.iter().map(|request| endpoint.prepare(request)).collect();
    let trial = TrialClock::begin(clock);
    let runner = RequestRunner { endpoint, trial: &trial, request_ns: limits.request_ns };
    let cut_short = {
        let mut requests = runner.start_all(plan, prepared, &mut observations);
        // tokio lets a task read so often and no more before its turn ends. Here one task is the whole load, whose requests give each other
        // their turns.
        let all_ended = Box::pin(unconstrained(async { while requests.next().await.is_some() {} }));
        let time_limit = Box::pin(trial.sleep_until(limits.trial_ns));
        let given_up = WakeGated::new(future::select(Box::pin(stop), time_limit));
        match future::select(all_ended, given_up).await {
            Either::Left(_) => None,
            Either::Right((Either::Left((reason, _)), _)) => Some(Cutoff { reason, by_limit: false }),
            Either::Right((Either::Right(_), _)) => {
                let reason = format!("the trial's time limit of {} passed", format_limit(limits.trial_ns));
                Some(Cutoff { reason, by_limit: true })
            }
        }
    };
    let duration_ns = trial.now_ns();
    if let Some(cut) = &cut_short {
        close_open_requests(&mut observations, cut, duration_ns);
    }
    DriveOutcome { observations, duration_ns, cut_short: cut_short.map(|cut| cut.reason) }
}

/// Why a trial was cut short.
struct Cutoff {
    reason: String,
    by_limit: bool,
}

/// Resolves with the time at which a request ended, for the requests that it releases.
type EndSignal = Shared<oneshot::Receiver<u64>>;

/// Runs one request of a plan: waits for its release, sends it, and signals its end.
struct RequestRunner<'a, E, C> {
    endpoint: &'a E,
    trial: &'a TrialClock<'a, C>,
    request_ns: u64,
}

impl<E: Endpoint, C: Clock> RequestRunner<'_, E, C> {
    /// One future per request. Each owns its observation, so that no lock and no channel stands between a chunk and its stamp.
    fn start_all<'b>(
        &'b self,
        plan: &Plan,
        prepared: Vec<E::PreparedRequest>,
        observations: &'b mut [Observation],
    ) -> FuturesUnordered<LocalBoxFuture<'b, ()>>
    where
        E::PreparedRequest: 'b,
    {
        let (senders, end_signals): (Vec<_>, Vec<EndSignal>) = plan
            .requests
            .iter()
            .map(|_| {
                let (sender, receiver) = oneshot::channel();
                (sender, receiver.shared())
            })
            .unzip();
        let requests = plan.requests.iter().zip(prepared).zip(observations).zip(senders);
        requests
            .map(|(((request, prepared), observation), sender)| {
                let after = match request.release {
                    Release::At { .. } => None,
                    Release::After { request } => end_signals.get(request as usize).cloned(),
                };
                self.run(request.release, prepared, after, observation, sender).boxed_local()
            })
            .collect()
    }

    async fn run(
        &self,
        release: Release,
        prepared: E::PreparedRequest,
        after: Option<EndSignal>,
        observation: &mut Observation,
        sender: oneshot::Sender<u64>,
    ) {
        observation.sched_ns = match (release, after) {
            (Release::At { t_ns }, _) => {
                self.trial.sleep_until(t_ns).await;
                Some(t_ns)
            }
            (Release::After { .. }, Some(ended)) => ended.await.ok(),
            (Release::After { .. }, None) => None,
        };
        if observation.sched_ns.is_none() {
            // A plan is checked before it is driven, so this names a bug; the request still ends in an outcome.
            return;
        }
        observation.outcome = self.send_within_limit(prepared, observation).await;
        // The endpoint stamps the end at the last read; what ended otherwise ends now.
        let end_ns = *observation.end_ns.get_or_insert_with(|| self.trial.now_ns());
        // Nobody listens where no request follows.
        let _ = sender.send(end_ns);
    }

    async fn send_within_limit(&self, prepared: E::PreparedRequest, observation: &mut Observation) -> Outcome {
        let limit_ns = self.trial.now_ns().saturating_add(self.request_ns);
        // In a box of its own: a plan may have many requests that are not sent yet.
        let send = Box::pin(self.endpoint.send_prepared(prepared, self.trial, observation));
        match until(self.trial, send, || limit_ns).await {
            Some(outcome) => outcome,
            None => Outcome::TimedOut { detail: format!("the request's time limit of {} passed", format_limit(self.request_ns)) },
        }
    }
}

/// A limit in words.
fn format_limit(limit_ns: u64) -> String {
    if limit_ns.is_multiple_of(1_000_000_000) {
        format!("{} s", limit_ns / 1_000_000_000)
    } else {
        format!("{} ms", limit_ns / 1_000_000)
    }
}

/// Gives the requests that were in flight when a trial was cut short their outcome. Those never sent stay so.
fn close_open_requests(observations: &mut [Observation], cut: &Cutoff, now_ns: u64) {
    for observation in observations {
        if observation.send_ns.is_some() && observation.end_ns.is_none() {
            observation.end_ns = Some(now_ns);
            observation.outcome = if cut.by_limit {
                Outcome::TimedOut { detail: cut.reason.clone() }
            } else {
                Outcome::Disconnected { detail: format!("given up: {}", cut.reason) }
            };
        }
    }
}
