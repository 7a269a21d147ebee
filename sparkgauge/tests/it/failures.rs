//! Engines that fail, disks that fill, interrupts. The engine is the simulated Spark as a real process, so that what is tested is the
//! same as with a real one: processes, sockets, signals, files.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use record::EndReason;

use crate::program::{
    ProgramOutput, SIMULATED_SERVER, check, check_gone, command, recipe, record_in, sparkgauge, wait_for_a_trial,
};

/// Measures `chat` in miniature on a recipe.
fn bench(recipe: &str, out: &Path) -> ProgramOutput {
    sparkgauge(&[
        "bench",
        "--no-selftest",
        "--wait",
        "--profile",
        "smoke",
        "--workload",
        "chat",
        "--recipe",
        recipe,
        "--out",
        out.to_str().unwrap(),
    ])
}

fn report(out: &Path) -> String {
    check(&sparkgauge(&["report", out.to_str().unwrap()]), 0, &[]);
    fs::read_to_string(out.join("report.md")).unwrap()
}

fn server(options: &str) -> String {
    format!("{} --port ${{PORT}} {options}", SIMULATED_SERVER.join(" "))
}

#[test]
fn server_is_measured_and_shut_down() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let path = recipe(folder.path(), &["sh", "-c", &format!("exec {}", server("--speed 20 --seed 60221"))], "");
    check(&bench(&path, &out), 0, &[]);
    let record = record_in(&out);
    let end = record.end.unwrap();
    assert_eq!(end.reason, EndReason::Finished);
    assert_eq!(end.engine_stop.as_deref(), Some("boot 0: stopped when asked: exit code 0"));
    for facts in record.trials.iter().map(|trial| &trial.facts) {
        let told = [facts.engine_cpu_ns, facts.machine_cpu_ns, facts.stolen_cpu_ns, facts.swapped_in_bytes];
        assert!(told.iter().all(Option::is_some), "{facts:?}");
    }
    check_gone("60221");
}

#[test]
fn engine_that_exits_at_once_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let path = recipe(folder.path(), &["sh", "-c", "echo out of memory >&2; exit 9", "${PORT}"], "");
    check(&bench(&path, &out), 3, &["ended before it was ready", "exit code 9", "out of memory"]);
    assert!(report(&out).contains("exit code 9"));
}

#[test]
fn engine_that_ends_during_inspection_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    // Around the first token, the sanity check and the sizing: whichever question fails, the engine's end is the reason.
    for delay_s in ["0.2", "0.4", "0.7"] {
        let script = format!("{} & sleep {delay_s}; kill -9 $!; echo an illegal access >&2; exit 9", server("--speed 1"));
        let path = recipe(folder.path(), &["sh", "-c", &script], "");
        check(&bench(&path, &folder.path().join(delay_s)), 3, &["exit code 9", "an illegal access"]);
    }
}

#[test]
fn engine_that_never_becomes_ready_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = recipe(folder.path(), &["sh", "-c", "sleep 14.142135", "${PORT}"], "[ready]\ntimeout_s = 1");
    check(&bench(&path, &folder.path().join("run")), 3, &["no token within 1 s", "timeout_s"]);
    check_gone("14.142135");
}

#[test]
fn port_in_use_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let path = recipe(folder.path(), &["true"], "");
    let text = fs::read_to_string(&path).unwrap().replace("stop_grace_s", &format!("port = {port}\nstop_grace_s"));
    fs::write(&path, text).unwrap();
    check(&bench(&path, &folder.path().join("run")), 3, &[&format!("port {port} of 127.0.0.1 is in use")]);
}

/// A server that gives everyone the same answer.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { continue };
            let mut request = [0; 4096];
            let _ = connection.read(&mut request);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn error_statuses_and_malformed_answers_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let attach = |name: &str, answer: &'static str| {
        let url = format!("http://127.0.0.1:{}", answering(answer));
        let out = folder.path().join(name);
        sparkgauge(&[
            "bench",
            "--no-selftest",
            "--wait",
            "--profile",
            "smoke",
            "--attach",
            &url,
            "--model",
            "m",
            "--out",
            out.to_str().unwrap(),
        ])
    };
    let refusal = |status: &str| -> &'static str {
        let body = r#"{"error":{"message":"nobody home"}}"#;
        let length = body.len();
        Box::leak(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_boxed_str())
    };
    check(&attach("a", refusal("404 Not Found")), 3, &["status 404", "nobody home", "the right URL"]);
    check(&attach("b", refusal("422 Unprocessable")), 3, &["status 422", "dialect `openai`"]);
    check(&attach("c", refusal("500 Oops")), 3, &["status 500", "several times in a row"]);
    let no_sse = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {\"choices\": [oops\n\n";
    check(&attach("d", no_sse), 3, &["bytes that are not the protocol"]);
}

