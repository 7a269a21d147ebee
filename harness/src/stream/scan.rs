//! The usual event, read in one pass.
//!
//! serde spends two microseconds on an event of which a count and a text matter. This scan knows the usual shape and gives up on anything
//! else (an escape in a key, a field twice, a number that is none, a wrong type): then serde reads the event, and it alone says what is
//! wrong with one. So whatever is read here is what serde would have read, which the tests hold it to.

use std::borrow::Cow;

use super::event::{Choice, Delta, Event, FirstChoice, PromptTokensDetails, Text, Timings, Usage};

#[cfg(test)]
mod tests;

/// Deepest nesting of what is skipped. serde has its own limit, further on.
const MAX_DEPTH: u32 = 32;

/// The event that these bytes are; none if they are not the usual one.
pub(super) fn event(bytes: &[u8]) -> Option<Event<'_>> {
    let mut scan = Scan { bytes, at: 0 };
    let mut event = Event::default();
    let mut seen = FieldSet::default();
    scan.object(|scan, key| {
        match key {
            b"choices" => event.choices = seen.once(0, scan.first_choice()?)?,
            b"usage" => event.usage = seen.once(1, scan.or_null(Scan::usage)?)?,
            b"timings" => event.timings = seen.once(2, scan.or_null(Scan::timings)?)?,
            b"object" => event.object = seen.once(3, scan.text()?)?,
            b"error" => return None,
            _ => scan.skip()?,
        }
        Some(())
    })?;
    scan.space();
    // An error is rare, and serde's to read.
    (scan.at == bytes.len() && !event.is_error()).then_some(event)
}

/// Fields that were read: a second one of a name is not the usual event.
#[derive(Default)]
struct FieldSet(u8);

impl FieldSet {
    fn once<T>(&mut self, field: u8, value: T) -> Option<T> {
        let bit = 1 << field;
        let is_new = self.0 & bit == 0;
        self.0 |= bit;
        is_new.then_some(value)
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Takes this byte, after any space.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// An object, each of whose values `value` takes.
    fn object(&mut self, mut value: impl FnMut(&mut Self, &'a [u8]) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            self.space();
            let (key, is_escaped) = self.string()?;
            if is_escaped || !key.is_ascii() {
                return None;
            }
            self.take(b':')?;
            self.space();
            value(self, key)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    /// What stands between two quotation marks, and whether it has escapes, which are not looked at.
    fn string(&mut self) -> Option<(&'a [u8], bool)> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mut at = start;
        let mut is_escaped = false;
        loop {
            at += plain_bytes(self.bytes.get(at..)?);
            match *self.bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    // Whatever is escaped, a quotation mark too.
                    at += 2;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        Some((self.bytes.get(start..at)?, is_escaped))
    }

    /// A text, or null.
    fn text(&mut self) -> Option<Text<'a>> {
        if self.peek()? == b'n' {
            self.word(b"null")?;
            return Some(Text::default());
        }
        let quoted = self.at;
        let (inner, is_escaped) = self.string()?;
        if is_escaped {
            let text: String = serde_json::from_slice(&self.bytes[quoted..self.at]).ok()?;
            return Some(Text(Cow::Owned(text)));
        }
        Some(Text(Cow::Borrowed(std::str::from_utf8(inner).ok()?)))
    }

    #[expect(clippy::option_option, reason = "not the usual event; null; a value")]
    fn or_null<T>(&mut self, value: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.peek()? == b'n' {
            return self.word(b"null").map(|()| None);
        }
        value(self).map(Some)
    }

    /// A whole number without a sign.
    fn count(&mut self) -> Option<u32> {
        let start = self.at;
        let mut count: u32 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            count = count.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
            self.at += 1;
        }
        let has_leading_zero = self.bytes[start..self.at].starts_with(b"0") && self.at > start + 1;
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        (self.at > start && !has_leading_zero && !goes_on).then_some(count)
    }

    /// A number of milliseconds.
    fn ms(&mut self) -> Option<f64> {
        let start = self.at;
        self.skip()?;
        serde_json::from_slice(&self.bytes[start..self.at]).ok()
    }

    fn usage(&mut self) -> Option<Usage> {
        let (mut usage, mut seen) = (Usage::default(), FieldSet::default());
        self.object(|scan, key| {
            match key {
                b"prompt_tokens" => usage.prompt_tokens = seen.once(0, scan.or_null(Self::count)?)?,
                b"completion_tokens" => usage.completion_tokens = seen.once(1, scan.or_null(Self::count)?)?,
                b"prompt_tokens_details" => {
                    usage.prompt_tokens_details = seen.once(2, scan.or_null(Self::prompt_tokens_details)?)?;
                }
                _ => scan.skip()?,
            }
            Some(())
        })?;
        Some(usage)
    }

    fn prompt_tokens_details(&mut self) -> Option<PromptTokensDetails> {
        let (mut details, mut seen) = (PromptTokensDetails::default(), FieldSet::default());
        self.object(|scan, key| {
            match key {
                b"cached_tokens" => details.cached_tokens = seen.once(0, scan.or_null(Self::count)?)?,
                _ => scan.skip()?,
            }
            Some(())
        })?;
        Some(details)
    }

    fn timings(&mut self) -> Option<Timings> {
        let (mut timings, mut seen) = (Timings::default(), FieldSet::default());
        self.object(|scan, key| {
            match key {
                b"predicted_n" => timings.predicted_n = seen.once(0, scan.or_null(Self::count)?)?,
                b"cache_n" => timings.cache_n = seen.once(1, scan.or_null(Self::count)?)?,
                b"prompt_ms" => timings.prompt_ms = seen.once(2, scan.or_null(Self::ms)?)?,
                b"predicted_ms" => timings.predicted_ms = seen.once(3, scan.or_null(Self::ms)?)?,
                _ => scan.skip()?,
            }
            Some(())
        })?;
        Some(timings)
    }

    fn first_choice(&mut self) -> Option<FirstChoice<'a>> {
        if self.peek()? == b'n' {
            return self.word(b"null").map(|()| FirstChoice(None));
        }
        self.take(b'[')?;
        self.space();
        if self.take(b']').is_some() {
            return Some(FirstChoice(None));
        }
        let choice = self.choice()?;
        // More than one was not asked for.
        self.take(b']')?;
        Some(FirstChoice(Some(choice)))
    }

    fn choice(&mut self) -> Option<Choice<'a>> {
        let (mut choice, mut seen) = (Choice::default(), FieldSet::default());
        self.object(|scan, key| {
            match key {
                b"delta" => choice.delta = seen.once(0, scan.or_null(Self::delta)?)?,
                b"text" => choice.text = seen.once(1, scan.text()?)?,
                b"finish_reason" => {
                    let reason = scan.or_null(Self::text)?;
                    choice.finish_reason = seen.once(2, reason.map(|reason| reason.0.into_owned()))?;
                }
                _ => scan.skip()?,
            }
            Some(())
        })?;
        Some(choice)
    }

