//! The tables of all services: rows in slots, a version for each, and the order of their keys.
//!
//! A slot belongs to one key for ever: deleting a row keeps its slot and its version, so that a later insert continues the
//! numbering and an overwritten deletion can be told. Only the engine installs; observers read through [`Rows`].

use super::index::Index;
use crate::model::Model;
use crate::model::expr::{Counter, EventField, View};
use crate::model::heap::Heap;
use crate::model::ids::{ColumnId, TableId};
use crate::model::service::Table;
use crate::model::value::{NULL, Word};

/// What is known of a slot besides its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowMeta {
    /// How many versions were installed; 0: never a row.
    pub version: u32,
    /// Whether there is a row now.
    pub live: bool,
}

/// So many newcomers are put in order one by one.
const FEW: usize = 8;

/// The hash of a row under a unique combination; `None` if one of its columns is null.
fn hash_of(columns: &[ColumnId], cells: &[Word]) -> Option<u64> {
    let filled = columns.iter().all(|column| cells[column.index()] != NULL);
    filled.then(|| Index::hash_all(columns.iter().map(|column| cells[column.index()])))
}

/// One table.
#[derive(Clone, Debug, Default)]
pub struct TableState {
    width: usize,
    cells: Vec<Word>,
    meta: Vec<RowMeta>,
    index: Index,
    /// The key of the first slot, and how many slots from there on have consecutive keys: those need no hash.
    row: (Word, u32),
    /// Slots are no longer in key order by themselves.
    shuffled: bool,
    /// Once they are not: the first of them in key order. Those that came since are put in order when somebody asks.
    order: Vec<u32>,
    /// One index for each unique combination of columns; live rows only.
    unique: Vec<(Vec<ColumnId>, Index)>,
    next_fresh: Word,
    live: u32,
}

impl PartialEq for TableState {
    fn eq(&self, other: &TableState) -> bool {
        self.cells == other.cells && self.meta == other.meta && self.next_fresh == other.next_fresh
    }
}

