//! What one observer has to say so far: findings up to a number, counts without one.
//!
//! Whether a violation is silent is known only when all clients involved have had their answer, so each violation
//! leaves a claim of two serial numbers, settled at the end of the run.

use std::ops::Range;

use super::book::Book;
use super::finding::{Finding, Witness};
use super::verdict::{FINDINGS, InvariantRun};
use crate::kernel::time::Time;
use crate::model::expr::{Code, Failure, Scratch, eval};
use crate::model::record::{NONE, Outcome};
use crate::model::value::{NULL, Word};
use crate::store::Tables;

/// In place of the serial number of an intent: all intents of the run.
pub(super) const EVERYBODY: u32 = NONE - 1;

/// The notes of one observer.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub(super) run: InvariantRun,
    pub(super) error: Option<(Failure, Range<u32>)>,
    claims: Vec<[u32; 2]>,
    /// For each finding the place of its claim.
    of: Vec<usize>,
}

impl Sheet {
    pub(super) fn reset(&mut self) {
        let mut findings = std::mem::take(&mut self.run.findings);
        findings.clear();
        self.run = InvariantRun { findings, ..InvariantRun::default() };
        self.error = None;
        self.claims.clear();
        self.of.clear();
    }

    /// Notes a violation. `involved` are serial numbers of intents, [`NONE`] or [`EVERYBODY`].
    pub(super) fn violated(&mut self, at: Time, involved: [u32; 2], what: impl FnOnce() -> Witness) {
        self.run.violations += 1;
        if self.run.findings.len() < FINDINGS {
            self.run.findings.push(Finding { at, silent: false, what: what() });
            self.of.push(self.claims.len());
        }
        self.claims.push(involved);
    }

    /// Notes something that did not end.
    pub(super) fn stuck(&mut self, at: Time, what: impl FnOnce() -> Witness) {
        self.run.stuck = true;
        if self.run.findings.len() < FINDINGS {
            self.run.findings.push(Finding { at, silent: false, what: what() });
            self.of.push(usize::MAX);
        }
    }

    /// Whether an expression is true. A missing row makes it false; anything else without a value is noted as an error
    /// and says nothing.
    #[inline]
    pub(super) fn test(
        &mut self,
        code: &Code,
        locals: &[Word],
        tables: &mut Tables,
        scratch: &mut Scratch,
    ) -> Option<bool> {
        match eval(code, locals, &mut tables.rows(), scratch) {
            Ok(word) => Some(word != 0 && word != NULL),
            Err(failure) => self.fails(failure, code, scratch),
        }
    }

    #[cold]
    fn fails(&mut self, failure: Failure, code: &Code, scratch: &Scratch) -> Option<bool> {
        if let Failure::Missing(_) = failure {
            return Some(false);
        }
        self.error.get_or_insert_with(|| (failure, code.failed_span(scratch)));
        None
    }

    /// What it amounts to, when all answers are known.
    pub(super) fn finish(&mut self, book: &Book, all_ok: bool) -> InvariantRun {
        let ok = |serial: u32| match serial {
            NONE => true,
            EVERYBODY => all_ok,
            serial => book.told(serial) == Some(Outcome::Ok),
        };
        let silent = |claim: &[u32; 2]| *claim != [NONE; 2] && ok(claim[0]) && ok(claim[1]);
        self.run.silent = self.claims.iter().filter(|claim| silent(claim)).count() as u64;
        for (finding, &claim) in self.run.findings.iter_mut().zip(&self.of) {
            finding.silent = self.claims.get(claim).is_some_and(silent);
            for party in finding.what.parties() {
                party.told = book.told(party.serial);
            }
        }
        self.run.clone()
    }
}
