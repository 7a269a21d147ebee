//! The server's own account beside the client's: token counts must agree, and its queue explains what the client waits for.

use minijinja::{Value, context};

use super::text::{code, sparse_table};
use crate::{
    metrics::ServerAccount,
    number::{Unit, figure},
    summary::{CellSummary, RunSummary},
    validity::Validity,
};

/// None where no server said anything of itself.
pub(super) fn facts(summary: &RunSummary) -> Option<Value> {
    let cells: Vec<(String, ServerAccount)> =
        summary.cells.iter().filter_map(|cell| Some((cell.cell.name(), over(cell)?))).collect();
    let tables = [&TOKENS[..], &TIMES, &LOAD, &DRAFTS].map(|columns| part(&cells, columns));
    if tables.iter().all(Option::is_none) {
        return None;
    }
    let [tokens, times, load, drafts] = tables;
    Some(context! { tokens, times, load, drafts })
}

fn over(cell: &CellSummary) -> Option<ServerAccount> {
    let counted = cell.trials.iter().filter(|trial| trial.validity != Validity::Invalid);
    let sides: Vec<ServerAccount> = counted.filter_map(|trial| trial.server_account).collect();
    (!sides.is_empty()).then(|| ServerAccount::over(&sides))
}

/// A column: its head, and its value as text.
type Column = (&'static str, fn(&ServerAccount) -> Option<String>);

const TOKENS: [Column; 6] = [
    ("Output tokens, server", |sides| count(sides.server_output_tokens)),
    ("Output tokens, client", |sides| count(sides.client_output_tokens)),
    ("Prompt tokens, server", |sides| count(sides.server_prompt_tokens)),
    ("Prompt tokens, client", |sides| count(sides.client_prompt_tokens)),
    ("Prefix hits", |sides| share(sides.prefix_hit_share)),
    ("Preemptions", |sides| count(sides.preemptions)),
];

const TIMES: [Column; 9] = [
    ("TTFT, client", |sides| time(sides.client_ttft_ns)),
    ("TTFT, server", |sides| time(sides.server_ttft_ns)),
    ("Queue", |sides| time(sides.queue_ns)),
    ("Queue explains", |sides| share(sides.queue_share()).map(|share| format!("{share} of TTFT"))),
    ("Load of the model", |sides| time(sides.load_ns)),
    ("Prefill", |sides| time(sides.prefill_ns)),
    ("Rest of TTFT", |sides| time(sides.rest_of_ttft_ns())),
    ("Decode, server", |sides| time(sides.decode_ns)),
    ("Decode, client", |sides| time(sides.client_decode_ns)),
];

const LOAD: [Column; 3] = [
    ("Running, peak", |sides| count(sides.running_peak)),
    ("Waiting, peak", |sides| count(sides.waiting_peak)),
    ("KV cache in use, peak", |sides| share(sides.kv_usage_peak)),
];

const DRAFTS: [Column; 2] =
    [("Tokens per step", |sides| plain(sides.tokens_per_step)), ("Drafted tokens accepted", |sides| share(sides.accepted_share))];

/// One table; none without anything from the server.
fn part(cells: &[(String, ServerAccount)], columns: &[Column]) -> Option<String> {
    let is_servers = |head: &str| !head.ends_with(", client");
    let rows = cells.iter().filter_map(|(name, sides)| {
        let figures: Vec<Option<String>> = columns.iter().map(|(_, of)| of(sides)).collect();
        let is_told = columns.iter().zip(&figures).any(|((head, _), figure)| is_servers(head) && figure.is_some());
        is_told.then(|| std::iter::once(Some(code(name))).chain(figures).collect())
    });
    let rows: Vec<Vec<Option<String>>> = rows.collect();
    let heads: Vec<&str> = std::iter::once("Cell").chain(columns.iter().map(|(head, _)| *head)).collect();
    (!rows.is_empty()).then(|| sparse_table(&heads, 1, &rows))
}

/// To the last digit: counts are compared.
fn count(of: Option<f64>) -> Option<String> {
    of.filter(|count| count.is_finite()).map(|count| format!("{count:.0}"))
}

fn time(ns: Option<f64>) -> Option<String> {
    ns.map(|ns| figure(ns, Unit::Time))
}

fn share(of: Option<f64>) -> Option<String> {
    of.map(|share| figure(share, Unit::Share))
}

fn plain(of: Option<f64>) -> Option<String> {
    of.map(|value| figure(value, Unit::Plain))
}
