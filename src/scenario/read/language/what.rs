//! The keys of *what*: services, tables, operations, flows, topics and clients.

use crate::scenario::shape::{Field, Shape, Table, Word};

/// Text of people about a part of the file.
const ABOUT: Field = Field::new("about", Shape::Text, "One sentence about it.");

/// A value of a row's field, or of a reply, or of an event: one expression, or one for each field.
static MAP_OR_FIELDS: [Shape; 2] = [Shape::Expression, Shape::Map("field", &Shape::Expression)];
const VALUES: Shape = Shape::Either(&MAP_OR_FIELDS);

/// A service.
pub static SERVICE: Table = Table {
    name: "service",
    doc: "A stateless process in one or more replicas over one database.",
    fields: &[
        ABOUT,
        Field::new("tables", Shape::Map("table", &Shape::Object(&TABLE)), "Its tables."),
        Field::new("operations", Shape::Map("operation", &Shape::Object(&OPERATION)), "Its operations."),
        Field::new(
            "process",
            Shape::Text,
            "The name of a process in Rust that answers its operations; a program registers it.",
        ),
        Field::new("replicas", Shape::Integer { low: 1, high: 1_024 }, "How many replicas run it.")
            .default("1"),
        Field::new("route", Shape::OneOf(&ROUTES), "How a request finds its replica.").default("round-robin"),
        Field::new(
            "external",
            Shape::Flag,
            "Not yours: no policy applies to it unless a strategy's `where` names it.",
        )
        .default("false"),
        Field::new("statement", Shape::FixedTime, "How long one statement takes in its database.")
            .default("100us"),
    ],
};

static ROUTES: [Word; 3] = [
    Word::new("round-robin", "In turn."),
    Word::new("random", "By a draw."),
    Word::new("sticky", "A key, the first argument, stays with the replica that first got it."),
];

/// A table.
pub static TABLE: Table = Table {
    name: "table",
    doc: "Records of one kind; every row has `id`, its key.",
    fields: &[
        Field::new(
            "rows",
            Shape::Map("row", &Shape::Map("field", &Shape::Any)),
            "The rows it starts with, plain data by key; a key `\"1..100\"` stands for a hundred rows. A key in digits is a number.",
        ),
        Field::new(
            "unique",
            Shape::List(&Shape::OneOrMany(&Shape::Name("field"))),
            "Fields, or lists of fields, that no two rows share. The key always is unique.",
        ),
        Field::new(
            "copy_of",
            Shape::Either(&[Shape::Name("table"), Shape::Object(&COPY_OF)]),
            "The table of which this one is a copy.",
        ),
        Field::new(
            "fields",
            Shape::Map("field", &Shape::Any),
            "All its fields with their defaults, plain data. Without it, a field exists if rows, an insert or a put name it. Of a service with a `process`, `id` says by its value of which kind the keys are.",
        ),
    ],
};

/// What a table is a copy of.
pub static COPY_OF: Table = Table {
    name: "copy",
    doc: "What a table is a copy of.",
    fields: &[
        Field::new("table", Shape::Name("table"), "The table copied, as `service.table`.").required(),
        Field::new("fields", Shape::List(&Shape::Name("field")), "The fields copied; all if not given."),
        Field::new("lag", Shape::Time, "With it, the store replicates by itself, so much later."),
    ],
};

const LET: Field = Field::new(
    "let",
    Shape::Map("name", &Shape::Expression),
    "Names for values, in order; each may use the ones before it.",
);
const SKIP: Field = Field::new("skip", Shape::Expression, "True: done, without effect.")
    .default("false")
    .more("In the first part it ends the operation, which succeeds; in a part of `then`, that part.");
