//! An endpoint over HTTP. What a trial sends goes over connections of its own, read on the thread that stamps; questions outside of
//! trials go through reqwest. Neither knows a proxy, a redirect or a retry.
//!
//! One thing looks like a retry. A server may close a kept connection at the moment of its next use, and a request that goes out then ends
//! without a byte of an answer. It is sent once more, over a new connection, since the server cannot be blamed for it, and the trial's facts
//! count it. On a new connection the same is a failure.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
};

use bytes::Bytes;
use futures_util::future::join_all;
use record::{Dialect, Observation, Outcome, PlannedRequest, WireCounts, engine::ChatApi};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

use self::{
    connection::{Connection, ConnectionContext, IDLE, Pool, count},
    exchange::{Exchange, StreamLimits},
    host::Host,
};
use crate::{
    clock::{Clock, TrialClock},
    endpoint::{Endpoint, EndpointError, ServerPage},
    request_body::RequestBody,
    secrets::replace_secret,
    sse,
    stream::AnswerStream,
};

mod connection;
mod exchange;
mod host;
mod options;
mod prometheus;
mod questions;
pub mod response;

pub use options::{ApiKey, HttpOptions};
pub use questions::ServedModel;

/// Chunks that an observation has room for beforehand, at most: a longer answer grows it as it comes.
const MAX_CHUNKS_RESERVED: u32 = 1 << 17;

/// A server that speaks a dialect over HTTP.
#[derive(Debug)]
pub struct HttpEndpoint {
    client: Client,
    base_url: String,
    /// The same as its connections need it.
    host: Host,
    shared: Rc<ConnectionContext>,
    idle: Pool,
    dialect: &'static Dialect,
    model: String,
    options: HttpOptions,
    forbid_prefix_reuse: Cell<bool>,
    request_id_prefix: RefCell<String>,
}

impl HttpEndpoint {
    /// An endpoint at `base_url`, e.g. `http://127.0.0.1:8000`; a trailing `/v1` is left out. Nothing is sent yet.
    pub fn new(base_url: &str, dialect: &'static Dialect, model: &str, options: HttpOptions) -> Result<Self, EndpointError> {
        let refused = |why: &str| EndpointError::Unreachable { url: without_credentials(base_url), why: why.to_owned() };
        let url = Url::parse(base_url).map_err(|error| refused(&format!("not a URL: {error}")))?;
        match url.scheme() {
            "http" => (),
            "https" => return Err(refused("https is not built in; use http, or a local proxy that ends TLS")),
            other => return Err(refused(&format!("`{other}` is not http"))),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("a URL must not hold a user name or password; give an API key instead"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("a base URL has no query and no fragment"));
        }
        let client = client(options.api_key.as_ref()).map_err(|why| refused(&why))?;
        let base_url = url.as_str().trim_end_matches('/');
        let base_url = base_url.strip_suffix("/v1").unwrap_or(base_url).trim_end_matches('/').to_owned();
        Ok(Self {
            client,
            host: Host::of(&url, &base_url).ok_or_else(|| refused("it names no host"))?,
            base_url,
            shared: Rc::default(),
            idle: Pool::default(),
            dialect,
            model: model.to_owned(),
            options,
            forbid_prefix_reuse: Cell::new(false),
            request_id_prefix: RefCell::new("request".to_owned()),
        })
    }

    /// From now on, keep requests out of the server's prefix cache, where the dialect has a field for it.
    pub fn forbid_prefix_reuse(&self, forbid: bool) {
        self.forbid_prefix_reuse.set(forbid);
    }

