//! Whole expressions that are so common that each is answered by a handful of comparisons instead of a loop over code:
//! a slot, a cell of a row, one of them plus or minus another, a comparison, `&&` or `||` of comparisons.
//!
//! Of all evaluations in runs of the shipped scenarios and of the echo work more than nine in ten are of these. As with
//! the other short way, whatever is out of the ordinary makes it give up, and the machine starts over and says what is wrong.

use super::code::Code;
use super::eval::{Scratch, VARS};
use super::quick;
use super::tree::{BOUND_ROWS, BinaryOp, Counter, EventField, Expr, ExprKind, UnaryOp};
use super::view::View;
use crate::model::ids::TableId;
use crate::model::value::{NULL, Word, in_range, truth};

/// What an expression is as a whole. The tag is a byte of its own (`repr`): one hidden in the bytes of a variant takes four
/// instructions more to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Shape {
    /// For the machine only.
    #[default]
    Other,
    /// For the loop without failures, budget or heap.
    Scalar,
    Const(Word),
    Local(u16),
    /// A cell of the row whose key is in a slot.
    Cell(Cell),
    /// The same and a constant.
    CellAnd(Cell, Word),
    Operand(Operand),
    Sum(Operand, Operand),
    Difference(Operand, Operand),
    Test(Test),
    /// `&&`, or `||`, of tests: up to the first that is `deciding`.
    Chain {
        deciding: bool,
        tests: Box<[Test]>,
    },
    /// The same of tests that look at slots of the caller and at constants only.
    Slots {
        deciding: bool,
        tests: Box<[Test]>,
    },
}

/// A cell of the row whose key is in a slot of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    table: TableId,
    column: u16,
    key: u16,
}

/// A cell of a row that the caller bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowCell {
    var: u16,
    table: TableId,
    column: u16,
}

/// A word that is found without computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Const(Word),
    Local(u16),
    Row(RowCell),
    Cell(Cell),
    CellConst {
        table: TableId,
        column: u16,
        key: Word,
    },
    /// A cell of the row whose key is in a cell of a row that the caller bound.
    CellOfRow {
        table: TableId,
        column: u16,
        key: RowCell,
    },
    Now,
    Event(EventField),
    Counter(Counter),
}

/// Something that is true or false and never null. The operands that guards mostly have are variants of their own, which
/// saves two jumps and some ten instructions a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Test {
    Locals(u16, Comparison, u16),
    LocalConst(u16, Comparison, Word),
    RowConst(RowCell, Comparison, Word),
    RowIsLocal {
        cell: RowCell,
        local: u16,
        wanted: bool,
    },
    /// Any other two words. If `swapped`, what is computed first stands on the right of the comparison.
    Compare {
        first: Operand,
        second: Operand,
        swapped: bool,
        by: Comparison,
    },
    /// Whether there is such a row; if not `wanted`, whether there is none.
    HasRow {
        table: TableId,
        key: Operand,
        wanted: bool,
    },
}

/// `==`, `<`, or the contrary: all six comparisons come down to these if the operands may change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// `==`, which takes null too; else `<`, which does not.
    equal: bool,
    wanted: bool,
}

impl Comparison {
    /// The comparison, and whether the operands change places.
    fn of(op: BinaryOp) -> Option<(Comparison, bool)> {
        let (equal, wanted, swapped) = match op {
            BinaryOp::Eq => (true, true, false),
            BinaryOp::Ne => (true, false, false),
            BinaryOp::Lt => (false, true, false),
            BinaryOp::Le => (false, false, true),
            BinaryOp::Gt => (false, true, true),
            BinaryOp::Ge => (false, false, false),
            _ => return None,
        };
        Some((Comparison { equal, wanted }, swapped))
    }

    /// None if a word is null and must not be. Null is the least word, so a look at the lesser one does.
    #[inline(always)]
    fn holds(self, left: Word, right: Word) -> Option<bool> {
        if self.equal {
            return Some((left == right) == self.wanted);
        }
        let (left, right) = given(left, right)?;
        Some((left < right) == self.wanted)
    }
}

