use super::*;

#[test]
fn nan_counts_as_1_and_empty_family_stays_empty() {
    assert_eq!(benjamini_hochberg(&[]), Vec::<f64>::new());
    assert_eq!(holm(&[]), Vec::<f64>::new());
    // As [0, 0.5, 1, 1].
    let odd = [-1.0, 0.5, f64::NAN, 7.0];
    assert_eq!(benjamini_hochberg(&odd), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(holm(&odd), [0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn family_of_one_is_not_adjusted() {
    assert_eq!((benjamini_hochberg(&[0.04]), holm(&[0.04])), (vec![0.04], vec![0.04]));
}

#[test]
fn larger_family_raises_adjusted_p() {
    let alone = [0.01];
    let among = [0.01, 0.9, 0.9, 0.9];
    assert!(benjamini_hochberg(&among)[0] > benjamini_hochberg(&alone)[0]);
    // Company that is regressed too makes a discovery cheaper for BH, and not for Holm.
    let together = [0.01, 0.01, 0.01, 0.9];
    assert!(benjamini_hochberg(&together)[0] < benjamini_hochberg(&among)[0]);
    assert_eq!(holm(&together)[..1], holm(&among)[..1]);
}
