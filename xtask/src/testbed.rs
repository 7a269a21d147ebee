//! `testbed`: real engines and a tiny random model for them, in the user's cache folder and nowhere else.
//!
//! Without them the harness would be tested only against servers of our own. Nothing needs root, a GPU or a model download: llama.cpp
//! and vLLM come as wheels from the Python package index, the model is made here by a script from a seed.

mod lock;
mod part;
mod python;
mod stamp;
mod workshop;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::{cache_folder, print, say};
use lock::Lock;
use part::Part;
use workshop::Workshop;

/// What `testbed` takes.
#[derive(Debug, Default, Args)]
pub(crate) struct TestbedArgs {
    /// Only this engine, with the tools and the model that it needs.
    #[arg(long, value_name = "ENGINE")]
    only: Option<Engine>,
    /// Delete the testbed; with --only, that engine alone.
    #[arg(long)]
    remove: bool,
}

/// An engine that the testbed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// llama.cpp's HTTP server: about 0.1 GB.
    Llamacpp,
    /// vLLM on the CPU: about 5 GB.
    Vllm,
}

/// Prepares what is missing and prints the testbed's folder.
pub(crate) fn run(args: &TestbedArgs) -> anyhow::Result<()> {
    let root = root()?;
    if args.remove {
        return remove(&root, args.only);
    }
    let parts = needed(args.only);
    if parts.iter().any(|part| !stamp::is_whole(&root, part)) {
        prepare(&root, &parts)?;
    }
    for part in parts {
        say(&format!("testbed: {} is there ({})", part.name, part.what));
    }
    print(&root.display().to_string());
    Ok(())
}

/// The testbed's folder, there or not: what `${TESTBED}` stands for in recipes.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    Ok(cache_folder::own().context("no cache folder: set HOME or XDG_CACHE_HOME to an absolute path")?.join("testbed"))
}

/// In the order in which they are made: each needs those before it.
fn needed(only: Option<Engine>) -> Vec<&'static Part> {
    let mut parts = vec![&part::TOOLS, &part::MODEL];
    if only != Some(Engine::Vllm) {
        parts.push(&part::LLAMACPP);
    }
    if only != Some(Engine::Llamacpp) {
        parts.push(&part::VLLM);
    }
    parts
}

fn prepare(root: &Path, parts: &[&Part]) -> anyhow::Result<()> {
    let lock = Lock::take(root)?;
    let workshop = Workshop::open(root, lock)?;
    say(&format!("testbed: what the installers say goes to {}", workshop.log().display()));
    for part in parts {
        // Asked again under the lock: another run may have made it while this one waited.
        if stamp::is_whole(root, part) {
            continue;
        }
        say(&format!("testbed: making {}: {} ...", part.name, part.cost));
        let folder = root.join(part.name);
        stamp::clear(&folder)?;
        (part.make)(&workshop, &folder).with_context(|| format!("testbed: {} could not be made", part.name))?;
        stamp::set(&folder, part)?;
    }
    workshop.close()
}

fn remove(root: &Path, only: Option<Engine>) -> anyhow::Result<()> {
    if !root.is_dir() {
        say(&format!("testbed: nothing to remove at {}", root.display()));
        return Ok(());
    }
    let lock = Lock::take(root)?;
    let doomed = match only {
        None => part::ALL.to_vec(),
        Some(Engine::Llamacpp) => vec![&part::LLAMACPP],
        Some(Engine::Vllm) => vec![&part::VLLM],
    };
    // Part by part, since only so each stamp goes before its part.
    for part in &doomed {
        stamp::clear(&root.join(part.name))?;
    }
    if only.is_none() {
        stamp::clear(root)?;
        lock.delete()?;
        // Only if it is empty: the folder above may hold other things.
        let _kept = root.parent().map(fs::remove_dir);
    }
    let what = only.and(doomed.first()).map_or("the testbed", |part| part.name);
    say(&format!("testbed: removed {what} from {}", root.display()));
    Ok(())
}

#[cfg(test)]
mod tests;
