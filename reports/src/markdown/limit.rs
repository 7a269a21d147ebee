//! How far the cells are from the limit of the machine, where it is known.

use record::{Launch, Record};

use super::{
    Page,
    text::{Table, code},
};
use crate::{
    number::{Unit, figure},
    roofline::{Distance, Roofline, Utilisation},
    summary::{CellSummary, RunSummary},
    validity::Validity,
};

const MEANS: &str = "\
- MBU, of memory bandwidth: what the decode steps needed while any request was between its first token and its last. MFU, of arithmetic: what the prompts needed while any waited for its first token.
- The ceiling is the rate at which the same work would have reached 100 %. Both shares are lower bounds: where prefill and decode take turns, each has the other's time against it, and keys and values count one byte per number. A trial above 100 % is suspect, and invalid where neither narrower weights or arithmetic nor tokens that choose the same experts would explain it.
- A GB10 was seen to read 231 to 234 of its 273 GB/s at best (antirez/ds4, issue 773), so that an MBU near 85 % leaves little to gain. Short prompts have a low MFU by nature: reading the weights takes longer than computing with them.";

const SIMULATED: &str =
    "No machine was measured: the limit is that of the machine that is described, and the distance to it is the simulation's.";

/// Writes nothing where machine or model is not described.
pub(super) fn write(page: &mut Page, record: &Record, summary: &RunSummary) {
    let Some(limits) = Roofline::of(&record.header, &record.boots) else { return };
    let rows: Vec<(&CellSummary, Distance)> = summary.cells.iter().filter_map(|cell| Some((cell, over(cell)?))).collect();
    if rows.is_empty() {
        return;
    }
    page.push("## Distance to the limit");
    page.push(&lead(&limits));
    if record.header.launch == Launch::Simulated {
        page.push(SIMULATED);
    }
    page.push(MEANS);
    let heads = ["Cell", "Decode tok/s, all streams", "Ceiling", "MBU", "Prefill tok/s, all streams", "Ceiling", "MFU"];
    let mut table = Table::new(&heads, 1);
    for (cell, distance) in &rows {
        let figures = [distance.decode, distance.prefill].into_iter().flat_map(columns);
        table.row(std::iter::once(code(&cell.cell.name())).chain(figures));
    }
    page.push(table.markdown());
}

fn lead(limits: &Roofline) -> String {
    let (machine, model) = (&limits.machine, &limits.model);
    let precision = format!("{:?}", model.computes_in).to_ascii_uppercase();
    format!(
        "{} reads {} GB/s and computes {} TFLOP/s in {precision}, dense; {} cannot decode or prefill faster than that allows.",
        code(&machine.name),
        machine.bandwidth_gb_s,
        limits.flops() / 1e12,
        code(&model.name),
    )
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
