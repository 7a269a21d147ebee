use insta::assert_snapshot;

use super::*;

const GOOD: &str = r#"
name = "mine"
engine = "llamacpp"
dialect = "llamacpp"
[model]
id = "tiny"
[process]
command = ["server", "--port", "${PORT}"]
"#;

fn error(text: &str) -> String {
    let message = parse(text, "recipes/mine.toml", "mine").unwrap_err().to_string();
    message.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_short_recipe_gets_the_defaults() {
    let recipe = parse(GOOD, "recipes/mine.toml", "mine").unwrap();
    let process = recipe.process.unwrap();
    assert_eq!((process.port, process.stop_grace_s, recipe.ready.timeout_s), (0, 30, 1800));
}

#[test]
fn wrong_type() {
    assert_snapshot!(error(&GOOD.replace(r#"id = "tiny""#, "id = 3")), @r#"
    recipes/mine.toml: TOML parse error at line 6, column 6
      |
    6 | id = 3
      |      ^
    invalid type: integer `3`, expected a string
    "#);
}

#[test]
fn unknown_key() {
    assert_snapshot!(error(&GOOD.replace("command =", "comand =")), @r#"
    recipes/mine.toml: TOML parse error at line 8, column 1
      |
    8 | comand = ["server", "--port", "${PORT}"]
      | ^^^^^^
    unknown field `comand`, expected one of `command`, `env`, `port`, `stop_signal`, `stop_grace_s`
    "#);
}

#[test]
fn unknown_engine() {
    assert_snapshot!(error(&GOOD.replace(r#"engine = "llamacpp""#, r#"engine = "lama""#)), @r#"
    recipes/mine.toml: TOML parse error at line 3, column 10
      |
    3 | engine = "lama"
      |          ^^^^^^
    unknown variant `lama`, expected one of `vllm`, `sglang`, `llamacpp`, `ollama`, `trtllm`, `nim`, `simulated`, `other`
    "#);
}

#[test]
fn missing_model() {
    assert_snapshot!(error(&GOOD.replace("[model]\nid = \"tiny\"\n", "")), @"
    recipes/mine.toml: TOML parse error at line 1, column 1
      |
    1 |
      | ^
    missing field `model`
    ");
}

#[test]
fn parts_that_do_not_fit() {
    assert_snapshot!(error(&GOOD.replace(r#"name = "mine""#, r#"name = "yours""#)), @"recipes/mine.toml: `name` is `yours` but the file is `mine.toml`; make them the same");
    assert_snapshot!(error(&GOOD.replace(r#"id = "tiny""#, r#"id = " ""#)), @"recipes/mine.toml: [model] `id` is empty; it is the name sent in requests");
    assert_snapshot!(error(&GOOD.replace("${PORT}", "8000")), @"recipes/mine.toml: [process] `port` is 0 but `command` has no `${PORT}`, so the engine could not know its port");
    assert_snapshot!(error(&format!("{GOOD}\n[attach]\nurl = \"http://127.0.0.1:1\"")), @"recipes/mine.toml: it has [process] and [attach]; keep one");
}
