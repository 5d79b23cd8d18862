//! The compiled form of an operation: a fixed frame of steps, between any two of which a crash can fall.
//!
//! A strategy fills the frame (`strategy::operation`), the engine runs it (`sim::task`). A frame of words holds the
//! operation's slots and what it read and computed; it travels in the messages of an operation run by its caller.

use super::expr::Code;
use super::how::{KeyPolicy, OnConflict};
use super::ids::{ColumnId, OpId, TableId, TopicId};
use super::own::Custom;
use super::service::Verb;
use super::value::Word;
use crate::kernel::dist::Dist;
use crate::kernel::time::Span;

/// One step of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(4))]
pub enum Step {
    /// Looks the idempotency key up.
    KeyLookup,
    /// Stores the key in a commit of its own, before the effect.
    KeyEarly,
    /// Begins the transaction.
    Begin,
    /// Claims the key in the transaction.
    KeyClaim,
    /// Checks and marks the fence of a saga's step.
    Fence,
    /// Lets the weather refuse or fail the operation of the part.
    Weather(u8),
    /// Locks what the part reads.
    Lock(u8),
    /// Locks what the events of the part look at, and the reply.
    LockTold(u8),
    /// Reads, checks and computes the part at one instant.
    Read(u8),
    /// Thinks.
    Think(u8),
    /// Says at tables that others lock whole that the part is about to write rows there.
    Intend(u8),
    /// Writes one address of a part.
    Write(u8, u8),
    /// Compares the versions of all rows read.
    Verify,
    /// Writes the part's events into the outbox.
    Outbox(u8),
    /// Computes the reply.
    Reply,
    /// Stores the key and the answer in the transaction.
    KeyStore,
    /// Makes the transaction durable.
    Commit,
    /// Stores the key and the answer in a commit of its own, after the effect.
    KeyLate,
    /// Hands the part's events to the network.
    Publish(u8),
    /// Enters the next operation of a merged flow: an index into [`Program::merged`].
    Enter(u8),
    /// Leaves it, binding its reply and, where it says so, comparing the versions of all rows read since it was entered.
    Leave(u8),
    /// A step of the user's own: an index into [`Program::custom`].
    Custom(u8),
    /// Answers.
    End,
}

/// A compiled operation, or one half of it, or a merged flow.
#[derive(Clone, Debug)]
pub struct Program {
    /// The operation; of a merged flow, its first.
    pub op: OpId,
    /// The steps.
    pub steps: Vec<Step>,
    /// Where a refusal goes on.
    pub refuse: u16,
    /// Where a conflict goes on that is done again.
    pub redo: u16,
    /// How many words the frame has.
    pub frame: u16,
    /// How many of them are arguments.
    pub args: u16,
    /// The parts; of a merged flow those of all its operations. `otherwise` comes last, if there is one; of a merged flow it
    /// stands where its step has room for it.
    pub parts: Vec<PartPlan>,
    /// Some part publishes something.
    pub publishes: bool,
    /// The reply, computed from what the transaction leaves.
    pub reply: Option<Code>,
    /// How repetitions are recognised.
    pub key: Option<KeyPlan>,
    /// What happens when a version has changed, and how often it reads anew. In a merged flow each step says so itself.
    pub conflict: (OnConflict, Option<u32>),
    /// Writes are visible at once and nothing is rolled back.
    pub loose: bool,
    /// How long a lock is waited for; in a merged flow each step says so itself.
    pub lock_wait: Span,
    /// A fetch: its answer is the frame.
    pub is_fetch: bool,
    /// The operation changes nothing.
    pub read_only: bool,
    /// Of a merged flow: one entry a step.
    pub merged: Vec<MergedStep>,
    /// Steps of the user's own.
    pub custom: Vec<Custom>,
    /// Their words in the frame: the first, and how many.
    pub custom_slots: (u16, u16),
}

/// A step of a merged flow.
#[derive(Clone, Debug)]
pub struct MergedStep {
    /// The operation.
    pub op: OpId,
    /// Condition over the flow's slots.
    pub when: Option<Code>,
    /// The number of the flow's step.
    pub step: u8,
    /// Arguments over the flow's slots, and the frame slot each goes to.
    pub args: Vec<(Code, u16)>,
    /// The program counter after the step, and after what is done when it refuses.
    pub next: u16,
    /// A refusal does not fail the flow.
    pub optional: bool,
    /// Something is done when it refuses.
    pub otherwise: bool,
    /// Where a refusal goes on: with what is done then, if there is anything.
    pub refuse: u16,
    /// What happens when a version has changed that it read or writes, and how often the flow reads anew.
    pub conflict: (OnConflict, Option<u32>),
    /// How long it waits for a lock.
    pub lock_wait: Span,
    /// The versions of all rows that it reads are compared before it is left.
    pub verify: bool,
    /// The slot that the reply of the step is bound to, and its code.
    pub bind: Option<(Code, u16)>,
}

