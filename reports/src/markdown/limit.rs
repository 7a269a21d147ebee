//! How far the cells are from the limit of the machine, where it is known.

use minijinja::{Value, context};
use record::Record;

use super::text::{Table, code};
use crate::{
    number::{Unit, figure},
    roofline::{Distance, Roofline, Utilisation},
    summary::{CellSummary, RunSummary},
    validity::Validity,
};

/// None where machine or model is not described.
pub(super) fn facts(record: &Record, summary: &RunSummary) -> Option<Value> {
    let limits = Roofline::of(&record.header, &record.boots)?;
    let rows: Vec<(&CellSummary, Distance)> = summary.cells.iter().filter_map(|cell| Some((cell, over(cell)?))).collect();
    let heads =
        ["Cell", "Decode tok/s, all streams", "Decode ceiling", "MBU", "Prefill tok/s, all streams", "Prefill ceiling", "MFU"];
    let mut table = Table::new(&heads, 1);
    for (cell, distance) in &rows {
        let figures = [distance.decode, distance.prefill].into_iter().flat_map(columns);
        table.row(std::iter::once(code(&cell.cell.name())).chain(figures));
    }
    let (machine, model) = (&limits.machine, &limits.model);
    (!rows.is_empty()).then(|| {
        context! {
            machine => code(&machine.name),
            bandwidth_gb_s => machine.bandwidth_gb_s.to_string(),
            tflops => (limits.flops() / 1e12).to_string(),
            precision => format!("{:?}", model.computes_in).to_ascii_uppercase(),
            model => code(&model.name),
            table => table.markdown(),
        }
    })
}

/// The mean over the trials that count.
pub(super) fn over(cell: &CellSummary) -> Option<Distance> {
    let counted = cell.trials.iter().filter(|trial| trial.validity != Validity::Invalid).map(|trial| &trial.distance);
    let distances: Vec<&Distance> = counted.collect();
    let over = |one: fn(&Distance) -> Option<Utilisation>| {
        mean(&distances.iter().filter_map(|distance| one(distance)).collect::<Vec<_>>())
    };
    let all = Distance { decode: over(|distance| distance.decode), prefill: over(|distance| distance.prefill) };
    (!all.is_empty()).then_some(all)
}

fn mean(reaches: &[Utilisation]) -> Option<Utilisation> {
    let n = reaches.len() as f64;
    let mean = |one: fn(&Utilisation) -> f64| reaches.iter().map(one).sum::<f64>() / n;
    (n > 0.0).then(|| Utilisation {
        tok_s: mean(|reach| reach.tok_s),
        share: mean(|reach| reach.share),
        sure_share: mean(|reach| reach.sure_share),
    })
}

fn columns(reach: Option<Utilisation>) -> [String; 3] {
    reach.map_or(["-", "-", "-"].map(str::to_owned), |reach| {
        let [rate, ceiling] = [reach.tok_s, reach.ceiling_tok_s()].map(|rate| figure(rate, Unit::Plain));
        [rate, ceiling, figure(reach.share, Unit::Share)]
    })
}