impl TableState {
    fn of(table: &Table) -> TableState {
        let mut state = TableState {
            width: table.columns.len(),
            unique: table.unique.iter().map(|columns| (columns.clone(), Index::default())).collect(),
            next_fresh: table.first_fresh,
            ..TableState::default()
        };
        let mut rows: Vec<_> = table.rows.iter().collect();
        rows.sort_by_key(|row| row.cells[0]);
        for row in rows {
            let mut cells = row.cells.clone();
            for key in row.keys() {
                cells[0] = key;
                let slot = state.slot(key);
                state.install(slot, Some(&cells));
            }
        }
        state.sort();
        state
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many slots there are.
    pub fn slots(&self) -> u32 {
        self.meta.len() as u32
    }

    /// How many live rows there are.
    pub fn live(&self) -> u32 {
        self.live
    }

    /// What is known of a slot.
    #[inline]
    pub fn meta(&self, slot: u32) -> RowMeta {
        self.meta[slot as usize]
    }

    /// The cells of a slot; of a deleted row, what it held last.
    #[inline(always)]
    pub fn cells(&self, slot: u32) -> &[Word] {
        &self.cells[slot as usize * self.width..][..self.width]
    }

    /// The slot of a live row.
    #[inline]
    pub fn find(&self, key: Word) -> Option<u32> {
        self.known(key).filter(|&slot| self.meta[slot as usize].live)
    }

    /// The slot of a live row, and its version.
    #[inline]
    pub fn version_of(&self, key: Word) -> Option<(u32, u32)> {
        let slot = self.known(key)?;
        let meta = self.meta[slot as usize];
        meta.live.then_some((slot, meta.version))
    }

    /// The slot that belongs to a key, whether or not there is a row now.
    #[inline]
    pub fn known(&self, key: Word) -> Option<u32> {
        let (first, count) = self.row;
        let nth = key.wrapping_sub(first) as u64;
        if nth < u64::from(count) {
            return Some(nth as u32);
        }
        self.known_by_hash(key)
    }

    fn known_by_hash(&self, key: Word) -> Option<u32> {
        self.index.find(Index::hash(key), |slot| self.cells[slot as usize * self.width] == key)
    }

    /// The slot that belongs to a key, made if need be.
    pub fn slot(&mut self, key: Word) -> u32 {
        if let Some(slot) = self.known(key) {
            return slot;
        }
        let slot = self.meta.len() as u32;
        if slot == 0 {
            self.row = (key, 1);
        } else if slot == self.row.1 && key == self.row.0.wrapping_add(Word::from(slot)) {
            self.row.1 += 1;
        }
        self.shuffled |= slot > 0 && key < self.key(slot - 1);
        self.cells.push(key);
        self.cells.resize(self.cells.len() + self.width - 1, NULL);
        self.meta.push(RowMeta::default());
        self.index.insert(Index::hash(key), slot);
        slot
    }

    fn key(&self, slot: u32) -> Word {
        self.cells[slot as usize * self.width]
    }

    /// A key that no row has had.
    pub fn fresh_key(&mut self) -> Word {
        let key = self.next_fresh;
        self.next_fresh += 1;
        key
    }

    /// Installs a version: these cells, or a deletion. Returns the version.
    pub fn install(&mut self, slot: u32, cells: Option<&[Word]>) -> u32 {
        let at = slot as usize;
        let range = at * self.width..(at + 1) * self.width;
        let was_live = self.meta[at].live;
        let now = &self.cells[range.clone()];
        for (columns, index) in &mut self.unique {
            // A row with a null in it clashes with none: it is not filed, or all such rows would be in one place.
            let old = if was_live { hash_of(columns, now) } else { None };
            let new = cells.and_then(|cells| hash_of(columns, cells));
            if old == new {
                continue;
            }
            if let Some(old) = old {
                index.remove(old, slot);
            }
            if let Some(new) = new {
                index.insert(new, slot);
            }
        }
        if let Some(cells) = cells {
            self.cells[range].copy_from_slice(cells);
        }
        let meta = &mut self.meta[at];
        meta.version += 1;
        meta.live = cells.is_some();
        self.live = self.live - u32::from(was_live) + u32::from(meta.live);
        meta.version
    }

    /// How many unique combinations there are besides the key.
    pub fn unique_count(&self) -> usize {
        self.unique.len()
    }

    /// The hash of a row under a unique combination, for locks; `None` if one of its columns is null.
    pub fn unique_hash(&self, n: usize, cells: &[Word]) -> Option<u64> {
        hash_of(&self.unique[n].0, cells)
    }

    /// Whether two rows share the values of a unique combination. Where one of them is null, none is shared.
    pub fn shares(&self, n: usize, one: &[Word], other: &[Word]) -> bool {
        let same = |column: &ColumnId| {
            let value = one[column.index()];
            value != NULL && value == other[column.index()]
        };
        self.unique[n].0.iter().all(same)
    }

    /// Another live row with the same values in a unique combination.
    pub fn unique_clash(&self, n: usize, cells: &[Word], own: Option<u32>) -> Option<u32> {
        let hash = self.unique_hash(n, cells)?;
        let (columns, index) = &self.unique[n];
        index.find(hash, |slot| {
            Some(slot) != own && columns.iter().all(|c| self.cells(slot)[c.index()] == cells[c.index()])
        })
    }

    /// Puts slots in key order, for those who are about to go through the rows: a step costs a search among all keys
    /// after it, and a look at each newcomer before it.
    #[inline]
    pub fn sort(&mut self) {
        if self.shuffled && self.order.len() < self.meta.len() {
            self.sort_newcomers();
        }
    }

    fn sort_newcomers(&mut self) {
        let mut order = std::mem::take(&mut self.order);
        let newcomers = order.len() as u32..self.slots();
        if newcomers.len() <= FEW {
            for slot in newcomers {
                let at = order.partition_point(|&other| self.key(other) < self.key(slot));
                order.insert(at, slot);
            }
        } else {
            order.extend(newcomers.clone());
            order[newcomers.start as usize..].sort_unstable_by_key(|&slot| self.key(slot));
            // Two runs in order: that is one merge.
            order.sort_by_key(|&slot| self.key(slot));
        }
        self.order = order;
    }

    /// The live row that follows in key order, or the first one.
    pub fn next_row(&self, after: Option<u32>) -> Option<u32> {
        let mut at = self.next_slot(after);
        while let Some(slot) = at
            && !self.meta[slot as usize].live
        {
            at = self.next_slot(at);
        }
        at
    }

    /// The live row that follows in key order, or the first one, of those of which this column holds this word.
    pub fn next_row_where(&self, after: Option<u32>, column: u16, word: Word) -> Option<u32> {
        let is = |slot: u32| self.cells(slot)[usize::from(column)] == word && self.meta(slot).live;
        if column == 0 {
            return self
                .find(word)
                .filter(|&slot| after.is_none_or(|after| self.key(slot) > self.key(after)));
        }
        if !self.shuffled {
            return (after.map_or(0, |slot| slot + 1)..self.slots()).find(|&slot| is(slot));
        }
        if self.order.len() == self.meta.len() {
            return self.order[self.place_after(after)..].iter().copied().find(|&slot| is(slot));
        }
        let mut at = self.next_row(after);
        while at.is_some_and(|slot| !is(slot)) {
            at = self.next_row(at);
        }
        at
    }

    /// Where in the order the keys greater than that of a slot begin.
    fn place_after(&self, after: Option<u32>) -> usize {
        after.map_or(0, |after| {
            let key = self.key(after);
            self.order.partition_point(|&other| self.key(other) <= key)
        })
    }

    /// The slot that follows in key order, or the first one, whether or not there is a row now.
    pub fn next_slot(&self, after: Option<u32>) -> Option<u32> {
        if !self.shuffled {
            let next = after.map_or(0, |slot| slot + 1);
            return (next < self.slots()).then_some(next);
        }
        let known = self.order.get(self.place_after(after)).copied();
        let newcomers = self.order.len() as u32..self.slots();
        let later = newcomers.filter(|&slot| after.is_none_or(|after| self.key(slot) > self.key(after)));
        later.chain(known).min_by_key(|&slot| self.key(slot))
    }

    fn reset(&mut self, template: &TableState) {
        self.cells.clone_from(&template.cells);
        self.meta.clone_from(&template.meta);
        self.row = template.row;
        self.shuffled = template.shuffled;
        self.order.clone_from(&template.order);
        self.index.clone_from(&template.index);
        self.unique.clone_from(&template.unique);
        self.next_fresh = template.next_fresh;
        self.live = template.live;
    }
}

/// All tables of all services, and the heap of their lists and records.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    tables: Vec<TableState>,
    heap: Heap,
    arguments: Vec<Word>,
}