/// How a program recognises repetitions.
#[derive(Clone, Debug)]
pub struct KeyPlan {
    /// The policy.
    pub policy: KeyPolicy,
    /// The key of [`KeySource::Computed`](super::how::KeySource::Computed).
    pub computed: Option<Code>,
}

/// A compiled part.
#[derive(Clone, Debug, Default)]
pub struct PartPlan {
    /// The operation it belongs to.
    pub op: OpId,
    /// In a merged flow, which of its steps this belongs to: a place among the program's `merged`.
    pub merged: u8,
    /// It is what is done when the operation refuses.
    pub otherwise: bool,
    /// Where a skip goes on.
    pub skip_to: u16,
    /// Slot and code, in order.
    pub lets: Vec<(u16, Code)>,
    /// True: done, without effect.
    pub skip: Option<Code>,
    /// The same once more, at the store, before a guarded write.
    pub skip_at_store: Option<Code>,
    /// Reason and code.
    pub require: Vec<(Word, Code)>,
    /// Of a guarded part: the write in whose statement each requirement is looked at.
    pub guards: Vec<u16>,
    /// How long it thinks.
    pub think: ThinkPlan,
    /// Under locks: what it reads.
    pub reads: Vec<LockPlan>,
    /// Under locks: what else its events and, of the first part, the reply look at.
    pub told: Vec<LockPlan>,
    /// The tables that it writes, as far as somebody locks them whole.
    pub intends: Vec<LockPlan>,
    /// The writes.
    pub writes: Vec<WritePlan>,
    /// The events.
    pub publish: Vec<PublishPlan>,
}

impl PartPlan {
    /// Whether what it requires, or skips for, is looked at at the store.
    pub fn is_guarded(&self) -> bool {
        !self.guards.is_empty() || self.skip_at_store.is_some()
    }
}

/// What is locked.
#[derive(Clone, Debug)]
pub enum LockPlan {
    /// The row with this key.
    Row(TableId, Box<Code>),
    /// A table, for rows of it. Only where somebody locks it whole.
    Intention(TableId),
    /// A whole table.
    Whole(TableId),
}

/// How long a part thinks.
#[derive(Clone, Debug, Default)]
pub enum ThinkPlan {
    /// Not at all.
    #[default]
    None,
    /// A time drawn for each execution.
    Time(Dist),
    /// A duration computed at the read: its slot.
    Computed(Code, u16),
}

/// A compiled write. In the frame it has a region from `base`: key, version read (0: absent), the row as read (one word
/// a column), then one word a value. Writes at matching rows keep a heap tuple of all that in the first word.
#[derive(Clone, Debug)]
pub struct WritePlan {
    /// The table.
    pub table: TableId,
    /// Which rows.
    pub at: AtPlan,
    /// What is done there.
    pub verb: Verb,
    /// The first word of its region.
    pub base: u16,
    /// How many columns the table has.
    pub columns: u16,
    /// The values.
    pub values: Vec<ValuePlan>,
    /// Some of them are differences.
    pub deltas: bool,
    /// What it leaves may clash with another row.
    pub unique: bool,
    /// The whole row is written back, not only the values.
    pub whole: bool,
    /// The columns meant.
    pub set: u32,
    /// The columns whose new value comes from a read of the row.
    pub rmw: u32,
    /// Before it, all rows of the part are locked, and what it skips for and its requirements are evaluated at the store.
    pub guarded: bool,
    /// The version must still be the one read.
    pub versioned: bool,
    /// The values are computed again at the store (guarded, where no difference can be formed).
    pub fresh_values: bool,
}

/// Which rows a write goes to.
#[derive(Clone, Debug)]
pub enum AtPlan {
    /// One key.
    Key(Code),
    /// A fresh key.
    Fresh,
    /// All rows that match; the row is row variable 0.
    Matching(Code),
}

/// A value written to a column.
#[derive(Clone, Debug)]
pub struct ValuePlan {
    /// The column.
    pub column: ColumnId,
    /// Computes it, or the difference.
    pub code: Code,
    /// Whether it is a difference.
    pub delta: bool,
}

/// A compiled event.
#[derive(Clone, Debug)]
pub struct PublishPlan {
    /// The topic.
    pub topic: TopicId,
    /// One code a field of the topic; absent ones are null.
    pub fields: Vec<Option<Code>>,
    /// The first slot where the computed fields are kept until they are handed over, then the record's version.
    pub base: u16,
    /// The write of the part whose row's version the event carries.
    pub version_of: Option<u8>,
}
