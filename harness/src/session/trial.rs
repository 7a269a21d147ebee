//! A trial: planned, warmed up, driven while it is watched, written down.

use futures_util::future::{self, Either};
use record::{Cell, Counters, Entry, Outcome, ServerReading, ServerWatch, Trial, TrialFacts, WarmUp, WireCounts};

use super::{AbortCause, RunError, Session, abort_cause};
use crate::{
    clock::Clock,
    drive::{DriveLimits, DriveOutcome, drive},
    endpoint::{Endpoint, EndpointError, ServerPage},
    engine::{
        EngineInstance,
        readiness::{probe_request, send_probe, user_message},
    },
    instrument_cost::{InstrumentCost, watch_instrument_cost},
    journal::Journal,
    machine::Activity,
    server_watch::{ReadingFailures, watch_server},
    sizing::SizedBoot,
    suite::BootSizing,
};

/// How long an engine that drops connections is given to turn out dead, in nanoseconds.
const DEATH_GRACE_NS: u64 = 1_000_000_000;
/// How long it is then given to answer one question, in nanoseconds.
const ANSWER_LIMIT_NS: u64 = 30_000_000_000;

pub(super) struct TrialSlot<'a> {
    pub(super) cell: &'a Cell,
    pub(super) boot: u32,
    pub(super) trial: u32,
    /// 0, or 1 where it repeats one that was invalid.
    pub(super) attempt: u32,
    pub(super) order: u32,
}

/// Executes a trial and records it. True if it ended by itself but is invalid, so that it is worth repeating.
pub(super) async fn run_trial<R: EngineInstance, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    journal: &mut Journal,
    sized: &SizedBoot,
    slot: &TrialSlot<'_>,
) -> Result<bool, RunError> {
    let cell = slot.cell;
    let seed = session.suite.trial_seed(session.header.seed, cell, slot.trial);
    let counted = BootSizing { counts: sized.counts.as_deref(), sizing: &sized.sizing };
    let cannot = |why| RunError::Plan { cell: cell.name(), why };
    let plan = session.suite.plan(cell, seed, &counted).map_err(cannot)?;
    let warm_up_plan = session.suite.warm_up(cell, seed, &counted).map_err(cannot)?;
    running.begin_trial(cell, slot.order).await;
    let (mut death, mut is_invalid) = (None, false);
    let warmed = drive_until_aborted(running, session, &warm_up_plan, sized, &mut death).await.0;
    let warm_up = WarmUp {
        requests: u32::try_from(warmed.observations.len()).unwrap_or(u32::MAX),
        completed: u32::try_from(warmed.observations.iter().filter(|seen| seen.outcome.is_complete()).count())
            .unwrap_or(u32::MAX),
        duration_ns: warmed.duration_ns,
    };
    if death.is_none()
        && let Some(state) = unless_aborted(running, session, &mut death, prepare_trial(running, cell)).await
    {
        let watched = watch(running, session, &plan, sized, &mut death);
        let (mut driven, cost, readings, failures) = watched.await;
        let engine_cpu_ns = state.cpu_ns.zip(running.cpu_ns().await).and_then(|(before, now)| now.checked_sub(before));
        if let (Some(tokenizer), false) = (&session.tokenizer, sized.usage) {
            tokenizer.count_answers(&mut driven.observations)?;
        }
        // A dead engine has no page; asking would only wait.
        let after = match death {
            None => unless_aborted(running, session, &mut death, running.endpoint().server_page()).await.flatten(),
            Some(_) => None,
        };
        let report = ServerReport { before: state.before, during: readings, failures, after };
        let wire = state.wire.zip(running.endpoint().wire_counts()).map(|(before, now)| now.since(before));
        let facts = TrialFacts { cache_reset: state.cache_reset, engine_cpu_ns, wire, ..trial_facts(session, cost) };
        let entry = Entry::Trial(Box::new(to_trial(slot, &plan, warm_up, driven, report, facts)));
        journal.append(&entry)?;
        is_invalid = matches!(&entry, Entry::Trial(trial)
            if trial.facts.cut_short.is_none() && !(session.is_valid)(trial, sized.sizing.template_tokens));
    }
    match death {
        Some(how) => Err(RunError::EngineExited { cell: cell.name(), how, log_tail: running.log_tail() }),
        None => Ok(is_invalid),
    }
}

