//! Three numbers: what one person and many feel, how long a prompt is silent, and what a queue does.

use record::Cell;

use super::{
    Page,
    figures::{DISPLAY_ONLY, DISPLAY_ONLY_MEANS, figure, mean, trials},
    text::{Table, code},
};
use crate::summary::{CellSummary, Metric, RunSummary};

pub(super) fn write(page: &mut Page, summary: &RunSummary) {
    page.push("## Headline");
    let mut table = Table::new(&["", "Cell", "Metric", "Mean ± 90 % interval", "Trials"], 3);
    let mut sentences = Vec::new();
    let rows = [decode(summary), prefill(summary), queueing(summary)];
    for (title, part) in ["Decode", "Prefill", "Queueing"].into_iter().zip(rows) {
        if part.rows.is_empty() {
            table.row([format!("**{title}**"), "-".to_owned(), "not measured".to_owned(), "-".to_owned(), "-".to_owned()]);
        }
        for (cell, name, metric) in part.rows {
            let what = [format!("**{title}**"), code(&cell.cell.name()), name.to_owned()];
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
    rows: Vec<(&'s CellSummary, &'static str, Metric)>,
    sentences: Vec<String>,
}

const DECODE: (&str, Metric) = ("decode tok/s per user", Metric::DecodeTokS);
const TTFT_P50: (&str, Metric) = ("TTFT p50", Metric::TtftP50Ns);
const TTFT_P95: (&str, Metric) = ("TTFT p95", Metric::TtftP95Ns);

fn streams(cell: &Cell) -> u32 {
    cell.load.target_in_flight().unwrap_or(0)
}

fn cells<'s>(summary: &'s RunSummary, workload: &str) -> impl Iterator<Item = &'s CellSummary> {
    summary.cells.iter().filter(move |cell| cell.cell.workload == workload)
}

/// `chat` at one stream and at its most streams.
fn decode(summary: &RunSummary) -> Part<'_> {
    let mut part = Part::default();
    let one = cells(summary, "chat").find(|cell| streams(&cell.cell) == 1);
    let most = cells(summary, "chat").filter(|cell| streams(&cell.cell) > 1).max_by_key(|cell| streams(&cell.cell));
    part.rows.extend(one.into_iter().chain(most).map(|cell| (cell, DECODE.0, DECODE.1)));
    if let Some(rate) = one.and_then(|cell| mean(cell, DECODE.1)) {
        part.sentences.push(format!("one stream alone receives {rate} tokens per second."));
    }
    if let Some((cell, rate)) = most.and_then(|cell| Some((cell, mean(cell, DECODE.1)?))) {
        part.sentences.push(format!("of {} streams at once each receives {rate} tokens per second.", streams(&cell.cell)));
    }
    part
}

/// `long-prefill` at one stream, with its longest prompt.
fn prefill(summary: &RunSummary) -> Part<'_> {
    let mut part = Part::default();
    let alone = cells(summary, "long-prefill").filter(|cell| streams(&cell.cell) == 1);
    let Some(cell) = alone.max_by_key(|cell| cell.cell.prompt_tokens.high()) else { return part };
    part.rows.extend([(cell, "prefill tok/s", Metric::PrefillTokS), (cell, TTFT_P50.0, TTFT_P50.1)]);
    if let Some((rate, ttft)) = mean(cell, Metric::PrefillTokS).zip(mean(cell, Metric::TtftP50Ns)) {
        let tokens = cell.cell.prompt_tokens.high();
        part.sentences.push(format!(
            "a prompt of {tokens} tokens is read at {rate} tokens per second, which is {ttft} of silence before the first token."
        ));
    }
    part
}

/// `office` for an ordinary load and `peak` for one that is too much.
fn queueing(summary: &RunSummary) -> Part<'_> {
    let mut part = Part::default();
    if let Some(cell) = cells(summary, "office").next() {
        part.rows.extend([TTFT_P50, TTFT_P95].map(|(name, metric)| (cell, name, metric)));
        if let Some((half, most)) = mean(cell, Metric::TtftP50Ns).zip(mean(cell, Metric::TtftP95Ns)) {
            part.sentences.push(format!(
                "on an ordinary morning half of the requests wait {half} or less for their first token, 19 in 20 {most} or less."
            ));
        }
    }
    if let Some(cell) = cells(summary, "peak").next() {
        let rates = [("offered requests/s", Metric::OfferedPerS), ("achieved requests/s", Metric::AchievedPerS)];
        part.rows.extend(
            rates.into_iter().chain([TTFT_P95, ("recovery", Metric::RecoveryNs)]).map(|(name, metric)| (cell, name, metric)),
        );
        if let Some((offered, achieved)) = mean(cell, Metric::OfferedPerS).zip(mean(cell, Metric::AchievedPerS)) {
            let recovery = mean(cell, Metric::RecoveryNs);
            let recovery = recovery.map_or("; when it recovered is not known".to_owned(), |time| {
                format!("; {time} after the last arrival nothing waits for its first token any more")
            });
            part.sentences.push(format!("at the peak {offered} requests per second arrive and {achieved} are served{recovery}."));
        }
    }
    part
}
