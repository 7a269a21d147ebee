//! Writing prompts to an exact number of tokens.
//!
//! A prompt is a heading that no other prompt has, records in prose, a line of keywords that fills the count up to the last token, and
//! an instruction. The instruction stands last, as people write it under what they paste; what differs from prompt to prompt stands
//! first, where a prefix cache looks.

use std::collections::{BTreeMap, HashSet};

use crate::{
    corpus::{
        self,
        grammar::{Grammar, PhrasePart, UnitId},
        prose::Prose,
    },
    rng::Rng,
    sizing::{MilliTokens, TokenTable},
};

/// Units by which the heads of two prompts must differ.
pub(crate) const HEAD_UNITS: usize = 4;
/// Sentences that may fail to fit before the rest is left to keywords.
const MISSES: u32 = 8;
/// Keywords by which the last stretch is closed exactly.
const LAST_KEYWORDS: u32 = 4;

/// A text and its size.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) content: std::sync::Arc<str>,
    pub(crate) milli: MilliTokens,
}

/// Writes the prompts of one plan.
pub(crate) struct Writer<'t> {
    grammar: &'static Grammar,
    table: &'t TokenTable,
    rng: Rng,
    /// Words that begin prompts, in this plan's order; no word begins two prompts before all have begun one.
    openers: Vec<UnitId>,
    next_opener: usize,
    heads: HashSet<Vec<UnitId>>,
    keywords: Keywords,
    scratch: Vec<UnitId>,
}

/// Units so far, and their sum.
#[derive(Debug, Default)]
struct Draft {
    units: Vec<UnitId>,
    milli: MilliTokens,
}

impl<'t> Writer<'t> {
    pub(crate) fn new(table: &'t TokenTable, mut rng: Rng) -> Self {
        let grammar = corpus::grammar();
        let mut openers = grammar.openers.clone();
        rng.shuffle(&mut openers);
        let keywords = Keywords::new(grammar, table);
        Self { grammar, table, rng, openers, next_opener: 0, heads: HashSet::new(), keywords, scratch: Vec::new() }
    }

    /// A prompt with a heading of its own, and one of the instructions at its end. `None` if `aim` has no room for them.
    pub(crate) fn opened(&mut self, aim: MilliTokens, instructions: &[&str]) -> Option<Text> {
        let prose = Prose::begin(self.grammar, &mut self.rng);
        let mut draft = Draft::default();
        let instruction = self.request(instructions);
        let opener = self.openers[self.next_opener];
        let slots = self.grammar.slots;
        let head = loop {
            let mut head = vec![opener];
            for slot in [slots.number, slots.number, slots.name] {
                prose.fill(slot, &mut self.rng, &mut head);
            }
            if !self.heads.contains(&head) {
                break head;
            }
        };
        self.scratch.clone_from(&head);
        self.scratch.push(self.grammar.marks.comma);
        prose.fill(slots.opening, &mut self.rng, &mut self.scratch);
        self.scratch.push(self.grammar.marks.line_colon);
        draft.take(&self.scratch, self.table);
        self.body(&mut draft, prose, aim, &instruction)?;
        self.heads.insert(head);
        self.next_opener = (self.next_opener + 1) % self.openers.len();
        Some(draft.text(self.grammar))
    }

    /// A later message of a conversation, which needs no head of its own; with one of `requests` at its end, if there are any.
    pub(crate) fn continued(&mut self, aim: MilliTokens, requests: &[&str]) -> Option<Text> {
        let prose = Prose::begin(self.grammar, &mut self.rng);
        let mut draft = Draft::default();
        let request = self.request(requests);
        self.body(&mut draft, prose, aim, &request)?;
        Some(draft.text(self.grammar))
    }

    /// A prompt of a few keywords, the first of its own: what a length of a few tokens has room for.
    pub(crate) fn keywords(&mut self, aim: MilliTokens) -> Option<Text> {
        // The next opener may be longer than the whole prompt; the first that fits changes places with it.
        for place in (self.next_opener..self.openers.len()).chain(0..self.next_opener) {
            let mut draft = Draft::default();
            draft.take(&self.openers[place..=place], self.table);
            let Some(rest) = aim.checked_sub(draft.milli) else { continue };
            self.scratch.clear();
            self.keywords.fill(rest, &mut self.rng, &mut self.scratch);
            draft.take(&self.scratch, self.table);
            let head = draft.units[..draft.units.len().min(HEAD_UNITS)].to_vec();
            if draft.milli.abs_diff(aim) <= 500 && self.heads.insert(head) {
                self.openers.swap(place, self.next_opener);
                self.next_opener = (self.next_opener + 1) % self.openers.len();
                return Some(draft.text(self.grammar));
            }
        }
        None
    }

    /// One of the requests, in units; empty if there are none.
    fn request(&mut self, requests: &[&str]) -> Vec<UnitId> {
        if requests.is_empty() {
            return Vec::new();
        }
        let text = *self.rng.pick(requests);
        corpus::split(text).map(|unit| self.grammar.find(unit).expect("the words of requests are units")).collect()
    }

