use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn import(text: &str) -> Result<ConvertedRecipe, ImportError> {
    convert(text, &ImportRequest { name: "mine", file: "mine.yaml", allow_hooks: false })
}

fn why(text: &str) -> String {
    import(text).unwrap_err().to_string()
}

const GOOD: &str =
    "model: o/n\nruntime: vllm\ncontainer: a/b:1\ndefaults: {port: 9000}\ncommand: vllm serve {model} --port {port}\n";

#[test]
fn minimal_recipe_is_completed() {
    let imported = import(GOOD).unwrap();
    assert_snapshot!(format!("{}\n---\n{}", imported.text.trim_end(), imported.left_out.join("\n")), @r#"
    # Imported from mine.yaml, a recipe for sparkrun.
    # Not carried over: the model's revision: it names none, so `main` was written and is passed on; `recipe pin` makes it a commit
    name = "mine"
    engine = "vllm"
    dialect = "vllm"
    description = ""

    [model]
    id = "o/n"
    source = "o/n"
    revision = "main"

    [container]
    image = "a/b:1"
    platform = "linux/arm64"
    command = [
        "vllm", "serve", "${MODEL}",
        "--host", "0.0.0.0",
        "--port", "${PORT}",
        "--revision", "${REVISION}",
    ]
    mounts = [{ source = "${HF_CACHE}", target = "/root/.cache/huggingface", writable = true }]
    port = 9000
    host_port = 0
    gpus = "all"
    shm_mib = 10486
    ipc = "host"
    stop_grace_s = 30
    stop_signal = "TERM"

    [ready]
    timeout_s = 1800
    ---
    the model's revision: it names none, so `main` was written and is passed on; `recipe pin` makes it a commit
    "#);
}

#[test]
fn recipe_that_cannot_be_converted_is_refused() {
    let check = |text: &str, part: &str| {
        let why = why(text);
        assert!(why.contains(part), "{part}: {why}");
    };
    check("", "");
    check("- a\n- b\n", "");
    check("a: [", "");
    check(&GOOD.replace("model: o/n\n", ""), "it has no `model`");
    check(&GOOD.replace("container: a/b:1\n", ""), "it has no `container`");
    check(&GOOD.replace("a/b:1", "a/b"), "has no tag");
    check(&GOOD.replace("a/b:1", "'a b:1'"), "not an image's name");
    check(&GOOD.replace("{port}", "{prot}"), "no value for `{prot}`");
    check(&GOOD.replace("runtime: vllm", "runtime: atlas"), "`atlas`, is no engine");
    check(&GOOD.replace("runtime: vllm", "runtime: sglang"), "its command starts vllm");
    check(&GOOD.replace("o/n", "/nfs/models/x"), "a place on somebody's machine");
    check(&GOOD.replace("o/n", "only-a-name"), "not `owner/name`");
    check(&format!("{GOOD}model_revision: 'a b'\n"), "`a b` is no revision");
    check(&format!("{GOOD}min_nodes: 2\n"), "`min_nodes` is 2");
    check(&GOOD.replace("port: 9000", "port: 9000, tensor_parallel: 2"), "`tensor_parallel` is 2");
    check(&GOOD.replace("--port", "-tp 4 --port"), "`-tp 4` needs as many machines");
    check(&GOOD.replace("9000", "0"), "`0` is no port");
    check(&GOOD.replace("--port", "--api-key abc --port"), "holds a key");
    check(&GOOD.replace("--port", "--admin-api-key=abc --port"), "holds a key");
    check(&format!("{GOOD}mods: [x]\npost_commands: ['rm -rf /']\n"), "it has `mods`, `post_commands`, which run commands");
    check(&format!("{GOOD}env: {{LEAK: $AWS_REGION}}\n"), "env `LEAK`");
    check(&GOOD.replace("{port}", "${HF_CACHE}"), "no value for");
    check(&GOOD.replace("vllm serve {model} --port {port}", "'vllm serve {model} $HOME'"), "`$HOME`");
}

#[test]
fn hooks_are_noted_inside_comments_only() {
    let text = format!("{GOOD}mods: [\"a\\nname = 'evil'\"]\npre_exec: [reboot]\nmetadata: {{description: \"x\\n[process]\"}}\n");
    let imported = convert(&text, &ImportRequest { name: "mine", file: "x\n[y]", allow_hooks: true }).unwrap();
    assert!(imported.text.starts_with("# Imported from x [y], a recipe for sparkrun.\n"), "{}", imported.text);
    let by_hand: Vec<_> = imported.text.lines().filter(|line| line.contains("by hand")).collect();
    assert!(by_hand.len() == 2 && by_hand.iter().all(|line| line.starts_with("# ")), "{by_hand:?}");
    assert!(imported.text.contains("description = \"x [process]\""));
}

/// The entrypoint and the first words of the command that come of an image and an `executor_config`, and what is said of them.
fn entered(image: &str, executor: &str) -> (Option<Vec<String>>, String, String) {
    let imported = import(&format!("{}executor_config: {executor}\n", GOOD.replace("a/b:1", image))).unwrap();
    let container = parse(&imported.text, "x", "mine").unwrap().container.unwrap();
    (container.entrypoint, container.command[..3].join(" "), imported.left_out.join("\n"))
}

#[test]
fn image_entrypoint_is_kept_unless_the_recipe_sets_one() {
    let check = |image: &str, executor: &str, entrypoint: Option<&str>, begins: &str| {
        let (found, words, notes) = entered(image, executor);
        assert_eq!(found.map(|words| words.join(" ")).as_deref(), entrypoint, "{image} {executor}");
        assert!(words.starts_with(begins), "{words}");
        assert_eq!(notes.contains("entrypoint"), image.contains("openai") && !executor.contains("entrypoint"), "{notes}");
    };
    check("a/b:1", "{}", None, "vllm serve ${MODEL}");
    check("a/b:1", "{entrypoint: null}", None, "vllm serve ${MODEL}");
    check("a/b:1", "{entrypoint: ''}", Some("vllm"), "serve ${MODEL}");
    check("a/b:1", "{entrypoint: /x.sh}", Some("/x.sh"), "vllm serve ${MODEL}");
    check("vllm/vllm-openai:v1", "{entrypoint: ''}", Some("vllm"), "serve ${MODEL}");
    check("vllm/vllm-openai:v1", "{}", Some("vllm"), "serve ${MODEL}");
    check("docker.io/vllm/vllm-openai:v1", "{}", Some("vllm"), "serve ${MODEL}");
    check("mine/vllm-openai-not:v1", "{entrypoint: ''}", Some("vllm"), "serve ${MODEL}");
}

#[test]
fn unsupported_settings_are_listed() {
    let notes = |executor: &str| entered("a/b:1", executor).2;
    assert!(notes("{gpus: 'device=0,1'}").contains("executor_config `gpus` (`device=0,1`)"));
    assert!(!notes("{gpus: all}").contains("gpus") && !notes("{gpus: none}").contains("gpus"));
    let imported = import(&GOOD.replace("--port", "--chat-template ./mine.jinja --port")).unwrap();
    assert!(imported.text.contains("\"--chat-template\", \"./mine.jinja\""), "{}", imported.text);
    assert!(imported.left_out.iter().any(|line| line.contains("`./mine.jinja`") && line.contains("the image must hold it")));
}

#[test]
fn control_characters_of_a_source_recipe_are_removed() {
    let text = GOOD.replace("port: 9000", "port: 9000, \"x\\e[2Jy\": 1");
    assert!(import(&text).unwrap().left_out.iter().any(|line| line.contains("`x [2Jy`")));
    assert_eq!(shown("a\u{1b}[2J\nb"), "a[2J\nb");
}

#[test]
fn placeholders_of_a_source_recipe_are_refused() {
    for text in ["${CACHE}", "$HF_TOKEN", "${PORT}"] {
        let command = format!("vllm serve {{model}} --x '{text}'");
        assert!(import(&GOOD.replace("vllm serve {model} --port {port}", &format!("\"{command}\""))).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_converted_or_refused(text in any::<String>()) {
        let _ = import(&text);
    }

    /// Close to a real one, so that more than the YAML reader is reached.
    #[test]
    fn any_value_is_converted_or_refused(key in "model|container|command|defaults|env|runtime|executor_config|metadata", value in any::<String>()) {
        let json = serde_json::to_string(&value).unwrap();
        let nested = format!("{{port: {json}, shm_size: {json}, description: {json}}}");
        for value in [&json, &nested] {
            let text = format!("{}{key}: {value}\n", GOOD.replace(&format!("{key}:"), &format!("old_{key}:")));
            if let Ok(imported) = import(&text) {
                prop_assert!(parse(&imported.text, "x", "mine").is_ok());
            }
        }
    }
}
