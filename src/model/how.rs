//! How: one strategy, resolved. For every operation, flow and caller it gives one policy a dimension.
//!
//! The reader merges built-in strategies, `*`, own keys and `where` scopes; what is here is the result.

use super::flow::Target;
use super::ids::{FlowId, GroupId, OpId, ServiceId};
use super::own::OwnPolicy;
use super::service::By;
use crate::kernel::time::Span;
use crate::model::expr::Expr;
use crate::model::value::Word;

/// A resolved strategy.
#[derive(Clone, Debug)]
pub struct How {
    /// Its name.
    pub name: String,
    /// One for each operation of the model.
    pub operations: Vec<OperationHow>,
    /// One for each flow of the model.
    pub flows: Vec<FlowHow>,
    /// How calls are repeated; the last entry that matches holds, the first matches all.
    pub retries: Vec<(RetryScope, Retry)>,
    /// Steps of the user's own in the frame of every operation.
    pub own: Option<OwnPolicy>,
}

impl How {
    /// How a caller repeats its calls of a target.
    pub fn retry(&self, caller: Caller, target: Target) -> &Retry {
        let matching = self.retries.iter().rev().find(|(scope, _)| scope.matches(caller, target));
        &matching.unwrap_or(&self.retries[0]).1
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A client of a group.
    Group(GroupId),
    /// A flow, run by a service or by its caller.
    Flow(FlowId, Option<ServiceId>),
}

/// For which calls a retry policy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryScope {
    /// All.
    All,
    /// The calls of a group of clients.
    Group(GroupId),
    /// The calls made by flows that a service runs.
    Service(ServiceId),
    /// The calls made by a flow.
    Flow(FlowId),
    /// The calls of an operation.
    Op(OpId),
}

impl RetryScope {
    fn matches(self, caller: Caller, target: Target) -> bool {
        match self {
            RetryScope::All => true,
            RetryScope::Group(group) => caller == Caller::Group(group),
            RetryScope::Service(service) => matches!(caller, Caller::Flow(_, Some(by)) if by == service),
            RetryScope::Flow(flow) => matches!(caller, Caller::Flow(of, _) if of == flow),
            RetryScope::Op(op) => target == Target::Op(op),
        }
    }
}

/// How one operation is carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationHow {
    /// How rows are written.
    pub write: WritePolicy,
    /// Who runs it.
    pub by: By,
    /// How the store isolates transactions.
    pub store: StoreLevel,
    /// How repetitions are recognised.
    pub idempotency: Idempotency,
    /// How events leave.
    pub publish: PublishPolicy,
}

/// How one flow is carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowHow {
    /// Who coordinates its steps, and how.
    pub coordination: Coordination,
    /// How repeated starts are recognised.
    pub idempotency: Idempotency,
    /// How the events of a choreography leave.
    pub publish: PublishPolicy,
}

/// How rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WritePolicy {
    /// The whole row as read, with the new values.
    Absolute,
    /// The named fields only.
    Patch,
    /// The difference, added to whatever is there.
    Relative,
    /// The difference or the named fields, if the requirements hold at the store.
    Guarded,
    /// As absolute, if the version is still the one read.
    Occ(Occ),
    /// As absolute, after locking what it reads.
    Lock {
        /// How long it waits for a lock.
        wait: Span,
    },
}

/// Optimistic concurrency control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occ {
    /// Whether only the rows written are compared, or all rows read.
    pub scope: OccScope,
    /// What happens when the version has changed.
    pub on_conflict: OnConflict,
    /// How often it reads anew; `None`: ever.
    pub tries: Option<u32>,
}

/// Which versions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OccScope {
    /// Those of the rows written.
    Row,
    /// Those of all rows read by key.
    Reads,
}

/// What happens when the version has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Reads and computes again.
    Redo,
    /// Tells the caller.
    Reject,
    /// Writes the old values under the new version.
    Force,
    /// Writes the fields if all of them are as they were read.
    Merge,
    /// Succeeds if the record is as asked for.
    Already,
}

/// How the store isolates transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreLevel {
    /// Row locks for writers until commit; readers see what is committed.
    ReadCommitted,
    /// Every statement is visible at once; nothing is rolled back.
    None,
}

/// How repetitions are recognised.
#[derive(Clone, Debug, PartialEq)]
pub enum Idempotency {
    /// Not at all.
    None,
    /// By a key.
    Key(Box<KeyPolicy>),
}

/// Recognition by a key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPolicy {
    /// Where the key comes from.
    pub source: KeySource,
    /// When it is stored.
    pub store: KeyStore,
    /// What an equal key with other arguments means.
    pub same_key: SameKey,
    /// What becomes of a request whose key is in progress.
    pub busy: Busy,
    /// After so long an entry in progress is taken over; [`Span::MAX`]: never.
    pub busy_for: Span,
    /// After so long a finished entry is forgotten; [`Span::MAX`]: never.
    pub ttl: Span,
    /// Where entries are kept.
    pub memory: KeyMemory,
    /// Which results are kept.
    pub keep: Keep,
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySource {
    /// The intent and the step: the same for every attempt of every hop.
    Intent,
    /// Each run of the calling flow: what a handler gets that makes its own key. For a client's own call, its intent.
    Call,
    /// Each request sent.
    Attempt,
    /// The arguments.
    Payload,
    /// The message: the same for its copies.
    Message,
    /// Computed from the arguments.
    Computed(Expr),
}

