//! What a run must be before others are compared with it.

use std::collections::BTreeMap;

use record::{EndReason, Header, Launch, Profile, Record};
use reports::{
    figures::{RunFigures, TrialFigures},
    identity,
    validity::Validity,
};

use super::Allow;

/// Fewest boots that a comparison takes.
const BOOTS_MIN: usize = 3;
/// Fewest boots of a baseline, unless a person says otherwise: each later verdict has its noise in it.
const BOOTS: usize = 5;

/// Requirements that a run does not meet, each with advice; none if it can be a baseline.
pub(super) fn unmet_requirements(record: &Record, allow: &[Allow]) -> Vec<String> {
    let found = [
        unfinished(record),
        insufficient_profile(record),
        too_few_boots(record, allow.contains(&Allow::FewBoots)),
        unpinned(record, allow.contains(&Allow::Unpinned)),
        boots_that_differ(record),
        invalid(record),
    ];
    found.into_iter().flatten().collect()
}

/// What the baseline has and a run that would replace it has not; later runs would be judged on less without anybody noticing.
pub(super) fn less_than(old: &Header, new: &Header) -> Option<String> {
    const NAMED: usize = 3;
    let missing: Vec<&str> = old.cells.iter().filter(|cell| !new.cells.contains(cell)).map(String::as_str).collect();
    let named = missing.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if missing.len() > NAMED { format!(" and {} more", missing.len() - NAMED) } else { String::new() };
    let cells =
        (!missing.is_empty()).then(|| format!("{} of its {} cells are missing ({named}{more})", missing.len(), old.cells.len()));
    let boots = (new.boots < old.boots).then(|| format!("{} instead of {} boots", new.boots, old.boots));
    let less: Vec<String> = cells.into_iter().chain(boots).collect();
    (!less.is_empty()).then(|| less.join("; "))
}

fn unfinished(record: &Record) -> Option<String> {
    if let Some(tail) = &record.unreadable_tail {
        return Some(format!("its last {} bytes cannot be read ({})", tail.bytes, tail.why));
    }
    match record.end.as_ref().map(|end| &end.reason) {
        Some(EndReason::Finished) => None,
        Some(EndReason::Interrupted) => Some("it was interrupted".to_owned()),
        Some(EndReason::Failed { detail }) => Some(format!("it failed: {}", detail.escape_debug())),
        None => Some("it has no end: the run was cut short".to_owned()),
    }
}

fn insufficient_profile(record: &Record) -> Option<String> {
    let profile = record.header.profile;
    let is_measured = matches!(profile, Profile::Standard | Profile::Full);
    if is_measured && record.trials.iter().all(|trial| trial.cell.comparable) {
        return None;
    }
    Some(format!("its profile is {profile}: measure it with --profile standard or full"))
}

fn too_few_boots(record: &Record, allowed: bool) -> Option<String> {
    let boots = record.boots.len();
    if record.header.launch == Launch::Attach {
        return Some("a server that was attached to has one boot, and nobody can boot it again: measure a recipe".to_owned());
    }
    match boots {
        BOOTS.. => None,
        BOOTS_MIN.. if allowed => None,
        BOOTS_MIN.. => Some(format!("it has {boots} boots, a baseline has {BOOTS} (--allow few-boots takes it all the same)")),
        _ => {
            let plural = if boots == 1 { "" } else { "s" };
            Some(format!("it has {boots} boot{plural}; a comparison takes {BOOTS_MIN} at least, a baseline {BOOTS}"))
        }
    }
}

fn unpinned(record: &Record, allowed: bool) -> Option<String> {
    let why = &record.header.unpinned;
    if why.is_empty() || allowed {
        return None;
    }
    let why: Vec<String> = why.iter().map(|one| one.escape_debug().to_string()).collect();
    Some(format!("its recipe is not pinned: {} (`sparkgauge recipe pin`, and measure it again)", why.join("; ")))
}

fn boots_that_differ(record: &Record) -> Option<String> {
    let (boot, difference) = identity::between_boots((&record.header, &record.boots)).into_iter().next()?;
    Some(format!("its boots were not of one engine: boot {boot} differs in its {}", difference.field.escape_debug()))
}

/// A trial that was repeated counts as its last attempt.
fn invalid(record: &Record) -> Option<String> {
    let run = RunFigures::of(record);
    let mut last: BTreeMap<(String, u32), &TrialFigures> = BTreeMap::new();
    for trial in &run.trials {
        let known = last.entry((trial.cell.name(), trial.trial)).or_insert(trial);
        if trial.attempt >= known.attempt {
            *known = trial;
        }
    }
    let invalid: Vec<&TrialFigures> = last.into_values().filter(|trial| trial.validity == Validity::Invalid).collect();
    let first = invalid.first()?;
    let (name, number, count) = (first.cell.name(), first.trial, invalid.len());
    Some(format!("{count} of its trials are invalid, the first is trial {number} of {name}; its report says why"))
}

#[cfg(test)]
mod tests;