const REQUIRE: Field = Field::new(
    "require",
    Shape::Either(&[Shape::Expression, Shape::Map("reason", &Shape::Expression)]),
    "What must be true, or one such for each reason; the first false one refuses, definitely.",
)
.more("What a bare expression refuses has the reason `refused`. After a refusal nothing is written but `otherwise`.");
const THINK: Field = Field::new(
    "think",
    Shape::Either(&[Shape::Time, Shape::Expression]),
    "How long it thinks between reading and writing: a time, or an expression that yields one.",
)
.default("0ms");
const SET: Field = Field::new(
    "set",
    Shape::Map("field of a row", &Shape::Expression),
    "Changes fields of existing rows: `t[key].field` and the new value.",
)
.more("A row that is not there refuses with the reason `missing`. `t.filter(r, …).field` changes all that match.");
const PUT: Field = Field::new(
    "put",
    Shape::Map("row", &VALUES),
    "Changes rows or creates them: `t[key]` and values; fields not named stay.",
)
.more("In a row that it creates, fields not named have the default of `fields`, or null.");
const INSERT: Field = Field::new(
    "insert",
    Shape::Map("row", &VALUES),
    "Creates rows: `t[key]`, or `t[]` for a fresh key, and values. Refused if there is one.",
)
.more("The reason is `exists`; `unique` of the table counts, too. Fresh keys are numbers.");
const DELETE: Field = Field::new(
    "delete",
    Shape::OneOrMany(&Shape::Text),
    "Removes rows: `t[key]` or `t.filter(r, …)`; nothing there is no error.",
);
const PUBLISH: Field = Field::new(
    "publish",
    Shape::Map("topic", &VALUES),
    "Events to tell, by topic, with their fields.",
)
.more("How they leave is a policy of the strategy (`publish`). Their values see what the transaction wrote.");

/// An operation.
pub static OPERATION: Table = Table {
    name: "operation",
    doc: "One local transaction on one service. Its keys happen in this order.",
    fields: &[
        Field::new("by", Shape::OneOf(&RUNNERS), "Who runs it; `by` of the policy `write` overrides it.")
            .default("owner"),
        Field::new(
            "on",
            Shape::Name("topic"),
            "The topic whose events run it; the arguments are their fields.",
        )
        .more("An argument that the event does not have is null."),
        Field::new("args", Shape::List(&Shape::Name("argument")), "The names of its arguments."),
        LET,
        SKIP,
        REQUIRE,
        THINK,
        SET,
        PUT,
        INSERT,
        DELETE,
        PUBLISH,
        Field::new(
            "then",
            Shape::List(&Shape::Object(&PART)),
            "Further rounds of the same phases in the same transaction.",
        ),
        Field::new("reply", VALUES, "The answer, computed from what the transaction leaves."),
        Field::new(
            "otherwise",
            Shape::Object(&OTHERWISE),
            "What is done in the same transaction when a requirement refuses.",
        ),
    ],
};

static RUNNERS: [Word; 2] = [
    Word::new("owner", "The service itself."),
    Word::new("caller", "The caller fetches what it reads, thinks, and sends the result back."),
];

/// A further part of an operation.
pub static PART: Table = Table {
    name: "part",
    doc: "A further round of phases of an operation.",
    fields: &[LET, SKIP, REQUIRE, THINK, SET, PUT, INSERT, DELETE, PUBLISH],
};

/// What is done on refusal.
pub static OTHERWISE: Table = Table {
    name: "refusal",
    doc: "What is done when a requirement refuses.",
    fields: &[SET, PUT, INSERT, DELETE, PUBLISH],
};

/// A flow.
pub static FLOW: Table = Table {
    name: "flow",
    doc: "A business operation over several services.",
    fields: &[
        ABOUT,
        Field::new("by", Shape::Name("service"), "The service that runs it; without it, whoever calls."),
        Field::new("args", Shape::List(&Shape::Name("argument")), "The names of its arguments."),
        Field::new("on", Shape::Name("topic"), "The topic whose events start it."),
        Field::new("every", Shape::Time, "Started by the clock, again and again."),
        Field::new("at", Shape::OneOrMany(&Shape::FixedTime), "Started by the clock, at these instants."),
        Field::new(
            "steps",
            Shape::List(&Shape::Either(&[Shape::Object(&STEP), Shape::List(&Shape::Object(&STEP))])),
            "Its steps in order; a list in place of a step: at once.",
        )
        .required(),
        Field::new("reply", VALUES, "The answer when it succeeds."),
    ],
};

