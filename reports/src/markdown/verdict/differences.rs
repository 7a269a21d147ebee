//! In what the two sides differ, and what follows.

use minijinja::{Value, context};

use super::{super::text::Table, extent::Extent, summary::differences_line};
use crate::judge::{Comparability, Consequence, Ruling, SideDifference};

pub(super) fn facts(ruling: &Ruling, extent: &Extent) -> Value {
    let mut differences: Vec<&SideDifference> = ruling.differences.iter().collect();
    // What forbids the comparison first; the order of the others stays.
    differences.sort_by_key(|one| match one.consequence {
        Consequence::Refused => 0,
        Consequence::Treatment => 1,
        Consequence::Warned => 2,
    });
    let mut table = Table::new(&["Fact", "Baseline", "Candidate", "Consequence"], 4);
    for one in differences.iter().take(extent.entries) {
        table.row([extent.code(&one.field), extent.code(&one.baseline), extent.code(&one.candidate), follows(one)]);
    }
    context! {
        differences => context! {
            count => differences.len(),
            more => differences.len().saturating_sub(extent.entries),
            text => differences_line(ruling, extent),
            table => table.markdown(),
        },
    }
}

fn follows(difference: &SideDifference) -> String {
    match (difference.consequence, difference.comparability) {
        (Consequence::Treatment, _) => "the change under test".to_owned(),
        (Consequence::Warned, _) => "nothing".to_owned(),
        (Consequence::Refused, Comparability::Treatable(treatment)) => {
            format!("**refused**, unless it is the change under test: `--treatment {treatment}`")
        }
        (Consequence::Refused, Comparability::Load | Comparability::Informational) => {
            "**refused**: another load is another question".to_owned()
        }
    }
}
