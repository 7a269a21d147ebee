//! The scenarios that are simulated: settings, the events counted in each, and the rates required of the judge.

use crate::{
    judge::Order,
    statistics::verdict::{Multiplicity, Note, Options, Rule, Verdict},
};

use super::{
    Requirement,
    family::Outcome,
    setting::{Noise, SecondLook, Setting, Slowdown},
};

/// Scenarios under one heading.
pub(super) struct ScenarioGroup {
    pub(super) heading: &'static str,
    pub(super) scenarios: Vec<Scenario>,
}

/// A setting and the events that are counted in it.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) setting: Setting,
    pub(super) counted: Vec<(Event, Option<Requirement>)>,
}

/// An outcome of a simulated comparison that is counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A gate cell has that verdict.
    AnyGate(Verdict),
    /// The closed-loop gate that may change alone has that verdict.
    ClosedLoopGate(Verdict),
    /// The open-loop gate that may change alone has that verdict.
    OpenLoopGate(Verdict),
    /// The closed-loop gate is regressed, or inconclusive with a suspected regression.
    ClosedLoopGateFlagged,
    /// The plain drift rule, applied to each cell and side, would refuse a cell.
    AnySeriesDrifts,
}

impl Event {
    pub(super) fn holds(self, outcome: &Outcome) -> bool {
        let decision_of = |place: usize| &outcome.decisions[place];
        match self {
            Self::AnyGate(verdict) => outcome.decisions.iter().any(|decision| decision.verdict == verdict),
            Self::ClosedLoopGate(verdict) => decision_of(outcome.closed_loop_gate).verdict == verdict,
            Self::OpenLoopGate(verdict) => decision_of(outcome.open_loop_gate).verdict == verdict,
            Self::ClosedLoopGateFlagged => {
                let decision = decision_of(outcome.closed_loop_gate);
                decision.verdict == Verdict::Regressed || decision.notes.contains(&Note::SuspectedRegression)
            }
            Self::AnySeriesDrifts => outcome.any_series_drifts,
        }
    }

    /// The event in words, as the table shows it.
    pub(super) fn words(self) -> String {
        match self {
            Self::AnyGate(verdict) => format!("any cell {}", verdict.word()),
            Self::ClosedLoopGate(verdict) | Self::OpenLoopGate(verdict) => format!("that cell {}", verdict.word()),
            Self::ClosedLoopGateFlagged => "that cell regressed or suspected".to_owned(),
            Self::AnySeriesDrifts => "a drift by the plain rule, each cell and side by itself".to_owned(),
        }
    }
}

const FALSE_ALARMS: Option<Requirement> = Some(Requirement::AtMost(0.02));
const ANY_REGRESSED: Event = Event::AnyGate(Verdict::Regressed);
const ANY_IMPROVED: Event = Event::AnyGate(Verdict::Improved);
const ANY_REFUSED: Event = Event::AnyGate(Verdict::Refused);
const CLOSED_LOOP_REGRESSED: Event = Event::ClosedLoopGate(Verdict::Regressed);
const OPEN_LOOP_REGRESSED: Event = Event::OpenLoopGate(Verdict::Regressed);

fn scenario(name: &'static str, setting: Setting, counted: &[(Event, Option<Requirement>)]) -> Scenario {
    Scenario { name, setting, counted: counted.to_vec() }
}

fn informative(events: &[Event]) -> Vec<(Event, Option<Requirement>)> {
    events.iter().map(|event| (*event, None)).collect()
}

/// All scenarios, in the order of the table.
pub(super) fn all() -> Vec<ScenarioGroup> {
    vec![
        ScenarioGroup { heading: "Nothing changed", scenarios: nothing_changed() },
        ScenarioGroup {
            heading: "One rate or all of decoding is lower, and a boot of one trial has a noise of 2 %",
            scenarios: slower(),
        },
        ScenarioGroup { heading: "One boot per side", scenarios: one_boot() },
        ScenarioGroup { heading: "A stored baseline; occasions differ by 0.7 %", scenarios: stored() },
        ScenarioGroup { heading: "The machine gets slower from boot to boot", scenarios: drifting() },
        ScenarioGroup { heading: "Other defaults", scenarios: other_defaults() },
    ]
}