    /// From now on, requests carry `x-request-id: PREFIX-ID`, so that the server's log can be joined to the plan. Characters that
    /// a header cannot hold are left out.
    pub fn set_request_id_prefix(&self, prefix: &str) {
        *self.request_id_prefix.borrow_mut() = prefix.chars().filter(char::is_ascii_graphic).collect();
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Opens connections before a trial, so that no request pays for one. Returns how many are open; a server that refuses some shows
    /// it again in the trial. None are opened where the server closes each after one answer: it may hold a thread for each.
    pub async fn warm_connections(&self, connections: usize) -> usize {
        if !self.dialect.keeps_connection {
            return 0;
        }
        // What is idle from before may be about to be closed.
        self.idle.clear();
        let opening = (0..connections).map(|_| self.open());
        for connection in join_all(opening).await.into_iter().flatten() {
            self.idle.put(connection);
        }
        self.idle.len()
    }

    async fn open(&self) -> io::Result<Connection> {
        Connection::open(self.host.addresses().await?, &self.shared).await
    }

    /// A request's bytes: head and body in one piece, so that they are one write.
    fn request(&self, body: &RequestBody<'_>) -> Result<Bytes, serde_json::Error> {
        let json = serde_json::to_vec(body)?;
        let mut head = format!(
            "POST {}{} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: {}\r\nx-request-id: {}-{}\r\n",
            self.host.path,
            body.path(),
            self.host.authority,
            accept_header(body.answered_by()),
            self.request_id_prefix.borrow(),
            body.request.id,
        );
        if let Some(ApiKey(key)) = &self.options.api_key {
            head.push_str("authorization: Bearer ");
            head.push_str(key);
            head.push_str("\r\n");
        }
        if !self.dialect.keeps_connection {
            head.push_str("connection: close\r\n");
        }
        head.push_str("content-length: ");
        head.push_str(&json.len().to_string());
        head.push_str("\r\n\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(&json);
        Ok(request.into())
    }

    /// A server's words without the key and the secrets, which some repeat when they refuse them.
    fn redact(&self, words: &str) -> String {
        let words = self.options.secrets.redact(words);
        match &self.options.api_key {
            Some(ApiKey(key)) => replace_secret(&words, key, "[key]"),
            None => words,
        }
    }

    /// Opens a connection for a request, which says how long it took.
    async fn connect<C: Clock>(&self, clock: &TrialClock<'_, C>, observation: &mut Observation) -> io::Result<Connection> {
        let began_ns = clock.now_ns();
        let connection = self.open().await?;
        observation.connect_ns = Some(clock.now_ns().saturating_sub(began_ns));
        Ok(connection)
    }

    async fn exchange<C: Clock>(
        &self,
        request: Bytes,
        api: ChatApi,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> Outcome {
        // Should the connection not open, this is when the request was to be sent.
        observation.send_ns = Some(clock.now_ns());
        let limits = StreamLimits {
            idle_ns: self.options.idle_ns,
            max_body_bytes: self.options.max_body_bytes,
            head_ns: self.options.head_ns,
            crossed_ns: self.options.crossed_ns,
        };
        let mut kept = self.idle.take();
        loop {
            let (connection, was_kept) = match kept.take() {
                Some(connection) => (connection, true),
                None => match self.connect(clock, observation).await {
                    Ok(connection) => (connection, false),
                    Err(error) => return Outcome::Disconnected { detail: format!("no connection: {error}") },
                },
            };
            let answer = AnswerStream::of(api, self.dialect, sse::DEFAULT_MAX_EVENT_BYTES);
            let mut exchange = Exchange { connection, limits, clock, observation };
            let exchanged = exchange.run(request.clone(), answer).await;
            if exchanged.is_clean && self.dialect.keeps_connection {
                self.idle.put(exchange.connection);
            }
            if !(was_kept && exchanged.is_unanswered) {
                return exchanged.outcome;
            }
            // A server may close a kept connection at any moment, this one too: that is nobody's failure, but counted.
            count(&self.shared.counters.sent_again);
        }
    }
}

/// A request whose bytes are ready.
#[derive(Debug)]
pub struct PreparedRequest {
    bytes: Result<Bytes, String>,
    answered_by: ChatApi,
    output_tokens: u32,
    forces_length: bool,
    asks_for_json: bool,
}

impl Endpoint for HttpEndpoint {
    type PreparedRequest = PreparedRequest;

    fn prepare(&self, request: &PlannedRequest) -> PreparedRequest {
        let body = RequestBody {
            request,
            dialect: self.dialect,
            model: &self.model,
            api: self.options.api,
            forbid_prefix_reuse: self.forbid_prefix_reuse.get(),
        };
        PreparedRequest {
            bytes: self.request(&body).map_err(|error| error.to_string()),
            answered_by: body.answered_by(),
            output_tokens: request.output_tokens,
            forces_length: body.forces_length(),
            asks_for_json: body.asks_for_json(),
        }
    }

    async fn send_prepared<C: Clock>(
        &self,
        request: PreparedRequest,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> Outcome {
        observation.forced_length = request.forces_length;
        observation.structured = request.asks_for_json;
        observation.chunks.0.reserve_exact(request.output_tokens.min(MAX_CHUNKS_RESERVED) as usize);
        let outcome = match request.bytes {
            Ok(bytes) => self.exchange(bytes, request.answered_by, clock, observation).await,
            Err(why) => Outcome::Malformed { detail: format!("the request cannot be written: {why}") },
        };
        observation.end_ns.get_or_insert_with(|| clock.now_ns());
        observation.finish_reason = observation.finish_reason.take().map(|reason| self.redact(&reason));
        outcome.map_detail(|detail| self.redact(&detail))
    }

    fn wire_counts(&self) -> Option<WireCounts> {
        let counters = &self.shared.counters;
        Some(WireCounts {
            opened: counters.opened.get(),
            reads: counters.reads.get(),
            full_reads: counters.full_reads.get(),
            blocked_writes: counters.blocked_writes.get(),
            sent_again: counters.sent_again.get(),
        })
    }

    async fn count_tokens(&self, texts: &[&str]) -> Result<Option<Vec<u32>>, EndpointError> {
        match &self.dialect.tokenize {
            Some(tokenize) => self.count_all(tokenize, texts).await.map(Some),
            None => Ok(None),
        }
    }

    async fn server_page(&self) -> Option<Result<ServerPage, EndpointError>> {
        let names = self.dialect.metrics?;
        Some(self.read_server_page(self.options.metrics_path.as_deref().unwrap_or(names.path), names).await)
    }

    async fn reset_cache(&self) -> Option<Result<String, EndpointError>> {
        Some(self.request_cache_reset(self.dialect.cache_reset?).await)
    }

    async fn healthy(&self) -> Option<bool> {
        self.answers_with_success(self.dialect.health?).await
    }

    async fn served_models(&self) -> Vec<String> {
        self.described_models().await.unwrap_or_default()
    }

    async fn version(&self) -> Option<String> {
        let (path, pointer) = self.dialect.version?;
        self.read_version(path, pointer).await
    }
}

fn accept_header(api: ChatApi) -> &'static str {
    match api {
        ChatApi::Openai => "text/event-stream",
        ChatApi::Ollama => "application/x-ndjson",
    }
}

fn client(api_key: Option<&ApiKey>) -> Result<Client, String> {
    let mut headers = HeaderMap::new();
    if let Some(ApiKey(key)) = api_key {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
            .map_err(|_| "the API key holds characters that a header cannot".to_owned())?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Client::builder()
        .default_headers(headers)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| questions::describe_error_chain(&error))
}

/// A URL as an error may show it: without what stands before an `@`, be it a URL or not.
fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => url.to_owned(),
    }
}
