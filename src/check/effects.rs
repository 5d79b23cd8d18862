//! Effects against each other: no update overwritten unseen, no effect twice.

use super::facts::bit;
use super::finding::Witness;
use super::history::{By, Loss};
use super::open::Open;
use super::sheet::Sheet;
use crate::model::ids::TableId;
use crate::model::record::Record;

/// No update is overwritten by a writer that had not seen it.
#[derive(Clone, Debug)]
pub(super) struct LostUpdate {
    pub(super) watch: u64,
    pub(super) strict: bool,
}

impl LostUpdate {
    #[inline]
    pub(super) fn install(&self, record: &Record, by: &By, loss: Option<&Loss>, sheet: &mut Sheet) {
        if self.watch & bit(record.op) == 0 {
            return;
        }
        sheet.run.obligations += 1;
        if let Some(loss) = loss
            && (loss.columns != 0 || (self.strict && loss.stale))
        {
            let (victim_version, victim) = loss.victim;
            sheet.violated(record.at, [victim.party.serial, by.party.serial], || Witness::LostUpdate {
                table: TableId(record.op),
                row: record.row,
                victim,
                victim_version,
                culprit: by.act(),
                version: record.ver,
                base: record.who,
                columns: loss.columns,
                victims: loss.victims,
            });
        }
    }
}

/// No effect takes place twice, unless it was undone in between.
#[derive(Clone, Debug)]
pub(super) struct DuplicateEffect {
    pub(super) watch: u64,
}

impl DuplicateEffect {
    pub(super) fn settled(&self, open: &Open, sheet: &mut Sheet) {
        let changed = || open.deeds().filter(|deed| deed.changed(self.watch));
        for deed in changed() {
            let mut before = open.deeds_in(0..deed.place()).filter(|deed| deed.changed(self.watch)).rev();
            let Some(first) = before.find(|other| other.effect == deed.effect) else {
                sheet.run.obligations += 1;
                continue;
            };
            let undone = open
                .deeds_in(first.place() + 1..deed.place())
                .any(|other| other.changed(u64::MAX) && open.opposite(other, deed));
            if !undone {
                let (first, second) = (open.act(first), open.act(deed));
                let serial = open.party.serial;
                sheet.violated(second.at, [serial, serial], || Witness::DuplicateEffect { first, second });
            }
        }
    }
}
