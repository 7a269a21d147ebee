//! The descriptions that come with the project.

use serde::de::DeserializeOwned;

use super::{Engine, Machine, Model};

/// A description that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct BadDescription {
    file: String,
    why: String,
}

macro_rules! descriptions {
    ($($file:literal),* $(,)?) => {
        [$(($file, include_str!(concat!("../../descriptions/", $file, ".toml")))),*]
    };
}

const MACHINES: [(&str, &str); 1] = descriptions!["machines/gb10"];
const MODELS: [(&str, &str); 7] = descriptions![
    "models/deepseek-r1-distill-qwen-14b-fp8",
    "models/gpt-oss-120b-mxfp4",
    "models/gpt-oss-20b-mxfp4",
    "models/llama-3.1-70b-fp8",
    "models/llama-3.1-8b-fp8",
    "models/nemotron-nano-9b-v2-nvfp4",
    "models/nemotron-super-49b-nvfp4",
];
const ENGINES: [(&str, &str); 5] = descriptions![
    "engines/nim-nano-9b",
    "engines/ollama-mxfp4",
    "engines/sglang-fp8",
    "engines/vllm-mxfp4",
    "engines/vllm-nvfp4"
];

impl BadDescription {
    pub(crate) fn new(file: &str, why: &toml::de::Error) -> Self {
        Self { file: file.to_owned(), why: why.to_string() }
    }
}

/// The machines that are described.
pub fn machines() -> Result<Vec<Machine>, BadDescription> {
    all(&MACHINES)
}

/// The models that are described, by name.
pub fn models() -> Result<Vec<Model>, BadDescription> {
    all(&MODELS)
}

/// The engines that are described, by name.
pub fn engines() -> Result<Vec<Engine>, BadDescription> {
    all(&ENGINES)
}

fn all<T: DeserializeOwned>(files: &[(&str, &str)]) -> Result<Vec<T>, BadDescription> {
    let read =
        |(file, text): &(&str, &str)| toml::from_str(text).map_err(|error| BadDescription::new(&format!("{file}.toml"), &error));
    files.iter().map(read).collect()
}
