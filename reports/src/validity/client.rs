//! Judges whether the measuring client kept up.

use record::{ErrorBudget, Trial};

use super::{Reason, Validity};
use crate::{
    instrument::{ClientLoad, Coverage, covering, worst_tail, worst_verdict_figure},
    metrics::TrialMetrics,
    number::{Unit, figure},
};

/// Largest 99th percentile of the send lag of an open loop, and of the timer's lag: more would show in a TTFT of 100 ms.
pub(super) const MAX_LAG_P99_NS: f64 = 5e6;

/// How often the timer is due, and the fewest readings that have a 99th percentile: a shorter trial shows its worst one.
const TIMER_NS: u64 = 10_000_000;
const READINGS_FOR_P99: u64 = 100;

/// Fewest requests whose send lag has a 99th percentile; every open-loop workload has more, its miniature fewer.
const SENDS_FOR_P99: usize = 100;

/// Largest single one of either.
pub(super) const MAX_LAG_NS: f64 = 50e6;

/// Largest part of one core that the measuring process may use. The load runs on one thread, so that near a whole core requests wait for
/// the client, and its limit is what was measured.
pub(super) const MAX_CLIENT_CPU: f64 = 0.9;

/// From this part on answers that come together wait for each other in the client now and then.
pub(super) const HIGH_CLIENT_CPU: f64 = 0.5;

/// Shortest trial whose CPU time is judged. The kernel counts it in ticks of 10 ms, and the start-up work of a process is a large part of a shorter
/// trial.
pub(super) const MIN_CPU_TRIAL_NS: u64 = 1_000_000_000;

pub(super) fn judge(trial: &Trial, metrics: &TrialMetrics, instrument: Option<&ErrorBudget>, reasons: &mut Vec<Reason>) {
    reasons.extend(instrument.and_then(|budget| instrument_error(trial, metrics, budget)));
    reasons.extend(client_cpu(trial));
    judge_connections(trial, reasons);
    judge_lags(trial, metrics, reasons);
}

/// The reason that the selftest of this machine gives for the trial's load, if any.
fn instrument_error(trial: &Trial, metrics: &TrialMetrics, budget: &ErrorBudget) -> Option<Reason> {
    let load = ClientLoad::of(trial, metrics)?;
    let named = |streams: u32, chunks_per_s: f64| {
        let plural = if streams == 1 { "" } else { "s" };
        format!("{streams} stream{plural} at {} chunks/s", figure(chunks_per_s, Unit::Plain))
    };
    let load_words = named(load.streams, load.chunks_per_s);
    match covering(budget, load) {
        Coverage::Within(point) => worst_tail(point).map(|(name, error)| {
            let at = named(point.streams, point.chunks_per_s);
            let text = format!("in the selftest of the instrument {name} is off by {} with {at}", figure(error, Unit::Share));
            Reason::note("percentiles that the instrument measures with an error above 1 %", text)
                .with_extent(error.abs(), Unit::Share)
        }),
        Coverage::Unchecked => {
            let text = format!("{load_words} are more than the selftest of the instrument has checked on this machine");
            Some(Reason::suspect("load above what the selftest of the instrument has checked", text))
        }
        Coverage::Beyond(point) => {
            let (name, error) = worst_verdict_figure(point, load);
            let what = if point.account.is_exact() {
                format!("{name} is off by {}", figure(error, Unit::Share))
            } else {
                "chunks or tokens are lost".to_owned()
            };
            let at = named(point.streams, point.chunks_per_s);
            let text = format!("the client was the bottleneck: {load_words}, and in its selftest {what} with {at}");
            Some(Reason::invalid("the client was the bottleneck", text))
        }
    }
}

fn client_cpu(trial: &Trial) -> Option<Reason> {
    let used = cores(trial, trial.facts.client_cpu_ns?)?;
    let above = |limit: f64, more: &str| {
        let [used, limit] = [used, limit].map(|share| figure(share, Unit::Share));
        let kind = format!("the measuring process used more than {limit} of one core");
        (kind, format!("the measuring process used {used} of one core, above {limit}{more}"))
    };
    let reason = if used > MAX_CLIENT_CPU {
        let (kind, text) = above(MAX_CLIENT_CPU, ": its own limit was measured");
        Reason::invalid(kind, text)
    } else if used > HIGH_CLIENT_CPU {
        let (kind, text) = above(HIGH_CLIENT_CPU, "");
        Reason::suspect(kind, text)
    } else {
        return None;
    };
    Some(reason.with_extent(used, Unit::Share))
}

