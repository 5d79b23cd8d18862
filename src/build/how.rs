//! Strategies: a policy for each dimension, here and there another one.
//!
//! A policy says only what it changes: without `use`, it lays its parameters over what the strategy below has.

use super::doc::{Doc, escaped};
use super::expr::Expr;
use super::flow::{Clients, Flow};
use super::operation::Operation;
use super::quantity::span;
use super::render::Here;
use super::what::{Service, Table, Topic};
use crate::kernel::time::Span;
use crate::model::how::{
    Answer, Backoff, Busy, Jitter, Keep, KeyMemory, KeyStore, Late, OccScope, OnConflict, OnTimeout, Recover,
    Register, RelayKind, SameKey, StoreLevel, StuckUndo, UndoOrder,
};
use crate::model::service::By;
use crate::scenario::json::{Json, Object};

/// The word of a file for a choice.
trait Choice {
    fn word(self) -> &'static str;
}

macro_rules! choices {
    ($($ty:ident { $($variant:ident = $word:literal),+ })*) => { $(
        impl Choice for $ty {
            fn word(self) -> &'static str {
                match self { $($ty::$variant => $word),+ }
            }
        }
    )* };
}

choices! {
    By { Owner = "owner", Caller = "caller" }
    OccScope { Row = "row", Reads = "reads" }
    OnConflict { Redo = "redo", Reject = "reject", Force = "force", Merge = "merge", Already = "already" }
    StoreLevel { ReadCommitted = "read-committed", None = "none" }
    KeyStore { With = "with", Before = "before", After = "after" }
    SameKey { Replay = "replay", Compare = "compare" }
    Busy { Reject = "reject", Wait = "wait", Ignore = "ignore" }
    KeyMemory { Shared = "shared", Replica = "replica" }
    Keep { Any = "any", Success = "success", Nothing = "nothing" }
    OnTimeout { Resend = "resend", Redo = "redo" }
    Backoff { None = "none", Fixed = "fixed", Exponential = "exponential", Period = "period" }
    Jitter { None = "none", Full = "full", Equal = "equal", Decorrelated = "decorrelated" }
    Late { Ignore = "ignore", Accept = "accept" }
    Answer { Done = "done", Accepted = "accepted" }
    Register { Before = "before", After = "after" }
    Recover { Back = "back", Forward = "forward" }
    UndoOrder { Reverse = "reverse", Forward = "forward", Parallel = "parallel" }
    StuckUndo { Retry = "retry", Park = "park", Stop = "stop" }
    RelayKind { Flag = "flag", Cursor = "cursor", Gap = "gap" }
}

/// A number of times.
fn times(n: Option<u32>) -> Json {
    n.map_or_else(|| "ever".into(), Into::into)
}

