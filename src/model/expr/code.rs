//! Flat code for one expression: instructions of 16 bytes over a stack of words, names resolved to slots. Failures cost
//! nothing until they happen: what absorbs them stands in a table beside the code.

use std::ops::Range;

use super::eval::Scratch;
use super::seek::Seek;
use super::shape::Shape;
use super::tree::{Counter, EventField, Expr};
use crate::model::ids::TableId;
use crate::model::value::Word;

/// A compiled expression. The default one is empty and yields null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code {
    pub(super) ops: Vec<Op>,
    /// What it is as a whole: which short way answers it.
    pub(super) shape: Shape,
    /// Innermost first.
    pub(super) handlers: Vec<Handler>,
    pub(super) spans: Vec<Range<u32>>,
    /// Column lists of whole rows.
    pub(super) columns: Vec<Vec<u16>>,
    /// Constant lists that `in` looks through.
    pub(super) sets: Vec<Vec<Word>>,
    /// What passes go straight to.
    pub(super) seeks: Vec<Seek>,
    /// What a caller who binds each row in turn may go straight to: it is false of all other rows.
    pub(super) sought: Option<Seek>,
}

/// One instruction. `top` is the value on top of the stack; `vars` are the slots of loops and bound rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Const(Word),
    Local(u16),
    Var(u16),
    RowVar {
        var: u16,
        table: TableId,
        column: u16,
    },
    RowVarRecord {
        var: u16,
        table: TableId,
        columns: u16,
    },
    Cell {
        table: TableId,
        column: u16,
    },
    CellConst {
        table: TableId,
        column: u16,
        key: Word,
    },
    CellLocal {
        table: TableId,
        column: u16,
        key: u16,
    },
    Row {
        table: TableId,
        columns: u16,
    },
    HasRow(TableId),
    Now,
    Event(EventField),
    Counter(Counter),
    Not,
    Neg,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    AddConst(Word),
    EqConst(Word),
    NeConst(Word),
    LtConst(Word),
    LeConst(Word),
    GtConst(Word),
    GeConst(Word),
    AddLocal(u16),
    SubLocal(u16),
    EqLocal(u16),
    NeLocal(u16),
    LtLocal(u16),
    LeLocal(u16),
    GtLocal(u16),
    GeLocal(u16),
    Concat,
    Append,
    In,
    InSet(u16),
    Field(u16),
    Index,
    Size,
    IndexOf,
    /// Fails if the top is null.
    Given,
    Jump(u32),
    /// Pops; jumps if it was false.
    Unless(u32),
    /// Jumps if the top is false, else pops it.
    AndJump(u32),
    /// Jumps if the top is true, else pops it.
    OrJump(u32),
    /// If the top is this, pops and jumps; else goes on with it.
    Again {
        on: bool,
        to: u32,
    },
    /// Sets a slot.
    SetVar {
        var: u16,
        to: i32,
    },
    /// Sets a slot to null.
    ClearVar(u16),
    /// Pops into a slot; fails on null. The slot after it becomes 0.
    BeginList(u16),
    /// Moves the row in a slot on, or jumps.
    NextRow {
        table: TableId,
        var: u16,
        exit: u32,
    },
    /// The same, but to the next row of which a cell is as sought: the pass would do nothing with those between.
    SeekRow {
        table: TableId,
        var: u16,
        seek: u16,
        exit: u32,
    },
    /// List in `var`, place in the next slot, element in the one after; moves on, or jumps.
    NextItem {
        var: u16,
        exit: u32,
    },
    /// What `all` and `exists` are if no element decided: the failure remembered in the slot, or this.
    Verdict {
        var: u16,
        otherwise: bool,
    },
    /// Adds the top, popped, to a slot.
    SumVar(u16),
    /// Adds one to a slot.
    CountVar(u16),
    MinVar(u16),
    MaxVar(u16),
    /// Pushes a slot; fails with `Empty` if it is null.
    Extreme(u16),
    /// Remembers in a slot how many words are collected.
    Mark(u16),
    /// Pops into the collected words.
    Collect,
    /// The last so many collected words become a tuple.
    Take(u32),
    /// The collected words from the mark on become a tuple.
    TakeFrom(u16),
    /// Fails: the tree was too deep to compile.
    TooDeep,
}

/// What happens to a failure of the instructions `from..to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handler {
    pub(super) from: u32,
    pub(super) to: u32,
    /// Height of the stack to fall back to.
    pub(super) depth: u8,
    /// The slot of the mark to which collected words fall back, if the range collects any.
    pub(super) mark: Option<u16>,
    pub(super) rescue: Rescue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rescue {
    /// The left side of `&&` or `||` failed: the right side is `to..end`, and decides if it is `deciding`.
    Logic { end: u32, deciding: bool },
    /// A body of `all` or `exists` failed: remember the first failure and go on.
    Loop { pending: u16, resume: u32 },
}

impl Code {
    /// Compiles a tree, constants folded. It cannot fail: a tree deeper than the stack (which no text that was parsed
    /// yields) compiles to code that always fails with [`Failure::Budget`](super::Failure::Budget).
    pub fn compile(expr: &Expr) -> Code {
        super::compile::compile(expr)
    }

    /// The constant it always yields, if it is one.
    pub fn as_const(&self) -> Option<Word> {
        match self.ops[..] {
            [Op::Const(word)] => Some(word),
            _ => None,
        }
    }

    /// Where in the text the last failure in this scratch happened, in bytes of the expression's text.
    pub fn failed_span(&self, scratch: &Scratch) -> Range<u32> {
        self.spans.get(scratch.failed_at()).cloned().unwrap_or(0..0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_has_sixteen_bytes() {
        assert!(size_of::<Op>() <= 16);
    }
}
