//! Locks of tables, above those of rows, first come first served.
//!
//! Who locks or writes a row says so at its table first: an intention. Intentions get along with each other; who locks the
//! table whole gets along with nobody, so what it has looked through stays as it is, and no row is added. (Gray, Lorie, Putzolu
//! and Traiger, 1976. Rows are locked to write, so of their five modes two are needed.)
//!
//! Who has an intention and now wants the whole table waits in front of those who have nothing yet: they wait for it in any
//! case. Holders and waiters are chained, by table and by owner, so taking and giving back cost the same among many.

use super::locks::Owner;
use crate::model::ids::TableId;

/// Nothing, nobody.
const NONE: u32 = u32::MAX;

/// What is wanted of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// To lock or write rows of it.
    Intention,
    /// That nobody else writes any row of it.
    Whole,
}

/// Somebody holds a table, or waits for it.
#[derive(Clone, Copy, Debug)]
struct Mark {
    owner: Owner,
    table: u16,
    hold: Hold,
    /// The marks before and behind it at the table.
    before: u32,
    behind: u32,
    /// Of a holder: the next mark of the same owner.
    next: u32,
}

/// Marks in a row.
#[derive(Clone, Copy, Debug)]
struct Line {
    first: u32,
    last: u32,
}

const NO_LINE: Line = Line { first: NONE, last: NONE };

/// A table.
#[derive(Clone, Copy, Debug)]
struct State {
    holders: Line,
    waiters: Line,
    /// How many holders there are, and whether it is one that holds the whole table.
    count: u32,
    whole: bool,
}

const FREE: State = State { holders: NO_LINE, waiters: NO_LINE, count: 0, whole: false };

/// What an owner holds and waits for.
#[derive(Clone, Copy, Debug)]
struct Stake {
    /// The last mark that it took.
    holds: u32,
    waits: u32,
}

/// All locks of tables.
#[derive(Clone, Debug, Default)]
pub(super) struct TableLocks {
    marks: Vec<Mark>,
    spare: Vec<u32>,
    /// By table.
    tables: Vec<State>,
    /// By owner.
    stakes: Vec<Stake>,
    /// How many wait, and how many tables are held whole.
    waiting: usize,
    whole: usize,
    /// Scratch for what is being given back.
    freed: Vec<u32>,
}

impl PartialEq for TableLocks {
    fn eq(&self, other: &TableLocks) -> bool {
        let of = |locks: &TableLocks, table: usize| match locks.tables.get(table) {
            Some(state) => (locks.line(state.holders.first), locks.line(state.waiters.first)),
            None => Default::default(),
        };
        (0..self.tables.len().max(other.tables.len())).all(|table| of(self, table) == of(other, table))
    }
}

impl TableLocks {
    /// Takes a lock if nobody is in the way; otherwise queues the owner and says so with `false`.
    pub(super) fn take(&mut self, table: TableId, hold: Hold, owner: Owner) -> bool {
        let at = usize::from(table.0);
        if self.tables.len() <= at {
            self.tables.resize(at + 1, FREE);
        }
        if self.stakes.len() <= owner as usize {
            self.stakes.resize(owner as usize + 1, Stake { holds: NONE, waits: NONE });
        }
        let state = self.tables[at];
        let mine = self.mine(owner, table.0);
        if let Some(mark) = mine {
            if hold == Hold::Intention || self.marks[mark as usize].hold == Hold::Whole {
                return true;
            }
            if state.count == 1 {
                self.becomes_whole(mark);
                return true;
            }
        } else if state.waiters.first == NONE && state.admits(hold) {
            self.enters(table.0, hold, owner);
            return true;
        }
        if self.stakes[owner as usize].waits == NONE {
            let mark =
                self.mark(Mark { owner, table: table.0, hold, before: NONE, behind: NONE, next: NONE });
            // In front of the first who holds nothing yet, if it holds something itself.
            let mut behind = if mine.is_some() { state.waiters.first } else { NONE };
            while behind != NONE && self.mine(self.marks[behind as usize].owner, table.0).is_some() {
                behind = self.marks[behind as usize].behind;
            }
            put(&mut self.marks, &mut self.tables[at].waiters, mark, behind);
            self.stakes[owner as usize].waits = mark;
            self.waiting += 1;
        }
        false
    }

