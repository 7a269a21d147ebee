//! Reference values of functions of trials: percentiles, steadiness, drift, noise, failures.

use serde_json::{Value, json};

use super::{Case, numbers, reference_methods};
use crate::{
    fixture::{MS, served},
    metrics::RequestMetrics,
    quantile::SortedSample,
    statistics::{
        drift::Drift,
        fisher::{RequestCounts, p_fails_more},
        moments, outliers,
        steady::{effective_size, lag1_autocorrelation, mser5 as mser5_of},
        variance_components::{trials_per_boot, two_levels},
    },
};

pub(super) fn quantile(case: &mut Case<'_>) {
    let (x, q) = (case.numbers("x"), case.number("q"));
    case.check("type7", json!(x.iter().copied().collect::<SortedSample>().quantile(q)));
    case.check("type8", json!(reference_methods::quantile_between(&x, q, 1.0 / 3.0)));
    case.check("type6", json!(reference_methods::quantile_between(&x, q, 0.0)));
    case.check("type1_inverted_cdf", json!(reference_methods::quantile_inverted(&x, q)));
}

pub(super) fn quantiles(case: &mut Case<'_>) {
    let (x, qs) = (case.numbers("x"), case.numbers("qs"));
    let sorted: SortedSample = x.iter().copied().collect();
    case.check("type7", json!(qs.iter().map(|&q| sorted.quantile(q)).collect::<Vec<_>>()));
    case.check("type8", json!(qs.iter().map(|&q| reference_methods::quantile_between(&x, q, 1.0 / 3.0)).collect::<Vec<_>>()));
}

pub(super) fn mser5(case: &mut Case<'_>) {
    assert_eq!(case.input["batch"], 5);
    let mser = mser5_of(&case.numbers("y")).unwrap();
    case.check("n_batches", json!(mser.batches));
    case.check("d_star", json!(mser.cut));
    case.check("truncate_obs", json!(mser.cut_values()));
    case.check("steady", json!(!mser.is_at_edge()));
}

pub(super) fn autocorrelation(case: &mut Case<'_>) {
    let y = case.numbers_of_other("y_ref", "y");
    let r1 = lag1_autocorrelation(&y).unwrap();
    case.check("r1", json!(r1));
    case.check("ess_ar1", json!(effective_size(y.len(), r1)));
}

pub(super) fn anova(case: &mut Case<'_>) {
    let boots: Vec<Vec<f64>> = case.input["log_values_by_boot"].as_array().unwrap().iter().map(numbers).collect();
    let noise = two_levels(&boots).unwrap();
    let means: Vec<f64> = boots.iter().map(|boot| moments::mean(boot).unwrap()).collect();
    let trials = trials_per_boot(case.number("cost_boot_s"), case.number("cost_trial_s"), noise.trial, noise.boot);
    case.check("var_boot", json!(noise.boot.sd_ln.powi(2)));
    case.check("var_trial", json!(noise.trial.sd_ln.powi(2)));
    case.check("kalibera_jones_trials_per_boot", json!(trials));
    case.check("mean_of_boot_means", json!(moments::mean(&means)));
    case.check("se_from_boot_means", json!(moments::sd(&means).unwrap() / (means.len() as f64).sqrt()));
}

pub(super) fn modified_z(case: &mut Case<'_>) {
    let x = case.numbers("x");
    let median = |values: Vec<f64>| values.into_iter().collect::<SortedSample>().quantile(0.5).unwrap();
    let middle = median(x.clone());
    let mad = median(x.iter().map(|x| (x - middle).abs()).collect());
    case.check("median", json!(middle));
    case.check("mad_raw", json!(mad));
    case.check("scaled_1.4826", json!(1.4826 * mad));
    case.check("modified_z", json!(outliers::modified_z(&x)));
    case.check("flag_gt_3.5", json!(outliers::flag_outliers(&x)));
}

pub(super) fn drift(case: &mut Case<'_>) {
    let drift = Drift::of(&case.numbers("values_in_run_order")).unwrap();
    case.check("slope_log_per_trial", json!(drift.slope_ln));
    case.check("p_two_sided", json!(drift.p));
    case.check("total_drift_log", json!(drift.total_ln()));
}

pub(super) fn geometric_mean(case: &mut Case<'_>) {
    case.check("geomean", json!(moments::geometric_mean(&case.numbers("ratios"))));
}

pub(super) fn standard_deviation(case: &mut Case<'_>) {
    let x = case.numbers("x");
    let (n, sd) = (x.len() as f64, moments::sd(&x).unwrap());
    case.check("ddof1", json!(sd));
    case.check("ddof0", json!(sd * ((n - 1.0) / n).sqrt()));
    case.check("cv_ddof1", json!(sd / moments::mean(&x).unwrap()));
}

pub(super) fn intended_start(case: &mut Case<'_>) {
    let in_ns = |ms: &Value| ms.as_u64().unwrap() * MS;
    let ns = |key: &str| case.input[key].as_array().unwrap().iter().map(in_ns).collect::<Vec<_>>();
    let (scheduled, sent, after) = (ns("scheduled_ms"), ns("actual_send_ms"), ns("ttft_from_send_ms"));
    let request = |k: usize| RequestMetrics::of(&served(scheduled[k], sent[k], &[(sent[k] + after[k], 1)]), true);
    let metrics: Vec<_> = (0..sent.len()).map(request).collect();
    let lag = metrics.iter().filter_map(|request| request.send_lag_ns).fold(0.0, f64::max);
    case.check("ttft_from_schedule_ms", json!(metrics.iter().map(|request| request.ttft_ns / MS as f64).collect::<Vec<_>>()));
    case.check("max_send_lag_ms", json!(lag / MS as f64));
}

pub(super) fn fisher(case: &mut Case<'_>) {
    let side = |key: &str| {
        let [ok, failed] = [0, 1].map(|place| u32::try_from(case.input[key][place].as_u64().unwrap()).unwrap());
        RequestCounts { served: ok, failed }
    };
    case.check("p_more_errors", json!(p_fails_more(side("ok_fail_base"), side("ok_fail_cand"))));
}
