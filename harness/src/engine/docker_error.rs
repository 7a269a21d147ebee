//! Errors of Docker, each with what to do about it, and how its messages are classified.

use record::ExitCode;

/// Docker cannot boot the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerError {
    #[error(
        "Docker does not answer ({why}): install Docker Engine (https://docs.docker.com/engine/install/), or start it with `sudo \
         systemctl start docker`, or let DOCKER_HOST name where it is. Recipes with a [process], and --attach, need no Docker"
    )]
    Absent { why: String },
    /// We may not talk to it.
    #[error(
        "Docker's socket may not be used by this user ({why}): `sudo usermod -aG docker $USER`, then log in again; members of that \
         group can do what root can"
    )]
    NotPermitted { why: String },
    /// The image is not on this machine.
    #[error("image {image} is not on this machine: {how}")]
    ImageMissing {
        image: String,
        /// How to get it.
        how: String,
    },
    /// The image is another one.
    #[error(
        "image {image} is not the one that the recipe means: the recipe says {wanted}, here are {found}. Get the recipe's with \
         `docker pull {pull}`, or accept this one with `sparkgauge recipe pin`"
    )]
    ImageDiffers {
        image: String,
        wanted: String,
        /// The digests and the id of what is there.
        found: String,
        pull: String,
    },
    /// The image is for another machine.
    #[error("image {image} is built for {found}, and {wants} {wanted}: pull it with `docker pull --platform {wanted} {image}`")]
    WrongPlatform { image: String, found: String, wants: &'static str, wanted: String },
    /// The source of a mount does not exist.
    #[error("the folder {path}, which is mounted as {target} in the container, does not exist: {hint}")]
    MountMissing { path: String, target: String, hint: String },
    /// No GPU can be given to it.
    #[error(
        "Docker has no GPU to give (`{words}`): install the NVIDIA driver and the NVIDIA Container Toolkit \
         (https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/), then `sudo nvidia-ctk runtime configure \
         --runtime=docker` and restart Docker; or set `gpus = \"none\"` in [container] if the engine is meant for the processor"
    )]
    NoGpu { words: String },
    #[error(
        "this host refuses the resource limit {limit} (`{words}`): Docker itself may not raise it that far; raise its own limits \
         (`systemctl edit docker`), or lower it in [container.ulimits]"
    )]
    UlimitRefused { limit: String, words: String },
    /// The port was taken between our look and Docker's.
    #[error(
        "port {port} of 127.0.0.1 is in use (`{words}`): stop what listens there, or set `host_port = 0` in [container] to have a free \
         one chosen"
    )]
    PortTaken { port: u16, words: String },
    /// The recipe asks for something that no host has.
    #[error("Docker cannot make this container (`{words}`): correct [container] in the recipe")]
    BadContainer { words: String },
    #[error("Docker refuses: {words}")]
    Other { words: String },
}

impl DockerError {
    /// Understands what Docker answered to a request for a container with this port of the host. The words are those of Docker Engine 20
    /// to 29, of runc, and of NVIDIA's hook; what is not known stays as it is.
    #[must_use]
    pub fn from_message(words: &str, host_port: u16) -> Self {
        let says = |some: &[&str]| some.iter().any(|part| words.contains(part));
        let words = shortened(words);
        if says(&[
            "could not select device driver",
            "nvidia-container-cli",
            "unresolvable CDI devices",
            "unknown or invalid runtime name: nvidia",
        ]) {
            Self::NoGpu { words }
        } else if let Some(limit) = rlimit(&words) {
            Self::UlimitRefused { limit, words }
        } else if says(&["port is already allocated", "address already in use"]) {
            Self::PortTaken { port: host_port, words }
        } else if let Some((_, path)) = words.split_once("bind source path does not exist: ") {
            Self::MountMissing { path: path.to_owned(), target: "a mount".to_owned(), hint: "make it".to_owned() }
        } else if says(&[
            "invalid ulimit type",
            "wrong rlimit value",
            "No command specified",
            "no command specified",
            "invalid mount config",
            "exec: \"",
        ]) {
            Self::BadContainer { words }
        } else {
            Self::Other { words }
        }
    }

    /// The exit code that it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::MountMissing { .. } | Self::BadContainer { .. } => ExitCode::Usage,
            _ => ExitCode::Engine,
        }
    }
}

