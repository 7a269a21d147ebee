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
fn no_recipe_of_ours_is_wrong() {
    for loaded in recipe_file::all(&recipe_file::folder()) {
        let recipe = loaded.unwrap();
        let wrong: Vec<_> = about(&recipe).into_iter().filter(|finding| finding.level == Level::Wrong).collect();
        assert!(wrong.is_empty(), "{}: {}", recipe.name, texts(&wrong));
    }
}

#[test]
fn placeholders_that_nobody_fills_in() {
    let text = "command = ['--host', '0.0.0.0', '${PROT}', '${HF_CACHE}']\nport = 1\nenv = { A = '${HOME', B = '${TESTBED}' }\n\
                mounts = [{ source = '${HOME}', target = '/x' }]";
    assert_snapshot!(texts(&placeholders(&container("vllm", text))), @"
    Wrong: [container] command: unknown placeholder `${HF_CACHE}`; known there are ${PORT}, ${MODEL}, ${REVISION}
    Wrong: [container] command: unknown placeholder `${PROT}`; known there are ${PORT}, ${MODEL}, ${REVISION}
    Wrong: [container] env `A`: `${HOME` has a `${` without its `}`
    Wrong: [container] env `B`: unknown placeholder `${TESTBED}`; known there are ${PORT}, ${MODEL}, ${REVISION}
    Wrong: [container] mounts: unknown placeholder `${HOME}`; known there are ${HF_CACHE}, ${CACHE}, ${TESTBED}, ${RECIPES}
    ");
}

#[test]
fn what_spoils_a_measurement() {
    let check = |engine: &str, text: &str| texts(&about(&container(engine, text)));
    let vllm = "command = ['m', '--enforce-eager', '--disable-log-stats', '--host=127.0.0.1', '--port', '81']\nport = 80";
    assert_snapshot!(check("vllm", vllm), @r#"
    Warning: not pinned: image x:1 has no digest; `cargo xtask recipe pin mine` writes what is on this machine
    Wrong: it listens on `127.0.0.1`, which is the container's own; write 0.0.0.0
    Wrong: it listens on 81, but [container] `port` is 80; write `${PORT}` in the command
    Warning: `command` has no `--enable-prompt-tokens-details`, so `usage` does not tell how much of a prompt came from the cache
    Warning: `env` has no VLLM_SERVER_DEV_MODE = "1", so the prefix cache cannot be emptied between trials
    Warning: `command` has `--disable-log-stats`, so its metrics page is empty
    Warning: `command` has `--enforce-eager`: without CUDA graphs decode was seen at half its rate
    "#);
    assert_snapshot!(check("sglang", "command = ['--port=${PORT}']\nport = 80"), @"
    Warning: not pinned: image x:1 has no digest; `cargo xtask recipe pin mine` writes what is on this machine
    Wrong: `command` has no `--host`, and by default it listens on the container's own address only; write 0.0.0.0
    Warning: `command` has no `--enable-metrics`, so it has no metrics page
    Warning: `command` has no `--enable-cache-report`, so `usage` does not tell how much of a prompt came from the cache
    ");
    let digest = "0123456789".repeat(7)[..64].to_owned();
    let llamacpp = format!("command = ['--host', '0.0.0.0', '--metrics']\nport = 80\ndigest = 'sha256:{digest}'");
    assert_snapshot!(check("llamacpp", &llamacpp), @"");
    assert_snapshot!(check("ollama", "port = 80\nenv = { OLLAMA_HOST = 'localhost:80', OLLAMA_KEEP_ALIVE = '-1' }"), @"
    Warning: not pinned: image x:1 has no digest; `cargo xtask recipe pin mine` writes what is on this machine
    Wrong: it listens on `localhost:80`, which is the container's own; write 0.0.0.0
    Warning: `env` has no OLLAMA_CONTEXT_LENGTH, so prompts are cut at 4096 tokens
    Warning: `env` has no OLLAMA_NUM_PARALLEL, so it answers one request at a time
    ");
}

#[test]
fn an_image_for_another_machine() {
    let recipe = container("vllm", "port = 80\nplatform = 'linux/arm64'");
    let image = Image { id: String::new(), repo_digests: None, os: "linux".to_owned(), architecture: "amd64".to_owned() };
    let container = recipe.container.as_ref().unwrap();
    let text = |image: Option<&Image>| about_image(container, image).map(|finding| finding.text);
    assert_eq!(text(Some(&image)).as_deref(), Some("the image on this machine is built for linux/amd64, not for linux/arm64"));
    assert_eq!(text(Some(&Image { architecture: "arm64".to_owned(), ..image })), None);
    assert!(text(None).unwrap().contains("docker pull x:1"));
}
