//! The machine that engines run on, from the kernel's own files and `nvidia-smi`.

use std::{fs, process::Command};

use record::Machine;
use rustix::param::{clock_ticks_per_second, page_size};

/// Describes this machine. What cannot be read is left out; nothing here identifies its owner.
#[must_use]
pub fn detect() -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (gpu, driver) = gpu_and_driver().unzip();
    Machine {
        name: board().or_else(|| field(&cpuinfo, "model name")).unwrap_or_else(|| "unknown".to_owned()),
        arch: std::env::consts::ARCH.to_owned(),
        cpus: processors(&cpuinfo),
        memory_bytes: memory_bytes(&meminfo),
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        gpu,
        driver: driver.flatten(),
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

/// The processors that the kernel lists. Not those that this thread may use: it may be kept on one of them already.
fn processors(cpuinfo: &str) -> Option<u32> {
    let listed = cpuinfo.lines().filter(|line| line.split(':').next().is_some_and(|name| name.trim_end() == "processor")).count();
    let count = if listed > 0 { listed } else { std::thread::available_parallelism().ok()?.get() };
    u32::try_from(count).ok()
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

/// This machine's activity since it started, by every process. The difference of two readings is the activity in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// CPU time that was used, in nanoseconds over all processors.
    pub cpu_ns: Option<u64>,
    /// CPU time that a hypervisor gave to others, likewise.
    pub stolen_cpu_ns: Option<u64>,
    /// Bytes that were read back from swap.
    pub swapped_in_bytes: Option<u64>,
}

impl Activity {
    /// Reads the counters. What cannot be read is left out.
    #[must_use]
    pub fn read() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let vmstat = fs::read_to_string("/proc/vmstat").unwrap_or_default();
        let cpu = CpuTicks::parse(&stat);
        Self {
            cpu_ns: cpu.map(|ticks| ticks_to_ns(ticks.busy)),
            stolen_cpu_ns: cpu.map(|ticks| ticks_to_ns(ticks.stolen)),
            swapped_in_bytes: swapped_in_pages(&vmstat).map(|pages| pages * page_size() as u64),
        }
    }

    /// The activity since `before`. A count that decreased, as that of stolen time does on some machines that were moved, says nothing.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        let gone = |before: Option<u64>, now: Option<u64>| now?.checked_sub(before?);
        Self {
            cpu_ns: gone(before.cpu_ns, self.cpu_ns),
            stolen_cpu_ns: gone(before.stolen_cpu_ns, self.stolen_cpu_ns),
            swapped_in_bytes: gone(before.swapped_in_bytes, self.swapped_in_bytes),
        }
    }
}

/// The kernel's clock ticks, in which it tells CPU time, in nanoseconds.
pub(crate) fn ticks_to_ns(ticks: u64) -> u64 {
    ticks * (1_000_000_000 / clock_ticks_per_second().max(1))
}

/// The first line of `/proc/stat`: all processors together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTicks {
    busy: u64,
    stolen: u64,
}

impl CpuTicks {
    /// proc(5): user, nice, system, idle, iowait, irq, softirq, steal. Guests stand in the first two already.
    fn parse(stat: &str) -> Option<Self> {
        let mut ticks = stat.lines().find_map(|line| line.strip_prefix("cpu "))?.split_whitespace().map(str::parse::<u64>);
        let mut next = || ticks.next()?.ok();
        let [user, nice, system, _idle, _iowait, irq, softirq, stolen] =
            [next()?, next()?, next()?, next()?, next()?, next()?, next()?, next()?];
        Some(Self { busy: user + nice + system + irq + softirq, stolen })
    }
}

fn swapped_in_pages(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("pswpin "))?.trim().parse().ok()
}

fn gpu_and_driver() -> Option<(String, Option<String>)> {
    let query = ["--query-gpu=name,driver_version", "--format=csv,noheader"];
    let output = Command::new("nvidia-smi").args(query).output().ok().filter(|output| output.status.success())?;
    first_gpu(&String::from_utf8_lossy(&output.stdout))
}

/// The first line: a name and the driver's version, which has no comma.
fn first_gpu(csv: &str) -> Option<(String, Option<String>)> {
    let line = csv.lines().next().map(str::trim).filter(|line| !line.is_empty())?;
    let (gpu, driver) = line.rsplit_once(", ").map_or((line, None), |(gpu, driver)| (gpu, Some(driver.to_owned())));
    Some((gpu.to_owned(), driver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_is_read_from_kernel_files() {
        assert_eq!(memory_bytes("MemTotal:       24604872 kB\nMemFree: 1 kB\n"), Some(24_604_872 * 1024));
        assert_eq!(memory_bytes("nothing"), None);
        assert_eq!(kib_field("MemTotal: 9 kB\nMemAvailable:   12 kB\n", "MemAvailable"), Some(12 * 1024));
        assert_eq!(paged_in_bytes("nr_free 1\npgpgin 3\npgpgout 7\n"), Some(3 * 1024));
        assert_eq!(paged_in_bytes("pgpgout 7\n"), None);
        assert_eq!(field("x\nmodel name\t: A CPU\n", "model name").as_deref(), Some("A CPU"));
        assert_eq!(processors("processor\t: 0\nprocessors: 9\nmodel name\t: x\n\nprocessor\t: 1\n"), Some(2));
        let machine = detect();
        assert!(machine.cpus.is_some_and(|cpus| cpus > 0), "{machine:?}");
        assert!(memory_available_bytes() <= machine.memory_bytes && disk_read_bytes().is_some());
    }

    #[test]
    fn gpu_name_and_driver_are_parsed_separately() {
        let pair = |gpu: &str, driver: Option<&str>| Some((gpu.to_owned(), driver.map(str::to_owned)));
        assert_eq!(first_gpu("NVIDIA GB10, 580.95.05\nNVIDIA GB10, 580.95.05\n"), pair("NVIDIA GB10", Some("580.95.05")));
        assert_eq!(first_gpu("A, B, 1.2\n"), pair("A, B", Some("1.2")));
        assert_eq!((first_gpu("NVIDIA GB10\n"), first_gpu("\n"), first_gpu("")), (pair("NVIDIA GB10", None), None, None));
    }

    #[test]
    fn cpu_ticks_are_split_into_used_and_stolen() {
        let stat = "cpu  100 20 3 5000 700 4 5 60 90 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(CpuTicks::parse(stat), Some(CpuTicks { busy: 132, stolen: 60 }));
        assert_eq!((CpuTicks::parse("cpu  1 2 3 4"), CpuTicks::parse("cpu0 1 2 3 4 5 6 7 8")), (None, None));
        assert_eq!((swapped_in_pages("pswpout 9\npswpin 3\n"), swapped_in_pages("pswpout 9\n")), (Some(3), None));
    }

    #[test]
    fn activity_since_ignores_decreased_counters() {
        let activity = |cpu, stolen, swapped| Activity { cpu_ns: cpu, stolen_cpu_ns: stolen, swapped_in_bytes: swapped };
        let before = activity(Some(5), Some(9), None);
        assert_eq!(activity(Some(7), Some(8), Some(1)).since(before), activity(Some(2), None, None));
        let (begun, mut done) = (Activity::read(), None);
        // Until it shows: the kernel counts in ticks.
        while done.is_none_or(|ns| ns == 0) {
            done = Activity::read().since(begun).cpu_ns;
        }
        assert!(begun.swapped_in_bytes.is_some() && begun.stolen_cpu_ns.is_some());
    }
}
