use super::*;

fn ladder(steps: &[(f64, f64)]) -> Vec<Step> {
    steps.iter().map(|&(offered_per_s, value)| Step { offered_per_s, achieved_per_s: offered_per_s, value }).collect()
}

#[test]
fn a_ladder_that_does_not_cross_is_censored() {
    let steps = ladder(&[(1.0, 100.0), (2.0, 200.0)]);
    assert_eq!(capacity(&steps, 250.0), Some(Capacity::AtLeast { rate_per_s: 2.0 }));
    assert_eq!(capacity(&steps, 50.0), Some(Capacity::Below { rate_per_s: 1.0 }));
    // The limit itself is held.
    assert_eq!(capacity(&steps, 200.0), Some(Capacity::AtLeast { rate_per_s: 2.0 }));
}

#[test]
fn a_line_on_logarithms_is_followed_in_any_order_of_the_steps() {
    // v = 100 r^2 crosses 900 at 3.
    let steps = ladder(&[(4.0, 1600.0), (1.0, 100.0), (2.0, 400.0)]);
    let Some(Capacity::Crossed { rate_per_s, passed_per_s }) = capacity(&steps, 900.0) else { panic!("not crossed") };
    assert!((rate_per_s - 3.0).abs() < 1e-12 && (passed_per_s - 2.0).abs() < 1e-12);
}

#[test]
fn a_lucky_step_does_not_undo_a_bad_one() {
    let crossed = |steps: &[(f64, f64)]| capacity(&ladder(steps), 500.0).unwrap().crossed_per_s();
    let bad = crossed(&[(1.0, 100.0), (2.0, 1000.0), (3.0, 200.0), (4.0, 2000.0)]);
    assert_eq!(bad, crossed(&[(1.0, 100.0), (2.0, 1000.0)]));
    assert!(bad.is_some_and(|rate| rate > 1.0 && rate < 2.0));
    // Nor does it move the line: 400 at 2 stands for 3 as well, and the limit is crossed from there.
    let lucky = crossed(&[(1.0, 100.0), (2.0, 400.0), (3.0, 200.0), (4.0, 2000.0)]).unwrap();
    let part = (500.0_f64 / 400.0).ln() / (2000.0_f64 / 400.0).ln();
    assert!((lucky - 3.0 * (4.0_f64 / 3.0).powf(part)).abs() < 1e-12, "{lucky}");
}

#[test]
fn a_queue_that_grows_and_failures_are_beyond_any_limit() {
    let mut steps = ladder(&[(1.0, 100.0), (2.0, 200.0)]);
    steps[1].achieved_per_s = 1.8;
    let last = Some(Capacity::Crossed { rate_per_s: 1.0, passed_per_s: 1.0 });
    assert_eq!(capacity(&steps, 500.0), last);
    assert_eq!(capacity(&ladder(&[(1.0, 100.0), (2.0, f64::INFINITY)]), 500.0), last);
}

#[test]
fn what_is_no_ladder_has_no_capacity() {
    assert_eq!(capacity(&[], 500.0), None);
    for step in [(0.0, 100.0), (1.0, 0.0), (f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
        assert_eq!(capacity(&ladder(&[step]), 500.0), None, "{step:?}");
    }
    assert_eq!((capacity(&ladder(&[(1.0, 1.0)]), 0.0), capacity(&ladder(&[(1.0, 1.0)]), f64::INFINITY)), (None, None));
}

#[test]
fn one_censored_trial_is_borne_and_two_are_not() {
    let (crossed, censored) = (Capacity::Crossed { rate_per_s: 2.0, passed_per_s: 1.0 }, Capacity::AtLeast { rate_per_s: 4.0 });
    assert!(!is_censored(&[crossed, crossed, censored]));
    assert!(is_censored(&[crossed, Capacity::Below { rate_per_s: 1.0 }, censored]));
    assert_eq!((margin(1.15), margin(1.5)), (0.10, 0.25));
}
