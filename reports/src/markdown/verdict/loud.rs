//! What must be known before any verdict is read.

use record::{Launch, Profile};

use super::{
    super::{
        front_matter::{SMOKE, not_pinned},
        plural,
    },
    extent::Extent,
};
use crate::{
    judge::{NoiseSource, Order, Ruling, SideSummary},
    number::{chosen, probability, spread},
    statistics::comparison::Component,
};

/// One line for each thing that a reader must not miss.
pub(super) fn lines(ruling: &Ruling, extent: &Extent) -> Vec<String> {
    let parties = [("baseline", &ruling.baseline), ("candidate", &ruling.candidate)];
    let mut lines = refusals(ruling, extent);
    lines.extend(simulated(parties));
    lines.extend(profiles(parties));
    lines.extend(parties.into_iter().filter_map(|(side, party)| unpinned(side, party, extent)));
    lines.extend(parties.into_iter().filter_map(|(side, party)| invalid(side, party)));
    // How something was judged says nothing where nothing was.
    if ruling.refusals.is_empty() {
        lines.extend(expired(ruling, extent));
        lines.extend(noise(ruling));
        lines.extend(looks(ruling));
        lines.extend(drift(ruling));
        if ruling.gate_rows().next().is_none() {
            lines.push("Nothing was judged: there is no gate cell.".to_owned());
        }
    }
    lines
}

fn refusals(ruling: &Ruling, extent: &Extent) -> Vec<String> {
    let mut lines: Vec<String> =
        ruling.refusals.iter().take(extent.entries).map(|why| format!("Not compared: {}", extent.sentence(why))).collect();
    let more = ruling.refusals.len() - lines.len();
    if more > 0 {
        lines.push(format!("Not compared: {} more", plural(more, "reason")));
    }
    lines
}

fn simulated(parties: [(&str, &SideSummary); 2]) -> Option<String> {
    let sides: Vec<&str> = parties.iter().filter(|(_, party)| party.launch == Launch::Simulated).map(|(side, _)| *side).collect();
    match sides[..] {
        [] => None,
        [side] => {
            Some(format!("Simulated: the engine of the {side} was a model in virtual time; its figures measure no hardware."))
        }
        _ => Some("Simulated: the engines were models in virtual time; no figure here is a measurement of hardware.".to_owned()),
    }
}

fn profiles(parties: [(&str, &SideSummary); 2]) -> Option<String> {
    let is_any = |profile| parties.iter().any(|(_, party)| party.profile == profile);
    if is_any(Profile::Smoke) {
        return Some(SMOKE.to_owned());
    }
    is_any(Profile::Quick).then(|| "Quick profile: too few boots for a gate, so what is said here only advises.".to_owned())
}

fn unpinned(side: &str, party: &SideSummary, extent: &Extent) -> Option<String> {
    let why = extent.joined(party.unpinned.iter().map(|why| extent.code(why)), "; ");
    (!party.unpinned.is_empty()).then(|| not_pinned(&format!("The recipe of the {side}"), &why))
}

fn expired(ruling: &Ruling, extent: &Extent) -> Option<String> {
    let why = ruling.method.calibration_expired.as_ref()?;
    Some(format!("The calibration of this machine was not used: {}. Calibrate again.", extent.code(why)))
}

fn noise(ruling: &Ruling) -> Vec<String> {
    let method = &ruling.method;
    let sources = [(method.occasion, "from one occasion to the next"), (method.boot, "from one boot to the next")];
    let mut lines = Vec::new();
    for (source, between) in sources {
        match source {
            Some(NoiseSource::Assumed { component }) => lines.push(format!(
                "Assumed noise: nobody measured how far figures move {between}; {} is assumed, and every interval contains it.",
                chosen(component.sd_ln)
            )),
            Some(NoiseSource::Calibrated { cells, .. }) if cells < method.family => lines.push(format!(
                "Assumed noise: how far figures move {between} was measured for {cells} of {}; for the others {} is assumed.",
                plural(method.family, "gate cell"),
                chosen(Component::ASSUMED.sd_ln)
            )),
            None | Some(NoiseSource::Calibrated { .. }) => {}
        }
    }
    if method.boot.is_some() {
        lines.push(
            "One boot: a side was booted once, and a single boot may have been a lucky one, so nothing is called improved."
                .to_owned(),
        );
    }
    lines
}

fn looks(ruling: &Ruling) -> Option<String> {
    let (look, alpha) = (ruling.method.look, ruling.method.alpha);
    let line =
        || format!("Look {look}: the data were looked at before and boots were added since; each look has an alpha of {alpha}.");
    (look > 1).then(line)
}

/// A drift that the order of boots did not take away was refused before.
fn drift(ruling: &Ruling) -> Option<String> {
    let drift = ruling.method.drift.filter(|drift| drift.matters)?;
    let became = if drift.total_percent > 0.0 { "worse" } else { "better" };
    let order = match ruling.method.order {
        Order::Interleaved => "; boots were interleaved, so a straight drift cancels",
        Order::Stored => "",
    };
    let (size, p) = (spread(drift.total_percent.abs()), probability(drift.p));
    Some(format!("Drift: all gate cells together became {size} {became} while a side was measured (p {p}){order}."))
}

fn invalid(side: &str, party: &SideSummary) -> Option<String> {
    let SideSummary { trials, invalid, repeated, .. } = party;
    let are = if *invalid == 1 { "is" } else { "are" };
    let line =
        || format!("{invalid} of {} of the {side} {are} invalid and left out; {repeated} repeated.", plural(*trials, "trial"));
    (*invalid > 0).then(line)
}
