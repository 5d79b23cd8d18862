//! The state of a world: one plain value, without closures, absolute times of the future, or trace.
//!
//! What is volatile ([`Task`], [`Call`], [`Run`], a replica's keys) dies with its node; what is durable (tables, keys,
//! sagas, outboxes, fences) belongs to a service. The engine's own bookkeeping ([`Intent`], [`Instance`]) is ground
//! truth that no modelled service can see.

use std::collections::VecDeque;

pub(crate) use super::context::{Brief, Ctx, Who};
pub(crate) use super::coordination::{
    Home, Letter, OutboxRow, Progress, RelayState, Run, SagaRow, Todo, Trouble,
};
use super::due::Due;
use super::links::Cuts;
use super::parts::Parts;
use super::places::Places;
use super::slab::{Id, Slab};
use super::words::Words;
use crate::kernel::agenda::Key;
use crate::kernel::dist::Dist;
use crate::kernel::path::Path;
use crate::kernel::time::{Span, Time};
use crate::model::expr::Failure;
use crate::model::flow::Target;
use crate::model::ids::{FlowId, OpId, ServiceId, TableId, TopicId};
use crate::model::own::{AnyProcess, Commit};
use crate::model::record::Outcome;
use crate::model::value::{NULL, Word};
use crate::model::weather::PointKind;
use crate::store::{Index, Keys, Locks, Sequences, Tables};

/// How a request ended for whoever asked.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Status {
    /// Done; the answer.
    Ok(Word),
    /// The business says no: the reason.
    Refused(Word),
    /// Nothing is to be done: it skipped (a fetch only).
    Skipped(Word),
    /// The version had changed.
    Conflict,
    /// A technical error, without effect.
    Error,
    /// The same request is in progress.
    Busy,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// Whom to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum From {
    /// Nobody waits.
    #[default]
    Nobody,
    /// A call at another node.
    Remote {
        /// The node.
        node: u32,
        /// The call.
        call: Id,
        /// Which of its attempts.
        attempt: u32,
        /// The request was a fetch.
        fetch: bool,
    },
    /// A call at the same node.
    Local {
        /// The call.
        call: Id,
        /// Which of its attempts.
        attempt: u32,
    },
    /// A relay that wants an acknowledgement.
    Relay {
        /// The node of the relay.
        node: u32,
        /// The row of the outbox.
        row: Id,
        /// The number of the subscriber.
        subscriber: u8,
    },
    /// The next stop of a choreographed flow at the same node.
    Stop(Id),
    /// A process that sent it.
    Guest {
        /// One of the world's askers.
        asker: Id,
    },
}

/// What a request wants besides what it asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Asking {
    /// What an operation run by its caller is told about a conflict: write all the same.
    pub(crate) insist: bool,
    /// The caller found that the operation refuses, for this reason: only what is to be done then is wanted. Else `NULL`.
    pub(crate) refused: Word,
}

impl Asking {
    /// Nothing besides.
    pub(crate) const PLAINLY: Asking = Asking { insist: false, refused: NULL };
}

/// What a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Parcel {
    /// Asks for an operation, a half of one, or a flow.
    Request(Target, Asking),
    /// Asks for what an operation reads.
    Fetch(OpId),
    /// Answers a request or fetch.
    Reply(Target, Status),
    /// Tells a subscriber of an event.
    Event(TopicId, u8),
    /// Carries a choreographed flow to its next stop: the step and whether it is to be undone.
    Hop(FlowId, u8, bool),
    /// Tells the home of a choreographed flow that it is over.
    Over(FlowId, Status),
    /// Acknowledges an event or a hop.
    Ack(TopicId, Id, u8),
    /// Nothing.
    #[default]
    Nothing,
}

/// One copy of a message under way. It takes two lines of memory: with many clients, none of them is at hand when it arrives.
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(align(64))]
pub(crate) struct Message {
    pub(crate) parcel: Parcel,
    pub(crate) point: PointKind,
    pub(crate) copy: u16,
    /// The name of the message, without the copy.
    pub(crate) path: Path,
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// For whom. What asks for something is called like the message.
    pub(crate) brief: Brief,
    pub(crate) answer: From,
    pub(crate) payload: Words,
}