    /// Gives back all that an owner holds or waits for. Those that get a lock now are added to `woken`, in the order in which
    /// they wait: at the table that it waited for, then table by table in the order in which it took them.
    pub(super) fn release(&mut self, owner: Owner, woken: &mut Vec<Owner>) {
        let Some(stake) = self.stakes.get_mut(owner as usize) else { return };
        let Stake { holds: mut at, waits } = std::mem::replace(stake, Stake { holds: NONE, waits: NONE });
        if waits != NONE {
            let table = self.leaves_queue(waits);
            self.admit(table, woken);
        }
        let mut freed = std::mem::take(&mut self.freed);
        while at != NONE {
            freed.push(at);
            at = self.marks[at as usize].next;
        }
        for mark in freed.drain(..).rev() {
            let Mark { table, hold, .. } = self.marks[mark as usize];
            let state = &mut self.tables[usize::from(table)];
            cut(&mut self.marks, &mut state.holders, mark);
            state.count -= 1;
            if hold == Hold::Whole {
                state.whole = false;
                self.whole -= 1;
            }
            self.spare.push(mark);
            self.admit(table, woken);
        }
        self.freed = freed;
    }

    /// Those who wait come in, one after the other, as far as nobody is in the way.
    fn admit(&mut self, table: u16, woken: &mut Vec<Owner>) {
        loop {
            let state = self.tables[usize::from(table)];
            let Some(&Mark { owner, hold, .. }) = self.marks.get(state.waiters.first as usize) else {
                return;
            };
            let mine = self.mine(owner, table);
            if !(if mine.is_some() { state.count == 1 } else { state.admits(hold) }) {
                return;
            }
            self.leaves_queue(state.waiters.first);
            self.stakes[owner as usize].waits = NONE;
            match mine {
                Some(mark) => self.becomes_whole(mark),
                None => self.enters(table, hold, owner),
            }
            woken.push(owner);
        }
    }

    fn enters(&mut self, table: u16, hold: Hold, owner: Owner) {
        let next = self.stakes[owner as usize].holds;
        let mark = self.mark(Mark { owner, table, hold: Hold::Intention, before: NONE, behind: NONE, next });
        let state = &mut self.tables[usize::from(table)];
        put(&mut self.marks, &mut state.holders, mark, NONE);
        state.count += 1;
        self.stakes[owner as usize].holds = mark;
        if hold == Hold::Whole {
            self.becomes_whole(mark);
        }
    }

    fn becomes_whole(&mut self, mark: u32) {
        let mark = &mut self.marks[mark as usize];
        mark.hold = Hold::Whole;
        self.tables[usize::from(mark.table)].whole = true;
        self.whole += 1;
    }

    /// Takes a mark out of the queue that it stands in. Returns of which table.
    fn leaves_queue(&mut self, mark: u32) -> u16 {
        let table = self.marks[mark as usize].table;
        cut(&mut self.marks, &mut self.tables[usize::from(table)].waiters, mark);
        self.spare.push(mark);
        self.waiting -= 1;
        table
    }

    /// The mark by which an owner holds a table. An owner holds few.
    fn mine(&self, owner: Owner, table: u16) -> Option<u32> {
        let mut at = self.stakes[owner as usize].holds;
        while at != NONE && self.marks[at as usize].table != table {
            at = self.marks[at as usize].next;
        }
        (at != NONE).then_some(at)
    }

