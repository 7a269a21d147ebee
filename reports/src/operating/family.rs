//! One simulated comparison: the values of every gate cell on both sides, judged as those of a real one are.

use record::{Gate, Metric, Side};

use super::setting::{Again, Setting, Slower};
use crate::{
    judge::{Order, Prepared, decide_after_drift},
    metric::info,
    statistics::{
        abba::{self, SplitMix},
        comparison::{Better, Component, Design, Pairing},
        drift::Drift,
        verdict::{Decision, Looks, Verdict},
    },
};

/// What every figure is drawn around, in any unit.
const LEVEL: f64 = 100.0;

/// The gates that are simulated, and which of them may change alone.
#[derive(Debug, Clone)]
pub(super) struct Family {
    gates: Vec<Gate>,
    /// Which way each is better.
    better: Vec<Better>,
    one: usize,
    paired_one: usize,
}

/// What became of a simulated comparison.
pub(super) struct Outcome {
    /// One per gate cell.
    pub(super) decisions: Vec<Decision>,
    /// The cell of closed loop that may have changed alone.
    pub(super) one: usize,
    /// The same of open loop.
    pub(super) paired_one: usize,
    /// Whether the plain rule of drift, put to each cell and side by itself, would refuse any of them.
    pub(super) any_series_drifts: bool,
}

/// The values of one cell, one per boot in the order in which they were made, and the places of the boots in time.
#[derive(Clone, Default)]
struct Measured {
    values: [Vec<f64>; 2],
    places: [Vec<f64>; 2],
}

impl Measured {
    /// Whether a slope is beyond chance in the first so many values of a side, by the plain rule.
    fn drifts(&self, units: usize, margin: f64) -> bool {
        self.values.iter().any(|values| Drift::of(&values[..units]).is_some_and(|drift| drift.matters(margin)))
    }
}

impl Family {
    /// The family of those gates; none unless it has a rate of closed loop and a cell that is paired, and
    /// each has a better way.
    pub(super) fn of(gates: &[Gate]) -> Option<Self> {
        let better: Vec<Better> = gates.iter().map(|gate| info(gate.metric).better).collect::<Option<_>>()?;
        let one = gates.iter().zip(&better).position(|(gate, better)| *better == Better::Higher && !gate.paired_by_seed)?;
        let paired_one = gates.iter().position(|gate| gate.paired_by_seed)?;
        Some(Self { gates: gates.to_vec(), better, one, paired_one })
    }

    /// Measures and judges once.
    pub(super) fn judged(&self, setting: &Setting, chance: &mut SplitMix) -> Outcome {
        let measured = self.measured(setting, chance);
        let units = if setting.boots == 1 { setting.trials } else { setting.boots } as usize;
        let mut prepared = self.prepared(setting, &measured, |_| units);
        let any_series_drifts = measured.iter().zip(&self.gates).any(|(one, gate)| one.drifts(units, gate.margin));
        let (_, mut decisions) = decide_after_drift(&mut prepared, setting.order, &setting.options);
        if setting.options.looks == Looks::Two {
            let again = self.again(setting, &prepared, &decisions);
            if !again.is_empty() {
                let units = |gate: &Gate| if again.contains(&workload(gate)) { 2 * units } else { units };
                let mut prepared = self.prepared(setting, &measured, units);
                (_, decisions) = decide_after_drift(&mut prepared, setting.order, &setting.options);
            }
        }
        Outcome { decisions, one: self.one, paired_one: self.paired_one, any_series_drifts }
    }

