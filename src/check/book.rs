//! What is known of every open intent: what was done for it, what its flows believe, what its client was told.
//!
//! It is filled from the records once and read by all observers that judge an intent as a whole; when the intent is
//! settled its pages are free again. One byte an intent stays to the end of the run: what the client was told.

use std::collections::VecDeque;
use std::ops::Range;

use super::facts::{Facts, bit};
use super::finding::{Act, Party};
use crate::kernel::path::{Path, mix};
use crate::kernel::time::Time;
use crate::model::record::{FLOW, FlowMove, Kind, NONE, Outcome, Record, StepRole, commit, install};
use crate::model::value::Word;
use crate::store::Index;

/// In [`Book::told`]: nothing yet.
const NOTHING: u8 = u8::MAX;

/// An execution that committed something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    pub(super) act: Act,
    /// Bits of the commit record.
    pub(super) flag: u8,
    /// The tables in which it changed something. Writes of `otherwise`, and those that left a row as it was, do not count.
    pub(super) tables: u64,
    /// The first deed of the same execution: a store that does not isolate commits one write after the other.
    lead: u32,
}

impl Deed {
    /// Whether the operation was carried out: neither refused nor fenced off, nor only something kept by a strategy.
    pub(super) fn ran(&self) -> bool {
        self.flag & (commit::REFUSED | commit::FENCED | commit::KEPT) == 0
    }

    /// Whether it changed something in these tables.
    pub(super) fn changed(&self, watch: u64) -> bool {
        self.ran() && self.tables & watch != 0
    }

    /// Its place among the deeds of its intent, which are in order of time.
    pub(super) fn place(&self) -> u32 {
        self.lead
    }

    /// Its step and role in this instance of a flow.
    pub(super) fn step_of(&self, instance: u32) -> Option<(u8, StepRole)> {
        self.act.step.filter(|_| self.act.instance == instance)
    }
}

/// A row written by a deed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub(super) deed: u32,
    pub(super) table: u16,
    pub(super) row: u32,
    pub(super) flag: u8,
}

/// An instance of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    pub(super) id: u32,
    pub(super) flow: u16,
    /// Steps left out because of their condition.
    pub(super) skipped: u64,
    /// Steps that were asked for.
    pub(super) asked: u64,
    pub(super) parked: bool,
    /// How it ended, the last time it did; once it completed, that stays.
    pub(super) end: Option<FlowMove>,
    /// When it ended last, or [`Time::MAX`] while it runs.
    pub(super) ended: Time,
}

/// An open intent.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) live: bool,
    pub(super) party: Party,
    /// Its root effect.
    pub(super) effect: u64,
    pub(super) invoked: Time,
    deeds: Vec<Deed>,
    /// The first deed of each execution whose writes are seen one by one, by path and effect.
    early: Index,
    /// The operations that were carried out.
    ran: Vec<u16>,
    /// The first two different steps that changed something: whether there is another than a given one.
    changed: [Option<Option<(u8, StepRole)>>; 2],
    pub(super) puts: Vec<Put>,
    pub(super) flows: Vec<Instance>,
    /// The arguments of its target, if anybody asks for them.
    pub(super) args: Vec<Word>,
    /// The last execution that began, and whether its operation writes.
    begun: (Path, bool),
}

impl Open {
    fn new() -> Open {
        Open {
            live: false,
            party: Party::NOBODY,
            effect: 0,
            invoked: Time::ZERO,
            deeds: Vec::new(),
            early: Index::default(),
            ran: Vec::new(),
            changed: [None; 2],
            puts: Vec::new(),
            flows: Vec::new(),
            args: Vec::new(),
            begun: (Path(0), false),
        }
    }

    /// What was done, one entry for each execution, in order of time.
    pub(super) fn deeds(&self) -> impl DoubleEndedIterator<Item = &Deed> + Clone {
        self.deeds_in(0..self.deeds.len() as u32)
    }

    /// Those among them whose places are in a range.
    pub(super) fn deeds_in(&self, places: Range<u32>) -> impl DoubleEndedIterator<Item = &Deed> + Clone {
        let some = self.deeds[places.start as usize..places.end as usize].iter().zip(places);
        some.filter(|(deed, at)| deed.lead == *at).map(|(deed, _)| deed)
    }

    /// The execution that wrote a row.
    pub(super) fn deed_of(&self, put: &Put) -> &Deed {
        &self.deeds[self.deeds[put.deed as usize].lead as usize]
    }

    /// The first instance of a flow.
    pub(super) fn instance_of(&self, flow: u16) -> Option<&Instance> {
        self.flows.iter().find(|instance| instance.flow == flow)
    }

