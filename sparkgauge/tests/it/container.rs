//! Engines in containers, on the real Docker daemon and the testbed's images: the main job, and what can go wrong with it.
//!
//! `cargo xtask ci` includes these where Docker answers; elsewhere they show as ignored.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use record::{DeviceKind, EndReason, Launch, Record};
use tempfile::TempDir;

use crate::{
    program::{ProgramOutput, check, command, record_in, sparkgauge, wait_for_a_trial},
    testbed::smoke,
};

/// One run on a recipe of its own.
struct Run {
    folder: TempDir,
    name: &'static str,
}

impl Run {
    /// A recipe that boots the testbed's llama.cpp as a container, with a change to its text. The name is the test's own, and so is the
    /// folder of the run, by which its containers are found.
    fn of(name: &'static str, change: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
        let text = fs::read_to_string(recipes.join("testbed-llamacpp-container.toml")).unwrap();
        let text = text.replace("name = \"testbed-llamacpp-container\"", &format!("name = \"{name}\""));
        fs::write(folder.path().join(format!("{name}.toml")), change(text)).unwrap();
        Self { folder, name }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join(format!("run-{}-{}", self.name, std::process::id()))
    }

    fn command(&self) -> Command {
        let recipe = self.folder.path().join(format!("{}.toml", self.name));
        let (recipe, out) = (recipe.to_string_lossy().into_owned(), self.out().to_string_lossy().into_owned());
        command(&["bench", "--no-selftest", "--wait", "--profile", "smoke", "--recipe", &recipe, "--out", &out])
    }

    fn bench(&self) -> ProgramOutput {
        self.command().args(["--workload", "chat"]).output().unwrap().into()
    }

    /// Runs all nine until the first trial is written down.
    fn start(&self) -> Child {
        let mut child = self.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_a_trial(&mut child, &self.out());
        child
    }

    fn record(&self) -> Record {
        record_in(&self.out())
    }

    fn containers(&self) -> String {
        let label = format!("label=sparkgauge.run={}", self.out().file_name().unwrap().to_str().unwrap());
        docker(&["ps", "--all", "--quiet", "--filter", &label])
    }

    /// Fails unless a run that could not go on says so in its record, and leaves no container.
    #[track_caller]
    fn check_failed(&self, says: &str) {
        let reason = self.record().end.unwrap().reason;
        assert!(matches!(&reason, EndReason::Failed { detail } if detail.contains(says)), "{reason:?}");
        assert_eq!(self.containers(), "");
        check(&sparkgauge(&["report", self.out().to_str().unwrap()]), 0, &[]);
    }
}

/// Adds a line to the `[container]` table.
fn with(line: &str) -> impl FnOnce(String) -> String + use<> {
    let line = format!("\n[container]\n{line}\n");
    move |text| {
        assert!(text.contains("\n[container]\n"));
        text.replace("\n[container]\n", &line)
    }
}

/// Replaces the line that begins so.
fn replacing(begin: &'static str, line: &str) -> impl FnOnce(String) -> String + use<> {
    let line = line.to_owned();
    move |text| {
        assert_eq!(text.lines().filter(|one| one.starts_with(begin)).count(), 1, "lines that begin with {begin}");
        text.lines().map(|one| if one.starts_with(begin) { &line } else { one }).collect::<Vec<_>>().join("\n")
    }
}

fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    assert!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// All nine on an engine in a container: what the process engines must give, and what only a container has.
fn container_smoke(recipe: &str) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(format!("run-{recipe}-{}", std::process::id()));
    let record = smoke(recipe, &out);
    assert_eq!(record.header.launch, Launch::Container);
    let boot = &record.boots[0];
    let image = boot.identity.image.as_ref().unwrap();
    assert!(image.id.starts_with("sha256:") && image.name.starts_with("sparkgauge-testbed/"), "{image:?}");
    assert_eq!(boot.identity.device.as_ref().map(|device| device.kind), Some(DeviceKind::Cpu));
    assert!(boot.identity.served_models.iter().any(|model| model.contains("tiny")), "{:?}", boot.identity);
    assert!(!boot.identity.backends.is_empty(), "the log names its backends");
    assert!(boot.healthy_ns <= boot.ready_ns && boot.healthy_ns.is_some());
    for trial in &record.trials {
        let server = trial.server.as_ref().unwrap();
        let made = server.after.generation_tokens.unwrap() - server.before.generation_tokens.unwrap();
        let seen: u32 = trial.observations.iter().filter_map(record::Observation::output_tokens).sum();
        assert!(
            (made - f64::from(seen)).abs() <= trial.observations.len() as f64,
            "{}: {made} by the server, {seen} seen",
            trial.cell.name()
        );
        assert!(trial.duration_ns < 2_000_000_000 || !server.during.is_empty(), "{}: read every second", trial.cell.name());
        assert_eq!(server.failure, None);
    }
    assert!(fs::metadata(out.join("engine-boot0.log")).unwrap().len() > 0);
    let label = format!("label=sparkgauge.run={}", out.file_name().unwrap().to_str().unwrap());
    assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &label]), "");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn llamacpp_runs_nine_workloads() {
    container_smoke("testbed-llamacpp-container");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn vllm_runs_nine_workloads() {
    container_smoke("testbed-vllm-container");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn interrupt_keeps_the_trials_and_removes_the_container() {
    let run = Run::of("interrupted", |text| text);
    let child = run.start();
    signal("INT", child.id());
    let done: ProgramOutput = child.wait_with_output().unwrap().into();
    check(&done, 130, &["stopping"]);
    assert_eq!(run.record().end.unwrap().reason, EndReason::Interrupted);
    assert_eq!(run.containers(), "");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn killed_command_line_ends_the_run_in_order() {
    let run = Run::of("orphaned", |text| text);
    let mut child = run.start();
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the run ends by itself", || run.record().end.is_some());
    assert_eq!(run.record().end.unwrap().reason, EndReason::Interrupted);
    wait_until("its container is gone", || run.containers().is_empty());
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn container_of_a_killed_run_is_removed_by_clean_and_by_the_next_start() {
    for cleaner in ["clean", "bench"] {
        let run = Run::of("killed", |text| text);
        let mut child = run.start();
        // Both at once, as when a machine runs out of memory: nobody is left to put the engine away.
        let measuring = children(child.id());
        assert_eq!(measuring.len(), 1, "{measuring:?}");
        signal("STOP", child.id());
        signal("KILL", measuring[0]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_ne!(run.containers(), "", "the engine outlives both");
        match cleaner {
            "clean" => check(&sparkgauge(&["clean"]), 0, &[]),
            _ => check(&Run::of("next", |text| text).bench(), 0, &["removed"]),
        }
        assert_eq!(run.containers(), "", "{cleaner}");
        let record = run.record();
        assert!(record.end.is_none() && !record.trials.is_empty(), "what was measured is there");
        check(&sparkgauge(&["report", run.out().to_str().unwrap()]), 0, &[]);
    }
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn second_run_is_refused_while_another_measures() {
    let run = Run::of("first", |text| text);
    let child = run.start();
    let second = Run::of("second", |text| text);
    let recipe = second.folder.path().join("second.toml");
    let done = sparkgauge(&[
        "bench",
        "--no-selftest",
        "--profile",
        "smoke",
        "--recipe",
        recipe.to_str().unwrap(),
        "--out",
        second.out().to_str().unwrap(),
    ]);
    check(&done, 3, &["another run", "run-first-", "--wait"]);
    signal("INT", child.id());
    let done: ProgramOutput = child.wait_with_output().unwrap().into();
    check(&done, 130, &[]);
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn missing_image_is_reported() {
    let run = Run::of("absent", replacing("image = ", "image = \"example.invalid/no/such-image:1.0\""));
    check(&run.bench(), 3, &["example.invalid/no/such-image:1.0", "docker pull"]);
    run.check_failed("docker pull");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn image_that_differs_from_its_pin_is_refused() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let run = Run::of("another", with(&format!("digest = \"{digest}\"")));
    check(&run.bench(), 3, &[&digest, "recipe pin"]);
    run.check_failed(&digest);
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn gpu_request_without_a_gpu_is_reported() {
    let run = Run::of("gpu", replacing("gpus = ", "gpus = \"all\""));
    check(&run.bench(), 3, &["GPU", "NVIDIA Container Toolkit"]);
    run.check_failed("GPU");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn ulimit_that_the_host_refuses_is_reported() {
    // More open files than any kernel allows: refused whatever the daemon's own rights are.
    let run = Run::of("ulimit", with("ulimits = { nofile = { soft = 4000000000, hard = 4000000000 } }"));
    check(&run.bench(), 3, &["ulimit", "nofile"]);
    run.check_failed("ulimit");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn flag_unknown_to_the_engine_is_reported() {
    let run = Run::of("flag", |text| text.replace("command = [", "command = [\n    \"--no-such-flag\","));
    check(&run.bench(), 3, &["ended before it was ready", "exit code 2", "--no-such-flag"]);
    run.check_failed("exit code 2");
}

/// The image's own Python, doing something else than serving.
fn python(program: &str) -> impl FnOnce(String) -> String + use<> {
    let line = format!("entrypoint = [\"/opt/engine/bin/python\", \"-c\", '''{program}''']");
    with(&line)
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn engine_that_never_becomes_ready_is_reported() {
    let change = |text: String| python("import time; time.sleep(600)")(text).replace("timeout_s = 60", "timeout_s = 2");
    let run = Run::of("never", change);
    check(&run.bench(), 3, &["no token within 2 s", "timeout_s"]);
    run.check_failed("no token within 2 s");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn engine_out_of_memory_during_boot_is_reported() {
    let run = Run::of("oom-boot", |text| with("memory_limit_mib = 64")(python("held = bytearray(1 << 28)")(text)));
    check(&run.bench(), 3, &["ended before it was ready", "memory limit of 64 MiB"]);
    run.check_failed("memory limit of 64 MiB");
}

/// Serves as the image does, and takes all memory as soon as the folder of the model holds a file of this name.
const GREEDY: &str = "import threading, time, os, sys, runpy
def grow():
    while not os.path.exists('/signal/go'):
        time.sleep(0.02)
    held = []
    while True:
        held.append(bytearray(1 << 24))
threading.Thread(target=grow, daemon=True).start()
sys.argv[0] = 'llama_server.py'
runpy.run_path('/opt/engine/llama_server.py', run_name='__main__')";

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn engine_out_of_memory_during_a_trial_is_reported() {
    let signals = tempfile::tempdir().unwrap();
    let mount = format!("    {{ source = \"{}\", target = \"/signal\" }},", signals.path().display());
    let change = |text: String| {
        let text = with("memory_limit_mib = 700")(python(GREEDY)(text));
        text.replace("mounts = [", &format!("mounts = [\n{mount}\n"))
    };
    let run = Run::of("oom-trial", change);
    let mut command = run.command();
    let mut child = command.args(["--workload", "office"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_a_trial(&mut child, &run.out());
    // The next one takes three seconds, after a warm-up of much less.
    std::thread::sleep(Duration::from_millis(1500));
    fs::write(signals.path().join("go"), b"").unwrap();
    let done: ProgramOutput = child.wait_with_output().unwrap().into();
    check(&done, 3, &["the engine ended during", "memory limit of 700 MiB"]);
    run.check_failed("memory limit of 700 MiB");
    let record = run.record();
    let last = record.trials.last().unwrap();
    assert!(last.facts.cut_short.as_deref().is_some_and(|why| why.contains("memory limit")), "{:?}", last.facts);
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn port_in_use_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let run = Run::of("port", with(&format!("host_port = {port}")));
    check(&run.bench(), 3, &[&format!("port {port} of 127.0.0.1 is in use")]);
    run.check_failed("is in use");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn full_disk_keeps_the_trials_before_it() {
    let run = Run::of("disk", |text| text);
    let program = run.command();
    let words: Vec<_> = program.get_args().map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let call = format!("ulimit -f 27; trap '' XFSZ; exec '{}' {}", env!("CARGO_BIN_EXE_sparkgauge"), words.join(" "));
    // Built beforehand, without the limit.
    check(&Run::of("warm", replacing("image = ", "image = \"example.invalid/none:1.0\"")).bench(), 3, &[]);
    let done: ProgramOutput = Command::new("sh").args(["-c", &call]).output().unwrap().into();
    check(&done, 3, &["cannot write", "what was written before is whole and readable"]);
    let record = run.record();
    assert!(!record.trials.is_empty() && record.unreadable_tail.is_none());
    run.check_failed("cannot write");
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn unreachable_daemon_is_reported() {
    let run = Run::of("daemon", |text| text);
    let done: ProgramOutput = run.command().env("DOCKER_HOST", "unix:///nonexistent/docker.sock").output().unwrap().into();
    check(&done, 3, &["Docker does not answer", "/nonexistent/docker.sock", "install", "[process]"]);
    let other = Run::of("refused", |text| text);
    let done: ProgramOutput = other.command().env("DOCKER_HOST", "tcp://127.0.0.1:1").output().unwrap().into();
    check(&done, 3, &["Docker does not answer", "refused", "DOCKER_HOST"]);
}

#[test]
#[ignore = "needs Docker and the testbed's images: cargo xtask testbed"]
fn secret_reaches_only_the_engine() {
    let secret = "hf_ThisMustNeverShow0123456789";
    let tell = python("import os; print('the token is', os.environ['SPARKGAUGE_TEST_TOKEN']); raise SystemExit(7)");
    let run = Run::of("secret", |text| tell(text.replace("\n[model]\n", "\nsecrets = [\"SPARKGAUGE_TEST_TOKEN\"]\n[model]\n")));
    let done: ProgramOutput = run.command().env("SPARKGAUGE_TEST_TOKEN", secret).output().unwrap().into();
    check(&done, 3, &["exit code 7", "the token is [redacted]"]);
    assert!(!done.stderr.contains(secret));
    for entry in fs::read_dir(run.out()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(secret));
    }
    let text = format!("{:?}", run.record());
    assert!(text.contains("SPARKGAUGE_TEST_TOKEN") && !text.contains(secret));
    let done: ProgramOutput = run.command().output().unwrap().into();
    check(&done, 3, &["exists already"]);
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Processes whose parent is `pid`.
fn children(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = |child: &u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok())
    };
    pids.filter(|child| parent(child) == Some(pid)).collect()
}

/// Waits for what follows within seconds.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let so = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        is_so()
    });
    assert!(so, "not so: {what}");
}
