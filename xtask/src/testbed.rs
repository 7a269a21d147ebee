//! `testbed`: real engines and a tiny random model for them, in the user's cache folder and nowhere else.
//!
//! Without them the harness would be tested only against servers of our own. Nothing needs root, a GPU or a model download: llama.cpp
//! and vLLM come as wheels from the Python package index, the model is made here by a script from a seed. Where Docker runs, each engine
//! is there as a container image as well, made of the same files.

mod docker;
mod environment;
mod image;
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

use crate::{print, say};
use docker::Docker;
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
    /// llama.cpp's HTTP server: about 0.1 GB, and its image about 0.2 GB.
    Llamacpp,
    /// vLLM on the CPU: about 5 GB, and its image as much again.
    Vllm,
}

/// What became of the container images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Images {
    /// They are there.
    Ready,
    /// They cannot be made on this machine: why, and what to do.
    LeftOut(String),
}

/// Prepares what is missing and prints the testbed's folder.
pub(crate) fn run(args: &TestbedArgs) -> anyhow::Result<()> {
    let root = root()?;
    if args.remove {
        return remove(&root, args.only);
    }
    make_ready(&root, args.only)?;
    print(&root.display().to_string());
    Ok(())
}

/// Prepares what is missing of both engines, with their images if this machine can have them.
pub(crate) fn make_all_ready() -> anyhow::Result<Images> {
    make_ready(&root()?, None)
}

fn make_ready(root: &Path, only: Option<Engine>) -> anyhow::Result<Images> {
    let images = Docker::on_path().check().map_or_else(Images::LeftOut, |()| Images::Ready);
    let mut parts = needed(only);
    if images != Images::Ready {
        parts.retain(|part| part.image.is_none());
    }
    if parts.iter().any(|part| !stamp::is_whole(root, part)) {
        prepare(root, &parts)?;
    }
    for part in parts {
        say(&format!("testbed: {} is there ({})", part.name, part.what));
    }
    if let Images::LeftOut(why) = &images {
        say(&format!("testbed: container images are left out: {why}"));
    }
    Ok(images)
}

/// The testbed's folder, there or not: what `${TESTBED}` stands for in recipes.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    Ok(dirs::cache_dir().context("no cache folder: set HOME or XDG_CACHE_HOME to an absolute path")?.join("sparkgauge/testbed"))
}

/// In the order in which they are made: each needs those before it.
fn needed(only: Option<Engine>) -> Vec<&'static Part> {
    let mut parts = vec![&part::TOOLS, &part::MODEL];
    if only != Some(Engine::Vllm) {
        parts.extend(part::OF_LLAMACPP);
    }
    if only != Some(Engine::Llamacpp) {
        parts.extend(part::OF_VLLM);
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
        Some(Engine::Llamacpp) => part::OF_LLAMACPP.to_vec(),
        Some(Engine::Vllm) => part::OF_VLLM.to_vec(),
    };
    // Part by part, since only so each stamp goes before its part.
    for part in &doomed {
        if let Some(image) = part.image {
            image.remove(&Docker::on_path(), &root.join(part.name))?;
        }
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
