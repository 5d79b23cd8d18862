//! What remains when nothing happens any more: intents without an end, rows and locks that nobody will come for.

use super::facts::{Facts, bit};
use super::finding::{Act, Leftovers, Witness};
use super::flows::steps;
use super::open::{Deed, Open};
use super::sheet::{EVERYBODY, Sheet};
use crate::kernel::time::Time;
use crate::model::ids::{FlowId, TableId};
use crate::model::record::{FlowMove, NONE, StepRole, install};
use crate::store::Tables;

/// Every intent ends: for its client, and for good.
pub(super) fn every_intent_ends(open: &Open, settled: bool, at: Time, sheet: &mut Sheet) {
    sheet.run.obligations += 1;
    if !settled || open.party.told.is_none() {
        sheet.stuck(at, || Witness::NeverEnded { who: open.party });
    }
}

/// A row that was made by a step of a flow that is not fully done.
#[derive(Clone, Copy, Debug)]
struct Left {
    table: u16,
    row: u32,
    flow: u16,
    by: Act,
}

/// No lock, key or reservation is left behind.
#[derive(Clone, Debug)]
pub(super) struct NoLeak {
    watch: u64,
    left: Vec<Left>,
}

impl NoLeak {
    pub(super) fn new(watch: u64) -> NoLeak {
        NoLeak { watch, left: Vec::new() }
    }

    pub(super) fn reset(&mut self) {
        self.left.clear();
    }

    /// Notes rows made by steps that can be undone, if their flow failed and their effect stands.
    pub(super) fn settled(&mut self, open: &Open, facts: &Facts, sheet: &mut Sheet) {
        for instance in open.flows {
            sheet.run.obligations += 1;
            let flow = &facts.flows[usize::from(instance.flow)];
            let steps = steps(facts, open, instance);
            let suspects = steps.done & flow.compensatable;
            // Who undoes all has failed, even if an action came too late to be undone, so that all steps stand.
            let failed = match instance.end {
                Some(FlowMove::Compensated | FlowMove::Escalated) => true,
                Some(FlowMove::GaveUp) => flow.saga,
                _ => false,
            };
            if !failed && flow.lacking(&steps) == 0 || suspects == 0 {
                continue;
            }
            let made = |deed: &Deed| {
                matches!(open.part_of(deed, instance.id), Some((step, StepRole::Action))
                    if suspects >> (step & 63) & 1 == 1)
            };
            for put in open.puts {
                let deed = open.deed_of(put);
                let create = put.flag & install::CREATE != 0 && put.flag & install::OTHERWISE == 0;
                if create && self.watch & bit(put.table) != 0 && made(deed) {
                    let (table, row, flow, by) = (put.table, put.row, instance.flow, open.act(deed));
                    // One made by a flow within a flow is left behind by both.
                    let known = |left: &Left| (left.table, left.row) == (table, row);
                    if deed.instance == instance.id || !self.left.iter().any(known) {
                        self.left.push(Left { table, row, flow, by });
                    }
                }
            }
        }
    }

    pub(super) fn finish(&self, at: Time, leftovers: Leftovers, tables: &Tables, sheet: &mut Sheet) {
        sheet.run.obligations += 1;
        if !leftovers.is_empty() {
            sheet.violated(at, [EVERYBODY, NONE], || Witness::LeftLocked(leftovers));
        }
        for left in &self.left {
            let table = TableId(left.table);
            if tables.table(table).meta(left.row).live {
                sheet.violated(at, [left.by.party.serial, NONE], || Witness::LeftRow {
                    table,
                    row: left.row,
                    flow: FlowId(left.flow),
                    by: left.by,
                });
            }
        }
    }
}
