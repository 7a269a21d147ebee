//! What makes a calibration expire.

use std::collections::{BTreeMap, BTreeSet};

use record::{Boot, Header};

use super::Calibration;
use crate::identity::NOT_KNOWN;

impl Calibration {
    /// Why it no longer holds for an engine on a machine, in words; none if it does. The machine's facts are those of the header, the engine's
    /// those of the boots. The words name facts and never what they are, which is text of others.
    #[must_use]
    pub fn expired(&self, header: &Header, boots: &[Boot]) -> Option<String> {
        let now = facts(header, boots);
        let others: Vec<&str> = self
            .expires_with
            .iter()
            .filter(|(name, then)| now.get(*name) != Some(*then))
            .map(|(name, _)| known_name(name))
            .collect();
        (!others.is_empty()).then(|| {
            let (are, they) = if others.len() == 1 { ("is", "it was") } else { ("are", "they were") };
            format!("{} {are} not what {they} when the noise was measured: calibrate again", others.join(", "))
        })
    }
}

const MACHINE: &str = "machine";
const GPU: &str = "GPU and driver";
const KERNEL: &str = "kernel";
const IMAGE: &str = "image id";
const VERSION: &str = "engine version";

/// A name of ours, whatever a file calls it.
fn known_name(name: &String) -> &'static str {
    let known = [MACHINE, GPU, KERNEL, IMAGE, VERSION];
    known.into_iter().find(|one| one == name).unwrap_or("a fact that this program does not know")
}

/// The facts that noise depends on. What is not known then and now is the same.
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

/// Whether a difference between two runs in this fact is one in what noise depends on, though a comparison only warns of it.
pub(super) fn depends_on(field: &str) -> bool {
    ["kernel", "GPU driver"].contains(&field)
}
