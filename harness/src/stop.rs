//! The wish to stop: told once by a signal, heard wherever something waits.

use tokio::sync::watch;

/// Hears that a run must stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Tells it.
#[derive(Debug)]
pub struct StopTeller(watch::Sender<bool>);

/// A pair of the two. A teller that is dropped without a word never stops anything.
#[must_use]
pub fn stop_pair() -> (StopTeller, Stop) {
    let (tell, hear) = watch::channel(false);
    (StopTeller(tell), Stop(hear))
}

impl StopTeller {
    /// Says that the run must stop. Safe from any thread.
    pub fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether it was told already.
    #[must_use]
    pub fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves once it was told.
    pub async fn wait(&self) {
        let mut hear = self.0.clone();
        if hear.wait_for(|told| *told).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
