//! Rows against each other: at most one with a value, none without an owner.

use std::sync::Arc;

use super::finding::{Act, Witness};
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
    index: Index,
    /// By slot: the value under which the row is filed, or null, and who made it so.
    values: Vec<(Word, Act)>,
}

impl AtMostOne {
    pub(super) fn new(tables: &Tables, table: TableId, per: ColumnId) -> AtMostOne {
        let mut observer = AtMostOne { table, per, rows: Seen::default(), start: Arc::new(Seen::default()) };
        let slots: Vec<(u16, u32)> = (0..tables.table(table).slots()).map(|slot| (table.0, slot)).collect();
        observer.committed(&slots, &Act::NONE, tables, &mut Sheet::default());
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
    pub(super) fn committed(&mut self, changed: &[(u16, u32)], by: &Act, tables: &Tables, sheet: &mut Sheet) {
        let table = tables.table(self.table);
        let own = || changed.iter().filter(|change| change.0 == self.table.0).map(|change| change.1);
        let value = |slot: u32| {
            if table.meta(slot).live { table.cells(slot)[self.per.index()] } else { NULL }
        };
        let Seen { index, values } = &mut self.rows;
        for slot in own() {
            if values.len() <= slot as usize {
                values.resize(slot as usize + 1, (NULL, Act::NONE));
            }
            let filed = &mut values[slot as usize].0;
            if *filed != NULL && *filed != value(slot) {
                index.remove(Index::hash(*filed), slot);
                *filed = NULL;
            }
        }
        for slot in own() {
            let value = value(slot);
            if value == NULL || values[slot as usize].0 == value {
                continue;
            }
            sheet.run.obligations += 1;
            values[slot as usize] = (value, *by);
            let other = index.find(Index::hash(value), |other| values[other as usize].0 == value);
            index.insert(Index::hash(value), slot);
            if let Some(other) = other {
                let before = values[other as usize].1;
                sheet.violated(by.at, [before.party.serial, by.party.serial], || Witness::TwoRows {
                    table: self.table,
                    column: self.per,
                    value,
                    first: (other, before),
                    second: (slot, *by),
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
    pub(super) fn install(&mut self, table: u16, row: u32, flag: u8, act: &Act) {
        if table != self.table.0 || flag & install::CREATE == 0 {
            return;
        }
        if self.makers.len() <= row as usize {
            self.makers.resize(row as usize + 1, Act::NONE);
        }
        self.makers[row as usize] = *act;
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
