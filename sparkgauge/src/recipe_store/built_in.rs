//! Recipes and the files that they mount, compiled into the program.
//!
//! Those of the testbed are not among them: what they boot is made in a clone.

use std::{fs, path::PathBuf};

use anyhow::Context;

use crate::{home, whole_file};

/// Name and TOML of each.
const RECIPES: [(&str, &str); 12] = [
    ("llamacpp", include_str!("../../../recipes/llamacpp.toml")),
    ("llamacpp-gpt-oss-120b", include_str!("../../../recipes/llamacpp-gpt-oss-120b.toml")),
    ("nim", include_str!("../../../recipes/nim.toml")),
    ("ollama", include_str!("../../../recipes/ollama.toml")),
    ("sglang", include_str!("../../../recipes/sglang.toml")),
    ("sglang-llama-3-1-8b-eagle3", include_str!("../../../recipes/sglang-llama-3-1-8b-eagle3.toml")),
    ("trtllm", include_str!("../../../recipes/trtllm.toml")),
    ("vllm", include_str!("../../../recipes/vllm.toml")),
    ("vllm-gemma-4-26b-a4b-nvfp4", include_str!("../../../recipes/vllm-gemma-4-26b-a4b-nvfp4.toml")),
    ("vllm-gpt-oss-120b", include_str!("../../../recipes/vllm-gpt-oss-120b.toml")),
    ("vllm-nemotron-3-nano-30b-a3b-fp8", include_str!("../../../recipes/vllm-nemotron-3-nano-30b-a3b-fp8.toml")),
    ("vllm-qwen3-6-35b-a3b-fp8", include_str!("../../../recipes/vllm-qwen3-6-35b-a3b-fp8.toml")),
];

/// Files that they mount, by their path from the recipe on.
const FILES: [(&str, &str); 1] = [("files/trtllm.yml", include_str!("../../../recipes/files/trtllm.yml"))];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, _)| *name)
}

pub(super) fn text(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The files that a recipe's text mounts from beside it, with their paths from there on.
pub(crate) fn files_of(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.into_iter().filter(move |(path, _)| text.contains(&format!("${{RECIPES}}/{path}")))
}

/// The folder that `${RECIPES}` stands for in a built-in recipe: one in our cache, which is given the files that it mounts.
pub(super) fn folder_for(text: &str) -> anyhow::Result<PathBuf> {
    let cache = home::cache().context("no cache folder: set HOME or XDG_CACHE_HOME to an absolute path");
    let folder = cache.map(|cache| cache.join("recipes").join(env!("CARGO_PKG_VERSION")));
    let mut files = files_of(text).peekable();
    if files.peek().is_none() {
        // Nothing will be looked for there.
        return Ok(folder.unwrap_or_default());
    }
    let folder = folder?;
    for (path, text) in files {
        let file = folder.join(path);
        if fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        if let Some(above) = file.parent() {
            fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
        }
        whole_file::write(&file, text)?;
    }
    Ok(folder)
}
