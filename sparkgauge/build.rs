//! Tells an optimised build, which may be installed, the commit that it is built from. Others are run in their clone, which is asked when
//! they run: a build that depends on the commit would be made again after each.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("PROFILE").is_none_or(|profile| profile != "release") {
        return;
    }
    for place in [
        "../.git/HEAD",
        "../.git/logs/HEAD",
        "../bench",
        "../fixtures",
        "../harness",
        "../record",
        "../reports",
        "../twin",
        "../workloads",
        "src",
    ] {
        println!("cargo::rerun-if-changed={place}");
    }
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return };
    let dirty = if git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changed| changed.is_empty()) {
        ""
    } else {
        "-dirty"
    };
    println!("cargo::rustc-env=SPARKGAUGE_COMMIT={commit}{dirty}");
}
