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
                Field::new("extends", Shape::Name("strategy"), "The strategy that this one is laid over: one of this file, or a built-in one."),
                $(Field::new($name, policy!($static, $policies), $doc),)*
                Field::new(
                    "where",
                    Shape::Map("part of the scenario", &Shape::Object(&SCOPED)),
                    "Other policies for an operation, flow, table, topic, service or group of clients; the more specific wins.",
                )
                .more("From the most to the least specific: operation, flow, table, topic, service, group of clients."),
                Field::new("rewrite", Shape::Object(&REWRITE), "A patch over `services`, `topics` and `flows`, for a strategy that needs another body; its column is marked."),
            ],
        };

        /// What `where` says about a part of the scenario.
        pub static SCOPED: Table = Table {
            name: "scope",
            doc: "Other policies for one part of the scenario.",
            fields: &[$(Field::new($name, policy!($static, $policies), $doc)),*],
        };
    };
}

/// What a strategy may rewrite.
pub static REWRITE: Table = Table {
    name: "rewrite",
    doc: "A patch over the scenario (RFC 7396) that holds under this strategy alone.",
    fields: &[
        Field::new("services", Shape::Any, "A patch over the services."),
        Field::new("topics", Shape::Any, "A patch over the topics."),
        Field::new("flows", Shape::Any, "A patch over the flows."),
    ],
};

