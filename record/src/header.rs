//! The description of a run: its header, its boots, its end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Cores, ErrorBudget, Gate, Identity, Interleaving, Launch, Profile, Recipe};

/// The first entry of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Header {
    /// The layout's version, [`crate::SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of Sparkgauge that measured.
    pub harness_version: String,
    /// The commit it was built from, where git knew it.
    pub harness_commit: Option<String>,
    /// The exact command line.
    pub command: Vec<String>,
    /// When it began, in seconds since 1970 by the wall clock; none in virtual time. Durations never come from it.
    pub started_unix_s: Option<u64>,
    /// How the engine was started.
    pub launch: Launch,
    /// The recipe as it was used.
    pub recipe: Recipe,
    /// The machine that the engine ran on.
    pub machine: Machine,
    /// How much of the suite was taken.
    pub profile: Profile,
    /// Which suite the cells are from: `canonical`.
    pub suite: String,
    /// Counts from 1; `workload_hashes` say what each workload was.
    pub suite_version: u32,
    /// Each workload's hash, by name.
    pub workload_hashes: BTreeMap<String, String>,
    /// The seed from which each trial's seed and the order of cells are derived.
    pub seed: u64,
    /// How many boots were planned; [`crate::Record::boots`] holds those that were ready.
    pub boots: u32,
    /// The number of the first of them: a run that adds boots to an earlier one goes on counting, and so draws other seeds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first_boot: u32,
    /// Planned trials of each cell per boot.
    pub trials_per_boot: u32,
    /// Planned cells, by name, in the suite's order.
    pub cells: Vec<String>,
    /// Cells of the profile that were left out, and why (e.g. a context that the model does not have).
    pub left_out: BTreeMap<String, String>,
    /// Why the recipe could be another engine tomorrow, if it could: an image without digest, a model without revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpinned: Vec<String>,
    /// The gates that a verdict on this run is about; none in a miniature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// The other run that was measured together with this one, boot by boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interleaved: Option<Interleaving>,
    /// The processors of the client and the engine, where they were kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<Cores>,
    /// Where `sharegpt`'s lengths come from: a file's digest, or the documented distribution.
    pub sharegpt_lengths: String,
    /// The instrument's own error on the machine that it ran on; none in virtual time, and where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<ErrorBudget>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The machine that an engine ran on. No host name: a record is public.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(!from))]
#[serde(from = "WrittenMachine")]
pub struct Machine {
    /// The model name of the board or the CPU.
    pub name: String,
    /// The architecture, e.g. `aarch64`.
    pub arch: String,
    /// Logical processors; none where the system does not tell.
    pub cpus: Option<u32>,
    /// Physical memory, in bytes; on a Spark the GPU shares it.
    pub memory_bytes: Option<u64>,
    /// Release of the operating system's kernel, e.g. `6.11.0-1016-nvidia`.
    pub kernel: Option<String>,
    /// The GPU's name as `nvidia-smi` reports it; none without one.
    pub gpu: Option<String>,
    /// The GPU's driver, by its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

impl Machine {
    /// The GPU with its driver, `NVIDIA GB10, driver 580.95.05`.
    #[must_use]
    pub fn gpu_and_driver(&self) -> Option<String> {
        let gpu = self.gpu.as_ref()?;
        Some(self.driver.as_ref().map_or_else(|| gpu.clone(), |driver| format!("{gpu}{DRIVER}{driver}")))
    }
}

/// The separator between a GPU and its driver in records that hold both in one text.
const DRIVER: &str = ", driver ";

/// A machine as a file has it: those that were written before the driver had a field of its own have it behind the GPU.
#[derive(Deserialize)]
struct WrittenMachine {
    name: String,
    arch: String,
    cpus: Option<u32>,
    memory_bytes: Option<u64>,
    kernel: Option<String>,
    gpu: Option<String>,
    driver: Option<String>,
}

impl From<WrittenMachine> for Machine {
    fn from(written: WrittenMachine) -> Self {
        let WrittenMachine { name, arch, cpus, memory_bytes, kernel, gpu, driver } = written;
        let glued = gpu.as_deref().filter(|_| driver.is_none()).and_then(|gpu| gpu.rsplit_once(DRIVER));
        let split = glued.map(|(gpu, driver)| (Some(gpu.to_owned()), Some(driver.to_owned())));
        let (gpu, driver) = split.unwrap_or((gpu, driver));
        Self { name, arch, cpus, memory_bytes, kernel, gpu, driver }
    }
}

/// One start of the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Boot {
    /// Its number, from 0.
    pub boot: u32,
    /// From the start of the process until the first real token, in nanoseconds; none in virtual time or when attached.
    pub ready_ns: Option<u64>,
    /// From the start of the process until its own health endpoint answered, in nanoseconds; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_ns: Option<u64>,
    /// Bytes that the whole machine read from its disks during the boot: a cold boot reads the weights, a warm one finds them in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_read_bytes: Option<u64>,
    /// The engine's identity as observed: image, served models, backends, device.
    #[serde(default)]
    pub identity: Identity,
    /// The engine's version as it reports it.
    pub engine_version: Option<String>,
    /// The command line as it was run; placeholders of folders stay, since where a machine keeps its files is private.
    pub command: Vec<String>,
    /// How prompts were sized.
    pub sizing: Sizing,
    /// The result of the output sanity check, in words.
    pub sanity: String,
}

