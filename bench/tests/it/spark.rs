//! Two simulated Sparks measured in turns, and judged.

use std::path::Path;

use bench::canonical::Canonical;
use fixtures::{simulated_engine::SimulatedEngine, virtual_time::VirtualTime};
use harness::{
    drive::DriveLimits,
    journal::Journal,
    progress::TerminalProgress,
    session::{RunInProgress, Session, run_interleaved},
    stop::stop_pair,
};
use record::{
    Arrival, Cell, EndReason, Gate, Header, Interleaving, Launch, Length, Load, Metric, PrefixReuse, Profile, Side, file,
};
use reports::{
    figures::{RunFigures, TrialFigures},
    judge::{Policy, Ruling, Treatment, judge},
    statistics::abba,
    validity::Validity,
};
use twin::server::{Noise, Params};
use workloads::{RecordedLengths, Speeds};

const HOUR_NS: u64 = 3_600_000_000_000;

/// Boots of either side.
const BOOTS: u32 = 5;

/// A cell where decoding is nearly all, one where prefill is, and one where half of the requests wait for a slot.
pub(crate) const DECODE: (&str, Metric) = ("long-output/c2", Metric::DecodeTokS);
pub(crate) const PREFILL: (&str, Metric) = ("long-prefill/c1", Metric::PrefillTokS);
pub(crate) const QUEUE: (&str, Metric) = ("peak/burst", Metric::TtftP50Ns);

fn cells() -> Vec<Cell> {
    let cell = |(name, _): (&str, Metric), load, prompt: u32, output: u32| {
        let (workload, point) = name.split_once('/').unwrap();
        Cell {
            workload: workload.to_owned(),
            workload_hash: "of this test".to_owned(),
            point: point.to_owned(),
            load,
            prompt_tokens: Length::Fixed { tokens: prompt },
            output_tokens: Length::Fixed { tokens: output },
            prefix_reuse: PrefixReuse::Forbidden,
            structured: false,
            slo: None,
            comparable: true,
        }
    };
    vec![
        cell(DECODE, Load::Closed { streams: 2, requests_per_stream: 4 }, 64, 96),
        cell(PREFILL, Load::Closed { streams: 1, requests_per_stream: 3 }, 4096, 4),
        cell(QUEUE, Load::Open { rate_per_s: 0.0, arrival: Arrival::AllAtOnce, requests: 32 }, 64, 24),
    ]
}

fn gates() -> Vec<Gate> {
    let gate =
        |(cell, metric): (&str, Metric)| Gate { cell: cell.to_owned(), metric, margin: 0.03, paired_by_seed: cell == QUEUE.0 };
    [DECODE, PREFILL, QUEUE].map(gate).to_vec()
}

/// A Spark with few slots, so that a burst waits.
pub(crate) fn params(noise: Noise) -> Params {
    Params { max_sequences: 8, noise, ..Params::default() }
}

/// Measures both in turns and judges them.
pub(crate) fn compare(baseline: Params, candidate: Params, seed: u64) -> Ruling {
    let folder = tempfile::tempdir().unwrap();
    let suite = Canonical { recorded: RecordedLengths::Drawn, speeds: Speeds::default() };
    let time = VirtualTime::new();
    let noise_seeds = [SimulatedEngine::other_noise(seed), seed];
    let mut engines = [(baseline, noise_seeds[0]), (candidate, noise_seeds[1])]
        .map(|(params, noise_seed)| SimulatedEngine::new(params, noise_seed, &time).unwrap());
    let order = abba::order(BOOTS, seed);
    let is_valid =
        |trial: &record::Trial, template: u32| TrialFigures::of(trial, [], template, None, None).validity != Validity::Invalid;
    let sessions = [Side::Baseline, Side::Candidate].map(|side| {
        let mut header = header(&engines[0], seed);
        header.interleaved = Some(Interleaving { pair: "the pair".to_owned(), side, order: order.clone() });
        Session {
            header,
            cells: cells(),
            suite: &suite,
            clock: &time,
            tokenizer: None,
            limits: DriveLimits { request_ns: HOUR_NS, trial_ns: HOUR_NS, collect_text: false },
            is_valid: &is_valid,
            progress: Box::leak(Box::new(TerminalProgress::new(1))),
            stop: stop_pair().1,
            real_time: false,
        }
    });
    let folders = ["baseline", "candidate"].map(|side| folder.path().join(side));
    let mut journals = folders.each_ref().map(|folder| Journal::create(folder).unwrap());
    let [left, right] = &mut engines;
    let [left_journal, right_journal] = &mut journals;
    let made = run_interleaved(
        RunInProgress::new(left, &sessions[0], left_journal),
        RunInProgress::new(right, &sessions[1], right_journal),
        &order,
    );
    assert_eq!(time.block_on(made).unwrap().unwrap(), EndReason::Finished);
    let [baseline, candidate] = folders.map(|folder| figures(&folder));
    let policy = Policy { treatment: Treatment::RECIPE.iter().copied().collect(), ..Policy::default() };
    judge(&[baseline], &[candidate], &policy)
}

fn figures(folder: &Path) -> RunFigures {
    RunFigures::read(&std::fs::read(folder.join(file::FILE_NAME)).unwrap()).unwrap()
}

fn header(engine: &SimulatedEngine, seed: u64) -> Header {
    Header {
        schema_version: record::SCHEMA_VERSION,
        harness_version: "0.1.0".to_owned(),
        harness_commit: None,
        command: Vec::new(),
        started_unix_s: None,
        launch: Launch::Simulated,
        recipe: engine.recipe(),
        machine: SimulatedEngine::machine(),
        profile: Profile::Standard,
        suite: "of this test".to_owned(),
        suite_version: 1,
        workload_hashes: cells().into_iter().map(|cell| (cell.workload, cell.workload_hash)).collect(),
        seed,
        boots: BOOTS,
        first_boot: 0,
        trials_per_boot: 1,
        cells: cells().iter().map(Cell::name).collect(),
        left_out: [].into(),
        unpinned: Vec::new(),
        gates: gates(),
        interleaved: None,
        cores: None,
        sharegpt_lengths: String::new(),
        instrument: None,
    }
}
