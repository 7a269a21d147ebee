//! The grammar behind the corpus: its notation, and its compiled form.
//!
//! A source is lines. `name: entry, entry, ...` adds entries to a list; `s: text` adds a sentence; `#` starts a comment. Entries and
//! sentences are words and slots, `{name}`, each filled from the list of that name. Some names are known here: `nn` is any
//! two-digit group, `opening` ends a heading, `lead` and `tail` surround a sentence, `filler` closes a gap. `a` becomes `an` by itself.
//!
//! Compiled, a word is the number of its unit, so that text is made and measured without looking at letters.

use std::collections::{BTreeMap, BTreeSet};

/// The number of a unit: its place in the sorted list.
pub(crate) type UnitId = u16;

/// One part of an entry or a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhrasePart {
    /// A word or a mark.
    Unit(UnitId),
    /// A list to choose from.
    Slot(SlotId),
}

/// The number of a slot's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SlotId(pub(crate) usize);

/// An entry or a sentence.
pub(crate) type Phrase = Box<[PhrasePart]>;

#[derive(Debug)]
pub(crate) struct Grammar {
    pub(crate) units: Vec<String>,
    /// Each theme's lists, by [`SlotId`]; those that all share are repeated.
    pub(crate) themes: Vec<Vec<Vec<Phrase>>>,
    /// The slots that prose knows by name.
    pub(crate) slots: KnownSlots,
    /// The units that prose knows by name.
    pub(crate) marks: Marks,
    /// For each unit, itself with a capital letter, after a space; itself if it cannot begin a sentence.
    pub(crate) capital: Vec<UnitId>,
    /// The same without the space, as a line begins.
    pub(crate) line_capital: Vec<UnitId>,
    /// Whether `a` before this unit is `an`.
    pub(crate) takes_an: Vec<bool>,
    /// Words that may begin a prompt, as a line begins.
    pub(crate) openers: Vec<UnitId>,
}

/// The slots that prose knows by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnownSlots {
    pub(crate) sentence: SlotId,
    pub(crate) common_sentence: SlotId,
    pub(crate) lead: SlotId,
    pub(crate) tail: SlotId,
    pub(crate) opening: SlotId,
    pub(crate) filler: SlotId,
    pub(crate) name: SlotId,
    pub(crate) place: SlotId,
    pub(crate) number: SlotId,
}

/// The units that prose knows by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) comma: UnitId,
    pub(crate) stop: UnitId,
    pub(crate) line_stop: UnitId,
    pub(crate) colon: UnitId,
    pub(crate) line_colon: UnitId,
    pub(crate) a: UnitId,
    pub(crate) an: UnitId,
    pub(crate) keywords: UnitId,
    pub(crate) line_keywords: UnitId,
}

const MARKS: [&str; 9] = [",", ".", ".\n", ":", ":\n", " a", " an", " Keywords", "Keywords"];
/// Lists whose one-word entries may begin a prompt.
const OPENER_LISTS: [&str; 6] = ["thing", "things", "stuff", "trait", "name", "filler"];

/// A source's lists as text, by name. A sentence of the common source is an entry of `common`, one of a theme of `s`.
type Lists<'a> = BTreeMap<&'a str, Vec<&'a str>>;

impl Grammar {
    /// Compiles the sources. `requests` are whole texts whose units are wanted as well.
    pub(crate) fn compile(common: &str, themes: &[&str], requests: &[&str]) -> Self {
        let numbers: Vec<String> = (0..100).map(|number| format!("{number:02}")).collect();
        let mut shared = read_lists(common);
        let common_sentences = shared.remove("s").unwrap_or_default();
        shared.insert("common", common_sentences);
        shared.insert("nn", numbers.iter().map(String::as_str).collect());
        let themes: Vec<Lists<'_>> = themes
            .iter()
            .map(|source| {
                let mut lists = shared.clone();
                for (name, entries) in read_lists(source) {
                    lists.entry(name).or_default().extend(entries);
                }
                lists
            })
            .collect();
        let units = collect_units(&themes, requests);
        Builder { units, slots: themes[0].keys().copied().collect() }.build(&themes)
    }

    /// The number of a unit.
    pub(crate) fn find(&self, unit: &str) -> Option<UnitId> {
        find(&self.units, unit)
    }
}

fn find(units: &[String], text: &str) -> Option<UnitId> {
    let place = units.binary_search_by(|unit| unit.as_str().cmp(text)).ok()?;
    Some(UnitId::try_from(place).expect("there are fewer than 65536 units"))
}

fn read_lists(source: &str) -> Lists<'_> {
    let mut lists = Lists::new();
    for line in source.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, text) = line.split_once(": ").expect("a line of the corpus is a name and a text");
        let entries = lists.entry(name).or_default();
        if name == "s" {
            entries.push(text);
        } else {
            entries.extend(text.split(", "));
        }
    }
    lists
}

/// A word or slot with the mark that follows it.
fn words(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(' ').map(|word| match word.find([',', '.', ':', ';', '?']) {
        Some(mark) => (&word[..mark], Some(&word[mark..])),
        None => (word, None),
    })
}