/// How prompts were sized. `usage.prompt_tokens` should be `template_tokens` plus the text's own tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sizing {
    /// The source of token counts.
    pub source: SizingSource,
    /// Tokens that the chat template adds to a one-message prompt.
    pub template_tokens: u32,
    /// Tokens that it adds for each further message.
    pub message_tokens: u32,
    /// The server's count of a long probe over the source's; near 1, unless the tokenizer is not the model's.
    pub scale: f64,
}

/// The source of the token counts of prompts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SizingSource {
    /// The model's own `tokenizer.json`.
    Tokenizer {
        /// SHA-256 of the file, in hexadecimal.
        sha256: String,
    },
    /// The engine's tokenize endpoint.
    Endpoint,
    /// The usage that came back for probes.
    Calibrated,
}

/// The last entry of a record. A record without one was cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct End {
    /// Whether all was measured, and if not, why not.
    pub reason: EndReason,
    /// How the engine stopped, in words.
    pub engine_stop: Option<String>,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndReason {
    /// All planned trials were made.
    Finished,
    /// A person or a signal stopped it.
    Interrupted,
    /// It could not go on.
    Failed {
        /// The message of the error that ended the run.
        detail: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(gpu: &str) -> Machine {
        let json = format!(r#"{{"name": "a", "arch": "b", "cpus": 1, "memory_bytes": null, "kernel": "c", {gpu}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn driver_inside_gpu_name_is_read_as_its_own_field() {
        let split = read(r#""gpu": "NVIDIA GB10", "driver": "580.95.05""#);
        assert_eq!((split.gpu.as_deref(), split.driver.as_deref()), (Some("NVIDIA GB10"), Some("580.95.05")));
        let glued = "NVIDIA GB10, driver 580.95.05";
        assert_eq!(read(&format!(r#""gpu": "{glued}""#)), split);
        assert_eq!(split.gpu_and_driver().as_deref(), Some(glued));
        // A name is left alone where the driver has its own field.
        assert_eq!(read(r#""gpu": "a, driver b", "driver": "1""#).gpu.as_deref(), Some("a, driver b"));
    }

    #[test]
    fn machine_without_gpu_or_driver_is_written_as_before() {
        for (written, shown) in [(r#""gpu":null"#, None), (r#""gpu":"NVIDIA H100""#, Some("NVIDIA H100"))] {
            let machine = read(written);
            assert_eq!(machine.gpu_and_driver().as_deref(), shown);
            assert!(serde_json::to_string(&machine).unwrap().ends_with(&format!("{written}}}")));
        }
    }
}
