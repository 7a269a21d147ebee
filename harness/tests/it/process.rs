//! Engines as processes: how they fail to boot, and that nothing of them is left.

use std::{net::TcpListener, os::unix::process::CommandExt, path::Path, process::Command, rc::Rc, time::Duration};

use harness::{
    clock::RealClock,
    engine::{
        Engine, EngineError, EngineInstance, group,
        placeholders::Placeholders,
        process::{ProcessEngine, RunningProcess, kill_orphan},
        readiness::{BootTimes, wait_until_ready},
    },
    http::HttpOptions,
    run_lock::{LockHolder, OrphanedEngine, RunLock},
    stop::stop_pair,
};

fn engine(script: &str, port: u16, log_dir: &Path) -> ProcessEngine {
    let text = format!(
        r#"
name = "scripted"
engine = "other"
dialect = "openai"
[model]
id = "tiny"
[process]
command = ["sh", "-c", '''{script}''', "${{PORT}}"]
port = {port}
stop_grace_s = 0
"#
    );
    let recipe = record::recipe::parse(&text, "scripted.toml", "scripted").unwrap();
    let placeholders = Placeholders { recipes: log_dir.to_path_buf(), testbed: None, ..Placeholders::default() };
    ProcessEngine::new(recipe, placeholders, log_dir.to_path_buf(), vec!["hunter2-hunter2".to_owned()], HttpOptions::default())
        .unwrap()
}

fn in_real_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn boot(script: &str, log_dir: &Path, timeout_s: u32) -> (RunningProcess, Result<BootTimes, EngineError>) {
    let running = engine(script, 0, log_dir).start(0).await.unwrap();
    let (_source, stop) = stop_pair();
    let ready = wait_until_ready(&running, &RealClock::start(), "tiny", timeout_s, &stop).await;
    (running, ready)
}

/// Processes whose command line holds a word that only this test uses.
fn alive(word: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes.filter(|entry| std::fs::read_to_string(entry.path().join("cmdline")).is_ok_and(|line| line.contains(word))).count()
}

/// Waits a little for what other processes do.
fn comes_true(condition: impl Fn() -> bool) -> bool {
    (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        condition()
    })
}

#[test]
fn process_exiting_at_once_is_reported_with_redacted_log() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let (running, ready) = boot("echo 'no such model, token hunter2-hunter2' >&2; exit 7", folder.path(), 60).await;
        let message = ready.unwrap_err().to_string();
        assert_eq!(message, "the engine ended before it was ready: exit code 7\nno such model, token [redacted]");
        assert_eq!(running.stop().await, "had ended before: exit code 7");
    });
    let log = std::fs::read_to_string(folder.path().join("engine-boot0.log")).unwrap();
    assert_eq!(log, "no such model, token [redacted]\n");
}

#[test]
fn process_never_answering_is_killed_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        // Deaf to SIGTERM, with a child of its own.
        let (running, ready) = boot("trap '' TERM; sleep 31.4159 & sleep 31.4159", folder.path(), 0).await;
        let message = ready.unwrap_err().to_string();
        assert!(message.starts_with("the engine gave no token within 0 s"), "{message}");
        // The shell and its two children; they may not have got so far yet.
        assert!(comes_true(|| alive("31.4159") == 3));
        assert_eq!(running.stop().await, "killed after 0 s of not stopping: killed by signal 9");
    });
    assert!(comes_true(|| alive("31.4159") == 0));
}

#[test]
fn cpu_time_of_process_covers_its_group() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        // A child that works, and its parent that waits.
        let busy = "sh -c \"while :; do :; done\" & wait";
        let running = engine(busy, 0, folder.path()).start(0).await.unwrap();
        let mut used_ns = None;
        for _ in 0..400 {
            used_ns = running.cpu_ns().await;
            if used_ns.is_some_and(|ns| ns >= 30_000_000) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(used_ns.is_some_and(|ns| (30_000_000..60_000_000_000).contains(&ns)), "{used_ns:?}");
        running.stop().await;
    });
    in_real_time(async {
        let running = engine("exit 0", 0, folder.path()).start(0).await.unwrap();
        running.died().await;
        assert_eq!(running.cpu_ns().await, None, "nothing is left of it");
    });
}

#[test]
fn dropped_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let running = engine("sleep 27.1828", 0, folder.path()).start(0).await.unwrap();
        assert!(comes_true(|| alive("27.1828") > 0));
        drop(running);
        // The kernel reaps it a moment later, through the task that waits for it.
        for _ in 0..200 {
            if alive("27.1828") == 0 {
                return;
            }
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it is still there");
    });
}

#[test]
fn taken_port_is_refused_before_boot() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = in_real_time(engine("true", port, folder.path()).start(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "port {port} of 127.0.0.1 is in use: stop what listens there, or set `port = 0` in [process] to have a free one chosen"
        )
    );
}

#[test]
fn missing_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = {
        let text = "name = \"x\"\nengine = \"other\"\ndialect = \"openai\"\n[model]\nid = \"m\"\n[process]\ncommand = [\"no-such-program-here\", \"${PORT}\"]\n";
        let recipe = record::recipe::parse(text, "x.toml", "x").unwrap();
        let placeholders = Placeholders { recipes: folder.path().to_path_buf(), testbed: None, ..Placeholders::default() };
        ProcessEngine::new(recipe, placeholders, folder.path().to_path_buf(), Vec::new(), HttpOptions::default()).unwrap()
    };
    let error = in_real_time(engine.start(0)).unwrap_err().to_string();
    assert!(error.starts_with("cannot run `no-such-program-here`: "), "{error}");
}

#[test]
fn lock_notes_the_engine_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let holder = LockHolder { pid: 1, command: "x".to_owned(), run_folder: "y".to_owned() };
    let lock = Rc::new(RunLock::take(&path, holder).unwrap());
    let noted = || std::fs::read_to_string(&path).unwrap();
    in_real_time(async {
        let mut engine = engine("sleep 16.1803", 0, folder.path()).with_lock(Rc::clone(&lock));
        let running = engine.start(0).await.unwrap();
        assert!(noted().contains("\"engine\":{\"group\":"), "{}", noted());
        running.stop().await;
        assert!(noted().contains("\"engine\":null"), "{}", noted());
    });
}

#[test]
fn orphaned_process_is_killed_only_if_identified() {
    let spawn = |mark: Option<&str>| {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 14.1421 & sleep 14.1421"]).process_group(0);
        mark.map(|mark| command.env(mark, "1"));
        let child = command.spawn().unwrap();
        let start_ticks = group::start_ticks(child.id()).unwrap();
        (OrphanedEngine { group: child.id(), start_ticks }, child)
    };
    let (left, mut child) = spawn(Some(group::MARK));
    assert!(comes_true(|| group::members(left.group).len() == 3));
    assert_eq!(
        kill_orphan(&OrphanedEngine { start_ticks: left.start_ticks + 1, ..left }),
        None,
        "a later process of the same id"
    );
    let description = kill_orphan(&left).unwrap();
    assert_eq!(
        description,
        format!("an engine that an earlier run left, process group {} of 3 processes, was killed", left.group)
    );
    assert_eq!(kill_orphan(&left), None, "it is gone");
    child.wait().unwrap();
    let (unmarked, mut child) = spawn(None);
    assert_eq!(kill_orphan(&unmarked), None, "nothing says that it was an engine");
    let group = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    child.wait().unwrap();
}
