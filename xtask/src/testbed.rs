//! `testbed`: real engines and a tiny random model for them, in the user's cache folder and nowhere else.
//!
//! Without them the harness would be tested only against servers of our own. Nothing needs root, a GPU or a model download: llama.cpp
//! and vLLM come as wheels from the Python package index, the model is made here by a script from a seed. Where Docker runs, each engine
//! is there as a container image as well, made of the same files.

mod component;
mod docker;
mod environment;
mod image;
mod lock;
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
use component::Component;
use docker::Docker;
use lock::Lock;
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

/// Whether the container images could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Images {
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
    let mut components = needed(only);
    if images != Images::Ready {
        components.retain(|component| component.image.is_none());
    }
    if components.iter().any(|component| !stamp::is_whole(root, component)) {
        prepare(root, &components)?;
    }
    for component in components {
        say(&format!("testbed: {} is there ({})", component.name, component.what));
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
fn needed(only: Option<Engine>) -> Vec<&'static Component> {
    let mut components = vec![&component::TOOLS, &component::MODEL];
    if only != Some(Engine::Vllm) {
        components.extend(component::OF_LLAMACPP);
    }
    if only != Some(Engine::Llamacpp) {
        components.extend(component::OF_VLLM);
    }
    components
}

fn prepare(root: &Path, components: &[&Component]) -> anyhow::Result<()> {
    let lock = Lock::take(root)?;
    let workshop = Workshop::open(root, lock)?;
    say(&format!("testbed: what the installers say goes to {}", workshop.log().display()));
    for component in components {
        // Asked again under the lock: another run may have made it while this one waited.
        if stamp::is_whole(root, component) {
            continue;
        }
        say(&format!("testbed: making {}: {} ...", component.name, component.cost));
        let folder = root.join(component.name);
        stamp::clear(&folder)?;
        (component.make)(&workshop, &folder).with_context(|| format!("testbed: {} could not be made", component.name))?;
        stamp::set(&folder, component)?;
    }
    workshop.close()
}

fn remove(root: &Path, only: Option<Engine>) -> anyhow::Result<()> {
    if !root.is_dir() {
        say(&format!("testbed: nothing to remove at {}", root.display()));
        return Ok(());
    }
    let lock = Lock::take(root)?;
    let removed_components = match only {
        None => component::ALL.to_vec(),
        Some(Engine::Llamacpp) => component::OF_LLAMACPP.to_vec(),
        Some(Engine::Vllm) => component::OF_VLLM.to_vec(),
    };
    // One by one: each stamp must go before its component.
    for component in &removed_components {
        if let Some(image) = component.image {
            image.remove(&Docker::on_path(), &root.join(component.name))?;
        }
        stamp::clear(&root.join(component.name))?;
    }
    if only.is_none() {
        stamp::clear(root)?;
        lock.delete()?;
        // Only if it is empty: the folder above may hold other things.
        let _kept = root.parent().map(fs::remove_dir);
    }
    let what = only.and(removed_components.first()).map_or("the testbed", |component| component.name);
    say(&format!("testbed: removed {what} from {}", root.display()));
    Ok(())
}

#[cfg(test)]
mod tests;
