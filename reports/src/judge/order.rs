//! Decides whether two sides were interleaved or measured one after the other.

use std::collections::BTreeMap;

use record::Side;

use super::Order;
use crate::{figures::RunFigures, statistics::abba};

/// Interleaved only if every run of either side has its counterpart on the other, and their order makes a straight drift cancel.
pub(super) fn detect(sides: [&[RunFigures]; 2]) -> Order {
    let [baseline, candidate] = sides.map(pairs);
    let (Some(baseline), Some(candidate)) = (baseline, candidate) else { return Order::Stored };
    let are_counterparts = baseline.len() == candidate.len()
        && baseline.iter().all(|(pair, (side, order))| {
            candidate.get(pair).is_some_and(|(other, same)| other != side && same == order && abba::is_balanced(order))
        });
    if are_counterparts { Order::Interleaved } else { Order::Stored }
}

/// The pairs that a side's runs belong to, with their side and order; none if one belongs to none, or two to the same.
fn pairs(side: &[RunFigures]) -> Option<BTreeMap<&str, (Side, &[Side])>> {
    let mut pairs = BTreeMap::new();
    for run in side {
        let interleaved = run.header.interleaved.as_ref()?;
        let before = pairs.insert(interleaved.pair.as_str(), (interleaved.side, interleaved.order.as_slice()));
        if before.is_some() {
            return None;
        }
    }
    (!pairs.is_empty()).then_some(pairs)
}

/// The place of a run's boot in the order in which boots were made, over both sides where these were interleaved.
pub(super) fn place(run: &RunFigures, boot: u32) -> f64 {
    let nth = boot.saturating_sub(run.header.first_boot) as usize;
    let Some(interleaved) = &run.header.interleaved else { return nth as f64 };
    let mut places = interleaved.order.iter().enumerate().filter(|(_, side)| **side == interleaved.side).map(|(place, _)| place);
    places.nth(nth).unwrap_or(nth) as f64
}

/// How many boots were made in the time of a run, over both sides where these were interleaved: a run that adds to it comes after them.
pub(super) fn length(run: &RunFigures) -> f64 {
    run.header.interleaved.as_ref().map_or(run.boots.len(), |interleaved| interleaved.order.len()) as f64
}
