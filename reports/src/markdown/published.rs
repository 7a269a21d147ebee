//! What others published of the same model on the same machine, beside what was measured.

use record::{Cell, Launch, Length, Load, Metric, Record};
use twin::published::{PublishedData, published_data};

use super::{
    Page, limit, plural,
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

const MEANS: &str = "Other people's figures, neither measured nor checked here: those of the same model on a Spark whose number of streams is nearest. Prompts, answers and engines differ as the columns say, and images, versions and clocks besides. Lengths of others are those of `twin/published.toml`, which says where they are assumed.";

const FITTED: &str = "The simulated Spark was fitted to figures such as these, so that it confirms none of them.";

/// A rate that both sides may know, of all streams together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rate {
    Output,
    Decode,
    Prefill,
}

/// Somebody's figure.
struct Theirs<'p> {
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
struct Ours<'s> {
    cell: &'s Cell,
    streams: u32,
    prompt_tokens: f64,
    output_tokens: f64,
    tok_s: f64,
}

/// Writes nothing where the model is not known or nobody published anything near.
pub(super) fn write(page: &mut Page, record: &Record, summary: &RunSummary) {
    let Some(model) = roofline::model(&record.header, &record.boots) else { return };
    // A table of ours that cannot be read is found by its own test.
    let Ok(known) = published_data() else { return };
    let mut pairs: Vec<(Theirs<'_>, Ours<'_>)> =
        rows(&known, &model.name).into_iter().filter_map(|theirs| nearest(&theirs, summary).map(|ours| (theirs, ours))).collect();
    pairs.sort_by(|one, other| distance(&one.0, &one.1).total_cmp(&distance(&other.0, &other.1)));
    let mut told: Vec<(String, Rate)> = Vec::new();
    pairs.retain(|(theirs, ours)| {
        let figure = (ours.cell.name(), theirs.rate);
        let is_new = !told.contains(&figure);
        told.push(figure);
        is_new
    });
    pairs.truncate(MOST_ROWS);
    pairs.sort_by_key(|(theirs, _)| theirs.streams);
    if pairs.is_empty() {
        return;
    }
    page.push("## Published nearby");
    page.push(MEANS);
    if record.header.launch == Launch::Simulated {
        page.push(FITTED);
    }
    let heads =
        ["Cell", "Load here", "Engine here", "Load there", "Engine there", "Source", "Rate", "Here, tok/s", "There, tok/s"];
    let mut table = Table::new(&heads, 7);
    for (theirs, ours) in &pairs {
        let engine = code(record.header.recipe.engine.as_str());
        let texts = [code(&ours.cell.name()), ours.load(), engine, theirs.load(), code(theirs.engine), code(theirs.source)];
        let figures = [ours.tok_s, theirs.tok_s].map(|rate| figure(rate, Unit::Plain));
        table.row(texts.into_iter().chain([theirs.rate.word().to_owned()]).chain(figures));
    }
    page.push(table.markdown());
}

/// Everything that was published of a model.
fn rows<'p>(known: &'p PublishedData, model: &str) -> Vec<Theirs<'p>> {
    let sweeps = known.sweep.iter().filter(|sweep| sweep.model == model).flat_map(|sweep| {
        sweep.streams.iter().zip(&sweep.output_tok_s).map(|(&streams, &tok_s)| Theirs {
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
        [(Rate::Decode, point.decode_tok_s), (Rate::Prefill, point.prefill_tok_s)].map(|(rate, tok_s)| Theirs {
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

/// The cell whose load is most like theirs; none that is near.
fn nearest<'s>(theirs: &Theirs<'_>, summary: &'s RunSummary) -> Option<Ours<'s>> {
    let near = summary
        .cells
        .iter()
        .filter_map(|cell| Ours::of(cell, theirs.rate))
        .filter(|ours| apart(f64::from(ours.streams), f64::from(theirs.streams)) <= NEAR_STREAMS);
    near.min_by(|one, other| distance(theirs, one).total_cmp(&distance(theirs, other)))
}

/// How unlike two loads are: by streams first, then by lengths.
fn distance(theirs: &Theirs<'_>, ours: &Ours<'_>) -> f64 {
    const STREAMS_FIRST: f64 = 1e6;
    let lengths = apart(ours.prompt_tokens, theirs.prompt_tokens.into()) * apart(ours.output_tokens, theirs.output_tokens.into());
    apart(ours.streams.into(), theirs.streams.into()) * STREAMS_FIRST + lengths
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

impl<'s> Ours<'s> {
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

impl Theirs<'_> {
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
