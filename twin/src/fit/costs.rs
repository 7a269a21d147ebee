//! The costs that a fit is free to choose, as logarithms: all are positive, and spread over orders of magnitude.

use super::{Quantity, Trial};
use crate::{
    least_squares::Minimum,
    nearest::{nearest_u32, nearest_u64},
    server::{DecodeCost, Noise, Params, PrefillCost},
};

/// A cost that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Its name in [`Params`], with its unit.
    pub name: &'static str,
    /// In the unit that the name ends with.
    pub value: f64,
    /// Its relative standard error; none if the trials do not depend on it, as those of a dense model do not on its experts. Beyond 1 they do
    /// not tell it from others.
    pub relative_se: Option<f64>,
    /// Whether it stands on the least or the most that it may be: then it is no measurement.
    pub at_bound: bool,
}

/// A cost that the trials do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnidentifiedCost {
    pub cost: &'static str,
    /// The trials that would show it, in words.
    pub needs: &'static str,
}

impl UnidentifiedCost {
    pub(super) fn nothing() -> Self {
        Self { cost: "anything", needs: "trials" }
    }
}

/// A cost's name, and the least and the most that it may be.
struct CostBounds {
    name: &'static str,
    low: f64,
    high: f64,
}

const fn bounds(name: &'static str, low: f64, high: f64) -> CostBounds {
    CostBounds { name, low, high }
}

/// In nanoseconds unless the name says otherwise. No step of any engine is below a microsecond or above ten seconds; no memory of 273 GB/s
/// reads a token's keys and values (3 KB at least) in less than ten nanoseconds, and none takes ten microseconds.
const COST_BOUNDS: [CostBounds; 12] = [
    bounds("decode.base_ns", 1e3, 1e10),
    bounds("decode.experts_ns", 1e2, 1e10),
    bounds("decode.expert_tokens", 0.7, 5e3),
    bounds("decode.per_sequence_ns", 1e2, 1e9),
    bounds("decode.per_context_token_ps", 1e4, 1e7),
    bounds("prefill.base_ns", 1e2, 1e10),
    bounds("prefill.per_token_ns", 1e2, 1e8),
    bounds("prefill.per_pair_fs", 1e2, 1e10),
    bounds("prefill.ramp_ns", 1e2, 1e10),
    bounds("prefill.ramp_tokens", 20.0, 2e4),
    bounds("accept_ns", 1e5, 1e9),
    bounds("ends_per_token", 1e-9, 0.1),
];
const EXPERT_TOKENS: usize = 2;
const RAMP_TOKENS: usize = 9;
const ENDS_PER_TOKEN: usize = 11;

/// A cost is unidentified if multiplying it by e moves all figures together by fewer standard deviations than this.
const MIN_EFFECT_SD: f64 = 0.5;

/// What a fit may choose, for one engine and its trials.
pub(super) struct Costs<'a> {
    engine: &'a Params,
    start: [f64; 12],
    may_end_early: bool,
}

impl<'a> Costs<'a> {
    /// Refuses trials that cannot show what is asked, whatever was measured in them.
    pub(super) fn of(engine: &'a Params, trials: &[Trial]) -> Result<Self, UnidentifiedCost> {
        let unidentified = |cost, needs| Err(UnidentifiedCost { cost, needs });
        let few = trials.iter().map(|trial| trial.streams).min().unwrap_or(0);
        let levels = |of: fn(&Trial) -> u32| {
            let mut levels: Vec<_> = trials.iter().map(of).collect();
            levels.sort_unstable();
            levels.dedup();
            levels
        };
        if levels(|trial| trial.streams).len() < 3 {
            return unidentified("decode.per_sequence_ns", "trials at three numbers of streams");
        }
        let prompts = levels(|trial| trial.requests.iter().map(|&(prompt, _)| prompt).max().unwrap_or(0));
        if prompts.len() < 3 || prompts.iter().max() < prompts.iter().min().map(|least| least.saturating_mul(4)).as_ref() {
            return unidentified(
                "prefill.per_pair_fs",
                "trials with three lengths of prompts, the longest four times the shortest",
            );
        }
        let alone = trials.iter().filter(|trial| trial.streams == few);
        let seen = |quantity| {
            let trials = alone.clone().filter_map(move |trial| Some((trial, value(trial, quantity)?)));
            trials.max_by_key(|(trial, _)| trial.requests.iter().map(|&(prompt, _)| prompt).max())
        };
        let Some((_, decode_tok_s)) = seen(Quantity::DecodeTokS) else {
            return unidentified("decode.base_ns", "the decode rate of a trial with the fewest streams");
        };
        let Some((longest, ttft_s)) = seen(Quantity::TtftMean) else {
            return unidentified("prefill.per_token_ns", "the time to first token of a trial with the fewest streams");
        };
        let prompt_tokens = longest.requests.iter().map(|&(prompt, _)| f64::from(prompt)).fold(1.0, f64::max);
        let step_ns = 1e9 / decode_tok_s;
        let token_ns = ttft_s * 1e9 / prompt_tokens / f64::from(few) * 0.7;
        let start = [
            step_ns * 0.6,
            step_ns * 0.8,
            12.0,
            step_ns * 0.01,
            step_ns * 1e-3,
            step_ns * 0.3,
            token_ns,
            token_ns * 5e5 / prompt_tokens,
            step_ns * 0.5,
            600.0,
            2e7,
            1e-4,
        ];
        Ok(Self { engine, start, may_end_early: trials.iter().any(|trial| trial.may_end_early) })
    }

