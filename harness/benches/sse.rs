//! What reading a streamed answer costs the client, for each way to count tokens and for one or many events per read.
//!
//! A server at full load sends some hundred chunks a second; a client that takes microseconds for each is never the bottleneck.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use harness::{
    dialect::dialect,
    sse::{DEFAULT_MAX_EVENT_BYTES, SseParser},
    stream::AnswerStream,
};
use record::{DialectName, Observation, PlannedRequest, Release};

const EVENTS: usize = 1024;

/// An event of the shape and size that the engine sends.
fn event(name: DialectName, token: usize) -> String {
    let id = "chatcmpl-94e9c40cad775a86b2f1c3d4";
    let content = if token.is_multiple_of(8) { ").\\\"\\n" } else { " unless" };
    let (extra, after) = match name {
        DialectName::Vllm => (
            r#","logprobs":null,"token_ids":null"#,
            format!(r#","usage":{{"prompt_tokens":1024,"total_tokens":{},"completion_tokens":{token}}}"#, 1024 + token),
        ),
        DialectName::Llamacpp => (
            "",
            format!(
                r#","timings":{{"cache_n":0,"prompt_n":1024,"prompt_ms":391.625,"prompt_per_token_ms":0.38244,"prompt_per_second":2614.80,"predicted_n":{token},"predicted_ms":14.364,"predicted_per_token_ms":0.8977,"predicted_per_second":1113.89}}"#
            ),
        ),
        DialectName::Mistralrs => (r#","logprobs":null"#, r#","usage":null"#.to_owned()),
        _ => ("", String::new()),
    };
    format!(
        "data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"created\":1795194530,\"model\":\"tiny\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}},\"finish_reason\":null{extra}}}]{after}}}\n\n"
    )
}

fn unsent() -> Observation {
    let request = PlannedRequest {
        id: 0,
        release: Release::At { t_ns: 0 },
        messages: Vec::new(),
        prompt_tokens: 1024,
        output_tokens: 1024,
        structured: false,
        sampling_seed: 0,
    };
    let mut observation = Observation::unsent(&request);
    observation.chunks.0.reserve(EVENTS);
    observation
}

fn streams(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stream");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for name in [DialectName::Openai, DialectName::Vllm, DialectName::Llamacpp, DialectName::Mistralrs] {
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
