//! One request and its answer as it comes: a stamp for each read, and limits for what never ends.

use std::{cell::Cell, future::poll_fn, io, ops::ControlFlow, pin::pin};

use bytes::Bytes;
use record::{Observation, Outcome};

use super::{
    connection::Connection,
    response::{BodyDecoder, Head, HeadReader, MalformedResponse},
};
use crate::{
    clock::{Clock, TrialClock, limit::until},
    stream::{
        AnswerStream,
        refusal::{Refusal, shortened},
    },
};

/// How long to wait for the end of the body after the end marker. Only a body read to its end leaves a connection that can be
/// used again, and that is worth a short wait, but the answer is complete without it.
const DRAIN_NS: u64 = 20_000_000;
/// How long a refusal's message is waited for: its status is what matters.
const REFUSAL_NS: u64 = 1_000_000_000;
/// As much of a refusal as is read.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, Copy)]
pub(super) struct StreamLimits {
    /// Longest silence after the first event, in nanoseconds.
    pub(super) idle_ns: u64,
    /// Longest body, in bytes.
    pub(super) max_body_bytes: u64,
    /// Longest time from the first byte of the head to its end, in nanoseconds.
    pub(super) head_ns: u64,
    /// Longest time after a request in which the end of its connection may be one that was on its way before, in nanoseconds.
    pub(super) crossed_ns: u64,
}

/// A request's way over a connection.
pub(super) struct Exchange<'a, 'c, C> {
    pub(super) connection: Connection,
    pub(super) limits: StreamLimits,
    pub(super) clock: &'a TrialClock<'c, C>,
    pub(super) observation: &'a mut Observation,
}

/// Why there is no more to read.
enum ReadEnd {
    /// The answer is over by its own account; the body may go on.
    AnswerComplete,
    /// The server ended the body.
    Eof,
    /// The server closed the connection where it must not.
    Closed(&'static str),
    Failed(io::Error),
    Malformed(MalformedResponse),
    TooLarge,
}

impl ReadEnd {
    /// The outcome of an exchange that broke; none where the answer itself says how it ended.
    fn outcome(self, limits: StreamLimits) -> Option<Outcome> {
        match self {
            Self::AnswerComplete | Self::Eof => None,
            Self::Closed(what) => Some(Outcome::Disconnected { detail: what.to_owned() }),
            Self::Failed(error) => Some(Outcome::Disconnected { detail: error.to_string() }),
            Self::Malformed(bad) => Some(Outcome::Malformed { detail: shortened(&bad.to_string()) }),
            Self::TooLarge => {
                Some(Outcome::Malformed { detail: format!("an answer of more than {} bytes", limits.max_body_bytes) })
            }
        }
    }
}

pub(super) struct ExchangeResult {
    pub(super) outcome: Outcome,
    /// The connection can take another request.
    pub(super) is_clean: bool,
    /// The connection ended without a byte of an answer, at once.
    pub(super) is_unanswered: bool,
}

/// A head that did not arrive whole.
struct HeadError {
    outcome: Outcome,
    is_unanswered: bool,
}

/// A head that has arrived whole.
struct ReceivedHead {
    head: Head,
    t_ns: u64,
    /// The part of the body in the same read.
    body: Vec<u8>,
}

impl<C: Clock> Exchange<'_, '_, C> {
    /// Sends the request and reads its answer, to its end or to a limit.
    pub(super) async fn run(&mut self, request: Bytes, answer: AnswerStream) -> ExchangeResult {
        self.observation.send_ns = Some(self.clock.now_ns());
        self.connection.begin_write(request);
        let received = match self.read_head().await {
            Ok(received) => received,
            Err(HeadError { outcome, is_unanswered }) => return ExchangeResult { outcome, is_clean: false, is_unanswered },
        };
        self.observation.headers_ns = Some(received.t_ns);
        let mut body = BodyDecoder::of(&received.head);
        let outcome = if !(200..300).contains(&received.head.status) {
            self.read_refusal(&received, &mut body).await
        } else if let Some(encoding) = foreign_encoding(&received.head) {
            Outcome::Malformed { detail: format!("content-encoding `{encoding}`, which was not asked for") }
        } else {
            self.read_answer(&received, &mut body, answer).await
        };
        let is_clean = body.ended_cleanly() && received.head.keeps_connection && self.connection.is_written();
        ExchangeResult { outcome, is_clean, is_unanswered: false }
    }

