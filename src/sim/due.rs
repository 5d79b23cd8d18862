//! What comes up on the agenda, packed into the number of its slot.
//!
//! A message, a timer of a call or of a task, and a client are told by the slot or number that they have anyway: nothing
//! is made, looked up or freed for them, which spares some 60 instructions an event. All else, and what has too great a
//! number, has an entry among the world's events. The last bits tell which: `0` a message, `01` an event, `011` a call,
//! `0111` a task, `1111` a client.

use crate::kernel::agenda::SLOTS;

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
        match slot.trailing_ones() {
            0 => Due::Message(slot >> 1),
            1 => Due::Event(slot >> 2),
            2 => Due::Call(slot >> 3),
            3 => Due::Task(slot >> 4),
            _ => Due::Client(slot >> 4),
        }
    }
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
