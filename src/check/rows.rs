//! Rows against each other: at most one with a value, none without an owner.

use std::sync::Arc;

use super::finding::{Act, Witness};
use super::history::By;
use super::sheet::Sheet;
use crate::kernel::time::Time;
use crate::model::expr::{Code, Scratch};
use crate::model::ids::{ColumnId, TableId};
use crate::model::record::{NONE, install};
use crate::model::value::{NULL, Word};
use crate::store::{Index, Tables};

/// At most one live row for each value of a column, after every commit. Null is no value.
#[derive(Clone, Debug)]
pub(super) struct AtMostOne {
    table: TableId,
    per: ColumnId,
    rows: Seen,
    start: Arc<Seen>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    /// By value the first row that has it.
    index: Index,
    /// By slot.
    values: Vec<Filed>,
}

/// A row under its value. Rows with one value are a chain, however many there are.
#[derive(Clone, Copy, Debug)]
struct Filed {
    /// Null: it is not filed.
    value: Word,
    /// Who made it so.
    by: Act,
    before: u32,
    behind: u32,
    /// Of the first one: the last of the chain.
    last: u32,
}

const NOT_FILED: Filed = Filed { value: NULL, by: Act::NONE, before: NONE, behind: NONE, last: NONE };

impl Seen {
    /// The first row with a value.
    fn first(&self, value: Word) -> Option<u32> {
        self.index.find(Index::hash(value), |slot| self.values[slot as usize].value == value)
    }

    /// Files a row at the end of its chain. Returns the first of the others with its value.
    fn file(&mut self, slot: u32, value: Word, by: Act) -> Option<u32> {
        let first = self.first(value);
        let filed = Filed { value, by, last: slot, ..NOT_FILED };
        self.values[slot as usize] = filed;
        match first {
            None => self.index.insert(Index::hash(value), slot),
            Some(first) => {
                let before = std::mem::replace(&mut self.values[first as usize].last, slot);
                self.values[before as usize].behind = slot;
                self.values[slot as usize].before = before;
            }
        }
        first
    }

    /// Takes a row out of its chain.
    fn take_out(&mut self, slot: u32) {
        let Filed { value, before, behind, last, .. } = self.values[slot as usize];
        let hash = Index::hash(value);
        if before == NONE {
            self.index.remove(hash, slot);
            if behind != NONE {
                self.values[behind as usize].last = last;
                self.index.insert(hash, behind);
            }
        } else {
            if behind == NONE
                && let Some(first) = self.first(value)
            {
                self.values[first as usize].last = before;
            }
            self.values[before as usize].behind = behind;
        }
        if behind != NONE {
            self.values[behind as usize].before = before;
        }
        self.values[slot as usize] = NOT_FILED;
    }
}

impl AtMostOne {
    pub(super) fn new(tables: &Tables, table: TableId, per: ColumnId) -> AtMostOne {
        let mut observer = AtMostOne { table, per, rows: Seen::default(), start: Arc::new(Seen::default()) };
        let slots: Vec<(u16, u32)> = (0..tables.table(table).slots()).map(|slot| (table.0, slot)).collect();
        observer.committed(&slots, None, tables, &mut Sheet::default());
        observer.start = Arc::new(observer.rows.clone());
        observer
    }

    pub(super) fn reset(&mut self) {
        self.rows.index.clone_from(&self.start.index);
        self.rows.values.clone_from(&self.start.values);
    }

    /// The table.
    pub(super) fn table(&self) -> u16 {
        self.table.0
    }

    /// Takes all rows changed by a commit at once: two rows may change places.
    ///
    /// `by`: nobody, at the start of a run.
    pub(super) fn committed(
        &mut self,
        changed: &[(u16, u32)],
        by: Option<&By>,
        tables: &Tables,
        sheet: &mut Sheet,
    ) {
        let table = tables.table(self.table);
        let own = || changed.iter().filter(|change| change.0 == self.table.0).map(|change| change.1);
        let value = |slot: u32| {
            if table.meta(slot).live { table.cells(slot)[self.per.index()] } else { NULL }
        };
        let rows = &mut self.rows;
        for slot in own() {
            if rows.values.len() <= slot as usize {
                rows.values.resize(slot as usize + 1, NOT_FILED);
            }
            let filed = rows.values[slot as usize].value;
            if filed != NULL && filed != value(slot) {
                rows.take_out(slot);
            }
        }
        for slot in own() {
            let value = value(slot);
            if value == NULL || rows.values[slot as usize].value == value {
                continue;
            }
            sheet.run.obligations += 1;
            let by = by.map_or(Act::NONE, By::act);
            if let Some(other) = rows.file(slot, value, by) {
                let before = rows.values[other as usize].by;
                sheet.violated(by.at, [before.party.serial, by.party.serial], || Witness::TwoRows {
                    table: self.table,
                    column: self.per,
                    value,
                    first: (other, before),
                    second: (slot, by),
                });
            }
        }
    }
}

