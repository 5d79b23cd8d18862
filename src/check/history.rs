//! The recent versions of each row, for the exact rule of lost updates: who overwrote what without having seen it.
//!
//! A writer can be stale only against versions installed while its intent was open, so older ones are forgotten, and a
//! row remembers its last [`DEPTH`] versions at the most. This is exact as long as no row gets more than that many
//! versions during one intent; beyond, the newest ones are judged and older victims go unnamed. What a lost update is, is
//! said at [`Loss`].
//!
//! Most versions are overwritten when nobody is open any more who could have missed them. So a row has room for its last
//! version, and a list only while there are older ones to be remembered. What a finding needs to name a version is kept
//! beside that, and only if somebody judges lost updates; otherwise only overlaps are counted.

use std::collections::VecDeque;

use super::finding::{Act, Party};
use super::open::StepOf;
use crate::kernel::path::Path;
use crate::kernel::path::mix;
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::ids::TableId;
use crate::model::record::{Masks, NONE, Record, StepRole, install};
use crate::store::Tables;

/// How many versions of a row are remembered.
pub(super) const DEPTH: usize = 64;

/// The content of a row that is not there.
const ABSENT: u64 = 1;

/// A transaction: its commit, and for whom it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct By {
    pub(super) commit: Record,
    pub(super) party: Party,
}

impl By {
    /// What a finding says of it.
    pub(super) fn act(&self) -> Act {
        let Record { at, path, op, data: effect, who: instance, .. } = self.commit;
        Act { at, path, op, effect, instance, step: self.commit.step(), party: self.party }
    }
}

/// A version.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Time,
    /// The execution that wrote it.
    path: Path,
    ver: u32,
    base: u32,
}

/// What only the exact rule asks of a version.
#[derive(Clone, Debug)]
struct Detail {
    content: u64,
    set: u32,
    flag: u8,
    act: Act,
    /// The steps that the flow of its step carries out, from the inside out.
    outer: Box<[StepOf]>,
}

impl Detail {
    /// The steps that it is part of, its own first.
    fn steps(&self) -> impl Iterator<Item = StepOf> {
        let own = self.act.step.map(|(step, role)| (self.act.instance, step, role));
        own.into_iter().chain(self.outer.iter().copied())
    }

    /// Whether another version, a later or an earlier one, belongs to the compensation of a step that this one is part of, or
    /// the other way round. A flow may write more than its compensation takes back, so that one must have written as much.
    fn is_opposite(&self, other: &Detail, is_later: bool) -> bool {
        let covers = || other.flag & install::DELETE != 0 || self.set & !other.set == 0;
        let pairs = self
            .steps()
            .enumerate()
            .flat_map(|(n, of)| other.steps().enumerate().map(move |(m, by)| (of, by, n + m == 0)));
        let is = |(of, by, direct): (StepOf, StepOf, bool)| {
            let opposite = (of.0, of.1) == (by.0, by.1) && of.2 != by.2;
            opposite && is_later == (of.2 == StepRole::Action) && (direct || covers())
        };
        self.act.party.serial == other.act.party.serial && pairs.into_iter().any(is)
    }
}

/// A row that was written.
#[derive(Clone, Copy, Debug)]
struct Row {
    last: Entry,
    /// Older versions than the last one, if they are remembered: which list, or [`NONE`].
    older: u32,
    /// In which run; in any other one it is as if it had never been.
    run: u32,
}

impl Row {
    const FRESH: Row =
        Row { last: Entry { at: Time::ZERO, path: Path(0), ver: 0, base: NONE }, older: NONE, run: 0 };
}

/// The last version of a row, and the content before the first that is remembered.
#[derive(Clone, Debug)]
struct Exact {
    last: Detail,
    floor: u64,
}

/// Versions of a row that are older than its last one.
#[derive(Clone, Debug, Default)]
struct Older {
    entries: VecDeque<Entry>,
    /// One for each entry, if the exact rule is asked for.
    details: VecDeque<Detail>,
}

/// What an install did to versions that its writer had not seen.
///
/// Version k is lost by version v on a column iff base(v) < k < v, k meant to write the column, and v either meant to
/// write it from what it had read or carried it along. Not lost is what left the row as it was, what has the effect of
/// v itself (its own duplicate), what was undone again in between, and anything if the row is back to what v had read.
/// A deletion is lost if v brings the row back. That v leaves the row as it finds it is no excuse: of two increments
/// from 0, the second writes the same 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Loss {
    /// It was computed from a version that was no longer the newest.
    pub(super) stale: bool,
    /// The columns lost; 0: nothing was.
    pub(super) columns: u32,
    /// The newest version lost and who wrote it; if nothing was lost, the newest not seen.
    pub(super) victim: (u32, Act),
    /// How many were lost.
    pub(super) victims: u32,
}

/// That an install was found to go the short way.
pub(super) struct Place(());