/// Most reads of a trial, as a part of all, that may leave more waiting. A chunk is some hundred bytes and a read takes some hundred
/// chunks, so that even one in a hundred says that the client came late.
const MAX_FULL_READS: f64 = 0.01;

/// Most requests of a trial, as a part of all, that may have gone out twice. A server that closes what it announced to keep does that now and
/// then; one that does it to every tenth request means it.
const MAX_RESENT: f64 = 0.1;

/// Judges by the connections whether a side fell behind: the client, where more was waiting than one read takes; the server, where a request was not
/// taken at once.
fn judge_connections(trial: &Trial, reasons: &mut Vec<Reason>) {
    let Some(wire) = trial.facts.wire else { return };
    if wire.full_reads as f64 > MAX_FULL_READS * wire.reads as f64 {
        let [full, reads] = [wire.full_reads, wire.reads];
        let what = format!("{full} of {reads} reads left more waiting on the connection: the client, or the machine, was behind");
        let share = full as f64 / reads as f64;
        reasons.push(Reason::suspect("the client read too slowly", what).with_extent(share, Unit::Share));
    }
    if wire.blocked_writes > 0 {
        let what =
            format!("the kernel did not take {} of the requests at once: the server read them slowly", wire.blocked_writes);
        reasons.push(Reason::note("the server read requests slowly", what));
    }
    if wire.sent_again > 0 {
        let what = format!("{} of the requests went out again, since the server closed their kept connection", wire.sent_again);
        let many = wire.sent_again as f64 > MAX_RESENT * trial.observations.len() as f64;
        let kind = "requests were sent again, since the server closed their connection";
        reasons.push(if many { Reason::suspect(kind, what) } else { Reason::note(kind, what) });
    }
}

/// CPU time as cores that were busy all the time; none in a trial that is too short to tell.
pub(super) fn cores(trial: &Trial, cpu_ns: u64) -> Option<f64> {
    (trial.duration_ns >= MIN_CPU_TRIAL_NS).then(|| cpu_ns as f64 / trial.duration_ns as f64)
}

fn judge_lags(trial: &Trial, metrics: &TrialMetrics, reasons: &mut Vec<Reason>) {
    // A closed loop has no schedule to fall behind: its TTFT counts from the send.
    if let (true, Some(lag), Some(max_ns)) = (trial.cell.load.is_open(), metrics.send_lag, metrics.send_lag_max_ns) {
        // The 99th percentile of a miniature's two dozen requests is one request.
        let verdict = if trial.observations.len() < SENDS_FOR_P99 { Validity::Suspect } else { Validity::Invalid };
        reasons.extend(above(verdict, "send lag p99", lag.p99, MAX_LAG_P99_NS));
        reasons.extend(above(Validity::Invalid, "worst send lag", max_ns, MAX_LAG_NS));
    }
    // Virtual time has no timer to be late; a late timer stamps late, whatever the loop.
    let lag = |ns: Option<u64>| ns.map(|ns| ns as f64);
    let worst = lag(trial.facts.timer_lag_max_ns);
    if trial.duration_ns / TIMER_NS < READINGS_FOR_P99 {
        reasons.extend(worst.and_then(|ns| above(Validity::Valid, "worst timer lag", ns, MAX_LAG_P99_NS)));
        return;
    }
    let p99 = lag(trial.facts.timer_lag_p99_ns);
    reasons.extend(p99.and_then(|ns| above(Validity::Suspect, "timer lag p99", ns, MAX_LAG_P99_NS)));
    reasons.extend(worst.and_then(|ns| above(Validity::Valid, "worst timer lag", ns, MAX_LAG_NS)));
}

fn above(validity: Validity, what: &str, ns: f64, limit_ns: f64) -> Option<Reason> {
    let limit = figure(limit_ns, Unit::Time);
    let reason = || {
        let text = format!("{what} {} is above {limit}", figure(ns, Unit::Time));
        Reason::new(validity, format!("{what} above {limit}"), text).with_extent(ns, Unit::Time)
    };
    (ns > limit_ns).then(reason)
}