/// State that is read between the warm-up and the trial.
struct PreTrialState {
    cache_reset: Option<String>,
    before: Option<Result<ServerPage, EndpointError>>,
    cpu_ns: Option<u64>,
    wire: Option<WireCounts>,
}

async fn prepare_trial<R: EngineInstance>(running: &R, cell: &Cell) -> PreTrialState {
    let endpoint = running.endpoint();
    let cache_reset = endpoint.reset_cache().await.map(|done| done.unwrap_or_else(|error| format!("not emptied: {error}")));
    let before = endpoint.server_page().await;
    let cpu_ns = running.cpu_ns().await;
    running.open_connections(cell).await;
    PreTrialState { cache_reset, before, cpu_ns, wire: endpoint.wire_counts() }
}

/// Does something that has a time limit of its own; none if the run is given up meanwhile, or was before.
async fn unless_aborted<R: EngineInstance, C: Clock, T>(
    running: &R,
    session: &Session<'_, C>,
    death: &mut Option<String>,
    work: impl Future<Output = T>,
) -> Option<T> {
    match future::select(Box::pin(abort_cause(running, session)), Box::pin(work)).await {
        Either::Right((done, _)) => Some(done),
        Either::Left((AbortCause::Interrupted, _)) => None,
        Either::Left((AbortCause::EngineExited(how), _)) => {
            *death = Some(how);
            None
        }
    }
}

/// Drives a trial while the server's metrics and our own cost are watched.
async fn watch<R: EngineInstance, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    plan: &record::Plan,
    sized: &SizedBoot,
    death: &mut Option<String>,
) -> (DriveOutcome, Option<InstrumentCost>, Vec<ServerReading>, ReadingFailures) {
    let driven = drive_until_aborted(running, session, plan, sized, death);
    let ((driven, cost), readings, failures) = watch_server(running.endpoint(), session.clock, driven).await;
    (driven, cost, readings, failures)
}

async fn drive_until_aborted<R: EngineInstance, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    plan: &record::Plan,
    sized: &SizedBoot,
    death: &mut Option<String>,
) -> (DriveOutcome, Option<InstrumentCost>) {
    let stop = async {
        match abort_cause(running, session).await {
            AbortCause::Interrupted => "interrupted".to_owned(),
            AbortCause::EngineExited(how) => {
                *death = Some(how.clone());
                format!("the engine ended: {how}")
            }
        }
    };
    let limits = DriveLimits { collect_text: session.tokenizer.is_some() && !sized.usage, ..session.limits };
    let driven = drive(running.endpoint(), session.clock, plan, limits, stop);
    let (mut driven, cost) =
        if session.real_time { watch_instrument_cost(session.clock, driven).await } else { (driven.await, None) };
    if death.is_none() && driven.observations.iter().any(|seen| matches!(seen.outcome, Outcome::Disconnected { .. })) {
        *death = death_within_grace(running, session.clock).await;
        if death.is_none() {
            *death = unreachable_reason(running, session.clock, &driven).await;
        }
        if let Some(how) = death {
            // Its requests all failed before its end was noticed.
            driven.cut_short.get_or_insert_with(|| format!("the engine ended: {how}"));
        }
    }
    (driven, cost)
}

