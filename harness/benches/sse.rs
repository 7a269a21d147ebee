//! What reading a streamed answer costs the client, for each way to count tokens and for one or many events per read.
//!
//! A server at full load sends some hundred chunks a second; a client that takes microseconds for each is never the bottleneck.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use events::{EVENTS, event, unsent};
use harness::{
    dialect::dialect,
    sse::{DEFAULT_MAX_EVENT_BYTES, SseParser},
    stream::AnswerStream,
};
use record::DialectName;

#[path = "sse/events.rs"]
mod events;

fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for name in [DialectName::Openai, DialectName::Vllm, DialectName::Llamacpp, DialectName::Ollama, DialectName::Mistralrs] {
        let events: Vec<String> = (1..=EVENTS).map(|token| event(name, token)).collect();
        for per_read in [1, 16] {
            let reads: Vec<String> = events.chunks(per_read).map(<[String]>::concat).collect();
            group.bench_with_input(BenchmarkId::new(name.as_str(), per_read), &reads, |bencher, reads| {
                bencher.iter(|| {
                    let mut observation = unsent();
                    let mut stream = AnswerStream::new(dialect(name), DEFAULT_MAX_EVENT_BYTES);
                    for (t_ns, read) in (0..).zip(reads) {
                        stream.read(t_ns, read.as_bytes(), &mut observation);
                    }
                    assert_eq!(observation.chunks.len(), EVENTS);
                    black_box(observation)
                });
            });
        }
    }
    group.finish();
}

fn scanning(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(EVENTS as u64));
    let bytes: String = (1..=EVENTS).map(|token| event(DialectName::Vllm, token)).collect();
    // The last size is odd, so that events are split at ever new places.
    for bytes_per_read in [bytes.len(), 4096, 211] {
        group.bench_with_input(BenchmarkId::new("vllm", bytes_per_read), &bytes_per_read, |bencher, &size| {
            bencher.iter(|| {
                let mut parser = SseParser::new(DEFAULT_MAX_EVENT_BYTES);
                let mut events = 0;
                for read in bytes.as_bytes().chunks(size) {
                    parser.feed(read, |event| events += usize::from(!black_box(event).is_empty())).expect("no line is too long");
                }
                assert_eq!(events, EVENTS);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, streams, scanning);
criterion_main!(benches);
