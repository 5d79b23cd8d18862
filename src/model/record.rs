//! What a run says: a stream of fixed-size records, each naming the decision path that caused it.
//!
//! Records carry ids and no row values; whoever needs values looks at the tables as of that record. Which words a record
//! of each kind has, and their order, is part of the seed contract: they are digested.

use crate::kernel::path::Path;
use crate::kernel::time::Time;

/// No such thing: a client, an intent, an instance, a step.
pub const NONE: u32 = u32::MAX;

/// One thing that happened. What the fields mean depends on [`Kind`]; those not named there are 0 or [`NONE`].
///
/// The order of the fields is that of the words that are digested ([`Record::words`]), so that each is one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Record {
    /// When.
    pub at: Time,
    /// The path of what happened: the copy of a message, the execution of an operation, the run of a flow.
    pub path: Path,
    /// See [`Kind`].
    pub data: u64,
    /// See [`Kind`].
    pub ver: u32,
    /// An operation, a flow with [`FLOW`] added, a table or a topic.
    pub op: u16,
    /// See [`Kind`].
    pub flag: u8,
    /// What happened.
    pub kind: Kind,
    /// The client it was done for, numbered over all groups, or [`NONE`].
    pub client: u32,
    /// A node, or as [`Kind`] says.
    pub who: u32,
    /// See [`Kind`].
    pub row: u32,
    /// The slot of the intent it was done for, or [`NONE`]. A slot is used again after [`Kind::Settled`].
    pub intent: u32,
}

/// Added to the number of a flow where an operation or a flow may stand.
pub const FLOW: u16 = 0x8000;

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A client begins an intent: `op` its target, `ver` its index among the client's, `data` its root effect.
    Invoke = 1,
    /// It ends for the client: `flag` the [`Outcome`], `data` the reason word of a refusal.
    Complete = 2,
    /// A message is handed to the network: `flag` a point kind, `op` its subject, `who` → `row` the nodes, `ver` the
    /// number of copies.
    Sent = 3,
    /// A copy is lost: as `Sent`, but `ver` the copy, `data` the rule, [`LOST_DOWN`] or [`LOST_CUT`].
    Lost = 4,
    /// A copy arrives: as `Lost`, without `data`.
    Delivered = 5,
    /// An operation begins to execute: `op`, `who` the node, `data` its effect, `row` step and role as in `Commit`.
    Begin = 6,
    /// It read a row: `op` the table, `row` the slot, `ver` the version (0: absent).
    Read = 7,
    /// It installed a version: `op` the table, `row` the slot, `ver` the version, `who` the version it was computed from
    /// ([`NONE`]: from none), `data` three masks (see [`Masks`]), `flag` bits of [`install`]. Follows its `Commit`.
    Install = 8,
    /// A transaction is durable: `op`, `data` the effect, `who` the flow instance, `row` = step << 8 | role
    /// ([`Record::step`]), `ver` how many installs follow, `flag` bits of [`commit`].
    Commit = 9,
    /// A transaction is undone by a crash, a conflict or a deadlock: `op`, `who` the node.
    Rollback = 10,
    /// The business says no: `op`, `data` the reason word, `who` the node, `row` step and role, `flag` 1: by weather.
    Refused = 11,
    /// A technical error without effect: `op`, `who` the node, `row` step and role.
    Failed = 12,
    /// A version had changed: `op`, `who` the node, `row` the slot, `data` the table.
    Conflict = 13,
    /// A repetition is recognised and answered from memory: `op`, `data` the effect, `who` the node.
    Replay = 14,
    /// A repetition meets its first in progress: `op`, `who` the node.
    Busy = 15,
    /// It waits for a lock: `op` the table, `row` low word of the key, or `flag` 1: for the table; `who` the node.
    LockWait = 16,
    /// A caller stops waiting for an attempt: `op` the target, `ver` the attempt, `who` the node.
    Timeout = 17,
    /// A node crashes: `who`, `data` the rule, `flag` a point kind + 1 if a point did it.
    Crash = 18,
    /// A node is back: `who`.
    Restart = 19,
    /// A node stops for a while: `who`, `data` the rule.
    Pause = 20,
    /// It goes on: `who`.
    Resume = 21,
    /// A link is cut (`flag` 1) or whole again (0): `data` the rule.
    Cut = 22,
    /// Faults end.
    Heal = 23,
    /// A flow moves: `op` the flow, `flag` a [`FlowMove`], `who` the instance, `row` the step or [`NONE`], `data` the node.
    /// When it starts as a step of another flow, `ver` is the instance of that, and `row` step and role as in `Commit`.
    Flow = 24,
    /// An event is handed over or, with `flag` 1, written to the outbox: `op` the topic, `who` the node.
    Publish = 25,
    /// The relay notes an event as out: `op` the topic, `who` the node.
    Mark = 26,
    /// Nothing more can happen for an intent: its slot is free after this record.
    Settled = 27,
    /// A message waits longer than its latency: as `Sent`, `data` the rule.
    Delayed = 28,
    /// The run is over: `flag` an [`End`](super::plan::End) code, `data` how many locks, keys in progress and open
    /// transactions are left.
    End = 29,
}