/// What comes up on the agenda and has an entry for it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum What {
    /// Something whose number is too great to do without.
    Due(Due),
    /// A task stops waiting for a lock.
    LockTimeout(Id, u32),
    /// A flow goes on.
    Run(Id),
    /// A relay looks at its outbox.
    Relay(u16),
    /// A key is forgotten: the service or, beyond the services, the replica; the key; its count.
    Forget(u32, Word, u32),
    /// A fault strikes: the rule, the node (or `NONE`), how often it has.
    Strike(u16, u32, u32),
    /// A node restarts.
    Restart(u32, u32),
    /// A paused node goes on.
    Resume(u32, u32),
    /// A cut link is whole.
    Mend(u16),
    /// A timer of a process is up, or a commit of one is due.
    Chore(Id),
    /// Faults end.
    Heal,
    /// It was called off.
    #[default]
    Nothing,
}

/// An entry of the agenda.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) what: What,
    /// It does not count as something left to do.
    pub(crate) idle: bool,
}

/// A node.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Node {
    pub(crate) down: bool,
    /// It will not come back.
    pub(crate) gone: bool,
    pub(crate) paused: bool,
    /// When a paused node goes on.
    pub(crate) resumes: Time,
    /// Counts crashes: what was meant for an earlier life is dropped.
    pub(crate) life: u32,
}

/// A write that is not committed yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Staged {
    pub(crate) table: TableId,
    pub(crate) slot: u32,
    /// Where its cells begin among the task's.
    pub(crate) cells: u32,
    pub(crate) delete: bool,
    /// The version it was computed from, or `NONE`.
    pub(crate) base: u32,
    pub(crate) set: u32,
    pub(crate) rmw: u32,
    pub(crate) carried: u32,
    pub(crate) flags: u8,
    /// Which step of a merged flow wrote it: an index into the program's `merged`, else 0.
    pub(crate) part: u8,
}

/// A task that is being run: out of its slot, so that its steps need not look it up some sixty times. Whatever may end it
/// gets it back for so long.
pub(crate) type Running = Box<Task>;

/// An operation being executed at a replica.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Task {
    pub(crate) id: Id,
    pub(crate) program: u16,
    pub(crate) pc: u16,
    pub(crate) node: u32,
    pub(crate) ctx: Ctx,
    pub(crate) path: Path,
    pub(crate) from: From,
    pub(crate) frame: Vec<Word>,
    pub(crate) staged: Vec<Staged>,
    pub(crate) cells: Vec<Word>,
    /// Rows read by key: table, slot, version.
    pub(crate) reads: Vec<(TableId, u32, u32)>,
    pub(crate) open: bool,
    pub(crate) touched_locks: bool,
    /// The statement time of the current step has passed.
    pub(crate) paid: bool,
    /// The point before its commit is passed.
    pub(crate) passed: bool,
    /// Statements take no time here.
    pub(crate) free: bool,
    /// From its first statement to its commit nothing else can happen, unless its node is paused.
    pub(crate) at_once: bool,
    pub(crate) waiting: bool,
    /// Counts waits: a timer of an earlier one does nothing.
    pub(crate) waits: u32,
    pub(crate) refused: Option<Word>,
    pub(crate) in_refusal: bool,
    pub(crate) skipped: Parts,
    pub(crate) fenced_off: bool,
    pub(crate) reply: Word,
    pub(crate) tries: u32,
    pub(crate) key: Word,
    pub(crate) fingerprint: u64,
    /// The key entry to be set at commit.
    pub(crate) store_key: bool,
    /// The fence mark to be set at commit.
    pub(crate) fence: Option<(Word, bool)>,
    pub(crate) insist: bool,
    /// Where staged writes of the current step of a merged flow begin.
    pub(crate) mark: u32,
    pub(crate) merged: u8,
    pub(crate) merged_done: u64,
    /// The steps of a merged flow that were refused and do something for it.
    pub(crate) merged_refused: u64,
    /// Rows for the outbox.
    pub(crate) outbox: Vec<Id>,
    /// The event that runs it: id, time, version, number.
    pub(crate) event: [Word; 4],
    /// An execution counter for draws that a redo must not repeat.
    pub(crate) round: u32,
    /// The timer that will wake it.
    pub(crate) timer: Key,
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Phase {
    /// It fetches what the operation reads.
    Fetch,
    /// It thinks.
    Think,
    /// It has sent the request.
    #[default]
    Request,
    /// It waits before sending again.
    Backoff,
}

/// Who made a call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Owner {
    /// An intent, by slot.
    Intent(u32),
    /// A step of a flow: the run, the step, whether it undoes.
    Step(Id, u8, bool),
    /// Nobody.
    #[default]
    Nobody,
}

