//! The gate's table: every figure that a verdict was made of, and in words what the table has no room for.

use record::Metric;

use super::{
    super::{Page, plural, text::Table},
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

pub(super) fn write(page: &mut Page, ruling: &Ruling, extent: &Extent) {
    page.push("## Gate");
    let rows: Vec<&Row> = ruling.gate_rows().collect();
    if rows.is_empty() {
        page.push(if ruling.refusals.is_empty() {
            "There is no gate cell."
        } else {
            "No cell has a verdict, since the two sides are not compared."
        });
        return;
    }
    let verdicts = [Verdict::Refused, Verdict::Insufficient, Verdict::Regressed, Verdict::Inconclusive, Verdict::Improved];
    for sentence in verdicts.iter().filter_map(|verdict| sentence(*verdict, &rows, extent)) {
        page.push(&sentence);
    }
    page.push(&table(&rows, &ruling.method, extent));
    page.push(&means(&rows, &ruling.method));
    let notes = extent.list(grouped(&rows, &ruling.method, extent));
    if !notes.is_empty() {
        page.push(&notes);
    }
}

/// Which cells have that verdict.
fn sentence(verdict: Verdict, rows: &[&Row], extent: &Extent) -> Option<String> {
    let those: Vec<&&Row> = rows.iter().filter(|row| row.verdict == verdict).collect();
    let names = extent.joined(those.iter().map(|row| name(row, extent)), "; ");
    let (word, count, all) = (verdict.word(), those.len(), rows.len());
    (!those.is_empty()).then(|| format!("**{}** ({count} of {all}): {names}.", capital(word)))
}

/// The cell and the metric.
fn name(row: &Row, extent: &Extent) -> String {
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

/// What the columns mean.
fn means(rows: &[&Row], method: &Method) -> String {
    let level = spread_level(method.alpha);
    let is_of = |unit| rows.iter().any(|row| row.baseline.unit == Some(unit) || row.candidate.unit == Some(unit));
    let n = match (is_of(Unit::Boot), is_of(Unit::Trial)) {
        (true, false) => "boots, each the geometric mean of its trials",
        (true, true) => "boots where several boots have several trials, each the geometric mean of them, and trials elsewhere",
        _ if method.boot.is_none() => "trials, each of a boot of its own",
        _ => "trials",
    };
    let adjusted = match method.options.multiplicity {
        Multiplicity::BenjaminiHochberg { .. } => "q",
        Multiplicity::Holm => "p",
    };
    format!(
        "Baseline and candidate: geometric means of n values ({n}), and their coefficient of variation. Change: of the candidate against \
         the baseline, with its {level} interval. Margin: the smallest change worth acting on. MDE: the smallest change that would have \
         been found in 8 of 10 cases. {adjusted}: how easily chance alone makes a cell of a family of {} look that much worse, or better.",
        method.family
    )
}

/// The level of an interval that two one-sided tests at alpha decide by.
pub(super) fn spread_level(alpha: f64) -> String {
    chosen(1.0 - 2.0 * alpha)
}

/// What is to be known of the rows beyond their figures; what several of them share is told once.
fn grouped(rows: &[&Row], method: &Method, extent: &Extent) -> Vec<String> {
    let mut told: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in rows {
        for note in notes(row, method, extent) {
            match told.iter_mut().find(|(other, _)| *other == note) {
                Some((_, those)) => those.push(row),
                None => told.push((note, vec![row])),
            }
        }
    }
    let line = |(note, those): (String, Vec<&Row>)| match those.len() {
        count if count > 1 && count == rows.len() => format!("all {count}: {note}"),
        _ => format!("{}: {note}", extent.joined(those.into_iter().map(|row| name(row, extent)), "; ")),
    };
    told.into_iter().map(line).collect()
}

fn notes(row: &Row, method: &Method, extent: &Extent) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(why) = &row.why {
        said.push(format!("{}: {}", row.verdict.word(), extent.sentence(why)));
    }
    if row.verdict == Verdict::Inconclusive {
        said.push(inconclusive(row, method));
    }
    said.extend(row.notes.iter().map(|note| told(*note, row, method)));
    said.extend(outliers(row, extent));
    said
}

/// What could have been missed, and how much more measuring would tell.
fn inconclusive(row: &Row, method: &Method) -> String {
    let unit = if method.boot.is_none() || row.candidate.unit == Some(Unit::Boot) { "boot" } else { "trial" };
    let missed = row.mde_percent.map(|mde| format!(", could miss up to {}", spread(mde))).unwrap_or_default();
    let made = row.baseline.values.len().min(row.candidate.values.len());
    let needed = match row.trials_needed {
        // There are enough to see a change of the margin: it is this one that is neither that large nor clearly smaller.
        Some(needed) if needed as usize <= made => "the change lies too near the margin".to_owned(),
        Some(needed) => format!("{} per side would tell", plural(needed as usize, unit)),
        None => format!("a thousand {unit}s per side would not tell: {}", too_noisy(method)),
    };
    let is_another_look = method.options.looks == Looks::Two && method.look < 2;
    let futile = if row.is_futile && is_another_look { "; the second look would not" } else { "" };
    format!("inconclusive{missed}; {needed}{futile}")
}

/// Why no number of units is enough, and what to do about it.
fn too_noisy(method: &Method) -> &'static str {
    match (method.boot, method.occasion) {
        (Some(_), _) => "what a single boot adds is too uncertain; boot each side several times",
        (None, Some(_)) => "what an occasion adds is too uncertain; measure both sides interleaved, or calibrate",
        (None, None) => "the cell is too noisy for its margin",
    }
}

fn told(note: Note, row: &Row, method: &Method) -> String {
    match note {
        Note::DetectableBelowMargin => "a change is there, and smaller than the margin".to_owned(),
        Note::SuspectedRegression => format!(
            "a suspected regression: worse by the margin and beyond chance by itself, but not by what is asked in a family of {}",
            method.family
        ),
        Note::ImprovementWithheld => "it would be improved, which one boot cannot show".to_owned(),
        Note::FailsMore => format!("more requests fail: {}, of the baseline {}", failed(&row.candidate), failed(&row.baseline)),
        Note::Unbounded => "a percentile fell among failed requests, and none of the baseline did".to_owned(),
        Note::Drifted => "it drifted while it was measured; boots were interleaved, so this falls on both sides alike".to_owned(),
    }
}

fn failed(values: &SideValues) -> String {
    format!("{} of {}", values.attempted.saturating_sub(values.served), values.attempted)
}

/// Values that stand out. They count, since nobody knows better than the machine what it does.
fn outliers(row: &Row, extent: &Extent) -> Option<String> {
    let sides = [("baseline", &row.baseline), ("candidate", &row.candidate)];
    let each = sides.into_iter().flat_map(|(side, values)| {
        let those = values.outliers.iter().filter_map(move |place| Some((*place, *values.values.get(*place)?)));
        those.map(move |(place, value)| format!("value {} of the {side} ({})", place + 1, figure(value, info(row.metric).unit)))
    });
    let each: Vec<String> = each.collect();
    let stand = if each.len() == 1 { "stands out and counts" } else { "stand out and count" };
    (!each.is_empty()).then(|| format!("{} {stand}", extent.joined(each, ", ")))
}
