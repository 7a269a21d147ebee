use proptest::prelude::*;

use record::Record;

use super::*;
use crate::fixture::{contained, identified, record};

fn between(left: &Record, right: &Record) -> Vec<Difference> {
    differences(&[(&left.header, &left.boots)], &[(&right.header, &right.boots)])
}

/// The differences of the contained run from itself after a change, one line each.
fn after(change: impl FnOnce(&mut Record)) -> String {
    let mut other = contained();
    change(&mut other);
    lines(&between(&contained(), &other))
}

fn lines(differences: &[Difference]) -> String {
    let lines: Vec<_> = differences
        .iter()
        .map(|difference| format!("{}: {} | {}", difference.field, difference.left, difference.right))
        .collect();
    lines.join("\n")
}

fn each_boot(record: &mut Record, change: impl Fn(&mut Boot)) {
    record.boots.iter_mut().for_each(change);
}

#[test]
fn identical_records_have_no_differences() {
    assert_eq!(after(|_| {}), "");
    assert_eq!(between(&record(Vec::new()), &record(Vec::new())), []);
}

#[test]
fn requested_facts_are_compared() {
    insta::assert_snapshot!(after(|run| run.header.recipe.model.revision = "main".to_owned()), @"model revision: abc | main");
    insta::assert_snapshot!(after(|run| run.header.recipe.model.source = String::new()), @"model source: example/tiny | not known");
    insta::assert_snapshot!(after(|run| run.header.recipe.dialect = record::DialectName::Openai), @"dialect: vllm | openai");
    insta::assert_snapshot!(after(|run| run.header.machine.gpu = None), @"GPU: NVIDIA GB10 | not known");
    insta::assert_snapshot!(after(|run| run.header.machine.driver = Some("590.1".to_owned())), @"GPU driver: 580.95.05 | 590.1");
    insta::assert_snapshot!(after(|run| run.header.recipe.prefix_cache = record::recipe::PrefixCache::Workload), @"prefix cache: off | workload");
    let container = |run: &mut Record| {
        let container = run.header.recipe.container.as_mut().unwrap();
        container.gpus = record::recipe::Gpus::None;
        container.ipc = record::recipe::Ipc::Private;
        (container.shm_mib, container.memory_limit_mib) = (None, Some(1));
        container.ulimits.remove("memlock");
        container.entrypoint = Some(Vec::new());
        container.env = [("THREADS".to_owned(), "2".to_owned()), ("VLLM_SERVER_DEV_MODE".to_owned(), "0".to_owned())].into();
    };
    insta::assert_snapshot!(after(container), @"
    GPUs given: all | none
    shared memory, MiB: 1024 | not set
    IPC: host | private
    ulimits: memlock -1:-1 | nothing else
    memory limit, MiB: 100000 | 1
    entrypoint: vllm serve | cleared
    environment THREADS: not set | 2
    environment VLLM_SERVER_DEV_MODE: 1 | 0
    ");
}

#[test]
fn gpu_and_driver_in_one_text_equal_gpu_and_driver_apart() {
    let now = contained();
    let mut written = serde_json::to_value(&now.header).unwrap();
    let machine = written["machine"].as_object_mut().unwrap();
    machine.remove("driver");
    machine["gpu"] = "NVIDIA GB10, driver 580.95.05".into();
    let older = Record { header: serde_json::from_value(written).unwrap(), ..contained() };
    assert_eq!(between(&older, &now), []);
    let page = |record: &Record| crate::markdown::render(record);
    assert!(page(&older).contains("| GPU and driver | `NVIDIA GB10, driver 580.95.05` |") && page(&older) == page(&now));
}

#[test]
fn observed_facts_are_compared() {
    let image = |run: &mut Record, change: fn(&mut record::Image)| {
        each_boot(run, |boot| change(boot.identity.image.as_mut().unwrap()));
    };
    insta::assert_snapshot!(after(|run| image(run, |image| image.id = "sha256:c".to_owned())), @"image id: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | sha256:c");
    let other_image = |run: &mut Record| image(run, |image| (image.id, image.digests) = ("sha256:c".to_owned(), Vec::new()));
    insta::assert_snapshot!(after(other_image), @"
    image id: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | sha256:c
    registry digest: registry.example/vllm@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb | not known
    ");
    insta::assert_snapshot!(after(|run| each_boot(run, |boot| boot.engine_version = None)), @"engine version: 0.19.1 | not known");
    insta::assert_snapshot!(after(|run| each_boot(run, |boot| boot.command.push("--enforce-eager".to_owned()))), @"command: example/tiny --port 8000 | example/tiny --port 8000 --enforce-eager");
    let lines = |run: &mut Record| each_boot(run, |boot| boot.identity.backends[0] = "Using eager".to_owned());
    insta::assert_snapshot!(after(lines), @"backends: Using FLASHINFER attention backend | Using eager");
    let fewer = |run: &mut Record| each_boot(run, |boot| boot.identity.backends.truncate(1));
    insta::assert_snapshot!(after(fewer), @"backends: Using Marlin for MXFP4 | nothing else");
    let cpu = |run: &mut Record| {
        each_boot(run, |boot| boot.identity.device.as_mut().unwrap().kind = record::DeviceKind::Cpu);
    };
    insta::assert_snapshot!(after(cpu), @"device: GPU | CPU");
    insta::assert_snapshot!(after(|run| run.boots.clear()), @"
    image id: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | not known
    registry digest: registry.example/vllm@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb | not known
    platform: linux/arm64 | not known
    engine version: 0.19.1 | not known
    entrypoint: vllm serve | not known
    command: example/tiny --port 8000 | not known
    served models: tiny (from example/tiny) | not known
    tokenizer: the engine's own | not known
    device: GPU | not known
    backends: Using FLASHINFER attention backend; Using Marlin for MXFP4 | not known
    ");
}

#[test]
fn fact_missing_from_older_record_is_a_difference() {
    let older = |run: &mut Record| each_boot(run, |boot| boot.identity = record::Identity::default());
    insta::assert_snapshot!(after(older), @"
    image id: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | not known
    registry digest: registry.example/vllm@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb | not known
    platform: linux/arm64 | not known
    served models: tiny (from example/tiny) | not known
    device: GPU | not known
    backends: Using FLASHINFER attention backend; Using Marlin for MXFP4 | not known
    ");
    // One boot that knows nothing is enough.
    insta::assert_snapshot!(after(|run| run.boots[1].identity.device = None), @"device: GPU | not known or GPU");
}

#[test]
fn images_are_identified_by_their_id() {
    let renamed = |run: &mut Record| {
        each_boot(run, |boot| {
            let image = boot.identity.image.as_mut().unwrap();
            image.name = "mirror/vllm:v2".to_owned();
            image.digests.push("mirror/vllm@sha256:d".to_owned());
        });
    };
    assert_eq!(after(renamed), "");
    assert_eq!(after(|run| each_boot(run, |boot| boot.identity.device.as_mut().unwrap().proof.push('!'))), "");
}

#[test]
fn host_port_is_not_compared() {
    let on_port = |port: &str, words: &[&str]| {
        let mut run = record(Vec::new());
        let asked: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        run.boots[0].command = asked.iter().map(|word| word.replace("${PORT}", port)).collect();
        run.header.recipe.process.as_mut().unwrap().command = asked;
        run
    };
    for words in [&["serve", "--port", "${PORT}"][..], &["serve", "--port=${PORT}", "--host=0.0.0.0:${PORT}/"]] {
        assert_eq!(between(&on_port("8001", words), &on_port("39271", words)), []);
        assert_ne!(between(&on_port("8001", words), &on_port("80x1", words)), []);
    }
    let fixed = |port: &str| on_port(port, &["serve", "--port", port]);
    assert_ne!(between(&fixed("8001"), &fixed("8002")), []);
}

#[test]
fn commands_with_other_word_boundaries_differ() {
    let run = |words: &[&str]| {
        let mut run = contained();
        each_boot(&mut run, |boot| boot.command = words.iter().map(|word| (*word).to_owned()).collect());
        run
    };
    let table = [(&["a b"][..], &["a", "b"][..]), (&["", "a"], &["a"]), (&["\"a b\""], &["a b"]), (&["a\nb"], &["a\\nb"])];
    for (left, right) in table {
        assert_eq!(between(&run(left), &run(right)).len(), 1, "{left:?} {right:?}");
    }
}

#[test]
fn boots_of_one_run_are_compared_with_the_first() {
    let mut run = contained();
    assert_eq!(between_boots((&run.header, &run.boots)), []);
    run.boots.push(identified(2));
    run.boots[2].engine_version = Some("0.20".to_owned());
    run.boots[2].identity.backends.clear();
    let found = between_boots((&run.header, &run.boots));
    assert!(found.iter().all(|(boot, _)| *boot == 2));
    let found: Vec<_> = found.into_iter().map(|(_, difference)| difference).collect();
    insta::assert_snapshot!(lines(&found), @"
    engine version: 0.19.1 | 0.20
    backends: Using FLASHINFER attention backend; Using Marlin for MXFP4 | not known
    ");
    run.boots.clear();
    assert_eq!(between_boots((&run.header, &run.boots)), []);
}

/// A record some of whose facts are others, or not known.
fn any_record() -> impl Strategy<Value = Record> {
    let word = || prop::option::of(prop::sample::select(vec!["a", "b", "a b"]));
    let boot = (word(), word(), prop::collection::vec(word(), 0..3), word());
    (prop::collection::vec(boot, 0..3), word(), word(), word()).prop_map(|(boots, gpu, revision, env)| {
        let mut run = contained();
        let owned = |word: Option<&str>| word.map(str::to_owned);
        run.header.machine.gpu = owned(gpu);
        run.header.recipe.model.revision = owned(revision).unwrap_or_default();
        run.header.recipe.container.as_mut().unwrap().env = env.map(|env| ("X".to_owned(), env.to_owned())).into_iter().collect();
        let each = (0..).zip(boots).map(|(number, (version, id, backends, command))| {
            let mut boot = identified(number);
            boot.engine_version = owned(version);
            boot.identity.image = id.map(|id| record::Image { id: id.to_owned(), ..record::Image::default() });
            boot.identity.backends = backends.into_iter().flatten().map(str::to_owned).collect();
            boot.command = command.into_iter().map(str::to_owned).collect();
            boot
        });
        run.boots = each.collect();
        run
    })
}

proptest! {
    #[test]
    fn differences_are_symmetric(left in any_record(), right in any_record()) {
        prop_assert_eq!(between(&left, &left), []);
        let turned = |difference: Difference| Difference { left: difference.right, right: difference.left, ..difference };
        let back: Vec<Difference> = between(&right, &left).into_iter().map(turned).collect();
        let found = between(&left, &right);
        prop_assert_eq!(&found, &back);
        for difference in found {
            prop_assert_ne!(&difference.left, &difference.right, "{}", difference.field);
        }
    }

    #[test]
    fn every_differing_fact_is_reported(left in any_record(), right in any_record()) {
        let found = between(&left, &right);
        let names = |field: &str| found.iter().any(|difference| difference.field == field);
        prop_assert_eq!(names("GPU"), left.header.machine.gpu != right.header.machine.gpu);
        prop_assert_eq!(names("model revision"), left.header.recipe.model.revision != right.header.recipe.model.revision);
        let versions = |run: &Record| -> BTreeSet<Option<String>> {
            let boots: BTreeSet<_> = run.boots.iter().map(|boot| boot.engine_version.clone()).collect();
            if boots.is_empty() { [None].into() } else { boots }
        };
        prop_assert_eq!(names("engine version"), versions(&left) != versions(&right));
    }
}
