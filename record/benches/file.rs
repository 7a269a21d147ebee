//! What a record costs: writing the largest trial of a committed run, which happens between trials, and reading the whole run.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use record::{
    Entry,
    file::{decode, encode},
};

const RUN: &[u8] = include_bytes!("../../reports/runs/2026-11-20-xeon-testbed-vllm-smoke/record.jsonl.gz");

fn file(criterion: &mut Criterion) {
    let record = decode(RUN).expect("a committed record");
    let chunks = |trial: &record::Trial| trial.observations.iter().map(|one| one.chunks.len() as u64).sum::<u64>();
    let largest = record.trials.iter().max_by_key(|trial| chunks(trial)).expect("it has trials").clone();
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(chunks(&largest)));
    let entry = Entry::Trial(Box::new(largest));
    group.bench_function("write a trial, chunks", |bencher| bencher.iter(|| encode(black_box(&entry))));
    group.throughput(Throughput::Elements(record.trials.iter().map(chunks).sum()));
    group.bench_function("read a run, chunks", |bencher| bencher.iter(|| decode(black_box(RUN))));
    group.finish();
}

criterion_group!(benches, file);
criterion_main!(benches);
