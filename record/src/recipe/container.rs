//! How a recipe boots its engine as a container.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{StopSignal, default_stop_grace_s};

/// An engine in a container. Its port is published on the loopback address only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The image: `repository:tag`.
    pub image: String,
    /// The image's digest, `sha256:` and 64 hexadecimal digits: that of the registry, or for an image that was made locally its id. With
    /// it exactly that image is booted, whatever the tag says by then; `cargo xtask recipe pin` writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The platform that the image must be built for, e.g. `linux/arm64`; an image for anything else is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Replaces the image's entrypoint; empty clears it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// The arguments. `${PORT}`, `${MODEL}` and `${REVISION}` are filled in.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment variables with values that anyone may see; they take the same placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Folders of the host that it sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// The port that it listens on inside, which `${PORT}` stands for.
    pub port: u16,
    /// The port on the host's loopback address; 0 means that a free one is chosen.
    #[serde(default)]
    pub host_port: u16,
    /// The GPUs that it gets, which also says on what device it is expected to run.
    #[serde(default)]
    pub gpus: Gpus,
    /// Shared memory, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shm_mib: Option<u32>,
    /// The namespace of inter-process communication.
    #[serde(default)]
    pub ipc: Ipc,
    /// Resource limits by the kernel's names, e.g. `memlock`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Memory after which the kernel kills it, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_mib: Option<u32>,
    /// How it is asked to stop.
    #[serde(default)]
    pub stop_signal: StopSignal,
    /// Seconds it has to stop before it is killed.
    #[serde(default = "default_stop_grace_s")]
    pub stop_grace_s: u32,
}

/// A folder or file of the host that a container sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// On the host: absolute after `${HF_CACHE}`, `${CACHE}`, `${TESTBED}` or `${RECIPES}` is filled in.
    pub source: String,
    /// Path inside the container; absolute.
    pub target: String,
    /// Whether it may write there; a model cache that it downloads to must be writable.
    #[serde(default)]
    pub writable: bool,
}

/// The GPUs that a container gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Gpus {
    /// None: it is expected to run on the CPU.
    None,
    /// All of them: it is expected to run on one.
    #[default]
    All,
}

/// The namespace of inter-process communication of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ipc {
    /// A namespace of its own, with `/dev/shm` of `shm_mib`.
    #[default]
    Private,
    /// The namespace of the host, with the whole of its `/dev/shm`.
    Host,
}

/// A resource limit; -1 means none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ulimit {
    /// The limit that applies; the process may raise it up to `hard`.
    pub soft: i64,
    /// The limit that only root may raise.
    pub hard: i64,
}

impl Container {
    /// Whether the image can be no other than the one that was meant: it is named by its digest.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.digest.as_deref().is_some_and(is_digest)
    }
}

/// `sha256:` and 64 hexadecimal digits.
#[must_use]
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// An image's name without its tag.
#[must_use]
pub fn repository(image: &str) -> &str {
    let name_at = image.rfind('/').map_or(0, |slash| slash + 1);
    image[name_at..].find(':').map_or(image, |colon| &image[..name_at + colon])
}