/// The shape of an expression whose constants are folded; `scalar` says whether the loop suits it.
pub(super) fn of(expr: &Expr, scalar: bool) -> Shape {
    let shape = match &expr.kind {
        ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), left, right) => {
            operand(left).zip(operand(right)).map(|operands| match (op, operands) {
                (BinaryOp::Add, (Operand::Cell(cell), Operand::Const(word))) => Shape::CellAnd(cell, word),
                (BinaryOp::Sub, (Operand::Cell(cell), Operand::Const(word))) if word != NULL => {
                    Shape::CellAnd(cell, -word)
                }
                (BinaryOp::Add, (left, right)) => Shape::Sum(left, right),
                (_, (left, right)) => Shape::Difference(left, right),
            })
        }
        ExprKind::Unary(UnaryOp::Neg, of) => operand(of).map(|of| Shape::Difference(Operand::Const(0), of)),
        ExprKind::And(..) | ExprKind::Or(..) => {
            let deciding = matches!(expr.kind, ExprKind::Or(..));
            let mut tests = Vec::new();
            let known = chain(expr, deciding, &mut tests);
            let slots = tests.iter().all(Test::is_of_slots);
            let tests = tests.into();
            known.then_some(match slots {
                true => Shape::Slots { deciding, tests },
                false => Shape::Chain { deciding, tests },
            })
        }
        _ => match operand(expr) {
            Some(Operand::Const(word)) => Some(Shape::Const(word)),
            Some(Operand::Local(slot)) => Some(Shape::Local(slot)),
            Some(Operand::Cell(cell)) => Some(Shape::Cell(cell)),
            Some(operand) => Some(Shape::Operand(operand)),
            None => test(expr).map(Shape::Test),
        },
    };
    shape.unwrap_or(if scalar { Shape::Scalar } else { Shape::Other })
}

fn operand(expr: &Expr) -> Option<Operand> {
    Some(match expr.kind {
        ExprKind::Const(word) => Operand::Const(word),
        ExprKind::Local(slot) => Operand::Local(slot),
        ExprKind::RowVar { var, table, column } => {
            Operand::Row(RowCell { var: var.min(BOUND_ROWS - 1), table, column: column.0 })
        }
        ExprKind::Cell { table, ref key, column } => {
            let column = column.0;
            match operand(key)? {
                Operand::Const(key) => Operand::CellConst { table, column, key },
                Operand::Local(key) => Operand::Cell(Cell { table, column, key }),
                Operand::Row(key) => Operand::CellOfRow { table, column, key },
                _ => return None,
            }
        }
        ExprKind::Now => Operand::Now,
        ExprKind::EventField(field) => Operand::Event(field),
        ExprKind::Counter(counter) => Operand::Counter(counter),
        _ => return None,
    })
}

fn compared(op: BinaryOp, left: Operand, right: Operand) -> Option<Test> {
    let (by, swapped) = Comparison::of(op)?;
    Some(match (left, right) {
        (Operand::Local(left), Operand::Local(right)) if swapped => Test::Locals(right, by, left),
        (Operand::Local(left), Operand::Local(right)) => Test::Locals(left, by, right),
        (Operand::Row(cell), Operand::Local(local)) if by.equal => {
            Test::RowIsLocal { cell, local, wanted: by.wanted }
        }
        // `x <= 3` is `!(3 < x)`, and that is `x < 4`.
        (left, Operand::Const(word)) if swapped && word < Word::MAX => {
            let by = Comparison { wanted: !by.wanted, ..by };
            with_const(left, by, if word == NULL { NULL } else { word + 1 })
        }
        (left, Operand::Const(word)) if !swapped => with_const(left, by, word),
        (first, second) => Test::Compare { first, second, swapped, by },
    })
}

fn with_const(left: Operand, by: Comparison, right: Word) -> Test {
    match left {
        Operand::Local(left) => Test::LocalConst(left, by, right),
        Operand::Row(left) => Test::RowConst(left, by, right),
        first => Test::Compare { first, second: Operand::Const(right), swapped: false, by },
    }
}

impl Test {
    fn not(self) -> Test {
        let not = |by: Comparison| Comparison { wanted: !by.wanted, ..by };
        match self {
            Test::Locals(left, by, right) => Test::Locals(left, not(by), right),
            Test::LocalConst(left, by, right) => Test::LocalConst(left, not(by), right),
            Test::RowConst(left, by, right) => Test::RowConst(left, not(by), right),
            Test::RowIsLocal { cell, local, wanted } => Test::RowIsLocal { cell, local, wanted: !wanted },
            Test::Compare { first, second, swapped, by } => {
                Test::Compare { first, second, swapped, by: not(by) }
            }
            Test::HasRow { table, key, wanted } => Test::HasRow { table, key, wanted: !wanted },
        }
    }

    /// Whether it looks at slots and constants only.
    fn is_of_slots(&self) -> bool {
        matches!(self, Test::Locals(..) | Test::LocalConst(..))
    }
}

fn test(expr: &Expr) -> Option<Test> {
    match &expr.kind {
        ExprKind::Binary(op, left, right) => compared(*op, operand(left)?, operand(right)?),
        ExprKind::Has(of) => compared(BinaryOp::Ne, operand(of)?, Operand::Const(NULL)),
        ExprKind::HasRow { table, key } => {
            Some(Test::HasRow { table: *table, key: operand(key)?, wanted: true })
        }
        ExprKind::Unary(UnaryOp::Not, of) => Some(test(of)?.not()),
        // A boolean that stands for itself: it is not below 1, and must not be null.
        _ => compared(BinaryOp::Ge, operand(expr)?, Operand::Const(1)),
    }
}

