//! An open intent as observers see it at its end: what was done for it, which rows that wrote, what its flows came to.
//!
//! Its [`Work`] is only there once something was done or noted for it, so an intent that waits costs little memory; and
//! a [`Deed`] holds no more than its record, since all deeds of an intent are for the same party.

use std::cell::Cell;
use std::ops::Range;

use super::finding::{Act, Party, Steps};
use crate::kernel::path::{Path, mix};
use crate::kernel::time::Time;
use crate::model::record::{FLOW, FlowMove, Record, StepRole, commit};
use crate::model::value::Word;
use crate::store::Index;

/// Flows call flows; the reader refuses circles, and this refuses to run in one.
pub(super) const NESTING: usize = 8;

/// An execution that committed something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    pub(super) at: Time,
    pub(super) path: Path,
    /// The effect: the same for all attempts and copies.
    pub(super) effect: u64,
    /// The tables in which it changed something. Writes of `otherwise`, and those that left a row as it was, do not count.
    pub(super) tables: u64,
    /// The flow instance, or none.
    pub(super) instance: u32,
    /// The first deed of the same execution: a store that does not isolate commits one write after the other.
    pub(super) lead: u32,
    pub(super) op: u16,
    /// Bits of the commit record.
    pub(super) flag: u8,
    pub(super) step: Option<(u8, StepRole)>,
}

impl Deed {
    /// That of a commit, which has not changed anything yet.
    #[inline]
    pub(super) fn of(record: &Record, lead: u32) -> Deed {
        Deed {
            at: record.at,
            path: record.path,
            effect: record.data,
            tables: 0,
            instance: record.who,
            lead,
            op: record.op,
            flag: record.flag,
            step: record.step(),
        }
    }

    /// Whether the operation was carried out: neither refused nor fenced off, nor only something kept by a strategy.
    pub(super) fn ran(&self) -> bool {
        ran(self.flag)
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
        self.step.filter(|_| self.instance == instance)
    }
}

/// Whether a commit with this flag carried its operation out.
#[inline]
pub(super) fn ran(flag: u8) -> bool {
    flag & (commit::REFUSED | commit::FENCED | commit::KEPT) == 0
}

/// A row written by a deed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub(super) deed: u32,
    pub(super) row: u32,
    pub(super) table: u16,
    pub(super) flag: u8,
}

/// A step of an instance of a flow, and whether it is done or undone.
pub(super) type StepOf = (u32, u8, StepRole);

/// An instance of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    pub(super) id: u32,
    pub(super) flow: u16,
    /// The step of another flow that it carries out, if it was called as one.
    pub(super) caller: Option<StepOf>,
    /// Steps left out because of their condition.
    pub(super) skipped: u64,
    /// Steps that were asked for.
    pub(super) asked: u64,
    pub(super) parked: bool,
    /// How many deeds of its intent there were when it started last.
    pub(super) started: u32,
    /// How it ended, the last time it did; once it completed, that stays.
    pub(super) end: Option<FlowMove>,
    /// When it ended last, or [`Time::MAX`] while it runs.
    pub(super) ended: Time,
}

impl Instance {
    /// It moves. Returns whether it is set aside, and was not before.
    #[inline]
    fn moves(&mut self, record: &Record, deeds: u32) -> bool {
        let Some(&moved) = FlowMove::ALL.get(usize::from(record.flag)) else { return false };
        let step = || if record.row < 64 { 1 << record.row } else { 0 };
        match moved {
            FlowMove::Started => {
                self.ended = Time::MAX;
                self.started = deeds;
                self.caller = record.step().map(|(step, role)| (record.ver, step, role));
            }
            FlowMove::Recovered => self.ended = Time::MAX,
            FlowMove::Asked => self.asked |= step(),
            FlowMove::Done if record.data == u64::MAX => self.skipped |= step(),
            FlowMove::Parked => return !std::mem::replace(&mut self.parked, true),
            moved if moved.is_end() => {
                self.ended = record.at;
                if self.end != Some(FlowMove::Completed) {
                    self.end = Some(moved);
                }
            }
            _ => {}
        }
        false
    }
}

