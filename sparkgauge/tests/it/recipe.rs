//! The verbs about recipes and leftovers, as a person uses them. Docker is a script here: what it says is what the real one says.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::program::command;

const ID: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A folder with a program `docker` in it that runs this script.
fn docker(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("bin");
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("docker"), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path.join("docker"), fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn ran(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn all_recipes_are_listed_and_none_is_wrong() {
    let nothing = tempfile::tempdir().unwrap();
    let (code, listed, _) = ran(&mut command(&["recipe", "list"]));
    assert_eq!(code, 0);
    for engine in ["vllm", "sglang", "llamacpp", "ollama", "trtllm", "nim"] {
        assert!(listed.lines().any(|line| line.starts_with(&format!("{engine} "))), "{engine}: {listed}");
    }
    let (code, found, said) = ran(command(&["recipe", "check"]).env("PATH", nothing.path()).env_remove("NGC_API_KEY"));
    assert_eq!(code, 0, "{found}{said}");
    assert!(found.contains("nim: warning: the secret `NGC_API_KEY` is not set"), "{found}");
    assert!(said.contains("images were not looked at") && said.contains("install Docker Engine"), "{said}");
}

#[test]
fn recipe_show_prints_the_command() {
    let (code, shown, _) = ran(command(&["recipe", "show", "vllm"]).env("HF_HOME", "/models/hf"));
    assert_eq!(code, 0);
    for part in ["docker run", "--gpus all", "source=/models/hf,", "--entrypoint vllm", "serve openai/gpt-oss-20b", "--port 8000"]
    {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    assert_eq!(ran(&mut command(&["recipe", "show", "nothing"])).0, 2);
}

#[test]
fn recipe_with_errors_fails_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = "name = 'mine'\nengine = 'vllm'\ndialect = 'vllm'\n[model]\nid = 'm'\n[container]\nimage = 'x:1'\nport = 80\n";
    fs::write(&path, format!("{text}command = ['--host', '127.0.0.1', '${{PROT}}']\n")).unwrap();
    let (code, found, _) = ran(command(&["recipe", "check", path.to_str().unwrap()]).env("PATH", folder.path()));
    assert_eq!(code, 2, "{found}");
    assert!(found.contains("unknown placeholder `${PROT}`") && found.contains("write 0.0.0.0"), "{found}");
}

#[test]
fn pin_writes_digest_and_commit_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = "# mine\nname = \"mine\"\nengine = \"vllm\"\ndialect = \"vllm\"\n\n[model]\nid = \"m\"\nsource = \"o/n\" # theirs\n\n\
                [container]\nimage = \"made/here:1\" # by a script\nport = 80\n";
    fs::write(&path, text).unwrap();
    let refs = folder.path().join("hub/models--o--n/refs");
    fs::create_dir_all(&refs).unwrap();
    fs::write(refs.join("main"), COMMIT).unwrap();
    let answer = format!("echo '[{{\"Id\": \"{ID}\", \"RepoDigests\": [], \"Os\": \"linux\", \"Architecture\": \"arm64\"}}]'");
    let bin = docker(folder.path(), &answer);
    let pin = || ran(command(&["recipe", "pin", path.to_str().unwrap()]).env("PATH", &bin).env("HF_HOME", folder.path()));
    let (code, said, complained) = pin();
    assert_eq!(code, 0, "{complained}");
    assert!(said.contains(ID) && said.contains("the id of made/here:1") && said.contains(COMMIT), "{said}");
    let expected = text
        .replace("# theirs\n", &format!("# theirs\nrevision = \"{COMMIT}\"\n"))
        .replace("# by a script\n", &format!("# by a script\ndigest = \"{ID}\"\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let (code, said, _) = pin();
    assert!(code == 0 && said.matches("already").count() == 2, "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let (_, shown, _) = ran(&mut command(&["recipe", "show", path.to_str().unwrap()]));
    assert!(shown.contains(&format!("made/here@{ID}")) && shown.contains("`docker run` takes made/here:1 instead"), "{shown}");
}

#[test]
fn failed_pin_is_reported_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let text = "name = \"mine\"\nengine = \"vllm\"\ndialect = \"vllm\"\n[model]\nid = \"m\"\nsource = \"o/n\"\n[container]\nimage = \"a/b:1\"\nport = 80\n";
    fs::write(&path, text).unwrap();
    let bin = docker(folder.path(), "echo 'Error: No such image: a/b:1' >&2; exit 1");
    let mut pin = command(&["recipe", "pin", path.to_str().unwrap()]);
    let (code, _, said) =
        ran(pin.env("PATH", &bin).env("HF_HOME", folder.path()).env("HF_HUB_CACHE", folder.path().join("elsewhere")));
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("`docker pull a/b:1` fetches it") && said.contains("hf download o/n"), "{said}");
    assert!(said.contains("HF_HUB_CACHE is") && said.contains("recipes mount"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn clean_removes_only_containers_without_a_live_owner() {
    let folder = tempfile::tempdir().unwrap();
    let pid = std::process::id();
    let fields = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = fields.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    let read = |path: &str| fs::read_to_string(path).map_or("none".to_owned(), |text| text.trim().to_owned());
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap();
    let boot_id = read("/proc/sys/kernel/random/boot_id");
    let place = format!("{}/{boot_id}/{}", read("/etc/machine-id"), namespace.display());
    let owned = |run: &str, pid: u32, start: &str, place: &str| {
        format!(
            r#"{{"sparkgauge.run": "{run}", "sparkgauge.pid": "{pid}", "sparkgauge.pid-start": "{start}", "sparkgauge.place": "{place}"}}"#
        )
    };
    let inspected = |id: &str, labels: &str| {
        format!("{id}) echo '[{{\"Id\": \"{id}\", \"Name\": \"/n-{id}\", \"Config\": {{\"Labels\": {labels}}}}}]';;")
    };
    let script = format!(
        "if [ $1 = ps ]; then echo 'dead mine far lost theirs'; exit; fi\n\
         if [ $2 = rm ]; then shift 4; echo $1 >> {removed}; exit; fi\n\
         case $3 in {dead} {mine} {far} {lost} {theirs} esac",
        removed = folder.path().join("removed").display(),
        dead = inspected("dead", &owned("r1", pid, "1", &place)),
        mine = inspected("mine", &owned("r2", pid, start, &place)),
        far = inspected("far", &owned("r4", pid, "1", "another/machine/altogether")),
        lost = inspected("lost", r#"{"sparkgauge.run": "r3"}"#),
        theirs = inspected("theirs", "null"),
    );
    let bin = docker(folder.path(), &script);
    let (code, removed, left) = ran(command(&["clean"]).env("PATH", &bin));
    assert_eq!(code, 0, "{left}");
    assert_eq!(fs::read_to_string(folder.path().join("removed")).unwrap(), "dead\n");
    assert!(removed.contains("n-dead of run `r1`") && left.contains(&format!("its process {pid} lives")), "{removed}{left}");
    assert!(left.contains("docker rm -f n-lost") && left.contains("n-far") && !left.contains("theirs"), "{left}");
}

#[test]
fn missing_docker_is_reported_with_advice() {
    let nothing = tempfile::tempdir().unwrap();
    let (code, _, said) = ran(command(&["clean"]).env("PATH", nothing.path()));
    assert!(code == 3 && said.contains("install Docker Engine"), "{said}");
    let silent = docker(
        nothing.path(),
        "echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1",
    );
    let (code, _, said) = ran(command(&["clean"]).env("PATH", silent));
    assert!(code == 3 && said.contains("does not answer") && said.contains("unix:///x"), "{said}");
}

/// Only with the feature: without it the verb builds the program again, which is no work for a test.
#[cfg(feature = "import")]
mod import {
    use super::*;

    fn import(file: &str, more: &[&str]) -> (i32, String, String) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/imports").join(file);
        ran(&mut command(&[&["recipe", "import", path.to_str().unwrap()], more].concat()))
    }

    #[test]
    fn published_recipe_is_converted() {
        let (code, text, left_out) = import("vllm-mtp.yaml", &["--stdout"]);
        assert_eq!(code, 0, "{left_out}");
        let left_out =
            left_out.lines().map(|line| line.rsplit_once(".yaml: ").map_or(line, |(_, note)| note)).collect::<Vec<_>>();
        insta::assert_snapshot!(left_out.join("\n"), @"
        defaults `tool_call_parser`: the command does not use it
        `--enable-prefix-caching`: the workload decides what may be shared
        executor_config `privileged`
        `benchmark`: the workloads here are this project's own
        `metadata` (model_params, quantization)
        ");
        insta::assert_snapshot!(text.trim_end(), @r#"
        # Imported from vllm-mtp.yaml, a recipe for sparkrun.
        # Not carried over: defaults `tool_call_parser`: the command does not use it
        # Not carried over: `--enable-prefix-caching`: the workload decides what may be shared
        # Not carried over: executor_config `privileged`
        # Not carried over: `benchmark`: the workloads here are this project's own
        # Not carried over: `metadata` (model_params, quantization)
        name = "vllm-mtp"
        engine = "vllm"
        dialect = "vllm"
        description = "A dense model in FP8, drafting for itself."
        secrets = ["HF_TOKEN"]

        [model]
        id = "qwen-fp8"
        source = "Qwen/Qwen3.6-27B-FP8"
        revision = "0123456789abcdef0123456789abcdef01234567"
        max_context = 262144

        [container]
        image = "ghcr.io/example/vllm-spark:latest"
        platform = "linux/arm64"
        command = [
            "vllm", "serve", "${MODEL}",
            "--served-model-name", "qwen-fp8",
            "--max-model-len", "262144",
            "--max-num-seqs", "64",
            "--gpu-memory-utilization", "0.8",
            "--kv-cache-dtype", "fp8",
            "--speculative-config", "{\"method\": \"mtp\", \"num_speculative_tokens\": 2}",
            "-tp", "1",
            "--host", "0.0.0.0",
            "--port", "${PORT}",
            "--revision", "${REVISION}",
        ]
        mounts = [{ source = "${HF_CACHE}", target = "/root/.cache/huggingface", writable = true }]
        port = 8123
        host_port = 0
        gpus = "all"
        shm_mib = 16384
        ipc = "host"
        stop_grace_s = 30
        stop_signal = "TERM"

        [container.env]
        OMP_NUM_THREADS = "8"
        VLLM_MARLIN_USE_ATOMIC_ADD = "1"

        [ready]
        timeout_s = 1800

        [limits]
        max_concurrent = 64
        "#);
    }

    #[test]
    fn gguf_recipe_keeps_quantisation_and_listens_on_all_addresses() {
        let (code, text, _) = import("llama-cpp.yaml", &["--stdout"]);
        assert_eq!(code, 0);
        for part in ["\"-hf\", \"${MODEL}:Q8_0\"", "\"--host\", \"0.0.0.0\"", "\"llama-server\",", "port = 8000"] {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }

    #[test]
    fn hooks_and_clusters_are_refused() {
        let (code, _, said) = import("eugr-v1.yaml", &["--stdout"]);
        assert!(code == 2 && said.contains("`mods`, `build_args`") && said.contains("--allow-hooks"), "{said}");
        let (code, text, said) = import("eugr-v1.yaml", &["--stdout", "--allow-hooks"]);
        assert!(
            code == 0 && said.contains("by hand before the first boot") && text.contains("# Not carried over: by hand"),
            "{said}"
        );
        let (code, _, said) = import("sglang-cluster.yaml", &["--stdout"]);
        assert!(code == 2 && said.contains("`min_nodes` is 4"), "{said}");
    }

    #[test]
    fn import_never_overwrites_a_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().to_str().unwrap();
        let (code, path, _) = import("llama-cpp.yaml", &["--into", into]);
        assert_eq!((code, path.trim()), (0, folder.path().join("llama-cpp.toml").to_str().unwrap()));
        assert_eq!(ran(&mut command(&["recipe", "show", path.trim()])).0, 0);
        let (code, _, said) = import("llama-cpp.yaml", &["--into", into]);
        assert!(code == 2 && said.contains("exists; choose another name"), "{said}");
        let (code, _, said) = import("llama-cpp.yaml", &["--into", into, "--out", "../away"]);
        assert!(code == 2 && said.contains("letters, digits"), "{said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
