//! An endpoint over HTTP: one client with its pool of connections, no proxy, no redirect, no retry.
//!
//! A request that finds its connection closed before a byte of it was written takes another connection. That is no retry: the
//! server never saw it.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::poll_fn,
    pin::pin,
    time::Duration,
};

use record::{Dialect, Observation, Outcome, PlannedRequest, engine::ChatApi};
use reqwest::{
    Client, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

use self::streaming::StreamLimits;
use crate::{
    clock::{Clock, TrialClock},
    endpoint::{Endpoint, EndpointError, ServerPage},
    request_body::{Api, RequestBody},
    secrets::Secrets,
    sse,
    stream::AnswerStream,
};

mod prometheus;
mod questions;
mod streaming;

pub use questions::ServedModel;

/// Idle connections are closed before the server closes them: uvicorn and llama.cpp do so after 5 s, and a request written into that
/// moment is lost.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// How to talk to a server.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Which streaming endpoint is asked.
    pub api: Api,
    /// Sent as a bearer token.
    pub api_key: Option<ApiKey>,
    /// What a server may repeat, and what must then be taken out of its words: the secrets of its recipe.
    pub secrets: Secrets,
    /// Longest silence of a stream after its first event, in nanoseconds.
    pub idle_ns: u64,
    /// Longest streamed answer, in bytes.
    pub max_body_bytes: u64,
    /// Where the page of metrics is; the dialect's own path if `None`.
    pub metrics_path: Option<String>,
}

impl Default for HttpOptions {
    /// Chat, no key, five minutes of silence (a request that an engine preempts under load may wait long for its next token), and
    /// 256 MiB, which is more than 65536 tokens with a kilobyte of JSON each.
    fn default() -> Self {
        Self {
            api: Api::Chat,
            api_key: None,
            secrets: Secrets::default(),
            idle_ns: 300_000_000_000,
            max_body_bytes: 256 << 20,
            metrics_path: None,
        }
    }
}

/// A key that shows itself nowhere but in the header that it is for.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key.
    #[must_use]
    pub fn new(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// A server that speaks a dialect over HTTP.
#[derive(Debug)]
pub struct HttpEndpoint {
    client: Client,
    base_url: String,
    dialect: &'static Dialect,
    model: String,
    options: HttpOptions,
    forbid_prefix_reuse: Cell<bool>,
    request_id_prefix: RefCell<String>,
}

impl HttpEndpoint {
    /// An endpoint at `base_url`, e.g. `http://127.0.0.1:8000`; a trailing `/v1` is left out. Nothing is sent yet.
    pub fn new(base_url: &str, dialect: &'static Dialect, model: &str, options: HttpOptions) -> Result<Self, EndpointError> {
        let refused = |why: &str| EndpointError::Unreachable { url: shown(base_url), why: why.to_owned() };
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
        Ok(Self {
            client,
            base_url: base_url.strip_suffix("/v1").unwrap_or(base_url).trim_end_matches('/').to_owned(),
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

    fn request(&self, body: &RequestBody<'_>) -> Result<reqwest::Request, reqwest::Error> {
        let request_id = format!("{}-{}", self.request_id_prefix.borrow(), body.request.id);
        let post = self.client.post(self.url(body.path())).header("x-request-id", request_id);
        let post = if self.dialect.keeps_connection { post } else { post.header("connection", "close") };
        post.header("accept", accepted(body.answered_by())).json(body).build()
    }

    /// A server's words without the key and the secrets, which some repeat when they refuse them.
    fn without_secrets(&self, words: &str) -> String {
        let words = self.options.secrets.redact(words);
        match &self.options.api_key {
            Some(ApiKey(key)) if !key.is_empty() => words.replace(key, "[key]"),
            _ => words,
        }
    }

    async fn exchange<C: Clock>(
        &self,
        request: reqwest::Request,
        api: ChatApi,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> Outcome {
        observation.send_ns = Some(clock.now_ns());
        let response = match written_at_once(self.client.execute(request)).await {
            Ok(response) => response,
            Err(error) => return streaming::broken(&error),
        };
        observation.headers_ns = Some(clock.now_ns());
        if !response.status().is_success() {
            return streaming::read_refusal(response).await;
        }
        let answer = AnswerStream::of(api, self.dialect, sse::DEFAULT_MAX_EVENT_BYTES);
        let limits = StreamLimits { idle_ns: self.options.idle_ns, max_body_bytes: self.options.max_body_bytes };
        streaming::read_answer(response, answer, limits, clock, observation).await
    }
}

impl Endpoint for HttpEndpoint {
    async fn send<C: Clock>(
        &self,
        request: &PlannedRequest,
        clock: &TrialClock<'_, C>,
        observation: &mut Observation,
    ) -> Outcome {
        let body = RequestBody {
            request,
            dialect: self.dialect,
            model: &self.model,
            api: self.options.api,
            forbid_prefix_reuse: self.forbid_prefix_reuse.get(),
        };
        observation.forced_length = body.forces_length();
        observation.structured = body.asks_for_json();
        let outcome = match self.request(&body) {
            Ok(request) => self.exchange(request, body.answered_by(), clock, observation).await,
            Err(error) => Outcome::Malformed { detail: format!("the request cannot be written: {}", streaming::chain(&error)) },
        };
        observation.end_ns.get_or_insert_with(|| clock.now_ns());
        observation.finish_reason = observation.finish_reason.take().map(|reason| self.without_secrets(&reason));
        outcome.map_detail(|detail| self.without_secrets(&detail))
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
        Some(self.ask_for_reset(self.dialect.cache_reset?).await)
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

/// Polls a request once, which hands it to its connection, and then lets the connection run before the next request of the same moment
/// is stamped and built: 64 requests sent at once would else all wait for the last one, with their clocks running.
async fn written_at_once<F: Future>(execute: F) -> F::Output {
    let mut execute = pin!(execute);
    let mut handed_over = false;
    poll_fn(|context| {
        let polled = execute.as_mut().poll(context);
        if polled.is_pending() && !handed_over {
            handed_over = true;
            // `FuturesUnordered` gives its executor a turn when futures wake themselves.
            context.waker().wake_by_ref();
        }
        polled
    })
    .await
}

fn accepted(api: ChatApi) -> &'static str {
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
        .pool_idle_timeout(POOL_IDLE)
        .build()
        .map_err(|error| streaming::chain(&error))
}

/// A URL as an error may show it: without what stands before an `@`.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}
