//! What all models of one file may take together.
//!
//! Every case and every strategy that rewrites something has a model of its own, with tables of its own: a file of a
//! few lines can ask for thousands of them. One budget for the whole file bounds the work of reading it and of laying
//! its tables out; that a single document is not too large is held elsewhere.

use super::super::code::Code;
use super::super::parse::MOST_VALUES;
use super::super::problem::{Problem, Problems};
use super::super::source::Place;

/// The most cells, rows times fields, that the tables of all models of a file start with: 64 MiB of words.
pub(super) const MOST_CELLS: usize = 8 << 20;

/// The most models of a file.
pub(super) const MOST_MODELS: usize = 1_000;

/// The most values of all documents together that strategies rewrite.
const MOST_PATCHED: usize = 4 * MOST_VALUES;

/// What the models read so far have taken.
#[derive(Debug, Default)]
pub(super) struct Budget {
    pub(super) models: usize,
    pub(super) cells: usize,
    patched: usize,
    /// Something was too much, and said so: the rest of the file is not looked at.
    pub(super) spent: bool,
}

impl Budget {
    /// Accounts for one more model; false, and said so, if it is one too many.
    pub(super) fn afford_model(&mut self, place: Place, problems: &mut Problems) -> bool {
        self.models += 1;
        let message = || {
            format!("the cases and the strategies that rewrite something make more than {MOST_MODELS} models")
        };
        self.check(
            self.models <= MOST_MODELS,
            place,
            message,
            "fewer cases, or fewer strategies with `rewrite`",
            problems,
        )
    }

    /// Accounts for the document of a strategy that rewrites.
    pub(super) fn afford_patched(&mut self, values: usize, place: Place, problems: &mut Problems) -> bool {
        self.patched += values;
        let message = || "all the documents that strategies rewrite are too large together".to_owned();
        self.check(
            self.patched <= MOST_PATCHED,
            place,
            message,
            "fewer cases, or fewer strategies with `rewrite`",
            problems,
        )
    }

    /// Accounts for rows that a table starts with.
    pub(super) fn afford_cells(&mut self, cells: usize, place: Place, problems: &mut Problems) -> bool {
        self.cells += cells;
        let message =
            || format!("over all cases and rewrites, the tables start with more than {MOST_CELLS} cells");
        let hint = "every case and every strategy with `rewrite` has tables of its own: fewer of them, or fewer rows";
        self.check(self.cells <= MOST_CELLS, place, message, hint, problems)
    }

    /// Accounts for the same cells once more, if they fit; false, and nothing is said or accounted for, if not.
    pub(super) fn afford_again(&mut self, cells: usize) -> bool {
        let fits = self.cells + cells <= MOST_CELLS;
        self.cells += if fits { cells } else { 0 };
        fits
    }

    fn check(
        &mut self,
        fits: bool,
        place: Place,
        message: impl FnOnce() -> String,
        hint: &str,
        problems: &mut Problems,
    ) -> bool {
        if !fits && !std::mem::replace(&mut self.spent, true) {
            problems.push(Problem::error(Code::TooLarge, place, message()).hint(hint));
        }
        fits
    }
}
