//! The history of one run, kept whole: every record, and beside each install the row before and after it.

use crate::model::ids::TableId;
use crate::model::record::{Kind, Record, install};
use crate::model::value::Word;
use crate::store::{Sink, Tables};

/// A row before and after an install. A row that was not there, or is gone, is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The index of the install among the records.
    pub record: usize,
    /// The cells before.
    pub before: Option<Vec<Word>>,
    /// The cells after.
    pub after: Option<Vec<Word>>,
}

/// The history of one run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The records, in order.
    pub records: Vec<Record>,
    /// What each install did, in order.
    pub images: Vec<Image>,
    /// The last known cells of each row: table, slot.
    rows: std::collections::BTreeMap<(u16, u32), Vec<Word>>,
}

impl Trace {
    /// A trace of a run that starts with these tables.
    pub fn starting_with(tables: &Tables, count: usize) -> Trace {
        let mut trace = Trace::default();
        for table in 0..count as u16 {
            let state = tables.table(TableId(table));
            let mut at = None;
            while let Some(slot) = state.next_row(at) {
                trace.rows.insert((table, slot), state.cells(slot).to_vec());
                at = Some(slot);
            }
        }
        trace
    }

    /// What an install did.
    pub fn image(&self, record: usize) -> Option<&Image> {
        let at = self.images.binary_search_by_key(&record, |image| image.record).ok()?;
        self.images.get(at)
    }
}

impl Sink for Trace {
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        if record.kind == Kind::Install {
            let key = (record.op, record.row);
            let gone = record.flag & install::DELETE != 0;
            let after = (!gone).then(|| tables.table(TableId(record.op)).cells(record.row).to_vec());
            let before = match &after {
                Some(cells) => self.rows.insert(key, cells.clone()),
                None => self.rows.remove(&key),
            };
            self.images.push(Image { record: self.records.len(), before, after });
        }
        self.records.push(*record);
    }
}
