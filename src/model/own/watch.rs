//! An invariant in Rust: a fold over the records of a run, judged like those that the tool brings along.
//!
//! A watch is told of every record, of every commit when all its rows are in, of every intent when nothing more can
//! happen for it, and of the end of a run that came to rest. It notes what it examined and what is wrong; whether holding
//! was earned is then decided as for any other invariant, by what weather and workload offered.

use std::fmt;
use std::sync::Arc;

use super::db::{Db, Row, table};
use crate::kernel::path::Path;
use crate::model::Model;
use crate::model::ids::TableId;
use crate::model::record::{Kind, Outcome, Record};

/// What can break something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Hazard {
    /// Two intents open at the same time met on one row, at least one of them through an operation that writes; or one made
    /// the other wait for a lock.
    Contention,
    /// A second copy of a message arrived, or an event that an outbox has sent again.
    Duplicate,
    /// A request or an event was lost.
    RequestLost,
    /// An answer or an acknowledgement was lost although what it answers had been done.
    ReplyLost,
    /// A node crashed that was at work.
    Crash,
    /// An operation refused after another step of the same intent had taken effect.
    Refusal,
    /// A caller asked again after it had stopped waiting.
    Retry,
    /// A message was held up, or what was due at a node that stood still.
    Delay,
    /// A compensation was carried out.
    Undo,
    /// An operation failed technically.
    Failure,
}

impl Hazard {
    /// All of them; the position of one is its code.
    pub const ALL: [Hazard; 10] = [
        Hazard::Contention,
        Hazard::Duplicate,
        Hazard::RequestLost,
        Hazard::ReplyLost,
        Hazard::Crash,
        Hazard::Refusal,
        Hazard::Retry,
        Hazard::Delay,
        Hazard::Undo,
        Hazard::Failure,
    ];

    /// In a few words.
    pub fn describe(self) -> &'static str {
        match self {
            Hazard::Contention => "two intents at work on one row",
            Hazard::Duplicate => "a message that arrives twice",
            Hazard::RequestLost => "a lost request or event",
            Hazard::ReplyLost => "a lost answer to something done",
            Hazard::Crash => "a crash with work open",
            Hazard::Refusal => "a refusal after an earlier step was done",
            Hazard::Retry => "a repetition after a timeout",
            Hazard::Delay => "a delayed message or a paused node",
            Hazard::Undo => "a step undone",
            Hazard::Failure => "a technical failure",
        }
    }
}

/// An intent: what a client wants done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The client, numbered over all groups.
    pub client: u32,
    /// The index of the intent among the client's.
    pub index: u32,
    /// What it asked for: an operation, or a flow with [`FLOW`](crate::model::record::FLOW) added.
    pub target: u16,
    /// The path of the intent: its name for as long as the run lasts.
    pub path: Path,
    /// Its place among all intents of the run.
    pub serial: u32,
}

/// Something that was seen and can be shown with a violation: keep it as long as you like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The record. Of an install, the row; of a commit, the transaction.
    pub record: Record,
    /// The commit that an install belongs to; of anything else, the record itself.
    pub commit: Record,
    /// For whom it was done, if for anybody.
    pub wanted: Option<Wanted>,
}

/// A record as it comes in, with the tables as of it.
#[derive(Debug)]
pub struct Seen<'a, 'd> {
    /// The record and for whom it is.
    pub shown: Shown,
    /// The tables of all services, as `service.table`. Between the installs of one commit they are half way.
    pub db: &'a mut Db<'d>,
}

impl Seen<'_, '_> {
    /// The record.
    pub fn record(&self) -> &Record {
        &self.shown.record
    }

    /// Whether the record is a read or an install of this table, written `service.table`.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn is_row_of(&self, table: &str) -> bool {
        let record = &self.shown.record;
        matches!(record.kind, Kind::Read | Kind::Install) && TableId(record.op) == self.db.table(table)
    }
}

/// A commit when all its rows are in.
#[derive(Debug)]
pub struct Changed<'a, 'd> {
    /// The commit and for whom it is.
    pub shown: Shown,
    /// The rows it installed, in the order of the writes: table, slot, and whether there is a row now.
    pub rows: &'a [(TableId, u32, bool)],
    /// The tables of all services, as `service.table`.
    pub db: &'a mut Db<'d>,
}

impl<'d> Changed<'_, 'd> {
    /// The rows of this table, written `service.table`, that the commit left there; deleted ones are not among them.
    ///
    /// # Panics
    /// If there is no such table.
    pub fn rows_of(&mut self, table: &str) -> Vec<Row<'d>> {
        let table = self.db.table(table);
        let mine = self.rows.iter().filter(|(of, _, live)| *of == table && *live);
        mine.map(|(of, slot, _)| self.db.row(*of, *slot)).collect()
    }
}

/// An intent for which nothing more can happen.
#[derive(Debug)]
pub struct Ended<'a, 'd> {
    /// The intent.
    pub wanted: Wanted,
    /// What its client was told, if anything.
    pub told: Option<Outcome>,
    /// It came to its end by itself: nothing that belongs to it was alive any more. Otherwise the run ended first.
    pub settled: bool,
    /// What was committed for it, in order of time.
    pub commits: &'a [Shown],
    /// The tables of all services, as `service.table`.
    pub db: &'a mut Db<'d>,
}

/// A violation as a watch reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is wrong, as a sentence.
    pub text: String,
    /// What shows it, in order of time.
    pub shows: Vec<Shown>,
    /// The intents it is about, besides those of what is shown.
    pub about: Vec<Wanted>,
}

/// What a watch has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    obligations: u64,
    found: Vec<Note>,
}

