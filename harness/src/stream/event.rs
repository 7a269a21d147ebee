//! The parts of a streamed event that are looked at. Everything else is skipped without being built, and text is borrowed from the
//! event's bytes unless it holds escapes.

use std::{borrow::Cow, fmt, time::Duration};

use record::ServerTimings;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};

/// One event of a stream, of chat or of completions.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    pub(super) choices: FirstChoice<'a>,
    pub(super) usage: Option<Usage>,
    pub(super) timings: Option<Timings>,
    error: Option<IgnoredAny>,
    #[serde(borrow, default)]
    pub(super) object: Text<'a>,
}

impl Event<'_> {
    /// An error object, or an object that is an error, as older vLLM sends it.
    pub(super) fn is_error(&self) -> bool {
        self.error.is_some() || self.object.0 == "error"
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Choice<'a> {
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    pub(super) text: Text<'a>,
    pub(super) finish_reason: Option<String>,
}

impl Choice<'_> {
    /// The answer's text, of chat or of completions.
    pub(super) fn content(&self) -> &str {
        self.delta.as_ref().map_or(&self.text.0, |delta| &delta.content.0)
    }

    /// Reasoning, under either of its names; a server that sends both sends the same.
    pub(super) fn reasoning(&self) -> &str {
        match &self.delta {
            None => "",
            Some(delta) if delta.reasoning.0.is_empty() => &delta.reasoning_content.0,
            Some(delta) => &delta.reasoning.0,
        }
    }

    pub(super) fn brings_tool_call(&self) -> bool {
        let calls = self.delta.as_ref().and_then(|delta| delta.tool_calls.as_ref());
        calls.is_some_and(|calls| !calls.is_empty())
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) content: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Text<'a>,
    // An ignored value has no size, so this allocates nothing.
    tool_calls: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage {
    pub(super) prompt_tokens: Option<u32>,
    pub(super) completion_tokens: Option<u32>,
    pub(super) prompt_tokens_details: Option<PromptTokensDetails>,
}

impl Usage {
    /// The account, if it is one: both counts are there.
    pub(super) fn to_record(&self) -> Option<record::Usage> {
        Some(record::Usage {
            prompt_tokens: self.prompt_tokens?,
            completion_tokens: self.completion_tokens?,
            cached_tokens: self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens),
        })
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PromptTokensDetails {
    pub(super) cached_tokens: Option<u32>,
}

/// llama.cpp's own account. It rides on the event with the usage, on the finish event where no usage was asked for, and with
/// `timings_per_token` on every event, growing.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Timings {
    pub(super) predicted_n: Option<u32>,
    pub(super) cache_n: Option<u32>,
    pub(super) prompt_ms: Option<f64>,
    pub(super) predicted_ms: Option<f64>,
}

impl Timings {
    /// The times in it.
    pub(super) fn to_record(&self) -> Option<ServerTimings> {
        let timings = ServerTimings { load_ns: None, prefill_ns: ns_of(self.prompt_ms), decode_ns: ns_of(self.predicted_ms) };
        (timings != ServerTimings::default()).then_some(timings)
    }
}

/// Milliseconds as nanoseconds; `None` if they cannot be a duration.
fn ns_of(ms: Option<f64>) -> Option<u64> {
    let duration = Duration::try_from_secs_f64(ms? / 1000.0).ok()?;
    u64::try_from(duration.as_nanos()).ok()
}

/// The first choice, and the only one that is asked for, without a vector for it.
#[derive(Debug, Default)]
pub(super) struct FirstChoice<'a>(pub(super) Option<Choice<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for FirstChoice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstChoiceVisitor;

        impl<'de> Visitor<'de> for FirstChoiceVisitor {
            type Value = FirstChoice<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of choices or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(FirstChoice(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut choices: A) -> Result<Self::Value, A::Error> {
                let first = choices.next_element()?;
                while choices.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstChoice(first))
            }
        }

        deserializer.deserialize_any(FirstChoiceVisitor)
    }
}

/// A text that may be null, which is the same as empty.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or null")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}
