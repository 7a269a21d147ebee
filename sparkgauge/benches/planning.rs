//! What a plan costs before its trial: a closed loop, conversations, and ten thousand arrivals with hardly any text.
//!
//! Plans are made between trials, while nothing is measured; they only must not keep an engine waiting for minutes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use record::{Arrival, Cell, Length, Load, Profile};
use workloads::{PromptSizing, RecordedLengths, TokenTable, cells, plan};

fn sizing() -> PromptSizing {
    let table = TokenTable::uniform(4.2).expect("a possible ratio");
    PromptSizing { table, template_tokens: 12, message_tokens: 5, scale: 1.0 }
}

fn cell(name: &str) -> Cell {
    let all = cells(Profile::Standard, &[]).expect("no workload is named");
    all.into_iter().find(|cell| cell.name() == name).expect("a cell of the standard profile")
}

fn planning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planning");
    let arrivals = Cell {
        load: Load::Open { rate_per_s: 10.0, arrival: Arrival::Gamma { shape: 0.7 }, requests: 10_000 },
        prompt_tokens: Length::Fixed { tokens: 64 },
        output_tokens: Length::Fixed { tokens: 1 },
        ..cell("chat/c1")
    };
    for (name, cell) in [("chat/c10", cell("chat/c10")), ("multi-turn/c10", cell("multi-turn/c10")), ("arrivals", arrivals)] {
        let make = || plan(black_box(&cell), 1, &sizing(), &RecordedLengths::Drawn).expect("it can be planned");
        group.throughput(Throughput::Elements(make().requests.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| bencher.iter(make));
    }
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
