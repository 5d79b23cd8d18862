//! The history of one run, kept whole: every record, and beside each install the row before and after it.
//!
//! It is kept while the run goes on, so it is flat: records one after the other, and all cells in one other list. Nothing is
//! allocated for a record.

use crate::model::ids::TableId;
use crate::model::record::{Kind, Record, install};
use crate::model::value::Word;
use crate::store::{Sink, Tables};

/// A row before and after an install. A row that was not there, or is gone, is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'t> {
    /// The cells before.
    pub before: Option<&'t [Word]>,
    /// The cells after.
    pub after: Option<&'t [Word]>,
}

/// The history of one run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The records, in order.
    pub records: Vec<Record>,
    /// What each install did, in order.
    images: Vec<Kept>,
    /// The cells of rows as they were at the start and after each install.
    cells: Vec<Word>,
    /// Where the last known cells of each row are: by table, by slot.
    rows: Vec<Vec<u32>>,
}

/// What an install did: where in `cells` its row is, or [`NOWHERE`].
#[derive(Clone, Copy, Debug)]
struct Kept {
    record: u32,
    width: u32,
    before: u32,
    after: u32,
}

const NOWHERE: u32 = u32::MAX;

impl Trace {
    /// A trace of a run that starts with these tables.
    pub fn starting_with(tables: &Tables, count: usize) -> Trace {
        let mut trace = Trace::default();
        for table in 0..count as u16 {
            let state = tables.table(TableId(table));
            let mut at = None;
            while let Some(slot) = state.next_row(at) {
                let cells = trace.keep(state.cells(slot));
                trace.note(table, slot, cells);
                at = Some(slot);
            }
        }
        trace
    }

    /// What an install did, by its index among the records.
    pub fn image(&self, record: usize) -> Option<Image<'_>> {
        let at = self.images.binary_search_by_key(&record, |image| image.record as usize).ok()?;
        let Kept { width, before, after, .. } = self.images[at];
        let cells = |from: u32| (from != NOWHERE).then(|| &self.cells[from as usize..][..width as usize]);
        Some(Image { before: cells(before), after: cells(after) })
    }

    /// How many bytes it takes to keep it.
    pub fn bytes(&self) -> usize {
        let rows: usize = self.rows.iter().map(|rows| size_of_val(&rows[..])).sum();
        size_of_val(&self.records[..]) + size_of_val(&self.images[..]) + size_of_val(&self.cells[..]) + rows
    }

    fn keep(&mut self, cells: &[Word]) -> u32 {
        let at = self.cells.len() as u32;
        self.cells.extend_from_slice(cells);
        at
    }

    /// Notes where the cells of a row are now, and yields where they were.
    fn note(&mut self, table: u16, slot: u32, cells: u32) -> u32 {
        let (table, slot) = (usize::from(table), slot as usize);
        if self.rows.len() <= table {
            self.rows.resize_with(table + 1, Vec::new);
        }
        let rows = &mut self.rows[table];
        if rows.len() <= slot {
            rows.resize(slot + 1, NOWHERE);
        }
        std::mem::replace(&mut rows[slot], cells)
    }

    /// Out of line, since ten of eleven records are no installs, and all they take is to be pushed.
    #[inline(never)]
    fn installed(&mut self, record: &Record, tables: &Tables) {
        let state = tables.table(TableId(record.op));
        let gone = record.flag & install::DELETE != 0;
        let after = if gone { NOWHERE } else { self.keep(state.cells(record.row)) };
        let before = self.note(record.op, record.row, after);
        let (record, width) = (self.records.len() as u32, state.width() as u32);
        self.images.push(Kept { record, width, before, after });
    }
}

impl Sink for Trace {
    #[inline]
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        if record.kind == Kind::Install {
            self.installed(record, tables);
        }
        self.records.push(*record);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::explore::Prepared;
    use crate::scenario::{self, load::read_from_disk};

    type Cells = Option<Vec<Word>>;

    /// The plain way to keep what installs did: a copy of each row.
    #[derive(Default)]
    struct Plain {
        rows: BTreeMap<(u16, u32), Vec<Word>>,
        images: Vec<(usize, Cells, Cells)>,
        count: usize,
    }

    impl Sink for Plain {
        fn record(&mut self, record: &Record, tables: &mut Tables) {
            if record.kind == Kind::Install {
                let key = (record.op, record.row);
                let cells = tables.table(TableId(record.op)).cells(record.row).to_vec();
                let after = (record.flag & install::DELETE == 0).then_some(cells);
                let before = match &after {
                    Some(cells) => self.rows.insert(key, cells.clone()),
                    None => self.rows.remove(&key),
                };
                self.images.push((self.count, before, after));
            }
            self.count += 1;
        }
    }

    #[test]
    fn rows_before_and_after_are_those_that_copies_show() {
        let mut seen = [0; 3];
        for file in std::fs::read_dir("scenarios").unwrap().map(|file| file.unwrap().path()) {
            let scenario = scenario::read(Path::new(&file), &mut read_from_disk).unwrap();
            for strategy in &scenario.cases[0].strategies {
                let prepared = Prepared::of(strategy);
                let Some(mut bench) = prepared.bench() else { continue };
                let start = Tables::of(&prepared.model);
                let count = prepared.model.tables.len();
                let mut plain = Plain::default();
                for table in 0..count as u16 {
                    let state = start.table(TableId(table));
                    for slot in (0..state.slots()).filter(|&slot| state.meta(slot).live) {
                        plain.rows.insert((table, slot), state.cells(slot).to_vec());
                    }
                }
                let mut trace = Trace::starting_with(&start, count);
                bench.run_with(1, &mut (&mut trace, &mut plain));
                assert_eq!(trace.records.len(), plain.count);
                let installs = trace.records.iter().filter(|record| record.kind == Kind::Install);
                assert_eq!(installs.count(), plain.images.len());
                for (record, before, after) in &plain.images {
                    let image = trace.image(*record).unwrap();
                    assert_eq!(image.before, before.as_deref());
                    assert_eq!(image.after, after.as_deref());
                    seen[usize::from(before.is_some()) + usize::from(after.is_none())] += 1;
                    assert_eq!(
                        trace.image(record + 1).is_some(),
                        plain.images.iter().any(|i| i.0 == record + 1)
                    );
                }
            }
        }
        assert!(seen.iter().all(|&count| count > 0), "rows made, changed and deleted were seen: {seen:?}");
    }

    #[test]
    fn a_record_takes_forty_eight_bytes_and_an_install_sixteen_and_its_cells() {
        assert_eq!(size_of::<Record>(), 48);
        assert_eq!(size_of::<Kept>(), 16);
    }
}