/// A request being made, with its repetitions. What its answer looks at comes first: with many clients each line of memory
/// that is looked at counts.
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub(crate) struct Call {
    pub(crate) timer: Key,
    pub(crate) owner: Owner,
    pub(crate) node: u32,
    /// The number of the attempt waited for.
    pub(crate) attempt: u32,
    /// The first attempt of the present exchange: answers to earlier ones never count.
    pub(crate) since: u32,
    pub(crate) phase: Phase,
    /// The phase to go to after a backoff.
    pub(crate) next: Phase,
    pub(crate) retry: u16,
    /// Some attempt may have taken effect.
    pub(crate) maybe: bool,
    pub(crate) insist: bool,
    pub(crate) local: bool,
    pub(crate) brief: Brief,
    pub(crate) path: Path,
    pub(crate) target: Option<Target>,
    /// How many requests were sent.
    pub(crate) requests: u32,
    /// How many fetches were sent.
    pub(crate) fetches: u32,
    /// How many attempts failed.
    pub(crate) failures: u32,
    pub(crate) sent: Time,
    pub(crate) args: Words,
    pub(crate) more: Option<Box<MoreOfCall>>,
}

/// What only some calls have: those for operations that are run by their caller, or with a backoff that depends on the one
/// before.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MoreOfCall {
    /// What was fetched.
    pub(crate) frame: Vec<Word>,
    /// The fetch found that the operation refuses, for this reason.
    pub(crate) refused: Option<Word>,
    /// How often it was done again after a conflict.
    pub(crate) redone: u32,
    /// How long it waited last before it sent again.
    pub(crate) waited: Span,
}

/// What one client wants done once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Intent {
    pub(crate) client: u32,
    pub(crate) index: u32,
    pub(crate) path: Path,
    pub(crate) effect: u64,
    /// How many live things belong to it.
    pub(crate) holds: u32,
    pub(crate) outcome: Option<Outcome>,
    /// What only intents with flows, or in weather that counts, have.
    more: Option<Box<More>>,
}

/// More about an intent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct More {
    /// Flow effects and their instances.
    pub(crate) instances: Vec<(u64, u32)>,
    /// Homes of choreographed flows that were begun for it, some of them over.
    pub(crate) homes: Vec<Id>,
    /// What processes asked for on its behalf.
    pub(crate) askers: Vec<Id>,
    /// How often each counting rule's target was met.
    pub(crate) met: Vec<u16>,
}

impl Intent {
    /// More about it, made at the first call; the slot keeps it for the next tenant.
    pub(crate) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// Begins anew, with so many rules that count.
    #[inline]
    pub(crate) fn forget_more(&mut self, rules: usize) {
        if self.more.is_some() || rules > 0 {
            let more = self.more();
            more.instances.clear();
            more.homes.clear();
            more.askers.clear();
            more.met.clear();
            more.met.resize(rules, 0);
        }
    }
}

/// One flow of one intent: all its runs share it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Instance {
    pub(crate) flow: FlowId,
    /// The effect of the flow.
    pub(crate) effect: u64,
    /// The instance and step that call it, as contexts have them; `NONE` if it is no step of a flow.
    pub(crate) caller: (u32, u32),
}

/// A client.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Client {
    pub(crate) path: Path,
    pub(crate) group: u16,
    pub(crate) number: u32,
    pub(crate) next: u32,
}

/// On whose behalf a process acts, and under which name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Origin {
    pub(crate) ctx: Ctx,
    pub(crate) op: OpId,
    pub(crate) path: Path,
}

/// A request that a process has not answered yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Asked {
    pub(crate) node: u32,
    pub(crate) origin: Origin,
    pub(crate) from: From,
    pub(crate) args: Vec<Word>,
}

/// A process that sent a request and may be answered. It goes with the intent that it asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Asker {
    pub(crate) node: u32,
    pub(crate) life: u32,
    pub(crate) origin: Origin,
    pub(crate) tag: u32,
    pub(crate) note: Word,
    /// It asked its own service, at the same replica.
    pub(crate) local: bool,
    /// It waits for a run that is under way for another intent, and may be answered when its own is long settled.
    pub(crate) waits: bool,
}

/// What a chore is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum ChoreKind {
    /// A timer.
    Timer { tag: u32, note: Word },
    /// A commit under way.
    Commit { commit: Commit, tag: u32, note: Word, looked: Vec<(TableId, u32, u32)> },
    /// It asks its own service.
    Ask { target: Target, args: Vec<Word>, asker: Id },
    /// Its own service answers it.
    Told { asker: Id, status: Status },
    /// Nothing.
    #[default]
    Nothing,
}

