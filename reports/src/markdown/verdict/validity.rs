//! Which trials the verdicts rest on.

use super::{
    super::{Page, text::Table},
    extent::{Extent, list},
};
use crate::{
    judge::{Ruling, SideSummary, TrialNote},
    validity::{Reason, Validity},
};

/// How many trials with one reason are named; there may be hundreds.
const NAMED: usize = 8;

pub(super) fn write(page: &mut Page, ruling: &Ruling, extent: &Extent) {
    let parties = [("Baseline", &ruling.baseline), ("Candidate", &ruling.candidate)];
    page.push("## Validity");
    let mut table = Table::new(&["Side", "Boots", "Trials", "Valid", "Suspect", "Invalid", "Repeated"], 1);
    for (side, party) in parties {
        let SideSummary { boots, trials, suspect, invalid, repeated, .. } = *party;
        let valid = trials.saturating_sub(suspect + invalid);
        let counts = [boots, trials, valid, suspect, invalid, repeated].map(|count| count.to_string());
        table.row([side.to_owned()].into_iter().chain(counts));
    }
    page.push(table.markdown());
    page.push("Suspect trials count; invalid ones are left out, and repeated once with their seed.");
    for (side, party) in parties {
        let reasons = grouped(&party.notes);
        if reasons.is_empty() || extent.reasons == 0 {
            continue;
        }
        page.push(&format!("{side}:"));
        let told = reasons.into_iter().map(|(reason, trials)| told(reason, &trials, extent));
        page.push(&list(told, extent.reasons));
    }
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

fn told(reason: &Reason, trials: &[&TrialNote], extent: &Extent) -> String {
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
