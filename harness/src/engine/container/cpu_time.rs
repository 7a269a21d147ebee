//! The CPU time of a container, as Docker counts it.

use std::time::Duration;

use futures_util::StreamExt;
use testcontainers::bollard::{Docker, query_parameters::StatsOptionsBuilder};
use tokio::time::timeout;

/// How long Docker may take to say it. An old one that reads twice, a second apart, is still heard.
const LIMIT: Duration = Duration::from_secs(2);

/// CPU time that all processes of a container have used so far, in nanoseconds; none where Docker does not say it in time. It says 0 of a
/// container that has ended.
pub(super) async fn cpu_ns(docker: &Docker, id: &str) -> Option<u64> {
    // One reading is enough; the daemon would make two to tell a share.
    let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
    let mut stats = Box::pin(docker.stats(id, Some(options)));
    let reading = timeout(LIMIT, stats.next()).await.ok()??.ok()?;
    reading.cpu_stats?.cpu_usage?.total_usage
}
