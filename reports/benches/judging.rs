//! Benchmarks of judging: the metrics of a trial, the figures of a run file, and the comparison of two runs in memory.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use record::file::decode;
use reports::{
    figures::RunFigures,
    judge::{Policy, judge},
    metrics::TrialMetrics,
};

macro_rules! run {
    ($side:literal) => {
        include_bytes!(concat!("../runs/2026-11-21-xeon-llamacpp-verdicts/same-build/", $side, "/record.jsonl.gz"))
    };
}

fn judging(criterion: &mut Criterion) {
    let (baseline, candidate): (&[u8], &[u8]) = (run!("baseline"), run!("candidate"));
    let record = decode(baseline).expect("a committed record");
    let chunks = |trial: &record::Trial| trial.observations.iter().map(|one| one.chunks.len() as u64).sum::<u64>();
    let largest = record.trials.iter().max_by_key(|trial| chunks(trial)).expect("it has trials");
    let mut group = criterion.benchmark_group("judging");
    group.sample_size(20);
    group.throughput(Throughput::Elements(chunks(largest)));
    group.bench_function("metrics of a trial, chunks", |bencher| bencher.iter(|| TrialMetrics::of(black_box(largest))));
    group.throughput(Throughput::Elements(record.trials.iter().map(chunks).sum()));
    let read = |bytes: &[u8]| RunFigures::read(bytes).expect("a committed record");
    group.bench_function("figures of a run file, chunks", |bencher| bencher.iter(|| read(black_box(baseline))));
    let (baseline, candidate) = ([read(baseline)], [read(candidate)]);
    let policy = Policy { look: 1, ..Policy::default() };
    group.throughput(Throughput::Elements((baseline[0].trials.len() + candidate[0].trials.len()) as u64));
    group.bench_function("comparison of two runs, trials", |bencher| {
        bencher.iter(|| judge(black_box(&baseline), black_box(&candidate), &policy));
    });
    group.finish();
}

criterion_group!(benches, judging);
criterion_main!(benches);
