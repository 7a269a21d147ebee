//! What several users experience together: each sends a request, reads the answer, and sends the next one at once.

use crate::{
    chance::{Chance, between},
    load::{BadLoad, Load, Release, Request, ServedRequest, serve},
    quantile::quantile,
    server::Params,
};

/// What each user asks for, on average: lengths lie evenly between half of it and half as much again, or all would move in step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestLengths {
    /// Prompt tokens of a request.
    pub prompt_tokens: u32,
    /// Output tokens of a request.
    pub output_tokens: u32,
}

/// What the users of one server experience, over all requests but their first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UserExperience {
    pub users: u32,
    /// Median time to first token, in seconds.
    pub ttft_p50_s: f64,
    /// Its 95th percentile.
    pub ttft_p95_s: f64,
    /// The median over requests of their output tokens per second after the first.
    pub decode_tok_s: f64,
    /// Output tokens per second of all users together.
    pub output_tok_s: f64,
}

/// Requests of each user. The first one is not counted: all users begin within one of theirs.
const EACH: usize = 4;
/// More users than this are not looked for.
pub const MOST_USERS: u32 = 512;

/// Simulates so many users and sums up what they experience.
pub fn user_experience(params: &Params, users: u32, lengths: RequestLengths) -> Result<UserExperience, BadLoad> {
    // How long one takes alone says over what time they begin.
    let alone = serve(params, 1, &Load { requests: vec![request(Release::At(0), lengths)], max_in_flight: None })?;
    let spread_ms = alone.first().map_or(0, |one| u32::try_from(one.last_ns / 1_000_000).unwrap_or(u32::MAX));
    let mut chance = Chance::new(u64::from(users));
    let mut begins_ns: Vec<_> = (0..users).map(|_| u64::from(between(chance.word(), 0, spread_ms)) * 1_000_000).collect();
    begins_ns.sort_unstable();
    let mut around = |mean: u32| between(chance.word(), mean.div_ceil(2), mean + mean / 2);
    let requests: Vec<_> = (0..begins_ns.len() * EACH)
        .map(|index| {
            let release = if index % EACH == 0 { Release::At(begins_ns[index / EACH]) } else { Release::After(index - 1) };
            let (prompt_tokens, output_tokens) = (around(lengths.prompt_tokens), around(lengths.output_tokens));
            request(release, RequestLengths { prompt_tokens, output_tokens })
        })
        .collect();
    let served = serve(params, 1, &Load { requests, max_in_flight: None })?;
    let counted: Vec<_> = served.iter().enumerate().filter(|(index, _)| index % EACH > 0).map(|(_, one)| one).collect();
    Ok(summary(users, &served, &counted))
}

fn summary(users: u32, served: &[ServedRequest], counted: &[&ServedRequest]) -> UserExperience {
    let sorted = |of: fn(&ServedRequest) -> Option<f64>| {
        let mut values: Vec<_> = counted.iter().filter_map(|one| of(one)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let ttfts_s = sorted(|one| Some(one.ttft_s()));
    let rates = sorted(|one| one.tpot_s().map(f64::recip));
    let last_ns = served.iter().map(|one| one.last_ns).max().unwrap_or(1);
    let tokens: f64 = served.iter().map(|one| f64::from(one.output_tokens)).sum();
    UserExperience {
        users,
        ttft_p50_s: quantile(&ttfts_s, 0.5),
        ttft_p95_s: quantile(&ttfts_s, 0.95),
        decode_tok_s: quantile(&rates, 0.5),
        output_tok_s: tokens * 1e9 / last_ns as f64,
    }
}

fn request(release: Release, lengths: RequestLengths) -> Request {
    Request { release, prompt_tokens: lengths.prompt_tokens, cached_tokens: 0, output_tokens: lengths.output_tokens }
}

/// The most users whose TTFT p95 stays within a limit, up to [`MOST_USERS`]; none if it is too slow for one.
pub fn most_users(params: &Params, lengths: RequestLengths, ttft_p95_s: f64) -> Result<Option<UserExperience>, BadLoad> {
    let holds = |users: u32| -> Result<Option<UserExperience>, BadLoad> {
        Ok(Some(user_experience(params, users, lengths)?).filter(|experience| experience.ttft_p95_s <= ttft_p95_s))
    };
    let Some(mut best) = holds(1)? else { return Ok(None) };
    // Twice as many until it breaks, then between.
    let mut broken = MOST_USERS + 1;
    while best.users + 1 < broken {
        let next = if broken > MOST_USERS { (best.users * 2).min(MOST_USERS) } else { u32::midpoint(best.users, broken) };
        match holds(next)? {
            Some(experience) if next == MOST_USERS => return Ok(Some(experience)),
            Some(experience) => best = experience,
            None => broken = next,
        }
    }
    Ok(Some(best))
}

#[cfg(test)]
mod tests {
    use super::{RequestLengths, most_users, user_experience};
    use crate::published::place_on_spark;

    const LENGTHS: RequestLengths = RequestLengths { prompt_tokens: 2000, output_tokens: 100 };

    #[test]
    fn more_users_wait_longer_and_get_more_together() {
        let params = place_on_spark("gpt-oss-120b-mxfp4", "vllm-mxfp4").unwrap().params;
        let experience = [1, 4, 16].map(|users| user_experience(&params, users, LENGTHS).unwrap());
        for pair in experience.windows(2) {
            assert!(pair[1].ttft_p95_s > pair[0].ttft_p95_s, "{pair:?}");
            assert!(pair[1].decode_tok_s < pair[0].decode_tok_s, "{pair:?}");
            assert!(pair[1].output_tok_s > pair[0].output_tok_s, "{pair:?}");
        }
    }

    #[test]
    fn most_users_meet_the_limit_and_one_more_does_not() {
        let params = place_on_spark("gpt-oss-120b-mxfp4", "vllm-mxfp4").unwrap().params;
        let most = most_users(&params, LENGTHS, 3.0).unwrap().unwrap();
        assert!(most.users > 1 && most.ttft_p95_s <= 3.0, "{most:?}");
        assert!(user_experience(&params, most.users + 1, LENGTHS).unwrap().ttft_p95_s > 3.0);
        assert_eq!(most_users(&params, LENGTHS, 0.001).unwrap(), None);
    }
}
