//! The judge's own error rates, by simulation: how often it reports a regression of an engine that did not change (false alarms), and how
//! often it misses a real one.
//!
//! A simulated comparison draws one number per gate cell, side and boot, as a sum of a boot effect, which all of its cells share, a trial
//! effect and, for cells that are compared seed by seed, a seed effect, which both sides share. The judge's own functions decide on these
//! numbers. Everything comes from a seed through sums, so that the table is the same on every machine; a change of any default of the
//! statistics shows in it.

use std::thread;

use record::Gate;
use thiserror::Error;

use crate::statistics::{STATS_VERSION, abba::SplitMix};

mod family;
mod scenarios;
mod setting;

#[cfg(test)]
mod tests;

use family::Family;
use scenarios::{Event, Scenario, ScenarioGroup};

/// The seed of the committed table.
pub const SEED: u64 = 20_261_121;

/// Comparisons that are simulated for a scenario with a required rate.
const COMPARISONS: u32 = 4000;

/// Comparisons that are simulated for a scenario without a required rate.
const INFORMATIVE_COMPARISONS: u32 = 1000;

/// Events among the first so many comparisons of each scenario are counted separately, so that a test can repeat them in seconds.
pub const FIRST_COMPARISONS: u32 = 60;

/// The normal quantile of a two-sided 95 % interval.
const Z95: f64 = 1.959_963_984_540_054;

/// Error rates, by scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatingCharacteristics {
    seed: u64,
    gates: usize,
    groups: Vec<(&'static str, Vec<Rate>)>,
}

/// How often an event occurred in the simulated comparisons of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// The scenario and the event that was counted.
    pub scenario: String,
    pub boots: u32,
    /// Comparisons in which the event occurred.
    pub count: u32,
    /// Comparisons that were simulated.
    pub of: u32,
    /// Occurrences among the first [`FIRST_COMPARISONS`].
    pub of_first: u32,
    pub requirement: Option<Requirement>,
}

/// A bound that a rate must keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Requirement {
    AtMost(f64),
    AtLeast(f64),
}

/// The gates lack a cell that the scenarios change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the simulation needs a gate on a rate of a closed loop and one on an open loop: take those of profile standard")]
pub struct MissingGateError;

impl Rate {
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.count) / f64::from(self.of)
    }

    /// The 95 % interval of the share (Wilson, *Probable inference, the law of succession, and statistical inference*, 1927).
    #[must_use]
    pub fn interval(&self) -> [f64; 2] {
        let (n, z2) = (f64::from(self.of), Z95 * Z95);
        let middle = (self.share() + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z95 / (1.0 + z2 / n) * (self.share() * (1.0 - self.share()) / n + z2 / (4.0 * n * n)).sqrt();
        [(middle - half).max(0.0), (middle + half).min(1.0)]
    }

    /// Whether the rate keeps its requirement, if it has one.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self.requirement {
            None => true,
            Some(Requirement::AtMost(most)) => self.share() <= most,
            Some(Requirement::AtLeast(least)) => self.share() >= least,
        }
    }

    fn row(&self) -> String {
        let [low, high] = self.interval().map(percent);
        let (share, requirement) = (percent(self.share()), self.requirement_words());
        format!("| {} | {} | {share} | {low} to {high} | {requirement} |\n", self.scenario, self.boots)
    }

    fn requirement_words(&self) -> String {
        let words = match self.requirement {
            None => return "-".to_owned(),
            Some(Requirement::AtMost(0.0)) => "never".to_owned(),
            Some(Requirement::AtMost(most)) => format!("at most {}", percent(most)),
            Some(Requirement::AtLeast(least)) => format!("at least {}", percent(least)),
        };
        if self.is_met() { words } else { format!("{words}: **missed**") }
    }
}

