//! An error budget as people read it.

use record::{
    ErrorBudget,
    cores::format_core_list,
    instrument::{BudgetPoint, ClientCost, ClientErrors, OpenLoopPoint},
};

use crate::{
    instrument::{FigureLimit, MAX_RELATIVE_ERROR, limits, worst},
    markdown::{
        front_matter::harness,
        legend,
        text::{Table, code},
    },
    number::{Unit, figure},
};

/// The page of `sparkgauge selftest`.
#[must_use]
pub fn render_budget(budget: &ErrorBudget) -> String {
    let machine = &budget.machine;
    let cpus = machine.cpus.map(|cpus| format!(", {cpus} processors")).unwrap_or_default();
    let whose = budget.cores.as_ref().map_or(", which client and server shared".to_owned(), |cores| {
        format!(", of which {} is the client's alone and {} the server's", cores.client, format_core_list(&cores.engine))
    });
    let slowed = match budget.slow_ns_per_read {
        0 => String::new(),
        ns => format!(" THE CLIENT WAS SLOWED on purpose, by {} at each reading of its clock.", us(ns)),
    };
    let points: Vec<&BudgetPoint> = budget.points.iter().collect();
    let mut page = format!(
        "# The instrument's own error\n\nHarness {}, on {}{cpus}{whose}. Errors are differences between what the client saw and what \
         the server stamped, each the median of the repeats.{slowed}\n\n",
        harness(&budget.harness_version, budget.harness_commit.as_deref()),
        code(&machine.name),
    );
    page += "## Closed loops\n\n";
    page += &points_table(&points);
    page += &failures_list(&points);
    page += "\n## What it costs\n\n";
    page += &costs_table(&points);
    page += "\n## Up to which load each figure is right\n\n";
    page += &limits_list(budget);
    if !budget.open_loop.is_empty() {
        page += "\n## Open loops\n\n";
        page += &open_table(&budget.open_loop);
    }
    let legend = legend::of(&page);
    page + "\n" + &legend
}

/// Loads and their errors; the bare client's below those that it was measured beside.
pub(super) fn points_table(points: &[&BudgetPoint]) -> String {
    let heads = [
        "Load",
        "Chunks/s",
        "TTFT p50",
        "TTFT p99",
        "ITL p99",
        "TPOT p99",
        "tok/s",
        "Chunks lost",
        "Not whole",
        "Worst figure",
        "CPU per chunk",
    ];
    let mut table = Table::new(&heads, 1);
    for point in points {
        let account = &point.account;
        let lost = account.chunks_written.abs_diff(account.chunks_seen);
        let (name, error) = worst(point);
        let off = if error.abs() > MAX_RELATIVE_ERROR { "**" } else { "" };
        let after = [
            figure(point.figures.output_rate, Unit::Share),
            format!("{lost} of {}", account.chunks_written),
            format!("{} of {}", account.requests - account.requests_exact, account.requests),
            format!("{off}{name} {}{off}", figure(error, Unit::Share)),
            us(point.cost.cpu_per_chunk_ns),
        ];
        let before = [code(&point.name), figure(point.chunks_per_s, Unit::Plain)];
        table.row(before.into_iter().chain(errors(&point.errors)).chain(after));
        if let Some(bare) = &point.bare {
            let dash = || "-".to_owned();
            let before = ["bare client there".to_owned(), dash()];
            let after = [dash(), dash(), dash(), dash(), us(bare.cost.cpu_per_chunk_ns)];
            table.row(before.into_iter().chain(errors(&bare.errors)).chain(after));
        }
    }
    table.markdown().to_owned()
}

/// How requests ended that did not end well, if any did.
fn failures_list(points: &[&BudgetPoint]) -> String {
    let line = |point: &BudgetPoint, words: &str, times: u64| format!("- {}: {times} x {}\n", code(&point.name), code(words));
    let of_one =
        |point: &&BudgetPoint| point.failures.iter().map(|(words, &times)| line(point, words, times)).collect::<String>();
    let lines: String = points.iter().map(of_one).collect();
    if lines.is_empty() { lines } else { format!("\nRequests that failed:\n\n{lines}") }
}