impl Kind {
    /// All of them, in the order of their codes, which count from 1.
    pub const ALL: [Kind; Kind::COUNT - 1] = [
        Kind::Invoke,
        Kind::Complete,
        Kind::Sent,
        Kind::Lost,
        Kind::Delivered,
        Kind::Begin,
        Kind::Read,
        Kind::Install,
        Kind::Commit,
        Kind::Rollback,
        Kind::Refused,
        Kind::Failed,
        Kind::Conflict,
        Kind::Replay,
        Kind::Busy,
        Kind::LockWait,
        Kind::Timeout,
        Kind::Crash,
        Kind::Restart,
        Kind::Pause,
        Kind::Resume,
        Kind::Cut,
        Kind::Heal,
        Kind::Flow,
        Kind::Publish,
        Kind::Mark,
        Kind::Settled,
        Kind::Delayed,
        Kind::End,
    ];

    /// One more than the greatest code.
    pub const COUNT: usize = 30;
}

/// `data` of [`Kind::Lost`]: the receiver was down.
pub const LOST_DOWN: u64 = u64::MAX;
/// `data` of [`Kind::Lost`]: the link was cut.
pub const LOST_CUT: u64 = u64::MAX - 1;

/// How an intent ended for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// It was told: done.
    Ok = 0,
    /// It was told: not done.
    Failed = 1,
    /// It was told nothing it could rely on.
    Unknown = 2,
}

impl Outcome {
    /// The outcome with this code; anything else is unknown.
    #[inline]
    pub fn of(flag: u8) -> Outcome {
        match flag {
            0 => Outcome::Ok,
            1 => Outcome::Failed,
            _ => Outcome::Unknown,
        }
    }
}

/// Bits of `flag` of [`Kind::Install`].
pub mod install {
    /// The row is as it was before.
    pub const NOOP: u8 = 1;
    /// The row is new.
    pub const CREATE: u8 = 2;
    /// The row is gone.
    pub const DELETE: u8 = 4;
    /// Written because a requirement refused.
    pub const OTHERWISE: u8 = 8;
    /// Kept by a strategy of the user's own for itself: no effect of the operation.
    pub const KEPT: u8 = 16;
}

/// Bits of `flag` of [`Kind::Commit`].
pub mod commit {
    /// The operation refused; its installs are those of `otherwise`.
    pub const REFUSED: u8 = 1;
    /// It skipped: done without effect.
    pub const SKIPPED: u8 = 2;
    /// A fence made it do nothing.
    pub const FENCED: u8 = 4;
    /// The store does not isolate: this write was visible before the end of its operation.
    pub const EARLY: u8 = 8;
    /// A strategy of the user's own keeps something for itself: no effect of the operation.
    pub const KEPT: u8 = 16;
}

/// What a flow does in [`Kind::Flow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FlowMove {
    /// It starts.
    Started = 0,
    /// A step is asked for.
    Asked = 1,
    /// A step is known to be done.
    Done = 2,
    /// A step is known to be refused.
    StepRefused = 3,
    /// Nobody knows whether a step is done.
    StepUnknown = 4,
    /// The flow turns back.
    Compensating = 5,
    /// A step's compensation is asked for.
    UndoAsked = 6,
    /// A step is known to be undone.
    Undone = 7,
    /// A compensation is set aside for a person.
    Parked = 8,
    /// It ends and believes that all is done.
    Completed = 9,
    /// It ends and believes that all is undone.
    Compensated = 10,
    /// It ends in between, and knows it.
    Escalated = 11,
    /// It is taken up again after a crash.
    Recovered = 12,
    /// Its log is written.
    Logged = 13,
    /// It ends and says it failed, without having undone anything.
    GaveUp = 14,
}

