//! The short way through scalar code: a small loop without failures, budget or heap, some two and a half times as fast as
//! the full machine. Whatever is out of the ordinary makes it give up, and the machine starts over and says what is wrong.

use super::code::Op;
use super::eval::{STACK, VARS};
use super::view::View;
use crate::model::value::{NULL, Word, in_range, truth};

/// Whether the short way knows every instruction.
pub(super) fn suits(ops: &[Op]) -> bool {
    ops.iter().all(|op| {
        matches!(
            op,
            Op::Const(_)
                | Op::Local(_)
                | Op::RowVar { .. }
                | Op::Cell { .. }
                | Op::CellConst { .. }
                | Op::CellLocal { .. }
                | Op::HasRow(_)
                | Op::Not
                | Op::Add
                | Op::Sub
                | Op::Eq
                | Op::Ne
                | Op::Lt
                | Op::Le
                | Op::Gt
                | Op::Ge
                | Op::AddConst(_)
                | Op::EqConst(_)
                | Op::NeConst(_)
                | Op::LtConst(_)
                | Op::LeConst(_)
                | Op::GtConst(_)
                | Op::GeConst(_)
                | Op::AddLocal(_)
                | Op::SubLocal(_)
                | Op::EqLocal(_)
                | Op::NeLocal(_)
                | Op::LtLocal(_)
                | Op::LeLocal(_)
                | Op::GtLocal(_)
                | Op::GeLocal(_)
                | Op::Given
                | Op::Jump(_)
                | Op::Unless(_)
                | Op::AndJump(_)
                | Op::OrJump(_)
        )
    })
}

/// The value, or none if anything fails, overflows, is null where it must not be, or is unknown to the short way.
#[inline]
pub(super) fn run<V: View + ?Sized>(
    ops: &[Op],
    locals: &[Word],
    view: &mut V,
    stack: &mut [Word; STACK],
    vars: &[Word; VARS],
) -> Option<Word> {
    let mut pc = 0;
    let mut height = 0u8;
    let mut top = NULL;
    macro_rules! push {
        ($value:expr) => {{
            let value = $value;
            stack[usize::from(height)] = top;
            height = height.wrapping_add(1);
            top = value;
        }};
    }
    macro_rules! pop {
        () => {{
            let value = top;
            height = height.wrapping_sub(1);
            top = stack[usize::from(height)];
            value
        }};
    }
    macro_rules! local {
        ($slot:expr) => {
            *locals.get(usize::from($slot))?
        };
    }
    macro_rules! given {
        ($word:expr) => {
            match $word {
                NULL => return None,
                word => word,
            }
        };
    }
    macro_rules! compare {
        ($sign:tt, $right:expr) => {{
            let right = given!($right);
            top = truth(given!(top) $sign right);
        }};
    }
    macro_rules! compute {
        ($method:ident, $right:expr) => {{
            let right = given!($right);
            top = in_range(given!(top).$method(right))?;
        }};
    }
    while let Some(op) = ops.get(pc) {
        pc += 1;
        match *op {
            Op::Const(word) => push!(word),
            Op::Local(slot) => push!(local!(slot)),
            Op::RowVar { var, table, column } => {
                let row = vars[usize::from(var) & (VARS - 1)] as u32;
                push!(view.cell(table, row, column));
            }
            Op::Cell { table, column } => {
                top = view.cell_of(table, given!(top), column)?;
            }
            Op::CellConst { table, column, key } => {
                push!(view.cell_of(table, given!(key), column)?);
            }
            Op::CellLocal { table, column, key } => {
                push!(view.cell_of(table, given!(local!(key)), column)?);
            }
            Op::HasRow(table) => top = truth(view.find(table, given!(top)).is_some()),
            Op::Not => top = truth(given!(top) == 0),
            Op::Add => compute!(checked_add, pop!()),
            Op::Sub => compute!(checked_sub, pop!()),
            Op::Eq => {
                let right = pop!();
                top = truth(top == right);
            }
            Op::Ne => {
                let right = pop!();
                top = truth(top != right);
            }
            Op::Lt => compare!(<, pop!()),
            Op::Le => compare!(<=, pop!()),
            Op::Gt => compare!(>, pop!()),
            Op::Ge => compare!(>=, pop!()),
            Op::AddConst(word) => compute!(checked_add, word),
            Op::EqConst(word) => top = truth(top == word),
            Op::NeConst(word) => top = truth(top != word),
            Op::LtConst(word) => compare!(<, word),
            Op::LeConst(word) => compare!(<=, word),
            Op::GtConst(word) => compare!(>, word),
            Op::GeConst(word) => compare!(>=, word),
            Op::AddLocal(slot) => compute!(checked_add, local!(slot)),
            Op::SubLocal(slot) => compute!(checked_sub, local!(slot)),
            Op::EqLocal(slot) => top = truth(top == local!(slot)),
            Op::NeLocal(slot) => top = truth(top != local!(slot)),
            Op::LtLocal(slot) => compare!(<, local!(slot)),
            Op::LeLocal(slot) => compare!(<=, local!(slot)),
            Op::GtLocal(slot) => compare!(>, local!(slot)),
            Op::GeLocal(slot) => compare!(>=, local!(slot)),
            Op::Given => _ = given!(top),
            Op::Jump(to) => pc = to as usize,
            Op::Unless(to) => {
                if given!(pop!()) == 0 {
                    pc = to as usize;
                }
            }
            Op::AndJump(to) => match given!(top) {
                0 => pc = to as usize,
                _ => _ = pop!(),
            },
            Op::OrJump(to) => match given!(top) {
                0 => _ = pop!(),
                _ => pc = to as usize,
            },
            _ => return None,
        }
    }
    Some(top)
}
