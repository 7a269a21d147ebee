//! A tiny image with the simulated Spark in it, made without a registry: the program and the libraries that it needs, in a tar.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use sha2::{Digest, Sha256};

/// The image's name without its tag.
pub(super) const REPOSITORY: &str = "sparkgauge-test/simulated";

/// Marks the image as one that a test made.
const LABEL: &str = "sparkgauge.test";

/// The image's name. It is made once for each build of its program.
pub(super) fn simulated() -> &'static str {
    static MADE: OnceLock<String> = OnceLock::new();
    MADE.get_or_init(|| {
        let program = program();
        let digest = Sha256::digest(fs::read(&program).unwrap());
        let tag = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let name = format!("{REPOSITORY}:{tag}");
        if !docker(&["image", "inspect", &name]).status.success() {
            import(&program, &name);
            // Those of builds long past; what runs is not touched.
            docker(&["image", "prune", "--all", "--force", "--filter", &format!("label={LABEL}"), "--filter", "until=24h"]);
        }
        name
    })
}

/// Runs the `docker` program, with the daemon itself even where a test has put something in between.
pub(super) fn docker(arguments: &[&str]) -> Output {
    Command::new("docker")
        .args(arguments)
        .env_remove("DOCKER_HOST")
        .output()
        .expect("the tests of containers need Docker, and its command line")
}

fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let cargo = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "fixtures", "--bin", "simulated-spark", "--message-format=json"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let text = String::from_utf8(cargo.stdout).unwrap();
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let executable = messages
        .filter(|message| message["target"]["name"] == "simulated-spark")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    executable.expect("cargo names the program it built")
}

/// The server, a shell for the failures, and every library that either needs, by their paths in the image.
fn contents(server: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let mut files = BTreeMap::from([
        (PathBuf::from("usr/bin/simulated-spark"), server.to_owned()),
        (PathBuf::from("bin/sh"), PathBuf::from("/bin/sh")),
        (PathBuf::from("bin/sleep"), PathBuf::from("/bin/sleep")),
        (PathBuf::from("bin/head"), PathBuf::from("/usr/bin/head")),
        (PathBuf::from("bin/tail"), PathBuf::from("/usr/bin/tail")),
    ]);
    for program in files.values().cloned().collect::<Vec<_>>() {
        let ldd = Command::new("ldd").arg(&program).output().unwrap();
        let text = String::from_utf8(ldd.stdout).unwrap();
        for library in text.split_whitespace().filter(|word| word.starts_with('/')) {
            files.insert(library.trim_start_matches('/').into(), library.into());
        }
    }
    files
}

fn import(server: &Path, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    for (inside, outside) in contents(server) {
        let to = folder.path().join(inside);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(outside, to).unwrap();
    }
    let tar = Command::new("tar").args(["--create", "--directory"]).arg(folder.path()).arg(".").output().unwrap();
    assert!(tar.status.success(), "{}", String::from_utf8_lossy(&tar.stderr));
    let mut import = Command::new("docker")
        .env_remove("DOCKER_HOST")
        .args(["import", "--change", "ENTRYPOINT [\"/usr/bin/simulated-spark\", \"--host\", \"0.0.0.0\"]"])
        .args(["--change", &format!("LABEL {LABEL}=simulated"), "-", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
    assert!(import.wait().unwrap().success());
}
