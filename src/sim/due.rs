//! What comes up on the agenda, packed into the number of its slot; how it is put there, called off, and kept for a node that is
//! paused.
//!
//! A message, a timer of a call or of a task, and a client are told by the slot or number that they have anyway: nothing
//! is made, looked up or freed for them, which spares some 60 instructions an event. All else, and what has too great a
//! number, has an entry among the world's events. The last bits tell which: `0` a message, `01` an event, `011` a call,
//! `0111` a task, `1111` a client.

use super::Engine;
use super::world::{Event, What, World};
use crate::kernel::agenda::{Agenda, Class, Key, LaneId, SLOTS, tie};
use crate::kernel::choose::Chooser;
use crate::kernel::path::Path;
use crate::kernel::time::Span;
use crate::model::own::Hazard;
use crate::model::plan::Plan;
use crate::model::weather::Subject;
use crate::store::Sink;

/// What comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A message arrives, by slot.
    Message(u32),
    /// An entry among the world's events.
    Event(u32),
    /// A call's timer, by the slot of the call.
    Call(u32),
    /// A task's timer, by the slot of the task.
    Task(u32),
    /// A client begins, by its number.
    Client(u32),
}

impl Due {
    /// The slot of the agenda; `None`: the number is too great.
    #[inline(always)]
    pub(super) const fn slot(self) -> Option<u32> {
        let (number, bits, mark) = match self {
            Due::Message(number) => (number, 1, 0),
            Due::Event(number) => (number, 2, 0b1),
            Due::Call(number) => (number, 3, 0b11),
            Due::Task(number) => (number, 4, 0b111),
            Due::Client(number) => (number, 4, 0b1111),
        };
        if number < SLOTS >> bits { Some(number << bits | mark) } else { None }
    }

    /// What a slot of the agenda stands for.
    #[inline]
    pub(super) const fn of(slot: u32) -> Due {
        if slot & 1 == 0 {
            return Due::Message(slot >> 1);
        }
        match slot.trailing_ones() {
            1 => Due::Event(slot >> 2),
            2 => Due::Call(slot >> 3),
            3 => Due::Task(slot >> 4),
            _ => Due::Client(slot >> 4),
        }
    }
}

/// The lanes of the agenda for timers of a fixed length: most of them are called off, and in a lane that costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    /// Of the timeouts, by retry policy.
    pub(super) retries: Vec<Option<LaneId>>,
    /// Of the statements, by service.
    pub(super) statements: Vec<Option<LaneId>>,
}

/// More lanes than this are not worth it: each pop from one looks at all.
const MOST_LANES: usize = 8;

impl Lanes {
    pub(super) fn of(plan: &Plan, agenda: &mut Agenda) -> Lanes {
        let mut known: Vec<Span> = Vec::new();
        let mut lane = |span: Span| {
            if span.is_zero() || span.is_ever() || known.len() == MOST_LANES && !known.contains(&span) {
                return None;
            }
            if !known.contains(&span) {
                known.push(span);
            }
            Some(agenda.lane(span))
        };
        Lanes {
            retries: plan.retries.iter().map(|retry| lane(retry.timeout)).collect(),
            statements: plan.model.services.iter().map(|service| lane(service.statement)).collect(),
        }
    }
}

