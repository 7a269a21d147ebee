//! One simulated comparison: the values of every gate cell on both sides, judged as those of a real one are.

use record::{Gate, Metric, Side};

use super::setting::{SecondLook, Setting, Slowdown};
use crate::{
    judge::{Order, PendingRow, decide_after_drift},
    metric::info,
    statistics::{
        abba::{self, SplitMix},
        comparison::{BetterDirection, Component, Design, Pairing},
        drift::Drift,
        verdict::{Decision, Looks, Verdict},
    },
};

/// The level around which every figure is drawn; its unit does not matter.
const LEVEL: f64 = 100.0;

/// The simulated gates, and the two that may change alone, by their place.
#[derive(Debug, Clone)]
pub(super) struct Family {
    gates: Vec<Gate>,
    better: Vec<BetterDirection>,
    closed_loop_gate: usize,
    open_loop_gate: usize,
}

/// The decisions of a simulated comparison.
pub(super) struct Outcome {
    /// One per gate cell.
    pub(super) decisions: Vec<Decision>,
    /// Place of the closed-loop gate that may change alone.
    pub(super) closed_loop_gate: usize,
    /// Place of the open-loop gate that may change alone.
    pub(super) open_loop_gate: usize,
    /// Whether the plain drift rule, applied to each cell and side by itself, would refuse any of them.
    pub(super) any_series_drifts: bool,
}

/// The simulated values of one cell, one per boot in the order of measuring, and the places of the boots in time.
#[derive(Clone, Default)]
struct CellDraws {
    values: [Vec<f64>; 2],
    places: [Vec<f64>; 2],
}

impl CellDraws {
    /// Whether the first `units` values of a side drift by the plain rule.
    fn drifts(&self, units: usize, margin: f64) -> bool {
        self.values.iter().any(|values| Drift::of(&values[..units]).is_some_and(|drift| drift.matters(margin)))
    }
}

impl Family {
    /// The family of those gates; none unless it has a gate on a rate of a closed loop and one that is paired by seed, and every metric
    /// has a better direction.
    pub(super) fn of(gates: &[Gate]) -> Option<Self> {
        let better: Vec<BetterDirection> = gates.iter().map(|gate| info(gate.metric).better).collect::<Option<_>>()?;
        let closed_loop_gate =
            gates.iter().zip(&better).position(|(gate, better)| *better == BetterDirection::Higher && !gate.paired_by_seed)?;
        let open_loop_gate = gates.iter().position(|gate| gate.paired_by_seed)?;
        Some(Self { gates: gates.to_vec(), better, closed_loop_gate, open_loop_gate })
    }

    /// Draws one comparison and judges it.
    pub(super) fn simulate(&self, setting: &Setting, random: &mut SplitMix) -> Outcome {
        let draws = self.draw(setting, random);
        let units = if setting.boots == 1 { setting.trials } else { setting.boots } as usize;
        let mut rows = self.pending_rows(setting, &draws, |_| units);
        let any_series_drifts = draws.iter().zip(&self.gates).any(|(draws, gate)| draws.drifts(units, gate.margin));
        let (_, mut decisions) = decide_after_drift(&mut rows, setting.order, &setting.options);
        if setting.options.looks == Looks::Two {
            let repeated = self.repeated_workloads(setting, &rows, &decisions);
            if !repeated.is_empty() {
                let units = |gate: &Gate| if repeated.contains(&workload(gate)) { 2 * units } else { units };
                let mut rows = self.pending_rows(setting, &draws, units);
                (_, decisions) = decide_after_drift(&mut rows, setting.order, &setting.options);
            }
        }
        Outcome { decisions, closed_loop_gate: self.closed_loop_gate, open_loop_gate: self.open_loop_gate, any_series_drifts }
    }

    /// The workloads that get a second look: those with an inconclusive gate cell that the setting repeats. A regression at the first look
    /// ends the comparison.
    fn repeated_workloads(&self, setting: &Setting, rows: &[PendingRow], decisions: &[Decision]) -> Vec<&str> {
        if decisions.iter().any(|decision| decision.verdict == Verdict::Regressed) {
            return Vec::new();
        }
        let alpha = setting.options.looks.alpha();
        let cells = self.gates.iter().zip(rows).zip(decisions);
        let repeated = cells.filter(|((gate, row), decision)| {
            let is_worse = row.cell.outcome.as_ref().is_ok_and(|comparison| comparison.seems_worse(gate.margin, alpha));
            let is_suspected = setting.second_look == SecondLook::FeasibleOrSuspected && is_worse;
            let is_futile =
                || row.cell.outcome.as_ref().map_or(true, |comparison| comparison.noise.is_futile(gate.margin, alpha));
            decision.verdict == Verdict::Inconclusive && (is_suspected || !is_futile())
        });
        repeated.map(|((gate, _), _)| workload(gate)).collect()
    }

