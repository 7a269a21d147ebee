//! A ruling on one line, for a terminal or a log.

use std::collections::BTreeMap;

use super::super::text::clean;
use crate::{
    judge::{OverallVerdict, Row, Ruling},
    metric::info,
    number::{change, chosen, spread},
    statistics::verdict::Verdict,
};

/// So many cells are named, and the others counted.
const NAMED: usize = 5;

/// The longest name of a cell that is printed.
const NAME_CHARACTERS: usize = 60;

/// A ruling on one line of plain text, without texts of others: `regressed: 2 of 18 gate cells (chat/c10 decode tok/s per user -5.1 %
/// [-6.0, -4.2], margin 3 %; ...); 1 inconclusive, 15 unchanged`.
#[must_use]
pub fn summary_line(ruling: &Ruling) -> String {
    let rows: Vec<&Row> = ruling.gate_rows().collect();
    let verdict = ruling.overall.verdict();
    let head = verdict.word();
    if !ruling.refusals.is_empty() || rows.is_empty() {
        return format!("{head}: {}", plain_sentence(&ruling.sentence, head));
    }
    let those: Vec<(usize, &&Row)> = rows.iter().enumerate().filter(|(_, row)| row.verdict == verdict).collect();
    let mut line = format!("{head}: {} of {} gate cells", those.len(), rows.len());
    if ruling.overall == OverallVerdict::Unchanged {
        line = format!("{head}: all {} gate cells pass", rows.len());
    } else {
        let mut named: Vec<String> = those.iter().take(NAMED).map(|(place, row)| told(*place, row)).collect();
        if those.len() > NAMED {
            named.push(format!("{} more", those.len() - NAMED));
        }
        line = format!("{line} ({})", named.join("; "));
    }
    let mut others: BTreeMap<Verdict, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.verdict != verdict) {
        *others.entry(row.verdict).or_default() += 1;
    }
    let others: Vec<String> = others.into_iter().map(|(verdict, count)| format!("{count} {}", verdict.word())).collect();
    if others.is_empty() { line } else { format!("{line}; {}", others.join(", ")) }
}

fn told(place: usize, row: &Row) -> String {
    let interval = row.interval_percent.map(|interval| (interval.low, interval.high));
    let changed = row.change_percent.map(|percent| format!(" {}", change(percent, interval))).unwrap_or_default();
    let (n_b, n_c) = (row.baseline.values.len(), row.candidate.values.len());
    let more = match row.verdict {
        Verdict::Refused => String::new(),
        Verdict::Insufficient => format!(", n {n_b} and {n_c}"),
        Verdict::Inconclusive => {
            row.mde_percent.map(|mde| format!(", changes below {} are often missed", spread(mde))).unwrap_or_default()
        }
        _ => format!(", margin {}", chosen(row.margin)),
    };
    format!("{} {}{changed}{more}", cell_name(place, row), info(row.metric).title)
}

/// A cell's name if it is made as those of the suite are, else its place in the gate: a record may have been made by anyone.
fn cell_name(place: usize, row: &Row) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let is_known = !row.cell.is_empty() && row.cell.len() <= NAME_CHARACTERS && row.cell.chars().all(is_plain);
    if is_known { row.cell.clone() } else { format!("gate cell {}", place + 1) }
}

/// The ruling's own sentence, on one line and without its first word if that is the overall one.
fn plain_sentence(sentence: &str, head: &str) -> String {
    let said = clean(sentence);
    let rest = said.split_once(':').filter(|(word, _)| word.trim().eq_ignore_ascii_case(head)).map(|(_, rest)| rest);
    rest.unwrap_or(&said).trim().to_owned()
}
