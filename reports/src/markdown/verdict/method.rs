//! The noise that was added, and how the verdicts came about.

use minijinja::{Value, context};

use super::super::front_matter::utc;
use crate::{
    judge::{InconclusivePolicy, NoiseSource, Order, Ruling},
    number::chosen,
    statistics::{
        comparison::Component,
        verdict::{Looks, Multiplicity, Rule},
    },
};

pub(super) fn facts(ruling: &Ruling) -> Value {
    let method = &ruling.method;
    let options = &method.options;
    let (mut paired, mut all) = (0, 0);
    for row in ruling.gate_rows() {
        all += 1;
        paired += usize::from(row.paired);
    }
    let q_limit = match options.multiplicity {
        Multiplicity::BenjaminiHochberg { q } => q.to_string(),
        Multiplicity::Holm => String::new(),
    };
    let treatment: Vec<&str> = method.treatment.iter().map(|one| one.word()).collect();
    context! {
        noise_sources => [source("occasions", method.occasion, method.family), source("boots", method.boot, method.family)],
        test => context! { paired, all },
        family => method.family,
        alpha => method.alpha.to_string(),
        stats_version => ruling.stats_version,
        q_limit,
        is_strict => options.rule == Rule::BeyondMargin,
        looks => if options.looks == Looks::Two { 2 } else { 1 },
        is_inconclusive_failing => method.inconclusive == InconclusivePolicy::Fail,
        is_interleaved => method.order == Order::Interleaved,
        boots => [ruling.baseline.boots, ruling.candidate.boots],
        invalid_counts => [ruling.baseline.invalid, ruling.candidate.invalid],
        treatment => if treatment.is_empty() { "nothing".to_owned() } else { treatment.join(", ") },
    }
}

/// Where a component of noise comes from; of kind `none` where nothing is added.
fn source(between: &str, source: Option<NoiseSource>, family: usize) -> Value {
    let assumed = |component: Component| format!("{}, assumed ({:.0} degrees of freedom)", chosen(component.sd_ln), component.df);
    match source {
        None => context! { between, kind => "none" },
        Some(NoiseSource::Assumed { component }) => context! { between, kind => "assumed", assumed => assumed(component) },
        Some(NoiseSource::Calibrated { made_unix_s, cells }) => context! {
            between,
            kind => "calibrated",
            when => made_unix_s.map_or("in virtual time".to_owned(), |seconds| format!("on {}", utc(seconds))),
            cells,
            assumed => (cells < family).then(|| assumed(Component::ASSUMED)),
        },
    }
}
