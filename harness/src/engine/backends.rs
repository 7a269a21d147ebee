//! The lines of an engine's log that say which kernels and backends it chose: what two boots of one recipe must have in common.
//!
//! Parts that change from boot to boot or identify the machine's owner are removed: time stamps, process ids, colours, folders, ids of
//! devices. Progress bars are left out whole.

use std::collections::BTreeSet;

/// Lines that are kept.
const LINES_MAX: usize = 40;
const CHARS_MAX: usize = 200;
/// Words at a line's beginning among which time stamps are looked for; further on, digits and dots are versions.
const HEAD_WORDS: usize = 6;

/// The lines with one of `words` (compared without case), cleaned, sorted, each once.
#[must_use]
pub fn backends(log: &str, words: &[&str]) -> Vec<String> {
    let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
    let marked = log.lines().map(without_colours).filter(|line| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word)) && !is_progress(&line)
    });
    let lines: BTreeSet<String> = marked.map(|line| cleaned(&line)).filter(|line| !line.is_empty()).collect();
    lines.into_iter().take(LINES_MAX).collect()
}

fn is_progress(line: &str) -> bool {
    line.contains("%|") || line.contains("it/s") || line.contains("s/it")
}

/// Without terminal escapes: `ESC [ ... letter`, and what else is no text.
fn without_colours(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(one) = rest.next() {
        match one {
            '\u{1b}' if rest.next_if_eq(&'[').is_some() => {
                rest.by_ref().find(char::is_ascii_alphabetic);
            }
            '\t' => text.push(' '),
            one if one.is_control() => {}
            one => text.push(one),
        }
    }
    text
}

fn cleaned(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for (at, word) in line.split_whitespace().enumerate() {
        if at < HEAD_WORDS && is_stamp(word) {
            continue;
        }
        if let Some(pid) = word.strip_prefix("pid=") {
            // `(EngineCore pid=123)` keeps its bracket.
            if let (true, Some(before)) = (pid.ends_with(')'), words.last_mut()) {
                before.push(')');
            }
            continue;
        }
        words.push(without_device_id(&without_folder(word)));
    }
    words.join(" ").chars().take(CHARS_MAX).collect::<String>().trim_end().to_owned()
}

/// A date, a time, both, or seconds: `11-21`, `12:00:00.123`, `[2026-11-21T12:00:00Z]`, `time=...`, `0.00.123.456`.
fn is_stamp(word: &str) -> bool {
    let word = word.strip_prefix("time=").or_else(|| word.strip_prefix("ts=")).unwrap_or(word);
    let word = word.trim_matches(['[', ']', '(', ')', ',', '"']);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_clock = |one: char| one.is_ascii_digit() || "-:/.,+TZ".contains(one);
    let parted = word.contains([':', '-', '/']) || word.matches('.').count() == 3 || (digits >= 10 && word.contains('.'));
    digits >= 4 && parted && word.starts_with(|one: char| one.is_ascii_digit()) && word.chars().all(is_clock)
}

/// A path's last part: the rest tells where a machine keeps its folders.
fn without_folder(word: &str) -> String {
    let bytes = word.as_bytes();
    let begins = |at: usize| bytes[at] == b'/' && (at == 0 || b"\"'=([,".contains(&bytes[at - 1]));
    match ((0..bytes.len()).find(|at| begins(*at)), word.rfind('/')) {
        (Some(from), Some(to)) if to > from => format!("{}{}", &word[..from], &word[to + 1..]),
        _ => word.to_owned(),
    }
}

/// `GPU-` and a UUID name one device of the world; which one is private.
fn without_device_id(word: &str) -> String {
    let Some(at) = word.find("GPU-") else { return word.to_owned() };
    let id = &word[at + 4..];
    let length = id.bytes().take_while(|byte| byte.is_ascii_hexdigit() || *byte == b'-').count();
    if length < 32 { word.to_owned() } else { format!("{}GPU{}", &word[..at], &id[length..]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn backend_lines_lose_stamps_ids_and_folders() {
        let check = |line: &str, expected: &str| assert_eq!(backends(line, &[""]), [expected], "{line}");
        check(
            "(EngineCore_DP0 pid=123) INFO 11-21 12:09:54 [cuda.py:366] Using FLASHINFER backend.",
            "(EngineCore_DP0) INFO [cuda.py:366] Using FLASHINFER backend.",
        );
        check("\u{1b}[36m[2026-11-21 12:00:00 TP0]\u{1b}[0m Attention backend: triton", "TP0] Attention backend: triton");
        check("0.00.123.456 I system_info: n_threads = 1", "I system_info: n_threads = 1");
        check(
            "time=2026-11-21T12:00:00.123Z level=INFO msg=\"inference compute\" id=GPU-0a1b2c3d-0000-1111-2222-333344445555 library=cuda",
            "level=INFO msg=\"inference compute\" id=GPU library=cuda",
        );
        check("[11/21/2026-12:00:00] [TRT-LLM] [I] CUTLASS", "[TRT-LLM] [I] CUTLASS");
        check(
            "load_backend: loaded CPU backend from /srv/me/x/libggml-cpu.so",
            "load_backend: loaded CPU backend from libggml-cpu.so",
        );
        check("1763726994.123 marlin 0.11.0 of http://x/y", "marlin 0.11.0 of http://x/y");
    }

    #[test]
    fn backend_lines_are_filtered_deduplicated_and_sorted() {
        let log =
            "nothing\nb: Backend two\na: backend one\nb: BACKEND two\nb: Backend two\nbackend: 50%|### | 3/6 [00:01, 2it/s]\n";
        assert_eq!(backends(log, &["backend"]), ["a: backend one", "b: BACKEND two", "b: Backend two"]);
        assert_eq!(backends(log, &[]), [""; 0]);
        let many: Vec<_> = (0..100).map(|number| format!("backend {number}x{}", "y".repeat(300))).collect();
        let kept = backends(&many.join("\n"), &["backend"]);
        assert_eq!(kept.len(), LINES_MAX);
        assert!(kept.iter().all(|line| line.chars().count() == CHARS_MAX));
    }

    proptest! {
        #[test]
        fn any_log_text_gives_bounded_backend_lines(log in "(\\PC|[\\x00-\\x1f]|GPU-|/|pid=|\u{1b}\\[){0,200}") {
            let kept = backends(&log, &["", "gpu"]);
            prop_assert!(kept.iter().all(|line| !line.contains(char::is_control) && line.chars().count() <= CHARS_MAX));
            prop_assert!(kept.is_sorted());
        }
    }
}
