//! Questions to a server outside any trial. They have a time limit of their own, since no drive loop watches over them.

use std::{error::Error as _, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use record::engine::{CacheReset, MetricNames, Tokenize};
use reqwest::{Method, RequestBuilder, Response};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{HttpEndpoint, prometheus::read_page};
use crate::{
    endpoint::{EndpointError, ServerPage},
    stream::refusal::{Refusal, shortened},
};

/// Longest wait for an answer. A server under load may answer late, but one that does not answer at all must not hold up a run.
const LIMIT: Duration = Duration::from_secs(30);
/// A server that does not say at once that it is well is not.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 64 << 20;
/// Tokenizing is cheap for a server, and waiting for one answer at a time would cost seconds for thousands of words.
const TOKENIZE_AT_ONCE: usize = 32;

/// A model that a server lists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServedModel {
    /// Its name in requests.
    pub id: String,
    /// Tokens, prompt and output together, that one request may have; vLLM and SGLang say it.
    pub max_model_len: Option<u32>,
}

/// A list as `/v1/models` has it.
#[derive(Deserialize)]
struct ModelList<M> {
    data: Vec<M>,
}

impl HttpEndpoint {
    /// The models that the server lists, in its order.
    pub async fn models(&self) -> Result<Vec<ServedModel>, EndpointError> {
        let models: ModelList<ServedModel> = self.query_json(Method::GET, "/v1/models", None).await?;
        Ok(models.data)
    }

    /// Their names, each with where it was loaded from if that is called otherwise; vLLM and SGLang say it.
    pub(super) async fn described_models(&self) -> Result<Vec<String>, EndpointError> {
        #[derive(Deserialize)]
        struct Model {
            id: String,
            root: Option<String>,
        }
        let models: ModelList<Model> = self.query_json(Method::GET, "/v1/models", None).await?;
        let described = |Model { id, root }| match root {
            Some(root) if root == id => id,
            // Where a machine keeps its files is private.
            Some(root) if root.starts_with('/') => {
                format!("{id} (from .../{})", root.trim_end_matches('/').rsplit('/').next().unwrap_or_default())
            }
            Some(root) => format!("{id} (from {root})"),
            None => id,
        };
        Ok(models.data.into_iter().map(described).collect())
    }

    pub(super) async fn count_all(&self, tokenize: &Tokenize, texts: &[&str]) -> Result<Vec<u32>, EndpointError> {
        let counts = stream::iter(texts).map(|text| self.count_one(tokenize, text));
        counts.buffered(TOKENIZE_AT_ONCE).try_collect().await
    }

    async fn count_one(&self, tokenize: &Tokenize, text: &str) -> Result<u32, EndpointError> {
        let mut body = json!({tokenize.text_field: text});
        if tokenize.names_model {
            body["model"] = json!(self.model);
        }
        if let Some(switch) = tokenize.special_tokens_switch {
            body[switch] = json!(false);
        }
        let answer: Value = self.query_json(Method::POST, tokenize.path, Some(&body)).await?;
        let tokens = answer[tokenize.tokens_field].as_array().and_then(|tokens| u32::try_from(tokens.len()).ok());
        tokens.ok_or_else(|| self.unexpected(tokenize.path, &format!("no array `{}`", tokenize.tokens_field)))
    }

    pub(super) async fn read_server_page(&self, path: &str, names: &'static MetricNames) -> Result<ServerPage, EndpointError> {
        let body = self.send_query(self.query(Method::GET, path).header("accept", "text/plain"), path).await?;
        // Not on the thread that stamps what is read of answers: a page of 50 kB takes milliseconds.
        let parsed = tokio::task::spawn_blocking(move || read_page(&String::from_utf8_lossy(&body), names)).await;
        parsed
            .unwrap_or_else(|ended| Err(format!("reading the page of metrics failed: {ended}")))
            .map_err(|why| self.unexpected(path, &why))
    }

    pub(super) async fn request_cache_reset(&self, CacheReset { path, needs }: CacheReset) -> Result<String, EndpointError> {
        match self.send_query(self.query(Method::POST, path), path).await {
            Ok(_) => Ok(format!("emptied by POST {path}")),
            Err(EndpointError::Status { url, status: status @ 404, body }) if !needs.is_empty() => {
                Err(EndpointError::Status { url, status, body: format!("{body}; the server needs {needs} for it") })
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a path answers with success; none where there is no such path, as behind a server that only speaks the dialect.
    pub(super) async fn answers_with_success(&self, path: &str) -> Option<bool> {
        match self.send_query(self.query(Method::GET, path).timeout(HEALTH_LIMIT), path).await {
            Ok(_) => Some(true),
            Err(EndpointError::Status { status: 404 | 405 | 501, .. }) => None,
            Err(_) => Some(false),
        }
    }

    pub(super) async fn read_version(&self, path: &str, pointer: &str) -> Option<String> {
        let answer: Value = self.query_json(Method::GET, path, None).await.ok()?;
        answer.pointer(pointer).and_then(Value::as_str).map(|version| self.redact(version))
    }

    fn query(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).timeout(LIMIT)
    }

    async fn query_json<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<A, EndpointError> {
        let query = self.query(method, path);
        let answer = self.send_query(body.into_iter().fold(query, RequestBuilder::json), path).await?;
        serde_json::from_slice(&answer).map_err(|error| self.unexpected(path, &error.to_string()))
    }

    async fn send_query(&self, query: RequestBuilder, path: &str) -> Result<Vec<u8>, EndpointError> {
        let unreachable =
            |error: &reqwest::Error| EndpointError::Unreachable { url: self.url(path), why: describe_error_chain(error) };
        let mut response: Response = query.send().await.map_err(|error| unreachable(&error))?;
        let body = read_body(&mut response, MAX_BYTES).await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            let body = self.redact(&Refusal::read(&body).words);
            return Err(EndpointError::Status { url: self.url(path), status: response.status().as_u16(), body });
        }
        Ok(body)
    }

    fn unexpected(&self, path: &str, why: &str) -> EndpointError {
        EndpointError::Unexpected { url: self.url(path), why: self.redact(why) }
    }
}

/// Reads a body, or as much of it as `max_bytes`.
async fn read_body(response: &mut Response, max_bytes: usize) -> Result<Vec<u8>, reqwest::Error> {
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

/// An error and its causes, without the URL, which may hold what a record must not.
pub(super) fn describe_error_chain(error: &reqwest::Error) -> String {
    let words = std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string);
    let mut chain: Vec<String> = Vec::new();
    for words in words {
        // Some causes repeat the words of their own cause.
        if chain.last().is_some_and(|before| before.ends_with(&words)) {
            continue;
        }
        chain.push(words);
    }
    if chain.is_empty() { shortened(&error_kind(error)) } else { shortened(&chain.join(": ")) }
}

fn error_kind(error: &reqwest::Error) -> String {
    match error {
        _ if error.is_timeout() => "timed out".to_owned(),
        _ if error.is_connect() => "no connection".to_owned(),
        _ if error.is_builder() => "not a valid request".to_owned(),
        _ => "the exchange failed without a stated cause".to_owned(),
    }
}
