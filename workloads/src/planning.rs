//! From a cell and a seed to the requests of a trial.
//!
//! Arrivals, lengths, texts and sampling seeds are drawn from generators of their own, so that another tokenizer changes the texts and
//! nothing else.

mod checking;
mod prompt;
#[cfg(test)]
pub(crate) mod summary;
#[cfg(test)]
mod tests;

pub use checking::check;
use record::{Cell, Length, Load, Message, Plan, PlannedRequest, Release, Role};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    SUITE, SUITE_VERSION, corpus,
    rng::Rng,
    schedule::arrivals_ns,
    sharegpt::RecordedLengths,
    sizing::{MilliTokens, PromptSizing},
    spec::{UnknownWorkload, WorkloadSpec, find},
};
use prompt::{Text, Writer};

/// Requests of an open loop's warm-up.
const OPEN_WARM_UP_REQUESTS: u32 = 10;

/// A cell that cannot be planned, or a plan that breaks a rule.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PlanError {
    #[error(transparent)]
    UnknownWorkload(#[from] UnknownWorkload),
    /// The load, the lengths or the sizing make no sense together.
    #[error("{cell} cannot be planned: {why}")]
    Impossible { cell: String, why: String },
    /// A prompt's length leaves no room for its text.
    #[error("request {request} of {cell}: {tokens} tokens are too few for a prompt with this tokenizer and chat template")]
    TooShort {
        cell: String,
        /// The request's `id`.
        request: u32,
        /// Tokens it should have.
        tokens: u32,
    },
    /// No choice of words comes near enough to a prompt's length.
    #[error("request {request} of {cell}: {planned} tokens instead of {tokens} is the nearest")]
    Unsizable {
        cell: String,
        /// The request's `id`.
        request: u32,
        /// Tokens it should have.
        tokens: u32,
        /// Tokens it would have.
        planned: u32,
    },
    /// A plan breaks a rule that driving or judging relies on.
    #[error("the plan of {cell} is broken: {why}")]
    Broken {
        cell: String,
        /// Which rule, and where.
        why: String,
    },
}

/// Plans a trial. The same cell, seed, sizing and lengths give the same plan, byte for byte, on every machine.
pub fn plan(cell: &Cell, seed: u64, sizing: &PromptSizing, recorded: &RecordedLengths) -> Result<Plan, PlanError> {
    Planner::new(cell.clone(), seed, "measured", sizing)?.plan(recorded)
}

/// Plans the warm-up before a trial: the trial's shape and concurrency, with other prompts. One request per stream or conversation, or
/// an open loop's first ten at its own rate. The plan's cell has the load that was shortened so.
pub fn warm_up(cell: &Cell, seed: u64, sizing: &PromptSizing, recorded: &RecordedLengths) -> Result<Plan, PlanError> {
    let load = warm_up_load(cell.load);
    Planner::new(Cell { load, ..cell.clone() }, seed, "warm-up", sizing)?.plan(recorded)
}

/// The load of a warm-up for this load.
pub(crate) fn warm_up_load(load: Load) -> Load {
    match load {
        Load::Closed { streams, .. } => Load::Closed { streams, requests_per_stream: 1 },
        Load::Conversations { conversations, .. } => Load::Conversations { conversations, turns: 1 },
        Load::Open { rate_per_s, arrival, requests } => {
            Load::Open { rate_per_s, arrival, requests: requests.min(OPEN_WARM_UP_REQUESTS) }
        }
    }
}

/// Draws the requests of one cell from a seed, in its lengths, texts and releases.
struct Planner<'s> {
    cell: Cell,
    spec: &'static WorkloadSpec,
    seed: u64,
    stage: &'static str,
    sizing: &'s PromptSizing,
}

/// The lengths that a request should have, in tokens.
struct RequestLengths {
    prompt_tokens: u32,
    output_tokens: u32,
}

impl<'s> Planner<'s> {
    fn new(cell: Cell, seed: u64, stage: &'static str, sizing: &'s PromptSizing) -> Result<Self, PlanError> {
        let spec = find(&cell.workload).ok_or_else(|| UnknownWorkload::new(&cell.workload))?;
        let planner = Self { cell, spec, seed, stage, sizing };
        if !(0.1..=10.0).contains(&sizing.scale) {
            return Err(planner.impossible(format!("a scale of {} between two counts of the same text", sizing.scale)));
        }
        if let Load::Open { rate_per_s, arrival, .. } = planner.cell.load
            && !(rate_per_s.is_finite() && rate_per_s > 0.0 || arrival == record::Arrival::AllAtOnce)
        {
            return Err(planner.impossible(format!("a rate of {rate_per_s} per second")));
        }
        Ok(planner)
    }

