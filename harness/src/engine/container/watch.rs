//! What is heard of a container while it runs: its log and its end.
//!
//! On a thread of its own: the thread that loads the engine stamps what it reads, and must not wait for a disk in between.

use std::{io, thread, time::Duration};

use testcontainers::bollard::Docker;
use tokio::{sync::watch, time::timeout};

use super::{
    ended::wait_until_ended,
    logs::{LogSink, LogState},
};

/// How long the rest of a log is waited for after the end. It comes with it.
const LOG_REST: Duration = Duration::from_millis(500);

/// What is heard of a container, until this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    ended: watch::Receiver<Option<String>>,
    log: LogState,
    _until_dropped: watch::Sender<()>,
}

impl Watch {
    /// Begins to listen. The log goes into `sink`.
    pub(super) fn begin(docker: Docker, id: String, sink: LogSink, memory_limit_mib: Option<u32>) -> io::Result<Self> {
        let (tell, ended) = watch::channel(None);
        let (until_dropped, mut dropped) = watch::channel(());
        let log = sink.state();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listen = async move {
            let following = tokio::spawn(sink.follow(docker.clone(), id.clone()));
            let how = wait_until_ended(&docker, &id, memory_limit_mib).await;
            let _ = timeout(LOG_REST, following).await;
            // Nobody may listen any more.
            let _ = tell.send(Some(how));
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
        Ok(Self { ended, log, _until_dropped: until_dropped })
    }

    /// How it ended, if it has.
    pub(super) fn has_ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> String {
        match self.ended.clone().wait_for(Option::is_some).await {
            Ok(how) => how.clone().unwrap_or_default(),
            Err(_) => "unknown".to_owned(),
        }
    }

    /// Its log.
    pub(super) fn log(&self) -> &LogState {
        &self.log
    }
}
