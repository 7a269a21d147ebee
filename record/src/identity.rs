//! The observed identity of an engine in one boot: not the tag or name that was requested, but the image, models, backends and device that
//! were found.

use serde::{Deserialize, Serialize};

/// The observed identity of an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The image that its container was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Names under which it says that it serves, in its order, and what it says each was loaded from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub served_models: Vec<String>,
    /// Lines of its log that say which kernels and backends it chose, without stamps, sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<String>,
    /// The device that it was shown to run on, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
}

/// An image, as the daemon knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Image {
    /// The name that was requested.
    pub name: String,
    /// Its id: the digest of its configuration.
    pub id: String,
    /// `repository@sha256:...` for each registry that it came from; none for one that was made locally.
    pub digests: Vec<String>,
    /// The platform that it is built for, e.g. `linux/arm64`.
    pub platform: String,
}

/// The device that an engine runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Device {
    /// `cpu` or `gpu`.
    pub kind: DeviceKind,
    /// How it is known, in words.
    pub proof: String,
}

/// Whether an engine computes on the CPU or on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// No GPU: the processors of the machine.
    Cpu,
    /// One GPU of the machine, or several.
    Gpu,
}