/// When a key is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStore {
    /// In the transaction of the effect.
    With,
    /// In a commit of its own before it.
    Before,
    /// In a commit of its own after it.
    After,
}

/// What an equal key with other arguments means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameKey {
    /// The first answer is given again.
    Replay,
    /// It is refused.
    Compare,
}

/// What becomes of a request whose key is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// It is turned away and may be repeated.
    Reject,
    /// It waits.
    Wait,
    /// It goes on.
    Ignore,
}

/// Where keys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMemory {
    /// In the service's database.
    Shared,
    /// In the memory of the replica, gone when it crashes.
    Replica,
}

/// Which results are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Successes and refusals.
    Any,
    /// Successes.
    Success,
    /// That it was done, not the answer: a repetition is told ok without one.
    Nothing,
}

/// How calls are repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How long an attempt is waited for.
    pub timeout: Span,
    /// How many attempts are made; `None`: ever.
    pub attempts: Option<u32>,
    /// What a repetition repeats, where the operation is run by its caller.
    pub on_timeout: OnTimeout,
    /// How the time between attempts grows.
    pub backoff: Backoff,
    /// The first wait.
    pub first: Span,
    /// By what it grows.
    pub factor: u32,
    /// The longest wait.
    pub cap: Span,
    /// How much of the wait is drawn.
    pub jitter: Jitter,
    /// Refusals are final; otherwise they are repeated too.
    pub give_up_on_refusals: bool,
    /// Whether an answer to an earlier attempt counts.
    pub late: Late,
}

/// What a repetition repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    /// The same request.
    Resend,
    /// The whole exchange: it fetches again.
    Redo,
}

/// How the time between attempts grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// No wait.
    None,
    /// Always the first.
    Fixed,
    /// By the factor each time.
    Exponential,
    /// Sends are the first wait apart, whatever the answers were.
    Period,
}

/// How much of the wait is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Nothing.
    None,
    /// All of it: between nothing and the wait.
    Full,
    /// Half of it.
    Equal,
    /// Between the first and three times the wait before.
    Decorrelated,
}

/// Whether an answer to an earlier attempt counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// It changes nothing.
    Ignore,
    /// It is as good as any.
    Accept,
}

/// Who coordinates the steps of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coordination {
    /// The home service calls one after the other and remembers nothing.
    Calls {
        /// When the caller is answered.
        answer: Answer,
    },
    /// The home service sends everything and waits for nothing.
    FireAndForget,
    /// An orchestrator with a log and compensations.
    Saga(SagaPolicy),
    /// Each step's service tells the next.
    Choreography {
        /// When the caller is answered.
        answer: Answer,
    },
    /// The services become one and the steps one transaction.
    Merged,
}

/// When the caller of a flow is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// When it is over.
    Done,
    /// When it has begun.
    Accepted,
}

/// How an orchestrated saga is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaPolicy {
    /// When the caller is answered.
    pub answer: Answer,
    /// Whether the log survives a crash.
    pub durable: bool,
    /// Whether a step is logged before it is sent, or after its answer.
    pub register: Register,
    /// What a restarted orchestrator does with an unfinished saga.
    pub recover: Recover,
    /// In which order steps are undone.
    pub undo: UndoOrder,
    /// What is done when a compensation cannot be carried out.
    pub stuck_undo: StuckUndo,
    /// Participants refuse an action that comes after its compensation, and recognise repetitions of both.
    pub fence: bool,
}

/// When a step is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    /// Before it is sent.
    Before,
    /// After its answer.
    After,
}

/// What a restarted orchestrator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recover {
    /// Undoes what may have been done, unless the pivot may have been passed.
    Back,
    /// Goes on.
    Forward,
}

/// In which order steps are undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoOrder {
    /// The last first.
    Reverse,
    /// The first first.
    Forward,
    /// All at once.
    Parallel,
}

/// What is done when a compensation cannot be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StuckUndo {
    /// It is tried again.
    Retry,
    /// It is set aside for a person, and the others go on.
    Park,
    /// The whole compensation stops.
    Stop,
}

/// How events leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishPolicy {
    /// After the commit, once.
    AfterCommit,
    /// Before the commit, once.
    BeforeCommit,
    /// From a table written in the same transaction, by a relay that repeats until acknowledged.
    Outbox(Relay),
}

/// How the relay of an outbox finds what to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// How it finds rows.
    pub kind: RelayKind,
    /// The grid on which it looks.
    pub every: Span,
    /// How long it waits for a missing number.
    pub gap: Span,
}

/// How the relay of an outbox finds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayKind {
    /// Rows not yet marked.
    Flag,
    /// Rows beyond the greatest number seen.
    Cursor,
    /// As cursor, but it waits for missing numbers.
    Gap,
}

/// A constant text used where a policy refuses by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reasons {
    /// `missing`: no such row.
    pub missing: Word,
    /// `exists`: there is one already.
    pub exists: Word,
    /// `error`: an expression failed.
    pub error: Word,
    /// `other request`: the same key with other arguments.
    pub mismatch: Word,
    /// `fenced`: the action came after its compensation.
    pub fenced: Word,
}