    fn count(&self) -> usize {
        if self.may_end_early { COST_BOUNDS.len() } else { ENDS_PER_TOKEN }
    }

    pub(super) fn bounds(&self) -> (Vec<f64>, Vec<f64>) {
        let of =
            |bound: fn(&CostBounds) -> f64| COST_BOUNDS.iter().take(self.count()).map(|free| libm::log(bound(free))).collect();
        (of(|free| free.low), of(|free| free.high))
    }

    /// Several, since the valley has side valleys: as a mixture of experts, as a dense model, with experts that many tokens share, and
    /// with a prefill that is mostly ramp.
    pub(super) fn starts(&self) -> Vec<Vec<f64>> {
        let (low, high) = self.bounds();
        let moved = [vec![], vec![(1, -3.0), (0, 0.3)], vec![(1, 1.0), (EXPERT_TOKENS, 1.0)], vec![(8, 2.0), (5, -2.0)]];
        let start = |moves: Vec<(usize, f64)>| {
            let mut at: Vec<_> = self.start.iter().take(self.count()).map(|&value| libm::log(value)).collect();
            for (place, by) in moves {
                at[place] += by;
            }
            at.iter().zip(low.iter().zip(&high)).map(|(value, (low, high))| value.clamp(*low, *high)).collect()
        };
        moved.into_iter().map(start).collect()
    }

    /// The engine with these costs, in whole units.
    pub(super) fn params(&self, at: &[f64]) -> Params {
        let whole = |place: usize| nearest_u64(libm::exp(at[place]));
        let share = 1.0 - libm::exp(-1.0 / libm::exp(at[EXPERT_TOKENS]));
        Params {
            decode: DecodeCost {
                base_ns: whole(0),
                experts_ns: whole(1),
                expert_share_ppm: nearest_u32(share * 1e6),
                expert_choice_ppm: 1_000_000,
                per_sequence_ns: whole(3),
                per_context_token_ps: whole(4),
            },
            prefill: PrefillCost {
                base_ns: whole(5),
                per_token_ns: whole(6),
                per_pair_fs: whole(7),
                ramp_ns: whole(8),
                ramp_tokens: nearest_u32(libm::exp(at[RAMP_TOKENS])),
            },
            accept_ns: whole(10),
            noise: Noise { boot_ppm: 0, trial_ppm: 0, step_ppm: 0 },
            ..self.engine.clone()
        }
    }

    pub(super) fn ends_per_token(at: &[f64]) -> f64 {
        at.get(ENDS_PER_TOKEN).map_or(0.0, |&log| libm::exp(log))
    }

    /// Residuals that keep a shape which the trials do not show near what is common, and are outvoted by any that do: a dozen tokens
    /// touch most experts where eight of 128 or four of 64 are active, and kernels are at their pace after some hundred tokens.
    pub(super) fn prior_residuals(at: &[f64]) -> [f64; 2] {
        [(at[RAMP_TOKENS] - libm::log(600.0)) * 0.3, (at[EXPERT_TOKENS] - libm::log(12.0)) * 0.5]
    }

    /// The costs with their standard errors. Refused if two of them do the same in all trials.
    pub(super) fn estimates(&self, minimum: &Minimum) -> Result<Vec<Cost>, UnidentifiedCost> {
        let figures = minimum.residuals.len() - Self::prior_residuals(&minimum.at).len();
        let rows = &minimum.jacobian[..figures];
        let weight = |column: usize| rows.iter().map(|row| row[column] * row[column]).sum::<f64>().sqrt();
        let seen: Vec<_> = (0..self.count()).filter(|&column| weight(column) >= MIN_EFFECT_SD).collect();
        let jacobian = rows.iter().map(|row| seen.iter().map(|&column| row[column]).collect()).collect();
        let only_seen = Minimum { at: Vec::new(), residuals: Vec::new(), jacobian };
        let same = UnidentifiedCost {
            cost: "each cost",
            needs: "trials in which they differ: more lengths of prompts, more numbers of streams",
        };
        let covariance = only_seen.unit_covariance().ok_or(same)?;
        let free_figures = figures.checked_sub(seen.len()).filter(|&left| left > 0).ok_or(same)?;
        let variance = minimum.residuals[..figures].iter().map(|r| r * r).sum::<f64>() / free_figures as f64;
        let (low, high) = self.bounds();
        let cost = |column: usize| {
            let place = seen.iter().position(|&place| place == column);
            // A matrix that is nearly singular may give a variance below 0: that is no knowledge either.
            let se = |place: usize| {
                Some((covariance[place][place] * variance).sqrt()).filter(|se| se.is_finite()).unwrap_or(f64::INFINITY)
            };
            let at_bound = (minimum.at[column] - low[column]).min(high[column] - minimum.at[column]) < 0.01;
            Cost { name: COST_BOUNDS[column].name, value: libm::exp(minimum.at[column]), relative_se: place.map(se), at_bound }
        };
        Ok((0..self.count()).map(cost).collect())
    }
}

fn value(trial: &Trial, quantity: Quantity) -> Option<f64> {
    trial.observed.iter().find(|observed| observed.quantity == quantity).map(|observed| observed.value)
}