    /// The workloads that have a second look: those with a gate cell of which nothing can be said yet and could be. A regression at the
    /// first look ends it.
    fn again(&self, setting: &Setting, prepared: &[Prepared], decisions: &[Decision]) -> Vec<&str> {
        if decisions.iter().any(|one| one.verdict == Verdict::Regressed) {
            return Vec::new();
        }
        let alpha = setting.options.looks.alpha();
        let cells = self.gates.iter().zip(prepared).zip(decisions);
        let open = cells.filter(|((gate, one), decision)| {
            let is_worse = one.cell.outcome.as_ref().is_ok_and(|one| one.seems_worse(gate.margin, alpha));
            let is_suspected = setting.again == Again::AndSuspected && is_worse;
            let is_futile = || one.cell.outcome.as_ref().map_or(true, |one| one.noise.is_futile(gate.margin, alpha));
            decision.verdict == Verdict::Inconclusive && (is_suspected || !is_futile())
        });
        open.map(|((gate, _), _)| workload(gate)).collect()
    }

    /// The rows of the comparison, each with the first so many units of its cell.
    fn prepared(&self, setting: &Setting, measured: &[Measured], units: impl Fn(&Gate) -> usize) -> Vec<Prepared> {
        let one = |((gate, &better), measured): ((&Gate, &Better), &Measured)| {
            let taken = |all: &[Vec<f64>; 2]| [0, 1].map(|side: usize| all[side][..units(gate)].to_vec());
            let design = Design {
                better,
                pairing: if gate.paired_by_seed { Pairing::BySeed } else { Pairing::Unpaired },
                occasion: (setting.order == Order::Stored).then_some(setting.occasion),
                boot: (setting.boots == 1).then_some(Component::ASSUMED),
            };
            Prepared::of_values(gate, taken(&measured.values), taken(&measured.places), design)
        };
        self.gates.iter().zip(&self.better).zip(measured).map(one).collect()
    }

    /// Draws the values of all cells.
    fn measured(&self, setting: &Setting, chance: &mut SplitMix) -> Vec<Measured> {
        let noise = setting.noise;
        let occasions = match setting.order {
            Order::Stored => [noise.occasion * normal(chance), noise.occasion * normal(chance)],
            Order::Interleaved => [0.0; 2],
        };
        let order = order(setting, chance);
        let units = order.len() * setting.trials as usize;
        let seed_of = |gate: &Gate| if gate.paired_by_seed { noise.seed } else { 0.0 };
        let seeds: Vec<Vec<f64>> =
            self.gates.iter().map(|gate| (0..units).map(|_| seed_of(gate) * normal(chance)).collect()).collect();
        let mut all = vec![Measured::default(); self.gates.len()];
        for (place, &side) in order.iter().enumerate() {
            let side = usize::from(side == Side::Candidate);
            let common = occasions[side] + setting.drift * place as f64;
            let shared = normal(chance);
            for (number, seeds) in seeds.iter().enumerate() {
                let own = if noise.boot_is_shared { shared } else { normal(chance) };
                let slower = if side == 1 { self.slower(setting.slower, number) } else { 0.0 };
                let boot = common + noise.boot * own + slower;
                let trials = (0..setting.trials).map(|_| noise.trial * normal(chance));
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

    /// By how much a cell of the candidate is slower, in natural logarithms.
    fn slower(&self, slower: Slower, number: usize) -> f64 {
        let is_decode = matches!(self.gates[number].metric, Metric::DecodeTokS | Metric::TpotP50Ns | Metric::OutputTokS);
        let (is_it, share) = match slower {
            Slower::Nothing => (false, 0.0),
            Slower::One(share) => (number == self.one, share),
            Slower::PairedOne(share) => (number == self.paired_one, share),
            Slower::Decode(share) => (is_decode, share),
            Slower::All(share) => (true, share),
        };
        if is_it { share.ln_1p() } else { 0.0 }
    }
}

/// In which order boots are made, those of a second look included.
fn order(setting: &Setting, chance: &mut SplitMix) -> Vec<Side> {
    let looks = if setting.options.looks == Looks::Two { 2 } else { 1 };
    match setting.order {
        Order::Interleaved => (0..looks).flat_map(|_| abba::order(setting.boots, chance.word())).collect(),
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
fn normal(chance: &mut SplitMix) -> f64 {
    (0..12).map(|_| (chance.word() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}
