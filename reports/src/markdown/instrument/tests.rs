//! A budget as a page, and as a section of a report.

use record::{
    Arrival, Cores, ErrorBudget,
    instrument::{ArrivalTests, BareClient, ClientCost, ClientErrors, OpenLoopPoint},
};

use crate::{
    fixture::{MS, S, closed_trial, record},
    instrument::tests::{budget, point},
    render, render_budget,
};

fn whole() -> ErrorBudget {
    let mut large = point(512, 89_000.0, 0.03, 0.011);
    let errors = ClientErrors { ttft_p50_ns: 80_000, ..large.errors };
    large.bare = Some(BareClient { errors, cost: ClientCost { cpu_per_chunk_ns: 5_100, ..ClientCost::default() } });
    let tests = ArrivalTests { ks_distance: Some(0.02), ks_p: Some(0.4), lag1: 0.01, dispersion: 0.97 };
    let open = OpenLoopPoint {
        rate_per_s: 200.0,
        arrival: Arrival::Gamma { shape: 0.7 },
        requests: 2000,
        peak_in_flight: 31,
        first_token_ns: 100 * MS,
        not_sent: 0,
        account: budget(vec![point(1, 1.0, 0.0, 0.0)]).points[0].account,
        repeats: 3,
        errors: ClientErrors { send_lag_p50_ns: 60_000, send_lag_p99_ns: 300_000, ..ClientErrors::default() },
        arrivals: tests,
        sent: tests,
        planned: tests,
    };
    ErrorBudget { open_loop: vec![open], ..budget(vec![point(1, 200.0, 0.001, 0.0), large]) }
}

#[test]
fn error_budget_renders_as_a_page() {
    insta::assert_snapshot!(render_budget(&whole()), @"
    # The instrument's own error

    Harness `0.1.0` at commit `0a1b2c3d`, on `a board`, 20 processors, which client and server shared. Errors are differences between what the client saw and what the server stamped, each the median of the repeats.

    ## Closed loops

    | Load | Chunks/s | TTFT p50 | TTFT p99 | ITL p99 | TPOT p99 | tok/s | Chunks lost | Not whole | Worst figure | CPU per chunk |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | `1 x 200/s` | 200 | 0.200 ms | 0.600 ms | 0.200 ms | 0.00300 ms | 0 % | 0 of 200 | 0 of 2 | TTFT p99 0.100 % | 7.30 us |
    | `512 x 173.828125/s` | 89000 | 6.00 ms | 0.600 ms | 0.200 ms | 0.00300 ms | 0 % | 0 of 200 | 0 of 2 | **TTFT p99 3.00 %** | 7.30 us |
    | bare client there | - | 0.0800 ms | 0.600 ms | 0.200 ms | 0.00300 ms | - | - | - | - | 5.10 us |

    ## What it costs

    | Load | CPU per chunk | Whole process | Connecting | First request after | Gone after | Memory | Server late p99 |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | `1 x 200/s` | 7.30 us | 0 us | 0 ms | 0 ms | 0 ms | 11.0 MiB | 0.100 ms |
    | `512 x 173.828125/s` | 7.30 us | 0 us | 0 ms | 0 ms | 0 ms | 11.0 MiB | 0.100 ms |
    | bare client there | 5.10 us | 0 us | 0 ms | 0 ms | 0 ms | 0 MiB | - |

    ## Up to which load each figure is right

    - TTFT p50: within 1 % up to `1 x 200/s`; off by 3.00 % at `512 x 173.828125/s`.
    - TTFT p99: within 1 % up to `1 x 200/s`; off by 3.00 % at `512 x 173.828125/s`.
    - TPOT p50: within 1 % up to `1 x 200/s`; off by 1.10 % at `512 x 173.828125/s`.
    - ITL p99: within 1 % up to `512 x 173.828125/s`; off at none that was measured.
    - output tok/s: within 1 % up to `512 x 173.828125/s`; off at none that was measured.

    ## Open loops

    | Requests/s | Arrivals | Requests | In flight | Not whole | Send lag p50 | p99 | KS p, planned | sent | arrived | Lag-1 | Dispersion | declared |
    | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | 200 | gamma 0.7 | 2000 | 31 | 0 of 2 | 0.0600 ms | 0.300 ms | 0.400 | 0.400 | 0.400 | 0.0100 | 0.970 | 1.43 |

    ## Legend

    - **Times and rates**: TTFT = time to first token; TPOT = time per output token; ITL = inter-token latency; tok/s = tokens per second.
    - **Statistics**: p50 = median; p99 = 99th percentile; KS = Kolmogorov-Smirnov test of whether gaps are those of the declared distribution.
    - **Cells**: `chat/c10` is workload `chat` with 10 concurrent streams; `r0.3` is 0.3 requests per second, `p4096` a prompt of 4096 tokens. `-`: not defined, such as a steady state that never lasted 10 s or a tenth of the trial, or prefill as a rate with several streams.
    - **All terms** with their formulas: `sparkgauge help glossary`, or `docs/glossary.md`.
    ");
}

#[test]
fn slowed_client_is_named() {
    let page = render_budget(&ErrorBudget { slow_ns_per_read: 50_000, ..whole() });
    assert!(page.contains("THE CLIENT WAS SLOWED on purpose, by 50.0 us at each reading of its clock."), "{page}");
}

#[test]
fn processors_of_client_and_server_are_named() {
    let page = render_budget(&ErrorBudget { cores: Some(Cores { client: 19, engine: (0..19).collect() }), ..whole() });
    assert!(page.contains(", of which 19 is the client's alone and 0-18 the server's. Errors"), "{page}");
}

/// The section of a report on two cells, the second with more streams than the budget knows.
fn section(instrument: Option<ErrorBudget>, started_unix_s: Option<u64>) -> String {
    let small = closed_trial("chat", 1, 3, S, 20 * MS, 201);
    let large = closed_trial("chat", 600, 1, S, 20 * MS, 21);
    let mut record = record(vec![small, large]);
    record.header.instrument = instrument;
    record.header.started_unix_s = started_unix_s;
    let report = render(&record);
    let heading = "<summary>The instrument's own error at the loads of this run</summary>\n";
    match report.split_once(heading) {
        Some((_, section)) => section.split("</details>").next().unwrap().trim().to_owned(),
        None => report.lines().filter(|line| line.starts_with("The instrument")).collect(),
    }
}

#[test]
fn report_shows_instrument_errors_at_its_loads() {
    insta::assert_snapshot!(section(Some(whole()), Some(1)), @"
    The client's own errors at the loads that stand for this run's, by the selftest of harness `0.1.0` at commit `0a1b2c3d` on `a board`: times that it saw against those that a server of known timing stamped. Inter-token latency (ITL) is the gap between two tokens.

    | Load | Chunks/s | TTFT p50 | TTFT p99 | ITL p99 | TPOT p99 | tok/s | Chunks lost | Not whole | Worst figure | CPU per chunk |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | `1 x 200/s` | 200 | 0.200 ms | 0.600 ms | 0.200 ms | 0.00300 ms | 0 % | 0 of 200 | 0 of 2 | TTFT p99 0.100 % | 7.30 us |

    - `chat/c1`: 1 stream, 50.0 chunks/s: `1 x 200/s`
    - `chat/c600`: 600 streams, 12600 chunks/s: more than was checked
    ");
    insta::assert_snapshot!(section(None, Some(1)), @"The instrument's own error was not measured; `sparkgauge selftest` measures it.");
    insta::assert_snapshot!(section(None, None), @"The instrument has no error of its own here: virtual time is exact.");
}
