//! The digest of a history: equal digests mean equal runs, on any machine.
//!
//! Every record counts with all its words, in this order; a change to either raises the seed contract.

use crate::kernel::digest::Digest;
use crate::model::record::Record;
use crate::store::{Sink, Tables};

/// Digests the records of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryDigest(Digest);

impl HistoryDigest {
    /// The digest so far.
    pub fn finish(&self) -> [u64; 2] {
        self.0.finish()
    }
}

impl Sink for HistoryDigest {
    #[inline]
    fn record(&mut self, record: &Record, _tables: &mut Tables) {
        self.0.block(&record.words());
    }
}
