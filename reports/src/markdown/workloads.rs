//! One table per workload, points as rows, and one with the finer figures.

use std::collections::BTreeSet;

use record::{Arrival, Cell, Length, Load, Metric, PrefixReuse, Record, Slo, Trial, recipe::PrefixCache};

use super::{
    Page, each_once,
    figures::{DISPLAY_ONLY_MEANS, figure, trials},
    text::{Table, code},
};
use crate::{
    metric::info,
    number::{self, Unit},
    summary::{CellSummary, RunSummary},
};

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

const CLOSED: [Metric; 8] = [
    Metric::TtftP50Ns,
    Metric::TtftP95Ns,
    Metric::TpotP50Ns,
    Metric::DecodeTokS,
    Metric::PrefillTokS,
    Metric::SteadyOutputTokS,
    Metric::OutputTokS,
    Metric::PeakTokS,
];

const OPEN: [Metric; 10] = [
    Metric::OfferedPerS,
    Metric::AchievedPerS,
    Metric::TtftP50Ns,
    Metric::TtftP95Ns,
    Metric::TtftP99Ns,
    Metric::TpotP50Ns,
    Metric::GoodputPerS,
    Metric::Attainment,
    Metric::InFlightPeak,
    Metric::RecoveryNs,
];

const FINER: [Metric; 13] = [
    Metric::ItlP50Ns,
    Metric::ItlP99Ns,
    Metric::IclP50Ns,
    Metric::IclP99Ns,
    Metric::TokensPerChunk,
    Metric::TtfeP50Ns,
    Metric::TtfoP50Ns,
    Metric::E2elP50Ns,
    Metric::E2eTokS,
    Metric::OutputTokS,
    Metric::InFlightMean,
    Metric::PrefixHitShare,
    Metric::SendLagMaxNs,
];

/// How the tables are to be read.
const MEANS: &str = "\
- Means over trials ± half of their 90 % interval; over boots, where several boots have several trials.
- Load: tokens of a prompt → tokens of its answer, and requests in a trial: streams × requests of each, one after another.
- Output tok/s: in the steady state, and over the whole trial with its ramps.
- `-`: not defined. No steady state: in-flight was not >= 95 % of the target for max(10 s, 10 % of the trial). No peak: the trial took less than 1 s, or its tokens are not known. Prefill is a rate at one stream only.
- (n of m): only so many of the trials define it.
- ∞: the percentile fell among failed requests, in so many of the trials.
- ";

pub(super) fn write(page: &mut Page, record: &Record, summary: &RunSummary) {
    let workloads = each_once(summary.cells.iter().map(|cell| cell.cell.workload.as_str()));
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
    let measured: Vec<&Trial> = record.trials.iter().filter(|trial| trial.cell.workload == workload).collect();
    page.push(&warm_up_line(&measured));
    if let Some(line) = schema_line(&measured) {
        page.push(&line);
    }
    let is_shared = cells.iter().any(|cell| cell.cell.prefix_reuse == PrefixReuse::Allowed);
    if is_shared && record.header.recipe.prefix_cache == PrefixCache::Off {
        page.push(
            "The recipe turns the engine's prefix cache off: the context that requests share is read again in each of them.",
        );
    }
    if let Some(slo) = cells.iter().find_map(|cell| cell.cell.slo) {
        page.push(&slo_line(slo));
    }
    if workload == "sharegpt" {
        page.push(&format!("Lengths: {}.", code(&record.header.sharegpt_lengths)));
    }
}

fn warm_up_line(trials: &[&Trial]) -> String {
    let requests: BTreeSet<u32> = trials.iter().map(|trial| trial.warm_up.requests).collect();
    let most = requests.last().copied().unwrap_or(0);
    let range = requests.first().filter(|least| **least < most).map(|least| format!("{least} to ")).unwrap_or_default();
    format!("Warm-up before each trial, not measured: {range}{}.", super::plural(most as usize, "request"))
}

/// Whether JSON by schema was really asked for, where the workload wants it.
fn schema_line(trials: &[&Trial]) -> Option<String> {
    const CANNOT: &str = "the dialect cannot force a length together with a schema";
    let wanted = trials.iter().filter(|trial| trial.cell.structured).flat_map(|trial| &trial.observations);
    let (mut sent, mut asked) = (0, 0);
    for observation in wanted.filter(|one| one.send_ns.is_some()) {
        sent += 1;
        asked += usize::from(observation.structured);
    }
    match asked {
        _ if sent == 0 => None,
        0 => Some(format!("JSON by schema was asked for in none of {sent} requests: {CANNOT}.")),
        _ if asked == sent => Some(format!("JSON by schema was asked for in all {sent} requests.")),
        _ => Some(format!("JSON by schema was asked for in {asked} of {sent} requests: for the others {CANNOT}.")),
    }
}

