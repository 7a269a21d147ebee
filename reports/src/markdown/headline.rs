//! The five figures: decode for one and for many, prefill, throughput, and what a queue does at an ordinary load and at one that is too much.

use minijinja::{Value, context};
use record::{Cell, Load, Metric};

use super::{
    figures::{estimate, trials},
    text::code,
    workloads::load,
};
use crate::{
    number::{Unit, figure},
    summary::{CellSummary, RunSummary},
};

/// An overload whose requests end at less than this part of the rate at which they arrive has a queue that grows.
const KEEPS_UP_FROM: f64 = 0.95;

/// Fewest requests of a trial that says whether an engine keeps up: in a shorter one the last answers take as long as the rest.
const KEEPS_UP_REQUESTS: u64 = 100;

/// Most rows of a run that has none of the five figures: its first cells stand there instead.
const OTHER_ROWS: usize = 5;

/// The rows, without what was not measured.
pub(super) fn facts(summary: &RunSummary) -> Value {
    let mut rows: Vec<Value> = decode(summary);
    rows.extend(prefill(summary));
    rows.extend(throughput(summary));
    rows.extend(queueing(summary));
    rows.extend(overload(summary));
    if rows.is_empty() {
        rows = summary.cells.iter().filter_map(other).take(OTHER_ROWS).collect();
    }
    context! { rows }
}

fn streams(cell: &Cell) -> u32 {
    cell.load.target_in_flight().unwrap_or(0)
}

fn cells<'s>(summary: &'s RunSummary, workload: &str) -> impl Iterator<Item = &'s CellSummary> {
    summary.cells.iter().filter(move |cell| cell.cell.workload == workload)
}

/// A row: its own facts, the cell and how many trials are behind it. `failures` is what a row must not keep to itself.
fn row(cell: &CellSummary, own: Value) -> Value {
    let failures = cell.attempted - cell.served;
    context! { cell => code(&cell.cell.name()), trials => trials(cell), failures, attempted => cell.attempted, ..own }
}

/// `chat` at one stream and at its most streams.
fn decode(summary: &RunSummary) -> Vec<Value> {
    let one = cells(summary, "chat").find(|cell| streams(&cell.cell) == 1);
    let most = cells(summary, "chat").filter(|cell| streams(&cell.cell) > 1).max_by_key(|cell| streams(&cell.cell));
    let rows = one.into_iter().chain(most).filter_map(|cell| {
        let rate = estimate(cell, Metric::DecodeTokS)?;
        Some(row(cell, context! { kind => "decode", streams => streams(&cell.cell), rate }))
    });
    rows.collect()
}

/// `long-prefill` at one stream, with its longest prompt.
fn prefill(summary: &RunSummary) -> Option<Value> {
    let alone = cells(summary, "long-prefill").filter(|cell| streams(&cell.cell) == 1);
    let cell = alone.max_by_key(|cell| cell.cell.prompt_tokens.high())?;
    let (rate, ttft) = (estimate(cell, Metric::PrefillTokS)?, estimate(cell, Metric::TtftP50Ns));
    Some(row(cell, context! { kind => "prefill", tokens => cell.cell.prompt_tokens.high(), rate, ttft }))
}

/// The point of `batch` that writes most tokens per second in all.
fn throughput(summary: &RunSummary) -> Option<Value> {
    let mean = |cell: &CellSummary| cell.figure(Metric::OutputTokS).and_then(|over| over.mean).unwrap_or(0.0);
    let cell = cells(summary, "batch").max_by(|one, other| mean(one).total_cmp(&mean(other)))?;
    let rate = estimate(cell, Metric::OutputTokS)?;
    let ttft = estimate(cell, Metric::TtftP50Ns);
    Some(row(cell, context! { kind => "throughput", streams => streams(&cell.cell), rate, ttft }))
}

/// `office`, an ordinary load.
fn queueing(summary: &RunSummary) -> Option<Value> {
    let cell = cells(summary, "office").next()?;
    let (ttft_p50, ttft_p95) = (estimate(cell, Metric::TtftP50Ns)?, estimate(cell, Metric::TtftP95Ns));
    let slo = cell.cell.slo.map(|slo| context! { ttft_ms => slo.ttft_ms, tpot_ms => slo.tpot_ms });
    let attainment = estimate(cell, Metric::Attainment).filter(|_| slo.is_some());
    let offered_per_s = offered_per_s(&cell.cell)?;
    Some(row(cell, context! { kind => "queueing", offered_per_s, ttft_p50, ttft_p95, attainment, slo }))
}

/// The rate that an open loop plans; what arrived in a trial differs by chance.
fn offered_per_s(cell: &Cell) -> Option<String> {
    let Load::Open { rate_per_s, .. } = cell.load else { return None };
    Some(figure(rate_per_s, Unit::Plain))
}

/// `peak`: whether a load that is too much queued or broke, and when its queue had drained.
fn overload(summary: &RunSummary) -> Option<Value> {
    let cell = cells(summary, "peak").next()?;
    let (offered, achieved) = estimate(cell, Metric::OfferedPerS).zip(estimate(cell, Metric::AchievedPerS))?;
    let mean = |metric| cell.figure(metric)?.mean;
    let keeps_up = mean(Metric::AchievedPerS)? >= mean(Metric::OfferedPerS)? * KEEPS_UP_FROM;
    let own = context! {
        kind => "overload",
        offered_per_s => offered_per_s(&cell.cell)?,
        is_short => cell.requests_per_trial.is_none_or(|requests| requests < KEEPS_UP_REQUESTS),
        offered,
        achieved,
        keeps_up,
        failed => cell.attempted - cell.served,
        recovery => estimate(cell, Metric::RecoveryNs),
    };
    // Its sentence says how many failed.
    Some(context! { failures => 0, ..row(cell, own) })
}

/// Any other cell: what one of its users meets.
fn other(cell: &CellSummary) -> Option<Value> {
    let (rate, ttft_p50) = (estimate(cell, Metric::DecodeTokS), estimate(cell, Metric::TtftP50Ns)?);
    Some(row(cell, context! { kind => "other", load => load(&cell.cell), rate, ttft_p50 }))
}