    /// Records, keywords and the request, up to `aim` in all.
    fn body(&mut self, draft: &mut Draft, mut prose: Prose<'_>, aim: MilliTokens, request: &[UnitId]) -> Option<()> {
        let marks = self.grammar.marks;
        let end = if request.is_empty() { marks.stop } else { marks.line_stop };
        let cost = |units: &[UnitId]| units.iter().map(|&unit| self.table.milli(unit)).sum::<MilliTokens>();
        let aim = aim.checked_sub(cost(request) + cost(&[end]))?;
        let intro = cost(&[marks.keywords, marks.colon]).max(cost(&[marks.line_keywords, marks.colon]));
        let reserve = intro + self.keywords.dearest();
        let mut line_start = true;
        let mut misses = 0;
        while misses < MISSES {
            self.scratch.clear();
            let ends_line = prose.sentence(line_start, &mut self.rng, &mut self.scratch);
            if draft.milli + cost(&self.scratch) + reserve <= aim {
                draft.take(&self.scratch, self.table);
                line_start = ends_line;
            } else {
                misses += 1;
            }
        }
        draft.take(&[if line_start { marks.line_keywords } else { marks.keywords }, marks.colon], self.table);
        let rest = aim.checked_sub(draft.milli).filter(|&rest| rest >= self.keywords.cheapest())?;
        self.scratch.clear();
        self.keywords.fill(rest, &mut self.rng, &mut self.scratch);
        self.scratch.push(end);
        self.scratch.extend_from_slice(request);
        draft.take(&self.scratch, self.table);
        Some(())
    }
}

impl Draft {
    fn take(&mut self, units: &[UnitId], table: &TokenTable) {
        self.milli += units.iter().map(|&unit| table.milli(unit)).sum::<MilliTokens>();
        self.units.extend_from_slice(units);
    }

    fn text(&self, grammar: &Grammar) -> Text {
        let texts = self.units.iter().map(|&unit| grammar.units[usize::from(unit)].as_str());
        let mut content = String::with_capacity(texts.clone().map(str::len).sum());
        content.extend(texts);
        Text { content: content.into(), milli: self.milli }
    }
}

/// Words that stand alone, by what they cost.
struct Keywords {
    all: Vec<(UnitId, MilliTokens)>,
    /// Sorted by cost; never empty.
    by_cost: Vec<(MilliTokens, Vec<UnitId>)>,
}

impl Keywords {
    fn new(grammar: &Grammar, table: &TokenTable) -> Self {
        let words = grammar.themes[0][grammar.slots.filler.0].iter().flatten();
        let units = words.filter_map(|part| if let PhrasePart::Unit(unit) = part { Some(*unit) } else { None });
        let all: Vec<_> = units.map(|unit| (unit, table.milli(unit))).collect();
        let mut by_cost = BTreeMap::<_, Vec<UnitId>>::new();
        for &(unit, cost) in &all {
            by_cost.entry(cost).or_default().push(unit);
        }
        Self { all, by_cost: by_cost.into_iter().collect() }
    }

    fn cheapest(&self) -> MilliTokens {
        self.by_cost.first().map_or(0, |&(cost, _)| cost)
    }

    fn dearest(&self) -> MilliTokens {
        self.by_cost.last().map_or(0, |&(cost, _)| cost)
    }

    /// Writes keywords that cost `rest`, or as near to it as they come.
    fn fill(&self, mut rest: MilliTokens, rng: &mut Rng, out: &mut Vec<UnitId>) {
        while rest > MilliTokens::from(LAST_KEYWORDS) * self.dearest() {
            let &(unit, cost) = rng.pick(&self.all);
            out.push(unit);
            rest = rest.saturating_sub(cost);
        }
        let mut best = Choice { costs: Vec::new(), off: rest };
        self.choose(rest, 0, &mut Vec::new(), &mut best);
        for place in best.costs {
            out.push(*rng.pick(&self.by_cost[place].1));
        }
    }

    /// Tries every set of up to [`LAST_KEYWORDS`] costs, from `from` on, until one fits exactly.
    fn choose(&self, rest: MilliTokens, from: usize, taken: &mut Vec<usize>, best: &mut Choice) {
        if rest < best.off {
            *best = Choice { costs: taken.clone(), off: rest };
        }
        if taken.len() == LAST_KEYWORDS as usize || best.off == 0 {
            return;
        }
        for (place, &(cost, _)) in self.by_cost.iter().enumerate().skip(from) {
            let Some(left) = rest.checked_sub(cost) else {
                // Dearer ones only overshoot more; this one may still be nearer than falling short.
                if cost - rest < best.off {
                    taken.push(place);
                    *best = Choice { costs: taken.clone(), off: cost - rest };
                    taken.pop();
                }
                break;
            };
            taken.push(place);
            self.choose(left, place, taken, best);
            taken.pop();
        }
    }
}

/// The best set of costs so far, and how far it is off.
struct Choice {
    costs: Vec<usize>,
    off: MilliTokens,
}
