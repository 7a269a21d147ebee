//! Why trials are not simply valid, one line per kind.

use super::text::sentence;
use crate::{
    number::figure,
    validity::{Reason, Validity},
};

/// The longest kind that is printed; kinds are ours, but a ruling is read by anyone.
const KIND_CHARACTERS: usize = 200;

/// Each kind on a line, the invalid first: `suspect: timer lag p99 above 5.00 ms: 10 of 12 trials, worst 12.7 ms`. `trials` are the
/// reasons of each trial, of `all` that were made.
pub(super) fn kind_lines<'r>(trials: impl IntoIterator<Item = &'r [Reason]>, all: usize) -> Vec<(Validity, String)> {
    let mut kinds: Vec<(&Reason, usize)> = Vec::new();
    for reasons in trials {
        for reason in reasons {
            let is_same = |other: &Reason| other.kind == reason.kind && other.validity == reason.validity;
            match kinds.iter_mut().find(|(other, _)| is_same(other)) {
                Some((worst, count)) => {
                    *count += 1;
                    *worst = worse(worst, reason);
                }
                None => kinds.push((reason, 1)),
            }
        }
    }
    kinds.sort_by_key(|(reason, _)| std::cmp::Reverse(reason.validity));
    kinds.into_iter().map(|(worst, count)| (worst.validity, line(worst, count, all))).collect()
}

fn worse<'r>(one: &'r Reason, other: &'r Reason) -> &'r Reason {
    let extent = |reason: &Reason| reason.extent.map_or(f64::NEG_INFINITY, |(figure, _)| figure);
    if extent(other) > extent(one) { other } else { one }
}

fn line(worst: &Reason, count: usize, all: usize) -> String {
    let kind = sentence(&worst.kind, KIND_CHARACTERS);
    let extent = worst.extent.map(|(value, unit)| format!(", worst {}", figure(value, unit))).unwrap_or_default();
    format!("**{}**: {kind}: {count} of {all} trials{extent}", worst.word())
}
