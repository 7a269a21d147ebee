//! The gate's table: every figure that a verdict was made of, and in words what the table has no room for.

use minijinja::{Value, context};
use record::Metric;

use super::{
    super::{template, text::Table},
    capital,
    extent::Extent,
};
use crate::{
    judge::{Method, Row, Ruling, SideValues},
    metric::info,
    number::{change, chosen, figure, probability, spread},
    statistics::verdict::{Looks, Multiplicity, Note, Verdict},
    summary::Unit,
};

pub(super) fn facts(ruling: &Ruling, extent: &Extent) -> Value {
    let method = &ruling.method;
    let rows: Vec<&Row> = ruling.gate_rows().collect();
    let verdicts = [Verdict::Refused, Verdict::Insufficient, Verdict::Regressed, Verdict::Inconclusive, Verdict::Improved];
    let is_of = |unit| rows.iter().any(|row| row.baseline.unit == Some(unit) || row.candidate.unit == Some(unit));
    let unit = match (is_of(Unit::Boot), is_of(Unit::Trial)) {
        (true, false) => "boot",
        (true, true) => "both",
        _ if method.boot.is_none() => "trial_of_boot",
        _ => "trial",
    };
    let is_holm = method.options.multiplicity == Multiplicity::Holm;
    let gate = context! {
        rows => rows.len(),
        words => verdicts.iter().filter_map(|verdict| words(*verdict, &rows, extent)).collect::<Vec<_>>(),
        table => table(&rows, method, extent),
        unit,
        adjusted => if is_holm { "p" } else { "q" },
        notes => grouped(&rows, method, extent),
    };
    context! { gate, is_holm, level => interval_level(method.alpha) }
}

/// Which cells have that verdict.
fn words(verdict: Verdict, rows: &[&Row], extent: &Extent) -> Option<Value> {
    let those: Vec<&&Row> = rows.iter().filter(|row| row.verdict == verdict).collect();
    let names = extent.joined(those.iter().map(|row| name(row, extent)), "; ");
    (!those.is_empty()).then(|| context! { word => capital(verdict.word()), count => those.len(), names })
}

/// The cell and the metric.
pub(super) fn name(row: &Row, extent: &Extent) -> String {
    format!("{} {}", extent.code(&row.cell), info(row.metric).title)
}

fn table(rows: &[&Row], method: &Method, extent: &Extent) -> String {
    let adjusted = match method.options.multiplicity {
        Multiplicity::BenjaminiHochberg { .. } => "q",
        Multiplicity::Holm => "p, Holm",
    };
    let heads = ["Cell", "Metric", "Baseline", "Candidate", "Change", "Margin", "MDE", adjusted, "Verdict"];
    let mut table = Table::new(&heads, 2);
    for row in rows {
        table.row([
            extent.code(&row.cell),
            info(row.metric).title.to_owned(),
            values(&row.baseline, row.metric),
            values(&row.candidate, row.metric),
            changed(row),
            chosen(row.margin),
            row.mde_percent.map_or("-".to_owned(), spread),
            chance(row),
            format!("**{}**", row.verdict.word()),
        ]);
    }
    table.markdown().to_owned()
}

/// `90.8 (n=5, cv 0.52 %)`.
pub(super) fn values(values: &SideValues, metric: Metric) -> String {
    let n = values.values.len();
    let unbounded = values.values.iter().filter(|value| **value == f64::INFINITY).count();
    let mean = match values.mean {
        _ if n == 0 => return "-".to_owned(),
        _ if unbounded > 0 => format!("∞ in {unbounded}"),
        Some(mean) => figure(mean, info(metric).unit),
        None => "-".to_owned(),
    };
    let cv = values.cv_percent.map(|cv| format!(", cv {}", spread(cv))).unwrap_or_default();
    format!("{mean} (n={n}{cv})")
}

/// The change with its interval; `-` where there is none.
pub(super) fn changed(row: &Row) -> String {
    let interval = row.interval_percent.map(|interval| (interval.low, interval.high));
    row.change_percent.map_or("-".to_owned(), |percent| change(percent, interval))
}

/// The adjusted p of the direction in which the row went.
fn chance(row: &Row) -> String {
    let is_worse = row.p_regressed.zip(row.p_improved).is_none_or(|(worse, better)| worse <= better);
    let (word, adjusted) = if is_worse { ("worse", row.q_regressed) } else { ("better", row.q_improved) };
    adjusted.map_or("-".to_owned(), |adjusted| format!("{word} {}", probability(adjusted)))
}

