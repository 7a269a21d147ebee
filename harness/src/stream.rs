//! One streamed answer: from bytes and the stamps of their reads to an observation and its outcome.

use record::{Dialect, Observation, Outcome, TokenSource, Usage, engine::RunningCount};

use self::{
    event::{Choice, Event},
    refusal::{Refusal, shortened},
};
use crate::sse::SseParser;

mod event;
pub(crate) mod refusal;
#[cfg(test)]
mod tests;

/// The state of one streamed answer.
///
/// Give it each read with the stamp taken before it was parsed. It writes into the observation as it goes, so that what was seen
/// stays when the request is given up at any moment.
#[derive(Debug)]
pub struct AnswerStream {
    sse: SseParser,
    answer: Answer,
}

impl AnswerStream {
    /// An answer that has not begun. No event may be longer than `max_event_bytes`.
    #[must_use]
    pub fn new(dialect: &'static Dialect, max_event_bytes: usize) -> Self {
        let answer = Answer {
            dialect,
            tokens: 0,
            uncounted_text: false,
            cached_tokens: None,
            last_read_ns: 0,
            done: false,
            failure: None,
        };
        Self { sse: SseParser::new(max_event_bytes), answer }
    }

    /// Takes the bytes of one read, which were there at `t_ns`.
    pub fn read(&mut self, t_ns: u64, bytes: &[u8], observation: &mut Observation) {
        let Self { sse, answer } = self;
        answer.last_read_ns = t_ns;
        if let Err(too_long) = sse.feed(bytes, |data| answer.take(t_ns, data, observation)) {
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
        let Self { sse, mut answer } = self;
        match sse.finish() {
            Ok(Some(data)) => answer.take_last(&data, observation),
            Ok(None) => (),
            Err(too_long) => answer.fail(Outcome::Malformed { detail: too_long.to_string() }),
        }
        answer.settle(observation);
        answer.outcome(observation)
    }

    /// The stream was given up, or broke, with this outcome. What the server had said before stands.
    pub fn give_up(self, observation: &mut Observation, outcome: Outcome) -> Outcome {
        self.answer.settle(observation);
        self.answer.failure.unwrap_or(outcome)
    }
}

#[derive(Debug)]
struct Answer {
    dialect: &'static Dialect,
    /// The running count.
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

    /// Keeps the first failure: what follows it is its consequence.
    fn fail(&mut self, failure: Outcome) {
        self.failure.get_or_insert(failure);
    }

    fn take(&mut self, t_ns: u64, data: &[u8], observation: &mut Observation) {
        if self.is_over() {
            return;
        }
        observation.first_event_ns.get_or_insert(t_ns);
        if data.trim_ascii() == b"[DONE]" {
            self.done = true;
            return;
        }
        match serde_json::from_slice::<Event<'_>>(data) {
            Ok(event) if event.is_error() => {
                let Refusal { status, words } = Refusal::read(data);
                self.fail(Outcome::Rejected { status: status.unwrap_or(200), detail: words });
            }
            Ok(event) => self.apply(t_ns, &event, observation),
            Err(error) => {
                let data = shortened(&String::from_utf8_lossy(data));
                self.fail(Outcome::Malformed { detail: format!("an event is not what the protocol says: {error}: {data}") });
            }
        }
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
        if let Some(cached_tokens) = event.timings.as_ref().and_then(|timings| timings.cache_n) {
            self.cached_tokens = Some(cached_tokens);
        }
        if let Some(usage) = event.usage.as_ref().and_then(event::Usage::whole) {
            let cached_tokens = usage.cached_tokens.or(observation.usage.and_then(|before| before.cached_tokens));
            observation.usage = Some(Usage { cached_tokens, ..usage });
        }
        // An event without a choice is the final account, not a chunk of the answer.
        if let Some(choice) = &event.choices.0 {
            self.apply_choice(t_ns, choice, running, observation);
        }
    }

    fn apply_choice(&mut self, t_ns: u64, choice: &Choice<'_>, running: Option<u32>, observation: &mut Observation) {
        let (reasoning, content) = (choice.reasoning(), choice.content());
        let brings_content = !content.is_empty() || choice.brings_tool_call();
        let brings_text = brings_content || !reasoning.is_empty();
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
            text.push_str(reasoning);
            text.push_str(content);
        }
        if let Some(reason) = &choice.finish_reason {
            observation.finish_reason = Some(reason.clone());
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
        let detail = match (observation.finish_reason.as_deref(), no_marker) {
            // vLLM and SGLang close a request that they gave up in this orderly way.
            (Some(reason @ ("abort" | "error")), _) => {
                return Outcome::Rejected { status: 200, detail: format!("finish_reason `{reason}`") };
            }
            (Some(_), false) => return Outcome::Complete,
            (Some(_), true) => "the stream ended without [DONE]",
            (None, false) => "the stream ended without a finish reason",
            (None, true) if observation.first_event_ns.is_none() => "the stream ended without an event",
            (None, true) => "the stream ended without a finish reason and without [DONE]",
        };
        Outcome::Truncated { detail: detail.to_owned() }
    }
}