/// The part that says something: each layer puts its own words before.
fn shortened(words: &str) -> String {
    let words = words.trim().trim_end_matches(": unknown").trim_end_matches(": unknown.");
    let telling = [
        "could not select",
        "error setting rlimit",
        "exec: \"",
        "nvidia-container-cli: ",
        "Bind for ",
        "bind source path",
        "wrong rlimit value",
    ];
    let from = telling.iter().filter_map(|part| words.find(part)).min();
    words[from.unwrap_or(0)..].replace('\n', " ")
}

/// The name of the limit that could not be set. Kernel's numbers of limits, the same on x86-64 and on arm64
/// (`include/uapi/asm-generic/resource.h`).
fn rlimit(words: &str) -> Option<String> {
    const NAMES: [&str; 16] = [
        "cpu",
        "fsize",
        "data",
        "stack",
        "core",
        "rss",
        "nproc",
        "nofile",
        "memlock",
        "as",
        "locks",
        "sigpending",
        "msgqueue",
        "nice",
        "rtprio",
        "rttime",
    ];
    let (_, after) = words.split_once("error setting rlimit type ")?;
    let number = after.split(|one: char| !one.is_ascii_digit()).next()?;
    let name = number.parse::<usize>().ok().and_then(|number| NAMES.get(number));
    Some(name.map_or_else(|| format!("number {number}"), |name| format!("`{name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_error_messages_are_classified() {
        let runc =
            "failed to create shim: OCI runtime create failed: container_linux.go:380: starting container process caused: ";
        let check = |words: &str, expected: &str| {
            let error = DockerError::from_message(words, 8000);
            let name = format!("{error:?}");
            assert_eq!(name.split([' ', '{']).next(), Some(expected), "{words}: {error}");
            error
        };
        check("could not select device driver \"nvidia\" with capabilities: [[gpu]]", "NoGpu");
        check("could not select device driver \"\" with capabilities: [[gpu]]", "NoGpu");
        check(
            &format!(
                "{runc}process_linux.go:545: container init caused: Running hook #0:: error running hook: exit status 1, stdout: , \
             stderr: nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object \
             file: no such file or directory: unknown"
            ),
            "NoGpu",
        );
        check(
            "failed to create task for container: CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all",
            "NoGpu",
        );
        let ulimit = check(
            &format!(
                "{runc}process_linux.go:545: container init caused: process_linux.go:475: setting rlimits for ready process \
             caused: error setting rlimit type 8: operation not permitted: unknown"
            ),
            "UlimitRefused",
        );
        assert!(
            ulimit.to_string().starts_with(
                "this host refuses the resource limit `memlock` (`error setting rlimit type 8: operation not permitted`)"
            ),
            "{ulimit}"
        );
        check("error setting rlimit type 99: invalid argument", "UlimitRefused");
        check(
            "driver failed programming external connectivity on endpoint x (0123): Bind for 127.0.0.1:8000 failed: port is already allocated",
            "PortTaken",
        );
        check(
            "driver failed programming external connectivity on endpoint x (0123): Error starting userland proxy: listen tcp4 \
             127.0.0.1:8000: bind: address already in use",
            "PortTaken",
        );
        check("failed to bind host port 127.0.0.1:8000/tcp: address already in use", "PortTaken");
        check("invalid mount config for type \"bind\": bind source path does not exist: /no/such", "MountMissing");
        check(&format!("{runc}exec: \"nosuch\": executable file not found in $PATH: unknown"), "BadContainer");
        check("invalid ulimit type: unicorns", "BadContainer");
        check(
            "failed to create shim task: OCI runtime create failed: runc create failed: wrong rlimit value: RLIMIT_UNICORNS: unknown",
            "BadContainer",
        );
        check("No command specified", "BadContainer");
        check("client version 1.53 is too new. Maximum supported API version is 1.41", "Other");
    }

    #[test]
    fn docker_errors_map_to_usage_or_engine_exit_code() {
        let code = |words| DockerError::from_message(words, 1).exit_code();
        assert_eq!(code("exec: \"x\": permission denied"), ExitCode::Usage);
        assert_eq!(code("port is already allocated"), ExitCode::Engine);
        assert_eq!(code("anything"), ExitCode::Engine);
    }
}