    /// The flow that the client asked for, if it asked for one.
    pub(super) fn target_flow(&self) -> Option<u16> {
        (self.party.target & FLOW != 0).then_some(self.party.target & !FLOW)
    }

    /// Whether the operation that reads at this path also writes; if that execution is not at hand, whether the intent
    /// writes anything.
    pub(super) fn writes_at(&self, path: Path, facts: &Facts) -> bool {
        if self.begun.0 == path { self.begun.1 } else { facts.writes(self.party.target) }
    }

    fn instance(&mut self, id: u32, flow: impl FnOnce(u16) -> Option<u16>) -> Option<&mut Instance> {
        let at = match self.flows.iter().position(|instance| instance.id == id) {
            Some(at) => at,
            None => {
                let flow = flow(self.party.target)?;
                let (end, ended) = (None, Time::MAX);
                self.flows.push(Instance { id, flow, skipped: 0, asked: 0, parked: false, end, ended });
                self.flows.len() - 1
            }
        };
        Some(&mut self.flows[at])
    }
}

/// All open intents.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    intents: Vec<Open>,
    told: Vec<u8>,
    /// Intents by slot and serial number in the order in which they were invoked; those at the front are open.
    invoked: VecDeque<(u32, u32)>,
    /// How many are open.
    pub(super) open: u32,
    /// How many sagas were set aside.
    pub(super) parked: u64,
    /// The transaction that committed last, and the intent and deed it was filed under.
    current: Option<(u32, u32)>,
}

impl Book {
    pub(super) fn reset(&mut self) {
        (0..self.intents.len() as u32).for_each(|slot| self.free(slot));
        self.told.clear();
        self.invoked.clear();
        (self.open, self.parked, self.current) = (0, 0, None);
    }

    /// The open intent in a slot.
    #[inline]
    pub(super) fn get(&self, slot: u32) -> Option<&Open> {
        self.intents.get(slot as usize).filter(|open| open.live)
    }

    #[inline]
    fn get_mut(&mut self, slot: u32) -> Option<&mut Open> {
        self.intents.get_mut(slot as usize).filter(|open| open.live)
    }

    /// All open intents, by slot.
    pub(super) fn all(&self) -> impl Iterator<Item = &Open> {
        self.intents.iter().filter(|open| open.live)
    }

    /// What the client of the intent with this serial number was told.
    pub(super) fn told(&self, serial: u32) -> Option<Outcome> {
        self.told.get(serial as usize).filter(|&&told| told != NOTHING).map(|&told| Outcome::of(told))
    }

    /// Takes what concerns intents and flows, except the end of an intent.
    #[inline]
    pub(super) fn record(&mut self, record: &Record, facts: &Facts) {
        match record.kind {
            Kind::Invoke => self.invoke(record),
            Kind::Complete => self.complete(record),
            Kind::Begin => self.begin(record, facts),
            Kind::Install => self.put(record),
            Kind::Flow => self.flow(record),
            _ => {}
        }
    }

    /// An execution begins.
    #[inline]
    pub(super) fn begin(&mut self, record: &Record, facts: &Facts) {
        if let Some(open) = self.get_mut(record.intent) {
            open.begun = (record.path, facts.writes(record.op));
        }
    }

    /// When the oldest open intent was invoked; the end of time if none is open.
    pub(super) fn oldest_open(&mut self) -> Time {
        while let Some(&(slot, serial)) = self.invoked.front() {
            let open = &self.intents[slot as usize];
            if open.live && open.party.serial == serial {
                return open.invoked;
            }
            self.invoked.pop_front();
        }
        Time::MAX
    }

    fn invoke(&mut self, record: &Record) {
        let slot = record.intent as usize;
        if self.intents.len() <= slot {
            self.intents.resize_with(slot + 1, Open::new);
        }
        self.free(record.intent);
        let open = &mut self.intents[slot];
        open.live = true;
        open.party = Party {
            client: record.client,
            intent: record.ver,
            target: record.op,
            path: record.path,
            told: None,
            serial: self.told.len() as u32,
        };
        open.effect = record.data;
        open.invoked = record.at;
        self.invoked.push_back((record.intent, open.party.serial));
        self.told.push(NOTHING);
        self.open += 1;
    }

    /// Notes the arguments of an intent that has just begun.
    pub(super) fn note_args(&mut self, slot: u32, args: &[Word]) {
        if let Some(open) = self.get_mut(slot) {
            open.args.extend_from_slice(args);
        }
    }

    fn complete(&mut self, record: &Record) {
        let Some(open) = self.get_mut(record.intent) else { return };
        let outcome = Outcome::of(record.flag);
        open.party.told = Some(outcome);
        let serial = open.party.serial as usize;
        self.told[serial] = outcome as u8;
    }

