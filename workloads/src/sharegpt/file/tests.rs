use super::*;

const FILE: &str = r#"[
  {"id": "a", "conversations": [{"from": "human", "value": "one two three four five six"}, {"from": "gpt", "value": "one two three"}]},
  {"id": "b", "conversations": [
    {"from": "gpt", "value": "an answer to nothing, so it does not count"},
    {"from": "user", "value": "a b c d e f g h i"},
    {"from": "system", "value": "neither of the two"},
    {"from": "assistant", "value": "a b c d e f"},
    {"from": "human", "value": "later turns do not count"}
  ]},
  {"id": "c", "conversations": [{"from": "human", "value": "a question that nobody answers"}]},
  {"id": "d", "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "too short a question to be kept"}]},
  {"id": "e", "conversations": []}
]"#;

fn sha256(text: &str) -> String {
    corpus::hex(&Sha256::digest(text))
}

#[test]
fn first_question_and_answer_give_the_lengths() {
    let lengths = read(FILE.as_bytes(), Some(&sha256(FILE).to_uppercase())).unwrap();
    let pair = |prompt_tokens, output_tokens| RecordedPair { prompt_tokens, output_tokens };
    assert_eq!(lengths, RecordedLengths::File { sha256: sha256(FILE), conversations: vec![pair(8, 4), pair(12, 8)] });
    // Without an expected digest the file is taken as it is, and its digest is told.
    assert_eq!(read(FILE.as_bytes(), None), Ok(lengths));
}

#[test]
fn file_of_another_digest_is_refused() {
    let error = read(b"[]", Some("00ff")).unwrap_err();
    assert_eq!(error, FileError::WrongDigest { expected: "00ff".to_owned(), found: sha256("[]") });
    assert!(error.to_string().contains("00ff") && error.to_string().contains(&sha256("[]")));
}

#[test]
fn file_without_lengths_is_refused() {
    let check = |file: &str, part: &str| {
        let error = read(file.as_bytes(), None).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    check("[]", "none of the file's 0");
    check(r#"[{"conversations": [{"from": "human", "value": "hi"}]}]"#, "none of the file's 1");
    check(r#"{"conversations": []}"#, "not a ShareGPT file");
    check(r#"[{"conversations": ["#, "not a ShareGPT file");
    check(r#"[{"id": "x"}]"#, "missing field `conversations`");
}

#[test]
fn token_estimate_rounds_up() {
    for (text, tokens) in [("", 0), ("one", 2), ("one two three", 4), ("  one\ntwo  ", 3)] {
        assert_eq!(estimate_tokens(text), tokens, "{text:?}");
    }
}
