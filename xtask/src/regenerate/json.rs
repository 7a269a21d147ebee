//! Whether two texts are the same JSON, but for the last digits of numbers.

use serde_json::Value;

/// How far apart numbers may be: the last digits of logarithms depend on the features that dependencies are built with.
const RELATIVE: f64 = 1e-9;

/// Whether both are JSON and say the same.
pub(super) fn is_close(one: &[u8], other: &[u8]) -> bool {
    let parse = |text| serde_json::from_slice::<Value>(text).ok();
    parse(one).zip(parse(other)).is_some_and(|(one, other)| are_close(&one, &other))
}

fn are_close(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_close(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| are_close(one, other)))
        }
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(a), Some(b)) if one.is_f64() && other.is_f64() => (a - b).abs() <= RELATIVE * a.abs().max(b.abs()),
            _ => one == other,
        },
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_digits_may_differ() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(is_close(one.as_bytes(), other.as_bytes()), expected, "{one} {other}");
            assert_eq!(is_close(other.as_bytes(), one.as_bytes()), expected, "{other} {one}");
        };
        check("{\"a\": [1.0, null]}", "{\"a\":[1.0000000005,null]}", true);
        check("-3.5e-20", "-3.5000000001e-20", true);
        check("0.0", "-0.0", true);
        check("1.0", "1.000000002", false);
        check("0.5", "-0.5", false);
        check("0.0", "1e-300", false);
        check("9007199254740993", "9007199254740992", false);
        check("1", "1.0", false);
        check("[1.0]", "[1.0, 1.0]", false);
        check("{\"a\": 1.0}", "{\"b\": 1.0}", false);
        check("{\"a\": 1.0}", "{\"a\": 1.0, \"b\": 1.0}", false);
        check("\"worse\"", "\"better\"", false);
        check("null", "0.0", false);
        check("{", "{", false);
    }
}
