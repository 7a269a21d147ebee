//! Every way in which Docker fails to boot an engine, and that each has its words, its exit code, and leaves nothing behind.

use std::{
    fs::{self, Permissions},
    os::unix::{fs::PermissionsExt, net::UnixListener, process::CommandExt},
    process::Command,
};

use super::*;

/// Boots, and expects that Docker does not.
fn refused(mut engine: ContainerEngine, run_folder: &Path) -> (DockerError, ExitCode) {
    let error = in_real_time(engine.start(0)).unwrap_err();
    assert_eq!(left(run_folder), 0, "{error}");
    let code = error.exit_code();
    assert!(!error.to_string().contains(SECRET));
    match error {
        EngineError::Docker(error) => (error, code),
        other => panic!("{other}"),
    }
}

fn refused_lines(lines: &str) -> (DockerError, ExitCode) {
    let folder = tempfile::tempdir().unwrap();
    refused(engine(folder.path(), &format!("{lines}{SERVE}"), ""), folder.path())
}

#[test]
#[ignore = "needs Docker"]
fn missing_image_is_not_pulled() {
    let folder = tempfile::tempdir().unwrap();
    let name = "sparkgauge-test/no-such-image:1";
    let (error, code) = refused(named(name, folder.path(), SERVE, ""), folder.path());
    assert_eq!(error, DockerError::ImageMissing { image: name.to_owned(), how: format!("`docker pull {name}` gets it") });
    assert_eq!(code, ExitCode::Engine);
}

#[test]
#[ignore = "needs Docker"]
fn image_of_another_digest_is_refused_and_matching_id_accepted() {
    let another = format!("sha256:{}", "0".repeat(64));
    let (error, code) = refused_lines(&format!("digest = \"{another}\"\n"));
    assert!(matches!(&error, DockerError::ImageDiffers { wanted, .. } if *wanted == another), "{error}");
    assert_eq!(code, ExitCode::Engine);
    let id = image::docker(&["image", "inspect", "--format", "{{.Id}}", image::simulated()]).stdout;
    let id = String::from_utf8(id).unwrap().trim().to_owned();
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let lines = format!("digest = \"{id}\"\n{SERVE}");
        // By a tag that is not there: the digest alone says which image is meant.
        let running = named("sparkgauge-test/simulated:moved", folder.path(), &lines, "").start(0).await.unwrap();
        running.stop().await;
    });
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn container_image_for_another_platform_is_refused() {
    let other = if cfg!(target_arch = "x86_64") { "linux/arm64" } else { "linux/amd64" };
    let (error, code) = refused_lines(&format!("platform = \"{other}\"\n"));
    assert!(matches!(&error, DockerError::WrongPlatform { wanted, .. } if wanted == other), "{error}");
    assert_eq!(code, ExitCode::Engine);
}

#[test]
#[ignore = "needs Docker"]
fn gpus_on_machine_without_gpu_are_refused() {
    if Path::new("/dev/nvidiactl").exists() {
        // There is one, and then this is not a failure.
        return;
    }
    let (error, code) = refused_lines("gpus = \"all\"\n");
    assert!(matches!(error, DockerError::NoGpu { .. }), "{error}");
    assert_eq!(code, ExitCode::Engine);
}

#[test]
#[ignore = "needs Docker"]
fn ulimit_above_host_maximum_is_refused() {
    // Above what the kernel allows anyone (fs.nr_open), so that it is refused on every host.
    let (error, code) = refused_lines("ulimits = { nofile = { soft = 2000000000, hard = 2000000000 } }\n");
    assert!(matches!(&error, DockerError::UlimitRefused { limit, .. } if limit == "`nofile`"), "{error}");
    assert_eq!(code, ExitCode::Engine);
    let (error, code) = refused_lines("ulimits = { unicorns = { soft = 1, hard = 1 } }\n");
    assert!(matches!(error, DockerError::BadContainer { .. }), "{error}");
    assert_eq!(code, ExitCode::Usage);
}

#[test]
#[ignore = "needs Docker"]
fn program_missing_from_image_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (error, code) = refused(engine(folder.path(), "entrypoint = [\"no-such-program\"]", ""), folder.path());
    assert!(matches!(&error, DockerError::BadContainer { words } if words.contains("no-such-program")), "{error}");
    assert_eq!(code, ExitCode::Usage);
}

#[test]
#[ignore = "needs Docker"]
fn missing_mount_source_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!("mounts = [{{ source = \"${{RECIPES}}/none\", target = \"/m\" }}]\n{SERVE}");
    let (error, code) = refused(engine(folder.path(), &lines, ""), folder.path());
    assert!(matches!(&error, DockerError::MountMissing { path, .. } if path.ends_with("/none")), "{error}");
    assert_eq!(code, ExitCode::Usage);
}

#[test]
#[ignore = "needs Docker"]
fn taken_port_is_refused_before_boot() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = in_real_time(engine(folder.path(), &format!("host_port = {port}\n{SERVE}"), "").start(0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "port {port} of 127.0.0.1 is in use: stop what listens there, or set `host_port = 0` in [container] to have a free one chosen"
        )
    );
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn container_with_too_little_memory_is_refused_before_boot() {
    let folder = tempfile::tempdir().unwrap();
    let error = in_real_time(engine(folder.path(), SERVE, "[limits]\nmemory_gib = 100000").start(0)).unwrap_err();
    assert!(error.to_string().starts_with("recipe `contained` needs 100000 GiB of memory, and "), "{error}");
}

