//! What others published of the same model on the same machine, beside what was measured.

use record::{Cell, Length, Load, Metric, Record};
use twin::published::{PublishedData, published_data};

use super::{
    limit, plural,
    text::{Table, code},
};
use crate::{
    number::{Unit, figure},
    roofline,
    summary::{CellSummary, RunSummary},
};

/// Most rows: they are for orientation.
const MOST_ROWS: usize = 5;

/// A figure of so many times more or fewer streams is not near.
const NEAR_STREAMS: f64 = 2.0;

/// A rate that both sides may know, of all streams together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rate {
    Output,
    Decode,
    Prefill,
}

/// A rate that `twin/published.toml` lists, with the load it was measured at.
struct PublishedFigure<'p> {
    rate: Rate,
    streams: u32,
    prompt_tokens: u32,
    output_tokens: u32,
    is_shared: bool,
    tok_s: f64,
    engine: &'p str,
    source: &'p str,
}

/// A closed loop whose lengths have a middle.
struct MeasuredFigure<'s> {
    cell: &'s Cell,
    streams: u32,
    prompt_tokens: f64,
    output_tokens: f64,
    tok_s: f64,
}

/// The table; none where the model is not known or nobody published anything near.
pub(super) fn table(record: &Record, summary: &RunSummary) -> Option<String> {
    let model = roofline::model(&record.header, &record.boots)?;
    // A table of ours that cannot be read is found by its own test.
    let known = published_data().ok()?;
    let mut pairs: Vec<(PublishedFigure<'_>, MeasuredFigure<'_>)> = rows(&known, &model.name)
        .into_iter()
        .filter_map(|published| nearest(&published, summary).map(|measured| (published, measured)))
        .collect();
    pairs.sort_by(|one, other| distance(&one.0, &one.1).total_cmp(&distance(&other.0, &other.1)));
    let mut shown: Vec<(String, Rate)> = Vec::new();
    pairs.retain(|(published, measured)| {
        let figure = (measured.cell.name(), published.rate);
        let is_new = !shown.contains(&figure);
        shown.push(figure);
        is_new
    });
    pairs.truncate(MOST_ROWS);
    pairs.sort_by_key(|(published, _)| published.streams);
    if pairs.is_empty() {
        return None;
    }
    let heads =
        ["Cell", "Load here", "Engine here", "Load there", "Engine there", "Source", "Rate", "Here, tok/s", "There, tok/s"];
    let mut table = Table::new(&heads, 7);
    for (published, measured) in &pairs {
        let engine = code(record.header.recipe.engine.as_str());
        let texts = [
            code(&measured.cell.name()),
            measured.load(),
            engine,
            published.load(),
            code(published.engine),
            code(published.source),
        ];
        let figures = [measured.tok_s, published.tok_s].map(|rate| figure(rate, Unit::Plain));
        table.row(texts.into_iter().chain([published.rate.word().to_owned()]).chain(figures));
    }
    Some(table.markdown().to_owned())
}

/// Everything that was published of a model.
fn rows<'p>(known: &'p PublishedData, model: &str) -> Vec<PublishedFigure<'p>> {
    let sweeps = known.sweep.iter().filter(|sweep| sweep.model == model).flat_map(|sweep| {
        sweep.streams.iter().zip(&sweep.output_tok_s).map(|(&streams, &tok_s)| PublishedFigure {
            rate: Rate::Output,
            streams,
            prompt_tokens: sweep.prompt_tokens,
            output_tokens: sweep.output_tokens,
            is_shared: sweep.shared_prompt,
            tok_s,
            engine: &sweep.engine,
            source: &sweep.source,
        })
    });
    let points = known.point.iter().filter(|point| point.model == model).flat_map(|point| {
        [(Rate::Decode, point.decode_tok_s), (Rate::Prefill, point.prefill_tok_s)].map(|(rate, tok_s)| PublishedFigure {
            rate,
            streams: point.streams,
            prompt_tokens: point.prompt_tokens,
            output_tokens: point.output_tokens,
            is_shared: false,
            tok_s,
            engine: &point.engine,
            source: &point.source,
        })
    });
    sweeps.chain(points).collect()
}

/// The cell whose load is most like a published load; none that is near.
fn nearest<'s>(published: &PublishedFigure<'_>, summary: &'s RunSummary) -> Option<MeasuredFigure<'s>> {
    let near = summary
        .cells
        .iter()
        .filter_map(|cell| MeasuredFigure::of(cell, published.rate))
        .filter(|measured| apart(f64::from(measured.streams), f64::from(published.streams)) <= NEAR_STREAMS);
    near.min_by(|one, other| distance(published, one).total_cmp(&distance(published, other)))
}

/// How unlike two loads are: by streams first, then by lengths.
fn distance(published: &PublishedFigure<'_>, measured: &MeasuredFigure<'_>) -> f64 {
    const STREAMS_FIRST: f64 = 1e6;
    let lengths = apart(measured.prompt_tokens, published.prompt_tokens.into())
        * apart(measured.output_tokens, published.output_tokens.into());
    apart(measured.streams.into(), published.streams.into()) * STREAMS_FIRST + lengths
}

/// How many times the larger of two is the smaller.
fn apart(one: f64, other: f64) -> f64 {
    (one / other).max(other / one)
}

impl Rate {
    fn word(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Decode => "decode",
            Self::Prefill => "prefill",
        }
    }
}

impl<'s> MeasuredFigure<'s> {
    fn of(cell: &'s CellSummary, rate: Rate) -> Option<Self> {
        let Load::Closed { streams, .. } = cell.cell.load else { return None };
        let tok_s = match rate {
            Rate::Output => cell.figure(Metric::OutputTokS)?.mean?,
            Rate::Decode => limit::over(cell)?.decode?.tok_s,
            Rate::Prefill => limit::over(cell)?.prefill?.tok_s,
        };
        let (prompt_tokens, output_tokens) = (middle(cell.cell.prompt_tokens)?, middle(cell.cell.output_tokens)?);
        // A miniature's figures stand for nothing.
        cell.cell.comparable.then_some(Self { cell: &cell.cell, streams, prompt_tokens, output_tokens, tok_s })
    }

    fn load(&self) -> String {
        let tokens = [self.prompt_tokens, self.output_tokens].map(|tokens| format!("{tokens:.0}"));
        load(self.streams, &tokens[0], &tokens[1])
    }
}

impl PublishedFigure<'_> {
    fn load(&self) -> String {
        let shared = if self.is_shared { " (one prompt for all)" } else { "" };
        load(self.streams, &format!("{}{shared}", self.prompt_tokens), &self.output_tokens.to_string())
    }
}

fn load(streams: u32, prompt: &str, output: &str) -> String {
    format!("{}, {prompt} → {output}", plural(streams as usize, "stream"))
}

fn middle(length: Length) -> Option<f64> {
    match length {
        Length::Fixed { tokens } => Some(f64::from(tokens)),
        Length::Uniform { low, high } => Some(f64::midpoint(f64::from(low), f64::from(high))),
        Length::Recorded { .. } => None,
    }
}