    fn delta(&mut self) -> Option<Delta<'a>> {
        let (mut delta, mut seen) = (Delta::default(), FieldSet::default());
        self.object(|scan, key| {
            match key {
                b"content" => delta.content = seen.once(0, scan.text()?)?,
                b"reasoning" => delta.reasoning = seen.once(1, scan.text()?)?,
                b"reasoning_content" => delta.reasoning_content = seen.once(2, scan.text()?)?,
                b"tool_calls" => seen.once(3, scan.word(b"null")?)?,
                _ => scan.skip()?,
            }
            Some(())
        })?;
        Some(delta)
    }

    /// Passes over a value.
    fn skip(&mut self) -> Option<()> {
        self.skip_within(MAX_DEPTH)
    }

    fn skip_within(&mut self, depth: u32) -> Option<()> {
        let deeper = depth.checked_sub(1)?;
        self.space();
        match self.peek()? {
            b'"' => match self.string()? {
                (_, false) => Some(()),
                // Whether its escapes are right is serde's to say.
                (_, true) => None,
            },
            b'{' => self.object(|scan, _| scan.skip_within(deeper)),
            b'[' => {
                self.at += 1;
                if self.take(b']').is_some() {
                    return Some(());
                }
                loop {
                    self.skip_within(deeper)?;
                    if self.take(b',').is_none() {
                        return self.take(b']');
                    }
                }
            }
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    /// Passes over a number: a sign, digits without a leading zero, a fraction, an exponent.
    fn number(&mut self) -> Option<()> {
        if self.peek()? == b'-' {
            self.at += 1;
        }
        let start = self.at;
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.bytes[start] == b'0') {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return None;
            }
        }
        Some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }
}

/// How many bytes there are before a quotation mark, a backslash or a control character; eight are looked at together.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES * 0x80;
    // The highest bit of each byte that is below `limit`, as far as the lowest such byte: Anderson, "Bit Twiddling Hacks", hasless(x, n).
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let is = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let found = below(word, 0x20) | is(word, b'"') | is(word, b'\\');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let special = |&byte: &u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    at + bytes[at..].iter().position(special).unwrap_or(bytes.len() - at)
}
