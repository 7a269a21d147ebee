//! The figures outside of the gate: they advise, and no verdict is made of them.

use super::{
    super::{Page, each_once, plural, text::Table},
    extent::Extent,
    gate::{changed, values},
};
use crate::{
    judge::{Row, Ruling},
    metric::info,
    number::{Unit, figure},
};

pub(super) fn write(page: &mut Page, ruling: &Ruling, extent: &Extent) {
    let rows: Vec<&Row> = ruling.advisory_rows().collect();
    if !extent.advice || (rows.is_empty() && ruling.ratios.is_empty()) {
        return;
    }
    page.push("## Workloads");
    let mut folded = Page::default();
    folded.push("These figures advise only: so many are looked at that some move by chance alone, and their intervals are not made wider for it.");
    for workload in each_once(rows.iter().map(|row| row.workload.as_str())) {
        folded.push(&format!("### {}", extent.code(workload)));
        folded.push(&table(rows.iter().filter(|row| row.workload == workload), extent));
    }
    if !ruling.ratios.is_empty() {
        folded.push("### Ratios");
        folded.push("Candidate over baseline, as the geometric mean over all cells of a workload; no verdict is made of it.");
        folded.push(&ratios(ruling, extent));
    }
    let summary = match rows.len() {
        0 => "Ratios".to_owned(),
        count => plural(count, "further figure"),
    };
    page.push(&format!("<details>\n<summary>{summary} by workload, without verdicts</summary>\n\n{}\n</details>\n", folded.0));
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
