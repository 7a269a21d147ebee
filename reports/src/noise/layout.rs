//! The values of one metric of one cell, laid out by occasion, boot and trial.

use std::collections::{BTreeMap, BTreeSet};

use record::Metric;

use crate::{figures::RunFigures, figures::TrialFigures, validity::Validity};

/// A trial of one cell: boot, number, and the digest of the request plan.
type Plan<'r> = (u32, u32, &'r str);

/// The logarithms of one cell in one run, by boot.
pub(super) type Boots = Vec<Vec<f64>>;

/// Whether several occasions share their seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seeds {
    /// Every occasion has the same seeds, in the same boots.
    Same,
    /// No two occasions share a seed.
    Different,
    /// Some seeds are shared, others are not.
    Mixed,
}

/// Whether the plans of a cell are the same in all runs.
pub(super) fn seeds(runs: &[RunFigures], cell: &str) -> Seeds {
    let plans: Vec<BTreeSet<Plan<'_>>> = runs.iter().map(|run| of_cell(run, cell).map(plan).collect()).collect();
    if plans.windows(2).all(|pair| pair[0] == pair[1]) {
        return Seeds::Same;
    }
    let digests: Vec<BTreeSet<&str>> = plans.iter().map(|plans| plans.iter().map(|(_, _, digest)| *digest).collect()).collect();
    let all: BTreeSet<&str> = digests.iter().flatten().copied().collect();
    if all.len() == digests.iter().map(BTreeSet::len).sum::<usize>() { Seeds::Different } else { Seeds::Mixed }
}

/// The logarithms of a metric in each run, by boot, from trials that count; with `same_seeds` only of the plans that count in every run, so
/// that the layout is the same in all. None if a value has no logarithm, or where no run defines it.
pub(super) fn logarithms(runs: &[RunFigures], cell: &str, metric: Metric, same_seeds: bool) -> Option<Vec<Boots>> {
    let of_run = |run| -> BTreeMap<Plan<'_>, f64> {
        let counted = of_cell(run, cell).filter(|trial| trial.validity != Validity::Invalid);
        counted.filter_map(|trial| Some((plan(trial), trial.figures.get(&metric)?.ln()))).collect()
    };
    let all: Vec<BTreeMap<Plan<'_>, f64>> = runs.iter().map(of_run).collect();
    let has = |plan: &Plan<'_>| !same_seeds || all.iter().all(|values| values.contains_key(plan));
    let by_boot = |values: &BTreeMap<Plan<'_>, f64>| -> Boots {
        let mut boots: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for (plan, value) in values.iter().filter(|(plan, _)| has(plan)) {
            boots.entry(plan.0).or_default().push(*value);
        }
        boots.into_values().collect()
    };
    let laid_out: Vec<Boots> = all.iter().map(by_boot).collect();
    let is_sound = laid_out.iter().flatten().flatten().all(|value| value.is_finite());
    (is_sound && laid_out.iter().all(|boots| !boots.is_empty())).then_some(laid_out)
}

fn of_cell<'r>(run: &'r RunFigures, cell: &str) -> impl Iterator<Item = &'r TrialFigures> {
    run.trials.iter().filter(move |trial| trial.cell.name() == cell)
}

fn plan(trial: &TrialFigures) -> Plan<'_> {
    (trial.boot, trial.trial, &trial.plan_digest)
}
