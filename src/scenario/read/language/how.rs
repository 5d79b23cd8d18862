//! The keys of *how*: strategies, and the policies of each dimension with their parameters.

use crate::scenario::shape::{Field, Shape, Table, Word};

const fn word(name: &'static str, doc: &'static str) -> Word {
    Word::new(name, doc)
}

/// A number, or without end.
static COUNT: [Shape; 2] =
    [Shape::Integer { low: 1, high: 1_000_000 }, Shape::OneOf(&[word("ever", "Without end.")])];
const TIMES: Shape = Shape::Either(&COUNT);

/// The table of one dimension; one without policies to choose from has parameters only.
macro_rules! dimension {
    ($static:ident, $name:literal, $doc:literal, [], [$($field:expr),*]) => {
        #[doc = concat!("The dimension `", $name, "`.")]
        pub static $static: Table = Table { name: $name, doc: $doc, fields: &[$($field),*] };
    };
    ($static:ident, $name:literal, $doc:literal, [$($policy:literal: $policy_doc:literal),+], [$($field:expr),*]) => {
        #[doc = concat!("The dimension `", $name, "`.")]
        pub static $static: Table = Table {
            name: $name,
            doc: $doc,
            fields: &[
                Field::new("use", Shape::OneOf(&[$(word($policy, $policy_doc)),+]), "The policy."),
                $($field),*
            ],
        };
    };
}

/// What may be written for a dimension: the bare name of a policy, or an object.
macro_rules! policy {
    ($static:ident, []) => { Shape::Object(&$static) };
    ($static:ident, [$($policy:literal: $policy_doc:literal),+]) => {
        Shape::Either(&[Shape::OneOf(&[$(word($policy, $policy_doc)),+]), Shape::Object(&$static)])
    };
}

macro_rules! dimensions {
    ($($static:ident = $name:literal, $doc:literal, $policies:tt, [$($field:expr),* $(,)?];)*) => {
        /// The dimensions of a strategy, each as a table: `use` and the parameters of all its policies.
        pub static DIMENSIONS: &[&Table] = &[$(&$static),*];

        $(dimension!($static, $name, $doc, $policies, [$($field),*]);)*

        /// A strategy.
        pub static STRATEGY: Table = Table {
            name: "strategy",
            doc: "One policy for each dimension, here or there another one.",
            fields: &[
                Field::new("about", Shape::Text, "One sentence about it."),
                Field::new("extends", Shape::Name("strategy"), "The strategy that this one is laid over."),
                $(Field::new($name, policy!($static, $policies), $doc),)*
                Field::new(
                    "where",
                    Shape::Map("part of the scenario", &Shape::Object(&SCOPED)),
                    "Other policies for an operation, flow, table, topic, service or group of clients; the more specific wins.",
                ),
                Field::new("rewrite", Shape::Object(&REWRITE), "A patch over `services`, `topics` and `flows`."),
            ],
        };

        /// What `where` says about a part of the scenario.
        pub static SCOPED: Table = Table {
            name: "scope",
            doc: "Policies for a part of the scenario.",
            fields: &[$(Field::new($name, policy!($static, $policies), $doc)),*],
        };
    };
}

/// What a strategy may rewrite.
pub static REWRITE: Table = Table {
    name: "rewrite",
    doc: "A patch for a strategy that needs another body.",
    fields: &[
        Field::new("services", Shape::Any, "A patch over the services."),
        Field::new("topics", Shape::Any, "A patch over the topics."),
        Field::new("flows", Shape::Any, "A patch over the flows."),
    ],
};