fn nothing_changed() -> Vec<Scenario> {
    let usual = Setting::USUAL;
    let alarms = [(ANY_REGRESSED, FALSE_ALARMS), (ANY_IMPROVED, None)];
    let both = informative(&[ANY_REGRESSED, ANY_IMPROVED]);
    let independent = Setting { noise: Noise::INDEPENDENT, ..usual };
    let louder = Setting { noise: Noise::LOUDER, ..usual };
    let holm = Options { multiplicity: Multiplicity::Holm, ..Options::DEFAULT };
    let strict = Options { rule: Rule::BeyondMargin, ..Options::DEFAULT };
    let mut first = alarms.to_vec();
    first.extend([(Event::ClosedLoopGate(Verdict::Unchanged), None), (Event::AnySeriesDrifts, None)]);
    vec![
        scenario("interleaved", usual, &first),
        scenario("each cell's boots for themselves", independent, &alarms),
        scenario("a noise of 2 %", louder, &both),
        scenario("interleaved", Setting { boots: 3, ..usual }, &both),
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
    let one_look = Setting { noise: Noise::LOUDER, ..Setting::USUAL };
    let two_looks = Setting { noise: Noise::LOUDER, ..Setting::TWO_LOOKS };
    let at = |setting: Setting, slowdown| Setting { slowdown, ..setting };
    vec![
        scenario(
            "a rate by 5 %",
            at(one_look, Slowdown::ClosedLoopGate(0.05)),
            &[(CLOSED_LOOP_REGRESSED, Some(Requirement::AtLeast(0.78))), (Event::ClosedLoopGateFlagged, None)],
        ),
        scenario(
            "a rate by 5 %, two looks",
            at(two_looks, Slowdown::ClosedLoopGate(0.05)),
            &[(CLOSED_LOOP_REGRESSED, Some(Requirement::AtLeast(0.95)))],
        ),
        scenario(
            "a cell compared by seed, with a margin of 10 %, by 15 %",
            at(one_look, Slowdown::OpenLoopGate(0.15)),
            &informative(&[OPEN_LOOP_REGRESSED]),
        ),
        scenario(
            "all of decoding by 5 %",
            at(one_look, Slowdown::Decode(0.05)),
            &informative(&[ANY_REGRESSED, CLOSED_LOOP_REGRESSED]),
        ),
        scenario(
            "a rate by the margin, 3 %",
            at(one_look, Slowdown::ClosedLoopGate(0.03)),
            &informative(&[CLOSED_LOOP_REGRESSED]),
        ),
        scenario("a rate by 10 %", at(one_look, Slowdown::ClosedLoopGate(0.10)), &informative(&[CLOSED_LOOP_REGRESSED])),
    ]
}

fn one_boot() -> Vec<Scenario> {
    let setting = Setting { boots: 1, trials: 5, ..Setting::USUAL };
    let never = Some(Requirement::AtMost(0.0));
    vec![
        scenario("nothing changed, 5 trials", setting, &[(ANY_REGRESSED, None), (ANY_IMPROVED, never)]),
        scenario("all faster by 10 %, 5 trials", Setting { slowdown: Slowdown::All(-0.10), ..setting }, &[(ANY_IMPROVED, never)]),
        scenario(
            "a rate slower by 10 %, 5 trials",
            Setting { slowdown: Slowdown::ClosedLoopGate(0.10), ..setting },
            &informative(&[CLOSED_LOOP_REGRESSED]),
        ),
    ]
}

fn stored() -> Vec<Scenario> {
    let slower = |setting: Setting| Setting { slowdown: Slowdown::ClosedLoopGate(0.05), ..setting };
    let nothing = informative(&[ANY_REGRESSED, ANY_IMPROVED, Event::ClosedLoopGate(Verdict::Unchanged), ANY_REFUSED]);
    vec![
        scenario("nothing changed, 1 % is assumed", Setting::STORED, &nothing),
        scenario("nothing changed, calibrated", Setting::CALIBRATED, &nothing),
        scenario("a rate by 5 %, 1 % is assumed", slower(Setting::STORED), &informative(&[CLOSED_LOOP_REGRESSED])),
        scenario("a rate by 5 %, calibrated", slower(Setting::CALIBRATED), &informative(&[CLOSED_LOOP_REGRESSED])),
    ]
}

fn drifting() -> Vec<Scenario> {
    let by = |drift, setting: Setting| Setting { drift, ..setting };
    let both = informative(&[ANY_REFUSED, ANY_REGRESSED]);
    let interleaved = Setting::USUAL;
    let slower = Setting { slowdown: Slowdown::ClosedLoopGate(0.05), ..interleaved };
    let decode = Setting { slowdown: Slowdown::Decode(0.05), ..interleaved };
    let stored = Setting { order: Order::Stored, noise: Noise::USUAL, ..Setting::CALIBRATED };
    vec![
        scenario("by 0.5 %, one side after the other", by(0.005, stored), &both),
        scenario("by 1 %, one side after the other", by(0.01, stored), &both),
        scenario("by 2 %, one side after the other", by(0.02, stored), &both),
        scenario("by 0.5 %, interleaved", by(0.005, interleaved), &[(ANY_REGRESSED, None)]),
        scenario("by 1 %, interleaved", by(0.01, interleaved), &[(ANY_REGRESSED, None)]),
        scenario("by 2 %, interleaved", by(0.02, interleaved), &[(ANY_REGRESSED, None)]),
        scenario("by 0.5 %, interleaved, a rate slower by 5 %", by(0.005, slower), &informative(&[CLOSED_LOOP_REGRESSED])),
        scenario("by 0.5 %, interleaved, all of decoding slower by 5 %", by(0.005, decode), &informative(&[ANY_REGRESSED])),
        scenario("by 1 %, interleaved, all of decoding slower by 5 %", by(0.01, decode), &informative(&[ANY_REGRESSED])),
    ]
}

/// How other defaults would change the required rates.
fn other_defaults() -> Vec<Scenario> {
    let alarms = [(ANY_REGRESSED, FALSE_ALARMS)];
    let unless_futile = Setting { second_look: SecondLook::Feasible, ..Setting::TWO_LOOKS };
    let two_trials = Setting { trials: 2, ..Setting::USUAL };
    let q = |q| Options { multiplicity: Multiplicity::BenjaminiHochberg { q }, ..Options::DEFAULT };
    let slower = |setting: Setting| Setting { noise: Noise::LOUDER, slowdown: Slowdown::ClosedLoopGate(0.05), ..setting };
    let once = [(CLOSED_LOOP_REGRESSED, Some(Requirement::AtLeast(0.78)))];
    let twice = [(CLOSED_LOOP_REGRESSED, Some(Requirement::AtLeast(0.95)))];
    vec![
        scenario("nothing changed; two looks, none that is futile", unless_futile, &alarms),
        scenario("a rate by 5 %; two looks, none that is futile", slower(unless_futile), &twice),
        scenario("a rate by 5 %; 2 trials per boot", slower(two_trials), &once),
        scenario("nothing changed; q = 0.20", Setting { options: q(0.20), ..Setting::USUAL }, &alarms),
        scenario("a rate by 5 %; q = 0.20", slower(Setting { options: q(0.20), ..Setting::USUAL }), &once),
    ]
}
