//! What is asked of the judge: settings, what is counted in each, and what is required of it.

use crate::{
    judge::Order,
    statistics::verdict::{Multiplicity, Note, Options, Rule, Verdict},
};

use super::{
    Required,
    family::Outcome,
    setting::{Again, Noise, Setting, Slower},
};

/// Scenarios under one heading.
pub(super) struct Group {
    pub(super) heading: &'static str,
    pub(super) scenarios: Vec<Scenario>,
}

/// A setting, and what is counted in it.
pub(super) struct Scenario {
    pub(super) what: &'static str,
    pub(super) setting: Setting,
    pub(super) counted: Vec<(Event, Option<Required>)>,
}

/// What a simulated comparison may come to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A gate cell has that verdict.
    Any(Verdict),
    /// The cell of closed loop that may have changed alone has it.
    One(Verdict),
    /// The same of open loop.
    PairedOne(Verdict),
    /// The cell is regressed, or inconclusive and suspected of it.
    OneFlagged,
    /// The plain rule of drift would refuse a cell.
    AnySeriesDrifts,
}

impl Event {
    /// Whether it came to that.
    pub(super) fn holds(self, outcome: &Outcome) -> bool {
        let one = |place: usize| &outcome.decisions[place];
        match self {
            Self::Any(verdict) => outcome.decisions.iter().any(|one| one.verdict == verdict),
            Self::One(verdict) => one(outcome.one).verdict == verdict,
            Self::PairedOne(verdict) => one(outcome.paired_one).verdict == verdict,
            Self::OneFlagged => {
                let one = one(outcome.one);
                one.verdict == Verdict::Regressed || one.notes.contains(&Note::SuspectedRegression)
            }
            Self::AnySeriesDrifts => outcome.any_series_drifts,
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Any(verdict) => format!("any cell {}", verdict.word()),
            Self::One(verdict) | Self::PairedOne(verdict) => format!("that cell {}", verdict.word()),
            Self::OneFlagged => "that cell regressed or suspected".to_owned(),
            Self::AnySeriesDrifts => "a drift by the plain rule, each cell and side by itself".to_owned(),
        }
    }
}

const FALSE_ALARMS: Option<Required> = Some(Required::AtMost(0.02));
const ANY_REGRESSED: Event = Event::Any(Verdict::Regressed);
const ANY_IMPROVED: Event = Event::Any(Verdict::Improved);
const ANY_REFUSED: Event = Event::Any(Verdict::Refused);
const ONE_REGRESSED: Event = Event::One(Verdict::Regressed);
const PAIRED_REGRESSED: Event = Event::PairedOne(Verdict::Regressed);

fn scenario(what: &'static str, setting: Setting, counted: &[(Event, Option<Required>)]) -> Scenario {
    Scenario { what, setting, counted: counted.to_vec() }
}

fn told(events: &[Event]) -> Vec<(Event, Option<Required>)> {
    events.iter().map(|event| (*event, None)).collect()
}

/// Everything that is asked, in the order of the table.
pub(super) fn all() -> Vec<Group> {
    vec![
        Group { heading: "Nothing changed", scenarios: nothing_changed() },
        Group {
            heading: "One rate or all of decoding is lower, and a boot of one trial has a noise of 2 %",
            scenarios: slower(),
        },
        Group { heading: "One boot per side", scenarios: one_boot() },
        Group { heading: "A stored baseline; occasions differ by 0.7 %", scenarios: stored() },
        Group { heading: "The machine gets slower from boot to boot", scenarios: drifting() },
        Group { heading: "Other defaults", scenarios: other_defaults() },
    ]
}

fn nothing_changed() -> Vec<Scenario> {
    let usual = Setting::USUAL;
    let alarms = [(ANY_REGRESSED, FALSE_ALARMS), (ANY_IMPROVED, None)];
    let told = told(&[ANY_REGRESSED, ANY_IMPROVED]);
    let independent = Setting { noise: Noise::INDEPENDENT, ..usual };
    let louder = Setting { noise: Noise::LOUDER, ..usual };
    let holm = Options { multiplicity: Multiplicity::Holm, ..Options::DEFAULT };
    let strict = Options { rule: Rule::BeyondMargin, ..Options::DEFAULT };
    let mut first = alarms.to_vec();
    first.extend([(Event::One(Verdict::Unchanged), None), (Event::AnySeriesDrifts, None)]);
    vec![
        scenario("interleaved", usual, &first),
        scenario("each cell's boots for themselves", independent, &alarms),
        scenario("a noise of 2 %", louder, &told),
        scenario("interleaved", Setting { boots: 3, ..usual }, &told),
        scenario("interleaved", Setting { boots: 10, ..usual }, &alarms),
        scenario("2 trials per boot", Setting { trials: 2, ..usual }, &alarms),
        scenario("Holm", Setting { options: holm, ..usual }, &alarms),
        scenario("strict", Setting { options: strict, ..usual }, &alarms),
        scenario("two looks", Setting::TWO_LOOKS, &alarms),
        scenario(
            "two looks, each cell's boots for themselves",
            Setting { noise: Noise::INDEPENDENT, ..Setting::TWO_LOOKS },
            &alarms,
        ),
    ]
}

