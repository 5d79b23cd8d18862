//! The judge of a run: one pass over the records that feeds every observer.
//!
//! What several observers need is kept once, in the book of intents and the history of rows. An observer is asked only
//! at the occasions it cares about: an install, the end of a commit, the end of an intent, the end of the run.

use std::sync::Arc;

use super::book::Book;
use super::counts::Counts;
use super::facts::Facts;
use super::finding::{Leftovers, Party};
use super::history::{By, History};
use super::observer::{Changes, Observer, Occasions, Settling, scope};
use super::sheet::Sheet;
use super::verdict::{Broken, RunVerdict};
use super::witness::{Hazard, Offers};
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::Model;
use crate::model::expr::{Counter, Scratch};
use crate::model::ids::TableId;
use crate::model::invariant::Invariant;
use crate::model::plan::{End, Plan};
use crate::model::record::{Kind, NONE, Record, StepRole, commit};
use crate::model::weather::Subject;
use crate::store::{Sink, Tables};

/// The transaction whose records are coming in.
#[derive(Clone, Debug)]
struct Current {
    by: By,
    /// How many of its installs are still to come.
    missing: u32,
    /// It is complete, but a part of a transaction with several commits.
    held: bool,
    /// The rows that it changed, of those tables whose changes concern anybody; one after the other, each once.
    changed: Vec<(u16, u32)>,
    /// The row that it changed last, of any table.
    last: (u16, u32),
}

/// In [`Current::last`]: none.
const NO_ROW: (u16, u32) = (u16::MAX, NONE);

impl Current {
    fn none() -> Current {
        let commit = Record {
            at: Time::ZERO,
            path: Path(0),
            data: 0,
            ver: 0,
            op: 0,
            flag: 0,
            kind: Kind::Commit,
            client: NONE,
            who: NONE,
            row: NONE,
            intent: NONE,
        };
        let by = By { commit, party: Party::NOBODY };
        Current { by, missing: 0, held: false, changed: Vec::new(), last: NO_ROW }
    }
}

/// Watches the records of one run after the other and says what they amount to.
///
/// Memory: what intents did, as long as they are open; the last 64 versions of each row; a byte for each intent of the
/// run; a row's origin for `at-most-one` and `no-orphan`; eight bytes for each violation.
#[derive(Clone, Debug)]
pub struct Judge {
    facts: Arc<Facts>,
    occasions: Arc<Occasions>,
    changes: Changes,
    observers: Vec<Observer>,
    sheets: Vec<Sheet>,
    /// What a run starts with: the sheets of invariants that do not even hold at its start.
    start: Vec<(u16, Observer, Sheet)>,
    book: Book,
    history: History,
    offers: Offers,
    /// Somebody waits for intents that meet at a row.
    contention: bool,
    /// Somebody is shown all records.
    shows: bool,
    /// Some transactions have several commits.
    merged: bool,
    /// Somebody judges lost updates, and flows carry out steps of others.
    nested: bool,
    /// Somebody asks for intents at their end.
    judges: bool,
    counts: Counts,
    current: Current,
    /// Whom a commit concerns, while they are told of it.
    asked: Vec<u16>,
    now: Time,
    /// Apart, as it is large: a judge is moved when it is made.
    scratch: Box<Scratch>,
}

