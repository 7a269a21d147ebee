//! `sim plan`: which model, for how many people.

use std::fmt::Write as _;

use clap::Args;
use record::ExitCode;
use twin::{
    description::{Machine, Model, engines, machines, models, place},
    plan::{MOST_USERS, RequestLengths, most_users, user_experience},
};

use crate::{UsageError, print};

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Users, each with one request in flight at all times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_USERS)))]
    users: u32,
    /// Mean number of prompt tokens; single prompts have 0.5 to 1.5 times as many
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    context: u32,
    /// Mean number of output tokens; single answers have 0.5 to 1.5 times as many
    #[arg(long, value_name = "TOKENS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(4..=100_000))]
    output: u32,
    /// Limit for the 95th percentile of the time to first token (TTFT), e.g. 2s or 500ms
    #[arg(long, value_name = "TIME", value_parser = read_seconds)]
    ttft_p95: f64,
    /// Sparks that serve one model together
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=2))]
    nodes: u32,
}

fn read_seconds(text: &str) -> Result<f64, String> {
    let (number, unit_s) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1e-3),
        (None, Some(number)) => (number, 1.0),
        (None, None) => return Err("give it with its unit, as 2s or 500ms".to_owned()),
    };
    let number: f64 = number.trim().parse().map_err(|_| format!("{number} is not a number"))?;
    let seconds = number * unit_s;
    if seconds > 0.0 && seconds.is_finite() { Ok(seconds) } else { Err("it must be above 0".to_owned()) }
}

pub(super) fn run(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let machine = machines()?.into_iter().next().ok_or_else(|| UsageError("no machine is described".to_owned()))?;
    let mut text = format!(
        "{} users, {} + {} tokens, TTFT p95 at most {} s, {} x {}\n\n",
        args.users, args.context, args.output, args.ttft_p95, args.nodes, machine.name
    );
    text.push_str(
        "| model | engine | memory | contexts that fit | TTFT p50, s | TTFT p95, s | decode per user, tok/s | all, tok/s | holds | most users |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for model in models()? {
        text.push_str(&row(args, &machine, &model)?);
    }
    text.push_str(
        "\nA forecast of the twin, from descriptions in twin/descriptions: see docs/twin.md for where it is wrong. No prompt is cached.\n",
    );
    print(text.trim_end());
    Ok(ExitCode::Success)
}

fn row(args: &PlanArgs, machine: &Machine, model: &Model) -> anyhow::Result<String> {
    let engine = engines()?.into_iter().find(|engine| engine.name == model.engine);
    let engine = engine.ok_or_else(|| UsageError(format!("{}: its engine {} is not described", model.name, model.engine)))?;
    let mut row = format!("| {} | {} ", model.name, engine.name);
    let placed = match place(machine, args.nodes, model, &engine) {
        Ok(placed) => placed,
        Err(why) => {
            // A `String` takes whatever is written.
            let _ = writeln!(row, "| {why} | | | | | | no | 0 |");
            return Ok(row);
        }
    };
    let lengths = RequestLengths { prompt_tokens: args.context, output_tokens: args.output };
    let weights_gb = placed.weight_bytes / 1e9;
    let contexts = (placed.cache_tokens / f64::from(args.context + args.output)).floor();
    if 1.5 * f64::from(args.context + args.output) > f64::from(placed.params.max_request_tokens()) {
        let _ =
            writeln!(row, "| {weights_gb:.0} GB | its context ends at {} | | | | | no | 0 |", placed.params.max_request_tokens());
        return Ok(row);
    }
    let felt = user_experience(&placed.params, args.users, lengths)?;
    let most = most_users(&placed.params, lengths, args.ttft_p95)?;
    let holds = if felt.ttft_p95_s <= args.ttft_p95 { "yes" } else { "no" };
    let most = most.map_or("0".to_owned(), |most| {
        if most.users == MOST_USERS { format!("{MOST_USERS} or more") } else { most.users.to_string() }
    });
    let _ = writeln!(
        row,
        "| {weights_gb:.0} GB | {contexts:.0} | {:.2} | {:.2} | {:.1} | {:.0} | {holds} | {most} |",
        felt.ttft_p50_s, felt.ttft_p95_s, felt.decode_tok_s, felt.output_tok_s
    );
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::read_seconds;

    #[test]
    fn times_without_units_are_refused() {
        assert_eq!(read_seconds("2s"), Ok(2.0));
        assert_eq!(read_seconds("500ms"), Ok(0.5));
        for wrong in ["2", "s", "-1s", "0s", "infs", "NaNs", "x ms"] {
            assert!(read_seconds(wrong).is_err(), "{wrong}");
        }
    }
}
