//! The decode steps that a request shows.

use record::Observation;

use crate::metrics::arrivals;

/// Tokens that come closer together than this are those of one step: no step of a model that is described takes so little, and a server
/// may send the accepted tokens of a draft one by one.
const BURST_NS: u64 = 1_000_000;

/// A request's steps after its first token. An arrival of several tokens counts as one step, though it may have been several: a server
/// may collect them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Steps {
    /// Number of steps, at least.
    pub(super) count: f64,
    /// Output tokens of all these steps together.
    pub(super) tokens: f64,
    /// Output tokens that were context in each of them, summed.
    pub(super) context: f64,
}

impl Steps {
    /// None where nothing was counted or nothing came after the first.
    pub(super) fn of(observation: &Observation) -> Option<Self> {
        let (mut step_ns, first) = arrivals::first(observation)?;
        let mut steps = Self::default();
        for arrival in arrivals::rest(observation) {
            if arrival.t_ns.saturating_sub(step_ns) >= BURST_NS || steps.count == 0.0 {
                step_ns = arrival.t_ns;
                steps.count += 1.0;
                steps.context += f64::from(first) + steps.tokens;
            }
            steps.tokens += f64::from(arrival.tokens);
        }
        (steps.count > 0.0).then_some(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MS, served};

    fn steps(chunks: &[(u64, u32)]) -> Option<(f64, f64, f64)> {
        Steps::of(&served(0, 0, chunks)).map(|steps| (steps.count, steps.tokens, steps.context))
    }

    #[test]
    fn arrival_of_several_tokens_is_one_step() {
        assert_eq!(steps(&[(10 * MS, 1), (20 * MS, 2), (30 * MS, 3)]), Some((2.0, 2.0, 3.0)));
        assert_eq!(steps(&[(10 * MS, 2), (20 * MS, 5), (30 * MS, 9)]), Some((2.0, 7.0, 7.0)));
        assert_eq!(steps(&[(10 * MS, 3)]), None);
    }

    #[test]
    fn burst_is_one_step_and_fast_stream_is_several() {
        let burst = [(10 * MS, 1), (20 * MS, 2), (20 * MS + 40_000, 3), (20 * MS + 80_000, 4), (30 * MS, 5)];
        assert_eq!(steps(&burst), Some((2.0, 4.0, 1.0 + 4.0)));
        // Everything in one burst was at least one step.
        assert_eq!(steps(&[(10 * MS, 1), (10 * MS + 1, 2), (10 * MS + 2, 3)]), Some((1.0, 2.0, 1.0)));
        // A step each half millisecond: every second one begins a new one.
        let fast: Vec<_> = (0..11).map(|n| (10 * MS + u64::from(n) * MS / 2, n + 1)).collect();
        assert_eq!(steps(&fast).map(|(count, tokens, _)| (count, tokens)), Some((5.0, 10.0)));
    }
}
