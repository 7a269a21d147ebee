//! Keeping the client and the engine on processors of their own.
//!
//! A client that is put aside while the engine computes stamps late, and one that wakes up where the engine computes slows it down. The
//! engine sees only the processors that are left to it: one that starts a thread per processor starts one less.

use std::io;

use record::{ClientCore, Cores, cores::format_core_list};

/// Fewest processors of which one is set aside unasked: of fewer it would be a large part of what the engine has.
pub const SPARE_FROM: usize = 8;

/// A processor that cannot be set aside.
#[derive(Debug, thiserror::Error)]
pub enum CoresError {
    /// It does not exist, or this run may not use it.
    #[error("--client-core {asked}: this run may use {}", format_core_list(.allowed))]
    NotAllowed { asked: u32, allowed: Vec<u32> },
    /// Nothing would be left for the engine.
    #[error("--client-core {asked}: it is the only processor of this run, and the engine needs one too")]
    OnlyCore { asked: u32 },
    #[error("the client cannot be kept on processor {core}: {why}")]
    Affinity { core: u32, why: io::Error },
    /// Another system than Linux.
    #[error("--client-core {asked}: processors can be set aside on Linux only")]
    UnsupportedSystem { asked: u32 },
}

/// Shares out the processors that a run may use; none where they stay shared.
pub fn reserve(choice: ClientCore, allowed: &[u32]) -> Result<Option<Cores>, CoresError> {
    let client = match choice {
        ClientCore::Shared => None,
        ClientCore::Auto => allowed.last().copied().filter(|_| allowed.len() >= SPARE_FROM),
        ClientCore::Number(asked) if allowed.is_empty() => return Err(CoresError::UnsupportedSystem { asked }),
        ClientCore::Number(asked) if !allowed.contains(&asked) => {
            return Err(CoresError::NotAllowed { asked, allowed: allowed.to_vec() });
        }
        ClientCore::Number(asked) if allowed.len() == 1 => return Err(CoresError::OnlyCore { asked }),
        ClientCore::Number(asked) => Some(asked),
    };
    Ok(client.map(|client| Cores { client, engine: allowed.iter().copied().filter(|&core| core != client).collect() }))
}

/// The processors that this thread may use, in order; empty where that is unknown.
#[must_use]
pub fn allowed() -> Vec<u32> {
    system::allowed()
}

/// Keeps this thread, and all that it starts from now on, on the client's processor. Call it before any other thread is started.
pub fn pin_client(cores: &Cores) -> Result<(), CoresError> {
    system::set(&[cores.client]).map_err(|why| CoresError::Affinity { core: cores.client, why })
}

/// Does something as the engine would: what it starts may use the engine's processors.
pub fn with_engine_cores<T>(cores: Option<&Cores>, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(cores) = cores else { return start() };
    system::set(&cores.engine)?;
    let started = start();
    system::set(&[cores.client])?;
    started
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> Vec<u32> {
        let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
        (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).filter_map(|core| u32::try_from(core).ok()).collect()
    }

    pub(super) fn set(cores: &[u32]) -> io::Result<()> {
        let mut set = CpuSet::new();
        for &core in cores {
            set.set(core as usize);
        }
        Ok(sched_setaffinity(None, &set)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    pub(super) fn allowed() -> Vec<u32> {
        Vec::new()
    }

    pub(super) fn set(_: &[u32]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_is_reserved_when_enough_are_free_or_one_is_requested() {
        let cores = |choice, count: u32| {
            let allowed: Vec<u32> = (0..count).collect();
            match reserve(choice, &allowed) {
                Ok(None) => "shared".to_owned(),
                Ok(Some(cores)) => format!("client {}, engine {}", cores.client, format_core_list(&cores.engine)),
                Err(error) => error.to_string(),
            }
        };
        let lines = [
            cores(ClientCore::Auto, 2),
            cores(ClientCore::Auto, 20),
            cores(ClientCore::Shared, 20),
            cores(ClientCore::Number(1), 2),
            cores(ClientCore::Number(3), 8),
            cores(ClientCore::Number(8), 8),
            cores(ClientCore::Number(0), 1),
            cores(ClientCore::Number(0), 0),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        shared
        client 19, engine 0-18
        shared
        client 1, engine 0
        client 3, engine 0-2,4-7
        --client-core 8: this run may use 0-7
        --client-core 0: it is the only processor of this run, and the engine needs one too
        --client-core 0: processors can be set aside on Linux only
        ");
    }

    #[test]
    fn child_started_with_engine_cores_runs_on_them() {
        let all = allowed();
        let Some(cores) = reserve(ClientCore::Number(all[0]), &all).ok().flatten() else {
            // One processor: nothing to share out.
            return;
        };
        let seen = std::thread::spawn(move || {
            pin_client(&cores).unwrap();
            let engine = with_engine_cores(Some(&cores), || Ok(std::thread::spawn(allowed).join().unwrap())).unwrap();
            let client = std::thread::spawn(allowed).join().unwrap();
            assert_eq!((engine, client, allowed()), (cores.engine, vec![cores.client], vec![cores.client]));
        });
        seen.join().unwrap();
        assert_eq!(allowed(), all, "only that thread was kept there");
    }
}
