//! Results of `vllm bench serve`, and the load behind them.

use serde::Deserialize;

use super::numpy::{DefaultRng, LegacyRng};
use crate::{
    chance::Chance,
    load::{Load, Release, Request},
    nearest::{nearest_u32, nearest_u64},
};

/// An open loop: its requests and its published figures.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenTest {
    /// Its number, and for a step of the rate sweep its rate: `07`, `11-0.5`.
    pub name: String,
    /// Requests per second, as configured.
    pub rate_per_s: f64,
    pub load: Load,
    pub published: PublishedFigures,
}

/// Figures of an open loop, as they were published.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PublishedFigures {
    /// Output tokens per second.
    pub output_tok_s: f64,
    /// Median time to first token, in seconds.
    pub ttft_p50_s: f64,
    /// Its 95th percentile.
    pub ttft_p95_s: f64,
    /// Whether every request got all its tokens; otherwise the load was another one than the seed says.
    pub complete: bool,
}

#[derive(Deserialize)]
struct Results {
    num_prompts: u32,
    completed: u32,
    request_rate: f64,
    burstiness: f64,
    max_concurrency: Option<usize>,
    total_input_tokens: u64,
    total_output_tokens: u64,
    output_throughput: f64,
    p50_ttft_ms: f64,
    p95_ttft_ms: f64,
}

/// All of these runs were started with it.
const SEED: u32 = 42;