    fn plan(self, recorded: &RecordedLengths) -> Result<Plan, PlanError> {
        let releases = self.releases();
        let lengths = self.lengths(recorded)?;
        let messages = match self.cell.load {
            Load::Conversations { conversations, .. } => self.conversations(&lengths, conversations)?,
            Load::Closed { .. } | Load::Open { .. } => self.single_prompts(&lengths)?,
        };
        let mut sampling = self.rng("sampling");
        let requests: Vec<_> = (0..)
            .zip(releases)
            .zip(lengths.iter().zip(messages))
            .map(|((id, release), (lengths, (messages, prompt_tokens)))| PlannedRequest {
                id,
                release,
                messages,
                prompt_tokens,
                output_tokens: lengths.output_tokens,
                structured: self.cell.structured,
                sampling_seed: sampling.next_u32(),
            })
            .collect();
        Ok(Plan { digest: digest(&requests), cell: self.cell, seed: self.seed, requests })
    }

    /// The generator for one purpose. Cell and stage are in its domain: no prompt of a warm-up, or of another cell, comes back.
    fn rng(&self, purpose: &str) -> Rng {
        Rng::new(&format!("{SUITE} {SUITE_VERSION}, {}, {}, {purpose}", self.cell.name(), self.stage), self.seed)
    }

    /// The release of each request. Closed loops are numbered round by round, so that a request's number is about its place in time.
    fn releases(&self) -> Vec<Release> {
        match self.cell.load {
            Load::Closed { streams: side_by_side, .. } | Load::Conversations { conversations: side_by_side, .. } => {
                (0..self.cell.load.requests())
                    .map(|id| id.checked_sub(side_by_side).map_or(Release::At { t_ns: 0 }, |request| Release::After { request }))
                    .collect()
            }
            Load::Open { rate_per_s, arrival, requests } => {
                let times = arrivals_ns(arrival, rate_per_s, requests, &mut self.rng("arrivals"));
                times.into_iter().map(|t_ns| Release::At { t_ns }).collect()
            }
        }
    }

    fn lengths(&self, recorded: &RecordedLengths) -> Result<Vec<RequestLengths>, PlanError> {
        let (prompt, output) = (self.cell.prompt_tokens, self.cell.output_tokens);
        let requests = self.cell.load.requests();
        let mut rng = self.rng("lengths");
        match (prompt, output) {
            (Length::Recorded { .. }, Length::Recorded { .. }) => {
                let pairs = recorded.draw(prompt, output, requests, &mut rng);
                let pairs = pairs.ok_or_else(|| self.impossible("no recorded conversation is short enough".to_owned()))?;
                let lengths = pairs.into_iter().map(|pair| RequestLengths {
                    prompt_tokens: pair.prompt_tokens.saturating_add(self.sizing.template_tokens),
                    output_tokens: pair.output_tokens,
                });
                Ok(lengths.collect())
            }
            (Length::Recorded { .. }, _) | (_, Length::Recorded { .. }) => {
                Err(self.impossible("recorded lengths come in pairs of prompt and output".to_owned()))
            }
            _ => Ok((0..requests)
                .map(|_| RequestLengths { prompt_tokens: draw(prompt, &mut rng), output_tokens: draw(output, &mut rng) })
                .collect()),
        }
    }

    fn single_prompts(&self, lengths: &[RequestLengths]) -> Result<Vec<(Vec<Message>, u32)>, PlanError> {
        let mut writer = Writer::new(&self.sizing.table, self.rng("text"));
        // A recorded length may be a few words; every other workload's prompt holds records and an instruction.
        let keywords_will_do = matches!(self.cell.prompt_tokens, Length::Recorded { .. });
        (0..)
            .zip(lengths)
            .map(|(id, lengths)| {
                let too_short = || self.too_short(id, lengths.prompt_tokens);
                let aim = self.sizing.text_for(lengths.prompt_tokens, 1).ok_or_else(too_short)?;
                let text = match writer.opened(aim, self.spec.instructions) {
                    None if keywords_will_do => writer.keywords(aim),
                    text => text,
                };
                let text = text.ok_or_else(too_short)?;
                let planned = self.sized(id, lengths.prompt_tokens, text.milli, 1)?;
                Ok((vec![message(Role::User, text)], planned))
            })
            .collect()
    }

