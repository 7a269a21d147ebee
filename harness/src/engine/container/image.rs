//! Which image a recipe means, and whether it is the one that is here. A tag is a name that others may move; a digest is not.

use record::{Image, recipe};
use testcontainers::bollard::{Docker, models::ImageInspect};

use super::docker::{from_bollard, is_not_found};
use crate::engine::DockerError;

/// Images that `cargo xtask testbed` makes have names that begin so.
const TESTBED: &str = "sparkgauge-testbed/";

/// An image that is here, with what it would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalImage {
    pub(super) image: Image,
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
}

/// Finds the recipe's image and makes sure that it is the one that is meant. Nothing is pulled: that takes long and is the person's choice.
pub(super) async fn find(docker: &Docker, container: &recipe::Container) -> Result<LocalImage, DockerError> {
    for name in candidates(container) {
        match docker.inspect_image(&name).await {
            Ok(inspected) => {
                let found = read(&container.image, inspected);
                check(container, &found.image, host_platform())?;
                return Ok(found);
            }
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(from_bollard(&error, 0)),
        }
    }
    Err(missing(container))
}

/// Names to look for, the surest first: a tag may have moved on while the image of the digest is still here.
fn candidates(container: &recipe::Container) -> Vec<String> {
    let by_digest = container.digest.iter().flat_map(|digest| [pull_name(container, digest), digest.clone()]);
    by_digest.chain([container.image.clone()]).collect()
}

/// `repository@digest`.
fn pull_name(container: &recipe::Container, digest: &str) -> String {
    format!("{}@{digest}", repository(&container.image))
}

/// The name without its tag; a port of the registry is no tag.
fn repository(image: &str) -> &str {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    }
}

fn missing(container: &recipe::Container) -> DockerError {
    let image = &container.image;
    let how = if image.starts_with(TESTBED) {
        "`cargo xtask testbed` makes it; `--only llamacpp` or `--only vllm` does with less".to_owned()
    } else {
        let name = container.digest.as_deref().map_or_else(|| image.clone(), |digest| pull_name(container, digest));
        let platform = container.platform.as_deref().map(|platform| format!("--platform {platform} ")).unwrap_or_default();
        format!("`docker pull {platform}{name}` gets it")
    };
    DockerError::ImageMissing { image: image.clone(), how }
}

fn read(name: &str, inspected: ImageInspect) -> LocalImage {
    let config = inspected.config.unwrap_or_default();
    let mut platform = [inspected.os, inspected.architecture, inspected.variant].into_iter().flatten().collect::<Vec<_>>();
    platform.retain(|part| !part.is_empty());
    let image = Image {
        name: name.to_owned(),
        id: inspected.id.unwrap_or_default(),
        digests: inspected.repo_digests.unwrap_or_default(),
        platform: platform.join("/"),
    };
    LocalImage { image, entrypoint: config.entrypoint.unwrap_or_default(), command: config.cmd.unwrap_or_default() }
}

/// This machine's platform, in Docker's words.
fn host_platform() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "linux/arm64",
        _ => "linux/amd64",
    }
}

/// Whether the image is the one that is meant, and made for this machine. One for another machine may well run: emulated, and slowly.
fn check(container: &recipe::Container, image: &Image, host: &str) -> Result<(), DockerError> {
    if let Some(wanted) = &container.digest {
        let is_it = image.id == *wanted || image.digests.iter().any(|digest| digest.ends_with(&format!("@{wanted}")));
        if !is_it {
            let found = image.digests.iter().map(String::as_str).chain([image.id.as_str()]).collect::<Vec<_>>().join(" and ");
            return Err(DockerError::ImageDiffers {
                image: image.name.clone(),
                wanted: wanted.clone(),
                found,
                pull: pull_name(container, wanted),
            });
        }
    }
    let wrong = |wants, wanted: &str| {
        Err(DockerError::WrongPlatform {
            image: image.name.clone(),
            found: image.platform.clone(),
            wants,
            wanted: wanted.to_owned(),
        })
    };
    match container.platform.as_deref() {
        Some(wanted) if !fits(&image.platform, wanted) => wrong("the recipe wants", wanted),
        _ if !fits(&image.platform, host) => wrong("this machine is", host),
        _ => Ok(()),
    }
}

