//! Hazards: what weather and workload offered that could have broken an invariant. Without one, holding is not earned.
//!
//! They are counted before any strategy can have warded them off: two intents that were open together and met on a row
//! count, also if a lock made one wait; a second copy that arrives counts, also if a key turns it away. An intent is open
//! from its invocation to its settlement, because under an early answer its work comes after its answer.

use super::book::{Book, has_intent};
use super::facts::{ALL_TABLES, Facts, bit};
use crate::kernel::path::{Path, Role, mix};
use crate::kernel::time::Time;
use crate::model::invariant::InvariantKind;
use crate::model::record::{Kind, NONE, Record, StepRole, commit};
use crate::model::weather::PointKind;
use crate::store::Index;

pub use crate::model::own::Hazard;

/// The hazards of which any one suffices for an invariant of this kind to have been put to the test.
///
/// Besides its kind a hazard must concern the invariant's tables: a row of them, or an operation, flow or event that can
/// change them. Crashes and pauses concern everything.
///
/// | kind | any of |
/// |---|---|
/// | no-lost-update | contention |
/// | no-duplicate-effect | duplicate, lost answer, retry, crash |
/// | acked-is-durable | lost request, lost answer, crash, refusal, failure, retry, duplicate, delay, undo |
/// | failed-has-no-effect, outcome-agrees | the same |
/// | all-or-nothing, no-leak | lost request, lost answer, crash, refusal, failure, delay |
/// | compensation-rules | lost request, lost answer, crash, refusal, failure, retry, duplicate, delay, undo |
/// | every-intent-ends | lost request, lost answer, crash, refusal, failure, delay, contention |
/// | expressions, at-most-one, no-orphan | contention, duplicate, lost request, lost answer, crash, refusal, failure, retry, undo |
/// | one in Rust | what it says itself |
pub fn needs(kind: &InvariantKind) -> Vec<Hazard> {
    use Hazard::*;
    let needed: &[Hazard] = match kind {
        InvariantKind::Own(own) => return own.prototype().needs(),
        InvariantKind::NoLostUpdate { .. } => &[Contention],
        InvariantKind::NoDuplicateEffect(_) => &[Duplicate, ReplyLost, Retry, Crash],
        InvariantKind::AckedIsDurable(_)
        | InvariantKind::FailedHasNoEffect
        | InvariantKind::OutcomeAgrees
        | InvariantKind::CompensationRules(_) => {
            &[RequestLost, ReplyLost, Crash, Refusal, Failure, Retry, Duplicate, Delay, Undo]
        }
        InvariantKind::AllOrNothing(_) | InvariantKind::NoLeak(_) => {
            &[RequestLost, ReplyLost, Crash, Refusal, Failure, Delay]
        }
        InvariantKind::EveryIntentEnds => {
            &[RequestLost, ReplyLost, Crash, Refusal, Failure, Delay, Contention]
        }
        InvariantKind::Always(_)
        | InvariantKind::AtRest(_)
        | InvariantKind::PerIntent(_)
        | InvariantKind::Constant(_)
        | InvariantKind::AtMostOne { .. }
        | InvariantKind::NoOrphan { .. } => {
            &[Contention, Duplicate, RequestLost, ReplyLost, Crash, Refusal, Failure, Retry, Undo]
        }
    };
    needed.to_vec()
}

/// What invariants wait for that are alike in it, and how much of it came.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Need {
    kinds: u16,
    tables: u64,
    /// Contention counts only at rows of these very tables.
    at_the_row: bool,
    seen: u64,
}

/// Who is at a row.
#[derive(Clone, Copy, Debug, Default)]
struct Meeting {
    open: u32,
    writers: u32,
    /// When the last of them was settled, and the last writer.
    left: Time,
    writer_left: Time,
}

/// An open intent that has been at a row.
#[derive(Clone, Copy, Debug)]
struct Touch {
    slot: u32,
    table: u16,
    writes: bool,
    row: u32,
    next: u32,
}

/// A message with several copies under way.
#[derive(Clone, Copy, Debug)]
struct Copies {
    path: Path,
    /// How many there are.
    count: u32,
    arrived: u32,
}

/// So many doubled messages of one intent are looked through, more are filed.
const FEW: usize = 8;

