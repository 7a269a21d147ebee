//! From a run request to what every engine's run needs: cells, plans, and the wish to stop.

use std::{fs, sync::Arc};

use anyhow::Context;
use harness::{
    cores::{self, CoresError},
    engine::EngineError,
    session::RunError,
    stop::{Stop, StopTeller, stop_pair},
};
use record::{Cell, ClientCore, Cores, ExitCode, RunRequest, Target};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::Signals,
};
use workloads::{
    RecordedLengths, Speeds,
    sharegpt::file::{self, FileError},
};

use crate::{canonical::Canonical, engines, say};

/// What of a run does not depend on its engine.
pub(crate) struct Setup {
    pub(crate) request: RunRequest,
    pub(crate) cells: Vec<Cell>,
    pub(crate) suite: Canonical,
    pub(crate) stop: Stop,
    /// The processors of either side, where they are kept apart.
    pub(crate) cores: Option<Cores>,
}

/// Makes the run. The code says how it ended where no error does.
pub(crate) fn run(request: &RunRequest) -> anyhow::Result<ExitCode> {
    let (teller, stop) = stop_pair();
    let teller = Arc::new(teller);
    stop_on_signals(Arc::clone(&teller))?;
    if request.stop_at_eof {
        stop_at_eof(teller);
    }
    let recorded = recorded_lengths(request)?;
    let cells = workloads::cells(request.profile, &request.workloads).map_err(|error| Usage(error.to_string()))?;
    let cells = workloads::with_recorded_lengths(cells, &recorded);
    if request.sharegpt.is_some() && !cells.iter().any(|cell| cell.workload == "sharegpt") {
        return Err(Usage("--sharegpt is given, but workload `sharegpt` is not measured".to_owned()).into());
    }
    let mut targets = std::iter::once(&request.target).chain(&request.against);
    if request.tokenizer.is_some() && targets.any(|target| matches!(target, Target::Simulated(_))) {
        return Err(Usage("--tokenizer cannot be used with the simulated Spark: it counts in its own way".to_owned()).into());
    }
    let suite = Canonical { recorded, speeds: Speeds::default() };
    let cores = share_out_cores(request)?;
    engines::run(&Setup { request: request.clone(), cells, suite, stop, cores })
}

/// Keeps the client on a processor of its own, if it is to have one. The thread that measures is this one, and there is no other yet but
/// those that wait for signals.
fn share_out_cores(request: &RunRequest) -> anyhow::Result<Option<Cores>> {
    let wrong = |error: CoresError| Usage(error.to_string());
    let shared = match (&request.target, request.target.client_core(request.client_core)) {
        (Target::Simulated(_), ClientCore::Number(_)) => {
            return Err(
                Usage("--client-core: the simulated Spark lives in virtual time and needs no processor".to_owned()).into()
            );
        }
        (Target::Simulated(_), _) => None,
        (_, choice) => cores::reserve(choice, &cores::allowed()).map_err(wrong)?,
    };
    // Where a server runs that was attached to is not known from here.
    let shared = shared.map(|cores| if request.target.is_attached() { Cores { engine: Vec::new(), ..cores } } else { cores });
    if let Some(cores) = &shared {
        cores::pin_client(cores).map_err(wrong)?;
    }
    Ok(shared)
}

fn stop_on_signals(teller: Arc<StopTeller>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        // Once: the terminal tells us, and so does the command line's program that it told too.
        let mut said = false;
        for _ in signals.forever() {
            teller.tell();
            if !std::mem::replace(&mut said, true) {
                say("stopping: the engine is put away and the record finished");
            }
        }
    });
    Ok(())
}

/// The command line's program holds the other end of standard input. It ends also when that program is killed without a word, and then
/// nobody is left who wants this run.
fn stop_at_eof(teller: Arc<StopTeller>) {
    std::thread::spawn(move || {
        let ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        teller.tell();
        say(&format!(
            "stopping: the program that asked for this run is gone{}",
            ended.map_or_else(|error| format!(" ({error})"), |_| String::new())
        ));
    });
}

impl Setup {
    /// Does something before the run itself, which listens by itself; an error if we are stopped meanwhile.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, EngineError> {
        tokio::select! {
            () = self.stop.wait() => Err(EngineError::Interrupted),
            done = work => Ok(done),
        }
    }

    /// Whether a person or a signal stopped us already.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_told()
    }
}

fn recorded_lengths(request: &RunRequest) -> anyhow::Result<RecordedLengths> {
    let Some((path, sha256)) = &request.sharegpt else { return Ok(RecordedLengths::Drawn) };
    let bytes = fs::read(path).with_context(|| format!("{}", path.display())).map_err(|error| Usage(format!("{error:#}")))?;
    let wrong = |error: FileError| Usage(format!("{}: {error}", path.display()));
    Ok(file::read(&bytes, sha256.as_deref()).map_err(wrong)?)
}

/// The request asks for something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The documented exit code of an error.
pub(crate) fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    if error.is::<Usage>() {
        return ExitCode::Usage;
    }
    match (error.downcast_ref::<RunError>(), error.downcast_ref::<EngineError>()) {
        (Some(error), _) => error.exit_code(),
        (_, Some(error)) => error.exit_code(),
        _ => ExitCode::Engine,
    }
}
