//! Questions to a server outside any trial. They have a time limit of their own, since no drive loop watches over them.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use record::engine::Tokenize;
use reqwest::{Method, RequestBuilder, Response};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{HttpEndpoint, prometheus::read_counters, streaming};
use crate::{endpoint::EndpointError, stream::refusal::Refusal};

/// Longest wait for an answer. A server under load may answer late, but one that does not answer at all must not hold up a run.
const LIMIT: Duration = Duration::from_secs(30);
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

impl HttpEndpoint {
    /// The models that the server lists, in its order.
    pub async fn models(&self) -> Result<Vec<ServedModel>, EndpointError> {
        #[derive(Deserialize)]
        struct Models {
            data: Vec<ServedModel>,
        }
        let models: Models = self.ask_json(Method::GET, "/v1/models", None).await?;
        Ok(models.data)
    }

    /// Opens connections before a trial, so that no request pays for one: asks for the list of models `connections` times at once.
    /// Returns how many of them were answered; a server that refuses some shows it again in the trial.
    pub async fn warm_connections(&self, connections: usize) -> usize {
        let questions = (0..connections).map(|_| self.ask(self.question(Method::GET, "/v1/models"), "/v1/models"));
        join_all(questions).await.iter().filter(|answer| answer.is_ok()).count()
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
        let answer: Value = self.ask_json(Method::POST, tokenize.path, Some(&body)).await?;
        let tokens = answer[tokenize.tokens_field].as_array().and_then(|tokens| u32::try_from(tokens.len()).ok());
        tokens.ok_or_else(|| self.unexpected(tokenize.path, format!("no array `{}`", tokenize.tokens_field)))
    }

    pub(super) async fn read_counters(&self, path: &str) -> Option<BTreeMap<String, f64>> {
        let body = self.ask(self.question(Method::GET, path), path).await.ok()?;
        Some(read_counters(&String::from_utf8_lossy(&body)))
    }

    pub(super) async fn read_version(&self, path: &str, pointer: &str) -> Option<String> {
        let answer: Value = self.ask_json(Method::GET, path, None).await.ok()?;
        answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    }

    fn question(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).timeout(LIMIT)
    }

    async fn ask_json<A: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<A, EndpointError> {
        let question = self.question(method, path);
        let answer = self.ask(body.into_iter().fold(question, RequestBuilder::json), path).await?;
        serde_json::from_slice(&answer).map_err(|error| self.unexpected(path, error.to_string()))
    }

    async fn ask(&self, question: RequestBuilder, path: &str) -> Result<Vec<u8>, EndpointError> {
        let unreachable =
            |error: &reqwest::Error| EndpointError::Unreachable { url: self.url(path), why: streaming::chain(error) };
        let mut response: Response = question.send().await.map_err(|error| unreachable(&error))?;
        let body = streaming::read_body(&mut response, MAX_BYTES).await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            let body = self.without_key(&Refusal::read(&body).words);
            return Err(EndpointError::Status { url: self.url(path), status: response.status().as_u16(), body });
        }
        Ok(body)
    }

    fn unexpected(&self, path: &str, why: String) -> EndpointError {
        EndpointError::Unexpected { url: self.url(path), why }
    }
}
