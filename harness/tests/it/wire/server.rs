//! Servers made of canned bytes. Their threads end with the test process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use harness::{
    clock::{RealClock, TrialClock},
    dialect::dialect,
    endpoint::Endpoint,
    http::{HttpEndpoint, HttpOptions},
};
use record::{DialectName, Observation};
use rustix::net::sockopt::set_socket_linger;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: String,
}

/// What a server saw.
#[derive(Debug, Default)]
pub(super) struct ServerTraffic {
    pub(super) connections: usize,
    pub(super) requests: Vec<Request>,
}

/// What a server does after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterAnswer {
    /// Waits for the next request.
    KeepOpen,
    /// Closes in an orderly way.
    Close,
    /// Stays silent until the client closes.
    Hold,
    Reset,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) url: String,
    pub(super) seen: Arc<Mutex<ServerTraffic>>,
}

impl Server {
    /// A server that answers each request by `answer`, after it has read all of it.
    pub(super) fn start(answer: impl Fn(&Request, &mut TcpStream) -> AfterAnswer + Send + Sync + 'static) -> Self {
        Self::raw(move |_, stream, seen| converse(stream, &answer, seen))
    }

    /// A server that writes these bytes whatever it is asked.
    pub(super) fn canned(bytes: impl Into<Vec<u8>>, then: AfterAnswer) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, stream| {
            stream.write_all(&bytes).unwrap();
            then
        })
    }

    /// A server that does with each connection what it is told, the first one having the number 0.
    pub(super) fn raw(converse: impl Fn(usize, TcpStream, &Mutex<ServerTraffic>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(ServerTraffic::default()));
        let (converse, see) = (Arc::new(converse), Arc::clone(&seen));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                see.lock().unwrap().connections += 1;
                let (converse, see) = (Arc::clone(&converse), Arc::clone(&see));
                thread::spawn(move || converse(number, stream, &see));
            }
        });
        Self { url, seen }
    }

    /// A server that writes these bytes and closes without having read the request's body, which the kernel makes a reset.
    pub(super) fn resetting(bytes: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let bytes = bytes.into();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 16]).unwrap();
            stream.write_all(&bytes).unwrap();
        });
        Self { url, seen: Arc::default() }
    }

    pub(super) fn endpoint(&self, name: DialectName, options: HttpOptions) -> HttpEndpoint {
        HttpEndpoint::new(&self.url, dialect(name), "tiny", options).unwrap()
    }
}

fn converse(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Request, &mut TcpStream) -> AfterAnswer + Send + Sync),
    seen: &Mutex<ServerTraffic>,
) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read_request(&mut reader) {
        seen.lock().unwrap().requests.push(request.clone());
        match answer(&request, &mut stream) {
            AfterAnswer::KeepOpen => (),
            AfterAnswer::Close => return,
            AfterAnswer::Hold => {
                let _ = reader.read_to_end(&mut Vec::new());
                return;
            }
            AfterAnswer::Reset => {
                // A socket that lingers for no time is reset by its close.
                set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
                return;
            }
        }
    }
}

pub(super) fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line.to_ascii_lowercase());
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, body: String::from_utf8(body).unwrap() })
}

/// An answer with a length.
pub(super) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

pub(super) const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
pub(super) const LAST_CHUNK: &str = "0\r\n\r\n";

/// One chunk of the chunked transfer encoding.
pub(super) fn chunk(bytes: &str) -> String {
    format!("{:x}\r\n{bytes}\r\n", bytes.len())
}

/// A streamed answer: head, one transfer chunk per event, end.
pub(super) fn streamed(events: &[&str]) -> String {
    let chunks: String = events.iter().map(|event| chunk(&format!("data: {event}\n\n"))).collect();
    format!("{STREAM_HEAD}{chunks}{LAST_CHUNK}")
}

/// Runs a future on a runtime like the one that measures.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Sends the test's request and returns all that was seen of it.
pub(super) async fn send(endpoint: &HttpEndpoint) -> Observation {
    let clock = RealClock::start();
    let trial = TrialClock::begin(&clock);
    let mut observation = super::unsent();
    observation.outcome = endpoint.send(&super::request(), &trial, &mut observation).await;
    observation
}