impl Judge {
    /// A judge for the runs of a plan.
    pub fn new(model: &Arc<Model>, plan: &Plan, invariants: &[Invariant]) -> Judge {
        let facts = Facts::of(model, plan);
        let mut scratch = Box::<Scratch>::default();
        let mut tables = Tables::of(model);
        let mut occasions = Occasions::of(model.tables.len());
        let mut observers = Vec::new();
        for (at, invariant) in (0..).zip(invariants) {
            let observer = Observer::new(model, &invariant.kind, &mut tables, &mut scratch);
            observer.occasions(at, &mut occasions);
            observers.push(observer);
        }
        let scopes = invariants.iter().map(|one| (&one.kind, scope(model, &one.kind, &facts)));
        let offers = Offers::new(model.tables.len(), scopes);
        let exact = observers.iter().any(|observer| matches!(observer, Observer::LostUpdate(_)));
        // Which steps flows carry out is known of who asks what was done.
        let nested = exact && facts.calls_flows();
        let asked = nested || observers.iter().any(Observer::asks_for_deeds);
        let shows = !occasions.record.is_empty();
        let mut start = Vec::new();
        for (at, observer) in (0..).zip(&observers) {
            if let Observer::Always(always) = observer {
                let (mut always, mut sheet) = (always.clone(), Sheet::default());
                always.start(&mut tables, &mut scratch, &mut sheet);
                if sheet.run.violations > 0 || sheet.error.is_some() {
                    start.push((at, Observer::Always(always), sheet));
                }
            }
        }
        let noted: Vec<u16> = start.iter().map(|(at, ..)| *at).collect();
        let mut judge = Judge {
            changes: Changes::of(&occasions, &observers, &noted),
            merged: facts.merged,
            nested,
            judges: !(occasions.settled.is_empty() && occasions.flows.is_empty()),
            facts: Arc::new(facts),
            occasions: Arc::new(occasions),
            sheets: vec![Sheet::default(); observers.len()],
            observers,
            start,
            book: Book::new(asked),
            history: History::new(model, exact),
            contention: offers.wants(Hazard::Contention),
            offers,
            shows,
            counts: Counts::default(),
            current: Current::none(),
            asked: Vec::new(),
            now: Time::ZERO,
            scratch,
        };
        judge.reset();
        judge
    }

    /// Forgets the run and keeps the memory.
    pub fn reset(&mut self) {
        self.observers.iter_mut().for_each(Observer::reset);
        self.sheets.iter_mut().for_each(Sheet::reset);
        for (at, observer, sheet) in &self.start {
            self.observers[usize::from(*at)] = observer.clone();
            self.sheets[usize::from(*at)] = sheet.clone();
        }
        self.changes.reset();
        self.book.reset();
        self.history.reset();
        self.offers.reset();
        self.counts = Counts::default();
        self.current.missing = 0;
        self.current.held = false;
        self.current.changed.clear();
        self.current.last = NO_ROW;
        self.now = Time::ZERO;
    }

    /// Judges the run, after its last record. `tables` are as the run left them.
    ///
    /// If the run is at rest, intents that were never settled are judged as they are: nobody will ever go on with them.
    /// Otherwise what can only be judged at rest is stuck, and what is wrong at any time is still a violation.
    pub fn finish(&mut self, end: End, leftovers: Leftovers, tables: &mut Tables) -> RunVerdict {
        self.committed(tables);
        self.changes.count(&self.observers, &mut self.sheets);
        let at_rest = end == End::Rest;
        let open = self.book.all();
        for open in open {
            for (observer, sheet) in self.observers.iter_mut().zip(&mut self.sheets) {
                let cx = Settling { open: &open, settled: false, quiescent: at_rest, at: self.now };
                observer.settled(cx, &self.facts, tables, &mut self.scratch, sheet);
            }
        }
        for (observer, sheet) in self.observers.iter_mut().zip(&mut self.sheets) {
            match observer {
                Observer::AtRest(_) | Observer::Constant(_) | Observer::NoOrphan(_) | Observer::NoLeak(_)
                    if !at_rest =>
                {
                    sheet.run.stuck = true;
                }
                Observer::AtRest(at) => at.finish(self.now, tables, &mut self.scratch, sheet),
                Observer::Constant(at) => at.finish(self.now, tables, &mut self.scratch, sheet),
                Observer::NoOrphan(at) => at.finish(self.now, tables, &mut self.scratch, sheet),
                Observer::NoLeak(at) => at.finish(self.now, leftovers, tables, sheet),
                Observer::Own(own) => own.finish(self.now, at_rest, tables, sheet),
                _ => {}
            }
        }
        if end == End::Broken {
            // Code of the user's own ended the run: nobody knows what it would have come to.
            self.sheets.iter_mut().for_each(|sheet| sheet.run.stuck = true);
        }
        let count = |counter| self.counts.get(counter);
        let all_ok = count(Counter::Ok) == count(Counter::Intents);
        let completed = count(Counter::Ok) + count(Counter::Failed) + count(Counter::Unknown);
        let mut verdict = RunVerdict { completed: completed.unsigned_abs(), ..RunVerdict::default() };
        for (at, sheet) in self.sheets.iter_mut().enumerate() {
            sheet.run.hazards = self.offers.seen(at);
            let run = sheet.finish(&self.book, all_ok);
            self.counts.more(Counter::Silent, run.silent as i64);
            verdict.invariants.push(run);
            if let Some((failure, span)) = sheet.error.clone() {
                verdict.errors.push(Broken { invariant: at, failure, span });
            }
        }
        self.counts.more(Counter::Parked, self.book.parked as i64);
        verdict.counts = self.counts.clone();
        verdict
    }