/// The tests of a chain, first to last; false if it is not all tests.
fn chain(expr: &Expr, deciding: bool, tests: &mut Vec<Test>) -> bool {
    match (&expr.kind, deciding) {
        (ExprKind::And(left, right), false) | (ExprKind::Or(left, right), true) => {
            chain(left, deciding, tests) && chain(right, deciding, tests)
        }
        _ => test(expr).map(|test| tests.push(test)).is_some(),
    }
}

/// A test of one cell of a row against a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellTest {
    column: u16,
    by: Comparison,
    word: Word,
}

impl CellTest {
    /// Whether it holds of a row with these cells; none if the cell is null and must not be.
    #[inline(always)]
    pub fn holds_of(&self, cells: &[Word]) -> Option<bool> {
        self.by.holds(*cells.get(usize::from(self.column))?, self.word)
    }
}

impl Code {
    /// The tests of cells of row variable 0 that it is, all of which must hold, if it is that and nothing else.
    pub fn cell_tests(&self) -> Option<Vec<CellTest>> {
        let of = |test: &Test| match *test {
            Test::RowConst(RowCell { var: 0, column, .. }, by, word) => Some(CellTest { column, by, word }),
            _ => None,
        };
        match &self.shape {
            Shape::Test(test) => Some(vec![of(test)?]),
            Shape::Chain { deciding: false, tests } => tests.iter().map(of).collect(),
            _ => None,
        }
    }

    /// Whether it is true of a row with these cells, which is row variable 0 and all that it looks at; none if that takes
    /// more than a few comparisons of cells and constants, or if one of them fails.
    #[inline(never)]
    pub fn holds_of(&self, cells: &[Word]) -> Option<bool> {
        match &self.shape {
            Shape::Test(test) => test.holds_of(cells),
            Shape::Chain { deciding, tests } => {
                for test in tests {
                    if test.holds_of(cells)? == *deciding {
                        return Some(*deciding);
                    }
                }
                Some(!*deciding)
            }
            _ => None,
        }
    }
}

impl RowCell {
    /// The cell, if these are those of row variable 0.
    #[inline(always)]
    fn of(self, cells: &[Word]) -> Option<Word> {
        cells.get(usize::from(self.column)).copied().filter(|_| self.var == 0)
    }
}

impl Test {
    fn holds_of(&self, cells: &[Word]) -> Option<bool> {
        let word = |operand: &Operand| match *operand {
            Operand::Const(word) => Some(word),
            Operand::Row(cell) => cell.of(cells),
            _ => None,
        };
        match *self {
            Test::RowConst(cell, by, right) => by.holds(cell.of(cells)?, right),
            Test::Compare { ref first, ref second, swapped, by } => {
                let (first, second) = (word(first)?, word(second)?);
                if swapped { by.holds(second, first) } else { by.holds(first, second) }
            }
            _ => None,
        }
    }
}

/// The value, or none if anything fails, overflows or is null where it must not be, or the machine has to do it.
///
/// This function and those it jumps to are out of line on purpose: what callers evaluate most, a slot, is answered before
/// it comes to this, and each shape saves and restores the registers that it needs and no others (some 30 instructions). They
/// take the same arguments, so that a jump is all there is in between.
#[inline(never)]
pub(super) fn run<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Option<Word> {
    match code.shape {
        Shape::Cell(_) => run_cell(code, locals, view, scratch),
        Shape::CellAnd(..) => run_cell_and(code, locals, view, scratch),
        Shape::Operand(_) | Shape::Sum(..) | Shape::Difference(..) => run_words(code, locals, view, scratch),
        Shape::Test(_) => run_test(code, locals, view, scratch),
        Shape::Chain { .. } => run_chain(code, locals, view, scratch),
        Shape::Slots { deciding, ref tests } => {
            for test in tests {
                if slots_hold(test, locals)? == deciding {
                    return Some(truth(deciding));
                }
            }
            Some(truth(!deciding))
        }
        Shape::Scalar => run_scalar(code, locals, view, scratch),
        Shape::Const(_) | Shape::Local(_) | Shape::Other => None,
    }
}

#[inline(never)]
fn run_cell<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    _scratch: &mut Scratch,
) -> Option<Word> {
    let Shape::Cell(Cell { table, column, key }) = code.shape else { return None };
    cell(view, table, *locals.get(usize::from(key))?, column)
}

