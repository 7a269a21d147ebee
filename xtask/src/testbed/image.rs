//! Container images of the engines, made of the virtual environments that the testbed has already: no registry, no base image, no root.

use std::{fs, path::Path, process::Command};

use anyhow::Context;

use super::{
    docker::{self, Docker},
    workshop::Workshop,
};
use crate::say;

pub(super) const SCRIPT: &str = include_str!("../../../fixtures/testbed/make_image.py");
pub(super) const LLAMA_SERVER: &str = include_str!("../../../fixtures/testbed/llama_server.py");

/// In an image component's folder: the id of the image that was made. Its name may be taken or removed by others.
pub(super) const ID_FILE: &str = "image-id";

/// What an engine's image is called and how it starts.
pub(super) struct Image {
    /// The recipes name it so.
    pub(super) name: &'static str,
    /// The component whose environment it holds; also the value of its label.
    environment: &'static str,
    /// The words before the arguments.
    entrypoint: &'static [&'static str],
    /// A file that goes beside the environment: its name and its text.
    added: Option<(&'static str, &'static str)>,
}

/// llama.cpp's HTTP server, started by `llama_server.py`.
pub(super) const LLAMACPP: Image = Image {
    name: "sparkgauge-testbed/llamacpp:2026.10.11549",
    environment: "llamacpp",
    entrypoint: &["/opt/engine/bin/python", "/opt/engine/llama_server.py"],
    added: Some(("llama_server.py", LLAMA_SERVER)),
};

/// vLLM on the CPU. Its own images start with the same words.
pub(super) const VLLM: Image = Image {
    name: "sparkgauge-testbed/vllm-cpu:0.32.0",
    environment: "vllm",
    entrypoint: &["/opt/engine/bin/vllm", "serve"],
    added: None,
};

impl Image {
    /// Makes it, and writes its id into the component's folder.
    pub(super) fn make(&self, workshop: &Workshop, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        let script = folder.join("make_image.py");
        fs::write(&script, SCRIPT)?;
        // By the Python whose environment it is: it knows where it comes from.
        let mut write = Command::new(workshop.root().join(self.environment).join("bin/python"));
        write.arg("-I").arg(&script);
        if let Some((name, text)) = self.added {
            let path = folder.join(name);
            fs::write(&path, text)?;
            write.arg("--add").arg(path);
        }
        let docker = Docker::on_path();
        let printed = workshop.run_into(
            "make the image",
            write,
            &mut docker.import(&self.changes()),
            "see that the disk of Docker's data folder has room, then run the same command again",
        )?;
        let id = docker::image_id(&printed)?;
        docker.tag(&id, self.name)?;
        // Its predecessor, and what an interrupted preparation left.
        docker.prune(&self.label())?;
        fs::write(folder.join(ID_FILE), id)?;
        Ok(())
    }

    /// Whether the name still stands for the image that was made in this folder.
    pub(super) fn is_there(&self, docker: &Docker, folder: &Path) -> bool {
        fs::read_to_string(folder.join(ID_FILE)).is_ok_and(|made| docker.id_of(self.name).is_some_and(|id| id == made))
    }

    /// Removes the image that was made in this folder, and no other one that may have its name by now.
    pub(super) fn remove(&self, docker: &Docker, folder: &Path) -> anyhow::Result<()> {
        let Ok(id) = fs::read_to_string(folder.join(ID_FILE)) else { return Ok(()) };
        // Whoever has Docker no more has the image no more, or cannot get at it: that must not keep the rest in place.
        if let Err(why) = docker.check() {
            say(&format!("testbed: the image {} was not removed: {why}; then `docker image rm {id}`", self.name));
            return Ok(());
        }
        if docker.id_of(&id).is_some() {
            docker.remove(&id).with_context(|| format!("the image {} cannot be removed", self.name))?;
        }
        docker.prune(&self.label())
    }

    fn label(&self) -> String {
        format!("sparkgauge.testbed={}", self.environment)
    }

    /// What `docker import` is to note in the image, in the words of a Dockerfile.
    fn changes(&self) -> Vec<String> {
        vec![
            format!("ENTRYPOINT {:?}", self.entrypoint),
            "EXPOSE 8000".to_owned(),
            "ENV PATH=/opt/engine/bin:/opt/python/bin:/bin".to_owned(),
            "ENV LD_LIBRARY_PATH=/opt/python/lib".to_owned(),
            "ENV LANG=C.UTF-8".to_owned(),
            format!("LABEL {}", self.label()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn image_entrypoint_and_port_match_its_recipe() {
        assert_snapshot!(LLAMACPP.changes().join("\n"), @r#"
        ENTRYPOINT ["/opt/engine/bin/python", "/opt/engine/llama_server.py"]
        EXPOSE 8000
        ENV PATH=/opt/engine/bin:/opt/python/bin:/bin
        ENV LD_LIBRARY_PATH=/opt/python/lib
        ENV LANG=C.UTF-8
        LABEL sparkgauge.testbed=llamacpp
        "#);
        assert_snapshot!(VLLM.changes()[0], @r#"ENTRYPOINT ["/opt/engine/bin/vllm", "serve"]"#);
    }

    #[test]
    fn image_name_matches_its_recipe() {
        for (image, text) in [
            (LLAMACPP, include_str!("../../../recipes/testbed-llamacpp-container.toml")),
            (VLLM, include_str!("../../../recipes/testbed-vllm-container.toml")),
        ] {
            let stem = format!("testbed-{}-container", image.environment);
            let recipe = record::recipe::parse(text, "recipe", &stem).unwrap();
            let container = recipe.container.unwrap();
            assert_eq!(container.image, image.name);
            assert!(image.changes().contains(&format!("EXPOSE {}", container.port)));
        }
    }

    /// The tar of llama.cpp's environment, which is the smaller one.
    fn tar_of_llamacpp(folder: &Path) -> Vec<u8> {
        let script = folder.join("make_image.py");
        fs::write(&script, SCRIPT).unwrap();
        let python = crate::testbed::root().unwrap().join("llamacpp/bin/python");
        let output = Command::new(python).arg("-I").arg(&script).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    #[test]
    #[ignore = "needs the testbed: cargo xtask testbed"]
    fn same_environment_gives_the_same_image() {
        let dir = tempfile::tempdir().unwrap();
        let tar = tar_of_llamacpp(dir.path());
        assert!(tar.len() > 50_000_000, "{} bytes", tar.len());
        assert!(tar == tar_of_llamacpp(dir.path()), "two makings differ");
    }
}