    async fn read_head(&mut self) -> Result<ReceivedHead, HeadError> {
        let Self { connection, limits, clock, .. } = self;
        let first_ns = Cell::new(None);
        let mut reader = HeadReader::default();
        let read = {
            let reading = pin!(poll_fn(|context| {
                connection.poll_reads(context, |bytes| {
                    // The stamp comes before anything is done with the bytes.
                    let t_ns = clock.now_ns();
                    if bytes.is_empty() {
                        let within =
                            if reader.has_begun() { "closed inside the answer's head" } else { "closed before an answer" };
                        return Some(Err(ReadEnd::Closed(within)));
                    }
                    first_ns.set(first_ns.get().or(Some(t_ns)));
                    match reader.feed(bytes) {
                        Ok(Some((head, taken))) => Some(Ok(ReceivedHead { head, t_ns, body: bytes[taken..].to_vec() })),
                        Ok(None) => {
                            // After an interim answer the server may think as long as before it.
                            if reader.is_between_heads() {
                                first_ns.set(None);
                            }
                            None
                        }
                        Err(bad) => Some(Err(ReadEnd::Malformed(bad))),
                    }
                })
            }));
            let Some(read) = until(clock, reading, || deadline_after(&first_ns, clock, limits.head_ns)).await else {
                let detail = format!("the answer's head was not whole {} ms after its first byte", limits.head_ns / 1_000_000);
                return Err(HeadError { outcome: Outcome::TimedOut { detail }, is_unanswered: false });
            };
            read
        };
        let ended = match read {
            Ok(Ok(received)) => return Ok(received),
            Ok(Err(ended)) => ended,
            Err(error) => ReadEnd::Failed(error),
        };
        // What a server that closes early leaves unread shows as a failed write first.
        let ended = match (ended, self.connection.take_write_error()) {
            (ReadEnd::Closed(_), Some(error)) => ReadEnd::Failed(error),
            (ended, _) => ended,
        };
        let waited_ns = clock.now_ns().saturating_sub(self.observation.send_ns.unwrap_or(0));
        let is_unanswered =
            waited_ns < limits.crossed_ns && !reader.has_begun() && matches!(ended, ReadEnd::Closed(_) | ReadEnd::Failed(_));
        let outcome = ended.outcome(self.limits);
        Err(HeadError { outcome: outcome.unwrap_or(Outcome::Disconnected { detail: String::new() }), is_unanswered })
    }

    async fn read_answer(&mut self, received: &ReceivedHead, body: &mut BodyDecoder, mut answer: AnswerStream) -> Outcome {
        let limits = self.limits;
        let mut body_bytes = 0;
        let last_read = Cell::new(None);
        let ended = {
            let Self { connection, clock, observation, .. } = self;
            let mut feed = |body: &mut BodyDecoder, t_ns: u64, bytes: &[u8]| {
                let fed = body.feed(bytes, |data| {
                    body_bytes += data.len() as u64;
                    if body_bytes <= limits.max_body_bytes {
                        answer.read(t_ns, data, observation);
                    }
                });
                if observation.first_event_ns.is_some() {
                    last_read.set(Some(t_ns));
                }
                match fed {
                    _ if answer.is_over() => ControlFlow::Break(ReadEnd::AnswerComplete),
                    Err(bad) => ControlFlow::Break(ReadEnd::Malformed(bad)),
                    Ok(()) if body_bytes > limits.max_body_bytes => ControlFlow::Break(ReadEnd::TooLarge),
                    Ok(()) if body.is_done() => ControlFlow::Break(ReadEnd::Eof),
                    Ok(()) => ControlFlow::Continue(()),
                }
            };
            match feed(body, received.t_ns, &received.body) {
                ControlFlow::Break(ended) => Some(ended),
                ControlFlow::Continue(()) => {
                    let reading = pin!(poll_fn(|context| {
                        connection.poll_reads(context, |bytes| {
                            // The stamp comes before anything is done with the bytes.
                            let t_ns = clock.now_ns();
                            if bytes.is_empty() {
                                return Some(body.end().map_or_else(ReadEnd::Closed, |()| ReadEnd::Eof));
                            }
                            feed(body, t_ns, bytes).break_value()
                        })
                    }));
                    let read = until(clock, reading, || deadline_after(&last_read, clock, limits.idle_ns)).await;
                    read.map(|read| read.unwrap_or_else(ReadEnd::Failed))
                }
            }
        };
        let end_ns = self.clock.now_ns();
        let outcome = self.settle(ended, received, body, answer, body_bytes).await;
        // Only now: an end without an outcome would look like one to whoever drops this future while it drains.
        self.observation.end_ns = Some(end_ns);
        outcome
    }

