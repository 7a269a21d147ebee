//! Whatever ends us, nothing of an engine is left: not after a panic, and after a kill not for longer than until the next run.

use std::{panic::AssertUnwindSafe, process::Stdio};

use harness::engine::container::{connect, remove_orphans};

use super::*;

#[test]
#[ignore = "needs Docker"]
fn a_panic_leaves_nothing() {
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
fn one_that_is_dropped_outside_of_any_runtime_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let running = in_real_time(async { engine(folder.path(), SERVE, "").start(0).await.unwrap() });
    assert_eq!(left(folder.path()), 1);
    drop(running);
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn one_that_another_removes_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let running = engine(folder.path(), SERVE, "").start(0).await.unwrap();
        let run = folder.path().file_name().unwrap().to_string_lossy();
        let id = image::docker(&["ps", "--quiet", "--filter", &format!("label=sparkgauge.run={run}")]).stdout;
        assert!(image::docker(&["rm", "--force", String::from_utf8(id).unwrap().trim()]).status.success());
        let how = running.died().await;
        // Killed first, then removed: either may be seen.
        assert!(["it was removed by somebody else", "exit code 137 (SIGKILL)"].contains(&how.as_str()), "{how}");
        assert_eq!(running.stop().await, format!("had ended before: {how}"));
    });
    assert_eq!(left(folder.path()), 0);
}

/// A container with the labels of an owner.
fn labelled(run: &str, pid: u32, start: u64) -> String {
    let labels = [format!("sparkgauge.run={run}"), format!("sparkgauge.pid={pid}"), format!("sparkgauge.pid-start={start}")];
    let mut arguments = vec!["run", "--detach", "--entrypoint", "/bin/sleep"];
    arguments.extend(labels.iter().flat_map(|label| ["--label", label.as_str()]));
    arguments.extend([image::simulated(), "600"]);
    let made = image::docker(&arguments);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs Docker"]
fn what_a_kill_left_is_removed_and_what_lives_is_not() {
    let mut child = std::process::Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
    let (dead, dead_start) = (child.id(), harness::engine::group::start_ticks(child.id()).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    let us = std::process::id();
    let start = harness::engine::group::start_ticks(us).unwrap();
    let run = format!("leftovers-{us}");
    // Of one that is dead, of a namesake of ours that lived before us, and ours.
    let orphans = [labelled(&run, dead, dead_start), labelled(&run, us, start - 1)];
    let ours = labelled(&run, us, start);
    let said = in_real_time(async { remove_orphans(&connect().await.unwrap()).await.unwrap() });
    for id in &orphans {
        let words = format!("container {} of run {run}, left by process ", &id[..12]);
        assert!(said.iter().any(|line| line.starts_with(&words)), "{said:?}");
        assert!(!image::docker(&["inspect", id]).status.success());
    }
    assert!(image::docker(&["inspect", &ours]).status.success(), "ours was removed");
    assert!(!said.iter().any(|line| line.contains(&ours[..12])), "{said:?}");
    assert!(image::docker(&["rm", "--force", "--volumes", &ours]).status.success());
}