    /// All installs of a commit have been seen.
    #[inline]
    fn committed(&mut self, tables: &mut Tables) {
        self.current.held = false;
        self.current.last = NO_ROW;
        if !self.current.changed.is_empty() {
            self.tell_commit(tables);
        }
    }

    /// Tells observers of a commit which rows it changed.
    #[inline(never)]
    fn tell_commit(&mut self, tables: &mut Tables) {
        let Judge { current, changes, observers, sheets, scratch, asked, .. } = self;
        let Current { by, changed, .. } = &*current;
        changes.of_commit(changed, asked);
        let mut noted = false;
        for &at in &*asked {
            let (observer, sheet) = (&mut observers[usize::from(at)], &mut sheets[usize::from(at)]);
            noted |= observer.committed(changed, by, tables, scratch, sheet);
        }
        if noted {
            changes.trouble(changed);
        }
        current.changed.clear();
    }

    /// The same of a commit that changed one row, as most do: without a list of them (some 60 instructions).
    fn tell_change(&mut self, change: (u16, u32), tables: &mut Tables) {
        if self.changes.table_mut(change.0).is_fine(TableId(change.0), change.1, tables) {
            return;
        }
        let Judge { current, changes, observers, sheets, scratch, .. } = self;
        let mut noted = false;
        for &at in &changes.table(change.0).commit {
            let (observer, sheet) = (&mut observers[usize::from(at)], &mut sheets[usize::from(at)]);
            noted |= observer.committed(&[change], &current.by, tables, scratch, sheet);
        }
        if noted {
            changes.trouble(&[change]);
        }
    }

    // Of each kind that comes often there is a short way for what nearly always is, which calls nothing but at its end, and so
    // has no registers to save (some 18 instructions each); all else goes the longer way.

    #[inline(never)]
    fn commit(&mut self, record: &Record, tables: &mut Tables) {
        let ended = !self.current.held && self.current.last.1 == NONE;
        let undoes = matches!(record.step(), Some((_, StepRole::Undo)));
        if ended
            && !undoes
            && !self.shows
            && record.ver > 0
            && let Some(party) = self.book.commit_at_once(record)
        {
            self.current.by.commit = *record;
            self.current.by.party = *party;
            self.current.missing = record.ver;
        } else {
            self.commit_further(record, tables);
        }
    }

    #[inline(never)]
    fn commit_further(&mut self, record: &Record, tables: &mut Tables) {
        if self.current.held || self.current.last.1 != NONE {
            let before = &self.current.by.commit;
            let same = before.path == record.path && before.at == record.at;
            if !(self.current.held && same) {
                self.committed(tables);
            }
        }
        let party = self.book.commit(record, &self.facts);
        self.current.by = By { commit: *record, party };
        self.current.missing = record.ver;
        if let Some((_, StepRole::Undo)) = record.step()
            && record.flag & (commit::REFUSED | commit::SKIPPED | commit::FENCED) == 0
        {
            if self.book.is_first() {
                self.counts.more(Counter::Compensations, 1);
            }
            self.offers.undo(record, &self.facts);
        }
        self.show(record, tables);
        self.complete(tables);
    }

