//! What happens next: pending slots in order of time, ties broken without favour.
//!
//! An agenda orders slot numbers and owns the clock of a run; what a slot means is its driver's business. Timers of
//! equal length may wait in lanes, which are queues that need no sorting; whether one does changes no order. Nothing
//! is cancelled here: a driver that no longer wants a slot says so when the slot comes up.

mod calendar;
mod few;

use std::collections::VecDeque;

use calendar::Calendar;
use few::Few;

use super::path::{Path, mix};
use super::time::{Span, Time};

/// Slots are numbered from 0 to one less than this: 2^24.
pub const SLOTS: u32 = 1 << 24;

const SLOT_BITS: u32 = 24;
const TIE_BITS: u32 = 40;

/// What goes first when things happen at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Class {
    /// Nodes fail, or come back.
    Crash = 0,
    /// Timers fire.
    Timer = 1,
    /// Messages arrive.
    Delivery = 2,
}

/// The 40 bits that order what happens at one instant: class (2) | hash of the cause's name (30) | `n` (8).
///
/// `n` counts what one cause emits, so its emissions stay in order; from the 256th on they share one value and the slot
/// decides. Between causes the hash decides, which differs from run to run: nobody wins every tie.
#[inline]
pub const fn tie(class: Class, run_key: u64, cause: Path, n: u32) -> u64 {
    let hash = mix(run_key, cause.0) >> 34;
    let nth = if n < 255 { n } else { 255 };
    ((class as u64) << 38) | (hash << 8) | nth as u64
}

/// The place of a slot in an agenda: when it comes up, and in which order. A driver that keeps the place of the one timer
/// that it waits for in a slot can tell it from earlier ones: they differ as long as no cause sets a timer of one slot
/// twice for the same instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(u128);

impl Key {
    /// No place: behind all there are.
    pub const NONE: Key = Key(u128::MAX);

    /// The slot.
    #[inline]
    pub const fn slot(self) -> u32 {
        self.0 as u32 & (SLOTS - 1)
    }

    /// When it comes up.
    #[inline]
    pub const fn time(self) -> Time {
        Time((self.0 >> (TIE_BITS + SLOT_BITS)) as u64)
    }
}

impl Default for Key {
    fn default() -> Key {
        Key::NONE
    }
}

/// A lane of an [`Agenda`], for timers of one length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LaneId(u16);

/// Timers of one length; since the clock only goes forward, the front is the earliest.
#[derive(Clone, Debug)]
struct Lane {
    span: Span,
    keys: VecDeque<Key>,
}

/// Pending slots in order of (time, tie, slot), and the virtual clock.
///
/// Packed keys, time (64 bits) | tie (40) | slot (24), with lanes beside them. Few keys are a sorted list, for which putting
/// one in and taking one out costs half as much as for a heap (of four clients, 250 instructions a request); many are in a
/// calendar, and what that does not take in a 4-ary heap. Not hashed or compared: it is no part of the world's state.
#[derive(Clone, Debug)]
pub struct Agenda {
    now: Time,
    /// Few keys; empty while there are many.
    few: Few,
    /// How many keys there are in the calendar and the heap.
    many: usize,
    calendar: Calendar,
    heap: Vec<Key>,
    /// How many keys went to the heap since the days of the calendar were laid out, and how many may before they are laid
    /// out anew.
    refused: usize,
    patience: usize,
    lanes: Vec<Lane>,
    /// The front of each lane, or [`Key::NONE`]: side by side, because all of them are looked at with each pop from one.
    fronts: Vec<Key>,
    /// The least of these, and the lane that it heads.
    front: Key,
    front_lane: usize,
    in_lanes: usize,
}

impl Agenda {
    /// An empty agenda at [`Time::ZERO`], without lanes.
    pub const fn new() -> Agenda {
        Agenda {
            now: Time::ZERO,
            few: Few::new(),
            many: 0,
            calendar: Calendar::new(),
            heap: Vec::new(),
            refused: 0,
            patience: 0,
            lanes: Vec::new(),
            fronts: Vec::new(),
            front: Key::NONE,
            front_lane: 0,
            in_lanes: 0,
        }
    }

    /// The time of the slot that came up last.
    #[inline]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// How many slots are pending, with those that will turn out dead.
    #[inline]
    pub fn len(&self) -> usize {
        self.few.len() + self.many + self.in_lanes
    }

    /// True if nothing is pending.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Empties the agenda and sets the clock back, keeping lanes and memory for the next run.
    pub fn reset(&mut self) {
        self.now = Time::ZERO;
        self.few.clear();
        self.heap.clear();
        self.calendar.clear();
        self.many = 0;
        self.lanes.iter_mut().for_each(|lane| lane.keys.clear());
        self.fronts.fill(Key::NONE);
        (self.front, self.front_lane, self.in_lanes) = (Key::NONE, 0, 0);
    }

