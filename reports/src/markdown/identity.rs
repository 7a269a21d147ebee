//! What was booted, as it turned out: a tag or a name is only what was asked for.

use std::collections::BTreeSet;

use record::{Boot, Identity, Image, Record};

use super::text::{Table, code, row};
use crate::{
    identity::{NOT_KNOWN, between_boots},
    words,
};

/// In what the boots differ, as a table; none where they do not.
pub(super) fn boot_differences(record: &Record) -> Option<String> {
    let differences = between_boots((&record.header, &record.boots));
    let mut table = Table::new(&["Boot", "Fact", "In the first boot", "In this one"], 4);
    for (boot, one) in &differences {
        table.row([boot.to_string(), one.field.clone(), code(&one.left), code(&one.right)]);
    }
    (!differences.is_empty()).then(|| table.markdown().to_owned())
}

/// A fact's name and, for a boot, its value as Markdown.
type Fact = (&'static str, fn(&Boot) -> Option<String>);

const IMAGE: [Fact; 4] = [
    ("Image", |boot| image(boot, |image| code(&image.name))),
    ("Image id", |boot| image(boot, |image| code(&image.id))),
    ("Registry digest", |boot| image(boot, digests)),
    ("Platform", |boot| image(boot, |image| code(&image.platform))),
];

const ENGINE: [Fact; 3] = [
    ("Engine version", |boot| boot.engine_version.as_deref().map(code)),
    ("Serves", |boot| spans(&boot.identity.served_models)),
    ("Runs on", |boot| {
        boot.identity.device.as_ref().map(|device| format!("{}: {}", words::device(device.kind), code(&device.proof)))
    }),
];

fn image(boot: &Boot, one: fn(&Image) -> String) -> Option<String> {
    boot.identity.image.as_ref().map(one)
}

fn digests(image: &Image) -> String {
    spans(&image.digests).unwrap_or_else(|| "none: it came from no registry".to_owned())
}

fn spans(texts: &[String]) -> Option<String> {
    let spans: Vec<String> = texts.iter().map(|text| code(text)).collect();
    (!spans.is_empty()).then(|| spans.join(", "))
}

/// What was booted as rows of two columns: one per fact, or one per value where boots differ in it; none of a record that knows nothing
/// of it.
pub(super) fn rows(record: &Record) -> String {
    let boots = &record.boots;
    let mut rows = String::new();
    if boots.iter().all(|boot| boot.identity == Identity::default()) && boot_differences(record).is_none() {
        return rows;
    }
    let has_image = boots.iter().any(|boot| boot.identity.image.is_some());
    for (name, of) in IMAGE.iter().filter(|_| has_image).chain(&ENGINE) {
        let mut values: Vec<(String, BTreeSet<u32>)> = Vec::new();
        for boot in boots {
            let value = of(boot).unwrap_or_else(|| NOT_KNOWN.to_owned());
            match values.iter_mut().find(|(other, _)| *other == value) {
                Some((_, those)) => _ = those.insert(boot.boot),
                None => values.push((value, [boot.boot].into())),
            }
        }
        let is_one = values.len() == 1;
        for (value, those) in values {
            let name = if is_one { (*name).to_owned() } else { format!("{name}, {}", numbers(&those)) };
            rows += &row([name, value]);
        }
    }
    rows
}

/// `boot 0`, `boots 0, 2`.
fn numbers(boots: &BTreeSet<u32>) -> String {
    let numbers: Vec<String> = boots.iter().map(u32::to_string).collect();
    format!("boot{} {}", if numbers.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

/// The lines of the log that name kernels and backends, each once over the boots.
pub(super) fn backends(boots: &[Boot]) -> Vec<String> {
    let lines: BTreeSet<&String> = boots.iter().flat_map(|boot| &boot.identity.backends).collect();
    let line = |line: &String| {
        let those: BTreeSet<u32> =
            boots.iter().filter(|boot| boot.identity.backends.contains(line)).map(|boot| boot.boot).collect();
        let only = if those.len() == boots.len() { String::new() } else { format!(" ({} only)", numbers(&those)) };
        format!("{}{only}", code(line))
    };
    lines.into_iter().map(line).collect()
}
