//! Answers taken from a list of decisions by name, and the answers of a run written down as such a list.
//!
//! A script holds only what is not the default. The default is calm, where every time is the shortest it can be, or what
//! the seed says. What a name is the name of, and what a decision does, is known above.

use super::choose::{Ask, Chooser, Seeded};
use super::dist::Dist;
use super::path::Path;
use super::sample::MILLION;
use super::time::Span;

/// What is decided about a name: an [`Ask`], or one of those that only scripts decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matter(pub u16);

impl Matter {
    /// How many copies of a message are sent.
    pub const COPIES: Matter = Matter(32);
    /// A copy is lost.
    pub const LOST: Matter = Matter(33);
    /// How long a copy is under way, all told.
    pub const ARRIVES: Matter = Matter(34);
    /// All copies of a message are so much longer under way.
    pub const LATE: Matter = Matter(35);
    /// An operation refuses.
    pub const REFUSED: Matter = Matter(36);
    /// An operation fails technically.
    pub const FAILED: Matter = Matter(37);
    /// An intent is left out.
    pub const LEFT_OUT: Matter = Matter(38);
    /// A rule strikes by the clock.
    pub const CLOCK: Matter = Matter(39);
    /// The instant of the strike just noted (only noted).
    pub const AT: Matter = Matter(40);
    /// How long the strike just noted lasts (only noted).
    pub const LASTS: Matter = Matter(41);

    const POINTS: u16 = 64;

    /// A strike before (0) or after (1) a point, by the number of its kind.
    pub const fn point(after: usize, kind: u8) -> Matter {
        Matter(Matter::POINTS + ((after as u16) << 8) + kind as u16)
    }

    /// Before (0) or after (1) which kind of point, if it is a strike at one.
    pub fn as_point(self) -> Option<(usize, u8)> {
        let code = self.0.checked_sub(Matter::POINTS)?;
        Some((usize::from(code >> 8), (code & 0xff) as u8))
    }
}

impl From<Ask> for Matter {
    fn from(ask: Ask) -> Matter {
        Matter(ask as u16)
    }
}

/// One decision of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decided {
    /// What it is about.
    pub path: Path,
    /// What is decided about it.
    pub what: Matter,
    /// How: what the number means depends on the matter.
    pub value: u64,
    /// The number of the line that says so.
    pub line: u32,
}

/// One thing that a run decided, in the order of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub path: Path,
    /// What was decided about it.
    pub what: Matter,
    /// How.
    pub value: u64,
}

/// Answers from a script, and otherwise calmly or from a seed. What is not the default is noted.
#[derive(Debug)]
pub struct Scripted<'s> {
    seeded: Seeded,
    calm: bool,
    script: &'s [Decided],
    asked: &'s mut [bool],
    notes: &'s mut Vec<Note>,
    /// Set once anything that can differ from seed to seed is drawn.
    drawn: &'s mut bool,
    /// The shortest latency of the copy that was last asked about.
    least: Span,
}

impl<'s> Scripted<'s> {
    /// A chooser that answers from `script`, sorted by path and matter, and otherwise calmly or as `seeded` would. Lines
    /// that are asked for are marked in `asked`, as long as the script has lines; what comes out is added to `notes`, and
    /// `drawn` is set if any of it is drawn from the seed, other than the order of what happens at the same instant.
    pub fn new(
        seeded: Seeded,
        calm: bool,
        script: &'s [Decided],
        asked: &'s mut [bool],
        notes: &'s mut Vec<Note>,
        drawn: &'s mut bool,
    ) -> Scripted<'s> {
        Scripted { seeded, calm, script, asked, notes, drawn, least: Span::ZERO }
    }

    fn find(&mut self, path: Path, what: Matter) -> Option<u64> {
        let at = self.script.binary_search_by_key(&(path, what), |decided| (decided.path, decided.what));
        let decided = self.script[at.ok()?];
        if let Some(asked) = self.asked.get_mut(decided.line as usize) {
            *asked = true;
        }
        Some(decided.value)
    }
}

