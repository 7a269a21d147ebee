//! Hand-made error budgets.

use std::collections::BTreeMap;

use record::{
    ErrorBudget, Machine,
    instrument::{BudgetPoint, ClientCost, ClientErrors, DeliveryCounts, FigureErrors},
};

use super::{ClientLoad, Coverage, covering, limits};

/// The figures to which a point's errors are relative.
const TTFT_NS: f64 = 200e6;
const TPOT_NS: f64 = 20e6;

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a second")]
fn part(error: f64, of_ns: f64) -> u64 {
    (error.abs() * of_ns).round() as u64
}

/// A load with those figures.
fn load(streams: u32, chunks_per_s: f64) -> ClientLoad {
    ClientLoad { streams, chunks_per_s, ttft_p50_ns: Some(TTFT_NS), tpot_p50_ns: Some(TPOT_NS) }
}

/// A measured load at which TTFT, its 99th percentile too, and TPOT are off by so much.
pub(crate) fn point(streams: u32, chunks_per_s: f64, ttft: f64, tpot_p50: f64) -> BudgetPoint {
    BudgetPoint {
        name: format!("{streams} x {}/s", chunks_per_s / f64::from(streams)),
        streams,
        chunks_per_s,
        tokens_per_chunk: 1,
        first_token_ns: 200_000_000,
        gap_ns: 20_000_000,
        shape: "plain".to_owned(),
        repeats: 3,
        account: DeliveryCounts {
            requests: 2,
            requests_exact: 2,
            chunks_written: 200,
            chunks_seen: 200,
            tokens_written: 200,
            tokens_seen: 200,
        },
        failures: BTreeMap::new(),
        errors: ClientErrors {
            ttft_p50_ns: part(ttft, TTFT_NS),
            tpot_p50_ns: part(tpot_p50, TPOT_NS),
            ttft_p99_ns: 600_000,
            itl_p99_ns: 200_000,
            tpot_p99_ns: 3_000,
            ..ClientErrors::default()
        },
        figures: FigureErrors { ttft_p50: ttft, ttft_p99: ttft, tpot_p50, ..FigureErrors::default() },
        cost: ClientCost { cpu_per_chunk_ns: 7_300, peak_memory_bytes: 11 << 20, ..ClientCost::default() },
        server_late_p99_ns: 100_000,
        bare: None,
    }
}

pub(crate) fn budget(points: Vec<BudgetPoint>) -> ErrorBudget {
    ErrorBudget {
        harness_version: "0.1.0".to_owned(),
        harness_commit: Some("0a1b2c3d".to_owned()),
        machine: Machine { name: "a board".to_owned(), arch: "aarch64".to_owned(), cpus: Some(20), ..Machine::default() },
        measured_unix_s: 1_763_665_560,
        slow_ns_per_read: 0,
        cores: None,
        points,
        open_loop: Vec::new(),
    }
}

fn ladder() -> ErrorBudget {
    budget(vec![
        point(1, 200.0, 0.001, 0.0),
        point(64, 6_400.0, 0.002, -0.001),
        point(512, 25_600.0, 0.009, 0.010),
        point(512, 89_000.0, 0.030, 0.011),
        point(4096, 80_000.0, -0.200, 0.002),
    ])
}

#[test]
fn trial_is_covered_by_nearest_load_with_as_many_streams_and_chunks() {
    let budget = ladder();
    for (streams, chunks_per_s, expected) in [
        (1, 200.0, "within 1 x 200/s"),
        (1, 201.0, "within 64 x 100/s"),
        (2, 10.0, "within 64 x 100/s"),
        (64, 6_401.0, "within 512 x 50/s"),
        (512, 25_600.0, "within 512 x 50/s"),
        (512, 25_601.0, "beyond 512 x 173.828125/s"),
        (513, 10.0, "beyond 4096 x 19.53125/s"),
        (1, 89_001.0, "unchecked"),
        (5_000, 1.0, "unchecked"),
        (1_000, 85_000.0, "unchecked"),
    ] {
        let coverage = match covering(&budget, load(streams, chunks_per_s)) {
            Coverage::Within(point) => format!("within {}", point.name),
            Coverage::Beyond(point) => format!("beyond {}", point.name),
            Coverage::Unchecked => "unchecked".to_owned(),
        };
        assert_eq!(coverage, expected, "{streams} streams, {chunks_per_s} chunks/s");
    }
}

