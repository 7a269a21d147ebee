//! Leaves out cells that do not fit a model's context, for one run and for two that are compared.

use std::collections::BTreeMap;

use record::{Cell, Side};

use crate::suite::Suite;

/// Cells that the model's context cannot hold, with the reason; how much one needs is the suite's to say. The rest stay, in order.
#[must_use]
pub fn exclude_cells(suite: &dyn Suite, cells: Vec<Cell>, max_context: Option<u32>) -> (Vec<Cell>, BTreeMap<String, String>) {
    let Some(max_context) = max_context else { return (cells, BTreeMap::new()) };
    let mut left_out = BTreeMap::new();
    let kept = cells.into_iter().filter(|cell| {
        let needs = suite.context_tokens(cell);
        if needs > max_context {
            left_out.insert(cell.name(), format!("needs a context of {needs} tokens, the recipe's model has {max_context}"));
        }
        needs <= max_context
    });
    let kept = kept.collect();
    (kept, left_out)
}

/// The same for two sides that are compared, given the context of each, the baseline's first: what one cannot hold is left out of both.
/// What was left out comes with the reason as each side's record gives it.
#[must_use]
pub fn exclude_cells_of_both(
    suite: &dyn Suite,
    cells: Vec<Cell>,
    max_context: [Option<u32>; 2],
) -> (Vec<Cell>, [BTreeMap<String, String>; 2]) {
    let (kept, baseline) = exclude_cells(suite, cells.clone(), max_context[0]);
    let (_, candidate) = exclude_cells(suite, cells, max_context[1]);
    let kept = kept.into_iter().filter(|cell| !candidate.contains_key(&cell.name())).collect();
    let both = [merge_left_out(Side::Candidate, &baseline, &candidate), merge_left_out(Side::Baseline, &candidate, &baseline)];
    (kept, both)
}

/// The cells that a side leaves out, those that only the other side cannot hold included.
fn merge_left_out(other: Side, own: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let from_other = others.iter().map(|(cell, why)| (cell.clone(), format!("the {other} leaves it out: {why}")));
    // Its own reason is the better one, and comes last.
    from_other.chain(own.clone()).collect()
}
