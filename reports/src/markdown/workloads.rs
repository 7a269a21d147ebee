//! One table per workload, points as rows, and one with the further figures of all cells.

use std::collections::BTreeSet;

use minijinja::{Value, context};
use record::{Arrival, Cell, Length, Load, Metric, PrefixReuse, Record, Slo, Trial, recipe::PrefixCache};

use super::{
    each_once,
    figures::{figure, trials},
    text::{Table, code},
};
use crate::{
    metric::info,
    number::{self, Unit},
    summary::{self, CellSummary, RunSummary},
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
    ("sharegpt", "A mix of lengths as in real chats: how long do people wait?"),
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

pub(super) fn facts(record: &Record, summary: &RunSummary) -> Value {
    let names = each_once(summary.cells.iter().map(|cell| cell.cell.workload.as_str()));
    let of = |name: &str| summary.cells.iter().filter(|cell| cell.cell.workload == name).collect::<Vec<_>>();
    let workloads: Vec<Value> = names.iter().map(|name| workload(record, name, &of(name))).collect();
    let warm_ups = names.iter().map(|name| context! { workload => code(name), requests => warm_up(&trials_of(record, name)) });
    context! {
        workloads,
        over_boots => summary.cells.iter().any(|cell| cell.unit == summary::Unit::Boot),
        slo_lines => slo_lines(summary),
        finer => finer(summary),
        warm_ups => warm_ups.collect::<Vec<_>>(),
    }
}

fn trials_of<'r>(record: &'r Record, workload: &str) -> Vec<&'r Trial> {
    record.trials.iter().filter(|trial| trial.cell.workload == workload).collect()
}

fn workload(record: &Record, name: &str, cells: &[&CellSummary]) -> Value {
    let (open, closed): (Vec<&CellSummary>, Vec<&CellSummary>) = cells.iter().partition(|cell| cell.cell.load.is_open());
    let tables = [(closed, &CLOSED[..]), (open, &OPEN[..])];
    let tables = tables.into_iter().filter(|(cells, _)| !cells.is_empty()).map(|(cells, columns)| table(&cells, columns));
    let is_shared = cells.iter().any(|cell| cell.cell.prefix_reuse == PrefixReuse::Allowed);
    context! {
        name => code(name),
        question => QUESTIONS.iter().find(|(known, _)| *known == name).map(|(_, question)| *question),
        tables => tables.collect::<Vec<_>>(),
        schema => schema(&trials_of(record, name)),
        is_cache_off => is_shared && record.header.recipe.prefix_cache == PrefixCache::Off,
        is_drawn => record.header.sharegpt_lengths.starts_with("drawn"),
        lengths => (name == "sharegpt").then(|| code(&record.header.sharegpt_lengths)),
    }
}

fn warm_up(trials: &[&Trial]) -> String {
    let requests: BTreeSet<u32> = trials.iter().map(|trial| trial.warm_up.requests).collect();
    let most = requests.last().copied().unwrap_or(0);
    let range = requests.first().filter(|least| **least < most).map(|least| format!("{least} to ")).unwrap_or_default();
    format!("{range}{}", plural(most, "request"))
}

/// Of how many requests JSON by schema was asked, where the workload wants it.
fn schema(trials: &[&Trial]) -> Option<Value> {
    let wanted = trials.iter().filter(|trial| trial.cell.structured).flat_map(|trial| &trial.observations);
    let (mut sent, mut asked) = (0, 0);
    for observation in wanted.filter(|one| one.send_ns.is_some()) {
        sent += 1;
        asked += usize::from(observation.structured);
    }
    (sent > 0).then(|| context! { sent, asked })
}

/// Each service level objective once, with the workloads that have it.
fn slo_lines(summary: &RunSummary) -> Vec<Value> {
    let mut groups: Vec<(Slo, Vec<&str>)> = Vec::new();
    for (slo, cell) in summary.cells.iter().filter_map(|cell| Some((cell.cell.slo?, &cell.cell))) {
        match groups.iter_mut().find(|(other, _)| *other == slo) {
            Some((_, workloads)) => workloads.push(&cell.workload),
            None => groups.push((slo, vec![&cell.workload])),
        }
    }
    let line = |(slo, workloads): (Slo, Vec<&str>)| {
        let workloads: Vec<String> = each_once(workloads).into_iter().map(code).collect();
        context! { workloads => workloads.join(", "), ttft_ms => slo.ttft_ms, tpot_ms => slo.tpot_ms }
    };
    groups.into_iter().map(line).collect()
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
pub(super) fn load(cell: &Cell) -> String {
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

fn finer(summary: &RunSummary) -> String {
    let columns = finer_columns(&summary.cells);
    let heads: Vec<&str> = ["Cell"].into_iter().chain(columns.iter().copied().map(heading)).collect();
    let mut table = Table::new(&heads, 1);
    for cell in &summary.cells {
        table.row([code(&cell.cell.name())].into_iter().chain(columns.iter().map(|&metric| figure(cell, metric))));
    }
    table.markdown().to_owned()
}

/// The finer figures, without ICL where each chunk holds one token: it is ITL there.
fn finer_columns(cells: &[CellSummary]) -> Vec<Metric> {
    let per_chunk = |cell: &CellSummary| cell.figure(Metric::TokensPerChunk).and_then(|over| over.mean);
    let is_itl = cells.iter().filter_map(per_chunk).all(|tokens| number::figure(tokens, Unit::Plain) == "1.00");
    FINER.into_iter().filter(|metric| !(is_itl && matches!(metric, Metric::IclP50Ns | Metric::IclP99Ns))).collect()
}
