//! The device that an engine runs on, proved by the processes that `nvidia-smi` lists. An engine that found no GPU may well fall back to the
//! processor and answer, a hundred times slower.

use std::{collections::BTreeMap, io, time::Duration};

use record::{Device, DeviceKind};
use tokio::{process::Command, time::timeout};

use super::EngineError;

/// The program that is asked.
pub const NVIDIA_SMI: &str = "nvidia-smi";
/// How long it may take: a driver that hangs must not hang the run.
const SMI_LIMIT: Duration = Duration::from_secs(30);

/// The processes that compute on a GPU, as `nvidia-smi` lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComputeApps {
    /// Memory of each process, in MiB, by its id; none where the driver does not tell.
    Named(BTreeMap<u32, Option<u64>>),
    /// There is no such program.
    NoSmi,
    /// It failed, in its words.
    Failed(String),
}

/// Asks `program`, which is [`NVIDIA_SMI`] but in tests.
pub async fn compute_apps(program: &str) -> ComputeApps {
    let mut command = Command::new(program);
    command.args(["--query-compute-apps=pid,used_memory", "--format=csv,noheader"]).kill_on_drop(true);
    match timeout(SMI_LIMIT, command.output()).await {
        Err(_) => ComputeApps::Failed(format!("{program} gave no answer within {} s", SMI_LIMIT.as_secs())),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => ComputeApps::NoSmi,
        Ok(Err(error)) => ComputeApps::Failed(format!("{program} cannot be run: {error}")),
        Ok(Ok(output)) if output.status.success() => ComputeApps::Named(parse(&String::from_utf8_lossy(&output.stdout))),
        Ok(Ok(output)) => {
            let text = [output.stdout, output.stderr].concat();
            ComputeApps::Failed(format!("{program}: {}: {}", output.status, String::from_utf8_lossy(&text).trim()))
        }
    }
}

/// `4242, 63000 MiB` a line; where memory is not reported, `[N/A]` or another word in brackets. A process on two GPUs has two lines.
fn parse(text: &str) -> BTreeMap<u32, Option<u64>> {
    let mut apps = BTreeMap::new();
    for line in text.lines() {
        let Some((pid, memory)) = line.split_once(',') else { continue };
        let Ok(pid) = pid.trim().parse::<u32>() else { continue };
        let mib = memory.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
        let before = apps.insert(pid, mib).flatten();
        apps.insert(pid, mib.map(|mib| mib + before.unwrap_or(0)).or(before));
    }
    apps
}

/// The proof that some of `pids` are on a GPU.
fn proof(apps: &BTreeMap<u32, Option<u64>>, pids: &[u32]) -> Option<String> {
    let found: Vec<_> = pids.iter().filter_map(|pid| apps.get(pid)).collect();
    let count = match found.len() {
        0 => return None,
        1 => "one of its processes".to_owned(),
        many => format!("{many} of its processes"),
    };
    let mib: u64 = found.iter().filter_map(|mib| **mib).sum();
    let memory = if mib == 0 { String::new() } else { format!(", {mib} MiB") };
    Some(format!("nvidia-smi names {count}{memory}"))
}

/// The device of a process engine, which is not given one by the recipe.
#[must_use]
pub fn of_process(apps: &ComputeApps, pids: &[u32]) -> Device {
    let cpu = |proof: String| Device { kind: DeviceKind::Cpu, proof };
    match apps {
        ComputeApps::Named(apps) => proof(apps, pids).map_or_else(
            || cpu("nvidia-smi names none of its processes".to_owned()),
            |proof| Device { kind: DeviceKind::Gpu, proof },
        ),
        ComputeApps::NoSmi => cpu("this machine has no nvidia-smi".to_owned()),
        ComputeApps::Failed(why) => cpu(format!("nvidia-smi reports no GPU: {why}")),
    }
}

/// The device of a container that was given every GPU; `pids` are its processes by the host's ids.
pub fn of_gpu_container(apps: &ComputeApps, pids: &[u32]) -> Result<Device, EngineError> {
    let why = match apps {
        ComputeApps::Named(apps) => match proof(apps, pids) {
            Some(proof) => return Ok(Device { kind: DeviceKind::Gpu, proof }),
            None => format!(
                "nvidia-smi names {} processes, and none of the container's {}; see the engine's log for why it took the processor, or set `gpus = \
                 \"none\"` in [container] if it is meant to",
                apps.len(),
                pids.len()
            ),
        },
        ComputeApps::NoSmi => "this machine has no nvidia-smi to prove it with; install the driver's tools".to_owned(),
        ComputeApps::Failed(why) => why.clone(),
    };
    Err(EngineError::NoGpu { why })
}

/// The device of a container that was given no GPU.
#[must_use]
pub fn of_cpu_container() -> Device {
    Device { kind: DeviceKind::Cpu, proof: "no GPU was given to it".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nvidia_smi_output_is_parsed_in_every_form() {
        let apps = parse(
            "4242, 63000 MiB\n4243, [N/A]\n4242, 1000 MiB\n4244, [Insufficient Permissions]\n\nNo running processes found\n",
        );
        assert_eq!(apps, BTreeMap::from([(4242, Some(64_000)), (4243, None), (4244, None)]));
        assert_eq!(proof(&apps, &[1, 4242, 4243]).as_deref(), Some("nvidia-smi names 2 of its processes, 64000 MiB"));
        assert_eq!(proof(&apps, &[4243]).as_deref(), Some("nvidia-smi names one of its processes"));
        assert_eq!(proof(&apps, &[1]), None);
        assert_eq!(proof(&apps, &[]), None);
    }

    #[test]
    fn gpu_container_off_the_gpu_is_refused_and_process_accepted() {
        let named = ComputeApps::Named(parse("7, 10 MiB\n"));
        let failed = ComputeApps::Failed("nvidia-smi: exit status: 9: no driver".to_owned());
        let of_process = |apps: &ComputeApps| of_process(apps, &[7]).proof;
        assert_eq!(of_process(&named), "nvidia-smi names one of its processes, 10 MiB");
        assert_eq!(of_process(&ComputeApps::Named(BTreeMap::new())), "nvidia-smi names none of its processes");
        assert_eq!(of_process(&ComputeApps::NoSmi), "this machine has no nvidia-smi");
        assert_eq!(of_process(&failed), "nvidia-smi reports no GPU: nvidia-smi: exit status: 9: no driver");
        assert_eq!(of_gpu_container(&named, &[7]).unwrap().kind, DeviceKind::Gpu);
        let refused = [(&named, 8), (&ComputeApps::NoSmi, 7), (&failed, 7)]
            .map(|(apps, pid)| of_gpu_container(apps, &[pid]).unwrap_err().to_string());
        insta::assert_snapshot!(refused.join("\n"), @r#"
        the engine answers, but runs on no GPU: nvidia-smi names 1 processes, and none of the container's 1; see the engine's log for why it took the processor, or set `gpus = "none"` in [container] if it is meant to
        the engine answers, but runs on no GPU: this machine has no nvidia-smi to prove it with; install the driver's tools
        the engine answers, but runs on no GPU: nvidia-smi: exit status: 9: no driver
        "#);
    }

    #[test]
    fn missing_and_failing_nvidia_smi_are_distinguished() {
        let ask = |program: &str| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(compute_apps(program))
        };
        // It repeats its arguments, which name no process.
        assert_eq!(ask("echo"), ComputeApps::Named(BTreeMap::new()));
        assert_eq!(ask("false"), ComputeApps::Failed("false: exit status: 1: ".to_owned()));
        assert_eq!(ask("no-such-program-here"), ComputeApps::NoSmi);
    }
}