/// What an open intent has met that may yet become a hazard.
#[derive(Clone, Debug, Default)]
struct Pending {
    copies: Vec<Copies>,
    /// By the names of the copies, once they are many.
    index: Index,
    /// What it has stopped waiting for.
    timeouts: Vec<u16>,
}

/// Counts hazards.
#[derive(Clone, Debug)]
pub(super) struct Offers {
    needs: Vec<Need>,
    /// By invariant which of them it has.
    of: Vec<u16>,
    contention: bool,
    meetings: Vec<Vec<Meeting>>,
    dirty: Vec<(u16, u32)>,
    touches: Vec<Touch>,
    free: Vec<u32>,
    index: Index,
    /// By intent slot the first of its touches.
    heads: Vec<u32>,
    /// By intent slot.
    pending: Vec<Pending>,
    /// For what belongs to no intent.
    nobody: Pending,
}

impl Offers {
    /// For each invariant its kind and the tables that it is about.
    pub(super) fn new<'a>(tables: usize, kinds: impl Iterator<Item = (&'a InvariantKind, u64)>) -> Offers {
        let kinds = kinds.map(|(kind, tables)| Need {
            kinds: needs(kind).iter().fold(0, |set, &hazard| set | 1 << hazard as u16),
            tables,
            at_the_row: matches!(kind, InvariantKind::NoLostUpdate { .. }),
            seen: 0,
        });
        let mut needs: Vec<Need> = Vec::new();
        let mut of = Vec::new();
        for need in kinds {
            let known = needs.iter().position(|known| *known == need);
            of.push(known.unwrap_or(needs.len()) as u16);
            if known.is_none() {
                needs.push(need);
            }
        }
        Offers {
            of,
            contention: needs.iter().any(|need| need.kinds >> Hazard::Contention as u16 & 1 == 1),
            needs,
            meetings: vec![Vec::new(); tables],
            dirty: Vec::new(),
            touches: Vec::new(),
            free: Vec::new(),
            index: Index::default(),
            heads: Vec::new(),
            pending: Vec::new(),
            nobody: Pending::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.needs.iter_mut().for_each(|need| need.seen = 0);
        for (table, row) in self.dirty.drain(..) {
            self.meetings[usize::from(table)][row as usize] = Meeting::default();
        }
        self.touches.clear();
        self.free.clear();
        self.index.clear();
        self.heads.clear();
        self.pending.iter_mut().for_each(Pending::clear);
        self.nobody.clear();
    }

    /// What an intent has met so far.
    fn pending(&mut self, slot: u32) -> &mut Pending {
        if slot == NONE {
            return &mut self.nobody;
        }
        if self.pending.len() <= slot as usize {
            self.pending.resize_with(slot as usize + 1, Pending::default);
        }
        &mut self.pending[slot as usize]
    }

    /// How many hazards an invariant has met.
    pub(super) fn seen(&self, invariant: usize) -> u64 {
        self.needs[usize::from(self.of[invariant])].seen
    }

    fn offer(&mut self, hazard: Hazard, tables: u64, times: u32) {
        for need in &mut self.needs {
            let concerns = need.tables == ALL_TABLES || need.tables & tables != 0;
            if need.kinds >> hazard as u16 & 1 == 1 && concerns {
                need.seen += u64::from(times);
            }
        }
    }

    /// Takes a record; the book must have it already.
    #[inline]
    pub(super) fn record(&mut self, record: &Record, book: &Book, facts: &Facts) {
        match record.kind {
            Kind::Lost => {
                if is(record, PointKind::Request) || is(record, PointKind::Event) {
                    self.offer(Hazard::RequestLost, subject(record, facts), 1);
                } else if is(record, PointKind::Reply) && book.was_done(record) {
                    self.offer(Hazard::ReplyLost, subject(record, facts), 1);
                }
            }
            Kind::Delayed => self.offer(Hazard::Delay, subject(record, facts), 1),
            Kind::Crash if book.open > 0 => self.offer(Hazard::Crash, ALL_TABLES, 1),
            Kind::Pause if book.open > 0 => self.offer(Hazard::Delay, ALL_TABLES, 1),
            Kind::Failed => self.offer(Hazard::Failure, facts.tables(record.op), 1),
            Kind::Refused if book.has_other_step(record) => {
                let flow = book.get(record.intent).map_or(0, |open| facts.tables(open.party.target));
                self.offer(Hazard::Refusal, facts.tables(record.op) | flow, 1);
            }
            Kind::Timeout if has_intent(record) => {
                let timeouts = &mut self.pending(record.intent).timeouts;
                if !timeouts.contains(&record.op) {
                    timeouts.push(record.op);
                }
            }
            Kind::Commit => {
                let undo = matches!(record.step(), Some((_, StepRole::Undo)));
                let flag = commit::REFUSED | commit::SKIPPED | commit::FENCED;
                if undo && record.flag & flag == 0 {
                    self.offer(Hazard::Undo, facts.tables(record.op), 1);
                }
            }
            _ => {}
        }
    }

    /// A message is sent.
    #[inline]
    pub(super) fn sent(&mut self, record: &Record, facts: &Facts) {
        if record.ver > 1 {
            self.pending(record.intent).note(Copies { path: record.path, count: record.ver, arrived: 0 });
        }
        if is(record, PointKind::Request)
            && let Some(pending) = self.pending.get(record.intent as usize)
            && pending.timeouts.contains(&record.op)
        {
            self.offer(Hazard::Retry, subject(record, facts), 1);
        }
    }

    /// A copy of a message arrives.
    #[inline]
    pub(super) fn delivered(&mut self, record: &Record, facts: &Facts) {
        let of = match record.intent {
            NONE => &mut self.nobody,
            slot => match self.pending.get_mut(slot as usize) {
                Some(pending) => pending,
                None => return,
            },
        };
        if let Some(copies) = of.copies_of(record) {
            copies.arrived += 1;
            if copies.arrived == 2 {
                self.offer(Hazard::Duplicate, subject(record, facts), 1);
            }
        }
    }

    /// A row is read or written.
    #[inline]
    pub(super) fn read(&mut self, record: &Record, book: &Book, facts: &Facts) {
        if self.contention {
            self.touch(record, book, facts);
        }
    }

    fn touch(&mut self, record: &Record, book: &Book, facts: &Facts) {
        let (slot, table, row) = (record.intent, record.op, record.row);
        let Some(open) = book.get(slot) else { return };
        let writes = record.kind == Kind::Install || open.writes_at(record.path, facts);
        let hash = mix(u64::from(slot) << 32 | u64::from(row), u64::from(table));
        let same = |at: u32| {
            let touch = &self.touches[at as usize];
            (touch.slot, touch.table, touch.row) == (slot, table, row)
        };
        let found = self.index.find(hash, same);
        if found.is_some_and(|at| !writes || self.touches[at as usize].writes) {
            return;
        }
        let meetings = &mut self.meetings[usize::from(table)];
        if meetings.len() <= row as usize {
            meetings.resize(row as usize + 1, Meeting::default());
        }
        let here = &mut meetings[row as usize];
        let (all, wrote) = (here.left > open.invoked, here.writer_left > open.invoked);
        let others = match found {
            // It has read the row and now writes it: those that only read it count as well from here on.
            Some(at) => {
                self.touches[at as usize].writes = true;
                here.open - here.writers - 1 + u32::from(all && !wrote)
            }
            None if writes => here.open + u32::from(all),
            None => here.writers + u32::from(wrote),
        };
        here.writers += u32::from(writes);
        if found.is_none() {
            if here.open == 0 && here.left == Time::ZERO {
                self.dirty.push((table, row));
            }
            here.open += 1;
            if self.heads.len() <= slot as usize {
                self.heads.resize(slot as usize + 1, NONE);
            }
            let touch = Touch { slot, table, writes, row, next: self.heads[slot as usize] };
            let at = match self.free.pop() {
                Some(at) => {
                    self.touches[at as usize] = touch;
                    at
                }
                None => {
                    self.touches.push(touch);
                    self.touches.len() as u32 - 1
                }
            };
            self.heads[slot as usize] = at;
            self.index.insert(hash, at);
        }
        if others > 0 {
            // An expression is in danger wherever operations that write what it reads meet, at whatever row they do; a lost
            // update only at a row of its own table.
            let reach = bit(table) | facts.tables(open.party.target);
            for need in self.needs.iter_mut().filter(|need| need.kinds >> Hazard::Contention as u16 & 1 == 1)
            {
                let tables = if need.at_the_row { bit(table) } else { reach };
                if need.tables == ALL_TABLES || need.tables & tables != 0 {
                    need.seen += u64::from(others);
                }
            }
        }
    }

    /// An intent is settled.
    pub(super) fn settled(&mut self, slot: u32, at: Time) {
        if let Some(pending) = self.pending.get_mut(slot as usize) {
            pending.clear();
        }
        let Some(head) = self.heads.get_mut(slot as usize) else { return };
        let mut next = std::mem::replace(head, NONE);
        while next != NONE {
            let touch = self.touches[next as usize];
            let here = &mut self.meetings[usize::from(touch.table)][touch.row as usize];
            here.open -= 1;
            here.left = at;
            if touch.writes {
                here.writers -= 1;
                here.writer_left = at;
            }
            let hash = mix(u64::from(slot) << 32 | u64::from(touch.row), u64::from(touch.table));
            self.index.remove(hash, next);
            self.free.push(next);
            next = touch.next;
        }
    }
}