fn slot_name(word: &str) -> Option<&str> {
    word.strip_prefix('{')?.strip_suffix('}')
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn collect_units(themes: &[Lists<'_>], requests: &[&str]) -> Vec<String> {
    let mut units: BTreeSet<String> = MARKS.iter().map(|&mark| mark.to_owned()).collect();
    for lists in themes {
        for (word, mark) in lists.values().flatten().flat_map(|text| words(text)) {
            if slot_name(word).is_none() {
                units.insert(format!(" {word}"));
            }
            units.extend(mark.map(str::to_owned));
        }
        for name in ["s", "common", "lead"] {
            // A sentence that begins with `a` may come to begin with `an`.
            for word in lists[name].iter().flat_map(|text| first_words(text, lists)).chain(["an"]) {
                units.extend([format!(" {}", capitalised(word)), capitalised(word)]);
            }
        }
        units.extend(openers(lists).map(capitalised));
    }
    units.extend(requests.iter().flat_map(|text| crate::corpus::split(text)).map(str::to_owned));
    units.into_iter().collect()
}

/// The words that a text can begin with.
fn first_words<'a>(text: &'a str, lists: &Lists<'a>) -> Vec<&'a str> {
    let first = words(text).next().map_or("", |(word, _)| word);
    match slot_name(first) {
        Some(name) => lists[name].iter().flat_map(|entry| first_words(entry, lists)).collect(),
        None => vec![first],
    }
}

/// One-word entries with which a prompt may begin.
fn openers<'a>(lists: &Lists<'a>) -> impl Iterator<Item = &'a str> {
    let entries = OPENER_LISTS.into_iter().flat_map(|name| lists[name].clone());
    entries.filter(|entry| !entry.contains([' ', '{']))
}

struct Builder<'a> {
    units: Vec<String>,
    slots: Vec<&'a str>,
}

impl Builder<'_> {
    fn build(self, themes: &[Lists<'_>]) -> Grammar {
        let capital = self.variants(|word| format!(" {}", capitalised(word)));
        let line_capital = self.variants(capitalised);
        let openers: BTreeSet<UnitId> =
            themes.iter().flat_map(|lists| openers(lists)).map(|word| self.unit(&capitalised(word))).collect();
        Grammar {
            themes: themes.iter().map(|lists| self.theme(lists)).collect(),
            slots: self.known_slots(),
            marks: self.marks(),
            capital,
            line_capital,
            takes_an: self.units.iter().map(|unit| takes_an(unit)).collect(),
            openers: openers.into_iter().collect(),
            units: self.units,
        }
    }

    fn find(&self, text: &str) -> Option<UnitId> {
        find(&self.units, text)
    }

    fn unit(&self, text: &str) -> UnitId {
        self.find(text).expect("all units were collected before")
    }

    fn slot(&self, name: &str) -> SlotId {
        SlotId(self.slots.binary_search(&name).expect("a slot of the corpus names a list"))
    }

    /// For each unit, the variant of its word if that is a unit, else the unit itself.
    fn variants(&self, variant: impl Fn(&str) -> String) -> Vec<UnitId> {
        self.units.iter().map(|unit| self.find(&variant(unit.trim_start())).unwrap_or_else(|| self.unit(unit))).collect()
    }

    fn theme(&self, lists: &Lists<'_>) -> Vec<Vec<Phrase>> {
        assert!(lists.keys().eq(&self.slots), "every theme has the same lists");
        lists.values().map(|entries| entries.iter().map(|text| self.phrase(text)).collect()).collect()
    }

    fn phrase(&self, text: &str) -> Phrase {
        words(text)
            .flat_map(|(word, mark)| {
                let part = match slot_name(word) {
                    Some(name) => PhrasePart::Slot(self.slot(name)),
                    None => PhrasePart::Unit(self.unit(&format!(" {word}"))),
                };
                [Some(part), mark.map(|mark| PhrasePart::Unit(self.unit(mark)))]
            })
            .flatten()
            .collect()
    }

    fn known_slots(&self) -> KnownSlots {
        KnownSlots {
            sentence: self.slot("s"),
            common_sentence: self.slot("common"),
            lead: self.slot("lead"),
            tail: self.slot("tail"),
            opening: self.slot("opening"),
            filler: self.slot("filler"),
            name: self.slot("name"),
            place: self.slot("place"),
            number: self.slot("nn"),
        }
    }

    fn marks(&self) -> Marks {
        let [comma, stop, line_stop, colon, line_colon, a, an, keywords, line_keywords] = MARKS.map(|mark| self.unit(mark));
        Marks { comma, stop, line_stop, colon, line_colon, a, an, keywords, line_keywords }
    }
}

/// By the sound, as far as the corpus needs: `a useful`, `an hour`.
fn takes_an(unit: &str) -> bool {
    let word = unit.trim_start();
    let begins_with = |sounds: &[&str]| sounds.iter().any(|sound| word.starts_with(sound));
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']);
    vowel && !begins_with(&["us", "Us", "uni", "eu", "one"]) || begins_with(&["hour", "honest"])
}
