//! Where the records of a run go: a digest, observers, a log, or several of them at once.

use super::tables::Tables;
use crate::model::own::Hazard;
use crate::model::record::Record;
use crate::model::weather::Subject;

/// Takes the records of a run one by one, with a look at the tables as of that record.
pub trait Sink {
    /// Takes a record. `tables` may be read, and lists and records may be made in its heap; nothing else.
    fn record(&mut self, record: &Record, tables: &mut Tables);

    /// Takes note of something that no record tells of and that could break an invariant: a crash that hit somebody at work,
    /// say. It is no part of the history.
    fn offered(&mut self, _hazard: Hazard, _to: Subject) {}
}

impl Sink for () {
    #[inline]
    fn record(&mut self, _record: &Record, _tables: &mut Tables) {}
}

impl<A: Sink, B: Sink> Sink for (A, B) {
    #[inline(always)]
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        self.0.record(record, tables);
        self.1.record(record, tables);
    }

    fn offered(&mut self, hazard: Hazard, to: Subject) {
        self.0.offered(hazard, to);
        self.1.offered(hazard, to);
    }
}

impl<S: Sink> Sink for &mut S {
    #[inline(always)]
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        (**self).record(record, tables);
    }

    fn offered(&mut self, hazard: Hazard, to: Subject) {
        (**self).offered(hazard, to);
    }
}

impl<S: Sink> Sink for Option<S> {
    #[inline(always)]
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        if let Some(sink) = self {
            sink.record(record, tables);
        }
    }

    fn offered(&mut self, hazard: Hazard, to: Subject) {
        if let Some(sink) = self {
            sink.offered(hazard, to);
        }
    }
}