    /// The lane for timers of this length, made at the first call. Meant for plan time: each pop that takes from a
    /// lane looks at all of them.
    ///
    /// # Panics
    /// If there would be more than 65,536 lanes.
    pub fn lane(&mut self, span: Span) -> LaneId {
        let at = self.lanes.iter().position(|lane| lane.span == span).unwrap_or_else(|| {
            self.lanes.push(Lane { span, keys: VecDeque::new() });
            self.fronts.push(Key::NONE);
            self.lanes.len() - 1
        });
        LaneId(u16::try_from(at).expect("more than 65,536 lanes"))
    }

    /// The length of the timers in a lane.
    pub fn lane_span(&self, lane: LaneId) -> Span {
        self.lanes[lane.0 as usize].span
    }

    /// Lets `slot` come up `after` from now, or at [`Time::MAX`] if that is earlier. Of `tie`, 40 bits count. Returns its
    /// place.
    ///
    /// # Panics
    /// If `slot` is not below [`SLOTS`].
    #[inline]
    pub fn add(&mut self, slot: u32, after: Span, tie: u64) -> Key {
        let key = self.key(slot, after, tie);
        self.push(key);
        key
    }

    /// As [`Agenda::add`] with the length of the lane, and in the same order, but cheaper.
    ///
    /// # Panics
    /// If `slot` is not below [`SLOTS`], or the lane is another agenda's.
    #[inline]
    pub fn add_in_lane(&mut self, lane: LaneId, slot: u32, tie: u64) -> Key {
        let at = lane.0 as usize;
        let key = self.key(slot, self.lanes[at].span, tie);
        let keys = &mut self.lanes[at].keys;
        match keys.back() {
            // Set at the same instant, but ahead by its tie: the heap can take it, and the lane stays sorted.
            Some(&back) if key < back => {
                self.push(key);
                return key;
            }
            Some(_) => {}
            None => {
                self.fronts[at] = key;
                if key <= self.front {
                    (self.front, self.front_lane) = (key, at);
                }
            }
        }
        if keys.len() == keys.capacity() {
            room(keys);
        }
        keys.push_back(key);
        self.in_lanes += 1;
        key
    }

    /// When the next slot comes up, dead or not.
    #[inline]
    pub fn peek_time(&self) -> Option<Time> {
        if self.is_empty() {
            return None;
        }
        Some(self.top().min(self.front).time())
    }

