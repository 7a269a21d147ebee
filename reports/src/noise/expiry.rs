//! Checks whether a calibration has expired.

use std::collections::{BTreeMap, BTreeSet};

use record::{Boot, Header};

use super::Calibration;
use crate::identity::NOT_KNOWN;

impl Calibration {
    /// Why the calibration no longer holds for an engine on a machine, in words; none if it holds. Facts of the machine are read from the header,
    /// facts of the engine from the boots. The words name facts and not their values, which are untrusted texts of records.
    #[must_use]
    pub fn expired(&self, header: &Header, boots: &[Boot]) -> Option<String> {
        let current = facts(header, boots);
        let changed: Vec<&str> = self
            .expires_with
            .iter()
            .filter(|(name, calibrated)| current.get(*name) != Some(*calibrated))
            .map(|(name, _)| known_fact(name))
            .collect();
        (!changed.is_empty()).then(|| {
            let have = if changed.len() == 1 { "has" } else { "have" };
            format!("{} {have} changed since the noise was measured: calibrate again", changed.join(", "))
        })
    }
}

const MACHINE: &str = "machine";
const GPU: &str = "GPU and driver";
const KERNEL: &str = "kernel";
const IMAGE: &str = "image id";
const VERSION: &str = "engine version";

/// The fact's name as a constant of this program, since a calibration file may contain any text.
fn known_fact(name: &String) -> &'static str {
    let known = [MACHINE, GPU, KERNEL, IMAGE, VERSION];
    known.into_iter().find(|fact| fact == name).unwrap_or("a fact that this program does not know")
}

/// The facts that noise depends on. A fact that is unknown both times counts as unchanged.
pub(super) fn facts(header: &Header, boots: &[Boot]) -> BTreeMap<String, String> {
    let machine = &header.machine;
    let over = |of: fn(&Boot) -> Option<&String>| {
        let values: BTreeSet<&str> = boots.iter().filter_map(of).map(String::as_str).collect();
        (!values.is_empty()).then(|| values.into_iter().collect::<Vec<_>>().join(" or "))
    };
    let each = [
        (MACHINE, Some(format!("{}, {}", machine.name, machine.arch))),
        (GPU, machine.gpu_and_driver()),
        (KERNEL, machine.kernel.clone()),
        (IMAGE, over(|boot| boot.identity.image.as_ref().map(|image| &image.id))),
        (VERSION, over(|boot| boot.engine_version.as_ref())),
    ];
    each.into_iter().map(|(name, value)| (name.to_owned(), value.unwrap_or_else(|| NOT_KNOWN.to_owned()))).collect()
}

/// Whether noise depends on this fact although a comparison only reports a difference in it.
pub(super) fn depends_on(field: &str) -> bool {
    ["kernel", "GPU driver"].contains(&field)
}