/// The level of an interval that two one-sided tests at alpha decide by.
pub(super) fn interval_level(alpha: f64) -> String {
    chosen(1.0 - 2.0 * alpha)
}

/// What is to be known of the rows beyond their figures; what several of them share is said once.
fn grouped(rows: &[&Row], method: &Method, extent: &Extent) -> Vec<String> {
    let mut groups: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows {
        for note in notes(row, method, extent) {
            match groups.iter_mut().find(|(other, _)| *other == note) {
                Some((_, those)) => those.push(row),
                None => groups.push((note, vec![row])),
            }
        }
    }
    let line = |(note, those): (String, Vec<&Row>)| match those.len() {
        count if count > 1 && count == rows.len() => format!("all {count}: {note}"),
        _ => format!("{}: {note}", extent.joined(those.into_iter().map(|row| name(row, extent)), "; ")),
    };
    let more = groups.len().saturating_sub(extent.entries);
    let mut lines: Vec<String> = groups.into_iter().take(extent.entries).map(line).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn notes(row: &Row, method: &Method, extent: &Extent) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = &row.why {
        notes.push(format!("{}: {}", row.verdict.word(), extent.sentence(why)));
    }
    if row.verdict == Verdict::Inconclusive {
        notes.push(inconclusive(row, method));
    }
    notes.extend(row.notes.iter().map(|note| note_line(*note, row, method)));
    notes.extend(outliers(row, extent));
    notes
}

/// What one value of a row is made of: more of it would decide what is inconclusive.
pub(super) fn unit_word(row: &Row, method: &Method) -> &'static str {
    if method.boot.is_none() || row.candidate.unit == Some(Unit::Boot) { "boot" } else { "trial" }
}

/// What could have been missed, and how much more measuring would decide.
fn inconclusive(row: &Row, method: &Method) -> String {
    let made = row.baseline.values.len().min(row.candidate.values.len());
    let needed = match row.trials_needed {
        // There are enough to see a change of the margin: it is this one that is neither that large nor clearly smaller.
        Some(needed) if needed as usize <= made => Value::from("near"),
        needed => Value::from(needed),
    };
    let cause = match (method.boot, method.occasion) {
        (Some(_), _) => "boot",
        (None, Some(_)) => "occasion",
        (None, None) => "cell",
    };
    let facts = context! {
        note => "inconclusive",
        missed => row.mde_percent.map(spread),
        needed,
        unit => unit_word(row, method),
        cause,
        is_futile => row.is_futile && method.options.looks == Looks::Two && method.look < 2,
    };
    template::fill_line("notes", facts)
}

fn note_line(note: Note, row: &Row, method: &Method) -> String {
    let note = match note {
        Note::DetectableBelowMargin => "detectable_below_margin",
        Note::SuspectedRegression => "suspected_regression",
        Note::ImprovementWithheld => "improvement_withheld",
        Note::FailsMore => "fails_more",
        Note::Unbounded => "unbounded",
        Note::Drifted => "drifted",
    };
    let [baseline, candidate] = [&row.baseline, &row.candidate].map(failed);
    template::fill_line("notes", context! { note, family => method.family, baseline, candidate })
}

fn failed(values: &SideValues) -> String {
    format!("{} of {}", values.attempted.saturating_sub(values.served), values.attempted)
}

/// Values far from the others of their side. They count, since nobody knows better than the machine what it does.
fn outliers(row: &Row, extent: &Extent) -> Option<String> {
    let sides = [("baseline", &row.baseline), ("candidate", &row.candidate)];
    let each = sides.into_iter().flat_map(|(side, values)| {
        let those = values.outliers.iter().filter_map(move |place| Some((*place, *values.values.get(*place)?)));
        let unit = if values.unit == Some(Unit::Boot) { "boot" } else { "trial" };
        those.map(move |(place, value)| format!("{side} {unit} {} ({})", place + 1, figure(value, info(row.metric).unit)))
    });
    let each: Vec<String> = each.collect();
    let facts = context! { note => "outliers", count => each.len(), outliers => extent.joined(each.iter().cloned(), ", ") };
    (!each.is_empty()).then(|| template::fill_line("notes", facts))
}
