//! The observer behind an invariant in Rust: it feeds the watch, translates its notes into findings, and keeps a panic
//! in it from harming anything else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::book::Book;
use super::finding::{Act, Party, Witness};
use super::observer::Settling;
use super::open::Deed;
use super::sheet::{EVERYBODY, Sheet};
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::ids::TableId;
use crate::model::own::{AnyWatch, Changed, Db, Ended, Note, Notes, OwnWatch, Seen, Shown, Wanted, said};
use crate::model::record::{Kind, NONE, Record};
use crate::store::{Rows, Tables};

/// A watch at work on one run.
pub(super) struct Own {
    model: Arc<Model>,
    registered: OwnWatch,
    /// `None` once it panicked.
    watch: Option<Box<dyn AnyWatch>>,
    waits_for_rest: bool,
    /// The commit whose installs are coming in.
    commit: Option<Shown>,
    notes: Notes,
}

impl Clone for Own {
    fn clone(&self) -> Own {
        Own {
            model: self.model.clone(),
            registered: self.registered.clone(),
            watch: self.watch.as_ref().map(|watch| watch.boxed()),
            waits_for_rest: self.waits_for_rest,
            commit: self.commit,
            notes: self.notes.clone(),
        }
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Own").field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl Own {
    pub(super) fn new(model: &Arc<Model>, registered: &OwnWatch) -> Own {
        Own {
            model: model.clone(),
            registered: registered.clone(),
            watch: Some(registered.prototype().boxed()),
            waits_for_rest: registered.prototype().waits_for_rest(),
            commit: None,
            notes: Notes::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.watch = Some(self.registered.prototype().boxed());
        self.commit = None;
        self.notes.take();
    }

    /// Lets the watch look at the tables, and files what it notes.
    fn look(
        &mut self,
        at: Time,
        tables: &mut Tables,
        sheet: &mut Sheet,
        ask: impl FnOnce(&mut dyn AnyWatch, &mut Db<'_>, &mut Notes),
    ) {
        let Some(watch) = &mut self.watch else { return };
        let mut rows: Rows<'_> = tables.rows();
        let mut db = Db::new(&self.model, &mut rows, None, at);
        let notes = &mut self.notes;
        // What a panic leaves half done is dropped: the watch is never asked again in this run.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| ask(&mut **watch, &mut db, notes))) {
            self.watch = None;
            let text = said(&*panic);
            let what = || Witness::Own { text, panicked: true, acts: Vec::new(), about: Vec::new() };
            sheet.violated(at, [NONE, NONE], what);
        }
        let (examined, found) = self.notes.take();
        sheet.run.obligations += examined;
        for note in found {
            file(at, note, sheet);
        }
    }

    #[inline]
    pub(super) fn record(&mut self, record: &Record, book: &Book, tables: &mut Tables, sheet: &mut Sheet) {
        let wanted = book.get(record.intent).map(|intent| wanted(&intent.party));
        let commit = match (record.kind, self.commit) {
            (Kind::Install, Some(commit)) => commit.record,
            _ => *record,
        };
        let shown = Shown { record: *record, commit, wanted };
        if record.kind == Kind::Commit {
            self.commit = Some(shown);
        }
        self.look(record.at, tables, sheet, |watch, db, notes| watch.seen(&mut Seen { shown, db }, notes));
    }

    /// All rows of the last commit are in.
    pub(super) fn committed(&mut self, changed: &[(u16, u32)], tables: &mut Tables, sheet: &mut Sheet) {
        let Some(shown) = self.commit else { return };
        let rows: Vec<(TableId, u32, bool)> = (changed.iter())
            .map(|&(table, slot)| {
                let table = TableId(table);
                (table, slot, tables.table(table).meta(slot).live)
            })
            .collect();
        self.look(shown.record.at, tables, sheet, |watch, db, notes| {
            watch.changed(&mut Changed { shown, rows: &rows, db }, notes);
        });
    }

    pub(super) fn settled(&mut self, cx: Settling<'_>, tables: &mut Tables, sheet: &mut Sheet) {
        let party = cx.open.party;
        if !cx.quiescent && self.waits_for_rest {
            sheet.run.stuck = true;
            return;
        }
        let wanted = wanted(&party);
        let commits: Vec<Shown> = cx.open.deeds().map(|deed| shown(deed, wanted)).collect();
        self.look(cx.at, tables, sheet, |watch, db, notes| {
            let told = party.told;
            watch.ended(&mut Ended { wanted, told, settled: cx.settled, commits: &commits, db }, notes);
        });
    }

    pub(super) fn finish(&mut self, at: Time, at_rest: bool, tables: &mut Tables, sheet: &mut Sheet) {
        if at_rest {
            self.look(at, tables, sheet, |watch, db, notes| watch.at_rest(db, notes));
        } else if self.waits_for_rest {
            sheet.run.stuck = true;
        }
    }
}

fn wanted(party: &Party) -> Wanted {
    Wanted {
        client: party.client,
        index: party.intent,
        target: party.target,
        path: party.path,
        serial: party.serial,
    }
}

fn party(wanted: &Wanted) -> Party {
    Party {
        client: wanted.client,
        intent: wanted.index,
        target: wanted.target,
        path: wanted.path,
        told: None,
        serial: wanted.serial,
    }
}

/// A commit that the book has filed, as the record it was.
fn shown(deed: &Deed, wanted: Wanted) -> Shown {
    let &Deed { at, path, op, effect, instance, step, .. } = deed;
    let row = step.map_or(NONE, |(step, role)| crate::model::record::step_word(step, role));
    let record = Record {
        at,
        path,
        data: effect,
        kind: Kind::Commit,
        flag: deed.flag,
        op,
        who: instance,
        client: wanted.client,
        intent: NONE,
        row,
        ver: 0,
    };
    Shown { record, commit: record, wanted: Some(wanted) }
}

fn act(shown: &Shown) -> Act {
    let of = &shown.commit;
    let is_commit = of.kind == Kind::Commit;
    Act {
        at: of.at,
        path: of.path,
        op: of.op,
        effect: if is_commit { of.data } else { 0 },
        instance: if is_commit { of.who } else { NONE },
        step: if is_commit { of.step() } else { None },
        party: shown.wanted.as_ref().map_or(Party::NOBODY, party),
    }
}

fn file(at: Time, note: Note, sheet: &mut Sheet) {
    let acts: Vec<Act> = note.shows.iter().map(act).collect();
    let about: Vec<Party> = note.about.iter().map(party).collect();
    let mut serials: Vec<u32> = acts.iter().map(|act| act.party.serial).collect();
    serials.extend(about.iter().map(|party| party.serial));
    serials.retain(|&serial| serial != NONE);
    serials.sort_unstable();
    serials.dedup();
    let involved = match serials[..] {
        [] => [EVERYBODY, NONE],
        [one] => [one, NONE],
        [one, two] => [one, two],
        _ => [EVERYBODY, NONE],
    };
    let at = acts.iter().map(|act| act.at).max().unwrap_or(at);
    sheet.violated(at, involved, || Witness::Own { text: note.text, panicked: false, acts, about });
}
