//! The engines of real time as one type, so that what measures them is compiled once. The simulated Spark is not among them: it has another
//! clock and another endpoint, and shares no measuring code with them.

use std::rc::Rc;

#[cfg(feature = "container")]
use harness::engine::container::{ContainerEngine, RunningContainer};
use harness::{
    engine::{
        Engine, EngineError, EngineInstance,
        attach::{AttachedEngine, AttachedServer},
        process::{ProcessEngine, RunningProcess},
    },
    http::HttpEndpoint,
    run_lock::RunLock,
};
use record::{Cell, Identity, Launch};

/// An engine of real time.
pub(crate) enum RealEngine {
    /// A server that was running before.
    Attached(Box<AttachedEngine>),
    /// A process that we start.
    Process(Box<ProcessEngine>),
    /// A container that we start.
    #[cfg(feature = "container")]
    Container(Box<ContainerEngine>),
}

/// A [`RealEngine`] after its start.
pub(crate) enum RunningEngine {
    Attached(Box<AttachedServer>),
    Process(Box<RunningProcess>),
    #[cfg(feature = "container")]
    Container(Box<RunningContainer>),
}

/// Makes the same call on the engine of any variant.
macro_rules! on_each {
    ($engine:expr, $type:ident, $one:ident => $call:expr) => {
        match $engine {
            $type::Attached($one) => $call,
            $type::Process($one) => $call,
            #[cfg(feature = "container")]
            $type::Container($one) => $call,
        }
    };
}

impl RealEngine {
    pub(crate) fn is_container(&self) -> bool {
        self.launch() == Launch::Container
    }

    /// Has a process written down in the lock, so that the next run finds it if we are killed. A container says itself whose it is.
    pub(crate) fn with_lock(self, lock: Rc<RunLock>) -> Self {
        if let Self::Process(engine) = self { Self::Process(Box::new(engine.with_lock(lock))) } else { self }
    }
}

impl Engine for RealEngine {
    type Instance = RunningEngine;

    fn launch(&self) -> Launch {
        on_each!(self, Self, engine => engine.launch())
    }

    async fn start(&mut self, boot: u32) -> Result<RunningEngine, EngineError> {
        Ok(match self {
            Self::Attached(engine) => RunningEngine::Attached(Box::new(engine.start(boot).await?)),
            Self::Process(engine) => RunningEngine::Process(Box::new(engine.start(boot).await?)),
            #[cfg(feature = "container")]
            Self::Container(engine) => RunningEngine::Container(Box::new(Box::pin(engine.start(boot)).await?)),
        })
    }
}

impl EngineInstance for RunningEngine {
    type Endpoint = HttpEndpoint;

    fn endpoint(&self) -> &HttpEndpoint {
        on_each!(self, Self, engine => engine.endpoint())
    }

    fn command(&self) -> &[String] {
        on_each!(self, Self, engine => engine.command())
    }

    async fn died(&self) -> String {
        on_each!(self, Self, engine => engine.died().await)
    }

    fn log_tail(&self) -> String {
        on_each!(self, Self, engine => engine.log_tail())
    }

    async fn identity(&self) -> Result<Identity, EngineError> {
        on_each!(self, Self, engine => engine.identity().await)
    }

    async fn cpu_ns(&self) -> Option<u64> {
        on_each!(self, Self, engine => engine.cpu_ns().await)
    }

    async fn begin_trial(&self, cell: &Cell, order: u32) {
        on_each!(self, Self, engine => engine.begin_trial(cell, order).await);
    }

    async fn open_connections(&self, cell: &Cell) {
        on_each!(self, Self, engine => engine.open_connections(cell).await);
    }

    async fn stop(self) -> String {
        on_each!(self, Self, engine => engine.stop().await)
    }
}
