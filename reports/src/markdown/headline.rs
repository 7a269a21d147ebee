//! Three numbers: what one person and many feel, how long a prompt is silent, and what a queue does.

use record::{Cell, Metric};

use super::{
    Page,
    figures::{DISPLAY_ONLY, DISPLAY_ONLY_MEANS, figure, told, trials},
    text::{Table, code},
};
use crate::{
    metric::info,
    summary::{CellSummary, RunSummary},
};

pub(super) fn write(page: &mut Page, summary: &RunSummary) {
    page.push("## Headline");
    let mut table = Table::new(&["", "Cell", "Metric", "Mean ± 90 % interval", "Trials"], 3);
    let mut sentences = Vec::new();
    let rows = [decode(summary), prefill(summary), queueing(summary)];
    for (title, part) in ["Decode", "Prefill", "Queueing"].into_iter().zip(rows) {
        if part.rows.is_empty() {
            table.row([format!("**{title}**"), "-".to_owned(), "not measured".to_owned(), "-".to_owned(), "-".to_owned()]);
        }
        for (cell, metric) in part.rows {
            let what = [format!("**{title}**"), code(&cell.cell.name()), info(metric).title.to_owned()];
            table.row(what.into_iter().chain([figure(cell, metric), trials(cell)]));
        }
        sentences.extend(part.sentences.into_iter().map(|sentence| format!("- {title}: {sentence}\n")));
    }
    page.push(table.markdown());
    if table.markdown().contains(DISPLAY_ONLY) {
        page.push(DISPLAY_ONLY_MEANS);
    }
    if !sentences.is_empty() {
        page.push(&sentences.concat());
    }
}

/// One of the three numbers: its rows, and what they say.
#[derive(Default)]
struct Part<'s> {
    rows: Vec<(&'s CellSummary, Metric)>,
    sentences: Vec<String>,
}

/// An overload whose requests end at less than this part of the rate at which they arrive has a queue that grows.
const KEEPS_UP_FROM: f64 = 0.95;

fn streams(cell: &Cell) -> u32 {
    cell.load.target_in_flight().unwrap_or(0)
}

fn cells<'s>(summary: &'s RunSummary, workload: &str) -> impl Iterator<Item = &'s CellSummary> {
    summary.cells.iter().filter(move |cell| cell.cell.workload == workload)
}

/// What a sentence about a cell must not keep to itself.
fn failures(cell: &CellSummary) -> String {
    let failed = cell.attempted - cell.served;
    if failed == 0 { String::new() } else { format!(" ({failed} of {} requests failed)", cell.attempted) }
}

/// `chat` at one stream and at its most streams.
fn decode(summary: &RunSummary) -> Part<'_> {
    let mut part = Part::default();
    let one = cells(summary, "chat").find(|cell| streams(&cell.cell) == 1);
    let most = cells(summary, "chat").filter(|cell| streams(&cell.cell) > 1).max_by_key(|cell| streams(&cell.cell));
    part.rows.extend(one.into_iter().chain(most).map(|cell| (cell, Metric::DecodeTokS)));
    if let Some((cell, rate)) = one.and_then(|cell| Some((cell, told(cell, Metric::DecodeTokS)?))) {
        part.sentences.push(format!("one stream alone receives {rate} tokens per second{}.", failures(cell)));
    }
    if let Some((cell, rate)) = most.and_then(|cell| Some((cell, told(cell, Metric::DecodeTokS)?))) {
        let (streams, failures) = (streams(&cell.cell), failures(cell));
        part.sentences.push(format!("of {streams} streams at once each receives {rate} tokens per second{failures}."));
    }
    part
}

/// `long-prefill` at one stream, with its longest prompt.
fn prefill(summary: &RunSummary) -> Part<'_> {
    let mut part = Part::default();
    let alone = cells(summary, "long-prefill").filter(|cell| streams(&cell.cell) == 1);
    let Some(cell) = alone.max_by_key(|cell| cell.cell.prompt_tokens.high()) else { return part };
    part.rows.extend([(cell, Metric::PrefillTokS), (cell, Metric::TtftP50Ns)]);
    if let Some((rate, ttft)) = told(cell, Metric::PrefillTokS).zip(told(cell, Metric::TtftP50Ns)) {
        let (tokens, failures) = (cell.cell.prompt_tokens.high(), failures(cell));
        part.sentences.push(format!(
            "a prompt of {tokens} tokens is read at {rate} tokens per second, which is {ttft} of silence before the first token{failures}."
        ));
    }
    part
}

/// `office` for an ordinary load and `peak` for one that is too much.
fn queueing(summary: &RunSummary) -> Part<'_> {
    let mut part = Part::default();
    if let Some(cell) = cells(summary, "office").next() {
        part.rows.extend([Metric::TtftP50Ns, Metric::TtftP95Ns].map(|metric| (cell, metric)));
        if let Some(half) = told(cell, Metric::TtftP50Ns) {
            let most = told(cell, Metric::TtftP95Ns).map(|most| format!(", 19 in 20 {most} or less")).unwrap_or_default();
            part.sentences.push(format!(
                "on an ordinary morning half of the requests wait {half} or less for their first token{most}{}.",
                failures(cell)
            ));
        }
    }
    if let Some(cell) = cells(summary, "peak").next() {
        let metrics = [Metric::OfferedPerS, Metric::AchievedPerS, Metric::TtftP95Ns, Metric::RecoveryNs];
        part.rows.extend(metrics.map(|metric| (cell, metric)));
        part.sentences.extend(overload(cell));
    }
    part
}

/// Whether an overload queued or broke, and when it was over.
fn overload(cell: &CellSummary) -> Option<String> {
    let (offered, achieved) = told(cell, Metric::OfferedPerS).zip(told(cell, Metric::AchievedPerS))?;
    let mean = |metric| cell.figure(metric)?.mean;
    let keeps_up = mean(Metric::AchievedPerS)? >= mean(Metric::OfferedPerS)? * KEEPS_UP_FROM;
    let (failed, attempted) = (cell.attempted - cell.served, cell.attempted);
    let how = match (failed, keeps_up) {
        (0, true) => format!("it kept up, and none of {attempted} requests failed"),
        (0, false) => format!("it queued, and none of {attempted} requests failed"),
        _ => format!("it broke: {failed} of {attempted} requests failed"),
    };
    let recovery = told(cell, Metric::RecoveryNs).map_or("when it recovered is not known".to_owned(), |time| {
        format!("{time} after the last arrival nothing waits for its first token any more")
    });
    Some(format!("at the peak {offered} requests per second arrive and {achieved} are served; {how}; {recovery}."))
}
