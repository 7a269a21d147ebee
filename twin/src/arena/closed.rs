//! llama-benchy's tables (version 0.4.0), as Markdown.

use crate::{
    fit::{Measurement, Quantity, Trial},
    nearest::nearest_u32,
    quantile::quantile,
};

/// The columns of its tables for several streams, by their headers.
const COLUMNS: [&str; 9] =
    ["model", TEST, TOTAL_TOK_S, REQUEST_TOK_S, "peak t/s", "peak t/s (req)", FIRST_RESPONSE_MS, PREFILL_MS, "e2e_ttft (ms)"];
const TEST: &str = "test";
const TOTAL_TOK_S: &str = "t/s (total)";
const REQUEST_TOK_S: &str = "t/s (req)";
const FIRST_RESPONSE_MS: &str = "ttfr (ms)";
const PREFILL_MS: &str = "est_ppt (ms)";

/// Why a table cannot be read: a column that is not what it is taken for would be fitted in silence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTable {
    /// A column that is needed.
    #[error("the table has no column `{0}`; llama-benchy 0.4.0 writes it where it measures several streams")]
    NoColumn(&'static str),
    /// A column that is not known.
    #[error("the table has a column `{0}`, which llama-benchy 0.4.0 does not write")]
    UnknownColumn(String),
    /// A column that could be either of two.
    #[error("the table has the column `{0}` twice")]
    Twice(&'static str),
}

/// Rows with more streams are skipped as misread.
const MAX_STREAMS: u32 = 10_000;

/// A row pair of a table: the prefill row and the decode row of one load.
#[derive(Debug, Clone, Default)]
pub(super) struct RowPair {
    prompt_tokens: f64,
    streams: u32,
    output_tokens: u32,
    prefill_tok_s: Option<(f64, f64)>,
    ttft_ms: Option<(f64, f64)>,
    /// The same less the latency that was measured beforehand.
    prefill_ms: Option<(f64, f64)>,
    decode_tok_s: Option<(f64, f64)>,
    output_tok_s: Option<(f64, f64)>,
}

/// The closed loops of several tables.
///
/// Prompts were cut with another model's tokenizer and are about a tenth shorter than asked. The tables show by how much: with one
/// stream, their prefill rate is the server's count of prompt tokens over the time that they show too.
pub(super) fn trials(pairs: &[RowPair]) -> Vec<Trial> {
    let mut shares: Vec<_> =
        pairs.iter().filter(|pair| pair.streams == 1 && pair.prompt_tokens >= 4096.0).filter_map(share).collect();
    shares.sort_by(f64::total_cmp);
    let share = if shares.is_empty() { 1.0 } else { quantile(&shares, 0.5) };
    pairs.iter().map(|pair| trial(pair, share)).collect()
}

/// How many prompt tokens there were for each that was asked for.
fn share(pair: &RowPair) -> Option<f64> {
    let ((tok_s, _), (ms, _)) = (pair.prefill_tok_s?, pair.prefill_ms?);
    Some(tok_s * ms / 1e3 / pair.prompt_tokens)
}

fn trial(pair: &RowPair, share: f64) -> Trial {
    let prompt_tokens = nearest_u32(pair.prompt_tokens * share).max(1);
    let measurement = |quantity, figure: Option<(f64, f64)>, sd: fn((f64, f64)) -> f64| {
        figure.filter(|&(value, _)| value > 0.0).map(|figure| Measurement { quantity, value: figure.0, sd: sd(figure) })
    };
    let alone = pair.streams == 1;
    let ttft_s = pair.ttft_ms.map(|(mean, sd)| (mean / 1e3, sd / 1e3));
    let observed = [
        // With one stream, of three runs; with several, the spread shown is the one within a wave, which is no error.
        measurement(Quantity::TtftMean, ttft_s, if alone { |(mean, sd)| sd / mean / 3f64.sqrt() } else { |_| 0.025 }),
        measurement(Quantity::PrefillTokS, pair.prefill_tok_s.filter(|_| !alone), |_| 0.025),
        measurement(Quantity::DecodeTokS, pair.decode_tok_s, |_| 0.015),
        // It hangs on the longest answer of a wave.
        measurement(Quantity::OutputTokS, pair.output_tok_s.filter(|_| !alone), |_| 0.06),
    ];
    Trial {
        name: format!("{} streams, {prompt_tokens} to {} tokens", pair.streams, pair.output_tokens),
        streams: pair.streams,
        requests: vec![(prompt_tokens, pair.output_tokens.max(1)); pair.streams as usize],
        // It sends no `ignore_eos`.
        may_end_early: true,
        observed: observed.into_iter().flatten().collect(),
    }
}

/// The row pairs of a page's tables. Tables without a test in any row are not llama-benchy's and are skipped.
pub(super) fn pairs(page: &str) -> Result<Vec<RowPair>, BadTable> {
    let lines: Vec<_> = page.lines().map(cells).collect();
    let mut pairs = Vec::new();
    for table in lines.split(Option::is_none) {
        let rows: Vec<_> = table.iter().flatten().collect();
        let is_benchmark = rows.iter().any(|row| row.iter().any(|cell| test(cell).is_some()));
        if let Some((headers, rows)) = rows.split_first().filter(|_| is_benchmark) {
            let columns = Columns::read(headers)?;
            let mut rows_of_table = Vec::new();
            for row in rows {
                columns.take(row, &mut rows_of_table);
            }
            pairs.append(&mut rows_of_table);
        }
    }
    pairs.retain(|pair: &RowPair| pair.output_tokens > 0);
    Ok(pairs)
}

/// The cells of a table's line; none if it is not one.
fn cells(line: &str) -> Option<Vec<&str>> {
    let line = line.trim_end().strip_prefix('|')?;
    Some(line.strip_suffix('|').unwrap_or(line).split('|').map(str::trim).collect())
}

/// Where the columns of a table are.
struct Columns {
    test: usize,
    total_tok_s: usize,
    request_tok_s: usize,
    first_response_ms: usize,
    prefill_ms: usize,
}

impl Columns {
    fn read(headers: &[&str]) -> Result<Self, BadTable> {
        if let Some(unknown) = headers.iter().find(|header| !COLUMNS.contains(header)) {
            return Err(BadTable::UnknownColumn((*unknown).to_owned()));
        }
        let place = |name: &'static str| {
            let mut places = (0..headers.len()).filter(|&at| headers[at] == name);
            let place = places.next().ok_or(BadTable::NoColumn(name))?;
            places.next().map_or(Ok(place), |_| Err(BadTable::Twice(name)))
        };
        Ok(Self {
            test: place(TEST)?,
            total_tok_s: place(TOTAL_TOK_S)?,
            request_tok_s: place(REQUEST_TOK_S)?,
            first_response_ms: place(FIRST_RESPONSE_MS)?,
            prefill_ms: place(PREFILL_MS)?,
        })
    }

    /// Adds a row's pair, or its decode row to the pair before.
    fn take(&self, row: &[&str], pairs: &mut Vec<RowPair>) {
        let Some((kind, tokens, depth, streams)) = row.get(self.test).and_then(|name| test(name)) else { return };
        let figure = |column: usize| row.get(column).and_then(|cell| mean_and_sd(cell));
        if kind == "pp" {
            let prompt_tokens = f64::from(tokens) + f64::from(depth);
            let (ttft_ms, prefill_ms) = (figure(self.first_response_ms), figure(self.prefill_ms));
            let prefill_tok_s = figure(self.total_tok_s);
            pairs.push(RowPair { prompt_tokens, streams, prefill_tok_s, ttft_ms, prefill_ms, ..RowPair::default() });
        } else if let Some(pair) = pairs.last_mut() {
            pair.output_tokens = tokens;
            (pair.output_tok_s, pair.decode_tok_s) = (figure(self.total_tok_s), figure(self.request_tok_s));
        }
    }
}

