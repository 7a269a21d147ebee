//! What must be known before any verdict is read.

use minijinja::{Value, context};
use record::{Launch, Profile};

use super::extent::Extent;
use crate::{
    judge::{NoiseSource, Ruling, SideSummary},
    number::{chosen, probability, spread},
    statistics::comparison::Component,
};

pub(super) fn facts(ruling: &Ruling, extent: &Extent) -> Value {
    let method = &ruling.method;
    let sides = [("baseline", &ruling.baseline), ("candidate", &ruling.candidate)];
    let is_any = |profile| sides.iter().any(|(_, side)| side.profile == profile);
    let drift = method.drift.map(|drift| {
        context! {
            matters => drift.matters,
            size => spread(drift.total_percent.abs()),
            became => if drift.total_percent > 0.0 { "worse" } else { "better" },
            p => probability(drift.p),
        }
    });
    context! {
        refusals => ruling.refusals.iter().take(extent.entries).map(|why| extent.sentence(why)).collect::<Vec<_>>(),
        refusals_more => ruling.refusals.len().saturating_sub(extent.entries),
        simulated => simulated(sides),
        is_smoke => is_any(Profile::Smoke),
        is_quick => is_any(Profile::Quick),
        unpinned => sides.into_iter().filter_map(|(name, side)| unpinned(name, side, extent)).collect::<Vec<_>>(),
        invalid => sides.into_iter().filter_map(|(name, side)| invalid(name, side)).collect::<Vec<_>>(),
        expired => method.calibration_expired.as_ref().map(|why| extent.code(why)),
        noises => noises(ruling),
        is_one_boot => method.boot.is_some(),
        look => method.look,
        drift,
    }
}

/// Of which sides no hardware was measured.
fn simulated(sides: [(&'static str, &SideSummary); 2]) -> Option<&'static str> {
    let simulated = sides.into_iter().filter(|(_, side)| side.launch == Launch::Simulated);
    match simulated.map(|(name, _)| name).collect::<Vec<_>>()[..] {
        [] => None,
        [side] => Some(side),
        _ => Some("both"),
    }
}

fn unpinned(name: &str, side: &SideSummary, extent: &Extent) -> Option<Value> {
    let why = || extent.joined(side.unpinned.iter().map(|why| extent.code(why)), "; ");
    (!side.unpinned.is_empty()).then(|| context! { name, why => why() })
}

fn invalid(name: &str, side: &SideSummary) -> Option<Value> {
    let SideSummary { trials, invalid, repeated, .. } = *side;
    (invalid > 0).then(|| context! { name, trials, invalid, repeated })
}

/// The components of noise that are assumed, wholly or for some gate cells; `cells` is how many were measured.
fn noises(ruling: &Ruling) -> Vec<Value> {
    let method = &ruling.method;
    let sources = [(method.occasion, "from one occasion to the next"), (method.boot, "from one boot to the next")];
    let noise = |(source, between): (Option<NoiseSource>, &str)| match source {
        Some(NoiseSource::Assumed { component }) => {
            Some(context! { between, assumed => chosen(component.sd_ln), cells => Value::from(()) })
        }
        Some(NoiseSource::Calibrated { cells, .. }) if cells < method.family => {
            Some(context! { between, assumed => chosen(Component::ASSUMED.sd_ln), cells })
        }
        None | Some(NoiseSource::Calibrated { .. }) => None,
    };
    sources.into_iter().filter_map(noise).collect()
}
