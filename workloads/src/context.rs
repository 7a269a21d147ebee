//! How much of a model's context a cell needs.

use record::{Cell, Length, Load};

use crate::spec;

/// Recorded lengths are those of texts; the template comes on top.
const RECORDED_TEMPLATE_TOKENS: u32 = 128;

/// Tokens of a cell's longest prompt with its output, and what a prompt may be over its plan. A conversation's last prompt has grown by
/// every turn before it; a recorded output's bound already holds its prompt.
#[must_use]
pub fn context_tokens(cell: &Cell) -> u32 {
    let (prompt, output) = (cell.prompt_tokens.high(), cell.output_tokens.high());
    let planned = match (cell.load, cell.output_tokens) {
        (Load::Conversations { turns, .. }, _) => prompt + (turns - 1) * (output + spec::turn_tokens(cell)) + output,
        (_, Length::Recorded { .. }) => output.max(prompt) + RECORDED_TEMPLATE_TOKENS,
        _ => prompt + output,
    };
    planned + planned / 500
}

#[cfg(test)]
mod tests {
    use record::Profile;

    use super::*;
    use crate::{PromptSizing, RecordedLengths, TokenTable, cells, plan};

    #[test]
    fn context_tokens_bound_the_longest_request_closely() {
        let sizing =
            PromptSizing { table: TokenTable::uniform(4.0).unwrap(), template_tokens: 12, message_tokens: 5, scale: 1.0 };
        for cell in [Profile::Smoke, Profile::Full].into_iter().flat_map(|profile| cells(profile, &[]).unwrap()) {
            let plan = plan(&cell, 1, &sizing, &RecordedLengths::Drawn).unwrap();
            let longest = plan.requests.iter().map(|request| request.prompt_tokens + request.output_tokens).max().unwrap();
            let needs = context_tokens(&cell);
            assert!(longest <= needs, "{}: {longest} of {needs}", cell.name());
            // Those that are drawn need not reach their bound.
            let is_drawn = !matches!((cell.prompt_tokens, cell.output_tokens), (Length::Fixed { .. }, Length::Fixed { .. }));
            assert!(is_drawn || longest + needs / 100 + 1 >= needs, "{}: {longest} of {needs}", cell.name());
        }
    }

    #[test]
    fn further_turn_adds_the_workloads_tokens() {
        let cell = cells(Profile::Full, &["multi-turn".to_owned()]).unwrap().remove(0);
        let turn_tokens = crate::multi_turn::SPEC.turn_tokens.unwrap();
        assert_eq!(context_tokens(&cell), 2048 + 4 * (512 + turn_tokens) + 512 + 10);
    }
}