    /// Takes the next slot and moves the clock to its time.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "an agenda is added to between two calls; it is no iterator"
    )]
    pub fn next(&mut self) -> Option<u32> {
        self.next_live(|_| true).map(Key::slot)
    }

    /// Takes the next slot that `live` wants, dropping the others unseen: they do not move the clock.
    ///
    /// A slot for which `live` says no has left the agenda and may be used anew. A slot for which it says yes may
    /// be asked about again, since a lane sheds the dead slots behind a dead one at once.
    #[inline]
    pub fn next_live(&mut self, live: impl FnMut(Key) -> bool) -> Option<Key> {
        self.next_until(Time::MAX, live)
    }

    /// As [`Agenda::next_live`], but `None` also if what is next comes up after `limit`; it stays then.
    #[inline]
    pub fn next_until(&mut self, limit: Time, mut live: impl FnMut(Key) -> bool) -> Option<Key> {
        loop {
            let top = self.top();
            let from_lane = self.front < top;
            let key = if from_lane { self.front } else { top };
            if key.time() > limit {
                return None;
            }
            if key == Key::NONE {
                return self.next_of_last(live);
            }
            let taken = if from_lane {
                self.pop_lane(&mut live)
            } else {
                if self.few.pop().is_none() {
                    self.pop();
                }
                live(key)
            };
            if taken {
                self.now = key.time();
                return Some(key);
            }
        }
    }

    /// As [`Agenda::next_live`] where nothing is left, or only what has the greatest key there is.
    #[cold]
    fn next_of_last(&mut self, mut live: impl FnMut(Key) -> bool) -> Option<Key> {
        while !self.is_empty() {
            let taken = if self.few.pop().is_some() {
                live(Key::NONE)
            } else if self.many == 0 {
                self.pop_lane(&mut live)
            } else {
                self.pop();
                live(Key::NONE)
            };
            if taken {
                self.now = Time::MAX;
                return Some(Key::NONE);
            }
        }
        None
    }

    #[inline]
    fn key(&self, slot: u32, after: Span, tie: u64) -> Key {
        assert!(slot < SLOTS, "more than 2^24 pending slots");
        let time = self.now.saturating_add(after).0;
        let tie = tie & ((1 << TIE_BITS) - 1);
        Key(((time as u128) << (TIE_BITS + SLOT_BITS)) | ((tie << SLOT_BITS) | slot as u64) as u128)
    }

    /// Takes the least front of the lanes and, if it is dead, the dead ones behind it. Returns whether it is live.
    #[inline]
    fn pop_lane(&mut self, live: &mut impl FnMut(Key) -> bool) -> bool {
        let keys = &mut self.lanes[self.front_lane].keys;
        let Some(key) = keys.pop_front() else { return false };
        self.in_lanes -= 1;
        let taken = live(key);
        // Where timers are called off, most are. Behind a live one nobody looks: it would be asked about twice.
        while !taken
            && let Some(&next) = keys.front()
            && !live(next)
        {
            keys.pop_front();
            self.in_lanes -= 1;
        }
        self.fronts[self.front_lane] = keys.front().copied().unwrap_or(Key::NONE);
        self.find_front();
        taken
    }

    #[inline]
    fn find_front(&mut self) {
        let (mut front, mut lane) = (Key::NONE, 0);
        for (at, &key) in self.fronts.iter().enumerate() {
            if key < front {
                (front, lane) = (key, at);
            }
        }
        if front == Key::NONE && self.in_lanes > 0 {
            // Some have the greatest key there is.
            lane = self.lanes.iter().position(|lane| !lane.keys.is_empty()).unwrap_or(0);
        }
        (self.front, self.front_lane) = (front, lane);
    }

    /// The least key outside of the lanes, or [`Key::NONE`].
    #[inline]
    fn top(&self) -> Key {
        if self.many == 0 { self.few.least() } else { self.top_of_many() }
    }

    #[inline]
    fn top_of_many(&self) -> Key {
        self.heap.first().copied().unwrap_or(Key::NONE).min(self.calendar.least())
    }

    // In line where something is put on the agenda: few keys need no call (some 14 instructions each).
    #[inline(always)]
    fn push(&mut self, key: Key) {
        if self.many > 0 || !self.few.push(key) {
            self.push_far(key);
        }
    }

    /// Puts a key where there are many, and with it all that were few until now.
    #[inline(never)]
    fn push_far(&mut self, key: Key) {
        if self.many == 0 {
            self.patience = 0;
            while let Some(key) = self.few.pop() {
                self.heap.push(key);
            }
            self.heap.push(key);
            self.many = self.heap.len();
            return self.lay_out();
        }
        self.many += 1;
        if !self.calendar.push(key, self.now) {
            self.push_heap(key);
            self.refused += 1;
        }
        if self.many > self.calendar.days() || self.refused > self.patience {
            self.lay_out();
        }
    }

    /// Lays out the days of the calendar anew, for the keys that there are.
    #[cold]
    fn lay_out(&mut self) {
        let mut keys = std::mem::take(&mut self.heap);
        self.calendar.empty_into(&mut keys);
        let differs = self.calendar.lay_out(&mut keys, self.now);
        for key in keys {
            if !self.calendar.push(key, self.now) {
                self.push_heap(key);
            }
        }
        // If that was of no use, it is not tried again soon.
        self.patience = if differs { 0 } else { self.patience }.max(self.many).saturating_mul(2);
        self.refused = 0;
    }

    fn push_heap(&mut self, key: Key) {
        let heap = &mut self.heap;
        let mut at = heap.len();
        heap.push(key);
        while at > 0 {
            let parent = (at - 1) / 4;
            if heap[parent] <= key {
                break;
            }
            heap[at] = heap[parent];
            at = parent;
        }
        heap[at] = key;
    }

    /// Removes the least of many keys. What is left goes back into the list once it is very little.
    fn pop(&mut self) {
        if self.many == 0 {
            return;
        }
        self.many -= 1;
        match self.heap.first() {
            Some(&key) if key <= self.calendar.least() => self.pop_heap(),
            _ => self.calendar.pop(),
        }
        if self.many <= few::MOST / 4 {
            self.calendar.empty_into(&mut self.heap);
            while let Some(key) = self.heap.pop() {
                self.few.push(key);
            }
            self.many = 0;
        } else if self.many < self.calendar.days() / 32 {
            self.lay_out();
        }
    }

    fn pop_heap(&mut self) {
        let Some(last) = self.heap.pop() else { return };
        let heap = &mut self.heap[..];
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let (mut child, mut least) = match heap.get(first..first + 4) {
                // The usual case without a loop: two independent comparisons, then one between the winners.
                Some(&[a, b, c, d]) => {
                    let (left, l) = if b < a { (1, b) } else { (0, a) };
                    let (right, r) = if d < c { (3, d) } else { (2, c) };
                    if r < l { (first + right, r) } else { (first + left, l) }
                }
                _ => match heap.get(first) {
                    Some(&a) => (first, a),
                    None => break,
                },
            };
            if first + 4 > heap.len() {
                for (i, &key) in heap.iter().enumerate().skip(first + 1) {
                    if key < least {
                        (child, least) = (i, key);
                    }
                }
            }
            if least >= last {
                break;
            }
            heap[at] = least;
            at = child;
        }
        if let Some(place) = heap.get_mut(at) {
            *place = last;
        }
    }
}

/// Makes room for a quarter more: of a ring all memory is touched in the end, and it would be doubled.
#[cold]
fn room(keys: &mut VecDeque<Key>) {
    keys.reserve_exact(keys.len() / 4 + 16);
}

impl Default for Agenda {
    fn default() -> Self {
        Agenda::new()
    }
}

#[cfg(test)]
mod tests;