/// Whether `os/architecture[/variant]` is what is wanted; a variant counts only where one is wanted.
fn fits(platform: &str, wanted: &str) -> bool {
    let mut parts = platform.split('/');
    wanted.split('/').all(|part| parts.next() == Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::container::tests::recipe;

    const ID: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    const DIGEST: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

    fn container(lines: &str) -> recipe::Container {
        recipe(&format!("image = \"registry:5000/vllm/vllm-openai:v1\"\nport = 8000\n{lines}"), "").container.unwrap()
    }

    fn image() -> Image {
        Image {
            name: "registry:5000/vllm/vllm-openai:v1".to_owned(),
            id: ID.to_owned(),
            digests: vec![format!("registry:5000/vllm/vllm-openai@{DIGEST}")],
            platform: "linux/arm64/v8".to_owned(),
        }
    }

    #[test]
    fn image_of_another_digest_is_refused() {
        let check = |digest: &str| check(&container(&format!("digest = \"{digest}\"")), &image(), "linux/arm64");
        assert_eq!(check(ID), Ok(()));
        assert_eq!(check(DIGEST), Ok(()));
        let error = check(&DIGEST.replace("22", "33")).unwrap_err();
        insta::assert_snapshot!(error, @"image registry:5000/vllm/vllm-openai:v1 is not the one that the recipe means: the recipe says sha256:3333333333333333333333333333333333333333333333333333333333333333, here are registry:5000/vllm/vllm-openai@sha256:2222222222222222222222222222222222222222222222222222222222222222 and sha256:1111111111111111111111111111111111111111111111111111111111111111. Get the recipe's with `docker pull registry:5000/vllm/vllm-openai@sha256:3333333333333333333333333333333333333333333333333333333333333333`, or accept this one with `sparkgauge recipe pin`");
        assert_eq!(super::check(&container(""), &image(), "linux/arm64"), Ok(()));
    }

    #[test]
    fn image_for_another_platform_is_refused() {
        let check = |lines: &str, host: &str| check(&container(lines), &image(), host);
        assert_eq!(check("platform = \"linux/arm64\"", "linux/arm64"), Ok(()));
        assert_eq!(check("platform = \"linux/arm64/v8\"", "linux/arm64"), Ok(()));
        let refused = [
            ("platform = \"linux/arm64/v9\"", "linux/arm64"),
            ("platform = \"linux/amd64\"", "linux/amd64"),
            ("", "linux/amd64"),
        ]
        .map(|(lines, host)| check(lines, host).unwrap_err().to_string());
        insta::assert_snapshot!(refused.join("\n"), @"
        image registry:5000/vllm/vllm-openai:v1 is built for linux/arm64/v8, and the recipe wants linux/arm64/v9: pull it with `docker pull --platform linux/arm64/v9 registry:5000/vllm/vllm-openai:v1`
        image registry:5000/vllm/vllm-openai:v1 is built for linux/arm64/v8, and the recipe wants linux/amd64: pull it with `docker pull --platform linux/amd64 registry:5000/vllm/vllm-openai:v1`
        image registry:5000/vllm/vllm-openai:v1 is built for linux/arm64/v8, and this machine is linux/amd64: pull it with `docker pull --platform linux/amd64 registry:5000/vllm/vllm-openai:v1`
        ");
    }

    #[test]
    fn missing_image_error_names_the_pull_command() {
        assert_eq!(
            candidates(&container(&format!("digest = \"{DIGEST}\""))),
            [
                format!("registry:5000/vllm/vllm-openai@{DIGEST}"),
                DIGEST.to_owned(),
                "registry:5000/vllm/vllm-openai:v1".to_owned(),
            ]
        );
        let errors = [String::new(), "platform = \"linux/arm64\"".to_owned(), format!("digest = \"{DIGEST}\"")]
            .map(|lines| missing(&container(&lines)).to_string());
        insta::assert_snapshot!(errors.join("\n"), @"
        image registry:5000/vllm/vllm-openai:v1 is not on this machine: `docker pull registry:5000/vllm/vllm-openai:v1` gets it
        image registry:5000/vllm/vllm-openai:v1 is not on this machine: `docker pull --platform linux/arm64 registry:5000/vllm/vllm-openai:v1` gets it
        image registry:5000/vllm/vllm-openai:v1 is not on this machine: `docker pull registry:5000/vllm/vllm-openai@sha256:2222222222222222222222222222222222222222222222222222222222222222` gets it
        ");
        let testbed = recipe("image = \"sparkgauge-testbed/x:1\"\nport = 1\n", "").container.unwrap();
        insta::assert_snapshot!(missing(&testbed), @"image sparkgauge-testbed/x:1 is not on this machine: `cargo xtask testbed` makes it; `--only llamacpp` or `--only vllm` does with less");
    }
}
