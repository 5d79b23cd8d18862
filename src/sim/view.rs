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

    // As the table has it, but for the rows that the transaction wrote: those are few, and each is looked at.
    fn next_row_where(&mut self, table: TableId, after: Option<u32>, column: u16, word: Word) -> Option<u32> {
        self.tables.table_mut(table).sort();
        let state = self.tables.table(table);
        let mut kept = state.next_row_where(after, column, word);
        while let Some(slot) = kept
            && self.own(table, slot).is_some()
        {
            kept = state.next_row_where(kept, column, word);
        }
        let key = |slot: u32| state.cells(slot)[0];
        let own = self.staged.iter().filter(|own| own.table == table).map(|own| own.slot);
        let own = own.filter(|&slot| {
            after.is_none_or(|after| key(slot) > key(after))
                && self.row(table, slot).is_some_and(|cells| cells[usize::from(column)] == word)
        });
        own.chain(kept).min_by_key(|&slot| key(slot))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ids::ServiceId;
    use crate::model::service::{Column, Table};
    use crate::model::value::Type;

    const TABLE: TableId = TableId(0);

    fn tables(rows: &[(Word, Word, bool)]) -> Tables {
        let column = |name: &str| Column { name: name.into(), ty: Type::Int, default: 0 };
        let mut tables = Tables::with(&[Table {
            name: "t".into(),
            service: ServiceId(0),
            columns: vec![column("id"), column("n")],
            rows: Vec::new(),
            unique: Vec::new(),
            first_fresh: 1,
            kept: false,
        }]);
        let state = tables.table_mut(TABLE);
        for &(key, value, live) in rows {
            let slot = state.slot(key);
            state.install(slot, live.then_some(&[key, value]));
        }
        tables
    }

    proptest! {
        /// What was written shows, what was overwritten or deleted does not, and the order is that of keys.
        #[test]
        fn rows_with_a_word_are_those_that_a_walk_through_the_transaction_finds(
            rows in prop::collection::vec((0i64..20, 0i64..3, any::<bool>()), 0..30),
            written in prop::collection::vec((0i64..20, 0i64..3, any::<bool>()), 0..8),
            word in 0i64..3,
            column in 0u16..2,
        ) {
            let mut tables = tables(&rows);
            let (mut staged, mut cells) = (Vec::new(), Vec::new());
            for (key, value, delete) in written {
                let slot = tables.table_mut(TABLE).slot(key);
                staged.push(Staged { table: TABLE, slot, cells: cells.len() as u32, delete, ..Staged::default() });
                cells.extend([key, value]);
            }
            let event = [NULL; 4];
            let mut view = TaskView {
                tables: &mut tables, staged: &staged, cells: &cells, reads: None, now: Time::ZERO, event: &event,
            };
            let (mut walked, mut found) = (Vec::new(), Vec::new());
            let mut at = view.next_row(TABLE, None);
            while let Some(slot) = at {
                if view.cell(TABLE, slot, column) == word {
                    walked.push(slot);
                }
                at = view.next_row(TABLE, at);
            }
            let mut at = view.next_row_where(TABLE, None, column, word);
            while let Some(slot) = at {
                found.push(slot);
                at = view.next_row_where(TABLE, at, column, word);
            }
            prop_assert_eq!(found, walked);
        }
    }
}
