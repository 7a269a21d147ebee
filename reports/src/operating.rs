//! The judge's own error rates, by simulation: how often it blames an engine that did not change, and how often it misses one that did.
//!
//! A simulated comparison draws one number per gate cell, side and boot: what the boot was like, in all of its cells alike, what the trial
//! was like, and for cells that are compared seed by seed what their seed was like, on both sides alike. Then the judge's own functions
//! decide. Everything comes from a seed through sums, so that the table is the same on every machine; a change of any default of the
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
use scenarios::{Event, Group, Scenario};

/// The seed of the committed table.
pub const SEED: u64 = 20_261_121;

/// Comparisons that are simulated for a scenario in which something is required.
const COMPARISONS: u32 = 4000;

/// And for one that only tells.
const COMPARISONS_TOLD: u32 = 1000;

/// So many of each scenario are counted for themselves, so that a test can repeat them in seconds.
pub const FIRST: u32 = 60;

/// The normal quantile of a two-sided 95 % interval.
const Z95: f64 = 1.959_963_984_540_054;

/// Error rates, by scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatingCharacteristics {
    seed: u64,
    gates: usize,
    groups: Vec<(&'static str, Vec<Rate>)>,
}

/// How often a simulated comparison came to something.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// What was simulated, and what was counted.
    pub scenario: String,
    /// Boots per side.
    pub boots: u32,
    /// How many of the comparisons came to it.
    pub count: u32,
    /// Of how many.
    pub of: u32,
    /// How many of the first [`FIRST`].
    pub of_first: u32,
    /// What is asked of the rate, if anything.
    pub required: Option<Required>,
}

/// What is asked of a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Required {
    /// It is not above this share.
    AtMost(f64),
    /// It is not below this share.
    AtLeast(f64),
}

/// The gates have no cell that a scenario could change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the simulation needs a gate on a rate of a closed loop and one on an open loop: take those of profile standard")]
pub struct NoSuchGate;

impl Rate {
    /// As a share.
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

    /// Whether it is what is required of it.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self.required {
            None => true,
            Some(Required::AtMost(most)) => self.share() <= most,
            Some(Required::AtLeast(least)) => self.share() >= least,
        }
    }

    fn row(&self) -> String {
        let [low, high] = self.interval().map(percent);
        let (share, required) = (percent(self.share()), self.required_words());
        format!("| {} | {} | {share} | {low} to {high} | {required} |\n", self.scenario, self.boots)
    }

    fn required_words(&self) -> String {
        let words = match self.required {
            None => return "-".to_owned(),
            Some(Required::AtMost(0.0)) => "never".to_owned(),
            Some(Required::AtMost(most)) => format!("at most {}", percent(most)),
            Some(Required::AtLeast(least)) => format!("at least {}", percent(least)),
        };
        if self.is_met() { words } else { format!("{words}: **missed**") }
    }
}

/// Simulates every scenario with these gates, each with at most so many comparisons. The same seed gives the same counts, however many
/// threads there are.
pub fn characteristics(gates: &[Gate], seed: u64, most: u32) -> Result<OperatingCharacteristics, NoSuchGate> {
    let family = Family::of(gates).ok_or(NoSuchGate)?;
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
    let of_group = |group: &Group| (group.heading, all.by_ref().take(group.scenarios.len()).flatten().collect());
    Ok(OperatingCharacteristics { seed, gates: gates.len(), groups: groups.iter().map(of_group).collect() })
}

/// How often each event of a scenario comes about. Comparison k of every scenario draws from the same seed.
fn rates(family: &Family, scenario: &Scenario, seed: u64, most: u32) -> Vec<Rate> {
    let of =
        most.min(if scenario.counted.iter().any(|(_, required)| required.is_some()) { COMPARISONS } else { COMPARISONS_TOLD });
    let blank = |(event, required): &(Event, Option<Required>)| Rate {
        scenario: format!("{}: {}", scenario.what, event.words()),
        boots: scenario.setting.boots,
        count: 0,
        of,
        of_first: 0,
        required: *required,
    };
    let mut rates: Vec<Rate> = scenario.counted.iter().map(blank).collect();
    for number in 0..of {
        let start = SplitMix(seed.wrapping_add(u64::from(number))).word();
        let outcome = family.judged(&scenario.setting, &mut SplitMix(start));
        for ((event, _), rate) in scenario.counted.iter().zip(&mut rates) {
            let holds = u32::from(event.holds(&outcome));
            rate.count += holds;
            rate.of_first += if number < FIRST { holds } else { 0 };
        }
    }
    rates
}

impl OperatingCharacteristics {
    /// All rates.
    pub fn rates(&self) -> impl Iterator<Item = &Rate> {
        self.groups.iter().flat_map(|(_, rates)| rates)
    }

    /// Those that are not what is required.
    pub fn missed(&self) -> impl Iterator<Item = &Rate> {
        self.rates().filter(|rate| !rate.is_met())
    }

    /// The counts among the first [`FIRST`] comparisons of each scenario, on one line.
    #[must_use]
    pub fn first_counts(&self) -> String {
        self.rates().map(|rate| rate.of_first.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// As a page of tables.
    #[must_use]
    pub fn markdown(&self) -> String {
        let Self { seed, gates, .. } = self;
        let mut page = format!(
            "# How often the judge is wrong\n\n\
             Simulated, not measured: {gates} gate cells, seed {seed}, statistics version {STATS_VERSION}; {COMPARISONS} comparisons for a \
             scenario in\nwhich something is required, {COMPARISONS_TOLD} for the others. `cargo xtask calibrate --simulate` writes this page \
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
        page + &format!("\nAmong the first {FIRST} comparisons of each scenario, which a test repeats:\n{first}\n")
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