/// `pp2048 @ d4 (c5)`: its kind, tokens, depth and streams.
fn test(name: &str) -> Option<(&str, u32, u32, u32)> {
    let (kind, rest) = name.split_at_checked(2).filter(|(kind, _)| matches!(*kind, "pp" | "tg"))?;
    let (size, streams) = rest.split_once(" (c")?;
    let (tokens, depth) = size.split_once(" @ d").unwrap_or((size, "0"));
    Some((
        kind,
        tokens.parse().ok()?,
        depth.parse().ok()?,
        streams.strip_suffix(')')?.parse().ok().filter(|streams| (1..=MAX_STREAMS).contains(streams))?,
    ))
}

/// `518.76 ± 36.72`.
fn mean_and_sd(cell: &str) -> Option<(f64, f64)> {
    let (mean, sd) = cell.split_once('±')?;
    let number = |text: &str| text.trim().parse().ok().filter(|value: &f64| value.is_finite());
    Some((number(mean)?, number(sd)?))
}

#[cfg(test)]
mod tests {
    use super::{BadTable, cells, pairs, test, trials};

    /// In the form of llama-benchy's, with figures of our own.
    const TABLE: &str = "\
| model |            test |     t/s (total) |       t/s (req) |     peak t/s | peak t/s (req) |      ttfr (ms) |   est_ppt (ms) |  e2e_ttft (ms) |
|:------|----------------:|----------------:|----------------:|-------------:|---------------:|---------------:|---------------:|---------------:|
| m     |     pp8000 (c1) |  3600.00 ± 10.0 |  3600.00 ± 10.0 |              |                | 2100.00 ± 21.0 | 2000.00 ± 21.0 | 2100.00 ± 21.0 |
| m     |      tg256 (c1) |    30.00 ± 0.10 |    30.00 ± 0.10 | 31.00 ± 0.00 |   31.00 ± 0.00 |                |                |                |
| m     | pp512 @ d8 (c5) |  4000.00 ± 10.0 |   900.00 ± 10.0 |              |                |  600.00 ± 90.0 |  500.00 ± 90.0 |  600.00 ± 90.0 |
| m     |  tg64 @ d8 (c5) |    60.00 ± 1.00 |    14.00 ± 1.00 | 75.00 ± 0.00 |   15.00 ± 1.00 |                |                |                |
";

