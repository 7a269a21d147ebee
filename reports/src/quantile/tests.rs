use proptest::prelude::*;

use super::*;
use crate::vectors::{self, floats};

/// Type 7 on a plain ascending series.
fn expanded(sorted: &[f64], q: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * q;
    // The place is found by counting, not by a cast.
    let place = (0..sorted.len()).take_while(|&index| index as f64 <= position).count() - 1;
    let (below, above) = (sorted[place], sorted[(place + 1).min(sorted.len() - 1)]);
    below + (above - below) * position.fract()
}

#[test]
fn quantiles_agree_with_the_reference_values() {
    let cases = vectors::cases_of_kind("quantile");
    assert_eq!(cases.len(), 7);
    for case in cases {
        let sorted: SortedSample = floats(&case["x"]).into_iter().collect();
        for (q, expected) in floats(&case["q"]).into_iter().zip(floats(&case["expected"])) {
            let actual = sorted.quantile(q).unwrap();
            assert!((actual - expected).abs() <= 1e-9, "{}: {actual} is not {expected}", case["id"]);
        }
    }
}

#[test]
fn requests_needed_are_the_fewest_with_a_bound() {
    let case = vectors::case("min_n_for_quantile_bound");
    let fewest: Vec<_> = floats(&case["q"]).into_iter().zip(floats(&case["expected"])).collect();
    assert!(fewest.contains(&(0.95, REQUESTS_FOR_P95 as f64)));
    assert!(fewest.contains(&(0.99, REQUESTS_FOR_P99 as f64)));
}

#[test]
fn quantile_among_failures_is_infinite() {
    let inf = f64::INFINITY;
    let table: [(&[f64], f64, Option<f64>); 8] = [
        (&[], 0.5, None),
        (&[inf], 0.5, Some(inf)),
        (&[1.0, inf], 0.0, Some(1.0)),
        (&[1.0, inf], 0.5, Some(inf)),
        (&[1.0, 2.0, inf], 0.5, Some(2.0)),
        (&[1.0, inf, inf], 0.75, Some(inf)),
        (&[3.0, 1.0, 2.0], 1.0, Some(3.0)),
        (&[3.0, 1.0, 2.0], 2.0, Some(3.0)),
    ];
    for (values, q, expected) in table {
        assert_eq!(values.iter().copied().collect::<SortedSample>().quantile(q), expected, "{values:?} at {q}");
    }
    // (21 - 1) x 0.95 is 19, but not every machine number gets there exactly; the 20th value is still finite.
    let twenty_and_a_failure: SortedSample = (1..=20).map(f64::from).chain([inf]).collect();
    assert_eq!(twenty_and_a_failure.quantile(0.95), Some(20.0));
}

proptest! {
    #[test]
    fn weights_equal_repetitions(values in prop::collection::vec((0_u32..1000, 0_u32..5), 1..60), q in 0.0_f64..=1.0) {
        let mut plain: Vec<f64> =
            values.iter().flat_map(|&(value, times)| std::iter::repeat_n(f64::from(value), times as usize)).collect();
        plain.sort_by(f64::total_cmp);
        let sorted = SortedSample::weighted(values.iter().map(|&(value, times)| (f64::from(value), times)).collect());
        prop_assert_eq!(sorted.count(), plain.len() as u64);
        match sorted.quantile(q) {
            None => prop_assert!(plain.is_empty()),
            Some(actual) => prop_assert!((actual - expanded(&plain, q)).abs() < 1e-5),
        }
    }

    #[test]
    fn quantiles_rise_with_q(values in prop::collection::vec(0.0_f64..1e6, 1..60), q in 0.0_f64..=1.0, r in 0.0_f64..=1.0) {
        let sorted: SortedSample = values.into_iter().collect();
        let (low, high) = (sorted.quantile(q.min(r)).unwrap(), sorted.quantile(q.max(r)).unwrap());
        prop_assert!(low <= high + 1e-9 * high);
    }
}
