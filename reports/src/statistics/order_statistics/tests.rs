use super::*;

#[test]
fn the_fewest_requests_for_a_bound_are_59_and_299() {
    for (q, fewest) in [(0.95, REQUESTS_FOR_P95), (0.99, REQUESTS_FOR_P99)] {
        let n = fewest_for_bound(q, 0.95, 0).unwrap();
        assert_eq!(n as usize, fewest);
        assert_eq!((upper_place(n, q, 0.95), upper_place(n - 1, q, 0.95)), (Some(n), None));
    }
}

#[test]
fn bounds_are_values() {
    let values: Vec<f64> = (1..=59).rev().map(f64::from).collect();
    assert_eq!((upper_bound(&values, 0.95, 0.95), upper_bound(&values[1..], 0.95, 0.95)), (Some(59.0), None));
    assert_eq!(lower_bound(&values, 0.95, 0.95), lower_place(59, 0.95, 0.95).map(f64::from));
    // A request that failed may be the bound; what is not a number may not.
    let mut failed = values.clone();
    failed[0] = f64::INFINITY;
    assert_eq!(upper_bound(&failed, 0.95, 0.95), Some(f64::INFINITY));
    failed[0] = f64::NAN;
    assert_eq!(upper_bound(&failed, 0.95, 0.95), None);
}

#[test]
fn a_bound_covers_what_it_says_and_the_next_does_not() {
    for (n, q, confidence) in [(100, 0.5, 0.95), (200, 0.95, 0.95), (1000, 0.99, 0.9), (50_000, 0.99, 0.95), (400, 0.05, 0.95)] {
        let (lower, upper) = (lower_place(n, q, confidence).unwrap(), upper_place(n, q, confidence).unwrap());
        assert!(coverage(n, q, None, Some(upper)).unwrap() >= confidence);
        assert!(coverage(n, q, None, Some(upper - 1)).unwrap() < confidence);
        assert!(coverage(n, q, Some(lower), None).unwrap() >= confidence);
        assert!(coverage(n, q, Some(lower + 1), None).unwrap() < confidence);
    }
}

#[test]
fn what_is_no_probability_has_no_bound() {
    for (q, confidence) in [(0.0, 0.95), (1.0, 0.95), (0.5, 0.0), (0.5, 1.0), (f64::NAN, 0.95), (0.5, f64::NAN)] {
        assert_eq!((upper_place(100, q, confidence), lower_place(100, q, confidence)), (None, None));
        assert_eq!(fewest_for_bound(q, confidence, 0), None);
    }
    assert_eq!((upper_place(0, 0.5, 0.95), lower_place(0, 0.5, 0.95)), (None, None));
}
