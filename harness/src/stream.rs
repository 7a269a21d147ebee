//! One streamed answer: from bytes and the stamps of their reads to an observation and its outcome.

use record::{
    Dialect, Observation, Outcome, TokenSource, Usage,
    engine::{ChatApi, RunningCount},
};
use serde::Deserialize;

use self::{
    event::Event,
    lines::LineSplitter,
    ollama::Line,
    refusal::{Refusal, shortened},
};
use crate::sse::{EventTooLong, SseParser};

mod event;
mod lines;
mod ollama;
pub(crate) mod refusal;
mod scan;
#[cfg(test)]
mod tests;

/// The state of one streamed answer.
///
/// Give it each read with the stamp taken before it was parsed. It writes into the observation as it goes, so that what was seen
/// stays when the request is given up at any moment.
#[derive(Debug)]
pub struct AnswerStream {
    framing: Framing,
    answer: Answer,
}

/// How an answer's bytes are cut into events.
#[derive(Debug)]
enum Framing {
    Sse(SseParser),
    Lines(LineSplitter),
}

impl Framing {
    fn feed(&mut self, bytes: &[u8], on_event: impl FnMut(&[u8])) -> Result<(), EventTooLong> {
        match self {
            Self::Sse(sse) => sse.feed(bytes, on_event),
            Self::Lines(lines) => lines.feed(bytes, on_event),
        }
    }

    /// An event that was still open at the end of the stream.
    fn finish(self) -> Result<Option<Vec<u8>>, EventTooLong> {
        match self {
            Self::Sse(sse) => sse.finish(),
            Self::Lines(lines) => Ok(lines.finish()),
        }
    }
}

impl AnswerStream {
    /// An answer of the dialect's chat that has not begun. No event may be longer than `max_event_bytes`.
    #[must_use]
    pub fn new(dialect: &'static Dialect, max_event_bytes: usize) -> Self {
        Self::of(dialect.chat, dialect, max_event_bytes)
    }

    /// The same for an answer that comes through this API, whatever the dialect's chat does.
    #[must_use]
    pub fn of(api: ChatApi, dialect: &'static Dialect, max_event_bytes: usize) -> Self {
        let framing = match api {
            ChatApi::Openai => Framing::Sse(SseParser::new(max_event_bytes)),
            ChatApi::Ollama => Framing::Lines(LineSplitter::new(max_event_bytes)),
        };
        let answer = Answer {
            api,
            dialect,
            tokens: 0,
            uncounted_text: false,
            cached_tokens: None,
            last_read_ns: 0,
            done: false,
            failure: None,
        };
        Self { framing, answer }
    }

    /// Takes the bytes of one read, which were there at `t_ns`.
    pub fn read(&mut self, t_ns: u64, bytes: &[u8], observation: &mut Observation) {
        let Self { framing, answer } = self;
        answer.last_read_ns = t_ns;
        if let Err(too_long) = framing.feed(bytes, |data| answer.take(t_ns, data, observation)) {
            answer.fail(Outcome::Malformed { detail: too_long.to_string() });
        }
    }

    /// The end marker was read, or something that makes the rest worthless.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.answer.is_over()
    }

    /// The answer ended as the protocol says: its end marker was read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answer.done
    }

    /// The server ended the stream.
    pub fn finish(self, observation: &mut Observation) -> Outcome {
        let Self { framing, mut answer } = self;
        match framing.finish() {
            Ok(Some(data)) => answer.take_last(&data, observation),
            Ok(None) => (),
            Err(too_long) => answer.fail(Outcome::Malformed { detail: too_long.to_string() }),
        }
        answer.settle(observation);
        answer.outcome(observation)
    }

    /// Ends the stream with this outcome, since it was given up or broke. Earlier observations stand.
    pub fn give_up(self, observation: &mut Observation, outcome: Outcome) -> Outcome {
        self.answer.settle(observation);
        self.answer.failure.unwrap_or(outcome)
    }
}

/// The text and tokens that an event adds to the answer.
struct Delta<'a> {
    reasoning: &'a str,
    content: &'a str,
    tool_call: bool,
}

#[derive(Debug)]
struct Answer {
    api: ChatApi,
    dialect: &'static Dialect,
    tokens: u32,
    /// Text came without the running count that the dialect promises, so that there is none.
    uncounted_text: bool,
    /// Prompt tokens from the cache, by llama.cpp's timings.
    cached_tokens: Option<u32>,
    last_read_ns: u64,
    done: bool,
    failure: Option<Outcome>,
}

impl Answer {
    fn is_over(&self) -> bool {
        self.done || self.failure.is_some()
    }

    /// Keeps the first failure: what follows it is its consequence. What follows the end marker is none.
    fn fail(&mut self, failure: Outcome) {
        if !self.done {
            self.failure.get_or_insert(failure);
        }
    }

    fn take(&mut self, t_ns: u64, data: &[u8], observation: &mut Observation) {
        if self.is_over() {
            return;
        }
        observation.first_event_ns.get_or_insert(t_ns);
        match self.api {
            ChatApi::Openai if data.trim_ascii() == b"[DONE]" => self.done = true,
            ChatApi::Openai => {
                if let Some(event) = scan::event(data) {
                    self.apply(t_ns, &event, observation);
                } else if let Some(event) = self.parse(data, Event::is_error) {
                    self.apply(t_ns, &event, observation);
                }
            }
            ChatApi::Ollama => {
                if let Some(line) = self.parse(data, Line::is_error) {
                    self.apply_line(t_ns, line, observation);
                }
            }
        }
    }

