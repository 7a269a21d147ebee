//! What cargo says of dependencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

use super::ImportGraph;

/// The workspace's crates, by their normal dependencies with default features.
pub(super) struct Crates {
    /// Which other ones each depends on.
    pub(super) members: ImportGraph,
    /// All that each has, however far down.
    pub(super) reached: ImportGraph,
}

/// Reads `cargo metadata`.
pub(super) fn read(workspace: &Path) -> Crates {
    let metadata = metadata(workspace);
    let names: BTreeMap<&str, &str> = array(&metadata["packages"]).map(|one| (text(&one["id"]), text(&one["name"]))).collect();
    let nodes: BTreeMap<&str, Vec<&str>> =
        array(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), normal_dependencies(node))).collect();
    let members: BTreeSet<&str> = array(&metadata["workspace_members"]).map(text).collect();
    let names_of = |ids: BTreeSet<&str>| ids.into_iter().map(|id| names[id].to_owned()).collect::<BTreeSet<String>>();
    let direct = |id: &str| nodes[id].iter().copied().filter(|other| members.contains(other)).collect();
    Crates {
        members: members.iter().map(|id| (names[id].to_owned(), names_of(direct(id)))).collect(),
        reached: members.iter().map(|id| (names[id].to_owned(), names_of(reached(&nodes, id)))).collect(),
    }
}

fn metadata(workspace: &Path) -> Value {
    let compiler = output(Command::new("rustc").arg("-vV"));
    let compiler = String::from_utf8(compiler).unwrap();
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Only this platform's: what others need may not have been downloaded.
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", host];
    serde_json::from_slice(&output(Command::new(env!("CARGO")).args(arguments).current_dir(workspace))).unwrap()
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Those that are neither for tests nor for a build script only.
fn normal_dependencies(node: &Value) -> Vec<&str> {
    let is_normal = |dependency: &&Value| array(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
    array(&node["deps"]).filter(is_normal).map(|dependency| text(&dependency["pkg"])).collect()
}

fn reached<'a>(nodes: &BTreeMap<&'a str, Vec<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = nodes[from].clone();
    while let Some(id) = next.pop() {
        if reached.insert(id) {
            next.extend(&nodes[id]);
        }
    }
    reached
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
