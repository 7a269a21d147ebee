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
fn short_recipe_gets_defaults() {
    let recipe = parse(GOOD, "recipes/mine.toml", "mine").unwrap();
    let process = recipe.process.unwrap();
    assert_eq!((process.port, process.stop_grace_s, recipe.ready.timeout_s), (0, 30, 1800));
}

#[test]
fn value_of_wrong_type_is_refused() {
    assert_snapshot!(error(&GOOD.replace(r#"id = "tiny""#, "id = 3")), @r#"
    recipes/mine.toml: TOML parse error at line 6, column 6
      |
    6 | id = 3
      |      ^
    invalid type: integer `3`, expected a string
    "#);
}

#[test]
fn unknown_key_is_refused() {
    assert_snapshot!(error(&GOOD.replace("command =", "comand =")), @r#"
    recipes/mine.toml: TOML parse error at line 8, column 1
      |
    8 | comand = ["server", "--port", "${PORT}"]
      | ^^^^^^
    unknown field `comand`, expected one of `command`, `env`, `port`, `stop_signal`, `stop_grace_s`
    "#);
}

#[test]
fn unknown_engine_is_refused() {
    assert_snapshot!(error(&GOOD.replace(r#"engine = "llamacpp""#, r#"engine = "lama""#)), @r#"
    recipes/mine.toml: TOML parse error at line 3, column 10
      |
    3 | engine = "lama"
      |          ^^^^^^
    unknown variant `lama`, expected one of `vllm`, `sglang`, `llamacpp`, `ollama`, `trtllm`, `nim`, `simulated`, `other`
    "#);
}

#[test]
fn missing_model_is_refused() {
    assert_snapshot!(error(&GOOD.replace("[model]\nid = \"tiny\"\n", "")), @"
    recipes/mine.toml: TOML parse error at line 1, column 1
      |
    1 |
      | ^
    missing field `model`
    ");
}

#[test]
fn contradicting_keys_are_refused() {
    assert_snapshot!(error(&GOOD.replace(r#"name = "mine""#, r#"name = "yours""#)), @"recipes/mine.toml: `name` is `yours` but the file is `mine.toml`; make them the same");
    assert_snapshot!(error(&GOOD.replace(r#"id = "tiny""#, r#"id = " ""#)), @"recipes/mine.toml: [model] `id` is empty; it is the name sent in requests");
    assert_snapshot!(error(&GOOD.replace("${PORT}", "8000")), @"recipes/mine.toml: [process] `port` is 0 but `command` has no `${PORT}`, so the engine could not know its port");
    assert_snapshot!(error(&format!("{GOOD}\n[attach]\nurl = \"http://127.0.0.1:1\"")), @"recipes/mine.toml: it has [process] and [attach]; keep one");
}

#[test]
fn secret_given_as_assignment_is_refused() {
    let with = |name: &str| GOOD.replace("[model]", &format!("secrets = [\"HF_TOKEN\", \"{name}\"]\n[model]"));
    assert!(parse(&with("NGC_API_KEY"), "recipes/mine.toml", "mine").is_ok());
    assert_snapshot!(error(&with("NGC_API_KEY=abc")), @"recipes/mine.toml: `secrets` takes names of environment variables and no values; number 2 is none");
}

#[test]
fn secret_value_is_refused_without_quoting_it() {
    assert_snapshot!(error(&format!("{GOOD}env = {{ HFTOKEN = 'abc' }}")), @"recipes/mine.toml: `env` gives `HFTOKEN` a value for anyone to see; remove it there, name it in `secrets`, and set it where you run this");
    assert_snapshot!(error(&format!("{GOOD}env = {{ AWS_CREDENTIALS = 'abc' }}")), @"recipes/mine.toml: `env` gives `AWS_CREDENTIALS` a value for anyone to see; remove it there, name it in `secrets`, and set it where you run this");
    assert_snapshot!(error(&container("image = 'a:1'\ncommand = ['--hf-token', 'abc']")), @"recipes/mine.toml: the command has a key behind `--hf-token`, for anyone to see; give it by a variable that `secrets` names");
    let counts =
        container("image = 'a:1'\ncommand = ['--max-num-batched-tokens', '8192']\nenv = { TOKENIZERS_PARALLELISM = 'false' }");
    assert!(parse(&counts, "recipes/mine.toml", "mine").is_ok());
}

fn container(lines: &str) -> String {
    let (head, _) = GOOD.split_once("[process]").unwrap();
    format!("{head}[container]\nport = 80\n{lines}\n")
}

#[test]
fn ambiguous_image_or_mount_is_refused() {
    assert_snapshot!(error(&container("image = 'a/b'")), @"recipes/mine.toml: [container] `image` has no tag; write `a/b:TAG`, so that a reader knows which one was meant");
    assert_snapshot!(error(&container("image = 'localhost:5000/b'")), @"recipes/mine.toml: [container] `image` has no tag; write `localhost:5000/b:TAG`, so that a reader knows which one was meant");
    assert_snapshot!(error(&container("image = 'a@sha256:1'")), @"recipes/mine.toml: [container] `image` holds a digest; write it as `digest`, and the tag it came from in `image`");
    assert_snapshot!(error(&container("image = 'a:1'\ndigest = 'abc'")), @"recipes/mine.toml: [container] `digest` is `abc`, not `sha256:` and 64 hexadecimal digits");
    assert_snapshot!(error(&container("image = 'a:1'\nmounts = [{ source = 'x', target = '/x' }]")), @"recipes/mine.toml: [container] mounts: `source` is `x`; it must be absolute or begin with a placeholder");
}

#[test]
fn cache_flag_against_policy_is_refused() {
    let with = |policy: &str, flag: &str| {
        container(&format!("image = 'a:1'\ncommand = ['{flag}']")).replace("[model]", &format!("{policy}\n[model]"))
    };
    let fine = |policy: &str, flag: &str| parse(&with(policy, flag), "recipes/mine.toml", "mine").is_ok();
    assert!(fine("", "--port"));
    assert!(fine("prefix_cache = 'off'", "--no-enable-prefix-caching"));
    assert!(!fine("", "--disable-radix-cache"));
    assert!(!fine("prefix_cache = 'off'", "--enable-prefix-caching"));
}
