//! What is known of every open intent: what was done for it, what its flows believe, what its client was told.
//!
//! It is filled from the records once and read by all observers that judge an intent as a whole; when the intent is
//! settled its pages are free again. Two bits an intent stay to the end of the run: what the client was told.
//!
//! An intent is one line of memory; what was done for it is filed apart, and not for intents of which nobody will ask
//! anything. If the store shows writes one by one, the first of them stands for all.

use super::facts::{Facts, bit};
use super::finding::Party;
use super::oldest::Oldest;
use super::open::{Deed, Open, Put, StepOf, Work, ran};
use super::outcomes::Outcomes;
use crate::kernel::path::Path;
use crate::kernel::time::Time;
use crate::model::record::{FLOW, FlowMove, NONE, Outcome, Record, commit, install, step_word};
use crate::model::value::Word;

/// In [`Intent::ran`]: no operation.
const NO_OPERATION: u16 = u16::MAX;

/// A step and its role in one word.
type Step = u16;
/// Outside a flow.
const NO_STEP: Step = u16::MAX;
/// In [`Intent::changed`]: nothing.
const UNCHANGED: Step = u16::MAX - 1;

/// The step of a record that has one, as [`Record::step`].
#[inline]
fn step_of(record: &Record) -> Step {
    if record.row == NONE {
        NO_STEP
    } else {
        record.row as Step & 0xff00 | Step::from(record.row & 0xff != 0)
    }
}

/// An open intent.
#[derive(Clone, Debug)]
pub(super) struct Intent {
    pub(super) party: Party,
    /// Its root effect.
    effect: u64,
    pub(super) invoked: Time,
    /// The last execution that began.
    begun: Path,
    /// What was done for it, or [`NONE`].
    work: u32,
    /// The operation that was carried out first; others are in its work.
    ran: u16,
    live: bool,
    /// Whether the operation of the execution that began last writes.
    begun_writes: bool,
    /// The first two different steps that changed something: whether there is another than a given one.
    changed: [Step; 2],
}

impl Intent {
    const FREE: Intent = Intent {
        party: Party::NOBODY,
        effect: 0,
        invoked: Time::ZERO,
        begun: Path(0),
        work: NONE,
        ran: NO_OPERATION,
        live: false,
        begun_writes: false,
        changed: [UNCHANGED; 2],
    };

    /// Whether the operation that reads at this path also writes, if that execution is at hand.
    #[inline]
    pub(super) fn begun_to_write(&self, path: Path) -> Option<bool> {
        (self.begun == path).then_some(self.begun_writes)
    }

    /// The same; if it is not at hand, whether the intent writes anything.
    #[inline]
    pub(super) fn writes_at(&self, path: Path, facts: &Facts) -> bool {
        self.begun_to_write(path).unwrap_or_else(|| facts.writes(self.party.target))
    }

    /// Notes that a step changed something.
    #[inline]
    fn note_change(&mut self, step: Step) {
        let [first, second] = &mut self.changed;
        if *first == UNCHANGED {
            *first = step;
        } else if *first != step && *second == UNCHANGED {
            *second = step;
        }
    }
}

/// The commit that was taken last.
#[derive(Clone, Copy, Debug)]
struct Current {
    /// The intent, or [`NONE`].
    slot: u32,
    /// The deed it was filed as, or [`NONE`].
    deed: u32,
    /// Of its execution: the operation was carried out, and the step.
    ran: bool,
    step: Step,
    /// It is the first of its execution.
    first: bool,
}

impl Current {
    const NOBODYS: Current = Current { slot: NONE, deed: NONE, ran: false, step: NO_STEP, first: true };
}

/// All open intents.
#[derive(Clone, Debug)]
pub(super) struct Book {
    /// Whether somebody asks what was done for an intent.
    asked: bool,
    intents: Vec<Intent>,
    works: Vec<Work>,
    /// Works that no intent has.
    spare: Vec<u32>,
    told: Outcomes,
    /// How many intents there have been.
    begun: u32,
    oldest: Oldest,
    /// How many sagas were set aside.
    pub(super) parked: u64,
    current: Current,
}

