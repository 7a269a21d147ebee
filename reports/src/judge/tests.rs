//! The judge on hand-made figures: a cell of a closed loop, and one of an open loop that is compared seed by seed.

use std::collections::BTreeMap;

use proptest::prelude::*;
use record::{Arrival, Gate, Interleaving, Load, Metric, Side};

use super::*;
use crate::{
    fixture::{boot, closed_trial, record},
    roofline::Distance,
    statistics::{abba, verdict::Note},
    validity::{Judgement, Reason},
};

mod environment;
mod verdicts;

/// Decode tok/s of five boots that differ by about a percent.
const FIVE: [f64; 5] = [100.0, 101.0, 99.4, 100.6, 99.0];

fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|value| value * factor).collect()
}

/// A trial of `chat/c10` with that decode rate.
fn trial(number: u32, boot: u32, decode_tok_s: f64) -> TrialFigures {
    let of = closed_trial("chat", 10, 1, 1_000_000, 20_000_000, 101);
    TrialFigures {
        cell: record::Cell { point: "c10".to_owned(), ..of.cell },
        boot,
        trial: number,
        attempt: 0,
        order: number,
        seed: 100 + u64::from(number),
        plan_digest: format!("plan-{number}"),
        took_ns: of.warm_up.duration_ns + of.duration_ns,
        attempted: 10,
        served: 10,
        validity: Validity::Valid,
        judgement: Judgement::default(),
        figures: [(Metric::DecodeTokS, decode_tok_s)].into(),
        server_account: None,
        distance: Distance::default(),
    }
}

/// A trial of `office/r0.3`, whose TTFT depends on its seed.
fn open_trial(number: u32, boot: u32, ttft_ns: f64) -> TrialFigures {
    let mut one = trial(number, boot, 1.0);
    (one.cell.workload, one.cell.point) = ("office".to_owned(), "r0.3".to_owned());
    one.cell.load = Load::Open { rate_per_s: 0.3, arrival: Arrival::Poisson, requests: 10 };
    one.figures = [(Metric::TtftP95Ns, ttft_ns)].into();
    one
}

fn gate(cell: &str, metric: Metric, margin: f64, paired_by_seed: bool) -> Gate {
    Gate { cell: cell.to_owned(), metric, margin, paired_by_seed }
}

/// A finished run of those trials.
fn run(trials: Vec<TrialFigures>) -> RunFigures {
    let mut run = RunFigures::of(&record(Vec::new()));
    let boots: BTreeSet<u32> = trials.iter().map(|trial| trial.boot).collect();
    run.boots = boots.into_iter().map(boot).collect();
    run.header.cells = trials.iter().map(|trial| trial.cell.name()).collect::<BTreeSet<_>>().into_iter().collect();
    let known = [gate("chat/c10", Metric::DecodeTokS, 0.03, false), gate("office/r0.3", Metric::TtftP95Ns, 0.10, true)];
    run.header.gates = known.into_iter().filter(|gate| run.header.cells.contains(&gate.cell)).collect();
    run.trials = trials;
    run
}

/// A run of `chat/c10` with one trial in each boot.
fn chat(decode_tok_s: &[f64]) -> RunFigures {
    run((0..).zip(decode_tok_s).map(|(number, value)| trial(number, number, *value)).collect())
}

fn office(ttft_ns: &[f64]) -> RunFigures {
    run((0..).zip(ttft_ns).map(|(number, value)| open_trial(number, number, *value)).collect())
}

/// Both runs as if they had been measured boot by boot.
fn interleaved(mut baseline: RunFigures, mut candidate: RunFigures) -> (RunFigures, RunFigures) {
    let order = abba::order(u32::try_from(baseline.boots.len()).unwrap(), 1);
    let of = |side| Some(Interleaving { pair: "a".to_owned(), side, order: order.clone() });
    (baseline.header.interleaved, candidate.header.interleaved) = (of(Side::Baseline), of(Side::Candidate));
    (baseline, candidate)
}

fn ruling_of((baseline, candidate): (RunFigures, RunFigures)) -> Ruling {
    judge(&[baseline], &[candidate], &Policy::default())
}

/// The only row of the gate.
fn row(ruling: &Ruling) -> &Row {
    let mut rows = ruling.gate_rows();
    let row = rows.next().unwrap_or_else(|| panic!("no row: {ruling:?}"));
    assert!(rows.next().is_none());
    row
}
