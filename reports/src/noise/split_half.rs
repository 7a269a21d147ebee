//! Compares an engine with itself: splits the boots of a calibration into two halves, which must not differ.

use record::{Gate, Metric};

use super::layout::logarithms;
use crate::{
    figures::RunFigures,
    metric::info,
    statistics::{
        comparison::{Design, compare},
        moments,
        verdict::{ALPHA, Cell, Options, Verdict, decide},
    },
};

/// How often one half regressed against the other, though both are of one engine.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitHalf {
    /// Comparisons: each gate cell twice, with either half as the candidate.
    pub comparisons: usize,
    /// Cells that regressed in one of the comparisons.
    pub regressed: Vec<(String, Metric)>,
    /// The number of regressions that chance may give: the 95 % quantile of so many comparisons at the judge's alpha, as if they were independent.
    pub most: usize,
}

impl SplitHalf {
    /// Whether there are no more regressions than chance may give.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.regressed.len() <= self.most
    }
}

/// Splits the boots of all runs, in the order of time, into halves by A B B A, so that occasions and a straight drift fall on both, and
/// judges each half against the other with the judge's default options. A boot is one value. None where a half has fewer than three boots
/// in every cell.
#[must_use]
pub fn split_half(runs: &[RunFigures]) -> Option<SplitHalf> {
    let mut gates: Vec<&Gate> = Vec::new();
    for gate in runs.iter().flat_map(|run| &run.header.gates) {
        if !gates.iter().any(|other| other.cell == gate.cell && other.metric == gate.metric) {
            gates.push(gate);
        }
    }
    let mut found = SplitHalf { comparisons: 0, regressed: Vec::new(), most: 0 };
    for swapped in [false, true] {
        let (named, cells): (Vec<&Gate>, Vec<Cell>) =
            gates.iter().filter_map(|gate| Some((*gate, compare_halves(runs, gate, swapped)?))).unzip();
        found.comparisons += cells.iter().filter(|cell| cell.outcome.is_ok()).count();
        for (gate, decision) in named.into_iter().zip(decide(&cells, &Options::DEFAULT)) {
            if decision.verdict == Verdict::Regressed {
                found.regressed.push((gate.cell.clone(), gate.metric));
            }
        }
    }
    found.most = most_by_chance(found.comparisons, ALPHA);
    (found.comparisons > 0).then_some(found)
}

/// The comparison of the halves in one gate cell; none without values or for a metric without a better direction.
fn compare_halves(runs: &[RunFigures], gate: &Gate, swapped: bool) -> Option<Cell> {
    let occasions = logarithms(runs, &gate.cell, gate.metric, false)?;
    let mut halves = [Vec::new(), Vec::new()];
    for (place, boot) in occasions.iter().flatten().enumerate() {
        let half = usize::from(place % 4 == 1 || place % 4 == 2);
        halves[half].push(moments::mean(boot)?.exp());
    }
    let [one, other] = halves;
    let (baseline, candidate) = if swapped { (other, one) } else { (one, other) };
    // Seeds differ between the halves, so that there are no pairs.
    let outcome = compare(&baseline, &candidate, Design::new(info(gate.metric).better?));
    Some(Cell { outcome, margin: gate.margin, gate: true, fails_more: false })
}

/// The fewest k with `P(X <= k) >= 0.95` for X binomial.
fn most_by_chance(n: usize, p: f64) -> usize {
    let mut term = (1.0 - p).powf(n as f64);
    let mut below = term;
    let mut k = 0;
    while below < 0.95 && k < n {
        term *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
        k += 1;
        below += term;
    }
    k
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regressions_by_chance_are_the_binomial_quantile() {
        // scipy.stats.binom.ppf(0.95, n, 0.05)
        for (n, expected) in [(0, 0), (1, 0), (2, 1), (18, 3), (36, 4), (100, 9)] {
            assert_eq!(most_by_chance(n, 0.05), expected, "{n}");
        }
    }
}
