//! The recent versions of each row, for the exact rule of lost updates: who overwrote what without having seen it.
//!
//! A writer can be stale only against versions installed while its intent was open, so older ones are forgotten, and a
//! row remembers its last [`DEPTH`] versions at the most. This is exact as long as no row gets more than that many
//! versions during one intent; beyond, the newest ones are judged and older victims go unnamed. What a lost update is, is
//! said at [`Loss`].

use std::collections::VecDeque;

use super::finding::Act;
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

/// A version.
#[derive(Clone, Copy, Debug)]
struct Entry {
    ver: u32,
    base: u32,
    set: u32,
    flag: u8,
    content: u64,
    act: Act,
}

#[derive(Clone, Debug, Default)]
struct Row {
    recent: VecDeque<Entry>,
    /// The content before the first of them.
    floor: u64,
    /// It was written in this run.
    dirty: bool,
}

/// What an install did to versions that its writer had not seen.
///
/// Version k is lost by version v on a column iff base(v) < k < v, k meant to write the column, and v either meant to
/// write it from what it had read or carried it along. Not lost is what left the row as it was, what has the effect of
/// v itself (its own duplicate), what was undone again in between, and anything if the row is back to what v had read.
/// A deletion is lost if v brings the row back. That v leaves the row as it finds it is no excuse: of two increments
/// from 0, the second writes the same 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    /// It was computed from a version that was no longer the newest.
    pub(super) stale: bool,
    /// The columns lost; 0: nothing was.
    pub(super) columns: u32,
    /// The newest version lost and who wrote it; if nothing was lost, the newest not seen.
    pub(super) victim: (u32, Act),
    /// How many were lost.
    pub(super) victims: u32,
    /// How many of those not seen were computed from a read as well.
    pub(super) overlaps: u32,
}

impl Loss {
    const NONE: Loss = Loss { stale: false, columns: 0, victim: (0, Act::NONE), victims: 0, overlaps: 0 };
}

/// The recent versions of all rows.
#[derive(Clone, Debug)]
pub(super) struct History {
    tables: Vec<Vec<Row>>,
    dirty: Vec<(u16, u32)>,
    /// The tables as every run starts, if contents are compared.
    start: Option<Tables>,
}

fn content(tables: &Tables, table: u16, row: u32) -> u64 {
    let table = tables.table(TableId(table));
    if row >= table.slots() || !table.meta(row).live {
        return ABSENT;
    }
    table.cells(row).iter().fold(2, |hash, &cell| mix(hash, cell as u64))
}

impl History {
    /// `exact`: contents are compared too, which costs a look at the row for each install.
    pub(super) fn new(model: &Model, exact: bool) -> History {
        History {
            tables: vec![Vec::new(); model.tables.len()],
            dirty: Vec::new(),
            start: exact.then(|| Tables::of(model)),
        }
    }

    pub(super) fn reset(&mut self) {
        for (table, row) in self.dirty.drain(..) {
            let row = &mut self.tables[usize::from(table)][row as usize];
            row.recent.clear();
            row.dirty = false;
        }
    }

    /// Takes an install and says what it did to those before it. No open intent was invoked before `oldest`.
    pub(super) fn install(&mut self, record: &Record, act: &Act, oldest: Time, tables: &Tables) -> Loss {
        let rows = &mut self.tables[usize::from(record.op)];
        if rows.len() <= record.row as usize {
            rows.resize_with(record.row as usize + 1, Row::default);
        }
        let row = &mut rows[record.row as usize];
        let masks = Masks::unpack(record.data);
        let new = Entry {
            ver: record.ver,
            base: record.who,
            set: masks.set,
            flag: record.flag,
            content: if self.start.is_some() { content(tables, record.op, record.row) } else { 0 },
            act: *act,
        };
        if !row.dirty {
            row.dirty = true;
            self.dirty.push((record.op, record.row));
            row.floor = self.start.as_ref().map_or(0, |start| content(start, record.op, record.row));
        }
        while let Some(first) = row.recent.front()
            && first.act.at < oldest
        {
            row.forget();
        }
        let loss = row.loss(&new, masks.rmw | masks.carried, self.start.is_some());
        if row.recent.len() == DEPTH {
            row.forget();
        }
        row.recent.push_back(new);
        loss
    }
}

impl Row {
    /// Forgets the oldest version.
    fn forget(&mut self) {
        if let Some(oldest) = self.recent.pop_front() {
            self.floor = oldest.content;
        }
    }

    fn loss(&self, new: &Entry, from_read: u32, exact: bool) -> Loss {
        let Some(last) = self.recent.back() else { return Loss::NONE };
        if new.base == NONE || last.ver <= new.base {
            return Loss::NONE;
        }
        let unseen = self.recent.partition_point(|entry| entry.ver <= new.base);
        let skipped = || self.recent.range(unseen..);
        let own = |entry: &Entry| entry.act.path == new.act.path;
        let overlaps = skipped().filter(|entry| entry.base != NONE && !own(entry)).count() as u32;
        let mut loss = Loss { overlaps, victim: (last.ver, last.act), ..Loss::NONE };
        let alike = |entry: &Entry| own(entry) || entry.act.effect == new.act.effect;
        loss.stale =
            from_read != 0 && skipped().any(|entry| entry.flag & install::NOOP == 0 && !alike(entry));
        if exact && self.content_at(unseen) == last.content {
            return loss;
        }
        let mut recreated = false;
        for entry in skipped().rev() {
            let gone = entry.flag & install::DELETE != 0;
            let revived = gone && !recreated && new.flag & install::DELETE == 0;
            recreated |= entry.flag & install::CREATE != 0;
            let columns = if revived { u32::MAX } else { entry.set & from_read };
            if columns == 0 || entry.flag & install::NOOP != 0 || alike(entry) || self.undone(unseen, entry) {
                continue;
            }
            if loss.victims == 0 {
                loss.victim = (entry.ver, entry.act);
            }
            loss.victims += 1;
            loss.columns |= columns;
        }
        loss
    }

    /// What the row held before the entry at this place.
    fn content_at(&self, place: usize) -> u64 {
        match place.checked_sub(1) {
            Some(before) => self.recent[before].content,
            None => self.floor,
        }
    }

    /// Whether a version and its opposite, an action and its compensation, are both among those from `unseen` on.
    fn undone(&self, unseen: usize, entry: &Entry) -> bool {
        let Some((step, role)) = entry.act.step else { return false };
        let opposite = match role {
            StepRole::Action => StepRole::Undo,
            StepRole::Undo => StepRole::Action,
        };
        let is = |other: &Entry| {
            other.act.instance == entry.act.instance
                && other.act.party.serial == entry.act.party.serial
                && other.act.step == Some((step, opposite))
                && (other.ver > entry.ver) == (role == StepRole::Action)
        };
        self.recent.range(unseen..).any(is)
    }
}