/// Something that a process wants done later.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chore {
    pub(crate) node: u32,
    pub(crate) origin: Origin,
    pub(crate) kind: ChoreKind,
    pub(crate) timer: u32,
}

/// An intent that a process keeps open by what is durable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) service: ServiceId,
    pub(crate) key: Word,
    pub(crate) origin: Origin,
}

/// The process of a replica, unless it is down.
#[derive(Default)]
pub(crate) struct Guest(pub(crate) Option<Box<dyn AnyProcess>>);

impl Clone for Guest {
    fn clone(&self) -> Guest {
        Guest(self.0.as_ref().map(|process| process.boxed()))
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Guest" } else { "Guest(down)" })
    }
}

/// Work at the present instant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ready {
    /// A task goes on.
    Task(Id),
    /// A call is answered.
    Answer(Id, u32, Status),
    /// A flow goes on.
    Run(Id),
    /// A choreographed flow's operation is done at a stop.
    Stop(Id, Status),
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// How nodes are; where nothing strikes, without clients.
    pub(crate) nodes: Vec<Node>,
    pub(crate) tables: Tables,
    pub(crate) locks: Locks,
    /// Keys by service, then by replica.
    pub(crate) keys: Vec<Keys>,
    /// Marks of fences by service.
    pub(crate) fences: Vec<Keys>,
    pub(crate) events: Slab<Event>,
    pub(crate) messages: Slab<Message>,
    pub(crate) tasks: Slab<Running>,
    /// Lies in the slot of the task that is being run; while none is, here. What it holds means nothing.
    pub(crate) blank: Option<Running>,
    pub(crate) calls: Slab<Call>,
    pub(crate) runs: Slab<Run>,
    pub(crate) sagas: Slab<SagaRow>,
    pub(crate) outbox: Slab<OutboxRow>,
    pub(crate) intents: Slab<Intent>,
    pub(crate) instances: Slab<Instance>,
    /// Who lives at which node.
    pub(crate) places: Places,
    /// Runs with a key, by flow and key.
    pub(crate) keyed: Index,
    /// Homes of choreographed flows under way, by path and node.
    pub(crate) listening: Index,
    pub(crate) clients: Vec<Client>,
    pub(crate) relays: Vec<RelayState>,
    /// Sequence numbers of events by topic and key.
    pub(crate) sequences: Sequences,
    /// Links cut now: rules.
    pub(crate) cuts: Cuts,
    pub(crate) ready: VecDeque<Ready>,
    /// Scratch for the waiters that get a lock.
    pub(crate) woken: Vec<u32>,
    /// Scratch for the slots of a condition.
    pub(crate) slots: Vec<Word>,
    /// Scratch for the rules that may reach the message being sent.
    pub(crate) narrow: Vec<u16>,
    /// Scratch for the copies of the message being sent.
    pub(crate) copies: Vec<Option<Dist>>,
    /// Processes by replica; empty if there is none.
    pub(crate) guests: Vec<Guest>,
    pub(crate) asked: Slab<Asked>,
    pub(crate) chores: Slab<Chore>,
    /// Everything that processes sent: a reply may come late, or twice.
    pub(crate) askers: Slab<Asker>,
    /// All that processes ever kept open, and by service and key what still is.
    pub(crate) kept: Vec<Kept>,
    pub(crate) filed: Index,
    /// Timers of processes by node, tag and note.
    pub(crate) timers: Index,
    /// Operations of which an expression had no value, and why at first.
    pub(crate) failures: Vec<(OpId, Failure)>,
    /// Fault rules that have struck.
    pub(crate) struck: Vec<bool>,
    /// Fault rules that would have struck, had chance let them.
    pub(crate) unlucky: Vec<bool>,
    /// Kinds of messages, a bit each, of which one was spared by all rules that reach all of them.
    pub(crate) spared: u32,
    /// What code of the user's own did that ended the run.
    pub(crate) broken: Option<String>,
    /// Events on the agenda that count as something left to do.
    pub(crate) work: u32,
    /// How many nodes are paused.
    pub(crate) paused: u32,
    /// What comes up at nodes that are, and waits for them.
    pub(crate) held: Vec<(u32, Key)>,
    pub(crate) calm: bool,
    /// The clean-weather twin: which client is next.
    pub(crate) turn: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There is a message, a call and an intent for each client, and each line of memory that an event touches counts.
    #[test]
    fn what_every_client_has_is_small() {
        assert!(size_of::<Ctx>() <= 40);
        assert!(size_of::<Message>() <= 128);
        assert!(size_of::<Call>() <= 160);
        assert!(size_of::<Intent>() <= 40);
    }
}