/// Simulates every scenario with these gates, each with at most so many comparisons. The same seed gives the same counts, however many
/// threads there are.
pub fn characteristics(gates: &[Gate], seed: u64, most: u32) -> Result<OperatingCharacteristics, MissingGateError> {
    let family = Family::of(gates).ok_or(MissingGateError)?;
    let groups = scenarios::all();
    let scenarios: Vec<&Scenario> = groups.iter().flat_map(|group| &group.scenarios).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<Vec<Rate>> = vec![Vec::new(); scenarios.len()];
    thread::scope(|scope| {
        let start = |worker: usize| {
            let own = scenarios.iter().enumerate().skip(worker).step_by(threads);
            let family = &family;
            scope.spawn(move || own.map(|(place, scenario)| (place, rates(family, scenario, seed, most))).collect::<Vec<_>>())
        };
        let workers: Vec<_> = (0..threads).map(start).collect();
        for worker in workers {
            for (place, rates) in worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                all[place] = rates;
            }
        }
    });
    let mut all = all.into_iter();
    let of_group = |group: &ScenarioGroup| (group.heading, all.by_ref().take(group.scenarios.len()).flatten().collect());
    Ok(OperatingCharacteristics { seed, gates: gates.len(), groups: groups.iter().map(of_group).collect() })
}

/// How often each event of a scenario comes about. Comparison k of every scenario draws from the same seed.
fn rates(family: &Family, scenario: &Scenario, seed: u64, most: u32) -> Vec<Rate> {
    let of = most.min(if scenario.counted.iter().any(|(_, requirement)| requirement.is_some()) {
        COMPARISONS
    } else {
        INFORMATIVE_COMPARISONS
    });
    let blank = |(event, requirement): &(Event, Option<Requirement>)| Rate {
        scenario: format!("{}: {}", scenario.name, event.words()),
        boots: scenario.setting.boots,
        count: 0,
        of,
        of_first: 0,
        requirement: *requirement,
    };
    let mut rates: Vec<Rate> = scenario.counted.iter().map(blank).collect();
    for number in 0..of {
        let start = SplitMix(seed.wrapping_add(u64::from(number))).word();
        let outcome = family.simulate(&scenario.setting, &mut SplitMix(start));
        for ((event, _), rate) in scenario.counted.iter().zip(&mut rates) {
            let holds = u32::from(event.holds(&outcome));
            rate.count += holds;
            rate.of_first += if number < FIRST_COMPARISONS { holds } else { 0 };
        }
    }
    rates
}

impl OperatingCharacteristics {
    pub fn rates(&self) -> impl Iterator<Item = &Rate> {
        self.groups.iter().flat_map(|(_, rates)| rates)
    }

    /// The rates that violate their requirement.
    pub fn missed(&self) -> impl Iterator<Item = &Rate> {
        self.rates().filter(|rate| !rate.is_met())
    }

    /// The counts among the first [`FIRST_COMPARISONS`] comparisons of each scenario, on one line.
    #[must_use]
    pub fn first_counts(&self) -> String {
        self.rates().map(|rate| rate.of_first.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[must_use]
    pub fn markdown(&self) -> String {
        let Self { seed, gates, .. } = self;
        let mut page = format!(
            "# How often the judge is wrong\n\n\
             Simulated, not measured: {gates} gate cells, seed {seed}, statistics version {STATS_VERSION}; {COMPARISONS} comparisons for a \
             scenario in\nwhich something is required, {INFORMATIVE_COMPARISONS} for the others. `cargo xtask calibrate --simulate` writes this page \
             anew.\n\n\
             Unless a line says otherwise there are 5 interleaved boots per side with one trial of each cell; boots differ by 1 % in all \
             their\ncells alike and trials by 1.5 %, so that the number of a boot has a noise of 1.8 %; options are the defaults. Boots are \
             per side,\nwith two looks those of the first. Intervals are Wilson's.\n"
        );
        for (heading, rates) in &self.groups {
            page.extend(["\n## ", heading, "\n\n| scenario | boots | rate | 95 % interval | required |\n"]);
            page.push_str("| --- | ---: | ---: | ---: | --- |\n");
            page.extend(rates.iter().map(Rate::row));
        }
        let first = self.first_counts();
        page + &format!("\nAmong the first {FIRST_COMPARISONS} comparisons of each scenario, which a test repeats:\n{first}\n")
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
