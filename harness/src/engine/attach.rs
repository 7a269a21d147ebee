//! An engine that already runs: only its URL is known, and it is not ours to stop.

use record::{Cell, Identity, Launch, PrefixReuse};

use super::{Engine, EngineError, EngineInstance, connections};
use crate::http::{HttpEndpoint, ServedModel};

/// A server that already runs.
#[derive(Debug)]
pub struct AttachedEngine {
    url: String,
    endpoint: Option<HttpEndpoint>,
}

impl AttachedEngine {
    /// A server at `url`, which `endpoint` talks to. It is attached to once: there is nothing to boot again.
    #[must_use]
    pub fn new(url: String, endpoint: HttpEndpoint) -> Self {
        Self { url, endpoint: Some(endpoint) }
    }
}

/// The model to ask for: the one given, or the only one that the server lists. A given one need not be listed, since some servers list
/// nothing and others take any name.
pub async fn choose_model(endpoint: &HttpEndpoint, url: &str, wanted: Option<&str>) -> Result<ServedModel, EngineError> {
    let models = endpoint.models().await;
    if let Some(wanted) = wanted {
        let listed = models.ok().and_then(|models| models.into_iter().find(|model| model.id == wanted));
        return Ok(listed.unwrap_or_else(|| ServedModel { id: wanted.to_owned(), max_model_len: None }));
    }
    let models = models?;
    match models.as_slice() {
        [model] => Ok(model.clone()),
        [] => {
            Err(EngineError::Recipe { recipe: "attach".to_owned(), why: format!("{url} lists no model; name one with --model") })
        }
        many => Err(EngineError::Recipe {
            recipe: "attach".to_owned(),
            why: format!(
                "{url} lists {} models ({}); name one with --model",
                many.len(),
                many.iter().map(|model| model.id.as_str()).collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}

impl Engine for AttachedEngine {
    type Instance = AttachedServer;

    fn launch(&self) -> Launch {
        Launch::Attach
    }

    async fn start(&mut self, _boot: u32) -> Result<AttachedServer, EngineError> {
        let endpoint = self.endpoint.take().ok_or_else(|| EngineError::Recipe {
            recipe: "attach".to_owned(),
            why: "a running server cannot be booted again; use --boots 1 and more --trials".to_owned(),
        })?;
        Ok(AttachedServer { command: vec![format!("attached to {}", self.url)], endpoint })
    }
}

#[derive(Debug)]
pub struct AttachedServer {
    command: Vec<String>,
    endpoint: HttpEndpoint,
}

impl EngineInstance for AttachedServer {
    type Endpoint = HttpEndpoint;

    fn endpoint(&self) -> &HttpEndpoint {
        &self.endpoint
    }

    fn command(&self) -> &[String] {
        &self.command
    }

    async fn died(&self) -> String {
        // Its process is not ours to watch; a dead server shows in the outcomes.
        std::future::pending().await
    }

    fn log_tail(&self) -> String {
        String::new()
    }

    async fn identity(&self) -> Result<Identity, EngineError> {
        // Neither its process nor its log can be looked at from here.
        Ok(Identity::default())
    }

    async fn begin_trial(&self, cell: &Cell, _order: u32) {
        self.endpoint.forbid_prefix_reuse(cell.prefix_reuse == PrefixReuse::Forbidden);
    }

    async fn open_connections(&self, cell: &Cell) {
        self.endpoint.warm_connections(connections(cell)).await;
    }

    async fn stop(self) -> String {
        "left running: it was attached to, not started".to_owned()
    }
}
