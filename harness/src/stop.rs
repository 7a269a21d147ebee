//! Cooperative stop of a run: requested once, by a signal, and awaited wherever something waits.

use tokio::sync::watch;

/// The side that a run waits on. Clones share one request.
#[derive(Debug, Clone)]
pub struct StopToken(watch::Receiver<bool>);

/// The side that requests the stop. Dropping it without a request stops nothing.
#[derive(Debug)]
pub struct StopSource(watch::Sender<bool>);

/// A source and its token.
#[must_use]
pub fn stop_pair() -> (StopSource, StopToken) {
    let (sender, receiver) = watch::channel(false);
    (StopSource(sender), StopToken(receiver))
}

impl StopSource {
    /// Requests the stop. Safe from any thread.
    pub fn request_stop(&self) {
        self.0.send_replace(true);
    }
}

impl StopToken {
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once a stop was requested; never if the source was dropped before.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|requested| *requested).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
