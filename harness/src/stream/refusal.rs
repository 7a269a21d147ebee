//! A server's error message when it refuses a request, in a body or in an event of a stream.

use serde_json::Value;

/// As much of a server's words as a record keeps.
const MAX_CHARS: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status that it names itself.
    pub(crate) status: Option<u16>,
    pub(crate) words: String,
}

impl Refusal {
    /// Reads a refusal in any of the shapes in use: an `error` object with `message` and `code` (`OpenAI`, vLLM, llama.cpp), an
    /// `error` string (Ollama), `message` alone (mistral.rs, older vLLM), `detail` (`FastAPI`). Anything else is given as it is.
    pub(crate) fn read(body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = json.get("error").filter(|error| !error.is_null()).unwrap_or(&json);
        let words = [error, &error["message"], &error["detail"]].into_iter().find_map(Value::as_str);
        let detail = &error["detail"];
        let words = match words {
            Some(words) => shortened(words),
            None if !detail.is_null() => shortened(&detail.to_string()),
            None => shortened(&String::from_utf8_lossy(body)),
        };
        Self { status: status_of(&error["code"]), words }
    }
}

/// A code that is an HTTP status, as a number or as text. Other codes are names of errors.
fn status_of(code: &Value) -> Option<u16> {
    let status = match code {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (100..600).contains(&status).then_some(status)
}

/// The first 300 characters, on one line.
pub(crate) fn shortened(words: &str) -> String {
    let mut short: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = short.char_indices().nth(MAX_CHARS) {
        short.truncate(end);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_message_is_found_in_every_known_shape() {
        let check = |body: &str, status: Option<u16>, words: &str| {
            assert_eq!(Refusal::read(body.as_bytes()), Refusal { status, words: words.to_owned() }, "{body}");
        };
        check(r#"{"error":{"message":"no such model","type":"NotFoundError","code":404}}"#, Some(404), "no such model");
        check(r#"{"error":{"message":"too long","code":"400"}}"#, Some(400), "too long");
        check(r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#, None, "too long");
        check(r#"{"error":{"message":"odd","code":7}}"#, None, "odd");
        check(r#"{"error":{"message":"odd","code":70000}}"#, None, "odd");
        check(r#"{"error":"model not found"}"#, None, "model not found");
        check(r#"{"object":"error","message":"aborted","code":500}"#, Some(500), "aborted");
        check(r#"{"message":"not available"}"#, None, "not available");
        check(r#"{"detail":"Unexpected fields"}"#, None, "Unexpected fields");
        check(r#"{"detail":[{"loc":["body"]}]}"#, None, r#"[{"loc":["body"]}]"#);
        check(r#"{"error":{"odd":1}}"#, None, r#"{"error":{"odd":1}}"#);
        check("Internal\r\n Server Error\n", None, "Internal Server Error");
        check("", None, "");
    }

    #[test]
    fn long_refusal_is_cut_at_a_character_boundary() {
        let words = Refusal::read("\u{1f600}".repeat(400).as_bytes()).words;
        assert_eq!(words, "\u{1f600}".repeat(300));
    }
}