impl Pending {
    /// A message with several copies is sent.
    fn note(&mut self, copies: Copies) {
        self.copies.push(copies);
        match self.copies.len() {
            0..=FEW => {}
            len if len == FEW + 1 => (0..len).for_each(|at| self.file(at)),
            len => self.file(len - 1),
        }
    }

    fn file(&mut self, at: usize) {
        let Copies { path, count, .. } = self.copies[at];
        self.index.insert(path.0, at as u32);
        for copy in 0..count {
            self.index.insert(path.child(Role::Copy, copy).0, at as u32);
        }
    }

    /// The message whose copy this record is about: it may have the name of the message or that of the copy.
    fn copies_of(&mut self, record: &Record) -> Option<&mut Copies> {
        let is = |copies: &Copies| {
            copies.path == record.path || copies.path.child(Role::Copy, record.ver) == record.path
        };
        let at = match self.copies.len() {
            0..=FEW => self.copies.iter().position(is),
            _ => self.index.least(record.path.0, |at| is(&self.copies[at as usize])).map(|at| at as usize),
        };
        at.map(|at| &mut self.copies[at])
    }

    fn clear(&mut self) {
        self.copies.clear();
        self.index.clear();
        self.timeouts.clear();
    }
}

fn is(record: &Record, kind: PointKind) -> bool {
    record.flag == kind as u8
}

