//! Who meets whom at which row: intents that were open at the same time and read or wrote the same row.
//!
//! Each row knows how many open intents have been at it, and each open intent at which rows it has been: a short chain,
//! which is looked through. Only those that have been at more than a few rows are filed in an index.

use crate::kernel::path::mix;
use crate::kernel::time::Time;
use crate::model::record::NONE;
use crate::store::Index;

/// So many rows of one intent are looked through, more are filed.
const FEW: u32 = 8;

/// Who is at a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Meeting {
    open: u32,
    writers: u32,
    /// When the last of them was settled, and the last writer.
    left: Time,
    writer_left: Time,
}

/// An open intent that has been at a row; or, in the chain of spare ones, nobody.
#[derive(Clone, Copy, Debug)]
struct Touch {
    slot: u32,
    row: u32,
    next: u32,
    table: u16,
    writes: bool,
}

/// The rows that an open intent has been at.
#[derive(Clone, Copy, Debug)]
struct Trail {
    /// The last of them, or [`NONE`].
    last: u32,
    len: u32,
}

impl Trail {
    const EMPTY: Trail = Trail { last: NONE, len: 0 };
}

/// All rows and all open intents that have been at them.
#[derive(Clone, Debug)]
pub(super) struct Meetings {
    rows: Vec<Vec<Meeting>>,
    /// Rows that anybody has been at in this run.
    visited: Vec<(u16, u32)>,
    touches: Vec<Touch>,
    /// The first of the spare touches, or [`NONE`].
    spare: u32,
    /// By intent slot.
    trails: Vec<Trail>,
    /// Touches of intents that have been at more than a few rows.
    index: Index,
}

fn hash(slot: u32, table: u16, row: u32) -> u64 {
    mix(u64::from(slot) << 32 | u64::from(row), u64::from(table))
}

impl Meetings {
    pub(super) fn new(tables: usize) -> Meetings {
        Meetings {
            rows: vec![Vec::new(); tables],
            visited: Vec::new(),
            touches: Vec::new(),
            spare: NONE,
            trails: Vec::new(),
            index: Index::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        for (table, row) in self.visited.drain(..) {
            self.rows[usize::from(table)][row as usize] = Meeting::default();
        }
        self.touches.clear();
        self.spare = NONE;
        self.trails.clear();
        self.index.clear();
    }

    /// The touch by which an intent has been at a row.
    #[inline]
    fn find(&self, trail: Trail, slot: u32, table: u16, row: u32) -> Option<u32> {
        if trail.len > FEW {
            let same = |at: u32| {
                let touch = &self.touches[at as usize];
                (touch.slot, touch.table, touch.row) == (slot, table, row)
            };
            return self.index.find(hash(slot, table, row), same);
        }
        let mut at = trail.last;
        while at != NONE {
            let touch = &self.touches[at as usize];
            if (touch.table, touch.row) == (table, row) {
                return Some(at);
            }
            at = touch.next;
        }
        None
    }

    /// An open intent that was invoked at a time is at a row. Returns how many others were, while it was open: those that
    /// write if it only reads, all if it writes. Each other intent counts once for a reader and once for a writer.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32, invoked: Time, table: u16, row: u32, writes: bool) -> u32 {
        if self.trails.len() <= slot as usize {
            self.trails.resize(slot as usize + 1, Trail::EMPTY);
        }
        let trail = self.trails[slot as usize];
        let found = self.find(trail, slot, table, row);
        let known = found.map(|at| &mut self.touches[at as usize]);
        if known.as_ref().is_some_and(|touch| !writes || touch.writes) {
            return 0;
        }
        let rows = &mut self.rows[usize::from(table)];
        if rows.len() <= row as usize {
            rows.resize(row as usize + 1, Meeting::default());
        }
        let here = &mut rows[row as usize];
        let (all, wrote) = (here.left > invoked, here.writer_left > invoked);
        here.writers += u32::from(writes);
        // It has read the row and now writes it: those that only read it count as well from here on.
        if let Some(touch) = known {
            touch.writes = true;
            return here.open - here.writers + u32::from(all && !wrote);
        }
        let others = match writes {
            true => here.open + u32::from(all),
            false => here.writers + u32::from(wrote),
        };
        if here.open == 0 && here.left == Time::ZERO {
            self.visited.push((table, row));
        }
        here.open += 1;
        self.follow(trail, Touch { slot, row, next: trail.last, table, writes });
        others
    }

    /// Adds a row to the trail of an intent.
    #[inline]
    fn follow(&mut self, trail: Trail, touch: Touch) {
        let at = self.spare;
        let at = match self.touches.get_mut(at as usize) {
            Some(spare) => {
                self.spare = spare.next;
                *spare = touch;
                at
            }
            None => {
                self.touches.push(touch);
                self.touches.len() as u32 - 1
            }
        };
        let trail = Trail { last: at, len: trail.len + 1 };
        self.trails[touch.slot as usize] = trail;
        if trail.len > FEW {
            self.file(trail);
        }
    }

    /// Files the last row of a trail, or all of them once they are too many to be looked through.
    #[inline(never)]
    fn file(&mut self, trail: Trail) {
        let mut at = trail.last;
        while at != NONE {
            let Touch { slot, table, row, next, .. } = self.touches[at as usize];
            self.index.insert(hash(slot, table, row), at);
            at = if trail.len == FEW + 1 { next } else { NONE };
        }
    }

    /// An intent is settled.
    #[inline]
    pub(super) fn settled(&mut self, slot: u32, now: Time) {
        let Some(trail) = self.trails.get_mut(slot as usize) else { return };
        let Trail { last, len } = std::mem::replace(trail, Trail::EMPTY);
        let mut at = last;
        while at != NONE {
            let touch = &mut self.touches[at as usize];
            let here = &mut self.rows[usize::from(touch.table)][touch.row as usize];
            here.open -= 1;
            here.left = now;
            if touch.writes {
                here.writers -= 1;
                here.writer_left = now;
            }
            if len > FEW {
                self.index.remove(hash(slot, touch.table, touch.row), at);
            }
            let next = std::mem::replace(&mut touch.next, self.spare);
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
        assert!(size_of::<Touch>() <= 16);
        assert!(size_of::<Trail>() <= 8);
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
            )
        ) {
            let mut meetings = Meetings::new(2);
            for steps in runs {
                meetings.reset();
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
                    prop_assert_eq!(meetings.touch(slot, invoked, table, row, writes), expected);
                    let filed = meetings.trails.iter().filter(|trail| trail.len > FEW).map(|trail| trail.len);
                    prop_assert_eq!(meetings.index.len() as u32, filed.sum::<u32>());
                }
            }
        }
    }
}
