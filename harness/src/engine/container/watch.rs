//! Watches a container while it runs: follows its log and waits for its end.
//!
//! On a thread of its own: the thread that loads the engine stamps what it reads, and must not wait for a disk in between.

use std::{io, thread, time::Duration};

use testcontainers::bollard::Docker;
use tokio::{sync::watch, time::timeout};

use super::{
    ended::{End, wait_until_ended},
    logs::{LogSink, LogState},
};

/// How long the rest of a log is waited for after the end. It mostly comes with it; where there is more, its end says why.
const LOG_REST: Duration = Duration::from_secs(10);

/// A watch on a container, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    events: watch::Receiver<ContainerEvents>,
    log: LogState,
    memory_limit_mib: Option<u32>,
    _until_dropped: watch::Sender<()>,
}

#[derive(Debug, Clone, Default)]
struct ContainerEvents {
    end: Option<End>,
    /// The log has been read to its end, or given up.
    log_is_complete: bool,
}

impl Watch {
    /// Starts the watching thread. The log goes into `sink`.
    pub(super) fn begin(docker: Docker, id: String, sink: LogSink, memory_limit_mib: Option<u32>) -> io::Result<Self> {
        let (sender, events) = watch::channel(ContainerEvents::default());
        let (until_dropped, mut dropped) = watch::channel(());
        let log = sink.state();
        let its_log = log.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listen = async move {
            let following = tokio::spawn(sink.follow(docker.clone(), id.clone()));
            let end = wait_until_ended(&docker, &id, memory_limit_mib).await;
            sender.send_modify(|events| events.end = Some(end));
            if timeout(LOG_REST, following).await.is_err() {
                let limit_s = LOG_REST.as_secs();
                its_log.set_trouble(format!("the end of the log is missing: Docker did not give it within {limit_s} s"));
            }
            sender.send_modify(|events| events.log_is_complete = true);
        };
        let thread = thread::Builder::new().name("container-watch".to_owned());
        thread.spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = listen => {}
                    // An error: it was dropped.
                    _ = dropped.changed() => {}
                }
            });
        })?;
        Ok(Self { events, log, memory_limit_mib, _until_dropped: until_dropped })
    }

    /// How it ended, if it has.
    pub(super) fn has_ended(&self) -> Option<End> {
        self.events.borrow().end.clone()
    }

    /// Waits for its end, though more of its log may come.
    pub(super) async fn end(&self) -> End {
        let mut events = self.events.clone();
        let end = events.wait_for(|events| events.end.is_some()).await.ok().and_then(|events| events.end.clone());
        end.unwrap_or_else(|| End::DaemonLost("unknown".to_owned()))
    }

    /// Waits for its end and for that of its log.
    pub(super) async fn whole(&self) -> End {
        // An error: the thread has ended, and nothing more comes either.
        let _ = self.events.clone().wait_for(|events| events.log_is_complete).await;
        self.end().await
    }

    /// The limit that its end may be told by.
    pub(super) fn memory_limit_mib(&self) -> Option<u32> {
        self.memory_limit_mib
    }

    pub(super) fn log(&self) -> &LogState {
        &self.log
    }
}
