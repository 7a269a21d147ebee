//! Reading an answer as it comes: a stamp for each read, and limits for what never ends.

use std::{cell::Cell, error::Error as _, io, pin::pin};

use futures_util::future::{self, Either};
use record::{Observation, Outcome};
use reqwest::{Response, header};

use crate::{
    clock::{Clock, TrialClock},
    stream::{
        AnswerStream,
        refusal::{Refusal, shortened},
    },
};

/// How long to wait for the end of the body after the end marker. Only a body read to its end leaves a connection that can be
/// used again, and that is worth a short wait, but the answer is complete without it.
const DRAIN_NS: u64 = 20_000_000;
/// As much of a refusal as is read.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

/// Limits of one stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct StreamLimits {
    /// Longest silence after the first event, in nanoseconds.
    pub(super) idle_ns: u64,
    /// Longest body, in bytes.
    pub(super) max_body_bytes: u64,
}

/// How reading ended.
enum Ended {
    /// The answer is over by its own account; the body may go on.
    Over,
    /// The server ended the body.
    Eof,
    Broken(reqwest::Error),
    TooLarge,
    Silent,
}

/// Reads a streamed answer to its end, or to a limit.
pub(super) async fn read_answer<C: Clock>(
    mut response: Response,
    mut answer: AnswerStream,
    limits: StreamLimits,
    clock: &TrialClock<'_, C>,
    observation: &mut Observation,
) -> Outcome {
    if let Some(encoding) = foreign_encoding(&response) {
        return Outcome::Malformed { detail: format!("content-encoding `{encoding}`, which was not asked for") };
    }
    let last_read = Cell::new(None);
    let mut body_bytes = 0;
    let ended = {
        let reading = pin!(read_chunks(&mut response, &mut answer, limits, clock, observation, &last_read, &mut body_bytes));
        let silence = pin!(silence(clock, &last_read, limits.idle_ns));
        match future::select(reading, silence).await {
            Either::Left((ended, _)) => ended,
            Either::Right(_) => Ended::Silent,
        }
    };
    let end_ns = clock.now_ns();
    let outcome = match ended {
        Ended::Over => {
            if answer.is_done() {
                drain(&mut response, clock).await;
            }
            answer.finish(observation)
        }
        Ended::Eof if observation.first_event_ns.is_none() && body_bytes > 0 => {
            Outcome::Malformed { detail: format!("{body_bytes} bytes of {} without an event", content_type(&response)) }
        }
        Ended::Eof => answer.finish(observation),
        Ended::Broken(error) => answer.give_up(observation, broken(&error)),
        Ended::TooLarge => {
            let detail = format!("an answer of more than {} bytes", limits.max_body_bytes);
            answer.give_up(observation, Outcome::Malformed { detail })
        }
        Ended::Silent => {
            let detail = format!("the stream was silent for {} ms after its first event", limits.idle_ns / 1_000_000);
            answer.give_up(observation, Outcome::TimedOut { detail })
        }
    };
    // Only now: an end without an outcome would look like one to whoever drops this future while it drains.
    observation.end_ns = Some(end_ns);
    outcome
}

async fn read_chunks<C: Clock>(
    response: &mut Response,
    answer: &mut AnswerStream,
    limits: StreamLimits,
    clock: &TrialClock<'_, C>,
    observation: &mut Observation,
    last_read: &Cell<Option<u64>>,
    body_bytes: &mut u64,
) -> Ended {
    loop {
        let read = response.chunk().await;
        // The stamp comes before anything is done with the bytes.
        let t_ns = clock.now_ns();
        let bytes = match read {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ended::Eof,
            Err(error) => return Ended::Broken(error),
        };
        *body_bytes += bytes.len() as u64;
        if *body_bytes > limits.max_body_bytes {
            return Ended::TooLarge;
        }
        answer.read(t_ns, &bytes, observation);
        if answer.is_over() {
            return Ended::Over;
        }
        if observation.first_event_ns.is_some() {
            last_read.set(Some(t_ns));
        }
    }
}

/// Resolves when nothing was read for `idle_ns` after the first event. One timer per silence instead of one per read.
async fn silence<C: Clock>(clock: &TrialClock<'_, C>, last_read: &Cell<Option<u64>>, idle_ns: u64) {
    loop {
        let now_ns = clock.now_ns();
        let due_ns = last_read.get().unwrap_or(now_ns).saturating_add(idle_ns);
        if due_ns <= now_ns {
            return;
        }
        clock.sleep_until(due_ns).await;
    }
}

async fn drain<C: Clock>(response: &mut Response, clock: &TrialClock<'_, C>) {
    let to_the_end = pin!(async { while let Ok(Some(_)) = response.chunk().await {} });
    let limit = pin!(clock.sleep_until(clock.now_ns().saturating_add(DRAIN_NS)));
    future::select(to_the_end, limit).await;
}

/// Reads a refusal: the status, and the server's words.
pub(super) async fn read_refusal(mut response: Response) -> Outcome {
    let status = response.status().as_u16();
    let detail = match read_body(&mut response, MAX_REFUSAL_BYTES).await {
        Ok(body) => Refusal::read(&body).words,
        Err(error) => format!("(its words broke off: {})", chain(&error)),
    };
    Outcome::Rejected { status, detail }
}

/// Reads a body, or as much of it as `max_bytes`.
pub(super) async fn read_body(response: &mut Response, max_bytes: usize) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await? {
        body.extend_from_slice(&bytes);
        if body.len() >= max_bytes {
            body.truncate(max_bytes);
            break;
        }
    }
    Ok(body)
}

/// The outcome of a connection that could not be had or that broke. Bytes that are not HTTP are the one thing that is not its fault.
pub(super) fn broken(error: &reqwest::Error) -> Outcome {
    let kind = std::iter::successors(error.source(), |&cause| cause.source())
        .find_map(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    let detail = chain(error);
    match kind {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Outcome::Malformed { detail },
        _ => Outcome::Disconnected { detail },
    }
}

/// An error and its causes, without the URL, which may hold what a record must not.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let words = std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
    let mut chain: Vec<String> = Vec::new();
    for words in words {
        // Some causes repeat the words of their own cause.
        if chain.last().is_some_and(|before| before.ends_with(&words)) {
            continue;
        }
        chain.push(words);
    }
    if chain.is_empty() { shortened(&kind_of(error)) } else { shortened(&chain.join(": ")) }
}

fn kind_of(error: &reqwest::Error) -> String {
    match error {
        _ if error.is_timeout() => "timed out".to_owned(),
        _ if error.is_connect() => "no connection".to_owned(),
        _ if error.is_builder() => "not a valid request".to_owned(),
        _ => "the exchange failed without a stated cause".to_owned(),
    }
}

fn foreign_encoding(response: &Response) -> Option<String> {
    let encoding = header_text(response, &header::CONTENT_ENCODING)?;
    (!encoding.eq_ignore_ascii_case("identity")).then_some(encoding)
}

fn content_type(response: &Response) -> String {
    header_text(response, &header::CONTENT_TYPE).map_or("no content-type".to_owned(), |name| format!("`{name}`"))
}

fn header_text(response: &Response, name: &header::HeaderName) -> Option<String> {
    response.headers().get(name).map(|value| shortened(&String::from_utf8_lossy(value.as_bytes())))
}