dimensions! {
    WRITE = "write", "How rows are written.",
        ["absolute": "Each row touched by `set` or `put` is written whole, as it was read, with the new values in it: what others changed meanwhile is overwritten.",
         "patch": "Only the fields that are named are written, with the values computed from what was read.",
         "relative": "The difference to what was read is added to whatever is there at the write; only `field + …` and `field - …` can be written so.",
         "guarded": "As relative where that can be, else as patch, and only if `require` holds at the row in the very statement that writes, and `skip`, if it is about the rows written, does not; such a `require` may read no other rows.",
         "occ": "As absolute, if the version of the row is still the one that was read; otherwise `on_conflict` decides.",
         "lock": "As absolute, after what it reads has been locked, until the commit: rows by their keys, else the whole table, in which nobody else adds, writes or locks a row meanwhile, under whatever policy. What is read only for events and the reply is locked before they are computed."],
        [Field::new("by", Shape::OneOf(&[word("owner", "The service itself."), word("caller", "The caller fetches what is read, computes, and sends the result back.")]),
             "Who runs operations, whatever they say themselves; without it, what `by` of the operation says."),
         Field::new("version", Shape::OneOf(&[word("counter", "A number that counts up with each write."), word("timestamp", "The clock at the write."), word("hash", "A hash of the row.")]),
             "occ: what a version is.").default("counter"),
         Field::new("tick", Shape::FixedTime, "occ by timestamp: the smallest step of the clock."),
         Field::new("scope", Shape::OneOf(&[word("row", "Those of the rows written."), word("reads", "Those of all rows read by key.")]),
             "occ: whose versions are compared.").default("row"),
         Field::new("aggregate", Shape::Name("field"), "occ: the field that names the aggregate with one version."),
         Field::new("on_conflict", Shape::OneOf(&[
             word("redo", "Everything is read and computed again."), word("reject", "The caller is told, and the operation has failed."), word("force", "The old values are written under the new version."),
             word("merge", "Only if the fields that are set are as they were read, by their values (one changed and changed back is): they are written under the new version; else the caller is told. What they were computed from may have changed."), word("already", "If the record is as asked for, it succeeds; else the caller is told.")]),
             "occ: what happens when the version has changed.").default("redo"),
         Field::new("tries", TIMES, "occ: how often it reads anew before the caller is told.").default("ever"),
         Field::new("lease", Shape::TimeOrEver, "lock: how long a lock lasts.").default("ever"),
         Field::new("fencing", Shape::OneOf(&[word("none", "No token."), word("issued", "Tokens are handed out."), word("checked", "They are checked at the write, too.")]),
             "lock: whether writes carry a token.").default("none"),
         Field::new("wait", Shape::TimeOrEver, "lock: how long a lock is waited for before the operation fails.").default("1s")];
    STORE = "store", "How the store isolates transactions.",
        ["read-committed": "Writers lock the rows that they write until they commit; readers wait for nobody and see what is committed.",
         "none": "No transactions: every statement is visible and durable at once, nothing is rolled back, and no lock outlasts it. `guarded` and `occ` look at what they write in the very statement that writes it, row by row.",
         "read-uncommitted": "Readers see what is not committed.",
         "snapshot": "A transaction reads from one state.",
         "repeatable-read-locks": "Readers lock too.",
         "serializable": "As if one after the other."],
        [Field::new("flush", Shape::FixedTime, "How long a commit may be lost by a crash of the database.").default("0ms")];
    IDEMPOTENCY = "idempotency", "How repetitions are recognised.",
        ["none": "Not at all: what arrives twice is done twice.", "key": "By a key that a request carries and the service remembers together with the answer."],
        [Field::new("key", Shape::Either(&[Shape::OneOf(&[
             word("intent", "The intent and the step of it: all attempts, copies and repetitions share it, over every hop."), word("call", "One for each run of the calling flow: one that is run again makes a new one. Of a client's own call it is the intent."), word("attempt", "One for each request sent: only copies that the network makes share it."),
             word("payload", "The arguments: two intents that ask for the same share it."), word("message", "The message, or the event: its copies share it.")]), Shape::Expression]),
             "Where the key comes from; also an expression over the arguments.").default("intent"),
         Field::new("store", Shape::OneOf(&[word("with", "In the transaction of the effect."), word("before", "In a transaction before it, as done and without an answer: who asks again is told ok, also if a crash kept the effect from following."), word("after", "In a transaction after it.")]),
             "When the key is stored.").default("with"),
         Field::new("same_key", Shape::OneOf(&[word("replay", "The first answer is given again."), word("compare", "So it is if the arguments are equal, too; if they differ, the request is refused.")]),
             "What an equal key means.").default("replay"),
         Field::new("busy", Shape::OneOf(&[word("reject", "It is turned away and may be repeated."), word("wait", "It waits for the answer."), word("ignore", "It is carried out as well.")]),
             "What becomes of a request whose key is in progress.").default("reject"),
         Field::new("busy_for", Shape::TimeOrEver, "After so long an entry in progress is taken over: that of a flow, which is in progress from its start to its end. That of an operation is so as long as its transaction, which nobody takes over.").default("ever"),
         Field::new("ttl", Shape::TimeOrEver, "After so long a finished entry is forgotten.").default("ever"),
         Field::new("memory", Shape::OneOf(&[word("shared", "In the database of the service."), word("replica", "In the memory of the replica, which a crash wipes out.")]),
             "Where keys are kept.").default("shared"),
         Field::new("keep", Shape::OneOf(&[word("any", "Successes and refusals."), word("success", "Only successes: what was refused may be tried again."), word("nothing", "That it was done, but not the answer.")]),
             "Which results are kept.").default("any")];
    RETRY = "retry", "How calls are repeated.",
        [],
        [Field::new("timeout", Shape::TimeOrEver, "How long the answer to an attempt is waited for.").default("1s"),
         Field::new("attempts", TIMES, "How many attempts are made, the first one included.").default("1"),
         Field::new("on_timeout", Shape::OneOf(&[word("resend", "The same request, with the values computed for the first one."), word("redo", "The whole exchange, from the fetch on: it reads and computes anew.")]),
             "What a repetition repeats.").default("resend"),
         Field::new("backoff", Shape::OneOf(&[word("none", "It does not wait."), word("fixed", "It always waits for `first`."), word("exponential", "It waits for `first`, and each time `factor` times longer."), word("period", "Sends are `first` apart, whatever the answers were.")]),
             "How the wait between attempts grows.").default("none"),
         Field::new("first", Shape::FixedTime, "The first wait between attempts.").default("0ms"),
         Field::new("factor", Shape::Integer { low: 1, high: 1_000 }, "exponential: by what the wait grows.").default("2"),
         Field::new("cap", Shape::TimeOrEver, "The longest wait.").default("ever"),
         Field::new("jitter", Shape::OneOf(&[word("none", "Nothing: it is as long as `backoff` says."), word("full", "All: between nothing and the wait."), word("equal", "Half of it: between half the wait and the wait."), word("decorrelated", "Between `first` and three times the wait before.")]),
             "How much of the wait is drawn.").default("none"),
         Field::new("give_up_on", Shape::OneOf(&[word("refusals", "A refusal is final."), word("nothing", "Nothing is final: refusals are repeated, too.")]),
             "What is not repeated.").default("refusals"),
         Field::new("late", Shape::OneOf(&[word("ignore", "It changes nothing."), word("accept", "It counts like the answer to the last attempt.")]),
             "Whether an answer to an earlier attempt counts.").default("ignore"),
         Field::new("breaker", Shape::Any, "When calls are not even tried: a circuit breaker.")];
    COORDINATION = "coordination", "Who coordinates the steps of a flow, and how.",
        ["calls": "The home of the flow calls one step after the other and keeps nothing: after a crash nobody goes on, and nothing is undone.",
         "fire-and-forget": "The home of the flow sends one step after the other and waits for no answer.",
         "saga": "An orchestrator keeps a log, goes on after a crash, and calls `undo` of what was done when a step fails.",
         "choreography": "Each step tells the next one by an event; a refusal travels back along the compensations. With an \
                   outbox the home accepts the flow and writes the first event in one transaction; a first step of its own \
                   belongs to that, unless the caller is answered before (`accepted`).",
         "tcc": "Try, confirm, cancel.",
         "2pc": "Two-phase commit.",
         "merged": "The services of the flow become one, and its steps one transaction. Each step writes as `write` \
                   says for it; a version that has changed, at whatever step, sends the whole flow back to its start, or \
                   fails it. What a step does when it refuses (`otherwise`) stays if the step is optional; if not, it is all \
                   that stays. The key and the way of events are those of the flow."],
        [Field::new("answer", Shape::OneOf(&[word("done", "When the flow is done."), word("accepted", "As soon as it has begun.")]),
             "When the caller is answered.").default("done"),
         Field::new("log", Shape::OneOf(&[word("durable", "In the database of its home: it survives a crash."), word("memory", "In the memory of the replica: it does not.")]), "saga: its log.").default("durable"),
         Field::new("register", Shape::OneOf(&[word("before", "Before it is sent: what may have been done is known."), word("after", "After its answer: a step whose answer is lost is not known.")]),
             "saga: when a step is logged.").default("before"),
         Field::new("recover", Shape::OneOf(&[word("back", "It undoes what may have been done."), word("forward", "It goes on where it stopped.")]),
             "saga: what a restarted orchestrator does.").default("back"),
         Field::new("undo", Shape::OneOf(&[word("reverse", "The last first."), word("forward", "The first first."), word("parallel", "All at once.")]),
             "saga: in which order steps are undone.").default("reverse"),
         Field::new("stuck_undo", Shape::OneOf(&[word("retry", "It is tried again, for ever."), word("park", "The saga is set aside for a person; `count.parked` counts it."), word("stop", "The compensation stops where it is.")]),
             "saga: what happens when a compensation cannot be carried out.").default("retry"),
         Field::new("fence", Shape::Flag, "saga: participants, but for external ones, keep a mark for each step: an action after its compensation is refused, a repetition of either does nothing.").more("Of a step that is a flow, each operation of that flow keeps the mark where it commits, beside its own; a merged flow keeps none. A compensation finds the marks of its own service alone: there it keeps later operations of the step out, and if nothing of it was done there, it does nothing, unless the flow has no operation there at all.").default("false")];
    PUBLISH = "publish", "How events leave.",
        ["after-commit": "After the commit, once: a crash in between loses them.",
         "before-commit": "Before the commit, once: they tell of what may never be.",
         "outbox": "From a table written in the same transaction, by a relay that repeats until acknowledged.",
         "tail": "From the log of the database."],
        [Field::new("relay", Shape::OneOf(&[word("flag", "Rows that are not yet marked as sent."), word("cursor", "Rows with a greater number than any seen: one that commits late is passed over."), word("gap", "As cursor, but it waits for missing numbers, for as long as `gap` says; one that commits later than that is sent late, behind greater ones.")]),
             "outbox: how the relay finds rows.").default("flag"),
         Field::new("every", Shape::FixedTime, "outbox: the grid on which the relay looks.").default("10ms"),
         Field::new("gap", Shape::FixedTime, "outbox, gap: how long it waits for a missing number.").default("100ms")];
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
    word("occ", "As naive, with a version check and up to three more reads (`tries` 3)."),
    word("idempotent", "As naive, with a key per intent stored with the effect (`idempotency` `key`)."),
    word(
        "saga",
        "As naive, with an orchestrator, a durable log and compensations in reverse (`coordination` `saga`).",
    ),
    word(
        "hardened",
        "Guarded writes, keys (`busy` `wait`), a saga with fence, an outbox (`flag`), and repetitions with exponential backoff from 20ms to 1s and full jitter. Calls made by flows are repeated for ever, unless the strategy has `attempts` of its own.",
    ),
];

/// Parameters that belong to some policies of their dimension only: dimension, policies, parameters.
pub static OWNED: [(&str, &[&str], &[&str]); 12] = [
    ("write", &["occ"], &["version", "tick", "scope", "aggregate", "on_conflict", "tries"]),
    ("write", &["lock"], &["lease", "fencing", "wait"]),
    ("idempotency", &["key"], &["key", "store", "same_key", "busy", "busy_for", "ttl", "memory", "keep"]),
    ("coordination", &["saga"], &["log", "register", "recover", "undo", "stuck_undo", "fence"]),
    ("coordination", &["calls", "saga", "choreography"], &["answer"]),
    ("publish", &["outbox"], &["relay", "every", "gap"]),
    ("consume", &["high-water", "timestamp", "version", "sequence"], &["scope"]),
    ("consume", &["timestamp"], &["stamp"]),
    ("consume", &["inbox"], &["window"]),
    ("conflict", &["rule"], &["rule"]),
    ("isolation", &["semantic-lock"], &["lease"]),
    ("repair", &["reconcile"], &["every", "how"]),
];
