//! Who meets whom at which row: intents that were open at the same time and read or wrote the same row.
//!
//! Each row knows how many open intents have been at it, and each open intent at which rows it has been: most at one, which
//! is at hand, others at a few more, which are a chain to be looked through. Only those that have been at many rows are
//! filed in an index.

use crate::kernel::path::mix;
use crate::kernel::time::Time;
use crate::model::record::NONE;
use crate::store::Index;

/// So many further rows of one intent are looked through, more are filed.
const FEW: u32 = 8;

/// Who is at a row.
#[derive(Clone, Copy, Debug)]
struct Meeting {
    open: u32,
    writers: u32,
    /// When the last of them was settled, and the last writer.
    left: Time,
    writer_left: Time,
    /// In which run; in any other one nobody has been there.
    run: u32,
}

const NOBODY: Meeting = Meeting { open: 0, writers: 0, left: Time::ZERO, writer_left: Time::ZERO, run: 0 };

impl Meeting {
    /// As it is in a run, where nobody has been in it yet.
    #[inline(always)]
    fn of(&mut self, run: u32) -> &mut Meeting {
        if self.run != run {
            *self = Meeting { run, ..NOBODY };
        }
        self
    }

    /// Another intent comes, which was invoked at a time. Returns how many it meets.
    #[inline(always)]
    fn enter(&mut self, invoked: Time, writes: bool) -> u32 {
        let others = match writes {
            true => self.open + u32::from(self.left > invoked),
            false => self.writers + u32::from(self.writer_left > invoked),
        };
        self.open += 1;
        self.writers += u32::from(writes);
        others
    }
}

/// A row that an open intent has been at, and whether it writes it: one word, since it is compared for every row that is
/// read or written.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Visit(u64);

impl Visit {
    const WRITES: u64 = 1 << 48;
    /// At no row.
    const NOWHERE: Visit = Visit(u64::MAX);

    #[inline]
    fn of(table: u16, row: u32, writes: bool) -> Visit {
        Visit(u64::from(writes) << 48 | u64::from(table) << 32 | u64::from(row))
    }

    #[inline]
    fn table(self) -> u16 {
        (self.0 >> 32) as u16
    }

