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
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let head = u32::from(record.kind as u8) << 24 | u32::from(record.flag) << 16 | u32::from(record.op);
        self.0.block(&[
            record.at.0,
            record.path.0,
            record.data,
            pair(head, record.ver),
            pair(record.who, record.client),
            pair(record.intent, record.row),
        ]);
    }
}