/// Why an engine counts as gone whose process cannot be watched, as one that was attached to: it served nothing, and does not answer a
/// single question either. Without this every further trial would be sent to a dead port.
async fn unreachable_reason<R: EngineInstance, C: Clock>(running: &R, clock: &C, driven: &DriveOutcome) -> Option<String> {
    if driven.cut_short.is_some() || driven.observations.iter().any(|seen| seen.outcome.is_complete()) {
        return None;
    }
    let answer =
        send_probe(running.endpoint(), clock, &probe_request(vec![user_message("Say one word.")], 1), ANSWER_LIMIT_NS).await;
    match answer.outcome {
        Outcome::Disconnected { detail } => Some(format!("it answers no more: {detail}")),
        _ => None,
    }
}

/// How the engine ended, if it did. One that dies drops its connections first and is reaped a moment later; without this moment the
/// next cell would be blamed.
pub(super) async fn death_within_grace<R: EngineInstance, C: Clock>(running: &R, clock: &C) -> Option<String> {
    let moment = clock.sleep_until(clock.now_ns() + DEATH_GRACE_NS);
    match future::select(Box::pin(running.died()), Box::pin(moment)).await {
        Either::Left((how, _)) => Some(how),
        Either::Right(_) => None,
    }
}

/// The server's metrics before, during and after a trial.
struct ServerReport {
    before: Option<Result<ServerPage, EndpointError>>,
    during: Vec<ServerReading>,
    failures: ReadingFailures,
    after: Option<Result<ServerPage, EndpointError>>,
}

impl ServerReport {
    /// Its own names, and ours; none where the server has no page.
    fn into_parts(self) -> (Option<Counters>, Option<ServerWatch>) {
        let Some(before) = self.before else { return (None, None) };
        let mut watch = ServerWatch {
            during: self.during,
            failed_readings: self.failures.count,
            failure: self.failures.last,
            ..ServerWatch::default()
        };
        let mut counters = Counters::default();
        match before {
            Ok(page) => (counters.before, watch.before) = (page.counters, page.metrics),
            Err(error) => count_failure(&mut watch, &error),
        }
        match self.after {
            Some(Ok(page)) => (counters.after, watch.after) = (page.counters, page.metrics),
            Some(Err(error)) => count_failure(&mut watch, &error),
            None => watch.after = watch.before,
        }
        (Some(counters), Some(watch))
    }
}

fn count_failure(watch: &mut ServerWatch, error: &EndpointError) {
    watch.failed_readings += 1;
    watch.failure = Some(error.to_string());
}

/// The condition of the instrument and of the machine. An attached server may run on another machine.
fn trial_facts<C>(session: &Session<'_, C>, cost: Option<InstrumentCost>) -> TrialFacts {
    let Some(cost) = cost else { return TrialFacts::default() };
    let is_local = session.header.recipe.attach.is_none();
    let machine = if is_local { cost.machine } else { Activity::default() };
    TrialFacts {
        client_cpu_ns: cost.cpu_ns,
        machine_cpu_ns: machine.cpu_ns,
        stolen_cpu_ns: machine.stolen_cpu_ns,
        swapped_in_bytes: machine.swapped_in_bytes,
        timer_lag_p99_ns: Some(cost.timer_lag_p99_ns),
        timer_lag_max_ns: Some(cost.timer_lag_max_ns),
        ..TrialFacts::default()
    }
}

fn to_trial(
    slot: &TrialSlot<'_>,
    plan: &record::Plan,
    warm_up: WarmUp,
    driven: DriveOutcome,
    report: ServerReport,
    facts: TrialFacts,
) -> Trial {
    let (counters, server) = report.into_parts();
    Trial {
        cell: slot.cell.clone(),
        boot: slot.boot,
        trial: slot.trial,
        attempt: slot.attempt,
        order: slot.order,
        seed: plan.seed,
        plan_digest: plan.digest.clone(),
        duration_ns: driven.duration_ns,
        warm_up,
        observations: driven.observations,
        counters,
        server,
        facts: TrialFacts { cut_short: driven.cut_short, ..facts },
    }
}
