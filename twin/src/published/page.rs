//! The table of what was published and what the twin says, as Markdown.

use std::fmt::Write;

use super::{PredictionError, PublishedData, Row};
use crate::quantile::quantile;

const HEAD: &str = "\
# Published figures and the twin

Made by `cargo xtask regenerate published`; do not edit. Other people's figures, from `twin/published.toml`, which names
their sources; what the twin says follows from `twin/descriptions/`. The sweeps of dendro-logic and the points of LMSYS are also what the
engines there were fitted to, four numbers each, so that this shows how well the shape holds, not how well it predicts; the rows of
models that share an engine with another (Llama 70B, DeepSeek 14B) are predictions.
";

/// Renders `published.md`.
pub fn page(published: &PublishedData) -> Result<String, PredictionError> {
    let mut text = HEAD.to_owned();
    let line = |text: &mut String, row: &Row| {
        let (published, twin, off) = (row.published_tok_s, row.twin_tok_s, row.error() * 100.0);
        // A `String` takes whatever is written.
        let _ = writeln!(text, "| {} | {} | {} | {published:.2} | {twin:.2} | {off:+.1} % |", row.id, row.streams, row.rate);
    };
    for sweep in &published.sweep {
        let rows = sweep.rows()?;
        let (median, worst) = median_and_worst(&rows);
        let _ = writeln!(
            text,
            "\n## {}\n\n{}. Median error {:.1} %, worst {:.1} %.\n",
            sweep.id,
            sweep.source,
            median * 100.0,
            worst * 100.0
        );
        text.push_str(COLUMNS);
        for row in &rows {
            line(&mut text, row);
        }
    }
    let _ = writeln!(text, "\n## Points\n");
    text.push_str(COLUMNS);
    for point in &published.point {
        for row in &point.rows()? {
            line(&mut text, row);
        }
    }
    Ok(text)
}

const COLUMNS: &str = "| what | streams | rate | published, tok/s | twin, tok/s | error |\n|---|---|---|---|---|---|\n";

/// The median and the worst of the absolute relative errors.
pub(super) fn median_and_worst(rows: &[Row]) -> (f64, f64) {
    let mut errors: Vec<_> = rows.iter().map(|row| row.error().abs()).collect();
    errors.sort_by(f64::total_cmp);
    (quantile(&errors, 0.5), quantile(&errors, 1.0))
}