dimensions! {
    WRITE = "write", "How rows are written.",
        ["absolute": "The whole row as read, with the new values.",
         "patch": "The named fields only.",
         "relative": "The difference, added to whatever is there.",
         "guarded": "The difference or the named fields, if the requirements hold at the store, and unless it is to be skipped by what the rows written hold there.",
         "occ": "As absolute, if the version is still the one read.",
         "lock": "As absolute, after locking what is read."],
        [Field::new("by", Shape::OneOf(&[word("owner", "The service itself."), word("caller", "The caller.")]),
             "Who runs operations; without it, what the operation says."),
         Field::new("version", Shape::OneOf(&[word("counter", "A number that counts up."), word("timestamp", "The clock."), word("hash", "A hash of the row.")]),
             "occ: what a version is.").default("counter"),
         Field::new("tick", Shape::FixedTime, "occ by timestamp: the smallest step of the clock."),
         Field::new("scope", Shape::OneOf(&[word("row", "The rows written."), word("reads", "All rows read by key.")]),
             "occ: whose versions are compared.").default("row"),
         Field::new("aggregate", Shape::Name("field"), "occ: the field that names the aggregate with one version."),
         Field::new("on_conflict", Shape::OneOf(&[
             word("redo", "Read and compute again."), word("reject", "Tell the caller."), word("force", "Write the old values under the new version."),
             word("merge", "Write the fields that nobody else changed."), word("already", "Succeed if the record is as asked for.")]),
             "occ: what happens when the version has changed.").default("redo"),
         Field::new("tries", TIMES, "occ: how often it reads anew.").default("ever"),
         Field::new("lease", Shape::TimeOrEver, "lock: how long a lock lasts.").default("ever"),
         Field::new("fencing", Shape::OneOf(&[word("none", "No token."), word("issued", "Tokens are handed out."), word("checked", "And checked.")]),
             "lock: whether writes carry a token.").default("none"),
         Field::new("wait", Shape::TimeOrEver, "lock: how long a lock is waited for.").default("1s")];
    STORE = "store", "How the store isolates transactions.",
        ["read-committed": "Row locks for writers; readers see what is committed.",
         "none": "Every statement is visible at once; nothing is rolled back.",
         "read-uncommitted": "Readers see what is not committed.",
         "snapshot": "Readers see one state.",
         "repeatable-read-locks": "Readers lock too.",
         "serializable": "As if one after the other."],
        [Field::new("flush", Shape::FixedTime, "How long a commit may be lost by a crash of the database.").default("0ms")];
    IDEMPOTENCY = "idempotency", "How repetitions are recognised.",
        ["none": "Not at all.", "key": "By a key."],
        [Field::new("key", Shape::Either(&[Shape::OneOf(&[
             word("intent", "The intent and the step."), word("call", "Each run of the calling flow."), word("attempt", "Each request sent."),
             word("payload", "The arguments."), word("message", "The message; the same for its copies.")]), Shape::Expression]),
             "Where the key comes from; also an expression over the arguments.").default("intent"),
         Field::new("store", Shape::OneOf(&[word("with", "In the transaction."), word("before", "Before it."), word("after", "After it.")]),
             "When the key is stored.").default("with"),
         Field::new("same_key", Shape::OneOf(&[word("replay", "The first answer again."), word("compare", "Refused if the arguments differ.")]),
             "What an equal key means.").default("replay"),
         Field::new("busy", Shape::OneOf(&[word("reject", "Turned away, may be repeated."), word("wait", "It waits."), word("ignore", "It goes on.")]),
             "What becomes of a request whose key is in progress.").default("reject"),
         Field::new("busy_for", Shape::TimeOrEver, "After so long an entry in progress is taken over.").default("ever"),
         Field::new("ttl", Shape::TimeOrEver, "After so long a finished entry is forgotten.").default("ever"),
         Field::new("memory", Shape::OneOf(&[word("shared", "In the database."), word("replica", "In the memory of the replica.")]),
             "Where keys are kept.").default("shared"),
         Field::new("keep", Shape::OneOf(&[word("any", "Successes and refusals."), word("success", "Successes."), word("nothing", "That it was done, not the answer.")]),
             "Which results are kept.").default("any")];
    RETRY = "retry", "How calls are repeated.",
        [],
        [Field::new("timeout", Shape::TimeOrEver, "How long an attempt is waited for.").default("1s"),
         Field::new("attempts", TIMES, "How many attempts are made.").default("1"),
         Field::new("on_timeout", Shape::OneOf(&[word("resend", "The same request."), word("redo", "The whole exchange, from the fetch on.")]),
             "What a repetition repeats.").default("resend"),
         Field::new("backoff", Shape::OneOf(&[word("none", "No wait."), word("fixed", "Always the first."), word("exponential", "Growing by the factor."), word("period", "Sends are the first wait apart.")]),
             "How the wait between attempts grows.").default("none"),
         Field::new("first", Shape::FixedTime, "The first wait.").default("0ms"),
         Field::new("factor", Shape::Integer { low: 1, high: 1_000 }, "By what the wait grows.").default("2"),
         Field::new("cap", Shape::TimeOrEver, "The longest wait.").default("ever"),
         Field::new("jitter", Shape::OneOf(&[word("none", "Nothing is drawn."), word("full", "Between nothing and the wait."), word("equal", "Half of it."), word("decorrelated", "Between the first and three times the wait before.")]),
             "How much of the wait is drawn.").default("none"),
         Field::new("give_up_on", Shape::OneOf(&[word("refusals", "A refusal is final."), word("nothing", "Refusals are repeated too.")]),
             "What is not repeated.").default("refusals"),
         Field::new("late", Shape::OneOf(&[word("ignore", "It changes nothing."), word("accept", "It is as good as any.")]),
             "Whether an answer to an earlier attempt counts.").default("ignore"),
         Field::new("breaker", Shape::Any, "When calls are not even tried.")];
    COORDINATION = "coordination", "Who coordinates the steps of a flow, and how.",
        ["calls": "The home service calls one after the other and remembers nothing.",
         "fire-and-forget": "The home service sends everything and waits for nothing.",
         "saga": "An orchestrator with a log and compensations.",
         "choreography": "Each step tells the next one by an event.",
         "tcc": "Try, confirm, cancel.",
         "2pc": "Two-phase commit.",
         "merged": "The services become one, the steps one transaction."],
        [Field::new("answer", Shape::OneOf(&[word("done", "When it is done."), word("accepted", "When it has begun.")]),
             "When the caller is answered.").default("done"),
         Field::new("log", Shape::OneOf(&[word("durable", "It survives a crash."), word("memory", "It does not.")]), "saga: its log.").default("durable"),
         Field::new("register", Shape::OneOf(&[word("before", "Before it is sent."), word("after", "After its answer.")]),
             "saga: when a step is logged.").default("before"),
         Field::new("recover", Shape::OneOf(&[word("back", "Undo what may have been done."), word("forward", "Go on.")]),
             "saga: what a restarted orchestrator does.").default("back"),
         Field::new("undo", Shape::OneOf(&[word("reverse", "The last first."), word("forward", "The first first."), word("parallel", "All at once.")]),
             "saga: in which order steps are undone.").default("reverse"),
         Field::new("stuck_undo", Shape::OneOf(&[word("retry", "Tried again."), word("park", "Set aside for a person."), word("stop", "The compensation stops.")]),
             "saga: what happens when a compensation cannot be carried out.").default("retry"),
         Field::new("fence", Shape::Flag, "saga: participants, but for external ones, keep a mark for each step: an action after its compensation is refused, a repetition of either does nothing.").default("false")];
    PUBLISH = "publish", "How events leave.",
        ["after-commit": "After the commit, once.",
         "before-commit": "Before the commit, once.",
         "outbox": "From a table written in the same transaction, by a relay that repeats until acknowledged.",
         "tail": "From the log of the database."],
        [Field::new("relay", Shape::OneOf(&[word("flag", "Rows not yet marked."), word("cursor", "Rows beyond the greatest number seen."), word("gap", "As cursor, waiting for missing numbers.")]),
             "outbox: how the relay finds rows.").default("flag"),
         Field::new("every", Shape::FixedTime, "outbox: the grid on which the relay looks.").default("10ms"),
         Field::new("gap", Shape::FixedTime, "outbox: how long it waits for a missing number.").default("100ms")];
    CONSUME = "consume", "How events are taken in.",
        ["arrival": "As they come.", "inbox": "Each event once.", "high-water": "Nothing older than the newest seen.",
         "timestamp": "By the event's time.", "version": "By the record's version.", "sequence": "In sequence."],
        [Field::new("scope", Shape::OneOf(&[word("record", "The record."), word("field", "Each field.")]), "What is guarded.").default("record"),
         Field::new("stamp", Shape::OneOf(&[word("event", "The event's time."), word("apply", "The time of applying."), word("never", "Nothing.")]),
             "What the guard remembers.").default("event"),
         Field::new("ack", Shape::OneOf(&[word("after", "After it is applied."), word("before", "Before."), word("with", "With it.")]),
             "When an event is acknowledged.").default("after"),
         Field::new("extend", Shape::Any, "Whether a message's visibility is extended."),
         Field::new("window", Shape::TimeOrEver, "How long events are remembered.").default("ever")];
    CONFLICT = "conflict", "Which of two concurrent writes wins.",
        ["none": "The later one.", "clock": "By the clock.", "logical": "By a logical clock.", "version": "By version.",
         "merge": "Field by field.", "rule": "By a rule."],
        [Field::new("rule", Shape::Expression, "rule: an expression over `old` and `new`.")];
    ISOLATION = "isolation", "What keeps sagas apart.",
        ["none": "Nothing.", "semantic-lock": "A mark on the record.", "reread": "Reading again.",
         "pessimistic-view": "The careful order of steps.", "commutative": "Operations that commute."],
        [Field::new("lease", Shape::TimeOrEver, "How long a mark lasts.").default("ever")];
    REPAIR = "repair", "What mends copies.",
        ["none": "Nothing.", "reconcile": "A job that compares."],
        [Field::new("every", Shape::FixedTime, "How often.").default("1s"),
         Field::new("how", Shape::OneOf(&[word("literal", "What was read is written."), word("guarded", "If newer."), word("owner", "The owner decides.")]),
             "How a difference is mended.")];
    READ = "read", "Where reads go.",
        ["owner": "To the owner.", "copy": "To a copy.", "any": "To either."],
        [Field::new("sticky", Shape::Flag, "Always the same.").default("false"),
         Field::new("token", Shape::Flag, "Not older than what was seen.").default("false")];
    CONTRACT = "contract", "What happens when versions of a service meet.",
        ["none": "Nothing.", "check": "It is checked.", "tolerant": "What is not known is read over.", "expand": "Expand, then contract."],
        [];
}

