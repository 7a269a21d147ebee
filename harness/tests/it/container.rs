//! Engines in containers, by the real Docker daemon: boots, failures, and that nothing of them is left.

use std::{net::TcpListener, path::Path, time::Duration};

use harness::{
    clock::{Clock, RealClock},
    engine::{
        DockerError, Engine, EngineError, EngineInstance,
        container::{ContainerEngine, RunningContainer},
        placeholders::Placeholders,
        readiness::{BootTimes, wait_until_ready},
    },
    http::HttpOptions,
    stop::stop_pair,
};
use record::{DeviceKind, ExitCode, Launch};

mod failures;
mod image;
mod leftovers;

const SECRET: &str = "hunter2-hunter2";

/// An engine of the simulated Spark's image, with these lines of `[container]`, and more lines of the recipe.
fn engine(run_folder: &Path, lines: &str, more: &str) -> ContainerEngine {
    named(image::simulated(), run_folder, lines, more)
}

fn named(image: &str, run_folder: &Path, lines: &str, more: &str) -> ContainerEngine {
    let gpus = if lines.contains("gpus") { "" } else { "gpus = \"none\"" };
    let text = format!(
        "name = \"contained\"\nengine = \"simulated\"\ndialect = \"simulated\"\nsecrets = [\"HF_TOKEN\"]\n[model]\n\
         id = \"simulated-gpt-oss-120b\"\nsource = \"owner/name\"\n{more}\n[container]\nimage = \"{image}\"\nport = 8000\n{gpus}\n{lines}\n"
    );
    let recipe = record::recipe::parse(&text, "contained.toml", "contained").unwrap();
    let placeholders = Placeholders { recipes: run_folder.to_path_buf(), ..Placeholders::default() };
    let secrets = vec![("HF_TOKEN".to_owned(), SECRET.to_owned())];
    ContainerEngine::new(recipe, placeholders, run_folder.to_path_buf(), secrets, HttpOptions::default()).unwrap()
}

/// Arguments that the simulated Spark is fast with.
const SERVE: &str = "command = [\"--port\", \"${PORT}\", \"--speed\", \"100\"]\n";

/// A shell script in place of the server.
fn script(text: &str) -> String {
    format!("entrypoint = [\"/bin/sh\", \"-c\"]\ncommand = ['''{text}''']\n")
}

fn in_real_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn ready(running: &RunningContainer, timeout_s: u32) -> Result<BootTimes, EngineError> {
    let (_source, stop) = stop_pair();
    wait_until_ready(running, &RealClock::start(), "simulated-gpt-oss-120b", timeout_s, &stop).await
}

/// Containers with the label of this run, running or not.
fn left(run_folder: &Path) -> usize {
    let run = run_folder.file_name().unwrap().to_string_lossy();
    let found = image::docker(&["ps", "--all", "--quiet", "--filter", &format!("label=sparkgauge.run={run}")]);
    assert!(found.status.success());
    String::from_utf8(found.stdout).unwrap().lines().count()
}

fn log(run_folder: &Path) -> String {
    std::fs::read_to_string(run_folder.join("engine-boot0.log")).unwrap()
}

/// Waits until the log holds a text: before that, a signal would meet what prepares the container.
async fn logged(run_folder: &Path, text: &str) {
    let clock = RealClock::start();
    while !log(run_folder).contains(text) {
        assert!(clock.now_ns() < 10_000_000_000, "`{text}` is not in: {}", log(run_folder));
        clock.sleep_until(clock.now_ns() + 20_000_000).await;
    }
}

#[test]
#[ignore = "needs Docker"]
fn container_boots_answers_is_identified_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let mut engine = engine(folder.path(), SERVE, "");
        assert_eq!(engine.launch(), Launch::Container);
        let running = engine.start(0).await.unwrap();
        assert_eq!(left(folder.path()), 1);
        ready(&running, 60).await.unwrap();
        assert_eq!(running.command().join(" "), "/usr/bin/simulated-spark --host 0.0.0.0 --port 8000 --speed 100");
        let identity = running.identity().await.unwrap();
        let pids = running.pids().await.unwrap();
        let command = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(pids.len() == 1 && command(&pids[0]).contains("simulated-spark"), "{pids:?}");
        assert!(running.cpu_ns().await.is_some_and(|ns| (1..60_000_000_000).contains(&ns)));
        let image = identity.image.unwrap();
        assert_eq!((image.name.as_str(), image.digests.len()), (image::simulated(), 0));
        assert!(record::recipe::is_digest(&image.id) && image.platform.starts_with("linux/"), "{image:?}");
        let device = identity.device.unwrap();
        assert_eq!((device.kind, device.proof.as_str()), (DeviceKind::Cpu, "no GPU was given to it"));
        assert!(!format!("{running:?}").contains(SECRET));
        let stopped = running.stop().await;
        assert!(stopped.starts_with("stopped when asked after 0.") && stopped.ends_with(" s: exit code 0"), "{stopped}");
        // Once more from the same engine, as a second boot does.
        let running = engine.start(1).await.unwrap();
        ready(&running, 60).await.unwrap();
        running.stop().await;
    });
    assert_eq!(left(folder.path()), 0);
    assert!(log(folder.path()).starts_with("simulated Spark: http://0.0.0.0:8000\n"));
    assert!(folder.path().join("engine-boot1.log").exists());
}

