//! Hazards: what weather and workload offered that could have broken an invariant. Without one, holding is not earned.
//!
//! They are counted before any strategy can have warded them off: two intents that were open together and met on a row
//! count, also if a lock made one wait; a second copy that arrives counts, also if a key turns it away. An intent is open
//! from its invocation to its settlement, because under an early answer its work comes after its answer.

use super::book::{Book, has_intent};
use super::facts::{ALL_TABLES, Facts, bit};
use super::meetings::Meetings;
use super::pending::Pending;
use crate::kernel::time::Time;
use crate::model::invariant::InvariantKind;
use crate::model::record::{FLOW, Kind, Record};
use crate::model::weather::{PointKind, Subject};

pub use crate::model::own::Hazard;

/// The hazards of which any one suffices for an invariant of this kind to have been put to the test.
///
/// Besides its kind a hazard must concern the invariant's tables: a row of them, or an operation, flow or event that can
/// change them. What stops a step of a flow stops the flow, so it concerns all that the flow can change: a lost request or
/// answer, a failure, a refusal, a delay; and, of a flow that travels from service to service, also a message that arrives
/// twice, as all behind it comes twice. Crashes and pauses concern everything, if they hit somebody at work.
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

/// Counts hazards.
#[derive(Clone, Debug)]
pub(super) struct Offers {
    needs: Vec<Need>,
    /// By invariant which of them it has.
    of: Vec<u16>,
    /// The kinds of hazards that anybody waits for.
    wanted: u16,
    /// How many tables there are.
    tables: usize,
    meetings: Meetings,
    pending: Pending,
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
            wanted: needs.iter().fold(0, |set, need| set | need.kinds),
            needs,
            tables,
            meetings: Meetings::new(tables),
            pending: Pending::default(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.needs.iter_mut().for_each(|need| need.seen = 0);
        self.meetings.reset();
        self.pending.reset();
    }

    /// Whether anybody waits for hazards of this kind.
    #[inline]
    pub(super) fn wants(&self, hazard: Hazard) -> bool {
        self.wanted >> hazard as u16 & 1 == 1
    }

    /// How many hazards an invariant has met.
    pub(super) fn seen(&self, invariant: usize) -> u64 {
        self.needs[usize::from(self.of[invariant])].seen
    }

    #[inline(never)]
    fn offer(&mut self, hazard: Hazard, tables: u64) {
        for need in &mut self.needs {
            let concerns = need.tables == ALL_TABLES || need.tables & tables != 0;
            if need.kinds >> hazard as u16 & 1 == 1 && concerns {
                need.seen += 1;
            }
        }
    }

    /// Takes a record of those kinds that have no way of their own; the book must have it already.
    pub(super) fn record(&mut self, record: &Record, book: &Book, facts: &Facts) {
        match record.kind {
            Kind::Lost => {
                // What is fetched is asked for, too, and nothing is done by then.
                let asks = [PointKind::Request, PointKind::Event, PointKind::Fetch, PointKind::Fetched];
                if asks.iter().any(|&kind| is(record, kind)) {
                    self.offer(Hazard::RequestLost, stopped(record, book, facts));
                } else if is(record, PointKind::Ack) || is(record, PointKind::Reply) && book.was_done(record)
                {
                    // What is acknowledged has been dealt with.
                    self.offer(Hazard::ReplyLost, stopped(record, book, facts));
                }
            }
            Kind::Delayed => self.offer(Hazard::Delay, stopped(record, book, facts)),
            Kind::LockWait if book.count() > 1 => self.waits(record, book, facts),
            Kind::Failed => {
                let target = target(record, book).unwrap_or(record.op);
                self.offer(Hazard::Failure, facts.tables_around(record.op, target));
            }
            Kind::Refused if book.has_other_step(record) => {
                let flow = book.get(record.intent).map_or(0, |intent| facts.tables(intent.party.target));
                self.offer(Hazard::Refusal, facts.tables(record.op) | flow);
            }
            Kind::Timeout if has_intent(record) && self.wants(Hazard::Retry) => self.pending.stopped(record),
            _ => {}
        }
    }

    /// Takes note of what no record tells.
    pub(super) fn offered(&mut self, hazard: Hazard, to: Subject, facts: &Facts) {
        let tables = match to {
            Subject::Any => ALL_TABLES,
            Subject::Op(op) => facts.tables(op.0),
            Subject::Flow(flow) => facts.tables(flow.0 | FLOW),
            Subject::Topic(topic) => facts.topic_tables(topic.0),
        };
        self.offer(hazard, tables);
    }

    /// An intent has to wait for a lock, so another one is at work there: at a row, at a whole table that one of them looks
    /// through, at a value that is unique. At which row is not said.
    fn waits(&mut self, record: &Record, book: &Book, facts: &Facts) {
        if let Some(intent) = book.get(record.intent)
            && usize::from(record.op) < self.tables
        {
            self.meet_at(record.op, intent.party.target, 1, false, facts);
        }
    }

    /// A compensation commits.
    pub(super) fn undo(&mut self, record: &Record, facts: &Facts) {
        self.offer(Hazard::Undo, facts.tables(record.op));
    }

    /// A message is sent.
    #[inline]
    pub(super) fn sent(&mut self, record: &Record, facts: &Facts) {
        if record.ver > 1 && self.wants(Hazard::Duplicate) {
            self.pending.doubled(record);
        }
        if is(record, PointKind::Request) && self.pending.has_stopped(record) {
            self.offer(Hazard::Retry, subject(record, facts));
        }
    }