    fn mark(&mut self, mark: Mark) -> u32 {
        match self.spare.pop() {
            Some(at) => {
                self.marks[at as usize] = mark;
                at
            }
            None => {
                self.marks.push(mark);
                self.marks.len() as u32 - 1
            }
        }
    }

    /// Whether anybody waits.
    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting > 0
    }

    /// Whether nobody holds anything.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.marks.len() == self.spare.len()
    }

    /// How many tables are held whole.
    pub(super) fn whole(&self) -> usize {
        self.whole
    }

    /// Who holds a table and who waits for it, in their order.
    #[cfg(test)]
    pub(super) fn at(&self, table: TableId) -> [Vec<(Owner, Hold)>; 2] {
        let state = self.tables.get(usize::from(table.0)).unwrap_or(&FREE);
        [self.line(state.holders.first), self.line(state.waiters.first)]
    }

    fn line(&self, mut at: u32) -> Vec<(Owner, Hold)> {
        let mut all = Vec::new();
        while let Some(mark) = self.marks.get(at as usize) {
            all.push((mark.owner, mark.hold));
            at = mark.behind;
        }
        all
    }

    /// Whom an owner waits for, each once: those who hold what is in its way and those in front of it who want that. Of
    /// these, `nearest` leaves out who is found by asking the others in turn: whoever stands in front of somebody who wants
    /// the whole table.
    pub(super) fn blockers(&self, owner: Owner, nearest: bool, found: &mut Vec<Owner>) {
        let Some(&Stake { waits, .. }) = self.stakes.get(owner as usize).filter(|stake| stake.waits != NONE)
        else {
            return;
        };
        let Mark { table, hold, before, .. } = self.marks[waits as usize];
        let bars = |mark: &Mark| hold == Hold::Whole || mark.hold == Hold::Whole;
        let from = found.len();
        let mut add = |mark: &Mark| {
            if mark.owner != owner && bars(mark) && (nearest || !found[from..].contains(&mark.owner)) {
                found.push(mark.owner);
            }
        };
        let mut at = if self.mine(owner, table).is_some() { NONE } else { before };
        while let Some(mark) = self.marks.get(at as usize) {
            add(mark);
            if nearest && mark.hold == Hold::Whole {
                return;
            }
            at = mark.before;
        }
        let mut at = self.tables[usize::from(table)].holders.first;
        while let Some(mark) = self.marks.get(at as usize) {
            add(mark);
            at = mark.behind;
        }
    }

    /// Forgets all locks and keeps the memory.
    pub(super) fn reset(&mut self) {
        self.marks.clear();
        self.spare.clear();
        self.tables.clear();
        self.stakes.clear();
        (self.waiting, self.whole) = (0, 0);
    }
}

impl State {
    /// Whether somebody may come in who holds nothing of it, as far as its holders go.
    fn admits(&self, hold: Hold) -> bool {
        match hold {
            Hold::Intention => !self.whole,
            Hold::Whole => self.count == 0,
        }
    }
}

/// Puts a mark in front of another one, or at the end of the line.
fn put(marks: &mut [Mark], line: &mut Line, mark: u32, behind: u32) {
    let before = match behind {
        NONE => std::mem::replace(&mut line.last, mark),
        behind => std::mem::replace(&mut marks[behind as usize].before, mark),
    };
    match before {
        NONE => line.first = mark,
        before => marks[before as usize].behind = mark,
    }
    let mark = &mut marks[mark as usize];
    (mark.before, mark.behind) = (before, behind);
}

/// Takes a mark out of its line.
fn cut(marks: &mut [Mark], line: &mut Line, mark: u32) {
    let Mark { before, behind, .. } = marks[mark as usize];
    match before {
        NONE => line.first = behind,
        before => marks[before as usize].behind = behind,
    }
    match behind {
        NONE => line.last = before,
        behind => marks[behind as usize].before = before,
    }
}

#[cfg(test)]
#[path = "table_locks_tests.rs"]
mod tests;
