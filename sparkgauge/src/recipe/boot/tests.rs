use super::*;
use crate::example;

fn check_repository(image: &str, expected: &str) {
    assert_eq!(repository(image), expected);
}

#[test]
fn repository_of_an_image_is_separated_from_its_tag() {
    check_repository("vllm/vllm-openai:v0.26.0", "vllm/vllm-openai");
    check_repository("localhost:5000/mine:1", "localhost:5000/mine");
    check_repository("localhost:5000/mine", "localhost:5000/mine");
    check_repository("ollama", "ollama");
}

#[test]
fn note_explains_image_ids_of_this_machine() {
    let mut recipe = example::recipes().load("vllm").unwrap().recipe;
    let mut container = recipe.container.take().unwrap();
    container.image = "mine:1".to_owned();
    container.digest = Some("sha256:ab".to_owned());
    let note = local_id_note(&container).unwrap();
    assert!(note.starts_with("# if sha256:ab is the id") && note.ends_with("`docker run` takes mine:1 instead"), "{note}");
    assert_eq!(local_id_note(&Container { digest: None, ..container }), None);
}

#[test]
fn words_are_quoted_for_a_shell() {
    assert_eq!(quote("--port=1"), "--port=1");
    assert_eq!(quote(""), "''");
    assert_eq!(quote("it's {\"a\": 1}"), r#"'it'\''s {"a": 1}'"#);
    assert_eq!(quote("${PORT}"), "'${PORT}'");
}

#[test]
fn known_placeholders_are_filled_in_and_unknown_ones_stay() {
    let places = Places { hf_cache: Some(PathBuf::from("/h")), ..Places::default() };
    assert_eq!(places.fill("${HF_CACHE}/x:${CACHE}").unwrap(), "/h/x:${CACHE}");
    assert!(places.fill("${HF_CACHE").unwrap_err().contains("without its"));
    assert_eq!(placeholders("a${ONE}b${TWO}").unwrap(), ["ONE", "TWO"]);
}

/// What each engine is booted with. The testbed's recipes are its scripts' affair.
#[test]
fn boot_commands() {
    let recipes = example::recipes();
    let mut seen = 0;
    for name in recipes.names().iter().filter(|name| !name.starts_with("testbed-")) {
        let recipe = recipes.load(name).unwrap().recipe;
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.as_str(), as_command(&recipe, &Places::default()).unwrap());
        });
        seen += 1;
    }
    assert!(seen >= 12, "{seen} recipes");
}