/// The recent versions of all rows.
#[derive(Clone, Debug)]
pub(super) struct History {
    tables: Vec<Vec<Row>>,
    /// What only the exact rule asks of these rows; no longer than the rows, and empty if nobody asks.
    exact: Vec<Vec<Exact>>,
    lists: Vec<Older>,
    /// Lists that no row has.
    spare: Vec<u32>,
    /// The number of the run, from 1 on.
    run: u32,
    /// The tables as every run starts, if contents are compared.
    start: Option<Tables>,
    /// What the last install did, see [`History::loss`].
    loss: Option<Loss>,
}

/// A number that equal contents share, and by accident alone others.
fn content(tables: &Tables, table: u16, row: u32) -> u64 {
    let table = tables.table(TableId(table));
    if row >= table.slots() || !table.meta(row).live {
        return ABSENT;
    }
    // A mere product a cell would do for most rows, but not for nulls: their top bit passes every product as it is.
    table.cells(row).iter().fold(2, |hash, &cell| mix(hash, cell as u64))
}

impl History {
    /// `exact`: losses are judged too, which costs a look at the row for each install.
    pub(super) fn new(model: &Model, exact: bool) -> History {
        History {
            tables: vec![Vec::new(); model.tables.len()],
            exact: if exact { vec![Vec::new(); model.tables.len()] } else { Vec::new() },
            lists: Vec::new(),
            spare: Vec::new(),
            run: 1,
            start: exact.then(|| Tables::of(model)),
            loss: None,
        }
    }

    pub(super) fn reset(&mut self) {
        if self.spare.len() < self.lists.len() {
            self.lists.iter_mut().for_each(Older::clear);
            self.spare.clear();
            self.spare.extend(0..self.lists.len() as u32);
        }
        self.run = self.run.wrapping_add(1);
        if self.run == Row::FRESH.run {
            // Once in four billion runs.
            self.tables.iter_mut().for_each(|rows| rows.fill(Row::FRESH));
            self.run = 1;
        }
    }

    /// If the exact rule is asked for: what the install that was taken last did to versions that its writer had not seen,
    /// if there were such. It is large, and so it is not handed from hand to hand.
    #[inline]
    pub(super) fn loss(&self) -> Option<&Loss> {
        self.loss.as_ref()
    }

    /// Where an install goes on the way that nearly all go: whoever is open came after the last version, or it is the first
    /// in this run, and nobody asks for the exact rule. Then it overlaps nothing.
    #[inline(always)]
    pub(super) fn place(&self, record: &Record, oldest: Time) -> Option<Place> {
        let row = self.tables[usize::from(record.op)].get(record.row as usize)?;
        let forgets = row.run != self.run || (row.older == NONE && row.last.at < oldest);
        (forgets && self.exact.is_empty()).then_some(Place(()))
    }

    /// Takes such an install.
    #[inline(always)]
    pub(super) fn install_at(&mut self, _: Place, record: &Record, by: &By) {
        let last = Entry { at: by.commit.at, path: by.commit.path, ver: record.ver, base: record.who };
        let row = &mut self.tables[usize::from(record.op)][record.row as usize];
        *row = Row { last, older: NONE, run: self.run };
    }

    /// Takes an install and says how many versions that its writer had not seen were computed from a read as well. No open
    /// intent was invoked before `oldest`. `outer` are the steps that the flow of its step carries out.
    pub(super) fn install(
        &mut self,
        record: &Record,
        by: &By,
        outer: &[StepOf],
        oldest: Time,
        tables: &Tables,
    ) -> u32 {
        if let Some(place) = self.place(record, oldest) {
            self.install_at(place, record, by);
            return 0;
        }
        let new = Entry { at: by.commit.at, path: by.commit.path, ver: record.ver, base: record.who };
        self.remember(record, (by, outer), new, oldest, tables)
    }

    #[inline(never)]
    fn remember(
        &mut self,
        record: &Record,
        (by, outer): (&By, &[StepOf]),
        new: Entry,
        oldest: Time,
        tables: &Tables,
    ) -> u32 {
        self.loss = None;
        let (table, at) = (usize::from(record.op), record.row as usize);
        if self.tables[table].len() <= at {
            self.tables[table].resize(at + 1, Row::FRESH);
        }
        let detail = self.start.as_ref().map(|start| {
            let rows = &mut self.exact[table];
            let content = |tables: &Tables| content(tables, record.op, record.row);
            let detail = Detail {
                content: content(tables),
                set: Masks::unpack(record.data).set,
                flag: record.flag,
                act: by.act(),
                outer: outer.into(),
            };
            if rows.len() <= at {
                rows.resize(at + 1, Exact { last: detail.clone(), floor: ABSENT });
            }
            if self.tables[table][at].run != self.run {
                rows[at].floor = content(start);
            }
            detail
        });
        let row = &mut self.tables[table][at];
        if row.run != self.run {
            (row.older, row.run) = (NONE, self.run);
        } else if row.last.at < oldest {
            // They were written one after the other: if the last one can be forgotten, so can all.
            if row.older != NONE {
                self.lists[row.older as usize].clear();
                self.spare.push(std::mem::replace(&mut row.older, NONE));
            }
            if let Some(exact) = self.exact.get_mut(table) {
                exact[at].floor = exact[at].last.content;
            }
        } else {
            return self.follow(record, new, detail, oldest);
        }
        row.last = new;
        if let Some(detail) = detail {
            self.exact[table][at].last = detail;
        }
        0
    }