#[test]
fn accurate_larger_load_covers_inaccurate_smaller_load() {
    let budget = budget(vec![point(64, 6_400.0, 0.02, 0.0), point(512, 25_600.0, 0.0, 0.0)]);
    let coverage = covering(&budget, load(10, 100.0));
    assert!(matches!(coverage, Coverage::Within(point) if point.streams == 512), "{coverage:?}");
}

#[test]
fn lost_chunk_makes_a_load_inaccurate() {
    let mut lossy = point(64, 6_400.0, 0.0, 0.0);
    lossy.account.chunks_seen -= 1;
    let budget = budget(vec![lossy]);
    assert!(matches!(covering(&budget, load(1, 1.0)), Coverage::Beyond(_)));
}

#[test]
fn error_is_relative_to_the_figures_of_the_trial() {
    // 1.9 ms and 0.19 ms are just below 1 % of the point's own.
    let budget = budget(vec![point(512, 25_600.0, 0.0095, 0.0095)]);
    let is_accurate = |ttft_p50_ns, tpot_p50_ns| {
        matches!(covering(&budget, ClientLoad { ttft_p50_ns, tpot_p50_ns, ..load(1, 1.0) }), Coverage::Within(_))
    };
    assert!(is_accurate(Some(TTFT_NS), Some(TPOT_NS)) && is_accurate(Some(2e9), None) && is_accurate(None, None));
    assert!(!is_accurate(Some(40e6), Some(TPOT_NS)) && !is_accurate(Some(TTFT_NS), Some(10e6)));
    let worse = load(4, 100.0).worse(ClientLoad { ttft_p50_ns: Some(1.0), tpot_p50_ns: None, ..load(2, 300.0) });
    assert_eq!(worse, ClientLoad { ttft_p50_ns: Some(1.0), ..load(4, 300.0) });
}

#[test]
fn failed_requests_are_reported() {
    let mut broken = point(4096, 80_000.0, 0.0, 0.0);
    broken.account.requests_exact = 1;
    broken.failures.insert("no connection: Too many open files".to_owned(), 1);
    let budget = budget(vec![point(1, 200.0, 0.0, 0.0), broken]);
    assert!(limits(&budget).iter().all(|limit| limit.off.is_some_and(|(point, _)| point.streams == 4096)));
    let page = crate::render_budget(&budget);
    assert!(page.contains("| 0 of 200 | 1 of 2 |"), "{page}");
    assert!(
        page.contains("Requests that failed:\n\n- `4096 x 19.53125/s`: 1 x `no connection: Too many open files`\n"),
        "{page}"
    );
}

#[test]
fn limit_of_a_figure_is_the_load_with_error_above_one_percent() {
    let budget = ladder();
    let lines: Vec<String> = limits(&budget)
        .iter()
        .map(|limit| {
            let right = limit.right.map_or("none", |point| &point.name);
            let off = limit.off.map_or("none".to_owned(), |(point, error)| format!("{} ({error})", point.name));
            format!("{}: right up to {right}, off at {off}", limit.figure)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    TTFT p50: right up to 512 x 50/s, off at 4096 x 19.53125/s (-0.2)
    TTFT p99: right up to 512 x 50/s, off at 4096 x 19.53125/s (-0.2)
    TPOT p50: right up to 4096 x 19.53125/s, off at 512 x 173.828125/s (0.011)
    ITL p99: right up to 512 x 173.828125/s, off at none
    output tok/s: right up to 512 x 173.828125/s, off at none
    ");
    let nothing = super::limits(&ErrorBudget { points: Vec::new(), ..budget.clone() }).len();
    assert_eq!(nothing, 5);
}