impl<C: Chooser, S: Sink> Engine<'_, C, S> {
    /// Keeps what comes up at a paused node until the node goes on.
    #[cold]
    pub(super) fn waits_for_node(&mut self, due: Due, key: Key) -> bool {
        let Some(node) = self.node_of(due) else { return false };
        let paused = self.world.nodes[node as usize].paused;
        if paused {
            self.sink.offered(Hazard::Delay, Subject::Any);
            self.world.held.push((node, key));
        }
        paused
    }

    /// The node that something happens at, if it waits when that node is paused.
    fn node_of(&self, due: Due) -> Option<u32> {
        let world = &*self.world;
        match due {
            Due::Message(message) => Some(world.messages.peek(message).to),
            Due::Call(call) => Some(world.calls.peek(call).node),
            Due::Task(task) => Some(world.tasks.peek(task).node),
            Due::Client(client) => Some(self.client_node(client)),
            Due::Event(event) => match world.events.peek(event).what {
                What::Due(due) => self.node_of(due),
                What::LockTimeout(task, _) => world.tasks.get(task).map(|task| task.node),
                What::Run(run) => world.runs.get(run).map(|run| run.node),
                What::Chore(chore) => world.chores.get(chore).map(|chore| chore.node),
                _ => None,
            },
        }
    }

    /// What was kept for a paused node is put on the agenda anew, unless nobody waits for it any more.
    pub(super) fn comes_up_again(&mut self, key: Key, order: u64) {
        let due = match Due::of(key.slot()) {
            Due::Event(slot) => match self.world.events.peek(slot).what {
                What::Due(due) => due,
                _ => Due::Event(slot),
            },
            due => due,
        };
        let World { calls, tasks, .. } = &mut *self.world;
        let timer = match due {
            Due::Call(call) => Some(&mut calls.peek_mut(call).timer),
            Due::Task(task) => Some(&mut tasks.peek_mut(task).timer),
            _ => None,
        };
        match timer {
            Some(timer) if *timer != key => {
                // Nobody waits for it any more: only its entry, if it has one, is left.
                if let Due::Event(entry) = Due::of(key.slot()) {
                    self.world.events.leave(self.world.events.id(entry));
                }
            }
            Some(timer) => *timer = self.agenda.add(key.slot(), Span::ZERO, order),
            None => _ = self.agenda.add(key.slot(), Span::ZERO, order),
        }
    }

    /// Puts something on the agenda. Returns its entry, to call it off.
    pub(super) fn schedule(&mut self, what: What, after: Span, class: Class, cause: Path, idle: bool) -> u32 {
        let (id, event) = self.world.events.take();
        *event = Event { what, idle };
        self.world.work += u32::from(!idle);
        let order = self.order(class, cause);
        self.agenda.add(slot_of_event(id.slot), after, order);
        id.slot
    }

    /// Puts what has a number of its own on the agenda; it keeps the run going. Returns its place there.
    #[inline(always)]
    pub(super) fn put(&mut self, due: Due, after: Span, class: Class, cause: Path) -> Key {
        self.world.work += 1;
        let order = self.order(class, cause);
        let slot = self.slot(due);
        self.agenda.add(slot, after, order)
    }

    /// The same for a timer of a fixed length, in its lane if it has one.
    #[inline(always)]
    pub(super) fn put_timer(&mut self, due: Due, lane: Option<LaneId>, after: Span, cause: Path) -> Key {
        let Some(lane) = lane else { return self.put(due, after, Class::Timer, cause) };
        self.world.work += 1;
        let order = self.order(Class::Timer, cause);
        let slot = self.slot(due);
        self.agenda.add_in_lane(lane, slot, order)
    }

    #[inline(always)]
    fn slot(&mut self, due: Due) -> u32 {
        due.slot().unwrap_or_else(|| self.far_slot(due))
    }

    /// A slot for what has too great a number.
    #[cold]
    fn far_slot(&mut self, due: Due) -> u32 {
        let (id, event) = self.world.events.take();
        *event = Event { what: What::Due(due), idle: false };
        slot_of_event(id.slot)
    }

    /// The place of something among what comes up at the same instant.
    #[inline]
    fn order(&mut self, class: Class, cause: Path) -> u64 {
        if self.cause != cause {
            self.cause = cause;
            self.emissions = 0;
        }
        let order = tie(class, self.chooser.tie_key(), cause, self.emissions);
        self.emissions += 1;
        order
    }

    /// Puts a timer on the agenda.
    pub(super) fn timer(&mut self, what: What, after: Span, cause: Path) -> u32 {
        self.schedule(what, after, Class::Timer, cause, false)
    }

    /// Calls an entry off.
    pub(super) fn call_off(&mut self, entry: u32) {
        let event = self.world.events.at(entry);
        if event.what != What::Nothing {
            event.what = What::Nothing;
            if !event.idle {
                self.world.work -= 1;
            }
        }
    }
}

/// # Panics
/// Beyond four million entries.
fn slot_of_event(entry: u32) -> u32 {
    Due::Event(entry).slot().expect("more than 2^22 entries on the agenda")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_what_does_not_fit_is_not_packed() {
        let makes: [fn(u32) -> Due; 5] = [Due::Message, Due::Event, Due::Call, Due::Task, Due::Client];
        for make in makes {
            let mut fits = 0;
            for number in (0..32).map(|bit| 1 << bit).flat_map(|n: u32| [n - 1, n, n + 1]) {
                let Some(slot) = make(number).slot() else { continue };
                assert!(slot < SLOTS);
                assert_eq!(Due::of(slot), make(number));
                fits = fits.max(number);
            }
            assert!((1 << 20) - 1 <= fits, "a million of each kind fit");
        }
    }

    #[test]
    fn every_slot_stands_for_one_thing() {
        for slot in (0..SLOTS).step_by(7).chain(0..1_000).chain(SLOTS - 1_000..SLOTS) {
            assert_eq!(Due::of(slot).slot(), Some(slot));
        }
    }
}
