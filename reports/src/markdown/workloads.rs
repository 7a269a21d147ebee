//! One table per workload, points as rows, and one with the finer figures.

use record::{Load, Record, Slo};

use super::{
    Page,
    figures::{DISPLAY_ONLY_MEANS, figure, trials},
    text::{Table, code},
};
use crate::summary::{CellSummary, Metric, RunSummary};

/// What each workload of the canonical suite asks. A record carries names only; one that is not here has no lead-in.
const QUESTIONS: [(&str, &str); 9] = [
    ("chat", "Short context: what do one and ten people feel?"),
    ("rag", "Prefill and decode mixed: what do long prompts cost those who are already reading?"),
    ("long-output", "Decode alone: how fast do long answers come?"),
    ("multi-turn", "Growing context: what do conversations gain from the prefix cache?"),
    ("long-prefill", "Long prompts: how long is the silence before the first token?"),
    ("batch", "Aggregate throughput: where is its peak, and where does it fall?"),
    ("office", "An ordinary morning: how long do people wait?"),
    ("sharegpt", "A real mix of lengths: how long do people wait?"),
    ("peak", "Overload: does it queue or break, and how fast does it recover?"),
];

type Column = (&'static str, Metric);

const CLOSED: [Column; 7] = [
    ("TTFT p50", Metric::TtftP50Ns),
    ("TTFT p95", Metric::TtftP95Ns),
    ("TPOT p50", Metric::TpotP50Ns),
    ("Decode tok/s per user", Metric::DecodeTokS),
    ("Prefill tok/s", Metric::PrefillTokS),
    ("Output tok/s, steady", Metric::SteadyOutputTokS),
    ("Peak tok/s", Metric::PeakTokS),
];

const OPEN: [Column; 10] = [
    ("Offered /s", Metric::OfferedPerS),
    ("Achieved /s", Metric::AchievedPerS),
    ("TTFT p50", Metric::TtftP50Ns),
    ("TTFT p95", Metric::TtftP95Ns),
    ("TTFT p99", Metric::TtftP99Ns),
    ("TPOT p50", Metric::TpotP50Ns),
    ("Goodput /s", Metric::GoodputPerS),
    ("Attainment", Metric::Attainment),
    ("In flight, peak", Metric::InFlightPeak),
    ("Recovery", Metric::RecoveryNs),
];

const FINER: [Column; 13] = [
    ("ITL p50", Metric::ItlP50Ns),
    ("ITL p99", Metric::ItlP99Ns),
    ("ICL p50", Metric::IclP50Ns),
    ("ICL p99", Metric::IclP99Ns),
    ("Tokens per chunk", Metric::TokensPerChunk),
    ("TTFE p50", Metric::TtfeP50Ns),
    ("TTFO p50", Metric::TtfoP50Ns),
    ("E2EL p50", Metric::E2elP50Ns),
    ("E2E tok/s per user", Metric::E2eTokS),
    ("Output tok/s, whole trial", Metric::OutputTokS),
    ("In flight, mean", Metric::InFlightMean),
    ("Prefix hits", Metric::PrefixHitShare),
    ("Send lag, worst", Metric::SendLagMaxNs),
];

/// How the tables are to be read.
const MEANS: &str = "\
- Means over trials ± half of their 90 % interval.
- ∞: the percentile fell among failed requests, in so many of the trials.
- ";

pub(super) fn write(page: &mut Page, record: &Record, summary: &RunSummary) {
    let mut workloads: Vec<&str> = Vec::new();
    for cell in &summary.cells {
        if !workloads.contains(&cell.cell.workload.as_str()) {
            workloads.push(&cell.cell.workload);
        }
    }
    if workloads.is_empty() {
        return;
    }
    page.push("## Workloads");
    page.push(&format!("{MEANS}{DISPLAY_ONLY_MEANS}"));
    for workload in workloads {
        let cells: Vec<_> = summary.cells.iter().filter(|cell| cell.cell.workload == workload).collect();
        write_one(page, record, workload, &cells);
    }
    write_finer(page, summary);
}

fn write_one(page: &mut Page, record: &Record, workload: &str, cells: &[&CellSummary]) {
    page.push(&format!("### {}", code(workload)));
    if let Some((_, question)) = QUESTIONS.iter().find(|(name, _)| *name == workload) {
        page.push(question);
    }
    let (open, closed): (Vec<&CellSummary>, Vec<&CellSummary>) = cells.iter().partition(|cell| cell.cell.load.is_open());
    for (cells, columns) in [(closed, &CLOSED[..]), (open, &OPEN[..])] {
        if !cells.is_empty() {
            page.push(&table(&cells, columns));
        }
    }
    if let Some(slo) = cells.iter().find_map(|cell| cell.cell.slo) {
        page.push(&slo_line(slo));
    }
    if workload == "sharegpt" {
        page.push(&format!("Lengths: {}.", code(&record.header.sharegpt_lengths)));
    }
}

fn slo_line(slo: Slo) -> String {
    format!(
        "A request is good with a TTFT up to {} ms and a TPOT up to {} ms; attainment counts the failed ones as not good.",
        slo.ttft_ms, slo.tpot_ms
    )
}

fn table(cells: &[&CellSummary], columns: &[Column]) -> String {
    let heads: Vec<&str> =
        ["Point", "Load"].into_iter().chain(columns.iter().map(|column| column.0)).chain(["Served", "Trials"]).collect();
    let mut table = Table::new(&heads, 2);
    for cell in cells {
        let figures = columns.iter().map(|&(_, metric)| figure(cell, metric));
        let served = format!("{}/{}", cell.served, cell.attempted);
        table.row([code(&cell.cell.point), load(&cell.cell.load)].into_iter().chain(figures).chain([served, trials(cell)]));
    }
    table.markdown().to_owned()
}

fn load(load: &Load) -> String {
    match *load {
        Load::Closed { streams, .. } => super::plural(streams as usize, "stream"),
        Load::Conversations { conversations, .. } => super::plural(conversations as usize, "conversation"),
        Load::Open { rate_per_s, requests, .. } if rate_per_s > 0.0 => {
            format!(
                "{} at {}/s",
                super::plural(requests as usize, "request"),
                crate::number::figure(rate_per_s, crate::number::Unit::Plain)
            )
        }
        Load::Open { requests, .. } => format!("{} at once", super::plural(requests as usize, "request")),
    }
}

fn write_finer(page: &mut Page, summary: &RunSummary) {
    let heads: Vec<&str> = ["Cell"].into_iter().chain(FINER.iter().map(|column| column.0)).collect();
    let mut table = Table::new(&heads, 1);
    for cell in &summary.cells {
        table.row([code(&cell.cell.name())].into_iter().chain(FINER.iter().map(|&(_, metric)| figure(cell, metric))));
    }
    page.push("### Finer figures");
    page.push(table.markdown());
}
