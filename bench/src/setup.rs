//! From a run request to what every engine's run needs: cells, plans, and the stop signal.

use std::{fs, sync::Arc};

use harness::{
    cores,
    engine::EngineError,
    stop::{StopToken, stop_pair},
};
use record::{Cell, ClientCore, Cores, EndReason, RunRequest, Target};
use workloads::{RecordedLengths, Speeds, sharegpt::file};

use crate::{
    BenchError, UsageError,
    canonical::Canonical,
    engines,
    signals::{stop_at_eof, stop_on_signals},
};

/// What of a run does not depend on its engine.
pub(crate) struct Setup {
    pub(crate) request: RunRequest,
    pub(crate) cells: Vec<Cell>,
    pub(crate) suite: Canonical,
    pub(crate) stop: StopToken,
    /// The processors of either side, where they are kept apart.
    pub(crate) cores: Option<Cores>,
}

pub(crate) fn run(request: &RunRequest) -> Result<EndReason, BenchError> {
    let (source, stop) = stop_pair();
    let source = Arc::new(source);
    stop_on_signals(Arc::clone(&source)).map_err(|why| BenchError::System { what: "signals cannot be waited for", why })?;
    if request.stop_at_eof {
        stop_at_eof(source);
    }
    let recorded = recorded_lengths(request)?;
    let cells = workloads::cells(request.profile, &request.workloads).map_err(UsageError::because)?;
    let cells = workloads::with_recorded_lengths(cells, &recorded);
    if request.sharegpt.is_some() && !cells.iter().any(|cell| cell.workload == "sharegpt") {
        return Err(UsageError("--sharegpt is given, but workload `sharegpt` is not measured".to_owned()).into());
    }
    let mut targets = std::iter::once(&request.target).chain(&request.against);
    if request.tokenizer.is_some() && targets.any(|target| matches!(target, Target::Simulated(_))) {
        let why = "--tokenizer cannot be used with the simulated Spark: it counts in its own way";
        return Err(UsageError(why.to_owned()).into());
    }
    let suite = Canonical { recorded, speeds: Speeds::default() };
    let cores = share_out_cores(request)?;
    engines::run(&Setup { request: request.clone(), cells, suite, stop, cores })
}

/// Keeps the client on a processor of its own, if it is to have one. The thread that measures is this one, and there is no other yet but
/// those that wait for signals.
fn share_out_cores(request: &RunRequest) -> Result<Option<Cores>, UsageError> {
    let shared = match (&request.target, request.target.client_core(request.client_core)) {
        (Target::Simulated(_), ClientCore::Number(_)) => {
            let why = "--client-core: the simulated Spark lives in virtual time and needs no processor";
            return Err(UsageError(why.to_owned()));
        }
        (Target::Simulated(_), _) => None,
        (_, choice) => cores::reserve(choice, &cores::allowed()).map_err(UsageError::because)?,
    };
    // Where a server runs that was attached to is not known from here.
    let shared = shared.map(|cores| if request.target.is_attached() { Cores { engine: Vec::new(), ..cores } } else { cores });
    if let Some(cores) = &shared {
        cores::pin_client(cores).map_err(UsageError::because)?;
    }
    Ok(shared)
}

fn recorded_lengths(request: &RunRequest) -> Result<RecordedLengths, UsageError> {
    let Some((path, sha256)) = &request.sharegpt else { return Ok(RecordedLengths::Drawn) };
    let invalid = |why: &dyn std::fmt::Display| UsageError(format!("{}: {why}", path.display()));
    let bytes = fs::read(path).map_err(|error| invalid(&error))?;
    file::read(&bytes, sha256.as_deref()).map_err(|error| invalid(&error))
}

impl Setup {
    /// Awaits work that precedes the session; an error if the run is stopped meanwhile.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, EngineError> {
        tokio::select! {
            () = self.stop.wait() => Err(EngineError::Interrupted),
            done = work => Ok(done),
        }
    }

    /// Whether a person or a signal has stopped the run.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_requested()
    }
}