    async fn settle(
        &mut self,
        ended: Option<ReadEnd>,
        received: &ReceivedHead,
        body: &mut BodyDecoder,
        answer: AnswerStream,
        body_bytes: u64,
    ) -> Outcome {
        let Some(ended) = ended else {
            let detail = format!("the stream was silent for {} ms after its first event", self.limits.idle_ns / 1_000_000);
            return answer.give_up(self.observation, Outcome::TimedOut { detail });
        };
        let drains = matches!(ended, ReadEnd::AnswerComplete) && answer.is_done() && !body.is_done();
        let outcome = match ended {
            ReadEnd::Eof if self.observation.first_event_ns.is_none() && body_bytes > 0 => {
                let kind = received.head.content_type.as_deref();
                let kind = kind.map_or("no content-type".to_owned(), |kind| format!("`{}`", shortened(kind)));
                Outcome::Malformed { detail: format!("{body_bytes} bytes of {kind} without an event") }
            }
            ended => match ended.outcome(self.limits) {
                Some(broken) => answer.give_up(self.observation, broken),
                None => answer.finish(self.observation),
            },
        };
        // The counts are settled before: whoever drops this future now keeps them.
        if drains {
            self.drain(body).await;
        }
        outcome
    }

    /// Reads what follows the answer, up to the body's end or for a moment.
    async fn drain(&mut self, body: &mut BodyDecoder) {
        let connection = &mut self.connection;
        let to_the_end = pin!(poll_fn(|context| {
            connection.poll_reads(context, |bytes| {
                let went_on = !bytes.is_empty() && body.feed(bytes, |_| ()).is_ok() && !body.is_done();
                (!went_on).then_some(())
            })
        }));
        let limit_ns = self.clock.now_ns().saturating_add(DRAIN_NS);
        until(self.clock, to_the_end, || limit_ns).await;
    }

    /// Reads a refusal: the status, and the server's words.
    async fn read_refusal(&mut self, received: &ReceivedHead, body: &mut BodyDecoder) -> Outcome {
        let status = received.head.status;
        let mut words = Vec::new();
        let ended = {
            let mut feed = |body: &mut BodyDecoder, bytes: &[u8]| {
                let fed = body.feed(bytes, |data| words.extend_from_slice(data));
                match fed {
                    Err(bad) => Some(ReadEnd::Malformed(bad)),
                    Ok(()) if body.is_done() || words.len() >= MAX_REFUSAL_BYTES => Some(ReadEnd::Eof),
                    Ok(()) => None,
                }
            };
            if let Some(ended) = feed(body, &received.body) {
                ended
            } else {
                let Self { connection, clock, .. } = self;
                let reading = pin!(poll_fn(|context| {
                    connection.poll_reads(context, |bytes| match bytes {
                        [] => Some(body.end().map_or_else(ReadEnd::Closed, |()| ReadEnd::Eof)),
                        _ => feed(body, bytes),
                    })
                }));
                let limit_ns = clock.now_ns().saturating_add(REFUSAL_NS);
                let read = until(clock, reading, || limit_ns).await;
                read.map_or(ReadEnd::Closed("they did not end within 1 s"), |read| read.unwrap_or_else(ReadEnd::Failed))
            }
        };
        words.truncate(MAX_REFUSAL_BYTES);
        if words.is_empty()
            && let Some(place) = &received.head.location
        {
            let detail = shortened(&format!("redirected to {place}, which is not followed: give that URL"));
            return Outcome::Rejected { status, detail };
        }
        let detail = match ended.outcome(self.limits) {
            None => Refusal::read(&words).words,
            Some(Outcome::Disconnected { detail } | Outcome::Malformed { detail }) => {
                shortened(format!("{} (the message broke off: {detail})", Refusal::read(&words).words).trim_start())
            }
            Some(_) => String::new(),
        };
        Outcome::Rejected { status, detail }
    }
}

/// So many nanoseconds after the time in the cell, or after now while there is none.
fn deadline_after<C: Clock>(since: &Cell<Option<u64>>, clock: &TrialClock<'_, C>, limit_ns: u64) -> u64 {
    since.get().unwrap_or_else(|| clock.now_ns()).saturating_add(limit_ns)
}

fn foreign_encoding(head: &Head) -> Option<String> {
    let encoding = head.content_encoding.as_deref()?;
    (!encoding.eq_ignore_ascii_case("identity")).then(|| shortened(encoding))
}
