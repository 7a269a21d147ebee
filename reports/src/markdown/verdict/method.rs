//! The noise that was added, and how the verdicts came about.

use super::{
    super::{Page, front_matter::utc, plural},
    extent::list,
    gate::spread_level,
};
use crate::{
    judge::{InconclusivePolicy, MachineDrift, Method, NoiseSource, Order, Ruling},
    number::{chosen, probability, spread},
    statistics::{
        comparison::Component,
        verdict::{Looks, Multiplicity, Rule},
    },
};

pub(super) fn write(page: &mut Page, ruling: &Ruling) {
    let method = &ruling.method;
    // Nothing was tested where the sides are not compared.
    if !ruling.refusals.is_empty() {
        page.push("## Method");
        page.push(&list([order(ruling)], usize::MAX));
        return;
    }
    page.push("## Noise");
    let occasions = source(method.occasion, method.family, "none is added, since both sides were measured together");
    let boots = source(method.boot, method.family, "none is added, since several boots show it themselves");
    page.push(&list([format!("Between occasions: {occasions}."), format!("Between boots: {boots}.")], usize::MAX));
    page.push("## Method");
    page.push(&list([test(ruling), family(method), order(ruling)], usize::MAX));
}

/// Where a component of noise comes from; `none` where nothing is added.
fn source(source: Option<NoiseSource>, family: usize, none: &str) -> String {
    let assumed = |component: Component| format!("{}, assumed ({:.0} degrees of freedom)", chosen(component.sd_ln), component.df);
    match source {
        None => none.to_owned(),
        Some(NoiseSource::Assumed { component }) => assumed(component),
        Some(NoiseSource::Calibrated { made_unix_s, cells }) => {
            let when = made_unix_s.map_or("in virtual time".to_owned(), |seconds| format!("on {}", utc(seconds)));
            let others = if cells < family { format!("; for the others {}", assumed(Component::ASSUMED)) } else { String::new() };
            format!("calibrated {when} for {cells} of {}{others}", plural(family, "gate cell"))
        }
    }
}

/// What was computed of a cell.
fn test(ruling: &Ruling) -> String {
    let (mut paired, mut all) = (0, 0);
    for row in ruling.gate_rows() {
        all += 1;
        paired += usize::from(row.paired);
    }
    let alpha = ruling.method.alpha;
    let welch = "Welch's t test";
    let test = match paired {
        0 => welch.to_owned(),
        _ if paired == all => "Student's t test of pairs of one seed".to_owned(),
        _ => format!("{welch}, in {paired} of {all} gate cells Student's of pairs of one seed"),
    };
    let (level, version) = (spread_level(alpha), ruling.stats_version);
    format!(
        "{test}, on the logarithm of one number per boot or trial; one-sided alpha {alpha}, so {level} intervals; statistics {version}."
    )
}

/// What was made of all cells together.
fn family(method: &Method) -> String {
    let options = &method.options;
    let correction = match options.multiplicity {
        Multiplicity::BenjaminiHochberg { q } => format!("Benjamini and Hochberg's q at most {q}"),
        Multiplicity::Holm => format!("Holm's p at most {}", method.alpha),
    };
    let rule = match options.rule {
        Rule::Margin => "a change counts from the margin on",
        Rule::BeyondMargin => "a change counts when its whole interval lies beyond the margin",
    };
    let looks = match options.looks {
        Looks::One => 1,
        Looks::Two => 2,
    };
    let policy = match method.inconclusive {
        InconclusivePolicy::Warn => "passes with a warning",
        InconclusivePolicy::Fail => "does not pass",
    };
    format!(
        "A family of {}: {correction}; {rule}; look {} of {looks}; what is inconclusive {policy}.",
        plural(method.family, "gate cell"),
        method.look
    )
}

/// In which order it was measured, and what that hides or shows.
fn order(ruling: &Ruling) -> String {
    let method = &ruling.method;
    let order = match method.order {
        Order::Interleaved => "with both sides interleaved, boot by boot (ABBA)",
        Order::Stored => "one side after the other, on two occasions",
    };
    let treatment: Vec<&str> = method.treatment.iter().map(|one| one.word()).collect();
    let treatment = if treatment.is_empty() { "nothing".to_owned() } else { treatment.join(", ") };
    let (baseline, candidate) = (&ruling.baseline, &ruling.candidate);
    format!(
        "Measured {order}: {} of the baseline, {} of the candidate; invalid trials {} and {}; {}; declared to differ: {treatment}.",
        plural(baseline.boots, "boot"),
        plural(candidate.boots, "boot"),
        baseline.invalid,
        candidate.invalid,
        method.drift.map_or("drift not known".to_owned(), drift)
    )
}

fn drift(drift: MachineDrift) -> String {
    let became = if drift.total_percent > 0.0 { "worse" } else { "better" };
    let matters = if drift.matters { "it matters" } else { "it does not matter" };
    format!("drift {} {became} (p {}), {matters}", spread(drift.total_percent.abs()), probability(drift.p))
}