/// Defines the policies of a dimension: constructors that choose one, methods for parameters.
macro_rules! dimension {
    (
        $(#[$doc:meta])* $ty:ident
        $(policies { $($(#[$policy_doc:meta])* $policy:ident = $policy_word:literal;)* })?
        parameters { $($(#[$parameter_doc:meta])* $parameter:ident($value:ident: $kind:ty) = $key:literal, $json:expr;)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $ty {
            said: Object,
            key: Option<Expr>,
        }

        impl $ty {
            /// The policy that the strategy has anyway, to change parameters of.
            #[must_use]
            #[allow(clippy::new_without_default)]
            pub fn new() -> $ty {
                $ty { said: Object::new(), key: None }
            }

            $($(
                $(#[$policy_doc])*
                #[must_use]
                pub fn $policy() -> $ty {
                    $ty { said: Object::new().with("use", $policy_word), key: None }
                }
            )*)?

            $(
                $(#[$parameter_doc])*
                #[must_use]
                pub fn $parameter(mut self, $value: $kind) -> $ty {
                    self.said.set($key, $json);
                    self
                }
            )*

            fn json(&self, here: &Here) -> Json {
                let mut said = self.said.clone();
                if let Some(key) = &self.key {
                    said.set("key", here.text(key));
                }
                // A bare name is short for a policy without parameters.
                match said.get("use").filter(|_| said.len() == 1) {
                    Some(policy) => policy.clone(),
                    None => said.into(),
                }
            }
        }
    };
}

dimension! {
    /// How rows are written.
    Write
    policies {
        /// The whole row as read, with the new values.
        absolute = "absolute";
        /// The named fields only.
        patch = "patch";
        /// The difference, added to whatever is there.
        relative = "relative";
        /// The difference or the named fields, if the requirements hold at the store.
        guarded = "guarded";
        /// As absolute, if the version is still the one read.
        occ = "occ";
        /// As absolute, after locking what is read.
        lock = "lock";
    }
    parameters {
        /// Who runs operations; without it, what the operation says.
        by(by: By) = "by", by.word();
        /// occ: whose versions are compared.
        scope(scope: OccScope) = "scope", scope.word();
        /// occ: what happens when the version has changed.
        on_conflict(then: OnConflict) = "on_conflict", then.word();
        /// occ: how often it reads anew; `None`: ever.
        tries(n: Option<u32>) = "tries", times(n);
        /// lock: how long a lock is waited for; [`Span::MAX`]: ever.
        wait(time: Span) = "wait", span(time);
    }
}

dimension! {
    /// How repetitions are recognised.
    Idempotency
    policies {
        /// Not at all.
        none = "none";
        /// By a key.
        key = "key";
    }
    parameters {
        /// When the key is stored.
        store(store: KeyStore) = "store", store.word();
        /// What an equal key with other arguments means.
        same_key(same: SameKey) = "same_key", same.word();
        /// What becomes of a request whose key is in progress.
        busy(busy: Busy) = "busy", busy.word();
        /// After so long an entry in progress is taken over; [`Span::MAX`]: never.
        busy_for(time: Span) = "busy_for", span(time);
        /// After so long a finished entry is forgotten; [`Span::MAX`]: never.
        ttl(time: Span) = "ttl", span(time);
        /// Where keys are kept.
        memory(memory: KeyMemory) = "memory", memory.word();
        /// Which results are kept.
        keep(keep: Keep) = "keep", keep.word();
    }
}

/// Where the key of a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFrom {
    /// The intent and the step: the same for every attempt of every hop.
    Intent,
    /// Each run of the calling flow.
    Call,
    /// Each request sent.
    Attempt,
    /// The arguments.
    Payload,
    /// The message: the same for its copies.
    Message,
}

impl Idempotency {
    /// Where the key comes from.
    #[must_use]
    pub fn from(mut self, from: KeyFrom) -> Idempotency {
        let word = match from {
            KeyFrom::Intent => "intent",
            KeyFrom::Call => "call",
            KeyFrom::Attempt => "attempt",
            KeyFrom::Payload => "payload",
            KeyFrom::Message => "message",
        };
        self.said.set("key", word);
        self
    }

    /// The key is computed from the arguments of the operation or flow that the scope names.
    #[must_use]
    pub fn computed(mut self, key: impl Into<Expr>) -> Idempotency {
        self.key = Some(key.into());
        self
    }
}

dimension! {
    /// How calls are repeated.
    Retry
    parameters {
        /// How long an attempt is waited for.
        timeout(time: Span) = "timeout", span(time);
        /// How many attempts are made; `None`: ever.
        attempts(n: Option<u32>) = "attempts", times(n);
        /// What a repetition repeats.
        on_timeout(repeat: OnTimeout) = "on_timeout", repeat.word();
        /// How the wait between attempts grows.
        backoff(backoff: Backoff) = "backoff", backoff.word();
        /// The first wait.
        first(time: Span) = "first", span(time);
        /// By what the wait grows.
        factor(factor: u32) = "factor", factor;
        /// The longest wait.
        cap(time: Span) = "cap", span(time);
        /// How much of the wait is drawn.
        jitter(jitter: Jitter) = "jitter", jitter.word();
        /// Whether a refusal is final, which is so anyway; otherwise refusals are repeated too.
        give_up_on_refusals(yes: bool) = "give_up_on", if yes { "refusals" } else { "nothing" };
        /// Whether an answer to an earlier attempt counts.
        late(late: Late) = "late", late.word();
    }
}

dimension! {
    /// Who coordinates the steps of a flow, and how.
    Coordination
    policies {
        /// The home service calls one after the other and remembers nothing.
        calls = "calls";
        /// The home service sends everything and waits for nothing.
        fire_and_forget = "fire-and-forget";
        /// An orchestrator with a log and compensations.
        saga = "saga";
        /// Each step tells the next one by an event.
        choreography = "choreography";
        /// The services become one, the steps one transaction.
        merged = "merged";
    }
    parameters {
        /// When the caller is answered.
        answer(answer: Answer) = "answer", answer.word();
        /// saga: whether its log survives a crash.
        durable(yes: bool) = "log", if yes { "durable" } else { "memory" };
        /// saga: when a step is logged.
        register(register: Register) = "register", register.word();
        /// saga: what a restarted orchestrator does.
        recover(recover: Recover) = "recover", recover.word();
        /// saga: in which order steps are undone.
        undo(order: UndoOrder) = "undo", order.word();
        /// saga: what happens when a compensation cannot be carried out.
        stuck_undo(then: StuckUndo) = "stuck_undo", then.word();
        /// saga: whether participants refuse an action that comes after its compensation.
        fence(yes: bool) = "fence", yes;
    }
}

dimension! {
    /// How events leave.
    Publish
    policies {
        /// After the commit, once.
        after_commit = "after-commit";
        /// Before the commit, once.
        before_commit = "before-commit";
        /// From a table written in the same transaction, by a relay that repeats until acknowledged.
        outbox = "outbox";
    }
    parameters {
        /// outbox: how the relay finds rows.
        relay(relay: RelayKind) = "relay", relay.word();
        /// outbox: the grid on which the relay looks.
        every(time: Span) = "every", span(time);
        /// outbox: how long it waits for a missing number.
        gap(time: Span) = "gap", span(time);
    }
}

/// What a strategy can extend: one of the five that are always there, or another strategy of the scenario.
#[derive(Clone, Debug)]
pub struct Base {
    doc: Option<Doc>,
    name: String,
}

/// The strategies that are known without being declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// Whole rows as read, no key, sequential calls, commit and then publish.
    Naive,
    /// As naive, with a version check and up to three more reads.
    Occ,
    /// As naive, with a key per intent stored with the effect.
    Idempotent,
    /// As naive, with an orchestrator, a durable log and compensations in reverse.
    Saga,
    /// Guarded writes, keys, a saga with fence, an outbox, and repetitions with backoff and full jitter.
    Hardened,
}

impl From<BuiltIn> for Base {
    fn from(built_in: BuiltIn) -> Base {
        let name = match built_in {
            BuiltIn::Naive => "naive",
            BuiltIn::Occ => "occ",
            BuiltIn::Idempotent => "idempotent",
            BuiltIn::Saga => "saga",
            BuiltIn::Hardened => "hardened",
        };
        Base { doc: None, name: name.to_owned() }
    }
}

impl From<&Strategy> for Base {
    fn from(strategy: &Strategy) -> Base {
        Base { doc: Some(strategy.doc.clone()), name: strategy.name.clone() }
    }
}

/// A strategy.
#[derive(Clone, Debug)]
pub struct Strategy {
    pub(super) doc: Doc,
    pub(super) name: String,
    at: String,
}

/// What a strategy does differently in a part of the scenario.
#[derive(Clone, Debug)]
pub struct Scoped {
    doc: Doc,
    /// The part whose arguments a computed key may use.
    part: String,
    at: String,
}

/// A part of the scenario that a strategy treats differently: an operation, flow, table, topic, service or group of
/// clients. The more specific wins, in this order.
#[derive(Clone, Debug)]
pub struct Scope {
    doc: Doc,
    name: String,
}

macro_rules! scopes {
    ($($ty:ident($of:ident) = $doc:expr, $name:expr;)*) => { $(
        impl From<&$ty> for Scope {
            fn from($of: &$ty) -> Scope {
                Scope { doc: $doc.clone(), name: $name }
            }
        }
    )* };
}

scopes! {
    Operation(of) = of.here.doc, of.whole.clone();
    Flow(of) = of.here.doc, of.name.clone();
    Table(of) = of.doc, of.whole();
    Topic(of) = of.doc, of.name.clone();
    Service(of) = of.doc, of.name.clone();
    Clients(of) = of.doc(), of.name.clone();
}

macro_rules! policies {
    ($ty:ident) => {
        impl $ty {
            /// How rows are written.
            pub fn write(&self, policy: Write) -> &$ty {
                self.set("write", policy.json(&self.here()))
            }

            /// How the store isolates transactions.
            pub fn store(&self, level: StoreLevel) -> &$ty {
                self.set("store", level.word())
            }

            /// How repetitions are recognised.
            pub fn idempotency(&self, policy: Idempotency) -> &$ty {
                self.set("idempotency", policy.json(&self.here()))
            }

            /// How calls are repeated.
            pub fn retry(&self, policy: Retry) -> &$ty {
                self.set("retry", policy.json(&self.here()))
            }

            /// Who coordinates the steps of flows.
            pub fn coordination(&self, policy: Coordination) -> &$ty {
                self.set("coordination", policy.json(&self.here()))
            }

            /// How events leave.
            pub fn publish(&self, policy: Publish) -> &$ty {
                self.set("publish", policy.json(&self.here()))
            }

            /// Anything else of a dimension, as a scenario file writes it.
            pub fn policy(&self, dimension: &str, policy: impl Into<Json>) -> &$ty {
                self.set(&escaped(dimension), policy)
            }

            fn set(&self, key: &str, value: impl Into<Json>) -> &$ty {
                self.doc.set(&format!("{}/{key}", self.at), value);
                self
            }
        }
    };
}

policies!(Strategy);
policies!(Scoped);

impl Strategy {
    pub(super) fn new(doc: &Doc, name: &str) -> Strategy {
        doc.object("/strategies");
        let at = doc.declare("/strategies", name, Object::new(), "the strategy");
        Strategy { doc: doc.clone(), name: name.to_owned(), at }
    }

    /// That of all strategies: `*`.
    pub(super) fn star(doc: &Doc) -> Strategy {
        doc.object("/strategies");
        doc.object("/strategies/*");
        Strategy { doc: doc.clone(), name: "*".to_owned(), at: "/strategies/*".to_owned() }
    }

    fn here(&self) -> Here {
        Here::outside(&self.doc)
    }

    /// One sentence about it.
    pub fn about(&self, about: &str) -> &Strategy {
        self.set("about", about)
    }

    /// The strategy that it is laid over. One with the name of a built-in strategy is laid over that anyway.
    pub fn extends(&self, base: impl Into<Base>) -> &Strategy {
        let base = base.into();
        if base.doc.as_ref().is_some_and(|doc| !doc.is(&self.doc)) {
            self.doc.problem(format!("the strategy `{}` belongs to another builder", base.name));
        }
        self.set("extends", base.name)
    }

    /// What it does differently in a part of the scenario.
    pub fn on(&self, part: impl Into<Scope>) -> Scoped {
        let part = part.into();
        if !part.doc.is(&self.doc) {
            self.doc.problem(format!("`{}` belongs to another builder", part.name));
        }
        let holder = format!("{}/where", self.at);
        self.doc.object(&holder);
        let at = format!("{holder}/{}", escaped(&part.name));
        self.doc.object(&at);
        Scoped { doc: self.doc.clone(), part: part.name, at }
    }

    /// A patch over services, topics and flows, for a strategy that needs another body (JSON merge patch, RFC 7396).
    pub fn rewrite(&self, patch: impl Into<Json>) -> &Strategy {
        self.set("rewrite", patch)
    }
}

impl Scoped {
    fn here(&self) -> Here {
        Here { part: self.part.clone(), ..Here::outside(&self.doc) }
    }
}