    /// The rows of the comparison, each with the first `units` units of its cell.
    fn pending_rows(&self, setting: &Setting, draws: &[CellDraws], units: impl Fn(&Gate) -> usize) -> Vec<PendingRow> {
        let row = |((gate, &better), draws): ((&Gate, &BetterDirection), &CellDraws)| {
            let first = |all: &[Vec<f64>; 2]| [0, 1].map(|side: usize| all[side][..units(gate)].to_vec());
            let design = Design {
                better,
                pairing: if gate.paired_by_seed { Pairing::BySeed } else { Pairing::Unpaired },
                occasion: (setting.order == Order::Stored).then_some(setting.occasion),
                boot: (setting.boots == 1).then_some(Component::ASSUMED),
            };
            PendingRow::of_values(gate, first(&draws.values), first(&draws.places), design)
        };
        self.gates.iter().zip(&self.better).zip(draws).map(row).collect()
    }

    /// Draws the values of all cells.
    fn draw(&self, setting: &Setting, random: &mut SplitMix) -> Vec<CellDraws> {
        let noise = setting.noise;
        let occasions = match setting.order {
            Order::Stored => [noise.occasion * normal(random), noise.occasion * normal(random)],
            Order::Interleaved => [0.0; 2],
        };
        let order = order(setting, random);
        let units = order.len() * setting.trials as usize;
        let seed_of = |gate: &Gate| if gate.paired_by_seed { noise.seed } else { 0.0 };
        let seeds: Vec<Vec<f64>> =
            self.gates.iter().map(|gate| (0..units).map(|_| seed_of(gate) * normal(random)).collect()).collect();
        let mut all = vec![CellDraws::default(); self.gates.len()];
        for (place, &side) in order.iter().enumerate() {
            let side = usize::from(side == Side::Candidate);
            let common = occasions[side] + setting.drift * place as f64;
            let shared = normal(random);
            for (number, seeds) in seeds.iter().enumerate() {
                let own = if noise.boot_is_shared { shared } else { normal(random) };
                let slowdown_ln = if side == 1 { self.slowdown_ln(setting.slowdown, number) } else { 0.0 };
                let boot = common + noise.boot * own + slowdown_ln;
                let trials = (0..setting.trials).map(|_| noise.trial * normal(random));
                let units: Vec<f64> =
                    if setting.boots == 1 { trials.collect() } else { vec![trials.sum::<f64>() / f64::from(setting.trials)] };
                let sign = self.better[number].worse_sign();
                for unit in units {
                    let seed = seeds[all[number].values[side].len()];
                    all[number].values[side].push(LEVEL * (sign * (boot + unit + seed)).exp());
                    all[number].places[side].push(place as f64);
                }
            }
        }
        all
    }

    /// By how much a gate of the candidate is slower, in natural logarithms.
    fn slowdown_ln(&self, slowdown: Slowdown, number: usize) -> f64 {
        let is_decode = matches!(self.gates[number].metric, Metric::DecodeTokS | Metric::TpotP50Ns | Metric::OutputTokS);
        let (is_slower, share) = match slowdown {
            Slowdown::None => (false, 0.0),
            Slowdown::ClosedLoopGate(share) => (number == self.closed_loop_gate, share),
            Slowdown::OpenLoopGate(share) => (number == self.open_loop_gate, share),
            Slowdown::Decode(share) => (is_decode, share),
            Slowdown::All(share) => (true, share),
        };
        if is_slower { share.ln_1p() } else { 0.0 }
    }
}

/// The order of the boots, those of a second look included.
fn order(setting: &Setting, random: &mut SplitMix) -> Vec<Side> {
    let looks = if setting.options.looks == Looks::Two { 2 } else { 1 };
    match setting.order {
        Order::Interleaved => (0..looks).flat_map(|_| abba::order(setting.boots, random.word())).collect(),
        Order::Stored => {
            let boots = (looks * setting.boots) as usize;
            Side::ALL.iter().flat_map(|side| std::iter::repeat_n(*side, boots)).collect()
        }
    }
}

fn workload(gate: &Gate) -> &str {
    gate.cell.split('/').next().unwrap_or_default()
}

/// A draw of about the normal distribution: twelve uniforms, less six, have variance 1. Sums are the same on every machine.
fn normal(random: &mut SplitMix) -> f64 {
    (0..12).map(|_| (random.word() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}