    #[test]
    fn rows_become_trials_with_actual_token_counts() {
        let read = trials(&pairs(TABLE).unwrap());
        // 3600 tok/s for 2 s are 7200 tokens, nine tenths of what was asked.
        assert_eq!(
            read.iter().map(|trial| (trial.streams, trial.requests[0])).collect::<Vec<_>>(),
            [(1, (7200, 256)), (5, (468, 64))]
        );
        insta::assert_debug_snapshot!(read[1].observed.iter().map(|seen| (seen.quantity, seen.value)).collect::<Vec<_>>(), @r"
        [
            (
                TtftMean,
                0.6,
            ),
            (
                PrefillTokS,
                4000.0,
            ),
            (
                DecodeTokS,
                14.0,
            ),
            (
                OutputTokS,
                60.0,
            ),
        ]
        ");
        assert_eq!(read[0].observed.len(), 2);
    }

    #[test]
    fn lines_that_are_no_rows_are_skipped() {
        for name in ["pp", "pp12", "tg12 (c0)", "tg12 (c4000000000)", "tg12 (cx)", "ctx_pp @ d5 (c1)", "", "äö (c1)"] {
            assert_eq!(test(name), None, "{name}");
        }
        assert!(pairs("| a | b |\n| 1 | 2 |\n\nno table").unwrap().is_empty());
    }

    /// The table with its columns in another order, and without those that are not in it.
    fn with_columns(order: &[usize]) -> String {
        let row = |line: &str| {
            let cells = cells(line).unwrap();
            format!("| {} |", order.iter().map(|&at| cells[at]).collect::<Vec<_>>().join(" | "))
        };
        TABLE.lines().map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn columns_in_another_order_are_read_by_their_headers() {
        let read = |page: &str| trials(&pairs(page).unwrap());
        for order in [[8, 7, 6, 5, 4, 3, 2, 1, 0], [1, 3, 2, 0, 7, 6, 5, 8, 4]] {
            let page = with_columns(&order);
            assert!(page != TABLE && read(&page) == read(TABLE), "{page}");
        }
        let two = format!("{TABLE}\n{}", with_columns(&[1, 2, 3, 6, 7]));
        assert_eq!(read(&two), [read(TABLE), read(TABLE)].concat(), "each table has its own");
    }

    #[test]
    fn missing_unknown_or_duplicate_column_is_named() {
        let refusal = |page: &str| pairs(page).unwrap_err();
        assert_eq!(refusal(&with_columns(&[0, 1, 2, 4, 6, 7])), BadTable::NoColumn("t/s (req)"));
        assert_eq!(refusal(&TABLE.replace("  test ", " tests ")), BadTable::UnknownColumn("tests".to_owned()));
        assert_eq!(refusal(&with_columns(&[1, 2, 3, 6, 7, 6])), BadTable::Twice("ttfr (ms)"));
        let without_headers = TABLE.lines().skip(2).collect::<Vec<_>>().join("\n");
        assert_eq!(refusal(&without_headers), BadTable::UnknownColumn("m".to_owned()));
    }
}
