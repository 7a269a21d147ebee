use super::*;

fn side(ok: u32, failed: u32) -> RequestCounts {
    RequestCounts { served: ok, failed }
}

#[test]
fn lady_tasting_tea_has_the_published_p() {
    // Fisher's own table, 3 of 4: (16 + 1) / 70.
    let p = p_fails_more(side(3, 1), side(1, 3)).unwrap();
    assert!((p - 17.0 / 70.0).abs() < 1e-14, "{p}");
}

#[test]
fn only_more_failures_are_significant() {
    let table = [
        (side(1000, 0), side(992, 8), true),
        (side(1000, 0), side(998, 2), false),
        (side(992, 8), side(1000, 0), false),
        (side(992, 8), side(992, 8), false),
        (side(1000, 0), side(1000, 0), false),
        (side(10, 0), side(0, 10), true),
        (side(0, 10), side(0, 10), false),
        // Without requests on a side there is nothing to compare.
        (side(0, 0), side(0, 10), false),
        (side(10, 0), side(0, 0), false),
    ];
    for (baseline, candidate, more) in table {
        assert_eq!(fails_more(baseline, candidate), more, "{baseline:?} {candidate:?}");
    }
    assert_eq!(p_fails_more(side(0, 0), side(1, 1)), None);
    assert_eq!(p_fails_more(side(9, 0), side(9, 0)), Some(1.0));
}