fn slower() -> Vec<Scenario> {
    let one = Setting { noise: Noise::LOUDER, ..Setting::USUAL };
    let two = Setting { noise: Noise::LOUDER, ..Setting::TWO_LOOKS };
    let at = |setting: Setting, slower| Setting { slower, ..setting };
    vec![
        scenario(
            "a rate by 5 %",
            at(one, Slower::One(0.05)),
            &[(ONE_REGRESSED, Some(Required::AtLeast(0.78))), (Event::OneFlagged, None)],
        ),
        scenario("a rate by 5 %, two looks", at(two, Slower::One(0.05)), &[(ONE_REGRESSED, Some(Required::AtLeast(0.95)))]),
        scenario(
            "a cell compared by seed, with a margin of 10 %, by 15 %",
            at(one, Slower::PairedOne(0.15)),
            &told(&[PAIRED_REGRESSED]),
        ),
        scenario("all of decoding by 5 %", at(one, Slower::Decode(0.05)), &told(&[ANY_REGRESSED, ONE_REGRESSED])),
        scenario("a rate by the margin, 3 %", at(one, Slower::One(0.03)), &told(&[ONE_REGRESSED])),
        scenario("a rate by 10 %", at(one, Slower::One(0.10)), &told(&[ONE_REGRESSED])),
    ]
}

fn one_boot() -> Vec<Scenario> {
    let one = Setting { boots: 1, trials: 5, ..Setting::USUAL };
    let never = Some(Required::AtMost(0.0));
    vec![
        scenario("nothing changed, 5 trials", one, &[(ANY_REGRESSED, None), (ANY_IMPROVED, never)]),
        scenario("all faster by 10 %, 5 trials", Setting { slower: Slower::All(-0.10), ..one }, &[(ANY_IMPROVED, never)]),
        scenario("a rate slower by 10 %, 5 trials", Setting { slower: Slower::One(0.10), ..one }, &told(&[ONE_REGRESSED])),
    ]
}

fn stored() -> Vec<Scenario> {
    let one = |setting: Setting| Setting { slower: Slower::One(0.05), ..setting };
    let nothing = told(&[ANY_REGRESSED, ANY_IMPROVED, Event::One(Verdict::Unchanged), ANY_REFUSED]);
    vec![
        scenario("nothing changed, 1 % is assumed", Setting::STORED, &nothing),
        scenario("nothing changed, calibrated", Setting::CALIBRATED, &nothing),
        scenario("a rate by 5 %, 1 % is assumed", one(Setting::STORED), &told(&[ONE_REGRESSED])),
        scenario("a rate by 5 %, calibrated", one(Setting::CALIBRATED), &told(&[ONE_REGRESSED])),
    ]
}

fn drifting() -> Vec<Scenario> {
    let by = |drift, setting: Setting| Setting { drift, ..setting };
    let both = told(&[ANY_REFUSED, ANY_REGRESSED]);
    let interleaved = Setting::USUAL;
    let one = Setting { slower: Slower::One(0.05), ..interleaved };
    let decode = Setting { slower: Slower::Decode(0.05), ..interleaved };
    let stored = Setting { order: Order::Stored, noise: Noise::USUAL, ..Setting::CALIBRATED };
    vec![
        scenario("by 0.5 %, one side after the other", by(0.005, stored), &both),
        scenario("by 1 %, one side after the other", by(0.01, stored), &both),
        scenario("by 2 %, one side after the other", by(0.02, stored), &both),
        scenario("by 0.5 %, interleaved", by(0.005, interleaved), &[(ANY_REGRESSED, None)]),
        scenario("by 1 %, interleaved", by(0.01, interleaved), &[(ANY_REGRESSED, None)]),
        scenario("by 2 %, interleaved", by(0.02, interleaved), &[(ANY_REGRESSED, None)]),
        scenario("by 0.5 %, interleaved, a rate slower by 5 %", by(0.005, one), &told(&[ONE_REGRESSED])),
        scenario("by 0.5 %, interleaved, all of decoding slower by 5 %", by(0.005, decode), &told(&[ANY_REGRESSED])),
        scenario("by 1 %, interleaved, all of decoding slower by 5 %", by(0.01, decode), &told(&[ANY_REGRESSED])),
    ]
}

/// What changes of a default would do to what is required.
fn other_defaults() -> Vec<Scenario> {
    let alarms = [(ANY_REGRESSED, FALSE_ALARMS)];
    let unless_futile = Setting { again: Again::UnlessFutile, ..Setting::TWO_LOOKS };
    let two_trials = Setting { trials: 2, ..Setting::USUAL };
    let q = |q| Options { multiplicity: Multiplicity::BenjaminiHochberg { q }, ..Options::DEFAULT };
    let slower = |setting: Setting| Setting { noise: Noise::LOUDER, slower: Slower::One(0.05), ..setting };
    let once = [(ONE_REGRESSED, Some(Required::AtLeast(0.78)))];
    let twice = [(ONE_REGRESSED, Some(Required::AtLeast(0.95)))];
    vec![
        scenario("nothing changed; two looks, none that is futile", unless_futile, &alarms),
        scenario("a rate by 5 %; two looks, none that is futile", slower(unless_futile), &twice),
        scenario("a rate by 5 %; 2 trials per boot", slower(two_trials), &once),
        scenario("nothing changed; q = 0.20", Setting { options: q(0.20), ..Setting::USUAL }, &alarms),
        scenario("a rate by 5 %; q = 0.20", slower(Setting { options: q(0.20), ..Setting::USUAL }), &once),
    ]
}