impl Chooser for Scripted<'_> {
    fn span(&mut self, who: Path, ask: Ask, from: &Dist) -> Span {
        let least = from.min();
        let span = match self.find(who, ask.into()) {
            Some(ns) => Span(ns),
            None if self.calm => least,
            None => {
                *self.drawn |= from.fixed().is_none();
                self.seeded.span(who, ask, from)
            }
        };
        match ask {
            Ask::Latency => self.least = least,
            Ask::Think | Ask::Start | Ask::Gap if span != least => {
                self.notes.push(Note { path: who, what: ask.into(), value: span.0 });
            }
            _ => {}
        }
        span
    }

    fn below(&mut self, who: Path, ask: Ask, n: u64) -> u64 {
        *self.drawn |= n > 1;
        self.seeded.below(who, ask, n)
    }

    fn word(&mut self, who: Path, ask: Ask) -> u64 {
        if ask != Ask::Jitter {
            *self.drawn = true;
            return self.seeded.word(who, ask);
        }
        let word = match self.find(who, ask.into()) {
            Some(word) => word,
            None if self.calm => 0,
            None => {
                *self.drawn = true;
                self.seeded.word(who, ask)
            }
        };
        if word != 0 {
            self.notes.push(Note { path: who, what: ask.into(), value: word });
        }
        word
    }

    fn hits(&mut self, who: Path, rule: u64, ppm: u32) -> bool {
        *self.drawn |= ppm > 0 && ppm < MILLION;
        self.seeded.hits(who, rule, ppm)
    }

    fn tie_key(&self) -> u64 {
        self.seeded.tie_key()
    }

    fn decided(&mut self, who: Path, what: Matter) -> Option<u64> {
        self.find(who, what)
    }

    fn note(&mut self, path: Path, what: Matter, value: u64) {
        let expected = self.least.0;
        if what != Matter::ARRIVES || value != expected {
            self.notes.push(Note { path, what, value });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::path::Role;
    use super::*;

    const RANGE: Dist = Dist::Range { low: Span(5), high: Span(9) };

    fn answers(calm: bool, script: &[Decided]) -> (Vec<u64>, Vec<bool>, Vec<Note>) {
        let (mut asked, mut notes) = (vec![false; script.len()], Vec::new());
        let mut drawn = false;
        let mut chooser = Scripted::new(Seeded::new(7), calm, script, &mut asked, &mut notes, &mut drawn);
        let spans = (0..4).map(|n| chooser.span(Path::ROOT.child(Role::Draw, n), Ask::Think, &RANGE).0);
        (spans.collect(), asked, notes)
    }

    fn decided(n: u32, value: u64, line: u32) -> Decided {
        Decided { path: Path::ROOT.child(Role::Draw, n), what: Ask::Think.into(), value, line }
    }

    #[test]
    fn what_the_script_does_not_say_is_as_short_as_can_be() {
        let (spans, asked, notes) = answers(true, &[decided(2, 7, 0)]);
        assert_eq!(spans, [5, 5, 7, 5]);
        assert_eq!(asked, [true]);
        // Only what is not the default is noted.
        assert_eq!(notes, [Note { path: decided(2, 0, 0).path, what: Ask::Think.into(), value: 7 }]);
    }

    #[test]
    fn with_a_seed_it_is_what_the_seed_says() {
        let mut seeded = Seeded::new(7);
        let plain: Vec<u64> =
            (0..4).map(|n| seeded.span(Path::ROOT.child(Role::Draw, n), Ask::Think, &RANGE).0).collect();
        assert_eq!(answers(false, &[]).0, plain);
        let (spans, ..) = answers(false, &[decided(1, 70, 0)]);
        assert_eq!(spans, [plain[0], 70, plain[2], plain[3]]);
    }

    #[test]
    fn a_line_that_nothing_asks_for_stays_unmarked() {
        let (_, asked, _) = answers(true, &[decided(9, 7, 0)]);
        assert_eq!(asked, [false]);
    }

    #[test]
    fn what_can_differ_from_seed_to_seed_is_told() {
        let drawn = |of: &dyn Fn(&mut Scripted<'_>)| {
            let mut drawn = false;
            of(&mut Scripted::new(Seeded::new(7), false, &[], &mut [], &mut Vec::new(), &mut drawn));
            drawn
        };
        let span = |dist: Dist| drawn(&|chooser| _ = chooser.span(Path::ROOT, Ask::Think, &dist));
        assert_eq!([span(RANGE), span(Dist::Fixed(Span(5)))], [true, false]);
        let hits = |ppm| drawn(&|chooser| _ = chooser.hits(Path::ROOT, 1, ppm));
        assert_eq!([0, 1, MILLION - 1, MILLION].map(hits), [false, true, true, false]);
        let below = |n| drawn(&|chooser| _ = chooser.below(Path::ROOT, Ask::Route, n));
        assert_eq!([1, 2].map(below), [false, true]);
        assert!(drawn(&|chooser| _ = chooser.word(Path::ROOT, Ask::Jitter)));
    }

    #[test]
    fn points_and_asks_have_codes_of_their_own() {
        assert_eq!(Matter::point(1, 4).as_point(), Some((1, 4)));
        assert_eq!(Matter::point(0, 0).as_point(), Some((0, 0)));
        assert_eq!(Matter::from(Ask::Swarm).as_point(), None);
        assert_eq!(Matter::LASTS.as_point(), None);
    }
}
