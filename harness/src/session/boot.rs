//! A boot: from a started engine to one that is ready, looked at, and written down.

use futures_util::future::{self, Either};
use record::{Boot, Entry};

use super::{AbortCause, RunError, Session, abort_cause, trial::death_within_grace};
use crate::{
    clock::Clock,
    endpoint::Endpoint,
    engine::{EngineError, EngineInstance, readiness::wait_until_ready},
    journal::Journal,
    machine, sanity,
    sizing::{SizedBoot, size},
    suite::BootSizing,
};

/// When an engine was started, and what the disks had read by then.
pub(super) struct BootStart {
    at_ns: u64,
    disk_read_bytes: Option<u64>,
}

impl BootStart {
    /// Just before the start.
    pub(super) fn now<C: Clock>(clock: &C) -> Self {
        Self { at_ns: clock.now_ns(), disk_read_bytes: machine::disk_read_bytes() }
    }
}

/// Waits until the engine is ready, looks at its output, finds out how to size prompts, and writes the boot down.
pub(super) async fn prepare<R: EngineInstance, C: Clock>(
    running: &R,
    session: &Session<'_, C>,
    journal: &mut Journal,
    boot: u32,
    began: &BootStart,
) -> Result<SizedBoot, RunError> {
    let recipe = &session.header.recipe;
    let (clock, endpoint) = (session.clock, running.endpoint());
    let booted = wait_until_ready(running, clock, &recipe.model.id, recipe.ready.timeout_s, &session.stop).await?;
    let is_local = session.real_time && recipe.attach.is_none();
    let since_ns = |at_ns: u64| is_local.then(|| at_ns.saturating_sub(began.at_ns));
    let ready_ns = since_ns(booted.ready_at_ns);
    let disk_read_bytes = began.disk_read_bytes.zip(machine::disk_read_bytes()).map(|(before, now)| now.saturating_sub(before));
    session.progress.ready(ready_ns);
    let checks = async {
        let sanity = sanity::check(endpoint, clock).await?;
        let sized = size(endpoint, clock, session.suite, session.tokenizer.as_ref(), recipe.model.max_context).await?;
        let mut identity = running.identity().await?;
        identity.served_models = endpoint.served_models().await;
        Ok::<_, EngineError>((sanity, sized, endpoint.version().await, identity))
    };
    let (sanity, sized, engine_version, identity) =
        match future::select(Box::pin(checks), Box::pin(abort_cause(running, session))).await {
            Either::Left((Ok(checked), _)) => checked,
            // An engine that dies drops its connections first: the question that failed is not the reason.
            Either::Left((Err(error), _)) => match death_within_grace(running, clock).await {
                Some(how) => return Err(EngineError::Exited { how, log_tail: running.log_tail() }.into()),
                None => return Err(error.into()),
            },
            Either::Right((AbortCause::Interrupted, _)) => return Err(EngineError::Interrupted.into()),
            Either::Right((AbortCause::EngineExited(how), _)) => {
                return Err(EngineError::Exited { how, log_tail: running.log_tail() }.into());
            }
        };
    let command = running.command().to_vec();
    check_plans(session, &sized)?;
    journal.append(&Entry::Boot(Box::new(Boot {
        boot,
        ready_ns,
        healthy_ns: booted.healthy_at_ns.and_then(since_ns),
        disk_read_bytes: disk_read_bytes.filter(|_| is_local),
        engine_version,
        command,
        identity,
        sizing: sized.sizing.clone(),
        sanity,
    })))?;
    Ok(sized)
}

/// Plans every cell once before anything is timed, so that one that cannot be planned does not end a run of hours in its middle.
fn check_plans<C>(session: &Session<'_, C>, sized: &SizedBoot) -> Result<(), RunError> {
    let counted = BootSizing { counts: sized.counts.as_deref(), sizing: &sized.sizing };
    for cell in &session.cells {
        let seed = session.suite.trial_seed(session.header.seed, cell, 0);
        let cannot = |why| RunError::Plan { cell: cell.name(), why };
        session.suite.plan(cell, seed, &counted).map_err(cannot)?;
        session.suite.warm_up(cell, seed, &counted).map_err(cannot)?;
    }
    Ok(())
}
