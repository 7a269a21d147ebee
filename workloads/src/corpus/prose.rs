//! Prose from the grammar: sentences, in paragraphs, in themes.

use super::grammar::{Grammar, PhrasePart, SlotId, UnitId};
use crate::rng::Rng;

/// Where in the text the writer is, and what it writes about.
#[derive(Debug)]
pub(crate) struct Prose<'g> {
    grammar: &'g Grammar,
    theme: usize,
    /// Entries that a paragraph returns to, so that it is about someone and somewhere.
    names: [u32; 2],
    place: u32,
    sentences_left: u32,
}

impl<'g> Prose<'g> {
    /// A writer at the head of a paragraph, in a theme drawn at random.
    pub(crate) fn begin(grammar: &'g Grammar, rng: &mut Rng) -> Self {
        let theme = rng.below(count(&grammar.themes)) as usize;
        let mut prose = Self { grammar, theme, names: [0; 2], place: 0, sentences_left: 0 };
        prose.new_paragraph(rng);
        prose
    }

    /// Writes one sentence to `out`, its stop included. `line_start`: nothing stands before it on its line. Returns whether it ended
    /// its paragraph, and with it the line.
    pub(crate) fn sentence(&mut self, line_start: bool, rng: &mut Rng, out: &mut Vec<UnitId>) -> bool {
        let slots = self.grammar.slots;
        let begin = out.len();
        if rng.one_in(3) {
            self.fill(slots.lead, rng, out);
            out.push(self.grammar.marks.comma);
        }
        let own = rng.below(5) < 2;
        self.fill(if own { slots.sentence } else { slots.common_sentence }, rng, out);
        if rng.below(5) < 2 {
            out.push(self.grammar.marks.comma);
            self.fill(slots.tail, rng, out);
        }
        let capital = if line_start { &self.grammar.line_capital } else { &self.grammar.capital };
        out[begin] = capital[usize::from(out[begin])];
        self.sentences_left -= 1;
        let ends = self.sentences_left == 0;
        out.push(if ends { self.grammar.marks.line_stop } else { self.grammar.marks.stop });
        if ends {
            // One paragraph in six is the last of its theme.
            if rng.one_in(6) {
                self.theme = rng.below(count(&self.grammar.themes)) as usize;
            }
            self.new_paragraph(rng);
        }
        ends
    }

    /// Writes an entry of a list to `out`.
    pub(crate) fn fill(&self, slot: SlotId, rng: &mut Rng, out: &mut Vec<UnitId>) {
        let Grammar { themes, slots, marks, takes_an, .. } = self.grammar;
        let list = &themes[self.theme][slot.0];
        let phrase = if slot == slots.name && rng.one_in(2) {
            &list[*rng.pick(&self.names) as usize]
        } else if slot == slots.place && rng.one_in(3) {
            &list[self.place as usize]
        } else {
            rng.pick(list)
        };
        for &part in phrase {
            match part {
                PhrasePart::Slot(slot) => self.fill(slot, rng, out),
                PhrasePart::Unit(unit) => {
                    if let Some(last) = out.last_mut()
                        && *last == marks.a
                        && takes_an[usize::from(unit)]
                    {
                        *last = marks.an;
                    }
                    out.push(unit);
                }
            }
        }
    }

    fn new_paragraph(&mut self, rng: &mut Rng) {
        let lists = &self.grammar.themes[self.theme];
        let names = count(&lists[self.grammar.slots.name.0]);
        self.names = [rng.below(names), rng.below(names)];
        self.place = rng.below(count(&lists[self.grammar.slots.place.0]));
        self.sentences_left = 3 + rng.below(4);
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).expect("lists are short")
}