#[test]
#[ignore = "needs Docker"]
fn container_gets_recipe_settings_and_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("read.me"), "mounted").unwrap();
    let lines = "env = { MODEL = \"${MODEL}@${REVISION}\" }\nmounts = [{ source = \"${RECIPES}\", target = \"/m\" }]\n\
                 shm_mib = 32\nmemory_limit_mib = 256\nulimits = { nofile = { soft = 1000, hard = 1001 } }\n";
    let asks = "echo $MODEL; head -c 7 /m/read.me; echo; echo > /m/read.me; ulimit -Sn; ulimit -Hn; echo $HF_TOKEN; \
                head -n 1 /proc/1/environ > /dev/null; exec sleep 60";
    in_real_time(async {
        let running = engine(folder.path(), &format!("{}{lines}stop_grace_s = 0\n", script(asks)), "").start(0).await.unwrap();
        let run = folder.path().file_name().unwrap().to_string_lossy();
        let format = "{{json .HostConfig}} {{json .Config.Labels}}";
        let id = image::docker(&["ps", "--quiet", "--filter", &format!("label=sparkgauge.run={run}")]).stdout;
        let id = String::from_utf8(id).unwrap();
        let shown = String::from_utf8(image::docker(&["inspect", "--format", format, id.trim()]).stdout).unwrap();
        for part in [
            "\"HostIp\":\"127.0.0.1\"",
            "\"Memory\":268435456,",
            "\"MemorySwap\":268435456,",
            "\"ShmSize\":33554432",
            "\"IpcMode\":\"private\"",
            &format!("\"sparkgauge.pid\":\"{}\"", std::process::id()),
            "\"sparkgauge.boot\":\"0\"",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        logged(folder.path(), "[redacted]").await;
        running.stop().await;
    });
    let log = log(folder.path());
    let lines: Vec<_> = log.lines().filter(|line| !line.contains("Read-only file system")).collect();
    assert_eq!(lines, ["owner/name@main", "mounted", "1000", "1001", "[redacted]"], "{log}");
    assert!(log.contains("Read-only file system"), "{log}");
    assert_eq!(std::fs::read_to_string(folder.path().join("read.me")).unwrap(), "mounted");
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn container_ignoring_stop_is_killed_after_grace() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        // The first process of a container hears no signal that it did not ask for.
        let lines = script("echo begun; sleep 100; true");
        let running = engine(folder.path(), &format!("{lines}stop_grace_s = 1\n"), "").start(0).await.unwrap();
        let message = ready(&running, 0).await.unwrap_err().to_string();
        assert!(message.starts_with("the engine gave no token within 0 s"), "{message}");
        logged(folder.path(), "begun").await;
        assert_eq!(running.stop().await, "killed after 1 s of not stopping: exit code 137 (SIGKILL)");
    });
    assert_eq!(left(folder.path()), 0);
    assert_eq!(log(folder.path()), "begun\n");
}

#[test]
#[ignore = "needs Docker"]
fn container_exit_is_noticed_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let running = engine(folder.path(), &script("echo one; echo two >&2; sleep 0.3; exit 7"), "").start(0).await.unwrap();
        let clock = RealClock::start();
        assert_eq!(running.died().await, "exit code 7");
        assert!(Duration::from_nanos(clock.now_ns()) < Duration::from_millis(2500), "{} ns", clock.now_ns());
        let mut tail: Vec<_> = running.log_tail().lines().map(str::to_owned).collect();
        tail.sort();
        assert_eq!(tail, ["one", "two"]);
        assert_eq!(running.stop().await, "had ended before: exit code 7");
    });
    assert_eq!(left(folder.path()), 0);
}
