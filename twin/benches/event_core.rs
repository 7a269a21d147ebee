//! What simulating costs, per token: a closed loop of few streams, where a step brings few, and of many, which is what fitting and hours of
//! virtual time consist of.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use twin::{
    load::{Load, Release, Request, serve},
    server::Params,
};

const OUTPUT_TOKENS: u32 = 256;
const ROUNDS: usize = 4;

/// Each stream sends a request when its last one has ended.
fn closed(streams: usize) -> Load {
    let request = |index: usize| Request {
        release: index.checked_sub(streams).map_or(Release::At(0), Release::After),
        prompt_tokens: 1024,
        cached_tokens: 0,
        output_tokens: OUTPUT_TOKENS,
    };
    Load { requests: (0..streams * ROUNDS).map(request).collect(), max_in_flight: None }
}

fn event_core(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("event core");
    let params = Params::default();
    for streams in [1, 16, 128] {
        let load = closed(streams);
        group.throughput(Throughput::Elements(load.requests.len() as u64 * u64::from(OUTPUT_TOKENS)));
        group.bench_with_input(BenchmarkId::new("streams", streams), &load, |bencher, load| {
            bencher.iter(|| serve(&params, 1, black_box(load)).expect("it can be served"));
        });
    }
    group.finish();
}

criterion_group!(benches, event_core);
criterion_main!(benches);