#[derive(Debug, thiserror::Error)]
pub(super) enum BadResults {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Cannot(&'static str),
}

pub(super) fn read(file: &str, text: &str) -> Result<OpenTest, BadResults> {
    let results: Results = serde_json::from_str(text)?;
    if results.num_prompts == 0 || results.num_prompts > 100_000 {
        return Err(BadResults::Cannot("num_prompts must be from 1 to 100000"));
    }
    let positive = |value: f64| value > 0.0 && value.is_finite();
    if !positive(results.request_rate) || !positive(results.burstiness) || results.burstiness > 1.0 {
        return Err(BadResults::Cannot("request_rate must be positive and burstiness above 0 and at most 1"));
    }
    if results.max_concurrency == Some(0) {
        return Err(BadResults::Cannot("max_concurrency must be at least 1"));
    }
    let number = file.get(..2).unwrap_or_default();
    let count = results.num_prompts;
    let asked = match number {
        "08" => conversations(&results),
        "09" => random(1024, 4096, count),
        _ => random(4000, 500, count),
    };
    // The chat template, which the server counts and the client does not.
    let total: u64 = asked.iter().map(|&(prompt, _)| u64::from(prompt)).sum();
    let template = results.total_input_tokens.saturating_sub(total) / u64::from(count);
    let template = u32::try_from(template).unwrap_or(0).min(200);
    let total: u64 = asked.iter().map(|&(_, output)| u64::from(output)).sum();
    let requests = arrivals(&results).into_iter().zip(&asked).map(|(t_ns, &(prompt_tokens, output_tokens))| Request {
        release: Release::At(t_ns),
        prompt_tokens: prompt_tokens + template,
        cached_tokens: 0,
        output_tokens,
    });
    let name = if number == "11" { format!("11-{}", results.request_rate) } else { number.to_owned() };
    Ok(OpenTest {
        name,
        rate_per_s: results.request_rate,
        load: Load { requests: requests.collect(), max_in_flight: results.max_concurrency },
        published: PublishedFigures {
            output_tok_s: results.output_throughput,
            ttft_p50_s: results.p50_ttft_ms / 1e3,
            ttft_p95_s: results.p95_ttft_ms / 1e3,
            // A few tokens less are answers whose last token has no text.
            complete: results.completed == count && results.total_output_tokens.abs_diff(total).saturating_mul(50) <= total,
        },
    })
}

/// The `random` dataset with a range of 0.9: prompts, then outputs, even between a tenth of the mean and nineteen tenths. The lower end is
/// a floor of 399.99..., as theirs is.
fn random(prompt_tokens: u32, output_tokens: u32, count: u32) -> Vec<(u32, u32)> {
    let mut rng = DefaultRng::new(SEED);
    let mut draw = |mean: u32| -> Vec<u32> {
        let low = nearest_u32((f64::from(mean) * (1.0 - 0.9)).floor());
        let high = nearest_u32((f64::from(mean) * (1.0 + 0.9)).ceil());
        (0..count).map(|_| rng.between(low, high)).collect()
    };
    let prompts = draw(prompt_tokens);
    prompts.into_iter().zip(draw(output_tokens)).collect()
}

/// Lengths in the manner of `ShareGPT`'s conversations, which are not published with the run, scaled to the totals that are.
fn conversations(results: &Results) -> Vec<(u32, u32)> {
    let mut chance = Chance::new(u64::from(SEED));
    // In the range that `vllm bench serve` keeps.
    let (least, most) = (4.0, 1024.0);
    let mut draw = |log_sd: f64, total: u64| {
        let raw: Vec<_> =
            (0..results.num_prompts).map(|_| libm::exp(log_sd * chance.normal_ppm(1_000_000) as f64 / 1e6)).collect();
        let mut scale = 100.0;
        for _ in 0..30 {
            let sum: f64 = raw.iter().map(|length| (length * scale).clamp(least, most)).sum();
            scale *= total as f64 / sum;
        }
        raw.into_iter().map(|length| nearest_u32((length * scale).clamp(least, most))).collect::<Vec<_>>()
    };
    let prompts = draw(1.4, results.total_input_tokens);
    prompts.into_iter().zip(draw(1.05, results.total_output_tokens)).collect()
}

/// Gamma gaps, stretched so that the last request comes when the rate says.
fn arrivals(results: &Results) -> Vec<u64> {
    let mut rng = LegacyRng::new(SEED);
    let mut at = 0.0;
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..results.num_prompts {
        at += rng.gamma(results.burstiness);
        times.push(at);
    }
    let stretch = f64::from(results.num_prompts) / results.request_rate / at;
    times.into_iter().map(|t| nearest_u64(t * stretch * 1e9)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Results, arrivals, conversations, random, read};

    fn results(burstiness: f64) -> Results {
        Results {
            num_prompts: 200,
            completed: 200,
            request_rate: 0.3,
            burstiness,
            max_concurrency: None,
            total_input_tokens: 46_400,
            total_output_tokens: 40_200,
            output_throughput: 1.0,
            p50_ttft_ms: 1.0,
            p95_ttft_ms: 1.0,
        }
    }

    /// The totals that every published run of tests 07, 09 and 10 shows.
    #[test]
    fn lengths_match_the_published_runs() {
        let outputs = |lengths: Vec<(u32, u32)>| lengths.iter().map(|&(_, output)| output).sum::<u32>();
        assert_eq!(outputs(random(4000, 500, 200)), 97_092);
        assert_eq!(outputs(random(1024, 4096, 50)), 209_303);
        assert_eq!(outputs(random(4000, 500, 300)), 150_317);
    }

    #[test]
    fn arrivals_match_the_rate_and_conversations_match_their_totals() {
        let times = arrivals(&results(0.7));
        assert_eq!((times.len(), times[199].abs_diff(666_666_666_667) < 10), (200, true));
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
        let lengths = conversations(&results(0.7));
        let (prompt, output) = lengths.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        assert!(prompt.abs_diff(46_400) < 100 && output.abs_diff(40_200) < 100, "{prompt} {output}");
        assert!(lengths.iter().all(|&(prompt, output)| (4..=1024).contains(&prompt) && (4..=1024).contains(&output)));
    }

    fn text(rate: &str, burstiness: &str, prompts: u32) -> String {
        format!(
            r#"{{"num_prompts": {prompts}, "completed": 1, "request_rate": {rate}, "burstiness": {burstiness}, "max_concurrency": 2,
            "total_input_tokens": 5000, "total_output_tokens": 400, "output_throughput": 3, "p50_ttft_ms": 4, "p95_ttft_ms": 5}}"#
        )
    }

    #[test]
    fn impossible_token_total_is_an_incomplete_run() {
        let absurd = text("0.5", "0.7", 1).replace("400", "18446744073709551615");
        assert!(!read("08-x.json", &absurd).unwrap().published.complete);
    }

    #[test]
    fn results_without_a_valid_load_are_refused() {
        let open = read("11-rate-sweep-0.5.json", &text("0.5", "0.7", 1)).unwrap();
        assert_eq!((open.name.as_str(), open.load.max_in_flight, open.load.requests.len()), ("11-0.5", Some(2), 1));
        for (rate, burstiness, prompts) in
            [("0", "1", 1), ("1", "0", 1), ("1", "1.5", 1), ("1", "1", 0), ("1", "1", 200_000), ("\"inf\"", "1", 1)]
        {
            assert!(read("07-x.json", &text(rate, burstiness, prompts)).is_err(), "{rate} {burstiness} {prompts}");
        }
    }
}