    /// Turn by turn, as the requests are numbered. Each turn's size is aimed at from the start, so that no rounding adds up.
    fn conversations(&self, lengths: &[RequestLengths], conversations: u32) -> Result<Vec<(Vec<Message>, u32)>, PlanError> {
        let turn_tokens =
            self.spec.turn_tokens.ok_or_else(|| self.impossible("the workload is not made of conversations".to_owned()))?;
        let mut writer = Writer::new(&self.sizing.table, self.rng("text"));
        let mut contexts: Vec<(Vec<Message>, MilliTokens)> = vec![(Vec::new(), 0); conversations as usize];
        let mut prompts = Vec::with_capacity(lengths.len());
        for (id, lengths) in (0..).zip(lengths) {
            let (turn, conversation) = (id / conversations, id % conversations);
            let (context, milli) = &mut contexts[conversation as usize];
            let tokens = lengths.prompt_tokens + turn * (turn_tokens + lengths.output_tokens);
            let count = 2 * turn + 1;
            let too_short = || self.too_short(id, tokens);
            let aim = self.sizing.text_for(tokens, count).ok_or_else(too_short)?;
            if turn == 0 {
                let text = writer.opened(aim, self.spec.instructions).ok_or_else(too_short)?;
                *milli += text.milli;
                context.push(message(Role::User, text));
            } else {
                let answer = writer.continued(self.sizing.bare_text_for(lengths.output_tokens), &[]).ok_or_else(too_short)?;
                *milli += answer.milli;
                context.push(message(Role::Assistant, answer));
                let rest = aim.checked_sub(*milli).ok_or_else(too_short)?;
                let text = writer.continued(rest, self.spec.follow_ups).ok_or_else(too_short)?;
                *milli += text.milli;
                context.push(message(Role::User, text));
            }
            prompts.push((context.clone(), self.sized(id, tokens, *milli, count)?));
        }
        Ok(prompts)
    }

    /// The planned tokens, if they are near enough to the requested length: one token, or 0.2 %.
    fn sized(&self, request: u32, tokens: u32, text: MilliTokens, messages: u32) -> Result<u32, PlanError> {
        let planned = self.sizing.planned_tokens(text, messages);
        if planned.abs_diff(tokens) <= (tokens / 500).max(1) {
            Ok(planned)
        } else {
            Err(PlanError::Unsizable { cell: self.cell.name(), request, tokens, planned })
        }
    }

    fn too_short(&self, request: u32, tokens: u32) -> PlanError {
        PlanError::TooShort { cell: self.cell.name(), request, tokens }
    }

    fn impossible(&self, why: String) -> PlanError {
        PlanError::Impossible { cell: self.cell.name(), why }
    }
}

fn message(role: Role, text: Text) -> Message {
    Message { role, content: text.content }
}

fn draw(length: Length, rng: &mut Rng) -> u32 {
    match length {
        Length::Fixed { tokens } => tokens,
        Length::Uniform { low, high } => low + rng.below(high.saturating_sub(low).saturating_add(1)),
        Length::Recorded { high } => high,
    }
}

/// SHA-256 over all that is sent and when, 64 hexadecimal digits.
fn digest(requests: &[PlannedRequest]) -> String {
    let mut sha = Sha256::new();
    for request in requests {
        let (kind, value) = match request.release {
            Release::At { t_ns } => (0u8, t_ns),
            Release::After { request } => (1, u64::from(request)),
        };
        sha.update([kind, u8::from(request.structured)]);
        sha.update(value.to_le_bytes());
        for number in [request.prompt_tokens, request.output_tokens, request.sampling_seed] {
            sha.update(number.to_le_bytes());
        }
        sha.update((request.messages.len() as u64).to_le_bytes());
        for message in &request.messages {
            sha.update([message.role as u8]);
            sha.update((message.content.len() as u64).to_le_bytes());
            sha.update(message.content.as_bytes());
        }
    }
    corpus::hex(&sha.finalize())
}
