//! The keys of invariants and expectations.

use crate::scenario::shape::{Field, Shape, Table, Word};

/// An object without keys: nothing more to say.
pub static NOTHING: Table = Table { name: "empty object", doc: "Nothing more to say.", fields: &[] };

/// A kind without a subject.
static NO_SUBJECT: [Shape; 2] = [Shape::Object(&NOTHING), Shape::Flag];
const NONE: Shape = Shape::Either(&NO_SUBJECT);

/// Tables, or `{}` for all of them.
static SOME_TABLES: [Shape; 3] =
    [Shape::OneOrMany(&Shape::Name("table")), Shape::Object(&NOTHING), Shape::Flag];
const TABLES: Shape = Shape::Either(&SOME_TABLES);

const FLOW: Shape = Shape::Name("flow");
const TABLE: Shape = Shape::Name("table");

/// The keys that say which kind of invariant it is, in the order of the reference.
pub static KINDS: [&str; 24] = [
    "always",
    "at_rest",
    "per_intent",
    "constant",
    "within",
    "at-most-one",
    "no-orphan",
    "all-or-nothing",
    "compensation-rules",
    "no-dirty-read",
    "no-lost-update",
    "no-duplicate-effect",
    "acked-is-durable",
    "no-leak",
    "converges",
    "staleness",
    "referential",
    "outcome-agrees",
    "failed-has-no-effect",
    "every-intent-ends",
    "read-your-writes",
    "monotonic-reads",
    "monotonic-writes",
    "no-retry-storm",
];

/// An invariant.
pub static INVARIANT: Table = Table {
    name: "invariant",
    doc: "One thing that must be true: a kind with its subject, and parameters.",
    fields: &[
        Field::new("always", Shape::Expression, "True after every commit."),
        Field::new("at_rest", Shape::Expression, "True when everything has come to rest."),
        Field::new(
            "per_intent",
            Shape::Expression,
            "True of each intent when it is settled; it sees `intent`.",
        ),
        Field::new("constant", Shape::Expression, "The same at rest as at the start."),
        Field::new(
            "within",
            Shape::FixedTime,
            "So long after `from`, `is` is true; of `staleness`, the bound.",
        ),
        Field::new("from", Shape::Text, "Of `within`: the point it is counted from."),
        Field::new("is", Shape::Expression, "Of `within`: what is true then."),
        Field::new("at-most-one", TABLE, "At most one row of the table for each value of a field."),
        Field::new("per", Shape::Name("field"), "Of `at-most-one`: the field."),
        Field::new("no-orphan", TABLE, "Every row of the table has an owner at rest."),
        Field::new("owner", Shape::Expression, "Of `no-orphan`: true if the row `it` has one."),
        Field::new("unless", Shape::Expression, "Of `no-orphan`: true if the row `it` needs none."),
        Field::new("all-or-nothing", FLOW, "All steps of the flow have taken effect, or none."),
        Field::new("compensation-rules", FLOW, "The steps of the flow are undone as sagas must."),
        Field::new("no-dirty-read", FLOW, "Nobody acts on what the flow takes back later."),
        Field::new("no-lost-update", TABLES, "No update is overwritten by a writer that had not seen it."),
        Field::new("strict", Shape::Flag, "Of `no-lost-update`: not even a stale write that loses nothing.")
            .default("false"),
        Field::new("no-duplicate-effect", TABLES, "No effect twice."),
        Field::new("acked-is-durable", TABLES, "What a client was told is done is still there at rest."),
        Field::new("no-leak", TABLES, "No lock, key in progress or unfinished flow is left behind."),
        Field::new("converges", TABLE, "The copy is like the original at rest."),
        Field::new("staleness", TABLE, "The copy is never further behind than `within`."),
        Field::new("referential", Shape::Text, "`a.t.field -> b.t`: the row referred to is there."),
        Field::new("outcome-agrees", NONE, "What a client was told agrees with what is."),
        Field::new("failed-has-no-effect", NONE, "What a client was told has failed left nothing."),
        Field::new("every-intent-ends", NONE, "Every intent ends."),
        Field::new("read-your-writes", NONE, "A client sees what it wrote."),
        Field::new("monotonic-reads", NONE, "A client never sees an older state than before."),
        Field::new("monotonic-writes", NONE, "The writes of a client take effect in order."),
        Field::new("no-retry-storm", NONE, "Repetitions do not feed on themselves."),
    ],
};

/// The verdicts that may be expected.
pub static VERDICTS: [Word; 5] = [
    Word::new("holds", "It holds, and that was earned."),
    Word::new("violated", "It is broken in some run."),
    Word::new("stuck", "It is safe, but something never ends."),
    Word::new("inconclusive", "Nothing happened that could have broken it."),
    Word::new("n/a", "The strategy cannot carry the scenario out."),
];