    /// A copy of a message arrives.
    #[inline]
    pub(super) fn delivered(&mut self, record: &Record, book: &Book, facts: &Facts) {
        if self.pending.arrives_again(record) {
            let tables = match target(record, book) {
                Some(target) if is(record, PointKind::Request) => facts.tables_carried(record.op, target),
                _ => subject(record, facts),
            };
            self.offer(Hazard::Duplicate, tables);
        }
    }

    /// Whether the writer of a row is known to be there as one.
    #[inline]
    pub(super) fn has_written(&self, record: &Record) -> bool {
        self.meetings.has_written(record.intent, record.op, record.row)
    }

    /// A row is read or written. The short way calls nothing but at its end, so that no registers have to be saved (some 30
    /// instructions).
    #[inline(never)]
    pub(super) fn touch(&mut self, record: &Record, book: &Book, facts: &Facts) {
        let Some(intent) = book.get(record.intent) else { return };
        let writes = match record.kind == Kind::Install {
            true => Some(true),
            false => intent.begun_to_write(record.path),
        };
        let Some(writes) = writes else { return self.touch_further(record, book, facts) };
        match self.meetings.touch_first(record.intent, intent.invoked, record.op, record.row, writes) {
            Some(0) => {}
            Some(others) => self.meet(record.op, intent.party.target, others, facts),
            None => self.touch_further(record, book, facts),
        }
    }

    #[inline(never)]
    fn touch_further(&mut self, record: &Record, book: &Book, facts: &Facts) {
        let Some(intent) = book.get(record.intent) else { return };
        let writes = record.kind == Kind::Install || intent.writes_at(record.path, facts);
        let (slot, table, row, invoked) = (record.intent, record.op, record.row, intent.invoked);
        let few = self.meetings.touch_few(slot, invoked, table, row, writes);
        let others = few.unwrap_or_else(|| self.meetings.touch(slot, invoked, table, row, writes));
        if others > 0 {
            self.meet(record.op, intent.party.target, others, facts);
        }
    }

    /// An intent meets others at a row of this table.
    #[inline(never)]
    fn meet(&mut self, table: u16, target: u16, others: u32, facts: &Facts) {
        self.meet_at(table, target, others, true, facts);
    }

    fn meet_at(&mut self, table: u16, target: u16, others: u32, at_a_row: bool, facts: &Facts) {
        // An expression is in danger wherever operations that write what it reads meet, at whatever row they do; a lost
        // update only at a row of its own table.
        let reach = bit(table) | facts.tables(target);
        for need in self.needs.iter_mut().filter(|need| need.kinds >> Hazard::Contention as u16 & 1 == 1) {
            let tables = match need.at_the_row {
                true if !at_a_row => continue,
                true => bit(table),
                false => reach,
            };
            if need.tables == ALL_TABLES || need.tables & tables != 0 {
                need.seen += u64::from(others);
            }
        }
    }

    /// Whether an intent has met more than other intents at one row.
    #[inline(always)]
    pub(super) fn has_more(&self, slot: u32) -> bool {
        self.pending.has_page(slot) || self.meetings.has_further(slot)
    }

    /// An intent is settled that has met no more.
    #[inline(always)]
    pub(super) fn settled_at_once(&mut self, slot: u32, at: Time) {
        self.meetings.settled_at_once(slot, at);
    }

    /// An intent is settled.
    pub(super) fn settled(&mut self, slot: u32, at: Time) {
        self.pending.settled(slot);
        self.meetings.settled(slot, at);
    }
}

fn is(record: &Record, kind: PointKind) -> bool {
    record.flag == kind as u8
}

/// Whether a message is about a topic. That a choreographed flow is over is told to its home in an event about the flow.
fn is_of_topic(record: &Record) -> bool {
    is(record, PointKind::Event) && record.op & FLOW == 0 || is(record, PointKind::Ack)
}

/// The tables that the subject of a message can change.
fn subject(record: &Record, facts: &Facts) -> u64 {
    match is_of_topic(record) {
        true => facts.topic_tables(record.op),
        false => facts.tables(record.op),
    }
}

/// The target of the intent that a record belongs to.
fn target(record: &Record, book: &Book) -> Option<u16> {
    book.get(record.intent).map(|intent| intent.party.target)
}

/// The tables that are as they should be only if a message comes: those that its subject can change, and, if it is a step of a
/// flow, those of the flow. An acknowledgement about no topic is that of a letter.
fn stopped(record: &Record, book: &Book, facts: &Facts) -> u64 {
    match target(record, book) {
        Some(target) if !is_of_topic(record) => facts.tables_around(record.op, target),
        Some(target) if is(record, PointKind::Ack) && record.op & FLOW != 0 => {
            facts.tables_of_letters(target)
        }
        _ => subject(record, facts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariants_that_wait_for_the_same_are_counted_once() {
        let kinds = vec![(InvariantKind::EveryIntentEnds, ALL_TABLES); 200];
        let offers = Offers::new(1, kinds.iter().map(|(kind, tables)| (kind, *tables)));
        assert_eq!(offers.needs.len(), 1);
        assert_eq!(offers.of.len(), 200);
    }
}
