//! Docker, by its command line: the testbed only makes, looks up and removes images.

use std::{
    env::consts,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, anyhow, bail, ensure};

const INSTALL: &str = "install Docker (Debian and Ubuntu: package docker.io), start it, and join the group `docker`";

/// The `docker` command.
pub(super) struct Docker {
    program: PathBuf,
}

impl Docker {
    /// That of the PATH, there or not.
    pub(super) fn on_path() -> Self {
        Self { program: PathBuf::from("docker") }
    }

    /// Whether an image that is made of this machine's own programs can be made and run. If not: why, and what to do, in one line.
    pub(super) fn check(&self) -> Result<(), String> {
        if !cfg!(target_os = "linux") {
            return Err("they are made of this machine's own programs, so only on Linux".to_owned());
        }
        let Some(output) = self.output(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]) else {
            return Err(format!("there is no `docker` command; {INSTALL}"));
        };
        if !output.status.success() {
            return Err(format!("Docker does not answer ({}); {INSTALL}", last_line(&output.stderr)));
        }
        let server = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let ours = format!("linux/{}", if consts::ARCH == "aarch64" { "arm64" } else { "amd64" });
        if server == ours {
            return Ok(());
        }
        Err(format!(
            "Docker runs on {server} and this machine is {ours}; let DOCKER_HOST and `docker context` name this machine's"
        ))
    }

    /// The id of the image that has this name or id, if there is one.
    pub(super) fn id_of(&self, image: &str) -> Option<String> {
        let output = self.output(&["image", "inspect", "--format", "{{.Id}}", image])?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Makes an image of the tar on its input and prints the image's id. The image has no name yet: one that could be half of
    /// what it should be must not get it.
    pub(super) fn import(&self, changes: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("import");
        for change in changes {
            command.args(["--change", change]);
        }
        command.arg("-");
        command
    }

    /// Gives an image its name, which another one loses.
    pub(super) fn tag(&self, id: &str, name: &str) -> anyhow::Result<()> {
        self.run(&["tag", id, name])
    }

    /// Removes an image and its name.
    pub(super) fn remove(&self, id: &str) -> anyhow::Result<()> {
        let advice = "remove the containers that were made from it, if there are any, and run the same command again";
        self.run(&["image", "rm", id]).map_err(|error| anyhow!("{error}. What to do: {advice}"))
    }

    /// Removes images that have this label, no name any more, and no container.
    pub(super) fn prune(&self, label: &str) -> anyhow::Result<()> {
        self.run(&["image", "prune", "--force", "--filter", &format!("label={label}")])
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.output(arguments).context("cannot start `docker`")?;
        if !output.status.success() {
            bail!("`docker {}` failed: {}", arguments.join(" "), last_line(&output.stderr));
        }
        Ok(())
    }

    fn output(&self, arguments: &[&str]) -> Option<Output> {
        Command::new(&self.program).args(arguments).stdin(Stdio::null()).output().ok()
    }
}

/// Takes an image's id from what `import` printed.
pub(super) fn image_id(printed: &str) -> anyhow::Result<String> {
    let id = printed.trim();
    ensure!(record::recipe::is_digest(id), "`docker import` printed `{id}`, not an image's id");
    Ok(id.to_owned())
}

fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    /// A `docker` that does what the script says.
    fn stand_in(script: &str) -> (tempfile::TempDir, Docker) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("docker");
        // Written under another name: a program that is still open for writing in any process cannot be started.
        let unfinished = dir.path().join("unfinished");
        fs::write(&unfinished, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&unfinished, &program).unwrap();
        (dir, Docker { program })
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn docker_problem_is_reported_in_one_line() {
        let why = |script: &str| stand_in(script).1.check().unwrap_err();
        let missing = Docker { program: "/no/such/docker".into() }.check().unwrap_err();
        assert!(missing.contains("no `docker` command") && missing.contains("package docker.io"), "{missing}");
        let silent = why("echo warning >&2; echo 'permission denied: /var/run/docker.sock' >&2; exit 1");
        assert!(silent.contains("(permission denied: /var/run/docker.sock)") && !silent.contains("warning"), "{silent}");
        let elsewhere = why("echo windows/amd64");
        assert!(elsewhere.contains("windows/amd64"), "{elsewhere}");
        for line in [missing, silent, elsewhere] {
            assert!(!line.contains('\n'), "{line}");
        }
        let ours = if consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
        assert_eq!(stand_in(&format!("echo linux/{ours}")).1.check(), Ok(()));
    }

    #[test]
    fn missing_image_has_no_id() {
        assert_eq!(stand_in("echo sha256:12").1.id_of("some:1"), Some("sha256:12".to_owned()));
        assert_eq!(stand_in("echo []; echo 'No such image' >&2; exit 1").1.id_of("some:1"), None);
    }

    #[test]
    fn removing_an_image_in_use_fails_with_advice() {
        let (_dir, docker) = stand_in("echo 'conflict: container 12 is using it' >&2; exit 1");
        let message = format!("{:#}", docker.remove("sha256:12").unwrap_err());
        assert!(message.contains("remove the containers") && message.contains("container 12 is using it"), "{message}");
    }

    #[test]
    fn import_output_without_an_id_is_refused() {
        let id = format!("sha256:{}", "0f".repeat(32));
        assert_eq!(image_id(&format!("{id}\n")).unwrap(), id);
        for printed in ["", "sha256:12\n", "done\n"] {
            assert!(image_id(printed).is_err(), "{printed:?}");
        }
    }
}
