//! How to do it again: the runs of both sides, and their comparison.

use minijinja::{Value, context};

use super::{
    super::{front_matter::utc, plural, text::command_block},
    extent::Extent,
};
use crate::judge::{Ruling, RunNote, SideSummary};

pub(super) fn facts(ruling: &Ruling, compare: &[String], extent: &Extent) -> Value {
    if !extent.commands {
        return context! { runs => Vec::<Value>::new(), compare => "" };
    }
    let runs = grouped(ruling, extent).into_iter().map(|(command, runs)| {
        context! { what => extent.joined(runs, "; "), command => command_block(command) }
    });
    let compare = if compare.is_empty() { String::new() } else { command_block(compare) };
    context! { runs => runs.collect::<Vec<_>>(), compare }
}

/// Each command once, with the runs that it made: both sides of an interleaved pair have the same.
fn grouped<'r>(ruling: &'r Ruling, extent: &Extent) -> Vec<(&'r [String], Vec<String>)> {
    let mut groups: Vec<(&[String], Vec<String>)> = Vec::new();
    for (side, party) in [("Baseline", &ruling.baseline), ("Candidate", &ruling.candidate)] {
        for (number, run) in party.runs.iter().enumerate() {
            let told = told(side, party, number, run, extent);
            match groups.iter_mut().find(|(command, _)| *command == run.command) {
                Some((_, runs)) => runs.push(told),
                None => groups.push((&run.command, vec![told])),
            }
        }
    }
    groups
}

fn told(side: &str, party: &SideSummary, number: usize, run: &RunNote, extent: &Extent) -> String {
    let of = if party.runs.len() > 1 { format!(", run {} of {}", number + 1, party.runs.len()) } else { String::new() };
    let started = run.started_unix_s.map(|seconds| format!(", {}", utc(seconds))).unwrap_or_default();
    let commit = run.commit.as_ref().map(|commit| format!(", commit {}", extent.code(commit))).unwrap_or_default();
    format!("{side}{of}{started}, seed {}, {}{commit}", run.seed, plural(run.boots, "boot"))
}
