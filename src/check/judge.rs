//! The judge of a run: one pass over the records that feeds every observer.

use std::sync::Arc;

use super::finding::Leftovers;
use super::verdict::{InvariantRun, RunVerdict};
use crate::model::Model;
use crate::model::invariant::Invariant;
use crate::model::plan::{End, Plan};
use crate::model::record::Record;
use crate::store::{Sink, Tables};

/// Watches the records of one run after the other and says what they amount to.
#[derive(Clone, Debug)]
pub struct Judge {
    invariants: usize,
}

impl Judge {
    /// A judge for the runs of a plan.
    pub fn new(model: &Arc<Model>, plan: &Plan, invariants: &[Invariant]) -> Judge {
        let _ = (model, plan);
        Judge { invariants: invariants.len() }
    }

    /// Forgets the run and keeps the memory.
    pub fn reset(&mut self) {}

    /// Judges the run, after its last record.
    pub fn finish(&mut self, end: End, leftovers: Leftovers, tables: &mut Tables) -> RunVerdict {
        let _ = (end, leftovers, tables);
        RunVerdict { invariants: vec![InvariantRun::default(); self.invariants], ..RunVerdict::default() }
    }
}

impl Sink for Judge {
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        let _ = (record, tables);
    }
}