/// A step asked for by a later run of its flow than the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) instance: u32,
    pub(super) step: u8,
    /// How many deeds there were when that run started.
    pub(super) started: u32,
    /// And when it asked.
    pub(super) asked: u32,
}

/// All that was done or noted for one intent.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    pub(super) deeds: Vec<Deed>,
    pub(super) puts: Vec<Put>,
    pub(super) flows: Vec<Instance>,
    /// Steps asked for again, in order of time.
    pub(super) again: Vec<Again>,
    /// The arguments of its target, if anybody asks for them.
    pub(super) args: Vec<Word>,
    /// The operations that were carried out, besides the first one.
    pub(super) ran: Vec<u16>,
    /// The first deed of each execution whose writes are seen one by one, by path and effect.
    pub(super) early: Index,
}

impl Work {
    /// Forgets all and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.deeds.clear();
        self.puts.clear();
        self.flows.clear();
        self.again.clear();
        self.args.clear();
        self.ran.clear();
        if !self.early.is_empty() {
            self.early.clear();
        }
    }

    /// The flow at this place moves. Returns whether it is set aside, and was not before.
    #[inline]
    pub(super) fn moves(&mut self, at: usize, record: &Record) -> bool {
        let Some(instance) = self.flows.get_mut(at) else { return false };
        let parked = instance.moves(record, self.deeds.len() as u32);
        if instance.started != 0 && record.flag == FlowMove::Asked as u8 {
            let &mut Instance { id: instance, started, .. } = instance;
            let again = Again { instance, step: record.row as u8, started, asked: self.deeds.len() as u32 };
            // One that is asked for over and over in vain is noted once.
            if self.again.last() != Some(&again) {
                self.again.push(again);
            }
        }
        parked
    }

    /// The first deed of the execution of a commit, if writes of it or of others are seen one by one: it stands for all. `at`
    /// is the place of the commit itself, which may be that.
    pub(super) fn lead(&mut self, record: &Record, at: u32) -> u32 {
        let hash = mix(record.path.0, record.data);
        let same = |lead: u32| {
            let Deed { path, effect, .. } = self.deeds[lead as usize];
            (path, effect) == (record.path, record.data)
        };
        match self.early.find(hash, same) {
            Some(first) => return first,
            // The commit of the whole, which follows them, has none of its own.
            None if record.flag & commit::EARLY != 0 => self.early.insert(hash, at),
            None => {}
        }
        at
    }

    /// The place of the instance of a flow with this number, made if it is not known; `None` if nobody can say of which flow.
    pub(super) fn instance(&mut self, id: u32, flow: impl FnOnce() -> Option<u16>) -> Option<usize> {
        let at = match self.flows.iter().position(|instance| instance.id == id) {
            Some(at) => at,
            None => {
                let (flow, end, ended) = (flow()?, None, Time::MAX);
                let caller = None;
                self.flows.push(Instance {
                    id,
                    flow,
                    caller,
                    skipped: 0,
                    asked: 0,
                    parked: false,
                    started: 0,
                    end,
                    ended,
                });
                self.flows.len() - 1
            }
        };
        Some(at)
    }
}

/// An open intent at its end.
pub(super) struct Open<'a> {
    pub(super) party: Party,
    /// Its root effect.
    pub(super) effect: u64,
    deeds: &'a [Deed],
    pub(super) puts: &'a [Put],
    pub(super) flows: &'a [Instance],
    pub(super) again: &'a [Again],
    pub(super) args: &'a [Word],
    /// What became of the steps of the instance that was asked for last, by its number.
    pub(super) steps: Cell<Option<(u32, Steps)>>,
}

