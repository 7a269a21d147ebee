//! llama-benchy's tables (version 0.4.0), as Markdown.

use crate::{
    fit::{Observed, Quantity, Trial},
    nearest::nearest_u32,
    quantile::quantile,
};

/// Rows with more streams are passed over: nobody measured that.
const MOST_STREAMS: u32 = 10_000;

/// A row pair of a table: the prefill row and the decode row of one load.
#[derive(Debug, Clone, Default)]
struct Pair {
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
pub(super) fn trials<'a>(tables: impl Iterator<Item = &'a str>) -> Vec<Trial> {
    let pairs: Vec<_> = tables.flat_map(pairs).collect();
    let mut shares: Vec<_> =
        pairs.iter().filter(|pair| pair.streams == 1 && pair.prompt_tokens >= 4096.0).filter_map(share).collect();
    shares.sort_by(f64::total_cmp);
    let share = if shares.is_empty() { 1.0 } else { quantile(&shares, 0.5) };
    pairs.iter().map(|pair| trial(pair, share)).collect()
}

/// How many prompt tokens there were for each that was asked for.
fn share(pair: &Pair) -> Option<f64> {
    let ((tok_s, _), (ms, _)) = (pair.prefill_tok_s?, pair.prefill_ms?);
    Some(tok_s * ms / 1e3 / pair.prompt_tokens)
}

fn trial(pair: &Pair, share: f64) -> Trial {
    let prompt_tokens = nearest_u32(pair.prompt_tokens * share).max(1);
    let seen = |quantity, figure: Option<(f64, f64)>, sd: fn((f64, f64)) -> f64| {
        figure.filter(|&(value, _)| value > 0.0).map(|figure| Observed { quantity, value: figure.0, sd: sd(figure) })
    };
    let alone = pair.streams == 1;
    let ttft_s = pair.ttft_ms.map(|(mean, sd)| (mean / 1e3, sd / 1e3));
    let observed = [
        // With one stream, of three runs; with several, the spread shown is the one within a wave, which is no error.
        seen(Quantity::TtftMean, ttft_s, if alone { |(mean, sd)| sd / mean / 3f64.sqrt() } else { |_| 0.025 }),
        seen(Quantity::PrefillTokS, pair.prefill_tok_s.filter(|_| !alone), |_| 0.025),
        seen(Quantity::DecodeTokS, pair.decode_tok_s, |_| 0.015),
        // It hangs on the longest answer of a wave.
        seen(Quantity::OutputTokS, pair.output_tok_s.filter(|_| !alone), |_| 0.06),
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

fn pairs(table: &str) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    for line in table.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some((kind, tokens, depth, streams)) = cells.get(1).and_then(|name| test(name)) else { continue };
        let figure = |column: usize| cells.get(column).and_then(|cell| mean_and_sd(cell));
        if kind == "pp" {
            let prompt_tokens = f64::from(tokens) + f64::from(depth);
            let (prefill_tok_s, ttft_ms, prefill_ms) = (figure(2), figure(6), figure(7));
            pairs.push(Pair { prompt_tokens, streams, prefill_tok_s, ttft_ms, prefill_ms, ..Pair::default() });
        } else if let Some(pair) = pairs.last_mut() {
            (pair.output_tokens, pair.output_tok_s, pair.decode_tok_s) = (tokens, figure(2), figure(3));
        }
    }
    pairs.retain(|pair| pair.output_tokens > 0);
    pairs
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
        streams.strip_suffix(')')?.parse().ok().filter(|streams| (1..=MOST_STREAMS).contains(streams))?,
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
    use super::{test, trials};

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
    fn rows_become_trials_with_the_tokens_that_there_were() {
        let read = trials([TABLE].into_iter());
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
    fn what_is_no_row_is_passed_over() {
        for name in ["pp", "pp12", "tg12 (c0)", "tg12 (c4000000000)", "tg12 (cx)", "ctx_pp @ d5 (c1)", "", "äö (c1)"] {
            assert_eq!(test(name), None, "{name}");
        }
        assert!(trials(["| a | b |", "no table"].into_iter()).is_empty());
    }
}
