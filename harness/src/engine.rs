//! Engines: how a server is started, how it is known to be ready, and how it is shut down.
//!
//! `process` spawns one from a recipe, `container` boots one, `attach` finds one that runs. The simulated Spark implements the same
//! two traits in `fixtures`.

pub mod attach;
pub mod backends;
#[cfg(feature = "container")]
pub mod container;
pub mod device;
pub mod docker_error;
pub mod group;
pub mod log;
pub mod place;
pub mod placeholders;
pub mod process;
pub mod readiness;

use std::net::TcpListener;

use record::{Cell, ExitCode, Identity, Launch, Recipe};

use crate::{
    endpoint::{Endpoint, EndpointError},
    machine,
    suite::SuiteError,
};
pub use docker_error::DockerError;

/// An engine that can be started once per boot.
#[warn(missing_docs)]
pub trait Engine {
    /// A started instance of the engine.
    type Instance: EngineInstance;

    /// How it comes to run.
    fn launch(&self) -> Launch;

    /// Starts it, without waiting until it is ready. `boot` is the boot's number in the record.
    fn start(&mut self, boot: u32) -> impl Future<Output = Result<Self::Instance, EngineError>>;
}

/// An engine that was started.
#[warn(missing_docs)]
pub trait EngineInstance {
    /// How requests reach it: HTTP, or a call in virtual time.
    type Endpoint: Endpoint;

    /// The endpoint that answers this instance's requests; the same for its whole life.
    fn endpoint(&self) -> &Self::Endpoint;

    /// The command line as it was run, as a record may show it.
    fn command(&self) -> &[String];

    /// Resolves, with how, when the engine ends by itself; never for one that is not ours.
    fn died(&self) -> impl Future<Output = String>;

    /// The last lines of its log, secrets redacted; empty where there is none.
    fn log_tail(&self) -> String;

    /// Its observed identity, queried once it is ready; an error if it does not run on the device that it was given. The names that it
    /// serves are queried through its endpoint.
    fn identity(&self) -> impl Future<Output = Result<Identity, EngineError>>;

    /// CPU time that its processes have used so far, in nanoseconds; none where they cannot be looked at, or are not there, which is what
    /// this says unless an engine knows better. Never takes longer than a few seconds.
    fn cpu_ns(&self) -> impl Future<Output = Option<u64>> {
        std::future::ready(None)
    }

    /// Gets ready for a trial of this cell: whether its prompts may come from the cache, which noise a simulation draws.
    fn begin_trial(&self, cell: &Cell, order: u32) -> impl Future<Output = ()>;

    /// Opens the connections that the trial will use, just before it: the clock must not pay for them.
    fn open_connections(&self, cell: &Cell) -> impl Future<Output = ()>;

    /// Stops it: gracefully, then by force. Returns how it went, in words.
    fn stop(self) -> impl Future<Output = String>;
}

