//! A fit must find what trials were made of.

use super::{FitError, Measurement, Quantity, Trial, ends_early, fit, quantities, serve_trial};
use crate::server::{DecodeCost, Noise, Params, PrefillCost};

fn truth() -> Params {
    Params {
        max_step_tokens: 8192,
        max_sequences: 1024,
        kv_tokens: 10_000_000,
        async_scheduling: true,
        accept_ns: 15_000_000,
        decode: DecodeCost {
            base_ns: 14_000_000,
            per_sequence_ns: 300_000,
            per_context_token_ps: 90_000,
            experts_ns: 60_000_000,
            expert_share_ppm: 60_000,
            expert_choice_ppm: 1_000_000,
        },
        prefill: PrefillCost { base_ns: 20_000_000, per_token_ns: 150_000, per_pair_fs: 4_000_000, ramp_ns: 0, ramp_tokens: 0 },
        noise: Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 },
        ..Params::default()
    }
}

/// What a client would have seen of the truth.
fn measured(streams: u32, prompt_tokens: u32, output_tokens: u32) -> Trial {
    let trial = Trial {
        name: format!("{streams} x {prompt_tokens}"),
        streams,
        requests: vec![(prompt_tokens, output_tokens); streams as usize],
        may_end_early: false,
        observed: Vec::new(),
    };
    let (load, served) = serve_trial(&truth(), &trial, 0.0).unwrap();
    let quantities = quantities(&load, &served);
    let all = [Quantity::TtftMean, Quantity::PrefillTokS, Quantity::DecodeTokS, Quantity::OutputTokS];
    let observed = all.map(|quantity| Measurement { quantity, value: quantities.get(quantity), sd: 0.0 });
    Trial { observed: observed.into(), ..trial }
}

#[test]
fn fit_recovers_the_costs_of_simulated_trials() {
    let trials: Vec<_> =
        [1, 5, 10, 20].iter().flat_map(|&streams| [256, 2000, 8000, 24_000].map(|n| measured(streams, n, 128))).collect();
    let fitted = fit(&Params { noise: truth().noise, ..truth() }, &trials).unwrap();
    for residual in &fitted.residuals {
        let off = (residual.fitted / residual.observed.value - 1.0).abs();
        assert!(off < 0.02, "{}: {:?} {off:.3}", residual.trial, residual.observed.quantity);
    }
    let cost = |name| fitted.costs.iter().find(|cost| cost.name == name).unwrap();
    for (name, truth) in
        [("prefill.per_token_ns", 150_000.0), ("decode.per_context_token_ps", 90_000.0), ("prefill.per_pair_fs", 4e6)]
    {
        let found = cost(name);
        assert!((found.value / truth - 1.0).abs() < 0.05, "{found:?}");
        assert!(found.relative_se.is_some_and(|se| se < 0.1), "{found:?}");
    }
    let full_step_ns = cost("decode.base_ns").value + cost("decode.experts_ns").value;
    assert!((full_step_ns / 74e6 - 1.0).abs() < 0.1, "{full_step_ns}");
}

#[test]
fn trials_that_cannot_show_a_cost_are_refused() {
    let refusal = |trials: &[Trial]| fit(&truth(), trials).unwrap_err().to_string();
    let of = |streams: &[u32], prompts: &[u32]| -> Vec<_> {
        streams.iter().flat_map(|&streams| prompts.iter().map(move |&prompt| measured(streams, prompt, 16))).collect()
    };
    insta::assert_snapshot!(refusal(&of(&[1, 4], &[100, 1000, 4000])), @"the trials cannot tell what decode.per_sequence_ns is: trials at three numbers of streams");
    insta::assert_snapshot!(refusal(&of(&[1, 4, 8], &[100, 4000])), @"the trials cannot tell what prefill.per_pair_fs is: trials with three lengths of prompts, the longest four times the shortest");
    insta::assert_snapshot!(refusal(&[]), @"the trials cannot tell what decode.per_sequence_ns is: trials at three numbers of streams");
    let mut blind = of(&[1, 4, 8], &[100, 1000, 4000]);
    for trial in &mut blind {
        trial.observed.clear();
    }
    insta::assert_snapshot!(refusal(&blind), @"the trials cannot tell what decode.base_ns is: the decode rate of a trial with the fewest streams");
    let mut endless = of(&[1, 4, 8], &[100, 1000, 4000]);
    endless[0].requests[0].0 = 200_000;
    assert!(matches!(fit(&truth(), &endless), Err(FitError::Trial { .. })));
}

#[test]
fn early_ends_have_the_expected_mean_and_stay_below_the_limit() {
    let ends: Vec<_> = (0..100).map(|index| ends_early(index, 100, 10_000, 1e-3)).collect();
    let mean = f64::from(ends.iter().sum::<u32>()) / 100.0;
    assert!((900.0..1100.0).contains(&mean), "{mean}");
    assert!((0..10).all(|index| ends_early(index, 10, 50, 1e-3) <= 50));
    assert_eq!(ends_early(0, 10, 5, 1.0), 5);
    assert_eq!(ends_early(0, 10, 400, 0.0), 400);
}