fn errors(errors: &ClientErrors) -> [String; 4] {
    [errors.ttft_p50_ns, errors.ttft_p99_ns, errors.itl_p99_ns, errors.tpot_p99_ns].map(ms)
}

fn costs_table(points: &[&BudgetPoint]) -> String {
    let heads = [
        "Load",
        "CPU per chunk",
        "Whole process",
        "Connecting",
        "First request after",
        "Gone after",
        "Memory",
        "Server late p99",
    ];
    let mut table = Table::new(&heads, 1);
    for point in points {
        table.row(costs(code(&point.name), &point.cost).into_iter().chain([ms(point.server_late_p99_ns)]));
        if let Some(bare) = &point.bare {
            table.row(costs("bare client there".to_owned(), &bare.cost).into_iter().chain(["-".to_owned()]));
        }
    }
    table.markdown().to_owned()
}

fn costs(name: String, cost: &ClientCost) -> [String; 7] {
    let memory = format!("{} MiB", figure(cost.peak_memory_bytes as f64 / f64::from(1 << 20), Unit::Plain));
    let [cpu, process] = [cost.cpu_per_chunk_ns, cost.process_cpu_per_chunk_ns].map(us);
    let [connect, first, exit] = [cost.connect_ns, cost.first_request_ns, cost.exit_ns].map(ms);
    [name, cpu, process, connect, first, exit, memory]
}

fn limits_list(budget: &ErrorBudget) -> String {
    let line = |limit: FigureLimit<'_>| {
        let right = limit.right.map_or("right at no load".to_owned(), |point| format!("within 1 % up to {}", code(&point.name)));
        let off = limit.off.map_or("off at none that was measured".to_owned(), |(point, error)| {
            let what = if point.account.is_exact() {
                format!("off by {}", figure(error, Unit::Share))
            } else {
                "not all came".to_owned()
            };
            format!("{what} at {}", code(&point.name))
        });
        format!("- {}: {right}; {off}.\n", limit.figure)
    };
    limits(budget).into_iter().map(line).collect()
}

fn open_table(points: &[OpenLoopPoint]) -> String {
    let heads = [
        "Requests/s",
        "Arrivals",
        "Requests",
        "In flight",
        "Not whole",
        "Send lag p50",
        "p99",
        "KS p, planned",
        "sent",
        "arrived",
        "Lag-1",
        "Dispersion",
        "declared",
    ];
    let mut table = Table::new(&heads, 2);
    for point in points {
        let (kind, declared) = match point.arrival {
            record::Arrival::Poisson => ("Poisson".to_owned(), 1.0),
            record::Arrival::Gamma { shape } => (format!("gamma {shape}"), 1.0 / shape),
            record::Arrival::Constant => ("constant".to_owned(), 0.0),
            record::Arrival::AllAtOnce => ("all at once".to_owned(), 0.0),
        };
        let p = |p: Option<f64>| p.map_or("-".to_owned(), |p| figure(p, Unit::Plain));
        table.row([
            figure(point.rate_per_s, Unit::Plain),
            kind,
            point.requests.to_string(),
            point.peak_in_flight.to_string(),
            format!("{} of {}", point.account.requests - point.account.requests_exact, point.account.requests),
            ms(point.errors.send_lag_p50_ns),
            ms(point.errors.send_lag_p99_ns),
            p(point.planned.ks_p),
            p(point.sent.ks_p),
            p(point.arrivals.ks_p),
            figure(point.arrivals.lag1, Unit::Plain),
            figure(point.arrivals.dispersion, Unit::Plain),
            figure(declared, Unit::Plain),
        ]);
    }
    table.markdown().to_owned()
}

fn ms(ns: u64) -> String {
    figure(ns as f64, Unit::Time)
}

fn us(ns: u64) -> String {
    format!("{} us", figure(ns as f64 / 1e3, Unit::Plain))
}
