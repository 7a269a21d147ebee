use insta::assert_snapshot;
use record::recipe::parse;

use super::*;

fn container(engine: &str, container: &str) -> Recipe {
    let text = format!(
        "name = 'mine'\nengine = '{engine}'\ndialect = '{engine}'\n[model]\nid = 'tiny'\nsource = 'a file'\n[container]\nimage = 'x:1'\n{container}"
    );
    parse(&text, "mine.toml", "mine").unwrap()
}

fn texts(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{:?}: {}", finding.level, finding.text)).collect::<Vec<_>>().join("\n")
}

#[test]
fn built_in_recipes_have_no_errors() {
    for loaded in crate::example::recipes().all() {
        let recipe = loaded.unwrap().recipe;
        let wrong: Vec<_> = recipe_findings(&recipe).into_iter().filter(|finding| finding.level == Level::Error).collect();
        assert!(wrong.is_empty(), "{}: {}", recipe.name, texts(&wrong));
    }
}

#[test]
fn unknown_placeholders_are_errors() {
    let text = "command = ['--host', '0.0.0.0', '${PROT}', '${HF_CACHE}']\nport = 1\nenv = { A = '${HOME', B = '${TESTBED}' }\n\
                mounts = [{ source = '${HOME}', target = '/x' }]";
    assert_snapshot!(texts(&placeholders(&container("vllm", text))), @"
    Error: [container] command: unknown placeholder `${HF_CACHE}`; known there are ${PORT}, ${MODEL}, ${REVISION}
    Error: [container] command: unknown placeholder `${PROT}`; known there are ${PORT}, ${MODEL}, ${REVISION}
    Error: [container] env `A`: `${HOME` has a `${` without its `}`
    Error: [container] env `B`: unknown placeholder `${TESTBED}`; known there are ${PORT}, ${MODEL}, ${REVISION}
    Error: [container] mounts: unknown placeholder `${HOME}`; known there are ${HF_CACHE}, ${CACHE}, ${TESTBED}, ${RECIPES}
    ");
}

#[test]
fn settings_that_spoil_a_measurement_are_reported() {
    let check = |engine: &str, text: &str| texts(&recipe_findings(&container(engine, text)));
    let vllm = "command = ['m', '--enforce-eager', '--disable-log-stats', '--host=127.0.0.1', '--port', '81']\nport = 80";
    assert_snapshot!(check("vllm", vllm), @r#"
    Warning: not pinned: image x:1 has no digest
    Note: `sparkgauge recipe pin mine` writes the digest and the commit that are on this machine
    Error: it listens on `127.0.0.1`, which is the container's own; write 0.0.0.0
    Error: it listens on 81, but [container] `port` is 80; write `${PORT}` in the command
    Warning: `command` has no `--enable-prompt-tokens-details`, so `usage` does not tell how much of a prompt came from the cache
    Warning: `env` has no VLLM_SERVER_DEV_MODE = "1", so the prefix cache cannot be emptied between trials
    Warning: `command` has `--disable-log-stats`, so its metrics page is empty
    Warning: `command` has `--enforce-eager`: without CUDA graphs decode was seen at half its rate
    "#);
    assert_snapshot!(check("sglang", "command = ['--port=${PORT}']\nport = 80"), @"
    Warning: not pinned: image x:1 has no digest
    Note: `sparkgauge recipe pin mine` writes the digest and the commit that are on this machine
    Error: `command` has no `--host`, and by default it listens on the container's own address only; write 0.0.0.0
    Warning: `command` has no `--enable-metrics`, so it has no metrics page
    Warning: `command` has no `--enable-cache-report`, so `usage` does not tell how much of a prompt came from the cache
    ");
    let digest = "0123456789".repeat(7)[..64].to_owned();
    let llamacpp = format!("command = ['--host', '0.0.0.0', '--metrics']\nport = 80\ndigest = 'sha256:{digest}'");
    assert_snapshot!(check("llamacpp", &llamacpp), @"");
    assert_snapshot!(check("ollama", "port = 80\nenv = { OLLAMA_HOST = 'localhost:80', OLLAMA_KEEP_ALIVE = '-1' }"), @"
    Warning: not pinned: image x:1 has no digest
    Warning: not pinned: model tiny is a tag of Ollama's library, which can move; its digest is only recorded
    Note: `sparkgauge recipe pin mine` writes the digest and the commit that are on this machine
    Error: it listens on `localhost:80`, which is the container's own; write 0.0.0.0
    Warning: `env` has no OLLAMA_CONTEXT_LENGTH, so prompts are cut at 4096 tokens
    Warning: `env` has no OLLAMA_NUM_PARALLEL, so it answers one request at a time
    ");
}

#[test]
fn limits_that_differ_between_harness_and_server_are_reported() {
    let check = |engine: &str, told: &str, text: &str| {
        let text = format!(
            "name = 'mine'\nengine = '{engine}'\ndialect = '{engine}'\n[model]\nid = 'tiny'\nsource = 'the library: tiny:1b'\n\
             max_context = 4096\n[container]\nimage = 'x:1'\nport = 80\n{told}\n[limits]\n{text}"
        );
        texts(&agreement::findings(&parse(&text, "mine.toml", "mine").unwrap()))
    };
    let all = [
        check(
            "vllm",
            "command = ['--served-model-name', 'a', 'b', '--max-num-seqs', '8', '--max-model-len', '2048']",
            "max_concurrent = 4",
        ),
        check(
            "sglang",
            "command = ['--served-model-name=a', '--max-running-requests', '8', '--context-length', '4095']",
            "max_concurrent = 9",
        ),
        check("llamacpp", "command = ['-a', 'a,b', '-np', '4', '-c', '16383']", "max_concurrent = 3"),
        check("trtllm", "command = ['--max_batch_size', '8', '--max_seq_len', '1']", "max_concurrent = 4"),
        check("ollama", "env = { OLLAMA_NUM_PARALLEL = '2', OLLAMA_CONTEXT_LENGTH = '4000' }", "max_concurrent = 4"),
    ];
    assert_snapshot!(all.join("\n"), @"
    Warning: [model] `id`, which requests name, is `tiny`, but `--served-model-name` is `a, b`
    Warning: [limits] `max_concurrent` is 4, but `--max-num-seqs` is 8
    Warning: [model] `max_context` is 4096, but `--max-model-len` is 2048
    Warning: [model] `id`, which requests name, is `tiny`, but `--served-model-name` is `a`
    Warning: [limits] `max_concurrent` is 9, but `--max-running-requests` is 8
    Warning: [model] `max_context` is 4096, but `--context-length` is 4095
    Warning: [model] `id`, which requests name, is `tiny`, but `--alias` is `a, b`
    Warning: [limits] `max_concurrent` is 3, but `-np` is 4
    Warning: [model] `max_context` is 4096, but `-c` is 16383 among 4 slots, 4095 for each
    Warning: [limits] `max_concurrent` is 4, but `--max_batch_size` is 8
    Warning: [model] `max_context` is 4096, but `--max_seq_len` is 1
    Warning: [model] `id`, which requests name, is `tiny`, but the tag in `source` is `tiny:1b`
    Warning: [limits] `max_concurrent` is 4, but `OLLAMA_NUM_PARALLEL` is 2
    Warning: [model] `max_context` is 4096, but `OLLAMA_CONTEXT_LENGTH` is 4000
    ");
    let fine = [
        check(
            "vllm",
            "command = ['--served-model-name', 'a', 'tiny', '--max-num-seqs', '4', '--max-model-len', '8k']",
            "max_concurrent = 4",
        ),
        check("vllm", "command = ['--max-num-seqs', '4', '--max-model-len', '4096']", ""),
        check("llamacpp", "command = ['--alias', 'a,tiny', '--parallel', '4', '--ctx-size', '16384']", "max_concurrent = 4"),
        check("llamacpp", "command = ['--parallel', '4', '--ctx-size', '4096', '--kv-unified']", ""),
        check("nim", "", "max_concurrent = 4"),
    ];
    assert_eq!(fine, [""; 5]);
}

#[test]
fn built_in_recipes_agree_with_their_servers() {
    for loaded in crate::example::recipes().all() {
        let recipe = loaded.unwrap().recipe;
        assert_eq!(texts(&agreement::findings(&recipe)), "", "{}", recipe.name);
    }
}

#[test]
fn image_for_another_architecture_is_reported() {
    let recipe = container("vllm", "port = 80\nplatform = 'linux/arm64'");
    let image = Image { id: String::new(), repo_digests: None, os: "linux".to_owned(), architecture: "amd64".to_owned() };
    let container = recipe.container.as_ref().unwrap();
    let text = |image: Option<&Image>| image_finding(container, image).map(|finding| finding.text);
    assert_eq!(text(Some(&image)).as_deref(), Some("the image on this machine is built for linux/amd64, not for linux/arm64"));
    assert_eq!(text(Some(&Image { architecture: "arm64".to_owned(), ..image })), None);
    assert!(text(None).unwrap().contains("docker pull x:1"));
}
