//! The machine for one run alone: two that measure at once would measure each other.

use std::{path::Path, rc::Rc, time::Duration};

use harness::{
    engine::{EngineError, process::kill_orphan},
    run_lock::{self, LockHolder, RunLock, RunLockError},
};

use crate::{BenchError, setup::Setup, terminal::say};

/// The machine for this run alone, and rid of what an earlier one left on it.
pub(crate) async fn take_machine(setup: &Setup, containers: bool) -> Result<Rc<RunLock>, BenchError> {
    let lock = machine_alone(setup)?;
    if let Some(message) = lock.orphaned_engine().and_then(|orphan| kill_orphan(&orphan)) {
        say(&message);
        lock.forget_engine().map_err(|why| BenchError::System { what: "the lock file cannot be written", why })?;
    }
    if containers {
        remove_orphans(setup).await?;
    }
    Ok(Rc::new(lock))
}

#[cfg(feature = "container")]
async fn remove_orphans(setup: &Setup) -> Result<(), BenchError> {
    use harness::engine::container;
    // A daemon that is not there is said by the boot, whose record then says it too.
    if let Ok(docker) = setup.unless_stopped(container::connect()).await? {
        for removed in container::remove_orphans(&docker).await? {
            say(&removed);
        }
    }
    Ok(())
}

#[cfg(not(feature = "container"))]
#[expect(clippy::unused_async, reason = "with containers it waits for Docker")]
async fn remove_orphans(_: &Setup) -> Result<(), BenchError> {
    Ok(())
}

/// The right to measure on this machine; waits for another run to end where that is asked for.
pub(crate) fn machine_alone(setup: &Setup) -> Result<RunLock, BenchError> {
    let request = &setup.request;
    let mut announced = false;
    loop {
        let holder = LockHolder {
            pid: std::process::id(),
            command: request.command.join(" "),
            run_folder: request.out_dir.display().to_string(),
        };
        match RunLock::take(Path::new(run_lock::PATH), holder) {
            Err(RunLockError::Held { .. }) if setup.is_stopped() => return Err(EngineError::Interrupted.into()),
            Err(error @ RunLockError::Held { .. }) if request.wait => {
                if !std::mem::replace(&mut announced, true) {
                    say(&format!("waiting: {error}"));
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            taken => return Ok(taken?),
        }
    }
}