    /// A version after one that somebody who is open may have missed.
    fn follow(&mut self, record: &Record, new: Entry, detail: Option<Detail>, oldest: Time) -> u32 {
        let (table, at) = (usize::from(record.op), record.row as usize);
        let row = &mut self.tables[table][at];
        if row.older == NONE {
            row.older = self.spare.pop().unwrap_or(self.lists.len() as u32);
            if row.older as usize == self.lists.len() {
                self.lists.push(Older::default());
            }
        }
        let older = &mut self.lists[row.older as usize];
        let mut exact = self.exact.get_mut(table).map(|rows| &mut rows[at]);
        while let Some(first) = older.entries.front()
            && first.at < oldest
        {
            older.forget(&mut exact);
        }
        // From here on the last version is one of the older ones.
        let last = std::mem::replace(&mut row.last, new);
        older.entries.push_back(last);
        if let (Some(exact), Some(detail)) = (&mut exact, detail) {
            older.details.push_back(std::mem::replace(&mut exact.last, detail));
        }
        let mut overlaps = 0;
        if new.base != NONE && last.ver > new.base {
            let unseen = older.entries.partition_point(|entry| entry.ver <= new.base);
            let skipped = older.entries.range(unseen..);
            overlaps = skipped.filter(|entry| entry.base != NONE && entry.path != new.path).count() as u32;
            if let Some(exact) = &exact {
                let masks = Masks::unpack(record.data);
                let from_read = masks.rmw | masks.carried;
                self.loss = Some(older.loss(unseen, &new, &exact.last, from_read, exact.floor));
            }
        }
        if older.entries.len() == DEPTH {
            older.forget(&mut exact);
        }
        overlaps
    }

    /// As if four billion runs had been.
    #[cfg(test)]
    pub(super) fn wrap(&mut self) {
        self.run = u32::MAX;
        self.reset();
    }
}

impl Older {
    fn clear(&mut self) {
        self.entries.clear();
        self.details.clear();
    }

    /// Forgets the oldest version.
    fn forget(&mut self, exact: &mut Option<&mut Exact>) {
        self.entries.pop_front();
        if let (Some(detail), Some(exact)) = (self.details.pop_front(), exact) {
            exact.floor = detail.content;
        }
    }

    /// What a version did to those from the place `unseen` on, of which there is one at least. `floor` is the content
    /// before the first that is remembered.
    fn loss(&self, unseen: usize, new: &Entry, of_new: &Detail, from_read: u32, floor: u64) -> Loss {
        let skipped = || self.entries.range(unseen..).zip(self.details.range(unseen..));
        let own = |entry: &Entry| entry.path == new.path;
        let alike = |entry: &Entry, detail: &Detail| own(entry) || detail.act.effect == of_new.act.effect;
        let last = self.details.len() - 1;
        let mut loss = Loss {
            stale: from_read != 0
                && skipped().any(|(entry, of)| of.flag & install::NOOP == 0 && !alike(entry, of)),
            columns: 0,
            victim: (self.entries[last].ver, self.details[last].act),
            victims: 0,
        };
        // What the row held before the first of them: it may be back to that.
        let before = unseen.checked_sub(1).map_or(floor, |before| self.details[before].content);
        if before == self.details[last].content {
            return loss;
        }
        let mut recreated = false;
        for (entry, of) in skipped().rev() {
            let gone = of.flag & install::DELETE != 0;
            let revived = gone && !recreated && of_new.flag & install::DELETE == 0;
            recreated |= of.flag & install::CREATE != 0;
            let columns = if revived { u32::MAX } else { of.set & from_read };
            if columns == 0
                || of.flag & install::NOOP != 0
                || alike(entry, of)
                || self.undone(unseen, entry, of)
            {
                continue;
            }
            if loss.victims == 0 {
                loss.victim = (entry.ver, of.act);
            }
            loss.victims += 1;
            loss.columns |= columns;
        }
        loss
    }

    /// Whether a version and its opposite, an action and its compensation, are both among those from `unseen` on.
    fn undone(&self, unseen: usize, entry: &Entry, of: &Detail) -> bool {
        if of.act.step.is_none() {
            return false;
        }
        let mut others = self.entries.range(unseen..).zip(self.details.range(unseen..));
        others.any(|(other, of_other)| of.is_opposite(of_other, other.ver > entry.ver))
    }
}