/// An engine that could not be started, or that cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The recipe asks for something that is not there.
    #[error("recipe `{recipe}`: {why}")]
    Recipe {
        recipe: String,
        /// The missing part, and what to do.
        why: String,
    },
    #[error("port {port} of 127.0.0.1 is in use: stop what listens there, or set {setting} to have a free one chosen")]
    PortTaken {
        port: u16,
        /// What to write in the recipe.
        setting: &'static str,
    },
    /// Not enough memory for it.
    #[error(
        "recipe `{recipe}` needs {needs_gib} GiB of memory, and {available_gib:.1} GiB are available: end what holds the rest (`ps \
         aux --sort=-rss | head` shows it)"
    )]
    Memory {
        recipe: String,
        /// What it asks for.
        needs_gib: u32,
        available_gib: f64,
    },
    /// Docker will not boot it.
    #[error(transparent)]
    Docker(#[from] DockerError),
    /// It runs on another device than the one it was given.
    #[error("the engine answers, but runs on no GPU: {why}")]
    NoGpu {
        /// How that is known, and what to do.
        why: String,
    },
    /// The program cannot be run.
    #[error("cannot run `{program}`: {why}")]
    Spawn { program: String, why: String },
    /// It ended before it was ready.
    #[error("the engine ended before it was ready: {how}\n{log_tail}")]
    Exited {
        how: String,
        /// The last lines of its log.
        log_tail: String,
    },
    /// It did not answer with a token in time.
    #[error(
        "the engine gave no token within {timeout_s} s (raise [ready] timeout_s if it only needs longer); last answer: {last}\n{log_tail}"
    )]
    ReadyTimeout {
        timeout_s: u32,
        /// What it said last.
        last: String,
        /// The last lines of its log.
        log_tail: String,
    },
    /// It answers, but not to this request, and waiting will not change that.
    #[error("the engine refuses a one-token request for model `{model}`: {answer}{hint}")]
    RequestRefused {
        /// The model that was asked for.
        model: String,
        answer: String,
        hint: String,
    },
    /// Its output is garbage.
    #[error("the engine's output failed the sanity check, so nothing was timed: {why}")]
    SanityCheckFailed { why: String },
    /// Prompts cannot be sized.
    #[error("prompts cannot be sized: {why}")]
    Sizing { why: String },
    /// The suite has no text to size prompts by.
    #[error("prompts cannot be sized: {why}")]
    Probe { why: SuiteError },
    /// A question outside any trial failed.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A person or a signal stopped us meanwhile.
    #[error("interrupted")]
    Interrupted,
}

impl EngineError {
    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Recipe { .. } => ExitCode::Usage,
            Self::Interrupted => ExitCode::Interrupted,
            Self::Docker(error) => error.exit_code(),
            _ => ExitCode::Engine,
        }
    }
}

/// Finds out before the boot that the port is taken: an engine may need half a minute of imports to say so. 0 takes a free one; `setting`
/// is what the recipe must say to have that.
fn choose_port(wanted: u16, setting: &'static str) -> Result<u16, EngineError> {
    let taken = |_| EngineError::PortTaken { port: wanted, setting };
    let listener = TcpListener::bind(("127.0.0.1", wanted)).map_err(taken)?;
    listener.local_addr().map(|address| address.port()).map_err(taken)
}

/// Finds out before the boot that the memory is not there: loading half a model takes minutes, and on a machine whose GPU shares its
/// memory the kernel then kills whom it likes.
fn check_memory(recipe: &Recipe) -> Result<(), EngineError> {
    check_memory_against(recipe, machine::memory_available_bytes())
}

fn check_memory_against(recipe: &Recipe, available_bytes: Option<u64>) -> Result<(), EngineError> {
    let (Some(needs_gib), Some(available)) = (recipe.limits.memory_gib, available_bytes) else { return Ok(()) };
    if available >= u64::from(needs_gib) << 30 {
        return Ok(());
    }
    let available_gib = available as f64 / f64::from(1 << 30);
    Err(EngineError::Memory { recipe: recipe.name.clone(), needs_gib, available_gib })
}

/// Connections that a cell's trial is begun with: one per stream; for an open loop a fixed number, since it is not known
/// beforehand how many requests will be in flight.
fn connections(cell: &Cell) -> usize {
    const OPEN_LOOP: u32 = 32;
    cell.load.target_in_flight().unwrap_or(OPEN_LOOP.min(cell.load.requests())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_with_too_little_memory_is_refused() {
        let text =
            "name = \"x\"\nengine = \"other\"\ndialect = \"openai\"\n[model]\nid = \"m\"\n[process]\ncommand = [\"${PORT}\"]\n";
        let mut recipe = record::recipe::parse(text, "x.toml", "x").unwrap();
        assert!(check_memory_against(&recipe, Some(0)).is_ok(), "it asks for none");
        recipe.limits.memory_gib = Some(70);
        assert!(check_memory_against(&recipe, Some(70 << 30)).is_ok());
        assert!(check_memory_against(&recipe, None).is_ok());
        let error = check_memory_against(&recipe, Some(20 << 29)).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Engine);
        insta::assert_snapshot!(error, @"recipe `x` needs 70 GiB of memory, and 10.0 GiB are available: end what holds the rest (`ps \
         aux --sort=-rss | head` shows it)");
    }
}