impl FlowMove {
    /// All of them; the position of one is its code.
    pub const ALL: [FlowMove; 15] = [
        FlowMove::Started,
        FlowMove::Asked,
        FlowMove::Done,
        FlowMove::StepRefused,
        FlowMove::StepUnknown,
        FlowMove::Compensating,
        FlowMove::UndoAsked,
        FlowMove::Undone,
        FlowMove::Parked,
        FlowMove::Completed,
        FlowMove::Compensated,
        FlowMove::Escalated,
        FlowMove::Recovered,
        FlowMove::Logged,
        FlowMove::GaveUp,
    ];

    /// Whether the flow ends with it.
    pub fn is_end(self) -> bool {
        matches!(self, FlowMove::Completed | FlowMove::Compensated | FlowMove::Escalated | FlowMove::GaveUp)
    }
}

/// Whether a flow step was done or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StepRole {
    /// The action.
    Action = 0,
    /// The compensation.
    Undo = 1,
}

/// Which columns an install wrote, and why: three masks of 21 bits. Bit n is column n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// The operation meant to write them.
    pub set: u32,
    /// Meant, and the new value was computed from a read of this row, or a requirement read it.
    pub rmw: u32,
    /// Written back unmeant, and differing from what was there.
    pub carried: u32,
}

impl Masks {
    const BITS: u32 = 21;
    const ALL: u64 = (1 << Self::BITS) - 1;

    /// The three masks in one word.
    pub fn pack(self) -> u64 {
        u64::from(self.set) | u64::from(self.rmw) << Self::BITS | u64::from(self.carried) << (2 * Self::BITS)
    }

    /// The masks of an install record's `data`.
    #[inline]
    pub fn unpack(data: u64) -> Masks {
        let take = |n: u32| (data >> (n * Self::BITS) & Self::ALL) as u32;
        Masks { set: take(0), rmw: take(1), carried: take(2) }
    }
}

impl Record {
    /// All of it in six words, the same on any machine. Those of a machine with little ends lie in memory as they are.
    #[inline]
    pub const fn words(&self) -> [u64; 6] {
        let head = (self.kind as u32) << 24 | (self.flag as u32) << 16 | self.op as u32;
        [
            self.at.0,
            self.path.0,
            self.data,
            (head as u64) << 32 | self.ver as u64,
            (self.who as u64) << 32 | self.client as u64,
            (self.intent as u64) << 32 | self.row as u64,
        ]
    }

    /// The step and role in `row` of `Begin`, `Commit`, `Refused`, `Failed`, and of a `Flow` that starts; `None` outside a
    /// flow.
    #[inline]
    pub fn step(&self) -> Option<(u8, StepRole)> {
        if self.row == NONE {
            return None;
        }
        let role = if self.row & 0xff == 0 { StepRole::Action } else { StepRole::Undo };
        Some(((self.row >> 8) as u8, role))
    }
}

/// The `row` of a record that belongs to a step.
pub fn step_word(step: u8, role: StepRole) -> u32 {
    u32::from(step) << 8 | role as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine writes some five an event, and each digest and observer reads them.
    #[test]
    fn a_record_is_six_words() {
        assert_eq!(size_of::<Record>(), 48);
    }

    #[test]
    fn the_kinds_are_those_with_a_code() {
        let codes: Vec<usize> = Kind::ALL.iter().map(|&kind| kind as usize).collect();
        assert_eq!(codes, (1..Kind::COUNT).collect::<Vec<_>>());
    }

    /// Each field is in the words, whole, and at a place of its own.
    #[test]
    fn the_words_hold_all_fields() {
        let record = Record {
            at: Time(0x0101_0202_0303_0404),
            path: Path(0x1112_1314_1516_1718),
            data: 0x2122_2324_2526_2728,
            ver: 0x3132_3334,
            op: 0x4142,
            flag: 0x51,
            kind: Kind::Heal,
            client: 0x6162_6364,
            who: 0x7172_7374,
            row: 0x8182_8384,
            intent: 0x9192_9394,
        };
        let words = [
            0x0101_0202_0303_0404,
            0x1112_1314_1516_1718,
            0x2122_2324_2526_2728,
            0x1751_4142_3132_3334,
            0x7172_7374_6162_6364,
            0x9192_9394_8182_8384,
        ];
        assert_eq!(record.words(), words);
    }
}
