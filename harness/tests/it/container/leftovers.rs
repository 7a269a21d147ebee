//! Whatever ends us, nothing of an engine is left: not after a panic, and after a kill not for longer than until the next run.

use std::{
    fs, io,
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    panic::AssertUnwindSafe,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use harness::engine::container::{connect, remove_orphans};

use super::*;

#[test]
#[ignore = "needs Docker"]
fn container_is_removed_after_panic() {
    let folder = tempfile::tempdir().unwrap();
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        in_real_time(async {
            let _running = engine(folder.path(), SERVE, "").start(0).await.unwrap();
            assert_eq!(left(folder.path()), 1);
            panic!("on purpose");
        });
    }));
    let why = panicked.unwrap_err();
    assert_eq!(why.downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn container_dropped_outside_runtime_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let running = in_real_time(async { engine(folder.path(), SERVE, "").start(0).await.unwrap() });
    assert_eq!(left(folder.path()), 1);
    drop(running);
    assert_eq!(left(folder.path()), 0);
}

/// Runs a test of this program as a program of its own, with this in its environment.
fn run_apart(name: &str, variables: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &format!("container::leftovers::{name}"), "--include-ignored"]);
    let child = child.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&child.stderr));
}

#[test]
#[ignore = "needs Docker"]
fn testcontainers_keep_variable_is_ignored() {
    run_apart("container_is_removed_after_panic", &[("TESTCONTAINERS_COMMAND", "keep")]);
}

fn id(run_folder: &Path) -> String {
    let run = run_folder.file_name().unwrap().to_string_lossy();
    let id = image::docker(&["ps", "--quiet", "--filter", &format!("label=sparkgauge.run={run}")]).stdout;
    String::from_utf8(id).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs Docker"]
fn externally_restarted_container_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let running = engine(folder.path(), SERVE, "").start(0).await.unwrap();
        ready(&running, 60).await.unwrap();
        assert!(image::docker(&["restart", &id(folder.path())]).status.success());
        let how = running.died().await;
        // It ends first, then it starts: either may be seen.
        assert!(["it was restarted from outside", "exit code 0"].contains(&how.as_str()), "{how}");
        assert_eq!(running.stop().await, format!("had ended before: {how}"));
    });
    assert_eq!(left(folder.path()), 0);
}

/// A daemon that can be lost: a socket that leads to the real one's.
struct Proxy {
    socket: PathBuf,
    is_open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    fn new(socket: PathBuf) -> Self {
        let proxy = Self { socket, is_open: Arc::new(AtomicBool::new(true)), streams: Arc::default() };
        let listener = UnixListener::bind(&proxy.socket).unwrap();
        let (is_open, streams) = (Arc::clone(&proxy.is_open), Arc::clone(&proxy.streams));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if !is_open.load(Ordering::Relaxed) {
                    continue;
                }
                let daemon = UnixStream::connect("/var/run/docker.sock").unwrap();
                for (from, to) in [(&client, &daemon), (&daemon, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                streams.lock().unwrap().extend([client, daemon]);
            }
        });
        proxy
    }

    fn lose(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn find(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }
}

/// Not a test of its own: the one below runs it with a Docker that it can lose.
#[test]
#[ignore = "needs Docker"]
fn child_losing_docker() {
    let Some(socket) = std::env::var_os("SPARKGAUGE_TEST_SOCKET") else { return };
    let proxy = Proxy::new(socket.into());
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let clock = RealClock::start();
        let pause = async |s: u64| clock.sleep_until(clock.now_ns() + s * 1_000_000_000).await;
        let mut engine = engine(folder.path(), SERVE, "");
        let running = engine.start(0).await.unwrap();
        ready(&running, 60).await.unwrap();
        // For a second, long after the wait for its end began: nothing has ended.
        pause(1).await;
        proxy.lose();
        pause(1).await;
        proxy.find();
        assert!(tokio::time::timeout(Duration::from_secs(3), running.died()).await.is_err());
        // For good: that is said, and whoever comes back to it finds it running and ends it in order.
        proxy.lose();
        let died = running.died().await;
        assert!(died.starts_with("Docker stopped answering: "), "{died}");
        assert_eq!(left(folder.path()), 1);
        proxy.find();
        let stopped = running.stop().await;
        assert!(stopped.starts_with("stopped when asked after ") && stopped.contains(" s: exit code 0; its log "), "{stopped}");
        assert_eq!(left(folder.path()), 0);
        // Never found again: what may be left is said, and so how to remove it.
        let running = engine.start(1).await.unwrap();
        let id = id(folder.path());
        proxy.lose();
        let stopped = running.stop().await;
        assert!(stopped.starts_with("could not be stopped, since Docker stopped answering: "), "{stopped}");
        assert!(stopped.ends_with(&format!("; container {id} may be left: docker rm -f {id}")), "{stopped}");
        assert!(image::docker(&["rm", "--force", "--volumes", &id]).status.success());
    });
}

