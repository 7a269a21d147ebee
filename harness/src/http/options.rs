//! Options of the HTTP client.

use std::fmt;

use crate::{request_body::Api, secrets::Secrets};

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
    /// Longest time from the first byte of an answer's head to its end, in nanoseconds.
    pub head_ns: u64,
    /// Longest time after a request in which the end of a kept connection is taken for one that was on its way before, and the request sent
    /// once more; in nanoseconds. Later it is how the server answered.
    pub crossed_ns: u64,
    /// Where the page of metrics is; the dialect's own path if `None`.
    pub metrics_path: Option<String>,
}

impl Default for HttpOptions {
    /// Chat, no key, five minutes of silence (a request that an engine preempts under load may wait long for its next token),
    /// 256 MiB, which is more than 65536 tokens with a kilobyte of JSON each, half a minute for a head that has
    /// begun, and a second for what crosses on the way.
    fn default() -> Self {
        Self {
            api: Api::Chat,
            api_key: None,
            secrets: Secrets::default(),
            idle_ns: 300_000_000_000,
            max_body_bytes: 256 << 20,
            head_ns: 30_000_000_000,
            crossed_ns: 1_000_000_000,
            metrics_path: None,
        }
    }
}

/// A key that shows itself nowhere but in the header that it is for.
#[derive(Clone)]
pub struct ApiKey(pub(super) String);

impl ApiKey {
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
