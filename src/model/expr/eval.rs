//! Running compiled expressions.

use super::code::Code;
use super::tree::{Counter, EventField};
use crate::model::heap::Heap;
use crate::model::ids::TableId;
use crate::model::value::Word;

/// The steps that one evaluation may take, counted where it loops: so nothing runs for ever.
pub const BUDGET: i64 = 1_000_000;

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
    /// More steps than [`BUDGET`].
    Budget,
}

/// What an expression may look at.
pub trait View {
    /// The slot of the live row with this key. The key is never null.
    fn find(&mut self, table: TableId, key: Word) -> Option<u32>;
    /// A cell of a live row; column 0 is the key.
    fn cell(&mut self, table: TableId, row: u32, column: u16) -> Word;
    /// The live row that follows in key order, or the first one.
    fn next_row(&mut self, table: TableId, after: Option<u32>) -> Option<u32>;
    /// A count over the whole run.
    fn counter(&mut self, counter: Counter) -> Word;
    /// The clock of the service.
    fn now(&mut self) -> Word;
    /// A field of the event that runs the operation.
    fn event(&mut self, field: EventField) -> Word;
    /// Where lists and records live.
    fn heap(&mut self) -> &mut Heap;
}

/// The memory of an evaluation; make one and use it for all.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    failed_at: usize,
}

impl Scratch {
    /// Fresh memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a row variable below [`BOUND_ROWS`](super::BOUND_ROWS) to a live row, until it is bound again.
    pub fn bind_row(&mut self, var: u16, row: u32) {
        let _ = (var, row);
    }

    pub(super) fn failed_at(&self) -> usize {
        self.failed_at
    }
}

/// The value of a compiled expression. `locals` are the caller's slots; one that is not there is null. On failure
/// [`Code::failed_span`] tells where. It touches the heap only for lists and records, and allocates nothing else.
pub fn eval<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Result<Word, Failure> {
    let _ = (code, locals, view, scratch);
    Err(Failure::Budget)
}