#[test]
#[ignore = "needs Docker"]
fn lost_daemon_is_not_an_engine_exit() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let socket = socket.to_str().unwrap();
    run_apart("child_losing_docker", &[("DOCKER_HOST", &format!("unix://{socket}")), ("SPARKGAUGE_TEST_SOCKET", socket)]);
}

#[test]
#[ignore = "needs Docker"]
fn externally_removed_container_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let running = engine(folder.path(), SERVE, "").start(0).await.unwrap();
        assert!(image::docker(&["rm", "--force", &id(folder.path())]).status.success());
        let how = running.died().await;
        // Killed first, then removed: either may be seen.
        assert!(["it was removed from outside", "exit code 137 (SIGKILL)"].contains(&how.as_str()), "{how}");
        assert_eq!(running.stop().await, format!("had ended before: {how}"));
    });
    assert_eq!(left(folder.path()), 0);
}

/// Where a process id means something, as labels say it: of this machine, but for the parts that are given.
fn place(boot: Option<&str>, namespace: Option<&str>) -> String {
    let line = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let machine = Some(line("/etc/machine-id")).filter(|id| !id.is_empty()).unwrap_or_else(|| "none".to_owned());
    let boot = boot.map_or_else(|| line("/proc/sys/kernel/random/boot_id"), str::to_owned);
    let ours = || fs::read_link("/proc/self/ns/pid").unwrap().display().to_string();
    format!("{machine}/{boot}/{}", namespace.map_or_else(ours, str::to_owned))
}

/// A container with the labels of an owner.
fn labelled(run: &str, pid: u32, start: u64, place: &str) -> String {
    let labels = [
        format!("sparkgauge.run={run}"),
        format!("sparkgauge.pid={pid}"),
        format!("sparkgauge.pid-start={start}"),
        format!("sparkgauge.place={place}"),
    ];
    let mut arguments = vec!["run", "--detach", "--entrypoint", "/bin/sleep"];
    arguments.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
    arguments.extend([image::simulated(), "600"]);
    let made = image::docker(&arguments);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs Docker"]
fn orphaned_containers_are_removed_and_live_ones_kept() {
    let mut child = std::process::Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
    let (dead, dead_start) = (child.id(), harness::engine::group::start_ticks(child.id()).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    let us = std::process::id();
    let start = harness::engine::group::start_ticks(us).unwrap();
    let run = format!("leftovers-{us}");
    // Of one that is dead, of a namesake of ours that lived before us, and ours.
    let here = place(None, None);
    let mut orphans = vec![labelled(&run, dead, dead_start, &here), labelled(&run, us, start - 1, &here)];
    if !here.starts_with("none/") {
        // Of one that lived before this machine was started anew, whoever has its id now.
        orphans.push(labelled(&run, us, start, &place(Some("earlier"), None)));
    }
    let ours = labelled(&run, us, start, &here);
    // Of one that is not seen from here.
    let theirs = labelled(&run, dead, dead_start, &place(None, Some("pid:[1]")));
    let said = in_real_time(async { remove_orphans(&connect().await.unwrap()).await.unwrap() });
    for id in &orphans {
        let words = format!("removed container {} of run {run}, left by process ", &id[..12]);
        assert!(said.iter().any(|line| line.starts_with(&words)), "{said:?}");
        assert!(!image::docker(&["inspect", id]).status.success());
    }
    for id in [&ours, &theirs] {
        assert!(image::docker(&["inspect", id]).status.success(), "one that may live was removed");
        assert!(!said.iter().any(|line| line.contains(&id[..12])), "{said:?}");
        assert!(image::docker(&["rm", "--force", "--volumes", id]).status.success());
    }
}
