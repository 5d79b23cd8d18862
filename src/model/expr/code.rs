//! Flat code for one expression.

use std::ops::Range;

use super::eval::Scratch;
use super::tree::Expr;

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Code {
    pub(super) spans: Vec<Range<u32>>,
}

impl Code {
    /// Compiles a tree, constants folded. It cannot fail: a tree deeper than the stack (which no text that was parsed
    /// yields) compiles to code that always fails with [`Failure::Budget`](super::Failure::Budget).
    pub fn compile(expr: &Expr) -> Code {
        super::compile::compile(expr)
    }

    /// The constant it always yields, if it is one.
    pub fn as_const(&self) -> Option<crate::model::value::Word> {
        None
    }

    /// Where in the text the last failure in this scratch happened, in bytes of the expression's text.
    pub fn failed_span(&self, scratch: &Scratch) -> Range<u32> {
        self.spans.get(scratch.failed_at()).cloned().unwrap_or(0..0)
    }
}
