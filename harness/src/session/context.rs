//! What a model's context can hold of a suite, and what the models of two sides can.

use std::collections::BTreeMap;

use record::{Cell, Length, Load, Side};

/// Cells that the model's context cannot hold, with the reason. The rest stay, in order.
#[must_use]
pub fn leave_out(cells: Vec<Cell>, max_context: Option<u32>) -> (Vec<Cell>, BTreeMap<String, String>) {
    let Some(max_context) = max_context else { return (cells, BTreeMap::new()) };
    let mut left_out = BTreeMap::new();
    let kept = cells.into_iter().filter(|cell| {
        let needs = context_tokens(cell);
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
pub fn leave_out_of_both(cells: Vec<Cell>, max_context: [Option<u32>; 2]) -> (Vec<Cell>, [BTreeMap<String, String>; 2]) {
    let (kept, baseline) = leave_out(cells.clone(), max_context[0]);
    let (_, candidate) = leave_out(cells, max_context[1]);
    let kept = kept.into_iter().filter(|cell| !candidate.contains_key(&cell.name())).collect();
    let both = [with_those_of(Side::Candidate, &baseline, &candidate), with_those_of(Side::Baseline, &candidate, &baseline)];
    (kept, both)
}

/// What a side leaves out, and what it does since the other one cannot hold it.
fn with_those_of(other: Side, own: &BTreeMap<String, String>, others: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let theirs = others.iter().map(|(cell, why)| (cell.clone(), format!("the {other} leaves it out: {why}")));
    // Its own reason is the better one, and comes last.
    theirs.chain(own.clone()).collect()
}

/// The longest prompt with its output, and what a prompt may be over its plan. A conversation's last prompt has grown by every turn
/// before it; a recorded output's bound already holds its prompt.
fn context_tokens(cell: &Cell) -> u32 {
    let (prompt, output) = (cell.prompt_tokens.high(), cell.output_tokens.high());
    let planned = match (cell.load, cell.output_tokens) {
        (Load::Conversations { turns, .. }, _) => prompt + (turns - 1) * (output + FURTHER_TURN_TOKENS) + output,
        (_, Length::Recorded { .. }) => output.max(prompt) + RECORDED_TEMPLATE_TOKENS,
        _ => prompt + output,
    };
    planned + planned / 500
}

/// Tokens that each further turn's own question adds, by the suite.
const FURTHER_TURN_TOKENS: u32 = 128;
/// Recorded lengths are those of texts; the template comes on top.
const RECORDED_TEMPLATE_TOKENS: u32 = 128;

#[cfg(test)]
mod tests {
    use record::PrefixReuse;

    use super::*;

    fn cell(prompt_tokens: u32) -> Cell {
        Cell {
            workload: "test".to_owned(),
            workload_hash: String::new(),
            point: format!("p{prompt_tokens}"),
            load: Load::Closed { streams: 1, requests_per_stream: 1 },
            prompt_tokens: Length::Fixed { tokens: prompt_tokens },
            output_tokens: Length::Fixed { tokens: 100 },
            prefix_reuse: PrefixReuse::Forbidden,
            structured: false,
            slo: None,
            comparable: false,
        }
    }

    #[test]
    fn what_one_side_cannot_hold_is_left_out_of_both_with_the_reason() {
        let cells: Vec<_> = [1000, 4000, 9000].map(cell).into();
        let (kept, [baseline, candidate]) = leave_out_of_both(cells.clone(), [Some(2000), Some(8000)]);
        assert_eq!(kept.iter().map(Cell::name).collect::<Vec<_>>(), ["test/p1000"]);
        let text = |left_out: &BTreeMap<String, String>| {
            left_out.iter().map(|(cell, why)| format!("{cell} {why}")).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(text(&baseline), @"
        test/p4000 needs a context of 4108 tokens, the recipe's model has 2000
        test/p9000 needs a context of 9118 tokens, the recipe's model has 2000
        ");
        insta::assert_snapshot!(text(&candidate), @"
        test/p4000 the baseline leaves it out: needs a context of 4108 tokens, the recipe's model has 2000
        test/p9000 needs a context of 9118 tokens, the recipe's model has 8000
        ");
        let (kept, left_out) = leave_out_of_both(cells.clone(), [None, None]);
        assert_eq!((kept, left_out), (cells, [BTreeMap::new(), BTreeMap::new()]));
    }
}
