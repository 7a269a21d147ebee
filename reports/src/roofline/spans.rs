//! Spans of time: how long any of them lasted, and how many did at once.

/// The length of the union of the spans, in nanoseconds.
pub(super) fn union_ns(mut spans: Vec<(u64, u64)>) -> u64 {
    spans.sort_unstable();
    let (mut covered_ns, mut reached_ns) = (0, 0);
    for (from_ns, to_ns) in spans {
        covered_ns += to_ns.saturating_sub(from_ns.max(reached_ns));
        reached_ns = reached_ns.max(to_ns);
    }
    covered_ns
}

/// How many spans there were at each time, both ends included: a request takes part in the step that brings its last token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Overlap {
    /// At each time at which any begins or ends: how many there were, and how many just after. Ascending.
    corners: Vec<(u64, u32, u32)>,
}

impl Overlap {
    pub(super) fn of(spans: &[(u64, u64)]) -> Self {
        // `false` sorts before `true`: starts come first.
        let mut events: Vec<(u64, bool)> = spans.iter().flat_map(|&(from_ns, to_ns)| [(from_ns, false), (to_ns, true)]).collect();
        events.sort_unstable();
        let mut corners: Vec<(u64, u32, u32)> = Vec::new();
        let mut now = 0_u32;
        for (t_ns, is_end) in events {
            now = if is_end { now.saturating_sub(1) } else { now + 1 };
            match corners.last_mut() {
                Some((at_ns, most, after)) if *at_ns == t_ns => (*most, *after) = ((*most).max(now), now),
                // A span that ends here still counts at this time.
                _ => corners.push((t_ns, if is_end { now + 1 } else { now }, now)),
            }
        }
        Self { corners }
    }

    /// The most at once from one time to another, both included.
    pub(super) fn peak_within(&self, from_ns: u64, to_ns: u64) -> u32 {
        let begin = self.corners.partition_point(|(t_ns, ..)| *t_ns < from_ns);
        let end = self.corners.partition_point(|(t_ns, ..)| *t_ns <= to_ns);
        let before = begin.checked_sub(1).map_or(0, |last| self.corners[last].2);
        self.corners[begin..end.max(begin)].iter().map(|(_, most, _)| *most).fold(before, u32::max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn overlapping_spans_count_once() {
        assert_eq!(union_ns(Vec::new()), 0);
        assert_eq!(union_ns(vec![(5, 9), (0, 3), (2, 4), (6, 7)]), 4 + 4);
        assert_eq!(union_ns(vec![(0, 10), (1, 2), (10, 12)]), 12);
    }

    #[test]
    fn span_includes_both_ends() {
        let overlap = Overlap::of(&[(0, 10), (10, 20), (12, 14), (30, 30)]);
        let cases = [((0, 9), 1), ((0, 10), 2), ((10, 10), 2), ((11, 11), 1), ((11, 12), 2), ((15, 29), 1), ((21, 29), 0)];
        for ((from, to), most) in cases {
            assert_eq!(overlap.peak_within(from, to), most, "{from} to {to}");
        }
        assert_eq!(overlap.peak_within(30, 30), 1);
    }

    proptest! {
        #[test]
        fn peak_within_is_the_maximum_over_every_time(
            spans in prop::collection::vec((0_u64..40, 0_u64..12), 0..20),
            from in 0_u64..50,
            length in 0_u64..20,
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(from, length)| (from, from + length)).collect();
            let inside = |t: u64| spans.iter().filter(|(from, to)| (*from..=*to).contains(&t)).count();
            let most = (from..=from + length).map(inside).max().unwrap_or(0);
            prop_assert_eq!(Overlap::of(&spans).peak_within(from, from + length) as usize, most);
            let covered = (0..60).filter(|t| spans.iter().any(|(from, to)| from <= t && t < to)).count();
            prop_assert_eq!(union_ns(spans.clone()), covered as u64);
        }
    }
}
