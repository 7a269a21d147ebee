//! Servers that follow a script: what they write, how fast, and how they end. Their threads end with the test process.

use std::{
    io::{self, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::future;
use harness::{
    clock::RealClock,
    drive::{DriveLimits, drive},
    http::{HttpEndpoint, HttpOptions},
};
use record::{DialectName, Observation, Outcome, Release};

use super::server::{AfterAnswer, Server, chunk};

pub(super) const A: &str = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
pub(super) const STOP: &str = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
pub(super) const DONE: &str = "[DONE]";

/// One step of an answer.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Write(Vec<u8>),
    /// Each byte in a write of its own.
    Bytewise(Vec<u8>),
    /// The same again and again, this often.
    Repeat(Vec<u8>, u64),
    /// The same again and again with this pause before each, until the client leaves.
    Trickle(Vec<u8>, Duration),
}

/// What a server does with every request.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) then: AfterAnswer,
}

/// For ever, as far as a test can see: 64 MiB and more, whatever is repeated.
pub(super) const ENDLESS: u64 = u64::MAX;

pub(super) fn write(bytes: &str) -> Step {
    Step::Write(bytes.as_bytes().to_vec())
}

pub(super) fn trickle(bytes: &str) -> Step {
    Step::Trickle(bytes.as_bytes().to_vec(), Duration::from_millis(20))
}

/// An event of a stream as a chunk of the chunked transfer encoding.
pub(super) fn event(data: &str) -> String {
    chunk(&format!("data: {data}\n\n"))
}

/// A server that follows its script for each request, and counts what the sockets took of it.
pub(super) struct ScriptedServer {
    pub(super) server: Server,
    sent_bytes: Arc<AtomicU64>,
}

impl ScriptedServer {
    pub(super) fn start(script: Script) -> Self {
        let sent_bytes = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&sent_bytes);
        let server = Server::start(move |_, stream| match play(&script.steps, stream, &count) {
            Ok(()) => script.then,
            // The client has left, as it may.
            Err(_) => AfterAnswer::Close,
        });
        Self { server, sent_bytes }
    }

    pub(super) fn endpoint(&self, options: HttpOptions) -> HttpEndpoint {
        self.server.endpoint(DialectName::Openai, options)
    }

    /// Bytes that the kernel took: what the client has read and what lies in the sockets' buffers.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::SeqCst)
    }

    pub(super) fn connections(&self) -> usize {
        self.server.seen.lock().unwrap().connections
    }

    pub(super) fn requests(&self) -> usize {
        self.server.seen.lock().unwrap().requests.len()
    }
}

fn play(steps: &[Step], stream: &mut TcpStream, sent_bytes: &AtomicU64) -> io::Result<()> {
    let mut send = |bytes: &[u8]| {
        stream.write_all(bytes)?;
        sent_bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        io::Result::Ok(())
    };
    for step in steps {
        match step {
            Step::Write(bytes) => send(bytes)?,
            Step::Bytewise(bytes) => bytes.chunks(1).try_for_each(&mut send)?,
            Step::Repeat(bytes, times) => (0..*times).try_for_each(|_| send(bytes))?,
            Step::Trickle(bytes, pause) => loop {
                thread::sleep(*pause);
                send(bytes)?;
            },
        }
    }
    Ok(())
}

/// Sends one request through the drive loop, whose limit for it is this, and returns all that was seen of it.
pub(super) async fn send_within(endpoint: &HttpEndpoint, limit_ms: u64) -> Observation {
    let plan = crate::drive::plan(&[Release::At { t_ns: 0 }]);
    let limits = DriveLimits { request_ns: limit_ms * 1_000_000, trial_ns: 60_000_000_000, collect_text: true };
    let mut driven = drive(endpoint, &RealClock::start(), &plan, limits, future::pending()).await;
    assert_eq!(driven.cut_short, None);
    driven.observations.remove(0)
}

/// What was seen, in one line: the stamps that there are, the text, and the outcome.
pub(super) fn line(case: &str, seen: &Observation) -> String {
    let stamps = [
        (seen.send_ns, "send"),
        (seen.headers_ns, "headers"),
        (seen.first_event_ns, "event"),
        (seen.first_token_ns, "token"),
        (seen.end_ns, "end"),
    ];
    let stamps: Vec<&str> = stamps.iter().filter_map(|&(t_ns, word)| t_ns.and(Some(word))).collect();
    let text = seen.text.as_deref().unwrap_or_default();
    // Only that much of a long text as can be read.
    let text = if text.len() > 8 { "(long)" } else { text };
    let outcome = match &seen.outcome {
        Outcome::Complete | Outcome::NotSent => seen.outcome.word().to_owned(),
        Outcome::Rejected { status, detail } => format!("rejected {status} {detail}").trim_end().to_owned(),
        Outcome::Truncated { detail }
        | Outcome::TimedOut { detail }
        | Outcome::Disconnected { detail }
        | Outcome::Malformed { detail } => format!("{}: {detail}", seen.outcome.word()),
    };
    format!("{case} | {} | {text:?} | {outcome}", stamps.join(" "))
}