#[test]
fn malformed_streams_are_recorded_and_make_the_trial_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let path =
        recipe(folder.path(), &["sh", "-c", &format!("exec {}", server("--speed 20 --seed 4 --fault malformed-json=0.15"))], "");
    let done = bench(&path, &out);
    check(&done, 4, &[]);
    let record = record_in(&out);
    let words: Vec<_> = record.trials.iter().flat_map(|trial| &trial.observations).map(|seen| seen.outcome.word()).collect();
    assert!(words.contains(&"malformed") && words.contains(&"complete"), "{words:?}");
    assert!(report(&out).contains("invalid"));
}

#[test]
fn engine_that_ends_during_a_trial_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let pid_file = folder.path().join("pid");
    let script = format!("{} & echo $! > '{}'; wait $!; exit 3", server("--speed 1 --seed 16180"), pid_file.display());
    let path = recipe(folder.path(), &["sh", "-c", &script], "");
    let workload =
        ["bench", "--no-selftest", "--wait", "--profile", "smoke", "--workload", "long-output", "--recipe", &path, "--out"];
    let mut child = command(&[&workload[..], &[out.to_str().unwrap()]].concat()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_a_trial(&mut child, &out);
    // Half of the next one: two streams of twice 48 tokens, after a warm-up of half as much.
    std::thread::sleep(Duration::from_secs(3));
    Command::new("kill").args(["-KILL", fs::read_to_string(pid_file).unwrap().trim()]).status().unwrap();
    check(&child.wait_with_output().unwrap().into(), 3, &["the engine ended during long-output/"]);
    let record = record_in(&out);
    assert!(matches!(record.end.unwrap().reason, EndReason::Failed { .. }));
    let last = record.trials.last().unwrap();
    assert!(last.facts.cut_short.as_deref().is_some_and(|why| why.starts_with("the engine ended")));
    check_gone("16180");
    report(&out);
}

#[test]
fn attached_server_that_disappears_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut server = command(&["sim", "serve", "--port", &port, "--speed", "3"]).stderr(Stdio::null()).spawn().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let name = "simulated-gpt-oss-120b";
    let out_word = out.to_str().unwrap();
    let arguments = [
        "bench",
        "--no-selftest",
        "--wait",
        "--profile",
        "smoke",
        "--attach",
        &url,
        "--dialect",
        "simulated",
        "--model",
        name,
        "--out",
        out_word,
    ];
    let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_a_trial(&mut child, &out);
    server.kill().unwrap();
    server.wait().unwrap();
    let done: ProgramOutput = child.wait_with_output().unwrap().into();
    check(&done, 3, &["the engine ended during", "it answers no more"]);
    let record = record_in(&out);
    assert!(matches!(record.end.unwrap().reason, EndReason::Failed { .. }));
    // It may have run on another machine.
    for facts in record.trials.iter().map(|trial| &trial.facts) {
        assert_eq!((facts.engine_cpu_ns, facts.machine_cpu_ns, facts.swapped_in_bytes), (None, None, None));
        assert!(facts.client_cpu_ns.is_some());
    }
    // The one in flight, and at most the one in which it was found out.
    assert!(record.trials.len() < record.header.cells.len());
}

#[test]
fn interrupt_keeps_the_trials() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let path = recipe(folder.path(), &["sh", "-c", &format!("exec {}", server("--speed 3 --seed 26535"))], "");
    let arguments = ["bench", "--no-selftest", "--wait", "--profile", "smoke", "--recipe", &path, "--out", out.to_str().unwrap()];
    let mut child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_a_trial(&mut child, &out);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let done: ProgramOutput = child.wait_with_output().unwrap().into();
    check(&done, 130, &["stopping"]);
    let record = record_in(&out);
    assert_eq!(record.end.as_ref().unwrap().reason, EndReason::Interrupted);
    assert!(!record.trials.is_empty() && record.unreadable_tail.is_none());
    check_gone("26535");
    assert!(report(&out).to_lowercase().contains("interrupted"));
}

#[test]
fn unwritable_folder_is_reported_before_the_boot() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let path = recipe(folder.path(), &["sh", "-c", "touch booted", "${PORT}"], "");
    check(&bench(&path, &file.join("run")), 3, &["cannot write to the run's folder", "--out"]);
    assert!(!folder.path().join("booted").exists());
}

#[test]
fn full_disk_keeps_the_trials_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    // The build is done before, without the limit; then no file may grow past 27 blocks, as if the disk were full:
    // that is in the middle of an open-loop trial, with room for a few hundred bytes before it.
    check(&bench(&recipe(folder.path(), &["true", "${PORT}"], "[ready]\ntimeout_s = 1"), &folder.path().join("warm")), 3, &[]);
    let call = format!(
        "ulimit -f 27; trap '' XFSZ; exec '{}' bench --profile smoke --out '{}'",
        env!("CARGO_BIN_EXE_sparkgauge"),
        out.display()
    );
    let done: ProgramOutput = Command::new("sh").args(["-c", &call]).output().unwrap().into();
    check(&done, 3, &["cannot write", "what was written before is whole and readable"]);
    let record = record_in(&out);
    assert!(!record.trials.is_empty() && record.unreadable_tail.is_none());
    // The end is small enough to fit where the trial did not, and says why there is no more.
    assert!(matches!(record.end.unwrap().reason, EndReason::Failed { .. }));
    assert!(report(&out).contains("smoke"));
}