#[test]
#[ignore = "needs Docker"]
fn engine_exit_ends_the_wait_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        let running = engine(folder.path(), "command = [\"--no-such-flag\"]", "").start(0).await.unwrap();
        let clock = RealClock::start();
        let error = ready(&running, 600).await.unwrap_err();
        assert!(clock.now_ns() < 10_000_000_000, "{} ns", clock.now_ns());
        assert_eq!(error.exit_code(), ExitCode::Engine);
        let message = error.to_string();
        assert!(
            message.starts_with("the engine ended before it was ready: exit code 2\nerror: unexpected argument '--no-such-flag'"),
            "{message}"
        );
        running.stop().await;
    });
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn delayed_log_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        // Much at once, and why it ends after it.
        let running =
            engine(folder.path(), &script("head -c 30000000 /dev/zero; echo; echo why; exit 7"), "").start(0).await.unwrap();
        assert_eq!(running.died().await, "exit code 7");
        assert!(running.log_tail().ends_with("\nwhy"), "{}", running.log_tail().len());
        assert_eq!(running.stop().await, "had ended before: exit code 7");
    });
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn container_over_memory_limit_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    in_real_time(async {
        // `tail` holds the whole of a line that never ends.
        let lines = format!("{}memory_limit_mib = 32\n", script("echo loading; exec tail -n 1 /dev/zero"));
        let running = engine(folder.path(), &lines, "").start(0).await.unwrap();
        let message = ready(&running, 600).await.unwrap_err().to_string();
        assert_eq!(
            message,
            "the engine ended before it was ready: killed: out of its memory limit of 32 MiB, exit code 137 (SIGKILL)\nloading"
        );
        running.stop().await;
    });
    assert_eq!(left(folder.path()), 0);
}

#[test]
#[ignore = "needs Docker"]
fn full_disk_is_reported_at_stop_without_ending_the_run() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("engine-boot0.log")).unwrap();
    in_real_time(async {
        let running = engine(folder.path(), SERVE, "").start(0).await.unwrap();
        ready(&running, 60).await.unwrap();
        // The daemon passes the log on when it gets round to it, which may be after the first answer.
        let clock = RealClock::start();
        while running.log_tail().is_empty() && clock.now_ns() < 10_000_000_000 {
            clock.sleep_until(clock.now_ns() + 20_000_000).await;
        }
        assert!(running.log_tail().starts_with("simulated Spark: http://"), "{}", running.log_tail());
        let stopped = running.stop().await;
        assert!(stopped.ends_with("exit code 0; its log is not whole: No space left on device (os error 28)"), "{stopped}");
    });
    assert_eq!(left(folder.path()), 0);
}

/// Not a test of its own: the ones below run it with a Docker that is elsewhere.
#[test]
#[ignore = "needs Docker"]
fn child_without_docker() {
    let Some(expected) = std::env::var_os("SPARKGAUGE_TEST_EXPECTS") else { return };
    let folder = tempfile::tempdir().unwrap();
    let error = in_real_time(named("x:1", folder.path(), SERVE, "").start(0)).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Engine);
    let (error, expected) = (error.to_string(), expected.to_string_lossy());
    assert!(error.contains(&*expected), "{error}");
}

/// Runs the one above with this program and this socket.
fn run_child(program: &Path, socket: &Path, user: Option<u32>, expects: &str) {
    let mut child = Command::new(program);
    child.args(["--exact", "container::failures::child_without_docker", "--ignored"]);
    child.env("DOCKER_HOST", format!("unix://{}", socket.display())).env("SPARKGAUGE_TEST_EXPECTS", expects);
    user.map(|user| child.uid(user).gid(user).current_dir("/"));
    // A program that was just copied is busy for as long as a child of another test, not yet a program itself, has it open too.
    let ran = (0..100).find_map(|_| match child.output() {
        Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
            std::thread::sleep(Duration::from_millis(10));
            None
        }
        ran => Some(ran.unwrap()),
    });
    let child = ran.unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

#[test]
#[ignore = "needs Docker"]
fn unreachable_daemon_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (program, socket) = (std::env::current_exe().unwrap(), folder.path().join("docker.sock"));
    let expects = format!("Docker does not answer (there is no {}): install Docker Engine", socket.display());
    run_child(&program, &socket, None, &expects);
    // A socket that nobody listens to any more.
    drop(UnixListener::bind(&socket).unwrap());
    run_child(&program, &socket, None, "Docker does not answer (Connection refused (os error 111)): install Docker Engine");
    // One that listens and says nothing.
    fs::remove_file(&socket).unwrap();
    let _daemon = UnixListener::bind(&socket).unwrap();
    run_child(&program, &socket, None, "Docker does not answer (it did not answer within 15 s): install Docker Engine");
}

#[test]
#[ignore = "needs Docker"]
fn forbidden_daemon_socket_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (program, socket) = (folder.path().join("program"), folder.path().join("docker.sock"));
    let _daemon = UnixListener::bind(&socket).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    // Root may do everything, so it asks as somebody else, who must find a program to run.
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (path, bits) in [(folder.path(), 0o755), (&program, 0o755), (&socket, 0o000)] {
        mode(path, bits);
    }
    let nobody = rustix::process::geteuid().is_root().then_some(65_534);
    run_child(&program, &socket, nobody, "Docker's socket may not be used by this user (Permission denied (os error 13))");
}