fn slo_line(slo: Slo) -> String {
    format!(
        "A request is good with a TTFT up to {} ms and a TPOT up to {} ms; attainment counts the failed ones as not good.",
        slo.ttft_ms, slo.tpot_ms
    )
}

fn table(cells: &[&CellSummary], columns: &[Metric]) -> String {
    let columns: Vec<Metric> =
        columns.iter().copied().filter(|&metric| metric != Metric::PrefillTokS || any(cells, metric)).collect();
    let heads: Vec<&str> =
        ["Point", "Load"].into_iter().chain(columns.iter().copied().map(heading)).chain(["Served", "Trials"]).collect();
    let mut table = Table::new(&heads, 2);
    for cell in cells {
        let figures = columns.iter().map(|&metric| figure(cell, metric));
        let served = if cell.units == 0 { "-".to_owned() } else { format!("{}/{}", cell.served, cell.attempted) };
        table.row([code(&cell.cell.point), load(&cell.cell)].into_iter().chain(figures).chain([served, trials(cell)]));
    }
    table.markdown().to_owned()
}

fn heading(metric: Metric) -> &'static str {
    info(metric).heading
}

fn any(cells: &[&CellSummary], metric: Metric) -> bool {
    cells.iter().any(|cell| cell.figure(metric).is_some())
}

/// What is asked of the engine in one trial.
fn load(cell: &Cell) -> String {
    let tokens = format!("{} → {}", length(cell.prompt_tokens), length(cell.output_tokens));
    let requests = match cell.load {
        Load::Closed { streams, requests_per_stream } => format!("{streams} × {}", plural(requests_per_stream, "request")),
        Load::Conversations { conversations, turns } => {
            format!("{} of {}", plural(conversations, "conversation"), plural(turns, "turn"))
        }
        Load::Open { requests, arrival: Arrival::AllAtOnce, .. } => format!("{} at once", plural(requests, "request")),
        Load::Open { rate_per_s, arrival, requests } => {
            let rate = number::figure(rate_per_s, Unit::Plain);
            format!("{} at {rate}/s, {}", plural(requests, "request"), arrivals(arrival))
        }
    };
    format!("{tokens}, {requests}")
}

fn plural(count: u32, one: &str) -> String {
    super::plural(count as usize, one)
}

fn length(length: Length) -> String {
    match length {
        Length::Fixed { tokens } => tokens.to_string(),
        Length::Uniform { low, high } => format!("{low}-{high}"),
        Length::Recorded { high } => format!("up to {high}"),
    }
}

fn arrivals(arrival: Arrival) -> String {
    match arrival {
        Arrival::Constant => "equal gaps".to_owned(),
        Arrival::Poisson => "Poisson".to_owned(),
        Arrival::Gamma { shape } => format!("gamma {shape}"),
        Arrival::AllAtOnce => "at once".to_owned(),
    }
}

fn write_finer(page: &mut Page, summary: &RunSummary) {
    let columns = finer_columns(&summary.cells);
    let heads: Vec<&str> = ["Cell"].into_iter().chain(columns.iter().copied().map(heading)).collect();
    let mut table = Table::new(&heads, 1);
    for cell in &summary.cells {
        table.row([code(&cell.cell.name())].into_iter().chain(columns.iter().map(|&metric| figure(cell, metric))));
    }
    page.push("### Finer figures");
    page.push(table.markdown());
}

/// The finer figures, without ICL where each chunk holds one token: it is ITL there.
fn finer_columns(cells: &[CellSummary]) -> Vec<Metric> {
    let per_chunk = |cell: &CellSummary| cell.figure(Metric::TokensPerChunk).and_then(|over| over.mean);
    let is_itl = cells.iter().filter_map(per_chunk).all(|tokens| number::figure(tokens, Unit::Plain) == "1.00");
    FINER.into_iter().filter(|metric| !(is_itl && matches!(metric, Metric::IclP50Ns | Metric::IclP99Ns))).collect()
}
