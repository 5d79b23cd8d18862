//! What an evaluation may look at, and how it may fail.

use super::tree::{Counter, EventField};
use crate::model::heap::Heap;
use crate::model::ids::TableId;
use crate::model::value::Word;

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// No such row.
    Missing(TableId),
    /// A result does not fit 64 bits, or would be the word of null.
    Overflow,
    /// `/` or `%` by zero.
    DivideByZero,
    /// An operator that needs a value got null.
    NullOperand,
    /// A list has no element at this index.
    OutOfRange,
    /// `min` or `max` of no element.
    Empty,
    /// More steps than [`BUDGET`](super::BUDGET).
    Budget,
}

/// What an expression may look at. The same question may be asked twice in one evaluation; the answer must be the same.
pub trait View {
    /// The slot of the live row with this key. The key is never null.
    fn find(&mut self, table: TableId, key: Word) -> Option<u32>;
    /// A cell of a live row; column 0 is the key.
    fn cell(&mut self, table: TableId, row: u32, column: u16) -> Word;
    /// A cell of the live row with this key, which is never null: both of the above at once.
    #[inline]
    fn cell_of(&mut self, table: TableId, key: Word, column: u16) -> Option<Word> {
        let row = self.find(table, key)?;
        Some(self.cell(table, row, column))
    }
    /// The live row that follows in key order, or the first one.
    fn next_row(&mut self, table: TableId, after: Option<u32>) -> Option<u32>;
    /// The same of the rows of which this column holds this word.
    fn next_row_where(&mut self, table: TableId, after: Option<u32>, column: u16, word: Word) -> Option<u32> {
        let mut at = self.next_row(table, after);
        while let Some(row) = at
            && self.cell(table, row, column) != word
        {
            at = self.next_row(table, at);
        }
        at
    }
    /// A count over the whole run.
    fn counter(&mut self, counter: Counter) -> Word;
    /// The clock of the service.
    fn now(&mut self) -> Word;
    /// A field of the event that runs the operation.
    fn event(&mut self, field: EventField) -> Word;
    /// Where lists and records live.
    fn heap(&mut self) -> &mut Heap;
}