    #[inline]
    fn row(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    fn writes(self) -> bool {
        self.0 & Visit::WRITES != 0
    }

    #[inline]
    fn to_write(self) -> Visit {
        Visit(self.0 | Visit::WRITES)
    }

    /// Whether both are at one row.
    #[inline]
    fn is_at(self, other: Visit) -> bool {
        self.to_write() == other.to_write()
    }
}

/// A further one; or, in the chain of spare ones, nobody's.
#[derive(Clone, Copy, Debug)]
struct Further {
    visit: Visit,
    slot: u32,
    next: u32,
}

/// The rows that an open intent has been at.
#[derive(Clone, Copy, Debug)]
struct Trail {
    first: Visit,
    /// The last of the further ones, or [`NONE`].
    last: u32,
    /// How many rows there are.
    len: u32,
}

impl Trail {
    const EMPTY: Trail = Trail { first: Visit::NOWHERE, last: NONE, len: 0 };
}

/// What an intent's being at a row is.
enum Touch {
    /// It has been there before, and did the same or more.
    Again,
    /// It has read the row and now writes it.
    Writes,
    /// It has not been there.
    New,
}

/// All rows and all open intents that have been at them.
#[derive(Clone, Debug)]
pub(super) struct Meetings {
    rows: Vec<Vec<Meeting>>,
    /// The number of the run, from 1 on.
    run: u32,
    further: Vec<Further>,
    /// The first of the spare ones of these, or [`NONE`].
    spare: u32,
    /// By intent slot.
    trails: Vec<Trail>,
    /// Further rows of intents that have been at many.
    index: Index,
}

fn hash(slot: u32, visit: Visit) -> u64 {
    mix(u64::from(slot) << 32 | u64::from(visit.row()), u64::from(visit.table()))
}

impl Meetings {
    pub(super) fn new(tables: usize) -> Meetings {
        Meetings {
            rows: vec![Vec::new(); tables],
            run: 1,
            further: Vec::new(),
            spare: NONE,
            trails: Vec::new(),
            index: Index::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.run = self.run.wrapping_add(1);
        if self.run == NOBODY.run {
            // Once in four billion runs.
            self.rows.iter_mut().for_each(|rows| rows.fill(NOBODY));
            self.run = 1;
        }
        // What there is is kept, and all of it is spare: the next run finds it at hand.
        self.trails.fill(Trail::EMPTY);
        self.spare = NONE;
        for (at, further) in (0..).zip(&mut self.further) {
            further.next = std::mem::replace(&mut self.spare, at);
        }
        self.index.clear();
    }

    /// Whether the first row that an intent has been at is this one, and it writes it.
    #[inline]
    pub(super) fn has_written(&self, slot: u32, table: u16, row: u32) -> bool {
        self.trails.get(slot as usize).is_some_and(|trail| trail.first == Visit::of(table, row, true))
    }

    /// What [`Meetings::touch`] says, for those who come to their first row, or again to it; none for all others, of whom
    /// nothing is noted.
    #[inline(always)]
    pub(super) fn touch_first(
        &mut self,
        slot: u32,
        invoked: Time,
        table: u16,
        row: u32,
        writes: bool,
    ) -> Option<u32> {
        let visit = Visit::of(table, row, writes);
        let trail = self.trails.get_mut(slot as usize)?;
        if trail.len != 0 {
            return (trail.first == visit || trail.first == visit.to_write()).then_some(0);
        }
        let here = self.rows[usize::from(table)].get_mut(row as usize)?;
        (trail.first, trail.len) = (visit, 1);
        Some(here.of(self.run).enter(invoked, writes))
    }

    /// The same for those who come to a further row, of a few.
    #[inline(always)]
    pub(super) fn touch_few(
        &mut self,
        slot: u32,
        invoked: Time,
        table: u16,
        row: u32,
        writes: bool,
    ) -> Option<u32> {
        let visit = Visit::of(table, row, writes);
        let trail = self.trails.get_mut(slot as usize)?;
        let here = self.rows[usize::from(table)].get_mut(row as usize)?;
        if trail.len == 0 || trail.len >= FEW || trail.first.is_at(visit) {
            return None;
        }
        let mut at = trail.last;
        while at != NONE {
            let further = &self.further[at as usize];
            if further.visit.is_at(visit) {
                return (further.visit == visit || further.visit == visit.to_write()).then_some(0);
            }
            at = further.next;
        }
        let spare = self.further.get_mut(self.spare as usize)?;
        let last = std::mem::replace(&mut trail.last, self.spare);
        self.spare = spare.next;
        *spare = Further { visit, slot, next: last };
        trail.len += 1;
        Some(here.of(self.run).enter(invoked, writes))
    }

    /// An open intent that was invoked at a time is at a row. Returns how many others were, while it was open: those that
    /// write if it only reads, all if it writes. Each other intent counts once for a reader and once for a writer.
    #[inline(never)]
    pub(super) fn touch(&mut self, slot: u32, invoked: Time, table: u16, row: u32, writes: bool) -> u32 {
        let touch = match self.note(slot, Visit::of(table, row, writes)) {
            Touch::Again => return 0,
            touch => touch,
        };
        let rows = &mut self.rows[usize::from(table)];
        if rows.len() <= row as usize {
            rows.resize(row as usize + 1, NOBODY);
        }
        let here = rows[row as usize].of(self.run);
        if let Touch::Writes = touch {
            // Those that only read it count as well from here on.
            let (all, wrote) = (here.left > invoked, here.writer_left > invoked);
            here.writers += 1;
            return here.open - here.writers + u32::from(all && !wrote);
        }
        here.enter(invoked, writes)
    }

    /// Notes that an intent is at a row.
    fn note(&mut self, slot: u32, visit: Visit) -> Touch {
        if self.trails.len() <= slot as usize {
            self.trails.resize(slot as usize + 1, Trail::EMPTY);
        }
        let trail = self.trails[slot as usize];
        let known = match trail.first.is_at(visit) {
            true => Some(&mut self.trails[slot as usize].first),
            false => self.find(trail, slot, visit).map(|at| &mut self.further[at as usize].visit),
        };
        if let Some(known) = known {
            if !visit.writes() || known.writes() {
                return Touch::Again;
            }
            *known = visit;
            return Touch::Writes;
        }
        if trail.len == 0 {
            self.trails[slot as usize] = Trail { first: visit, len: 1, ..Trail::EMPTY };
            return Touch::New;
        }
        let further = Further { visit, slot, next: trail.last };
        let last = self.spare;
        let last = match self.further.get_mut(last as usize) {
            Some(spare) => {
                self.spare = spare.next;
                *spare = further;
                last
            }
            None => {
                self.further.push(further);
                self.further.len() as u32 - 1
            }
        };
        let trail = Trail { last, len: trail.len + 1, ..trail };
        self.trails[slot as usize] = trail;
        if trail.len > FEW {
            self.file(trail);
        }
        Touch::New
    }

    /// Where a further row is noted that an intent has been at.
    fn find(&self, trail: Trail, slot: u32, visit: Visit) -> Option<u32> {
        if trail.len > FEW {
            let same = |at: u32| {
                let further = &self.further[at as usize];
                further.slot == slot && further.visit.is_at(visit)
            };
            return self.index.find(hash(slot, visit), same);
        }
        let mut at = trail.last;
        while at != NONE {
            let further = &self.further[at as usize];
            if further.visit.is_at(visit) {
                return Some(at);
            }
            at = further.next;
        }
        None
    }

    /// Files the last row of a trail, or all further ones once they are too many to be looked through.
    fn file(&mut self, trail: Trail) {
        let mut at = trail.last;
        while at != NONE {
            let Further { visit, slot, next } = self.further[at as usize];
            self.index.insert(hash(slot, visit), at);
            at = if trail.len == FEW + 1 { next } else { NONE };
        }
    }

    /// Whether an intent has been at more than one row.
    #[inline(always)]
    pub(super) fn has_further(&self, slot: u32) -> bool {
        self.trails.get(slot as usize).is_some_and(|trail| trail.last != NONE)
    }

    /// An intent is settled that has been at one row at the most.
    #[inline(always)]
    pub(super) fn settled_at_once(&mut self, slot: u32, now: Time) {
        let Some(trail) = self.trails.get_mut(slot as usize).filter(|trail| trail.len > 0) else { return };
        let first = trail.first;
        *trail = Trail::EMPTY;
        self.leave(first, now);
    }

    /// An intent is settled.
    pub(super) fn settled(&mut self, slot: u32, now: Time) {
        let Some(&Trail { last, len, .. }) = self.trails.get(slot as usize) else { return };
        self.settled_at_once(slot, now);
        if last != NONE {
            self.leave_further(slot, last, len, now);
        }
    }

    #[inline(always)]
    fn leave(&mut self, visit: Visit, now: Time) {
        let here = &mut self.rows[usize::from(visit.table())][visit.row() as usize];
        here.open -= 1;
        here.left = now;
        if visit.writes() {
            here.writers -= 1;
            here.writer_left = now;
        }
    }

    fn leave_further(&mut self, slot: u32, last: u32, len: u32, now: Time) {
        let mut at = last;
        while at != NONE {
            let Further { visit, next, .. } = self.further[at as usize];
            self.leave(visit, now);
            if len > FEW {
                self.index.remove(hash(slot, visit), at);
            }
            self.further[at as usize].next = self.spare;
            self.spare = at;
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_kept_for_each_row_of_an_open_intent_is_small() {
        assert!(size_of::<Further>() <= 16);
        assert!(size_of::<Trail>() <= 16);
    }

    /// The same by its definition: every visit of the run is kept, and all are looked through.
    #[derive(Default)]
    struct Plain {
        /// By slot when its intent was invoked.
        open: Vec<Option<u64>>,
        /// Slot, row, whether it writes.
        visits: Vec<(u32, (u16, u32), bool)>,
        /// Row, whether it was written, when.
        left: Vec<((u16, u32), bool, u64)>,
    }

    impl Plain {
        fn touch(&mut self, slot: u32, at: (u16, u32), writes: bool) -> u32 {
            let own = self.visits.iter().position(|visit| (visit.0, visit.1) == (slot, at));
            if own.is_some_and(|own| !writes || self.visits[own].2) {
                return 0;
            }
            let invoked = self.open[slot as usize].unwrap();
            let others = |wrote: bool| {
                let is = |visit: &&(u32, _, bool)| visit.0 != slot && visit.1 == at && (visit.2 || !wrote);
                self.visits.iter().filter(is).count() as u32
            };
            let gone = |wrote: bool| {
                self.left.iter().any(|left| left.0 == at && (left.1 || !wrote) && left.2 > invoked)
            };
            let (all, writers) = (others(false), others(true));
            let (left, wrote) = (gone(false), gone(true));
            match own {
                Some(own) => {
                    self.visits[own].2 = true;
                    all - writers + u32::from(left && !wrote)
                }
                None => {
                    self.visits.push((slot, at, writes));
                    if writes { all + u32::from(left) } else { writers + u32::from(wrote) }
                }
            }
        }

        fn settled(&mut self, slot: u32, now: u64) {
            for visit in self.visits.extract_if(.., |visit| visit.0 == slot) {
                self.left.push((visit.1, visit.2, now));
            }
            self.open[slot as usize] = None;
        }
    }

    proptest! {
        /// Few rows, so that they meet; now and then many, so that trails are filed; and two runs, one after the other.
        #[test]
        fn agrees_with_a_list_of_all_visits(
            runs in prop::collection::vec(
                prop::collection::vec((0u32..4, 0u16..2, 0u32..14, any::<bool>(), 0u32..12), 1..300),
                1..3,
            ),
            (short, wraps) in any::<(bool, bool)>(),
        ) {
            let mut meetings = Meetings::new(2);
            for steps in runs {
                meetings.reset();
                if wraps {
                    meetings.run = u32::MAX;
                    meetings.reset();
                }
                let mut plain = Plain { open: vec![None; 4], ..Plain::default() };
                for (now, (slot, table, row, writes, end)) in (1..).zip(steps) {
                    if plain.open[slot as usize].is_none() {
                        plain.open[slot as usize] = Some(now);
                    } else if end == 0 {
                        plain.settled(slot, now);
                        meetings.settled(slot, Time(now));
                        continue;
                    }
                    let invoked = Time(plain.open[slot as usize].unwrap());
                    let expected = plain.touch(slot, (table, row), writes);
                    prop_assert!(!meetings.has_written(slot, table, row) || expected == 0);
                    let first = match short {
                        true => {
                            let first = meetings.touch_first(slot, invoked, table, row, writes);
                            first.or_else(|| meetings.touch_few(slot, invoked, table, row, writes))
                        }
                        false => None,
                    };
                    let found = first.unwrap_or_else(|| meetings.touch(slot, invoked, table, row, writes));
                    prop_assert_eq!(found, expected);
                    let filed = meetings.trails.iter().filter(|trail| trail.len > FEW).map(|trail| trail.len - 1);
                    prop_assert_eq!(meetings.index.len() as u32, filed.sum::<u32>());
                }
            }
        }
    }
}