/// Every row has an owner at rest.
#[derive(Clone, Debug)]
pub(super) struct NoOrphan {
    table: TableId,
    owner: Arc<Code>,
    unless: Option<Arc<Code>>,
    /// By slot, who made the row.
    makers: Vec<Act>,
}

impl NoOrphan {
    pub(super) fn new(table: TableId, owner: Code, unless: Option<Code>) -> NoOrphan {
        NoOrphan { table, owner: Arc::new(owner), unless: unless.map(Arc::new), makers: Vec::new() }
    }

    pub(super) fn reset(&mut self) {
        self.makers.clear();
    }

    /// The table.
    pub(super) fn table(&self) -> u16 {
        self.table.0
    }

    #[inline]
    pub(super) fn install(&mut self, table: u16, row: u32, flag: u8, by: &By) {
        if table != self.table.0 || flag & install::CREATE == 0 {
            return;
        }
        if self.makers.len() <= row as usize {
            self.makers.resize(row as usize + 1, Act::NONE);
        }
        self.makers[row as usize] = by.act();
    }

    pub(super) fn finish(&self, at: Time, tables: &mut Tables, scratch: &mut Scratch, sheet: &mut Sheet) {
        tables.table_mut(self.table).sort();
        let mut next = tables.table(self.table).next_row(None);
        while let Some(row) = next {
            next = tables.table(self.table).next_row(Some(row));
            sheet.run.obligations += 1;
            scratch.bind_row(0, row);
            let spared = match &self.unless {
                Some(unless) => sheet.test(unless, &[], tables, scratch),
                None => Some(false),
            };
            if spared != Some(false) || sheet.test(&self.owner, &[], tables, scratch) != Some(false) {
                continue;
            }
            let by = self.makers.get(row as usize).copied().filter(|act| *act != Act::NONE);
            let serial = by.map_or(NONE, |act| act.party.serial);
            sheet.violated(at, [serial, NONE], || Witness::Orphan { table: self.table, row, by });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Few values and many rows: chains grow, lose their first, their last and their middle.
        #[test]
        fn the_first_of_those_with_a_value_is_the_one_that_has_it_longest(
            steps in prop::collection::vec((0u32..12, 0i64..4), 1..200)
        ) {
            let mut seen = Seen { values: vec![NOT_FILED; 12], ..Seen::default() };
            let mut plain: Vec<(u32, Word)> = Vec::new();
            for (slot, value) in steps {
                match plain.iter().position(|row| row.0 == slot) {
                    Some(at) => {
                        seen.take_out(slot);
                        plain.remove(at);
                    }
                    None => {
                        let before = plain.iter().find(|row| row.1 == value).map(|row| row.0);
                        prop_assert_eq!(seen.file(slot, value, Act::NONE), before);
                        plain.push((slot, value));
                    }
                }
                for value in 0..4 {
                    let first = plain.iter().find(|row| row.1 == value).map(|row| row.0);
                    prop_assert_eq!(seen.first(value), first);
                }
            }
        }
    }

    #[test]
    fn ten_thousand_rows_with_one_value_are_one_entry() {
        let mut seen = Seen { values: vec![NOT_FILED; 10_000], ..Seen::default() };
        for slot in 0..10_000 {
            seen.file(slot, 7, Act::NONE);
        }
        assert_eq!(seen.index.len(), 1);
        // The first goes, and again the first: the next one in line is there at once.
        seen.take_out(0);
        seen.take_out(1);
        assert_eq!((seen.first(7), seen.index.len()), (Some(2), 1));
    }
}