impl Notes {
    /// Something was examined that could have been wrong. Without a single one of these, holding is not earned.
    pub fn examined(&mut self) {
        self.obligations += 1;
    }

    /// Something is wrong: a sentence, and what shows it. The intents of what is shown are those that are involved.
    pub fn violated(&mut self, text: impl Into<String>, shows: impl IntoIterator<Item = Shown>) {
        let note = Note { text: text.into(), shows: shows.into_iter().collect(), about: Vec::new() };
        self.found.push(note);
    }

    /// Something is wrong with an intent.
    pub fn violated_for(
        &mut self,
        wanted: Wanted,
        text: impl Into<String>,
        shows: impl IntoIterator<Item = Shown>,
    ) {
        let note = Note { text: text.into(), shows: shows.into_iter().collect(), about: vec![wanted] };
        self.found.push(note);
    }

    /// What was noted since this was asked last: how much was examined, and what is wrong.
    pub fn take(&mut self) -> (u64, Vec<Note>) {
        (std::mem::take(&mut self.obligations), std::mem::take(&mut self.found))
    }
}

/// An invariant in Rust. Every run gets a clone of the watch as it was registered, so there is nothing to reset.
///
/// All methods have a default that does nothing: implement those you need. A panic in any of them counts as a violation
/// of this invariant in that run and harms nothing else.
pub trait Watch: Clone + Send + Sync + 'static {
    /// The hazards of which any one suffices for the invariant to have been put to the test. By default any but a mere
    /// delay.
    fn needs(&self) -> Vec<Hazard> {
        Hazard::ALL.into_iter().filter(|hazard| *hazard != Hazard::Delay).collect()
    }

    /// The tables it is about, as `service.table`: a hazard counts if it concerns one of them. By default all.
    fn tables(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether it can only be judged when a run came to rest. If so, a run that does not is stuck, not fine. Say no if
    /// [`at_rest`](Watch::at_rest) and [`ended`](Watch::ended) have nothing to add.
    fn waits_for_rest(&self) -> bool {
        true
    }

    /// Takes a record, in order of time.
    fn seen(&mut self, _seen: &mut Seen<'_, '_>, _notes: &mut Notes) {}

    /// Takes a commit when all its rows are in. One that changes no row is only seen.
    fn changed(&mut self, _changed: &mut Changed<'_, '_>, _notes: &mut Notes) {}

    /// Takes an intent when nothing more can happen for it, or at the end of the run.
    fn ended(&mut self, _intent: &mut Ended<'_, '_>, _notes: &mut Notes) {}

    /// Looks at the tables when the run has come to rest.
    fn at_rest(&mut self, _db: &mut Db<'_>, _notes: &mut Notes) {}
}

/// A [`Watch`] of any type. Implemented for all of them; there is no need to name it.
pub trait AnyWatch: Send + Sync {
    /// See [`Watch::needs`].
    fn needs(&self) -> Vec<Hazard>;
    /// See [`Watch::tables`].
    fn tables(&self) -> Vec<String>;
    /// See [`Watch::waits_for_rest`].
    fn waits_for_rest(&self) -> bool;
    /// See [`Watch::seen`].
    fn seen(&mut self, seen: &mut Seen<'_, '_>, notes: &mut Notes);
    /// See [`Watch::changed`].
    fn changed(&mut self, changed: &mut Changed<'_, '_>, notes: &mut Notes);
    /// See [`Watch::ended`].
    fn ended(&mut self, intent: &mut Ended<'_, '_>, notes: &mut Notes);
    /// See [`Watch::at_rest`].
    fn at_rest(&mut self, db: &mut Db<'_>, notes: &mut Notes);
    /// A clone.
    fn boxed(&self) -> Box<dyn AnyWatch>;
}

impl<W: Watch> AnyWatch for W {
    fn needs(&self) -> Vec<Hazard> {
        Watch::needs(self)
    }

    fn tables(&self) -> Vec<String> {
        Watch::tables(self)
    }

    fn waits_for_rest(&self) -> bool {
        Watch::waits_for_rest(self)
    }

    fn seen(&mut self, seen: &mut Seen<'_, '_>, notes: &mut Notes) {
        Watch::seen(self, seen, notes);
    }

    fn changed(&mut self, changed: &mut Changed<'_, '_>, notes: &mut Notes) {
        Watch::changed(self, changed, notes);
    }

    fn ended(&mut self, intent: &mut Ended<'_, '_>, notes: &mut Notes) {
        Watch::ended(self, intent, notes);
    }

    fn at_rest(&mut self, db: &mut Db<'_>, notes: &mut Notes) {
        Watch::at_rest(self, db, notes);
    }

    fn boxed(&self) -> Box<dyn AnyWatch> {
        Box::new(self.clone())
    }
}

/// A watch as an invariant carries it. Two are equal if they are the same registration.
#[derive(Clone)]
pub struct OwnWatch(Arc<dyn AnyWatch>);

impl OwnWatch {
    /// A registration of a watch.
    pub fn new(watch: impl Watch) -> OwnWatch {
        OwnWatch(Arc::new(watch))
    }

    /// The watch as it was registered.
    pub fn prototype(&self) -> &dyn AnyWatch {
        &*self.0
    }

    /// The numbers of the tables it is about; none: all. Names that the model does not have are left out.
    pub fn scope(&self, model: &Model) -> Vec<TableId> {
        self.0.tables().iter().filter_map(|name| table(model, None, name)).collect()
    }
}

impl fmt::Debug for OwnWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnWatch")
    }
}

impl PartialEq for OwnWatch {
    fn eq(&self, other: &OwnWatch) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
