//! The counts of a run, folded from its records; facts read them as `count.lost` and the like.

use crate::model::expr::{Code, Counter, Failure, Scratch, eval};
use crate::model::record::{Kind, Outcome, Record};
use crate::model::value::{NULL, Word};
use crate::model::weather::PointKind;
use crate::store::Tables;

/// One number for each [`Counter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts([i64; Counter::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Counts([0; Counter::ALL.len()])
    }
}

impl Counts {
    /// One of them.
    pub fn get(&self, counter: Counter) -> i64 {
        self.0[counter as usize]
    }

    /// All of them in the order of [`Counter::ALL`], as [`Tables::rows_and_counts`] wants them.
    pub fn words(&self) -> &[Word] {
        &self.0
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Counts) {
        for (sum, n) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(n);
        }
    }

    #[inline]
    pub(super) fn more(&mut self, counter: Counter, n: i64) {
        self.0[counter as usize] += n;
    }

    /// A message is sent.
    #[inline]
    pub(super) fn sent(&mut self, record: &Record) {
        self.more(Counter::Messages, 1);
        self.more(Counter::Attempts, i64::from(record.flag == PointKind::Request as u8));
        if record.ver > 1 {
            self.more(Counter::Duplicated, 1);
        }
    }

    /// What can be counted from other records alone. Intents, writes, overlaps, compensations, parked sagas and silent
    /// violations the judge adds.
    #[inline]
    pub(super) fn record(&mut self, record: &Record, replicas: u32) {
        let counter = match record.kind {
            Kind::Complete => match Outcome::of(record.flag) {
                Outcome::Ok => Counter::Ok,
                Outcome::Failed => Counter::Failed,
                Outcome::Unknown => Counter::Unknown,
            },
            Kind::Lost => Counter::Lost,
            Kind::Delayed => Counter::Delayed,
            Kind::Refused => Counter::Refused,
            Kind::Conflict => Counter::Conflicts,
            Kind::Replay => Counter::Replays,
            Kind::Busy => Counter::Busy,
            Kind::Crash if record.who < replicas => Counter::Crashes,
            _ => return,
        };
        self.more(counter, 1);
    }
}

/// Whether a fact is true. A missing row makes it false; what else has no value is an error of the scenario.
pub fn fact(that: &Code, tables: &mut Tables, counts: &Counts) -> Result<bool, Failure> {
    fact_in(&mut Scratch::new(), that, tables, counts)
}

/// The same in memory that is there already: of a fact, fresh memory is the most expensive part.
pub fn fact_in(
    scratch: &mut Scratch,
    that: &Code,
    tables: &mut Tables,
    counts: &Counts,
) -> Result<bool, Failure> {
    match eval(that, &[], &mut tables.rows_and_counts(counts.words()), scratch) {
        Ok(word) => Ok(word != 0 && word != NULL),
        Err(Failure::Missing(_)) => Ok(false),
        Err(failure) => Err(failure),
    }
}
