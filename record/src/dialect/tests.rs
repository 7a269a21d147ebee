use super::*;

#[test]
fn every_dialect_name_has_its_own_row() {
    for &name in DialectName::ALL {
        assert_eq!(dialect(name).name, name);
    }
}

#[test]
fn dialect_rows_are_consistent() {
    for &name in DialectName::ALL {
        let row = dialect(name);
        assert!(row.running_count != RunningCount::ContinuousUsage || row.include_usage, "{name}: stream_options or not");
        let forces = row.ignore_eos || row.min_tokens;
        assert!(!row.json_schema || row.ignore_eos || !forces, "{name}: json_schema is about a forced length where there is one");
        let paths =
            [row.metrics.map(|names| names.path), row.version.map(|(path, _)| path), row.version.map(|(_, pointer)| pointer)];
        for path in paths.into_iter().chain([row.tokenize.map(|tokenize| tokenize.path)]).flatten() {
            assert!(path.starts_with('/'), "{name}: {path}");
        }
    }
}

#[test]
fn dialect_table_matches_snapshot() {
    let rows = [
        "| dialect | length forced by | bound | stream_options | running count | cache_prompt | json_schema | [DONE] | connection | tokenize | metrics | version |".to_owned(),
        "|---|---|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ]
    .into_iter()
    .chain(DialectName::ALL.iter().map(|&name| row(dialect(name))));
    insta::assert_snapshot!(rows.collect::<Vec<_>>().join("\n"), @"
    | dialect | length forced by | bound | stream_options | running count | cache_prompt | json_schema | [DONE] | connection | tokenize | metrics | version |
    |---|---|---|---|---|---|---|---|---|---|---|---|
    | openai | - | max_tokens | yes | None | - | - | yes | kept | - | - | - |
    | vllm | ignore_eos, min_tokens | max_tokens | yes | ContinuousUsage | - | yes | yes | kept | /tokenize {model, prompt, add_special_tokens: false} -> tokens | /metrics | /version at /version |
    | sglang | ignore_eos, min_tokens | max_tokens | yes | ContinuousUsage | - | - | yes | kept | - | /metrics | /server_info at /version |
    | llamacpp | ignore_eos | max_tokens | yes | Timings | yes | - | yes | - | /tokenize {content} -> tokens | /metrics | /props at /build_info |
    | ollama | - | num_predict | yes | None | - | yes | yes | kept | - | - | /api/version at /version |
    | trtllm | ignore_eos, min_tokens | max_completion_tokens | yes | ContinuousUsage | - | - | yes | kept | - | /prometheus/metrics | /version at /version |
    | nim | ignore_eos, min_tokens | max_tokens | yes | None | - | - | yes | kept | - | /v1/metrics | /v1/version at /release |
    | mistralrs | - | max_tokens | - | None | - | - | yes | kept | - | - | - |
    | transformers | - | max_tokens | - | None | - | - | - | kept | - | - | - |
    | simulated | ignore_eos, min_tokens | max_tokens | yes | ContinuousUsage | - | yes | yes | kept | /tokenize {model, prompt} -> tokens | /metrics | /version at /version |
    ");
}

fn row(dialect: &Dialect) -> String {
    let mark = |yes: bool, word: &str| if yes { word.to_owned() } else { "-".to_owned() };
    let forced = match (dialect.ignore_eos, dialect.min_tokens) {
        (true, true) => "ignore_eos, min_tokens",
        (true, false) => "ignore_eos",
        (false, true) => "min_tokens",
        (false, false) => "-",
    };
    let tokenize = dialect.tokenize.map_or("-".to_owned(), |tokenize| {
        let model = mark(tokenize.names_model, "model, ");
        let switch = tokenize.special_tokens_switch.map(|switch| format!(", {switch}: false")).unwrap_or_default();
        let model = model.trim_start_matches('-');
        format!("{} {{{model}{}{switch}}} -> {}", tokenize.path, tokenize.text_field, tokenize.tokens_field)
    });
    let version = dialect.version.map_or("-".to_owned(), |(path, pointer)| format!("{path} at {pointer}"));
    [
        dialect.name.to_string(),
        forced.to_owned(),
        dialect.max_tokens_field.to_owned(),
        mark(dialect.include_usage, "yes"),
        format!("{:?}", dialect.running_count),
        mark(dialect.cache_prompt_switch, "yes"),
        mark(dialect.json_schema, "yes"),
        mark(dialect.done_marker, "yes"),
        mark(dialect.keeps_connection, "kept"),
        tokenize,
        dialect.metrics.map_or("-", |names| names.path).to_owned(),
        version,
    ]
    .iter()
    .fold(String::from("|"), |line, field| format!("{line} {field} |"))
}
