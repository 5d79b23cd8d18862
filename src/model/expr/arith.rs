//! The meaning of the operators on words, in one place for folding and for running.

use super::tree::{BinaryOp, UnaryOp};
use super::view::Failure;
use crate::model::value::{NULL, Word, in_range, truth};

/// The value of an operator on two words; lists are joined elsewhere and count as null here. Always in line, so that where
/// the operator is known nothing else is left of it.
#[inline(always)]
pub(super) fn binary(op: BinaryOp, left: Word, right: Word) -> Result<Word, Failure> {
    match op {
        BinaryOp::Eq => return Ok(truth(left == right)),
        BinaryOp::Ne => return Ok(truth(left != right)),
        _ if left == NULL || right == NULL => return Err(Failure::NullOperand),
        _ => {}
    }
    let number = match op {
        BinaryOp::Lt => return Ok(truth(left < right)),
        BinaryOp::Le => return Ok(truth(left <= right)),
        BinaryOp::Gt => return Ok(truth(left > right)),
        BinaryOp::Ge => return Ok(truth(left >= right)),
        BinaryOp::Add => left.checked_add(right),
        BinaryOp::Sub => left.checked_sub(right),
        BinaryOp::Mul => left.checked_mul(right),
        BinaryOp::Div | BinaryOp::Rem if right == 0 => return Err(Failure::DivideByZero),
        BinaryOp::Div => left.checked_div(right),
        BinaryOp::Rem => left.checked_rem(right),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Concat | BinaryOp::Append => {
            return Err(Failure::NullOperand);
        }
    };
    in_range(number).ok_or(Failure::Overflow)
}

/// The value of an operator on one word.
#[inline(always)]
pub(super) fn unary(op: UnaryOp, of: Word) -> Result<Word, Failure> {
    match (op, of) {
        (_, NULL) => Err(Failure::NullOperand),
        (UnaryOp::Not, _) => Ok(truth(of == 0)),
        (UnaryOp::Neg, _) => Ok(-of),
    }
}