/// The tables that the subject of a message can change.
fn subject(record: &Record, facts: &Facts) -> u64 {
    if is(record, PointKind::Event) || is(record, PointKind::Ack) {
        facts.topic_tables(record.op)
    } else {
        facts.tables(record.op)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(path: Path, copy: u32) -> Record {
        Record {
            at: Time::ZERO,
            path,
            data: 0,
            kind: Kind::Delivered,
            flag: 0,
            op: 0,
            who: NONE,
            client: NONE,
            intent: NONE,
            row: NONE,
            ver: copy,
        }
    }

    #[test]
    fn doubled_messages_are_found_by_both_names_whether_few_or_many() {
        let name = |n: u32| Path::ROOT.child(Role::Request, n);
        for many in [FEW, FEW + 1, 1_000] {
            let mut pending = Pending::default();
            for n in 0..many as u32 {
                pending.note(Copies { path: name(n), count: 2, arrived: 0 });
            }
            // By the name of the message and by that of its second copy; a message that was not doubled is not there.
            for (n, record) in [
                (0, delivered(name(0), 0)),
                (0, delivered(name(0).child(Role::Copy, 1), 1)),
                (many - 1, delivered(name(many as u32 - 1).child(Role::Copy, 1), 1)),
            ] {
                assert_eq!(pending.copies_of(&record).map(|copies| copies.path), Some(name(n as u32)));
            }
            assert!(pending.copies_of(&delivered(name(many as u32), 0)).is_none());
            // Each is filed under its own name and those of its two copies, once they are filed at all.
            assert_eq!(pending.index.len(), if many > FEW { 3 * many } else { 0 });
        }
    }

    #[test]
    fn invariants_that_wait_for_the_same_are_counted_once() {
        let kinds = vec![(InvariantKind::EveryIntentEnds, ALL_TABLES); 200];
        let offers = Offers::new(1, kinds.iter().map(|(kind, tables)| (kind, *tables)));
        assert_eq!(offers.needs.len(), 1);
        assert_eq!(offers.of.len(), 200);
    }
}