    #[inline(never)]
    fn install(&mut self, record: &Record, tables: &mut Tables) {
        let plain = !(self.shows || self.merged || self.book.notes_puts())
            && self.current.missing == 1
            && self.current.last.1 == NONE
            && (!self.contention || self.offers.has_written(record));
        let oldest = self.book.oldest_open();
        if plain
            && let Some(place) = self.history.place(record, oldest)
            && let of = self.changes.table_mut(record.op)
            && of.install.is_empty()
            && of.is_fine(TableId(record.op), record.row, tables)
        {
            self.history.install_at(place, record, &self.current.by);
            self.book.put(record);
            self.counts.more(Counter::Writes, 1);
            self.current.missing = 0;
        } else {
            self.install_further(record, tables);
        }
    }

    #[inline(never)]
    fn install_further(&mut self, record: &Record, tables: &mut Tables) {
        self.counts.more(Counter::Writes, 1);
        self.book.put(record);
        // Most have read the row, to write it: they are known to be there.
        if !self.offers.has_written(record) {
            self.touch(record);
        }
        let oldest = self.book.oldest_open();
        let by = &self.current.by;
        let outer = if self.nested { self.book.callers(&by.commit) } else { Vec::new() };
        let overlaps = self.history.install(record, by, &outer, oldest, tables);
        if overlaps > 0 {
            self.counts.more(Counter::Overlaps, i64::from(overlaps));
        }
        if !self.changes.table(record.op).install.is_empty() {
            self.tell_install(record);
        }
        self.show(record, tables);
        let change = (record.op, record.row);
        if self.current.missing == 1 && self.current.last.1 == NONE && !self.merged {
            self.current.missing = 0;
            self.tell_change(change, tables);
        } else {
            self.change(change, tables);
        }
    }

    /// A row of a transaction that may change others.
    #[inline(never)]
    fn change(&mut self, change: (u16, u32), tables: &mut Tables) {
        if self.current.last != change {
            self.current.last = change;
            if !self.changes.table(change.0).commit.is_empty() {
                self.current.changed.push(change);
            }
        }
        self.current.missing = self.current.missing.saturating_sub(1);
        self.complete(tables);
    }

    /// Tells observers of an install.
    fn tell_install(&mut self, record: &Record) {
        let (by, loss) = (&self.current.by, self.history.loss());
        for &at in &self.changes.table(record.op).install {
            let sheet = &mut self.sheets[usize::from(at)];
            match &mut self.observers[usize::from(at)] {
                Observer::LostUpdate(lost) => lost.install(record, by, loss, sheet),
                Observer::NoOrphan(rows) => rows.install(record.op, record.row, record.flag, by),
                _ => {}
            }
        }
    }

    /// Ends the transaction if all its installs are in, and if nothing more can belong to it.
    #[inline]
    fn complete(&mut self, tables: &mut Tables) {
        if self.current.missing > 0 {
            return;
        }
        if self.merged && self.current.by.commit.step().is_some() {
            self.current.held = true;
        } else {
            self.committed(tables);
        }
    }

    /// A row is read or written.
    #[inline]
    fn touch(&mut self, record: &Record) {
        if self.contention {
            self.offers.touch(record, &self.book, &self.facts);
        }
    }

    /// Shows a record to the invariants in Rust, if there are any.
    #[inline]
    fn show(&mut self, record: &Record, tables: &mut Tables) {
        if self.shows {
            self.show_to_all(record, tables);
        }
    }

    #[inline(never)]
    fn show_to_all(&mut self, record: &Record, tables: &mut Tables) {
        for &at in &self.occasions.record {
            if let Observer::Own(own) = &mut self.observers[usize::from(at)] {
                own.record(record, &self.book, tables, &mut self.sheets[usize::from(at)]);
            }
        }
    }

    #[inline(never)]
    fn invoke(&mut self, record: &Record, tables: &mut Tables) {
        if self.shows || self.occasions.args || !self.book.has_room(record.intent) {
            return self.invoke_further(record, tables);
        }
        self.book.invoke(record);
        self.counts.more(Counter::Intents, 1);
    }

