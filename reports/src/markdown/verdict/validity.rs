//! Which trials the verdicts rest on.

use minijinja::{Value, context};

use super::{
    super::text::Table,
    extent::{Extent, list},
};
use crate::{
    judge::{Ruling, SideSummary, TrialNote},
    validity::{Reason, Validity},
};

/// How many trials with one reason are named; there may be hundreds.
const NAMED: usize = 8;

pub(super) fn facts(ruling: &Ruling, extent: &Extent) -> Value {
    let sides = [("Baseline", &ruling.baseline), ("Candidate", &ruling.candidate)];
    let mut table = Table::new(&["Side", "Boots", "Trials", "Valid", "Suspect", "Invalid", "Repeated"], 1);
    for (name, side) in sides {
        let SideSummary { boots, trials, suspect, invalid, repeated, .. } = *side;
        let valid = trials.saturating_sub(suspect + invalid);
        let counts = [boots, trials, valid, suspect, invalid, repeated].map(|count| count.to_string());
        table.row([name.to_owned()].into_iter().chain(counts));
    }
    let reasons = sides.into_iter().filter_map(|(name, side)| {
        let reasons = grouped(&side.notes);
        let is_shown = !reasons.is_empty() && extent.reasons > 0;
        let lines = reasons.into_iter().map(|(reason, trials)| line(reason, &trials, extent));
        is_shown.then(|| context! { name, lines => list(lines, extent.reasons) })
    });
    context! { trials_table => table.markdown(), reasons => reasons.collect::<Vec<_>>() }
}

/// Each reason once, the invalid ones first, with the trials that have it.
fn grouped(notes: &[TrialNote]) -> Vec<(&Reason, Vec<&TrialNote>)> {
    let mut groups: Vec<(&Reason, Vec<&TrialNote>)> = Vec::new();
    // By reason and place, so that thousands of notes are grouped without comparing each with each.
    let mut places: std::collections::HashMap<(u8, &str, Option<&str>), usize> = std::collections::HashMap::new();
    for note in notes {
        for reason in &note.reasons {
            let key = (rank(reason), reason.text.as_str(), reason.quote.as_deref());
            let place = *places.entry(key).or_insert_with(|| {
                groups.push((reason, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(note);
        }
    }
    groups.sort_by_key(|(reason, _)| rank(reason));
    groups
}

fn rank(reason: &Reason) -> u8 {
    match reason.validity {
        Validity::Invalid => 0,
        Validity::Suspect => 1,
        Validity::Valid => 2,
    }
}

fn line(reason: &Reason, trials: &[&TrialNote], extent: &Extent) -> String {
    let quote = reason.quote.as_ref().map(|quote| format!(": {}", extent.code(quote))).unwrap_or_default();
    let named = trials.iter().take(NAMED).map(|trial| {
        let again = if trial.attempt > 0 { ", repeated" } else { "" };
        format!("{} trial {} (boot {}{again})", extent.code(&trial.cell), trial.trial, trial.boot)
    });
    let mut named: Vec<String> = named.collect();
    if trials.len() > NAMED {
        named.push(format!("and {} more", trials.len() - NAMED));
    }
    format!("{}: {}{quote}: {}", reason.word(), extent.sentence(&reason.text), named.join(", "))
}