/// The strategies that are known without a file saying so.
pub static BUILT_IN: [Word; 5] = [
    word("naive", "Whole rows as read, no key, sequential calls, commit and then publish."),
    word("occ", "As naive, with a version check and up to three more reads."),
    word("idempotent", "As naive, with a key per intent stored with the effect."),
    word("saga", "As naive, with an orchestrator, a durable log and compensations in reverse."),
    word(
        "hardened",
        "Guarded writes, keys, a saga with fence, an outbox, and repetitions with backoff and full jitter.",
    ),
];

/// Parameters that belong to some policies of their dimension only: dimension, policies, parameters.
pub static OWNED: [(&str, &[&str], &[&str]); 7] = [
    ("write", &["occ"], &["version", "tick", "scope", "aggregate", "on_conflict", "tries"]),
    ("write", &["lock"], &["lease", "fencing", "wait"]),
    ("idempotency", &["key"], &["key", "store", "same_key", "busy", "busy_for", "ttl", "memory", "keep"]),
    ("coordination", &["saga"], &["log", "register", "recover", "undo", "stuck_undo", "fence"]),
    ("coordination", &["calls", "saga", "choreography"], &["answer"]),
    ("publish", &["outbox"], &["relay", "every", "gap"]),
    ("conflict", &["rule"], &["rule"]),
];