impl Tables {
    /// The tables of a model with the rows they start with.
    pub fn of(model: &Model) -> Tables {
        Tables::with(&model.tables)
    }

    /// These tables with the rows they start with.
    pub(crate) fn with(tables: &[Table]) -> Tables {
        Tables { tables: tables.iter().map(TableState::of).collect(), ..Tables::default() }
    }

    /// Back to how a template is, keeping the memory.
    pub fn reset(&mut self, template: &Tables) {
        self.tables.resize_with(template.tables.len(), TableState::default);
        for (table, initial) in self.tables.iter_mut().zip(&template.tables) {
            table.width = initial.width;
            table.reset(initial);
        }
        self.heap.reset();
        self.arguments.clear();
    }

    /// The arguments of the intent that began last: those of the intent that an `Invoke` record speaks of, at that
    /// record.
    pub fn arguments(&self) -> &[Word] {
        &self.arguments
    }

    /// An intent is about to begin with these arguments.
    #[inline]
    pub fn set_arguments(&mut self, arguments: &[Word]) {
        self.arguments.clear();
        self.arguments.extend_from_slice(arguments);
    }

    /// A table.
    #[inline]
    pub fn table(&self, id: TableId) -> &TableState {
        &self.tables[id.index()]
    }

    /// A table to install into.
    #[inline]
    pub fn table_mut(&mut self, id: TableId) -> &mut TableState {
        &mut self.tables[id.index()]
    }

    /// Where lists and records live.
    pub fn heap_mut(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// Where lists and records live.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// A read-only look at the rows, for expressions.
    pub fn rows(&mut self) -> Rows<'_> {
        Rows { tables: &mut self.tables, heap: &mut self.heap, counters: None }
    }

    /// The same with the counts of a run, indexed by [`Counter`].
    pub fn rows_and_counts<'a>(&'a mut self, counters: &'a [i64]) -> Rows<'a> {
        Rows { tables: &mut self.tables, heap: &mut self.heap, counters: Some(counters) }
    }
}

impl PartialEq for Tables {
    fn eq(&self, other: &Tables) -> bool {
        self.tables == other.tables
    }
}

/// A read-only look at all rows, for the expressions of invariants and facts. It has no clock and no event.
#[derive(Debug)]
pub struct Rows<'a> {
    /// Only ever put in order.
    tables: &'a mut [TableState],
    heap: &'a mut Heap,
    counters: Option<&'a [i64]>,
}

impl View for Rows<'_> {
    #[inline]
    fn find(&mut self, table: TableId, key: Word) -> Option<u32> {
        self.tables[table.index()].find(key)
    }

    #[inline]
    fn cell(&mut self, table: TableId, row: u32, column: u16) -> Word {
        self.tables[table.index()].cells(row)[column as usize]
    }

    fn next_row(&mut self, table: TableId, after: Option<u32>) -> Option<u32> {
        let table = &mut self.tables[table.index()];
        table.sort();
        table.next_row(after)
    }

    fn next_row_where(&mut self, table: TableId, after: Option<u32>, column: u16, word: Word) -> Option<u32> {
        let table = &mut self.tables[table.index()];
        table.sort();
        table.next_row_where(after, column, word)
    }

    fn counter(&mut self, counter: Counter) -> Word {
        self.counters.and_then(|all| all.get(counter as usize).copied()).unwrap_or(NULL)
    }

    fn now(&mut self) -> Word {
        NULL
    }

    fn event(&mut self, _field: EventField) -> Word {
        NULL
    }

    fn heap(&mut self) -> &mut Heap {
        self.heap
    }
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