    /// Files a commit and returns the act.
    pub(super) fn commit(&mut self, record: &Record, facts: &Facts) -> Act {
        let mut act = Act {
            at: record.at,
            path: record.path,
            op: record.op,
            effect: record.data,
            instance: record.who,
            step: record.step(),
            party: Party::NOBODY,
        };
        self.current = None;
        let Some(open) = self.get_mut(record.intent) else { return act };
        act.party = open.party;
        if let Some((step, role)) = act.step {
            open.instance(act.instance, |target| facts.flow_with(target, act.op, step, role));
        }
        let at = open.deeds.len() as u32;
        // Writes seen one by one are followed by the commit of the whole, which has none of its own.
        let mut lead = at;
        let early = record.flag & commit::EARLY != 0;
        if early || !open.early.is_empty() {
            let hash = mix(act.path.0, act.effect);
            let same = |lead: u32| {
                let Act { path, effect, .. } = open.deeds[lead as usize].act;
                (path, effect) == (act.path, act.effect)
            };
            match open.early.find(hash, same) {
                Some(first) => lead = first,
                None if early => open.early.insert(hash, at),
                None => {}
            }
        }
        let deed = Deed { act, flag: record.flag, tables: 0, lead };
        if lead == at && deed.ran() && open.ran.iter().all(|&op| op != act.op) {
            open.ran.push(act.op);
        }
        open.deeds.push(deed);
        self.current = Some((record.intent, at));
        act
    }

    /// Whether the commit filed last is the first of its execution.
    pub(super) fn is_first(&self) -> bool {
        self.current.is_none_or(|(slot, deed)| {
            self.get(slot).is_none_or(|open| open.deeds[deed as usize].lead == deed)
        })
    }

    /// A row is written by the transaction that committed last.
    pub(super) fn put(&mut self, record: &Record) {
        let Some((slot, deed)) = self.current else { return };
        let Some(open) = self.get_mut(slot) else { return };
        open.puts.push(Put { deed, table: record.op, row: record.row, flag: record.flag });
        if record.flag & (install::NOOP | install::OTHERWISE | install::KEPT) == 0 {
            let lead = open.deeds[deed as usize].lead;
            let lead = &mut open.deeds[lead as usize];
            if lead.tables == 0 && lead.ran() {
                let (step, [first, second]) = (Some(lead.act.step), &mut open.changed);
                match first {
                    None => *first = step,
                    first if *first != step => *second = second.or(step),
                    _ => {}
                }
            }
            lead.tables |= bit(record.op);
        }
    }

    fn flow(&mut self, record: &Record) {
        let Some(&moved) = FlowMove::ALL.get(usize::from(record.flag)) else { return };
        let mut parked = 0;
        if let Some(open) = self.get_mut(record.intent)
            && let Some(instance) = open.instance(record.who, |_| Some(record.op & !FLOW))
        {
            let step = if record.row < 64 { 1 << record.row } else { 0 };
            match moved {
                FlowMove::Started | FlowMove::Recovered => instance.ended = Time::MAX,
                FlowMove::Asked => instance.asked |= step,
                FlowMove::Done if record.data == u64::MAX => instance.skipped |= step,
                FlowMove::Parked if !instance.parked => {
                    instance.parked = true;
                    parked = 1;
                }
                moved if moved.is_end() => {
                    instance.ended = record.at;
                    if instance.end != Some(FlowMove::Completed) {
                        instance.end = Some(moved);
                    }
                }
                _ => {}
            }
        }
        self.parked += parked;
    }

    /// Frees the slot of an intent.
    pub(super) fn free(&mut self, slot: u32) {
        if let Some(open) = self.get_mut(slot) {
            open.live = false;
            open.deeds.clear();
            open.early.clear();
            open.ran.clear();
            open.changed = [None; 2];
            open.puts.clear();
            open.flows.clear();
            open.args.clear();
            open.begun = (Path(0), false);
            self.open -= 1;
            if self.current.is_some_and(|(of, _)| of == slot) {
                self.current = None;
            }
        }
    }

    /// Whether an intent already has a deed of another step than this record's that was carried out.
    pub(super) fn has_other_step(&self, record: &Record) -> bool {
        let step = record.step();
        self.get(record.intent).is_some_and(|open| open.changed.iter().flatten().any(|&other| other != step))
    }

    /// Whether what a lost answer would have told had been carried out.
    pub(super) fn was_done(&self, record: &Record) -> bool {
        let any = record.op & FLOW != 0;
        self.get(record.intent)
            .is_some_and(|open| if any { !open.ran.is_empty() } else { open.ran.contains(&record.op) })
    }
}

/// Whether a record names an intent.
#[inline]
pub(super) fn has_intent(record: &Record) -> bool {
    record.intent != NONE
}