/// A step.
pub static STEP: Table = Table {
    name: "step",
    doc: "One step of a flow.",
    fields: &[
        Field::new("do", Shape::Text, "A call: `service.operation(…)` or `flow(…)`."),
        Field::new("as", Shape::Name("reply"), "The name that the reply is bound to."),
        Field::new(
            "when",
            Shape::Expression,
            "False: the step is left out. It sees arguments and replies before it.",
        ),
        Field::new(
            "undo",
            Shape::Text,
            "The call that compensates it; only a saga or a choreography makes it. It sees the reply of the step, too.",
        ),
        Field::new("confirm", Shape::Text, "The call that confirms it."),
        Field::new(
            "class",
            Shape::OneOf(&CLASSES),
            "What a saga may do with it; without it, what the step does decides.",
        ),
        Field::new(
            "optional",
            Shape::Flag,
            "A refusal does not fail the flow: it goes on without the step, which is not repeated.",
        )
        .default("false"),
        Field::new("wait", Shape::Time, "A pause."),
        Field::new("for", Shape::Text, "`x in LIST`: its steps for each element."),
        Field::new("steps", Shape::List(&Shape::Object(&STEP)), "The steps of a `for`."),
    ],
};

static CLASSES: [Word; 4] = [
    Word::new("compensatable", "It can be undone; the default with `undo`."),
    Word::new("read-only", "It changes nothing; the default if nothing is written."),
    Word::new("pivot", "Once it is done, the flow only goes forward."),
    Word::new("retriable", "It is repeated until it succeeds; the default otherwise."),
];

/// A topic.
pub static TOPIC: Table = Table {
    name: "topic",
    doc: "What there is to say about a topic beyond the defaults.",
    fields: &[
        Field::new("kind", Shape::OneOf(&TOPIC_KINDS), "What carries its events.").default("direct"),
        Field::new(
            "key",
            Shape::Name("field"),
            "The field that names the entity, for order and sequence numbers.",
        ),
        Field::new("visibility", Shape::FixedTime, "Queue: how long a message handed out stays hidden.")
            .default("30s"),
        Field::new(
            "receives",
            Shape::Integer { low: 1, high: 1_000_000 },
            "Queue: how often a message is handed out.",
        )
        .default("3"),
        Field::new("dead", Shape::Name("topic"), "Queue: where messages go that were handed out too often."),
        Field::new("dedup", Shape::FixedTime, "Queue: how long equal messages are dropped.").default("0s"),
        Field::new("partitions", Shape::Integer { low: 1, high: 1_024 }, "Log: how many partitions it has.")
            .default("1"),
    ],
};

static TOPIC_KINDS: [Word; 3] = [
    Word::new("direct", "No broker: one message to each subscribing service."),
    Word::new("queue", "A queue that hands messages out until they are acknowledged."),
    Word::new("log", "A log that is kept, with one offset for each subscribing service."),
];

/// A group of clients.
pub static CLIENTS: Table = Table {
    name: "group of clients",
    doc: "Alike clients and their intents.",
    fields: &[
        ABOUT,
        Field::new("count", Shape::Integer { low: 1, high: 1 << 20 }, "How many clients there are.")
            .default("1"),
        Field::new("intents", Shape::Integer { low: 1, high: (1 << 24) - 1 }, "How many intents each has.")
            .default("1"),
        Field::new(
            "does",
            Shape::Either(&[Shape::Text, Shape::Map("call", &Shape::Integer { low: 1, high: 1_000_000 })]),
            "A call, or calls with their weights, of which each intent draws one.",
        )
        .more("A group has either `does` or `script`."),
        Field::new(
            "with",
            Shape::Map("argument", &Shape::Any),
            "Names for use in the calls: `unique('o')`, `uniform(1, 10)`, `zipf(1, 100, 1.1)`, `pick('a', 'b')`, `turn('a', 'b')`, `now`, or a value.",
        )
        .more("Each is drawn once for each intent, and `now` at each attempt. Calls also see `client` and `intent`, which count from 1."),
        Field::new("start", Shape::Time, "When the first intent starts.").default("0ms"),
        Field::new("gap", Shape::Time, "From the end of one intent to the start of the next.").default("0ms"),
        Field::new("every", Shape::Time, "From start to start, whatever became of the one before: open arrivals, in place of `gap`."),
        Field::new("script", Shape::List(&Shape::Object(&SCRIPT)), "Exact intents of one client, in order of time, in place of `does`, `count`, `intents`, `start`, `gap` and `every`."),
    ],
};

/// An exact intent.
pub static SCRIPT: Table = Table {
    name: "scripted intent",
    doc: "One intent at an exact time.",
    fields: &[
        Field::new("at", Shape::FixedTime, "When it starts.").required(),
        Field::new("do", Shape::Text, "The call.").required(),
    ],
};