impl<'a> Open<'a> {
    /// `None`: nothing was done or noted for it.
    pub(super) fn new(party: Party, effect: u64, work: Option<&'a Work>) -> Open<'a> {
        let steps = Cell::new(None);
        match work {
            Some(Work { deeds, puts, flows, again, args, .. }) => {
                Open { party, effect, deeds, puts, flows, again, args, steps }
            }
            None => Open { party, effect, deeds: &[], puts: &[], flows: &[], again: &[], args: &[], steps },
        }
    }

    /// What was done, one entry for each execution, in order of time.
    pub(super) fn deeds(&self) -> impl DoubleEndedIterator<Item = &'a Deed> + Clone + use<'a> {
        self.deeds_in(0..self.deeds.len() as u32)
    }

    /// Those among them whose places are in a range.
    pub(super) fn deeds_in(
        &self,
        places: Range<u32>,
    ) -> impl DoubleEndedIterator<Item = &'a Deed> + Clone + use<'a> {
        let some = self.deeds[places.start as usize..places.end as usize].iter().zip(places);
        some.filter(|(deed, at)| deed.lead == *at).map(|(deed, _)| deed)
    }

    /// Those from a place on.
    pub(super) fn deeds_from(
        &self,
        place: u32,
    ) -> impl DoubleEndedIterator<Item = &'a Deed> + Clone + use<'a> {
        let end = self.deeds.len() as u32;
        self.deeds_in(place.min(end)..end)
    }

    /// The execution that wrote a row.
    pub(super) fn deed_of(&self, put: &Put) -> &'a Deed {
        &self.deeds[self.deeds[put.deed as usize].lead as usize]
    }

    /// A deed with the party it was done for, as a finding names it.
    pub(super) fn act(&self, deed: &Deed) -> Act {
        let &Deed { at, path, op, effect, instance, step, .. } = deed;
        Act { at, path, op, effect, instance, step, party: self.party }
    }

    /// The first instance of a flow.
    pub(super) fn instance_of(&self, flow: u16) -> Option<&'a Instance> {
        self.flows.iter().find(|instance| instance.flow == flow)
    }

    /// The instance that does or undoes a step of another one.
    pub(super) fn called(&self, by: StepOf) -> Option<&'a Instance> {
        self.flows.iter().find(|instance| instance.caller == Some(by))
    }

    /// Whether an instance is part of the compensation of a step.
    pub(super) fn compensates(&self, instance: &Instance) -> bool {
        let outer = |&(instance, ..): &StepOf| self.flows.iter().find(|of| of.id == instance)?.caller;
        let mut callers = std::iter::successors(instance.caller, outer).take(NESTING);
        callers.any(|(_, _, role)| role == StepRole::Undo)
    }

    /// The steps that a deed is part of: its own, that which the flow of this one carries out, and so on. What a flow takes
    /// back by itself is nothing that is done for the flow that called it, so behind a compensation there are none.
    pub(super) fn steps_of(&self, deed: &Deed) -> impl Iterator<Item = StepOf> + use<'a> {
        self.steps_from(deed.step.map(|(step, role)| (deed.instance, step, role)))
    }

    /// The same of a step of a flow.
    pub(super) fn steps_from(&self, own: Option<StepOf>) -> impl Iterator<Item = StepOf> + use<'a> {
        let flows = self.flows;
        let outer = move |&(instance, _, role): &StepOf| match role {
            StepRole::Action => flows.iter().find(|of| of.id == instance).and_then(|of| of.caller),
            StepRole::Undo => None,
        };
        std::iter::successors(own, outer).take(NESTING)
    }

    /// Which step of an instance a deed is part of, be it by way of other flows.
    pub(super) fn part_of(&self, deed: &Deed, instance: u32) -> Option<(u8, StepRole)> {
        let (_, step, role) = self.steps_of(deed).find(|of| of.0 == instance)?;
        Some((step, role))
    }

    /// Whether a deed is part of the compensation of a step.
    pub(super) fn undoes(&self, deed: &Deed) -> bool {
        self.steps_of(deed).any(|(_, _, role)| role == StepRole::Undo)
    }

    /// Whether of two deeds one belongs to the compensation of the other.
    pub(super) fn opposite(&self, a: &Deed, b: &Deed) -> bool {
        let is = |of: StepOf, other: StepOf| (of.0, of.1) == (other.0, other.1) && of.2 != other.2;
        self.steps_of(a).any(|of| self.steps_of(b).any(|other| is(of, other)))
    }

    /// The flow that the client asked for, if it asked for one.
    pub(super) fn target_flow(&self) -> Option<u16> {
        (self.party.target & FLOW != 0).then_some(self.party.target & !FLOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They are kept for each open intent, of which there may be tens of thousands.
    #[test]
    fn what_is_kept_for_each_deed_is_small() {
        assert!(size_of::<Deed>() <= 48);
        assert!(size_of::<Put>() <= 12);
    }
}