    #[inline(never)]
    fn invoke_further(&mut self, record: &Record, tables: &mut Tables) {
        self.book.make_room(record.intent);
        self.book.invoke(record);
        self.counts.more(Counter::Intents, 1);
        if self.occasions.args {
            self.book.note_args(record.intent, tables.arguments());
        }
        self.show(record, tables);
    }

    #[inline(never)]
    fn settled(&mut self, record: &Record, tables: &mut Tables) {
        let slot = record.intent;
        match self.book.without_work(slot) {
            Some(serial) if !(self.shows || self.judges || self.offers.has_more(slot)) => {
                self.offers.settled_at_once(slot, record.at);
                self.book.free_at_once(slot, serial);
            }
            _ => self.settled_further(record, tables),
        }
    }

    #[inline(never)]
    fn settled_further(&mut self, record: &Record, tables: &mut Tables) {
        self.show(record, tables);
        if self.judges {
            self.judge_intent(record, tables);
        }
        self.offers.settled(record.intent, record.at);
        self.book.free(record.intent);
    }

    /// Asks all whom the end of an intent concerns.
    fn judge_intent(&mut self, record: &Record, tables: &mut Tables) {
        let Some(open) = self.book.view(record.intent) else { return };
        let cx = Settling { open: &open, settled: true, quiescent: true, at: record.at };
        let none = &[][..];
        let of_flows = open.flows.iter().enumerate().map(|(n, instance)| {
            let again = || open.flows[..n].iter().any(|before| before.flow == instance.flow);
            match self.occasions.flows.get(usize::from(instance.flow)) {
                Some(of) if !of.is_empty() && !again() => &of[..],
                _ => none,
            }
        });
        for &at in self.occasions.settled.iter().chain(of_flows.flatten()) {
            let sheet = &mut self.sheets[usize::from(at)];
            let observer = &mut self.observers[usize::from(at)];
            observer.settled(cx, &self.facts, tables, &mut self.scratch, sheet);
        }
    }

    #[inline(never)]
    fn flow(&mut self, record: &Record, tables: &mut Tables) {
        if self.shows || !self.book.flow_at_once(record) {
            self.flow_further(record, tables);
        }
    }

    #[inline(never)]
    fn flow_further(&mut self, record: &Record, tables: &mut Tables) {
        self.book.flow(record);
        self.show(record, tables);
    }

    /// Takes a record of a kind that has no way of its own.
    fn other(&mut self, record: &Record, tables: &mut Tables) {
        self.counts.record(record, self.facts.replicas);
        self.offers.record(record, &self.book, &self.facts);
        self.show(record, tables);
    }
}

impl Sink for Judge {
    // Whoever says something says of what kind it is. With this match in its own code, only one arm of it is left there,
    // and the most frequent kinds, of which little is to be noted, cost no call at all (some 40 instructions a record).
    #[inline(always)]
    fn record(&mut self, record: &Record, tables: &mut Tables) {
        self.now = record.at;
        if self.current.held && !matches!(record.kind, Kind::Commit | Kind::Install) {
            self.committed(tables);
        }
        match record.kind {
            Kind::Sent => {
                self.counts.sent(record);
                self.offers.sent(record, &self.facts);
            }
            Kind::Delivered => self.offers.delivered(record, &self.book, &self.facts),
            Kind::Begin if self.contention => self.book.begin(record, &self.facts),
            Kind::Begin => {}
            Kind::Read => self.touch(record),
            Kind::Commit => self.commit(record, tables),
            Kind::Install => self.install(record, tables),
            Kind::Invoke => self.invoke(record, tables),
            Kind::Complete => {
                self.counts.record(record, self.facts.replicas);
                self.book.complete(record);
                self.show(record, tables);
            }
            Kind::Settled => self.settled(record, tables),
            Kind::Flow => self.flow(record, tables),
            _ => self.other(record, tables),
        }
    }
    fn offered(&mut self, hazard: Hazard, to: Subject) {
        self.offers.offered(hazard, to, &self.facts);
    }
}
