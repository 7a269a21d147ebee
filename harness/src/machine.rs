//! The machine that engines run on, from the kernel's own files and `nvidia-smi`.

use std::{fs, process::Command};

use record::Machine;

/// Looks at this machine. What cannot be read is left out; nothing here identifies its owner.
#[must_use]
pub fn look() -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    Machine {
        name: board().or_else(|| field(&cpuinfo, "model name")).unwrap_or_else(|| "unknown".to_owned()),
        arch: std::env::consts::ARCH.to_owned(),
        cpus: std::thread::available_parallelism().ok().and_then(|count| u32::try_from(count.get()).ok()),
        memory_bytes: memory_bytes(&meminfo),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        gpu: gpu(),
    }
}

/// The board's product name, which on a Spark says so; generic virtual boards do not help a reader.
fn board() -> Option<String> {
    let name = fs::read_to_string("/sys/class/dmi/id/product_name").ok()?;
    let name = name.trim();
    (name.contains("Spark") || name.contains("GB10")).then(|| name.to_owned())
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_bytes(meminfo: &str) -> Option<u64> {
    kib_field(meminfo, "MemTotal")
}

/// A field of `/proc/meminfo`, in bytes.
fn kib_field(meminfo: &str, name: &str) -> Option<u64> {
    let kib: u64 = field(meminfo, name)?.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// Memory that could be had without swapping, in bytes: `MemAvailable`, which counts caches that the kernel would give up.
#[must_use]
pub fn memory_available_bytes() -> Option<u64> {
    kib_field(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable")
}

/// Bytes that this machine has read from its disks since it started. The difference over a boot tells a cold one from a warm one.
#[must_use]
pub fn disk_read_bytes() -> Option<u64> {
    paged_in_bytes(&fs::read_to_string("/proc/vmstat").ok()?)
}

/// `pgpgin` counts in KiB: the kernel halves its sectors of 512 bytes before it shows them (`vmstat_start` in `mm/vmstat.c`).
fn paged_in_bytes(vmstat: &str) -> Option<u64> {
    let kib: u64 = vmstat.lines().find_map(|line| line.strip_prefix("pgpgin "))?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn gpu() -> Option<String> {
    let query = ["--query-gpu=name,driver_version", "--format=csv,noheader"];
    let output = Command::new("nvidia-smi").args(query).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.replace(", ", ", driver "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_files_are_read() {
        assert_eq!(memory_bytes("MemTotal:       24604872 kB\nMemFree: 1 kB\n"), Some(24_604_872 * 1024));
        assert_eq!(memory_bytes("nothing"), None);
        assert_eq!(kib_field("MemTotal: 9 kB\nMemAvailable:   12 kB\n", "MemAvailable"), Some(12 * 1024));
        assert_eq!(paged_in_bytes("nr_free 1\npgpgin 3\npgpgout 7\n"), Some(3 * 1024));
        assert_eq!(paged_in_bytes("pgpgout 7\n"), None);
        assert_eq!(field("x\nmodel name\t: A CPU\n", "model name").as_deref(), Some("A CPU"));
        let machine = look();
        assert!(machine.cpus.is_some_and(|cpus| cpus > 0), "{machine:?}");
        assert!(memory_available_bytes() <= machine.memory_bytes && disk_read_bytes().is_some());
    }
}