    /// The event, if it is one; else its error or its not being one is how the answer ended.
    fn parse<'d, E: Deserialize<'d>>(&mut self, data: &'d [u8], is_error: impl Fn(&E) -> bool) -> Option<E> {
        match serde_json::from_slice::<E>(data) {
            Ok(event) if is_error(&event) => {
                let Refusal { status, words } = Refusal::read(data);
                self.fail(Outcome::Rejected { status: status.unwrap_or(200), detail: words });
            }
            Ok(event) => return Some(event),
            Err(error) => {
                let data = shortened(&String::from_utf8_lossy(data));
                self.fail(Outcome::Malformed { detail: format!("an event is not what the protocol says: {error}: {data}") });
            }
        }
        None
    }

    /// An event whose end never came: its text counts if it is whole, else the stream was cut inside it.
    fn take_last(&mut self, data: &[u8], observation: &mut Observation) {
        if self.is_over() {
            return;
        }
        self.take(self.last_read_ns, data, observation);
        if let Some(Outcome::Malformed { .. }) = self.failure {
            self.failure = Some(Outcome::Truncated { detail: "the stream ended inside an event".to_owned() });
        }
    }

    fn apply(&mut self, t_ns: u64, event: &Event<'_>, observation: &mut Observation) {
        let running = match self.dialect.running_count {
            // A total that comes at the end of text that was not counted would put all of it there.
            _ if self.uncounted_text => None,
            RunningCount::None => None,
            RunningCount::ContinuousUsage => event.usage.as_ref().and_then(|usage| usage.completion_tokens),
            RunningCount::Timings => event.timings.as_ref().and_then(|timings| timings.predicted_n),
        };
        if let Some(timings) = &event.timings {
            self.cached_tokens = timings.cache_n.or(self.cached_tokens);
            observation.server_timings = timings.to_record().or(observation.server_timings);
        }
        if let Some(usage) = event.usage.as_ref().and_then(event::Usage::to_record) {
            let cached_tokens = usage.cached_tokens.or(observation.usage.and_then(|before| before.cached_tokens));
            observation.usage = Some(Usage { cached_tokens, ..usage });
        }
        // An event without a choice is the final account, not a chunk of the answer.
        if let Some(choice) = &event.choices.0 {
            let delta = Delta { reasoning: choice.reasoning(), content: choice.content(), tool_call: choice.brings_tool_call() };
            self.apply_delta(t_ns, &delta, running, observation);
            if let Some(reason) = &choice.finish_reason {
                observation.finish_reason = Some(shortened(reason));
            }
        }
    }

    fn apply_line(&mut self, t_ns: u64, line: Line<'_>, observation: &mut Observation) {
        let delta = Delta { reasoning: line.reasoning(), content: line.content(), tool_call: line.brings_tool_call() };
        self.apply_delta(t_ns, &delta, None, observation);
        if line.done {
            self.done = true;
            observation.usage = line.usage();
            observation.server_timings = line.timings();
            observation.finish_reason = line.done_reason.map(|reason| shortened(&reason));
        }
    }

    fn apply_delta(&mut self, t_ns: u64, delta: &Delta<'_>, running: Option<u32>, observation: &mut Observation) {
        let brings_content = !delta.content.is_empty() || delta.tool_call;
        let brings_text = brings_content || !delta.reasoning.is_empty();
        if brings_text {
            observation.first_token_ns.get_or_insert(t_ns);
            self.uncounted_text |= running.is_none();
        }
        if brings_content {
            observation.first_content_ns.get_or_insert(t_ns);
        }
        if brings_text || running.is_some_and(|running| running > self.tokens) {
            self.tokens = running.map_or(self.tokens, |running| running.max(self.tokens));
            observation.chunks.push(t_ns, self.tokens);
            observation.last_token_ns = Some(t_ns);
            observation.token_source = if self.uncounted_text { TokenSource::None } else { TokenSource::Running };
        }
        if let Some(text) = &mut observation.text {
            text.push_str(delta.reasoning);
            text.push_str(delta.content);
        }
    }

    /// Settles the token counts once no more events come.
    fn settle(&self, observation: &mut Observation) {
        if let Some(usage) = &mut observation.usage {
            usage.cached_tokens = usage.cached_tokens.or(self.cached_tokens);
            if observation.token_source != TokenSource::Running {
                observation.chunks.share_evenly(usage.completion_tokens);
                observation.token_source = TokenSource::Final;
            }
        }
    }

    fn outcome(self, observation: &Observation) -> Outcome {
        if let Some(failure) = self.failure {
            return failure;
        }
        let no_marker = self.dialect.done_marker && !self.done;
        let marker = match self.api {
            ChatApi::Openai => "[DONE]",
            ChatApi::Ollama => "a line that is done",
        };
        let missing = match (observation.finish_reason.as_deref(), no_marker) {
            // vLLM and SGLang close a request that they gave up in this orderly way.
            (Some(reason @ ("abort" | "error")), _) => {
                return Outcome::Rejected { status: 200, detail: format!("finish_reason `{reason}`") };
            }
            (Some(_), false) => return Outcome::Complete,
            (Some(_), true) => marker.to_owned(),
            (None, false) => "a finish reason".to_owned(),
            (None, true) if observation.first_event_ns.is_none() => "an event".to_owned(),
            (None, true) => format!("a finish reason and without {marker}"),
        };
        Outcome::Truncated { detail: format!("the stream ended without {missing}") }
    }
}
