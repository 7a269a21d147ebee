//! What a model's context can hold of a suite.

use std::collections::BTreeMap;

use record::{Cell, Length, Load};

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
