//! Tests whether the candidate fails more requests, by Fisher's exact test.

use super::tails::hypergeometric_at_least;

#[cfg(test)]
mod tests;

/// With a smaller p a candidate fails more often than its baseline.
pub const P_FAILS_MORE: f64 = 0.01;

/// Requests of one side, by whether they were served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that were served.
    pub served: u32,
    /// Requests that were not served.
    pub failed: u32,
}

impl RequestCounts {
    fn all(self) -> u64 {
        u64::from(self.served) + u64::from(self.failed)
    }
}

/// The chance that, with failures falling on both sides alike, the candidate would have as many of them as it has or more: the upper
/// tail of the hypergeometric distribution (Fisher, *On the interpretation of chi-squared from contingency tables*, 1922). None if a
/// side has no requests.
#[must_use]
pub fn p_fails_more(baseline: RequestCounts, candidate: RequestCounts) -> Option<f64> {
    if baseline.all() == 0 || candidate.all() == 0 {
        return None;
    }
    let failed = u64::from(baseline.failed) + u64::from(candidate.failed);
    let all = baseline.all() + candidate.all();
    Some(hypergeometric_at_least(u64::from(candidate.failed), all, failed, candidate.all()))
}

/// Whether the candidate fails more often, at [`P_FAILS_MORE`].
#[must_use]
pub fn fails_more(baseline: RequestCounts, candidate: RequestCounts) -> bool {
    p_fails_more(baseline, candidate).is_some_and(|p| p < P_FAILS_MORE)
}
