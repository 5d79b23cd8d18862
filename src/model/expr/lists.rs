//! What the machine does with lists and records: words are collected on the side and become a tuple of the heap.

use super::eval::Machine;
use super::view::{Failure, View};
use crate::model::ids::TableId;
use crate::model::value::{NULL, Word};

impl<V: View + ?Sized> Machine<'_, V> {
    pub(super) fn take(&mut self, start: usize) -> Word {
        let word = self.view.heap().tuple(&self.scratch.collected[start..]);
        self.scratch.collected.truncate(start);
        word
    }

    pub(super) fn record(&mut self, table: TableId, row: u32, columns: u16) -> Result<Word, Failure> {
        let columns = &self.code.columns[usize::from(columns)];
        self.spend(columns.len())?;
        let start = self.scratch.collected.len();
        for &column in columns {
            let word = self.view.cell(table, row, column);
            self.scratch.collected.push(word);
        }
        Ok(self.take(start))
    }

    pub(super) fn joined(&mut self, left: Word, right: Word) -> Result<Word, Failure> {
        if left == NULL || right == NULL {
            return Err(Failure::NullOperand);
        }
        let start = self.scratch.collected.len();
        for list in [left, right] {
            let length = self.view.heap().get(list).len();
            self.spend(length)?;
            self.scratch.collected.extend_from_slice(self.view.heap().get(list));
        }
        Ok(self.take(start))
    }

    pub(super) fn appended(&mut self, list: Word, item: Word) -> Result<Word, Failure> {
        if list == NULL {
            return Err(Failure::NullOperand);
        }
        let length = self.view.heap().get(list).len();
        self.spend(length)?;
        let start = self.scratch.collected.len();
        self.scratch.collected.extend_from_slice(self.view.heap().get(list));
        self.scratch.collected.push(item);
        Ok(self.take(start))
    }

    /// The first place of an item in a list.
    pub(super) fn place(&mut self, list: Word, item: Word) -> Result<Option<usize>, Failure> {
        if list == NULL {
            return Err(Failure::NullOperand);
        }
        let length = self.view.heap().get(list).len();
        self.spend(length)?;
        Ok(self.view.heap().get(list).iter().position(|&word| word == item))
    }
}