#[inline(never)]
fn run_cell_and<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    _scratch: &mut Scratch,
) -> Option<Word> {
    let Shape::CellAnd(Cell { table, column, key }, other) = code.shape else { return None };
    let (word, other) = given(cell(view, table, *locals.get(usize::from(key))?, column)?, other)?;
    in_range(word.checked_add(other))
}

#[inline(never)]
fn run_test<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Option<Word> {
    let Shape::Test(test) = &code.shape else { return None };
    holds(test, locals, view, scratch.short().1).map(truth)
}

#[inline(never)]
fn run_chain<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Option<Word> {
    let Shape::Chain { deciding, tests } = &code.shape else { return None };
    for test in tests {
        if holds(test, locals, view, scratch.short().1)? == *deciding {
            return Some(truth(*deciding));
        }
    }
    Some(truth(!*deciding))
}

#[inline(never)]
fn run_words<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Option<Word> {
    let (_, vars) = scratch.short();
    let mut word = |operand: &Operand| word(operand, locals, view, vars);
    match &code.shape {
        Shape::Operand(of) => word(of),
        Shape::Sum(left, right) => {
            let (left, right) = given(word(left)?, word(right)?)?;
            in_range(left.checked_add(right))
        }
        Shape::Difference(left, right) => {
            let (left, right) = given(word(left)?, word(right)?)?;
            in_range(left.checked_sub(right))
        }
        _ => None,
    }
}

#[inline(never)]
fn run_scalar<V: View + ?Sized>(
    code: &Code,
    locals: &[Word],
    view: &mut V,
    scratch: &mut Scratch,
) -> Option<Word> {
    let (stack, vars) = scratch.short();
    quick::run(&code.ops, locals, view, stack, vars)
}

#[inline(always)]
fn given(left: Word, right: Word) -> Option<(Word, Word)> {
    (left.min(right) != NULL).then_some((left, right))
}

#[inline(always)]
fn row_cell<V: View + ?Sized>(cell: RowCell, view: &mut V, vars: &[Word; VARS]) -> Word {
    let row = vars[usize::from(cell.var) & (VARS - 1)] as u32;
    view.cell(cell.table, row, cell.column)
}

#[inline(always)]
fn cell<V: View + ?Sized>(view: &mut V, table: TableId, key: Word, column: u16) -> Option<Word> {
    if key == NULL {
        return None;
    }
    view.cell_of(table, key, column)
}

#[inline(always)]
fn slots_hold(test: &Test, locals: &[Word]) -> Option<bool> {
    let local = |slot: u16| locals.get(usize::from(slot)).copied();
    match *test {
        Test::Locals(left, by, right) => by.holds(local(left)?, local(right)?),
        Test::LocalConst(left, by, right) => by.holds(local(left)?, right),
        _ => None,
    }
}

#[inline(always)]
fn holds<V: View + ?Sized>(test: &Test, locals: &[Word], view: &mut V, vars: &[Word; VARS]) -> Option<bool> {
    match *test {
        Test::RowConst(left, by, right) => by.holds(row_cell(left, view, vars), right),
        Test::RowIsLocal { cell, local, wanted } => {
            let local = *locals.get(usize::from(local))?;
            Some((row_cell(cell, view, vars) == local) == wanted)
        }
        Test::Locals(..) | Test::LocalConst(..) => slots_hold(test, locals),
        Test::Compare { ref first, ref second, swapped, by } => {
            let first = word(first, locals, view, vars)?;
            let second = word(second, locals, view, vars)?;
            if swapped { by.holds(second, first) } else { by.holds(first, second) }
        }
        Test::HasRow { table, ref key, wanted } => {
            let key = word(key, locals, view, vars)?;
            Some((key != NULL && view.find(table, key).is_some()) == wanted)
        }
    }
}

#[inline(never)]
fn word<V: View + ?Sized>(
    operand: &Operand,
    locals: &[Word],
    view: &mut V,
    vars: &[Word; VARS],
) -> Option<Word> {
    match *operand {
        Operand::Const(word) => Some(word),
        Operand::Local(slot) => locals.get(usize::from(slot)).copied(),
        Operand::Row(cell) => Some(row_cell(cell, view, vars)),
        Operand::Cell(Cell { table, column, key }) => {
            cell(view, table, *locals.get(usize::from(key))?, column)
        }
        Operand::CellConst { table, column, key } => cell(view, table, key, column),
        Operand::CellOfRow { table, column, key } => {
            let key = row_cell(key, view, vars);
            cell(view, table, key, column)
        }
        Operand::Now => Some(view.now()),
        Operand::Event(field) => Some(view.event(field)),
        Operand::Counter(counter) => Some(view.counter(counter)),
    }
}
