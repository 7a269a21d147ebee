//! What a report shows of the engine itself: its recipe, its identity, and its own account.

use record::{Identity, ServerWatch, recipe::PrefixCache};

use super::*;
use crate::fixture::{contained, watched};

/// A section of a page, without its heading; empty if the page has none.
pub(super) fn section(run: &Record, heading: &str) -> String {
    let page = render(run);
    if let Some((_, rest)) = page.split_once(&format!("<summary>{heading}</summary>\n\n")) {
        return rest.split("\n</details>").next().unwrap().trim_end().to_owned();
    }
    let Some((_, rest)) = page.split_once(&format!("## {heading}\n\n")) else { return String::new() };
    rest.split("\n## ").next().unwrap().split("\n<details>").next().unwrap().trim_end().to_owned()
}

/// The table of boots and what is said of it.
fn boots_table(run: &Record) -> String {
    let section = section(run, "Recipe, boots, kernels, prompt lengths");
    section[section.find("| Boot |").unwrap()..section.find("Kernels and backends").unwrap()].trim_end().to_owned()
}

#[test]
fn container_recipe_is_shown_with_every_key() {
    insta::assert_snapshot!(section(&contained(), "Recipe, boots, kernels, prompt lengths"), @"
    The recipe is what was asked for; the table above is what was booted.

    | Key | Value |
    | --- | --- |
    | `name` | `tiny-llamacpp` |
    | `engine` | `vllm` |
    | `dialect` | `vllm` |
    | `description` | `a tiny model` |
    | `model.id` | `tiny` |
    | `model.source` | `example/tiny` |
    | `model.revision` | `abc` |
    | `model.max_context` | `32768` |
    | `container.image` | `example/vllm:v1` |
    | `container.digest` | `sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` |
    | `container.platform` | `linux/arm64` |
    | `container.entrypoint` | `vllm serve` |
    | `container.command` | `'${MODEL}' --port '${PORT}'` |
    | `container.env.VLLM_SERVER_DEV_MODE` | `1` |
    | `container.mounts` | `${HF_CACHE} at /models, writable` |
    | `container.port` | `8000` |
    | `container.gpus` | `all` |
    | `container.shm_mib` | `1024` |
    | `container.ipc` | `host` |
    | `container.ulimits.memlock` | `unlimited` |
    | `container.ulimits.nofile` | `1024, at most 4096` |
    | `container.memory_limit_mib` | `100000` |
    | `container.stop_signal` | `INT` |
    | `container.stop_grace_s` | `60` |
    | `prefix_cache` | `off` |
    | `metrics_path` | `/v2/metrics` |
    | `ready.timeout_s` | `600` |
    | `limits.max_concurrent` | `8` |
    | `limits.memory_gib` | `90` |
    | `secrets` | `HF_TOKEN` |

    | Boot | Healthy after | Ready after | Read from disks | Engine version | Sanity check | Command |
    | --- | --- | --- | --- | --- | --- | --- |
    | 0 | 90.0 s | 93.4 s | 13.0 GiB | `0.19.1` | `named the capital` | `example/tiny --port 8000` |
    | 1 | 90.0 s | 93.4 s | 3.00 MiB | `0.19.1` | `named the capital` | `example/tiny --port 8000` |

    Times count from the start of the engine: healthy when its own health endpoint answered, ready when it had answered with a token; the disks are those of the whole machine, from the start until ready: a first boot may read the weights from them, a later one may find them in memory.

    How the engine stopped: `exited with 0 after SIGTERM`.

    Kernels and backends, 2 lines of the engine's log:

    - `Using FLASHINFER attention backend`
    - `Using Marlin for MXFP4`

    How prompts got their length:

    | Boot | Prompts sized by | Template tokens | Per further message | Server's count over ours |
    | --- | --- | ---: | ---: | ---: |
    | 0 | the engine's tokenize endpoint | 9 | 4 | 1.00 |
    | 1 | the engine's tokenize endpoint | 9 | 4 | 1.00 |
    ");
    let cleared = |run: &mut Record| run.header.recipe.container.as_mut().unwrap().entrypoint = Some(Vec::new());
    let mut run = contained();
    cleared(&mut run);
    insta::assert_snapshot!(lines_with("entrypoint", &run), @"| `container.entrypoint` | `none` |");
}

#[test]
fn booted_engine_is_shown() {
    insta::assert_snapshot!(section(&contained(), "Machine and engine"), @"
    | Fact | Value |
    | --- | --- |
    | Launch | container |
    | Name | `a board` |
    | Architecture | `aarch64` |
    | Processors | 20 |
    | Memory | 128 GiB |
    | Kernel | `6.11.0` |
    | GPU and driver | `NVIDIA GB10, driver 580.95.05` |
    | Image | `example/vllm:v1` |
    | Image id | `sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` |
    | Registry digest | `registry.example/vllm@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` |
    | Platform | `linux/arm64` |
    | Engine version | `0.19.1` |
    | Serves | `tiny (from example/tiny)` |
    | Runs on | GPU: `nvidia-smi names 2 of its processes, 70000 MiB` |
    ");
    // A process has no image, and a local image no registry.
    let mut process = contained();
    process.boots.iter_mut().for_each(|boot| boot.identity.image = None);
    insta::assert_snapshot!(section(&process, "Machine and engine").lines().find(|line| line.contains("Engine version")).unwrap(), @"| Engine version | `0.19.1` |");
    let mut local = contained();
    local.boots.iter_mut().for_each(|boot| boot.identity.image.as_mut().unwrap().digests.clear());
    insta::assert_snapshot!(lines_with("Registry digest", &local), @"| Registry digest | none: it came from no registry |");
}

#[test]
fn differing_boots_are_a_warning() {
    let mut run = contained();
    run.boots.push(crate::fixture::identified(2));
    run.boots[1].engine_version = Some("0.20.0".to_owned());
    run.boots[1].identity.backends[1] = "Using CUTLASS for MXFP4".to_owned();
    run.boots[2].identity.device = None;
    insta::assert_snapshot!(lines_with("> - **Boots differ", &run), @"> - **Boots differ: the figures are not those of one engine, since not all boots had the same backends, device, engine version; see Machine and engine.**");
    insta::assert_snapshot!(section(&run, "Machine and engine"), @"
    | Fact | Value |
    | --- | --- |
    | Launch | container |
    | Name | `a board` |
    | Architecture | `aarch64` |
    | Processors | 20 |
    | Memory | 128 GiB |
    | Kernel | `6.11.0` |
    | GPU and driver | `NVIDIA GB10, driver 580.95.05` |
    | Image | `example/vllm:v1` |
    | Image id | `sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` |
    | Registry digest | `registry.example/vllm@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` |
    | Platform | `linux/arm64` |
    | Engine version, boots 0, 2 | `0.19.1` |
    | Engine version, boot 1 | `0.20.0` |
    | Serves | `tiny (from example/tiny)` |
    | Runs on, boots 0, 1 | GPU: `nvidia-smi names 2 of its processes, 70000 MiB` |
    | Runs on, boot 2 | not known |

    The boots were not of one engine:

    | Boot | Fact | In the first boot | In this one |
    | --- | --- | --- | --- |
    | 1 | engine version | `0.19.1` | `0.20.0` |
    | 1 | backends | `Using Marlin for MXFP4` | `Using CUTLASS for MXFP4` |
    | 2 | device | `GPU` | `not known` |
    ");
}

#[test]
fn older_record_has_no_identity_rows() {
    let mut run = contained();
    run.boots.iter_mut().for_each(|boot| boot.identity = Identity::default());
    assert!(!section(&run, "Machine and engine").contains("Engine version"));
    assert_eq!(lines_with("Boots differ", &run), "");
}

#[test]
fn unpinned_recipe_is_a_warning() {
    let unpinned = |why: &[&str]| loud(|run| run.header.unpinned = why.iter().map(|why| (*why).to_owned()).collect());
    insta::assert_snapshot!(unpinned(&["image a:latest has no digest", "the revision of model o/n is `main`, not a commit"]), @"> - **This recipe is not pinned: `image a:latest has no digest`; ``the revision of model o/n is `main`, not a commit``. Tomorrow the same recipe may boot another engine.**");
    assert_eq!(unpinned(&[]), "");
}

#[test]
fn boots_table_shows_health_and_disk_reads() {
    insta::assert_snapshot!(boots_table(&contained()), @"
    | Boot | Healthy after | Ready after | Read from disks | Engine version | Sanity check | Command |
    | --- | --- | --- | --- | --- | --- | --- |
    | 0 | 90.0 s | 93.4 s | 13.0 GiB | `0.19.1` | `named the capital` | `example/tiny --port 8000` |
    | 1 | 90.0 s | 93.4 s | 3.00 MiB | `0.19.1` | `named the capital` | `example/tiny --port 8000` |

    Times count from the start of the engine: healthy when its own health endpoint answered, ready when it had answered with a token; the disks are those of the whole machine, from the start until ready: a first boot may read the weights from them, a later one may find them in memory.

    How the engine stopped: `exited with 0 after SIGTERM`.
    ");
    let mut run = contained();
    run.boots[0].healthy_ns = None;
    run.boots[1].disk_read_bytes = None;
    insta::assert_snapshot!(boots_table(&run).lines().take(4).collect::<Vec<_>>().join("\n"), @"
    | Boot | Healthy after | Ready after | Read from disks | Engine version | Sanity check | Command |
    | --- | --- | --- | --- | --- | --- | --- |
    | 0 | - | 93.4 s | 13.0 GiB | `0.19.1` | `named the capital` | `example/tiny --port 8000` |
    | 1 | 90.0 s | 93.4 s | - | `0.19.1` | `named the capital` | `example/tiny --port 8000` |
    ");
}

#[test]
fn server_account_stands_beside_the_client_s() {
    insta::assert_snapshot!(section(&contained(), "The server's own account beside the client's"), @"
    What the server says of itself, beside what the client saw, over the trials that count.

    Totals. The server's are those of its counters between the readings just before and just after a trial, the client's those of the answers; tokens of a request that failed are only in the server's. Of prompts some servers count only what they had to read.

    | Cell | Output tokens, server | Output tokens, client | Prompt tokens, server | Prompt tokens, client | Prefix hits | Preemptions |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: |
    | `chat/c4` | 4824 | 4824 | 2400 | 2400 | 0 % | 2 |

    Means over requests. The rest of TTFT is what the server's own times leave of the client's: transport, tokenizing, and the queue of a server that does not time it.

    | Cell | TTFT, client | TTFT, server | Queue | Queue explains | Prefill | Rest of TTFT | Decode, server | Decode, client |
    | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | `chat/c4` | 1.00 s | 950 ms | 600 ms | 60.0 % of TTFT | 300 ms | 100 ms | 4.00 s | 4.00 s |
    | `chat/c1` | 1.00 s | - | - | - | 700 ms | 300 ms | 3.99 s | 4.00 s |

    The most that a reading showed, one each second: what rises and falls between two of them is not seen. The KV cache holds the keys and values of all tokens in use.

    | Cell | Running, peak | Waiting, peak | KV cache in use, peak |
    | --- | ---: | ---: | ---: |
    | `chat/c4` | 4 | 1 | 34.0 % |

    Speculative decoding. Tokens per step are 1 + accepted tokens / drafts, or the mean of what the server says at each reading.

    | Cell | Tokens per step | Drafted tokens accepted |
    | --- | ---: | ---: |
    | `chat/c4` | 2.50 | 50.0 % |
    ");
}

#[test]
fn server_table_omits_columns_without_values() {
    let mut run = record(vec![watched()]);
    let watch = run.trials[0].server.as_mut().unwrap();
    watch.during.clear();
    let little = |tokens| record::ServerMetrics { generation_tokens: Some(tokens), ..record::ServerMetrics::default() };
    (watch.before, watch.after) = (little(0.0), little(2412.0));
    insta::assert_snapshot!(section(&run, "The server's own account beside the client's"), @"
    What the server says of itself, beside what the client saw, over the trials that count.

    Totals. The server's are those of its counters between the readings just before and just after a trial, the client's those of the answers; tokens of a request that failed are only in the server's. Of prompts some servers count only what they had to read.

    | Cell | Output tokens, server | Output tokens, client |
    | --- | ---: | ---: |
    | `chat/c4` | 2412 | 2412 |
    ");
    run.trials[0].server = Some(ServerWatch::default());
    assert_eq!(section(&run, "The server's own account beside the client's"), "");
    // What an invalid trial says does not count.
    run.trials[0] = Trial { facts: record::TrialFacts { cut_short: Some("why".to_owned()), ..Default::default() }, ..watched() };
    assert_eq!(section(&run, "The server's own account beside the client's"), "");
}

#[test]
fn disabled_prefix_cache_is_named_for_workloads_that_share_prefixes() {
    let told = |reuse, prefix_cache| {
        let mut run = record(vec![closed_trial("multi-turn", 2, 3, S, 20 * MS, 301)]);
        run.trials[0].cell.prefix_reuse = reuse;
        run.header.recipe.prefix_cache = prefix_cache;
        lines_with("prefix cache off", &run)
    };
    insta::assert_snapshot!(told(record::PrefixReuse::Allowed, PrefixCache::Off), @"The recipe turns the engine's prefix cache off: the context that requests share is read again in each of them.");
    assert_eq!(told(record::PrefixReuse::Allowed, PrefixCache::Workload), "");
    assert_eq!(told(record::PrefixReuse::Forbidden, PrefixCache::Off), "");
}

/// The contained run, all of whose texts try to break out.
fn hostile_engine() -> Record {
    let mut run = contained();
    let hostile = || HOSTILE.to_owned();
    run.header.unpinned = vec![hostile()];
    let recipe = &mut run.header.recipe;
    recipe.metrics_path = Some(hostile());
    let container = recipe.container.as_mut().unwrap();
    (container.image, container.digest, container.platform) = (hostile(), Some(hostile()), Some(hostile()));
    (container.entrypoint, container.command) = (Some(vec![hostile()]), vec![hostile()]);
    container.env = [(hostile(), hostile())].into();
    container.mounts[0].source = hostile();
    container.mounts[0].target = hostile();
    container.ulimits = [(hostile(), record::recipe::Ulimit { soft: 1, hard: 2 })].into();
    let identity = &mut run.boots[1].identity;
    let image = identity.image.as_mut().unwrap();
    (image.name, image.id, image.digests, image.platform) = (hostile(), hostile(), vec![hostile(), hostile()], hostile());
    (identity.served_models, identity.backends) = (vec![hostile()], vec![hostile()]);
    identity.device.as_mut().unwrap().proof = hostile();
    let trial = &mut run.trials[0];
    trial.facts.cache_reset = Some(format!("not emptied: {HOSTILE}"));
    let watch = trial.server.as_mut().unwrap();
    (watch.failed_readings, watch.failure) = (1, Some(hostile()));
    run
}

#[test]
fn engine_text_stays_inside_code_spans() {
    let page = render(&hostile_engine());
    stays_inside(&page);
    let count = |page: &str, start: &str| page.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(count(&page, "#"), count(&render(&contained()), "#"));
    assert_eq!(count(&page, "<details>"), count(&page, "</details>"));
    assert_eq!(page.lines().filter(|line| line.trim() == "<!-- sparkgauge:note -->").count(), 1);
    // Each place shows it: none of these texts went missing.
    assert_eq!(page.matches("owned").count(), 27, "{page}");
}
