use super::*;

fn cut(batches: usize, cut: usize) -> Steadiness {
    Mser { batches, cut }.steadiness()
}

#[test]
fn steadiness_depends_on_the_number_of_batches_cut() {
    let table = [(16, 0, Steadiness::Steady), (16, 4, Steadiness::WarmingUp), (16, 5, Steadiness::NotSteady)];
    for (batches, cut_batches, expected) in table {
        assert_eq!(cut(batches, cut_batches), expected, "{cut_batches} of {batches}");
    }
    // Of two or three batches one is all that may be cut.
    assert_eq!((cut(2, 1), cut(3, 1)), (Steadiness::NotSteady, Steadiness::NotSteady));
}

#[test]
fn first_of_equal_cuts_is_taken_and_incomplete_batch_ignored() {
    let flat = mser5(&[7.0; 53]).unwrap();
    assert_eq!((flat.batches, flat.cut), (10, 0));
    assert_eq!(flat.steadiness(), Steadiness::Steady);
}

#[test]
fn deviating_start_is_cut() {
    let series = |warm_up: usize| -> Vec<f64> {
        (0..100).map(|place| if place < warm_up { 60.0 } else { 40.0 + f64::from(u8::from(place % 2 == 0)) }).collect()
    };
    for (warm_up, cut, expected) in [(0, 0, Steadiness::Steady), (10, 2, Steadiness::WarmingUp), (40, 8, Steadiness::NotSteady)] {
        let mser = mser5(&series(warm_up)).unwrap();
        assert_eq!((mser.cut, mser.cut_values(), mser.steadiness()), (cut, 5 * cut, expected), "{warm_up}");
    }
}

#[test]
fn short_series_has_no_result() {
    assert_eq!((mser5(&[1.0; 9]), mser5(&[])), (None, None));
    let mut broken = [1.0; 20];
    broken[3] = f64::INFINITY;
    assert_eq!((mser5(&broken), lag1_autocorrelation(&broken)), (None, None));
    assert_eq!((lag1_autocorrelation(&[1.0]), lag1_autocorrelation(&[2.0, 2.0, 2.0])), (None, None));
    assert_eq!((effective_size(10, 1.0), effective_size(10, -1.0), effective_size(10, f64::NAN)), (None, None, None));
}

#[test]
fn positive_autocorrelation_lowers_the_effective_size() {
    assert_eq!(effective_size(90, 0.5), Some(30.0));
    assert_eq!(effective_size(90, 0.0), Some(90.0));
    // 1, -1, 1, -1: three products of -1 over four squares.
    assert_eq!(lag1_autocorrelation(&[1.0, -1.0, 1.0, -1.0]), Some(-0.75));
}
