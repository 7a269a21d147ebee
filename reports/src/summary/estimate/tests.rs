use proptest::prelude::*;

use super::*;
use crate::vectors::{self, floats};

#[test]
fn quantiles_of_t_agree_with_the_reference() {
    let case = vectors::case("t_distribution");
    assert_eq!(case["p"].as_f64(), Some(f64::midpoint(1.0, CONFIDENCE)));
    for (df, expected) in floats(&case["df"]).into_iter().zip(floats(&case["expected"])) {
        let actual = t_quantile(df).unwrap();
        assert!((actual - expected).abs() < 1e-9, "{df}: {actual} is not {expected}");
    }
}

#[test]
fn many_degrees_of_freedom_give_the_normal_quantile() {
    for df in [1e4, 1e6, 1e9, 1e12] {
        assert!((t_quantile(df).unwrap() - 1.644_854).abs() < 2e-4, "{df}");
    }
    assert_eq!(t_quantile(0.0), None);
}

#[test]
fn standard_deviation_divides_by_n_minus_1() {
    let case = vectors::case("population_vs_sample_sd");
    let estimate = Estimate::of(&floats(&case["x"])).unwrap();
    assert!((estimate.sd.unwrap() - case["expected"].as_f64().unwrap()).abs() < 1e-12);
    // t(0.95, 2) is 2.91998...
    assert!((estimate.half_width.unwrap() - 2.919_985_580_353_7 * 0.03 / 3.0_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn one_value_has_no_interval_and_an_infinite_one_no_mean() {
    let inf = f64::INFINITY;
    let of = |n, unbounded, mean| Some(Estimate { n, unbounded, mean, sd: None, half_width: None });
    assert_eq!(Estimate::of(&[]), None);
    assert_eq!(Estimate::of(&[5.0]), of(1, 0, Some(5.0)));
    assert_eq!(Estimate::of(&[5.0, inf, inf]), of(3, 2, None));
    assert_eq!(Estimate::of(&[5.0, 5.0]).unwrap().half_width, Some(0.0));
}

proptest! {
    #[test]
    fn interval_shifts_and_scales_with_its_values(
        values in prop::collection::vec(1.0_f64..1000.0, 2..9),
        shift in 0.0_f64..1000.0,
        factor in 0.1_f64..10.0,
    ) {
        let before = Estimate::of(&values).unwrap();
        let moved: Vec<f64> = values.iter().map(|value| value * factor + shift).collect();
        let after = Estimate::of(&moved).unwrap();
        prop_assert!((after.mean.unwrap() - before.mean.unwrap() * factor - shift).abs() < 1e-6);
        prop_assert!((after.half_width.unwrap() - before.half_width.unwrap() * factor).abs() < 1e-6);
    }
}
