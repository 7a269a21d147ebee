//! The figures outside of the gate: they advise, and no verdict is made of them.

use minijinja::{Value, context};

use super::{
    super::{each_once, text::Table},
    extent::Extent,
    gate::{changed, values},
};
use crate::{
    judge::{Row, Ruling},
    metric::info,
    number::{Unit, figure},
};

pub(super) fn facts(ruling: &Ruling, extent: &Extent) -> Value {
    let mut rows: Vec<&Row> = ruling.advisory_rows().collect();
    if !extent.advice || (rows.is_empty() && ruling.ratios.is_empty()) {
        return context! { advice => Value::from(()) };
    }
    // Trials are drawn in an order of their own; a reader looks for 1, 2, 4, 8 streams.
    rows.sort_by_cached_key(|row| natural(&row.cell));
    let names =
        each_once(ruling.ratios.iter().map(|one| one.workload.as_str()).chain(rows.iter().map(|row| row.workload.as_str())));
    let workload = |name: &str| {
        let mut of = rows.iter().filter(|row| row.workload == name).peekable();
        of.peek().is_some().then(|| context! { name => extent.code(name), table => table(of, extent) })
    };
    let advice = context! {
        rows => rows.len(),
        workloads => names.into_iter().filter_map(workload).collect::<Vec<_>>(),
        ratios => (!ruling.ratios.is_empty()).then(|| ratios(ruling, extent)),
    };
    context! { advice }
}

/// A name's parts, its numbers as numbers: `c2` comes before `c10`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts = Vec::new();
    for part in name.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let rest = part[digits.len()..].to_owned();
        parts.push((digits.parse().unwrap_or(0), rest));
    }
    parts
}

fn table<'r>(rows: impl Iterator<Item = &'r &'r Row>, extent: &Extent) -> String {
    let mut table = Table::new(&["Cell", "Metric", "Baseline", "Candidate", "Change"], 2);
    for row in rows {
        let sides = [&row.baseline, &row.candidate].map(|side| values(side, row.metric));
        let what = [extent.code(&row.cell), info(row.metric).title.to_owned()];
        table.row(what.into_iter().chain(sides).chain([changed(row)]));
    }
    table.markdown().to_owned()
}

fn ratios(ruling: &Ruling, extent: &Extent) -> String {
    let mut table = Table::new(&["Workload", "Metric", "Cells", "Ratio"], 2);
    for one in &ruling.ratios {
        let ratio = figure(one.ratio, Unit::Plain);
        table.row([extent.code(&one.workload), info(one.metric).title.to_owned(), one.cells.to_string(), ratio]);
    }
    table.markdown().to_owned()
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn cells_are_sorted_by_their_numbers() {
        let mut names = ["c128", "c16", "p4096-c5", "p16384-c1", "p4096-c10", "c8", "r0.3"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["c8", "c16", "c128", "p4096-c5", "p4096-c10", "p16384-c1", "r0.3"]);
    }
}
