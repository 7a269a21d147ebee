use super::*;

const GOOD: &str =
    "name = 'mine'\nengine = 'llamacpp'\ndialect = 'llamacpp'\n[model]\nid = 'tiny'\n[attach]\nurl = 'http://127.0.0.1:1'\n";

fn store() -> (tempfile::TempDir, RecipeStore) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), GOOD).unwrap();
    let store = RecipeStore::of(folder.path().to_path_buf());
    (folder, store)
}

#[test]
fn unknown_recipe_is_refused_with_the_known_names() {
    let (folder, store) = store();
    let message = store.load("yours").unwrap_err().to_string();
    assert!(message.starts_with("no recipe `yours`: ") && message.contains("known recipes: llamacpp, "), "{message}");
    assert!(message.contains(", mine, "), "{message}");
    assert_eq!(store.load("mine").unwrap().recipe.name, "mine");
    let path = folder.path().join("mine.toml");
    assert_eq!(RecipeStore::of("elsewhere".into()).load(&path.to_string_lossy()).unwrap().recipe.name, "mine");
}

#[test]
fn recipe_of_the_folder_is_preferred_to_a_built_in_one() {
    let (folder, store) = store();
    assert_eq!(store.load("vllm").unwrap().origin, Origin::BuiltIn);
    let path = folder.path().join("vllm.toml");
    fs::write(&path, GOOD.replace("mine", "vllm")).unwrap();
    let own = store.load("vllm").unwrap();
    assert_eq!((own.origin, own.recipe.model.id.as_str()), (Origin::File(path), "tiny"));
    let names = store.names();
    assert_eq!(names.iter().filter(|name| *name == "vllm").count(), 1, "{names:?}");
}

#[test]
fn built_in_recipes_are_those_of_the_tree() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../recipes");
    let mut there: Vec<_> = fs::read_dir(&tree)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".toml").map(str::to_owned))
        .filter(|name| !name.starts_with("testbed-"))
        .collect();
    there.sort();
    assert_eq!(built_in::names().collect::<Vec<_>>(), there);
    for name in there {
        let stored = RecipeStore::of("nowhere".into()).load(&name).unwrap();
        assert_eq!(stored.text, fs::read_to_string(tree.join(format!("{name}.toml"))).unwrap());
        for mount in stored.recipe.container.iter().flat_map(|container| &container.mounts) {
            let Some(path) = mount.source.strip_prefix("${RECIPES}/") else { continue };
            let there = fs::read_to_string(tree.join(path)).unwrap();
            assert_eq!(built_in::files_of(&stored.text).collect::<Vec<_>>(), [(path, there.as_str())]);
            assert_eq!(fs::read_to_string(stored.folder.join(path)).unwrap(), there);
        }
    }
}
