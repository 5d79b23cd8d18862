//! Which parts of its program a task has nothing to do or to tell for.

use super::world::Task;
use crate::model::step::Program;

/// A set of parts: a merged flow may have as many as a byte can number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Parts([u64; 4]);

impl Parts {
    pub(crate) const NONE: Parts = Parts([0; 4]);
    pub(crate) const ALL: Parts = Parts([u64::MAX; 4]);

    pub(crate) fn put(&mut self, part: u8) {
        self.0[usize::from(part >> 6)] |= 1 << (part & 63);
    }

    pub(crate) fn has(&self, part: u8) -> bool {
        self.0[usize::from(part >> 6)] >> (part & 63) & 1 == 1
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Parts::NONE
    }
}

impl Task {
    /// Whether a part has nothing to tell: it was skipped, it is what a refusal does and nothing was refused, or the other
    /// way round; in a merged flow its step decides, which may also have been left out.
    pub(crate) fn is_silent(&self, program: &Program, part: u8) -> bool {
        let of = &program.parts[part as usize];
        let speaks = if program.merged.is_empty() {
            of.otherwise == self.in_refusal
        } else {
            let steps = if of.otherwise { self.merged_refused } else { self.merged_done };
            steps >> of.merged & 1 == 1
        };
        self.skipped.has(part) || !speaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_parts_tells_any_two_apart() {
        for part in 0..=u8::MAX {
            let mut parts = Parts::NONE;
            parts.put(part);
            assert!(!parts.is_empty());
            assert!((0..=u8::MAX).all(|other| parts.has(other) == (other == part)));
        }
    }
}
