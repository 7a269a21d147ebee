//! The words for settings of a recipe and facts of an engine, as recipes spell them where they do.

use record::{
    DeviceKind,
    recipe::{Gpus, Ipc, PrefixCache, StopSignal},
};

pub(crate) fn gpus(gpus: Gpus) -> &'static str {
    match gpus {
        Gpus::None => "none",
        Gpus::All => "all",
    }
}

pub(crate) fn ipc(ipc: Ipc) -> &'static str {
    match ipc {
        Ipc::Private => "private",
        Ipc::Host => "host",
    }
}

pub(crate) fn prefix_cache(prefix_cache: PrefixCache) -> &'static str {
    match prefix_cache {
        PrefixCache::Workload => "workload",
        PrefixCache::Off => "off",
    }
}

pub(crate) fn stop_signal(signal: StopSignal) -> &'static str {
    match signal {
        StopSignal::Term => "TERM",
        StopSignal::Int => "INT",
    }
}

pub(crate) fn device(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Cpu => "CPU",
        DeviceKind::Gpu => "GPU",
    }
}