impl Book {
    /// `asked`: somebody asks what was done for an intent.
    pub(super) fn new(asked: bool) -> Book {
        Book {
            asked,
            intents: Vec::new(),
            works: Vec::new(),
            spare: Vec::new(),
            told: Outcomes::default(),
            begun: 0,
            oldest: Oldest::new(),
            parked: 0,
            current: Current::NOBODYS,
        }
    }

    pub(super) fn reset(&mut self) {
        (0..self.intents.len() as u32).for_each(|slot| self.free(slot));
        self.told.reset(self.begun);
        self.oldest.reset();
        (self.begun, self.parked, self.current) = (0, 0, Current::NOBODYS);
    }

    /// The open intent in a slot.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Intent> {
        let intent = self.intents.get(slot as usize)?;
        intent.live.then_some(intent)
    }

    #[inline]
    fn get_mut(&mut self, slot: u32) -> Option<&mut Intent> {
        let intent = self.intents.get_mut(slot as usize)?;
        intent.live.then_some(intent)
    }

    /// The open intent in a slot, with all that was done for it.
    pub(super) fn view(&self, slot: u32) -> Option<Open<'_>> {
        self.get(slot).map(|intent| self.open(intent))
    }

    /// The steps that the flow of a commit's step carries out, from the inside out.
    pub(super) fn callers(&self, commit: &Record) -> Vec<StepOf> {
        let own = commit.step().map(|(step, role)| (commit.who, step, role));
        let open = own.and_then(|_| self.view(commit.intent));
        open.map_or_else(Vec::new, |open| open.steps_from(own).skip(1).collect())
    }

    fn open(&self, intent: &Intent) -> Open<'_> {
        Open::new(intent.party, intent.effect, self.works.get(intent.work as usize))
    }

    /// All open intents, by slot.
    pub(super) fn all(&self) -> impl Iterator<Item = Open<'_>> {
        self.intents.iter().filter(|intent| intent.live).map(|intent| self.open(intent))
    }

    /// What the client of the intent with this serial number was told.
    pub(super) fn told(&self, serial: u32) -> Option<Outcome> {
        self.told.get(serial)
    }

    /// The work of an open intent, made if it has none.
    #[inline]
    fn work(&mut self, slot: u32) -> &mut Work {
        if self.intents[slot as usize].work == NONE {
            self.give_work(slot);
        }
        &mut self.works[self.intents[slot as usize].work as usize]
    }

    #[inline(never)]
    fn give_work(&mut self, slot: u32) {
        let work = self.spare.pop().unwrap_or(self.works.len() as u32);
        if work as usize == self.works.len() {
            self.works.push(Work::default());
        }
        self.intents[slot as usize].work = work;
    }

    /// An execution begins.
    #[inline]
    pub(super) fn begin(&mut self, record: &Record, facts: &Facts) {
        // In a free slot this says nothing: whoever is invoked there starts anew.
        if let Some(intent) = self.intents.get_mut(record.intent as usize) {
            (intent.begun, intent.begun_writes) = (record.path, facts.writes(record.op));
        }
    }

    /// How many intents are open.
    pub(super) fn count(&self) -> u32 {
        self.oldest.open()
    }

    /// When the oldest open intent was invoked; the end of time if none is open.
    #[inline]
    pub(super) fn oldest_open(&self) -> Time {
        self.oldest.invoked()
    }

    /// Whether an intent can begin in a slot without memory being asked for, and without another one being there.
    #[inline(always)]
    pub(super) fn has_room(&self, slot: u32) -> bool {
        self.intents.get(slot as usize).is_some_and(|intent| !intent.live)
            && self.told.has_room(self.begun)
            && self.oldest.has_room()
    }

    /// Sees to it that one can.
    pub(super) fn make_room(&mut self, slot: u32) {
        if self.intents.len() <= slot as usize {
            self.intents.resize(slot as usize + 1, Intent::FREE);
        }
        self.free(slot);
        self.told.make_room(self.begun);
        self.oldest.make_room();
    }

    /// An intent begins; there is room for it.
    #[inline(always)]
    pub(super) fn invoke(&mut self, record: &Record) {
        let slot = record.intent as usize;
        let serial = self.begun;
        self.intents[slot] = Intent {
            party: Party {
                client: record.client,
                intent: record.ver,
                target: record.op,
                path: record.path,
                told: None,
                serial,
            },
            effect: record.data,
            invoked: record.at,
            live: true,
            ..Intent::FREE
        };
        self.oldest.enter(record.at);
        self.begun += 1;
    }

    /// Notes the arguments of an intent that has just begun.
    pub(super) fn note_args(&mut self, slot: u32, args: &[Word]) {
        if self.get(slot).is_some() {
            self.work(slot).args.extend_from_slice(args);
        }
    }

    /// An intent ends for its client.
    #[inline]
    pub(super) fn complete(&mut self, record: &Record) {
        let Some(intent) = self.get_mut(record.intent) else { return };
        let outcome = Outcome::of(record.flag);
        intent.party.told = Some(outcome);
        let serial = intent.party.serial;
        self.told.set(serial, outcome);
    }

    /// Takes a commit and returns for whom it was, if nobody asks what was done and there is little to be noted; else nothing
    /// is.
    #[inline(always)]
    pub(super) fn commit_at_once(&mut self, record: &Record) -> Option<&Party> {
        let intent = self.intents.get_mut(record.intent as usize)?;
        let (slot, ran, step) = (record.intent, ran(record.flag), step_of(record));
        let unasked = !self.asked && record.flag & commit::EARLY == 0;
        if !intent.live || !unasked || intent.work != NONE {
            return None;
        }
        if ran {
            if intent.ran != NO_OPERATION && intent.ran != record.op {
                return None;
            }
            intent.ran = record.op;
        }
        self.current = Current { slot, deed: NONE, ran, step, first: true };
        Some(&intent.party)
    }

    /// Takes a commit and returns for whom it was.
    #[inline]
    pub(super) fn commit(&mut self, record: &Record, facts: &Facts) -> Party {
        let Some(intent) = self.get(record.intent) else {
            self.current = Current::NOBODYS;
            return Party::NOBODY;
        };
        let party = intent.party;
        if self.commit_at_once(record).is_none() {
            self.file(record, facts);
        }
        party
    }

    /// Files a commit as a deed.
    #[inline(never)]
    fn file(&mut self, record: &Record, facts: &Facts) {
        let slot = record.intent;
        let target = self.intents[slot as usize].party.target;
        let work = self.work(slot);
        if let Some((step, role)) = record.step() {
            work.instance(record.who, || facts.flow_with(target, record.op, step, role));
        }
        let at = work.deeds.len() as u32;
        let early = record.flag & commit::EARLY != 0;
        let lead = if early || !work.early.is_empty() { work.lead(record, at) } else { at };
        work.deeds.push(Deed::of(record, lead));
        if lead == at {
            let ran = ran(record.flag);
            self.current = Current { slot, deed: at, ran, step: step_of(record), first: true };
            if ran {
                self.note_run(slot, record.op);
            }
        } else {
            let Deed { flag, step, .. } = work.deeds[lead as usize];
            let step = step.map_or(NO_STEP, |(step, role)| step_word(step, role) as Step);
            self.current = Current { slot, deed: at, ran: ran(flag), step, first: false };
        }
    }

    /// Notes an operation that was carried out.
    fn note_run(&mut self, slot: u32, op: u16) {
        let intent = &mut self.intents[slot as usize];
        if intent.ran == NO_OPERATION {
            intent.ran = op;
        } else if intent.ran != op {
            let others = &mut self.work(slot).ran;
            if !others.contains(&op) {
                others.push(op);
            }
        }
    }

    /// Whether the commit taken last is the first of its execution.
    #[inline]
    pub(super) fn is_first(&self) -> bool {
        self.current.first
    }

    /// Whether a row that the transaction writes which committed last is to be noted.
    #[inline(always)]
    pub(super) fn notes_puts(&self) -> bool {
        self.current.deed != NONE
    }

    /// A row is written by the transaction that committed last.
    #[inline(always)]
    pub(super) fn put(&mut self, record: &Record) {
        let Current { slot, deed, ran, step, .. } = self.current;
        let Some(intent) = self.intents.get_mut(slot as usize) else { return };
        let changes = record.flag & (install::NOOP | install::OTHERWISE | install::KEPT) == 0;
        if changes && ran {
            intent.note_change(step);
        }
        if deed == NONE {
            return;
        }
        let Work { puts, deeds, .. } = &mut self.works[intent.work as usize];
        puts.push(Put { deed, row: record.row, table: record.op, flag: record.flag });
        if changes {
            let lead = deeds[deed as usize].lead;
            deeds[lead as usize].tables |= bit(record.op);
        }
    }

    /// A flow moves, if it is the first instance of its intent, as most are; else nothing is noted. If nobody asks what became
    /// of flows, only those that are set aside count.
    #[inline(always)]
    pub(super) fn flow_at_once(&mut self, record: &Record) -> bool {
        if !self.asked && record.flag != FlowMove::Parked as u8 {
            return true;
        }
        let Some(work) = self.get(record.intent).map(|intent| intent.work) else { return true };
        let work = self.works.get_mut(work as usize);
        match work.filter(|work| work.flows.first().is_some_and(|first| first.id == record.who)) {
            Some(work) => {
                self.parked += u64::from(work.moves(0, record));
                true
            }
            None => false,
        }
    }

    /// A flow moves.
    pub(super) fn flow(&mut self, record: &Record) {
        if !self.flow_at_once(record)
            && usize::from(record.flag) < FlowMove::ALL.len()
            && let work = self.work(record.intent)
            && let Some(at) = work.instance(record.who, || Some(record.op & !FLOW))
        {
            let parked = work.moves(at, record);
            self.parked += u64::from(parked);
        }
    }

    /// The serial number of the open intent in a slot, if nothing was done or noted for it.
    #[inline(always)]
    pub(super) fn without_work(&self, slot: u32) -> Option<u32> {
        let intent = self.intents.get(slot as usize)?;
        (intent.live && intent.work == NONE).then_some(intent.party.serial)
    }

    /// Frees the slot of such an intent.
    #[inline(always)]
    pub(super) fn free_at_once(&mut self, slot: u32, serial: u32) {
        self.intents[slot as usize].live = false;
        if self.current.slot == slot {
            self.current.slot = NONE;
        }
        self.oldest.leave(serial);
    }

    /// Frees the slot of an intent.
    #[inline(never)]
    pub(super) fn free(&mut self, slot: u32) {
        let Some(intent) = self.get(slot) else { return };
        let (serial, work) = (intent.party.serial, intent.work);
        if work != NONE {
            self.works[work as usize].clear();
            self.spare.push(work);
        }
        self.free_at_once(slot, serial);
    }

    /// Whether an intent already has a deed of another step than this record's that was carried out.
    pub(super) fn has_other_step(&self, record: &Record) -> bool {
        let step = step_of(record);
        let other = |&other: &Step| other != UNCHANGED && other != step;
        self.get(record.intent).is_some_and(|intent| intent.changed.iter().any(other))
    }

    /// Whether what a lost answer would have told had been carried out.
    pub(super) fn was_done(&self, record: &Record) -> bool {
        self.get(record.intent).is_some_and(|intent| {
            let others = || self.works.get(intent.work as usize).map_or(&[][..], |work| &work.ran);
            match record.op & FLOW {
                0 => intent.ran == record.op || others().contains(&record.op),
                _ => intent.ran != NO_OPERATION,
            }
        })
    }
}

/// Whether a record names an intent.
#[inline]
pub(super) fn has_intent(record: &Record) -> bool {
    record.intent != NONE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All steps that a record can tell, and outside a flow.
    #[test]
    fn a_step_and_its_role_fit_a_word() {
        let record = |row: u32| Record {
            at: Time::ZERO,
            path: Path(0),
            data: 0,
            ver: 0,
            op: 0,
            flag: 0,
            kind: crate::model::record::Kind::Commit,
            client: 0,
            who: 0,
            row,
            intent: 0,
        };
        for row in (0..0x1_0000).chain([NONE]) {
            let record = record(row);
            let word = record.step().map_or(NO_STEP, |(step, role)| step_word(step, role) as Step);
            assert_eq!(step_of(&record), word, "{row:x}");
            assert_ne!(word, UNCHANGED);
        }
    }

    /// There may be tens of thousands, and most of them wait.
    #[test]
    fn an_intent_is_one_line_of_memory() {
        assert!(size_of::<Intent>() <= 64);
    }
}
