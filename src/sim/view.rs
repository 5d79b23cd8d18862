//! What the expressions of operations look at: the tables with the task's own writes on top, the clock, the event.

use super::world::Staged;
use crate::kernel::time::Time;
use crate::model::expr::{Counter, EventField, View};
use crate::model::heap::Heap;
use crate::model::ids::TableId;
use crate::model::value::{NULL, Word};
use crate::store::Tables;

/// The tables as one transaction sees them.
#[derive(Debug)]
pub(super) struct TaskView<'a> {
    pub(super) tables: &'a mut Tables,
    pub(super) staged: &'a [Staged],
    pub(super) cells: &'a [Word],
    /// Rows found by key, each once: table, slot, version.
    pub(super) reads: Option<&'a mut Vec<(TableId, u32, u32)>>,
    pub(super) now: Time,
    pub(super) event: &'a [Word; 4],
}

/// The committed tables, where there is no transaction.
pub(super) fn plain(tables: &mut Tables, now: Time) -> TaskView<'_> {
    TaskView { tables, staged: &[], cells: &[], reads: None, now, event: &[NULL; 4] }
}

impl TaskView<'_> {
    fn own(&self, table: TableId, slot: u32) -> Option<&Staged> {
        self.staged.iter().rev().find(|staged| staged.table == table && staged.slot == slot)
    }

    fn is_live(&self, table: TableId, slot: u32) -> bool {
        match self.own(table, slot) {
            Some(own) => !own.delete,
            None => self.tables.table(table).meta(slot).live,
        }
    }

    /// The cells of a row as the transaction sees them, if it does.
    pub(super) fn row(&self, table: TableId, slot: u32) -> Option<&[Word]> {
        let state = self.tables.table(table);
        match self.own(table, slot) {
            Some(own) if own.delete => None,
            Some(own) => Some(&self.cells[own.cells as usize..][..state.width()]),
            None => state.meta(slot).live.then(|| state.cells(slot)),
        }
    }

    /// The slot of a row as the transaction sees it.
    pub(super) fn slot_of(&self, table: TableId, key: Word) -> Option<u32> {
        let state = self.tables.table(table);
        if self.staged.is_empty() {
            return state.find(key);
        }
        state.known(key).filter(|&slot| self.is_live(table, slot))
    }
}

/// Notes that a row was found by its key, once.
#[inline]
pub(super) fn note(reads: &mut Vec<(TableId, u32, u32)>, table: TableId, slot: u32, version: u32) {
    // Mostly by the expression before.
    if reads.iter().rev().all(|&(t, s, _)| t != table || s != slot) {
        reads.push((table, slot, version));
    }
}

impl View for TaskView<'_> {
    fn find(&mut self, table: TableId, key: Word) -> Option<u32> {
        let slot = self.slot_of(table, key)?;
        if let Some(reads) = &mut self.reads {
            note(reads, table, slot, self.tables.table(table).meta(slot).version);
        }
        Some(slot)
    }

    // What most expressions look at: each of the two steps would look at the table again.
    #[inline]
    fn cell_of(&mut self, table: TableId, key: Word, column: u16) -> Option<Word> {
        let state = self.tables.table(table);
        let slot = state.known(key)?;
        let meta = state.meta(slot);
        let cell = match self.own(table, slot) {
            Some(own) if own.delete => return None,
            Some(own) => self.cells[own.cells as usize..][..state.width()][column as usize],
            None if !meta.live => return None,
            None => state.cells(slot)[column as usize],
        };
        if let Some(reads) = &mut self.reads {
            note(reads, table, slot, meta.version);
        }
        Some(cell)
    }

    #[inline]
    fn cell(&mut self, table: TableId, row: u32, column: u16) -> Word {
        if self.staged.is_empty() {
            return self.tables.table(table).cells(row)[column as usize];
        }
        self.row(table, row).map_or(NULL, |cells| cells[column as usize])
    }

    fn next_row(&mut self, table: TableId, after: Option<u32>) -> Option<u32> {
        self.tables.table_mut(table).sort();
        if self.staged.is_empty() {
            return self.tables.table(table).next_row(after);
        }
        let mut at = after;
        loop {
            let slot = self.tables.table(table).next_slot(at)?;
            if self.is_live(table, slot) {
                return Some(slot);
            }
            at = Some(slot);
        }
    }

    fn counter(&mut self, _counter: Counter) -> Word {
        NULL
    }

    fn now(&mut self) -> Word {
        self.now.0 as Word
    }

    fn event(&mut self, field: EventField) -> Word {
        self.event[field as usize]
    }

    fn heap(&mut self) -> &mut Heap {
        self.tables.heap_mut()
    }
}
