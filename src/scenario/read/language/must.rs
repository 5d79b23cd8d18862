//! The keys of invariants and expectations.

use crate::scenario::shape::{Field, Shape, Table, Word};

/// An object without keys: nothing more to say.
pub static NOTHING: Table = Table { name: "empty object", doc: "Nothing more to say.", fields: &[] };

/// A kind without a subject.
static NO_SUBJECT: [Shape; 2] = [Shape::Object(&NOTHING), Shape::Flag];
const NONE: Shape = Shape::Either(&NO_SUBJECT);

/// What may stand behind the name of an invariant: `true` if the name says it all.
pub static INVARIANTS: Shape = Shape::Either(&[Shape::Object(&INVARIANT), Shape::Flag]);

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

/// The kinds that need no subject: `{}` is enough, or their name alone.
#[must_use]
pub fn stands_alone(kind: &str) -> bool {
    matches!(
        kind,
        "no-lost-update"
            | "no-duplicate-effect"
            | "acked-is-durable"
            | "no-leak"
            | "outcome-agrees"
            | "failed-has-no-effect"
            | "every-intent-ends"
    )
}

/// The keys that a kind knows beside itself.
#[must_use]
pub fn parameters_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "at-most-one" => &["per"],
        "no-orphan" => &["owner", "unless"],
        "no-lost-update" => &["strict"],
        "within" => &["from", "is"],
        "staleness" => &["within"],
        _ => &[],
    }
}

/// The rules of `compensation-rules`, by number.
pub static SAGA_RULES: [Word; 11] = [
    Word::new("S1", "No step is undone more often than it was done."),
    Word::new("S2", "No step is done again while its effect stands."),
    Word::new(
        "S3",
        "After the pivot no step before it is undone, and before the pivot no step after it is done.",
    ),
    Word::new("S4", "No step is done after its compensation was accepted."),
    Word::new("S5", "The compensation of a step that had no effect changes nothing."),
    Word::new("S6", "Steps that build on each other are undone in reverse order."),
    Word::new("S9", "The flow is not half done, and what its coordinator believes is so."),
    Word::new("S10", "No effect comes after the flow has ended, and stands."),
    Word::new("S12", "If the flow failed, each step that can be undone was undone, or somebody was called."),
    Word::new("S13", "Once the pivot is passed, all that follows is done."),
    Word::new("S14", "The flow comes to its end."),
];

/// An invariant.
pub static INVARIANT: Table = Table {
    name: "invariant",
    doc: "One thing that must be true: a kind with its subject, and parameters.",
    fields: &[
        Field::new("always", Shape::Expression, "True after every commit.")
            .more("It is looked at when all rows of the commit are in, and at the start. A missing row makes it false."),
        Field::new("at_rest", Shape::Expression, "True when everything has come to rest.")
            .more("A run that never comes to rest leaves it undecided, and the cell is stuck."),
        Field::new(
            "per_intent",
            Shape::Expression,
            "True of each intent when it is settled; it sees `intent`.",
        )
        .more("Settled is an intent when its client was told and nothing that belongs to it is alive any more. An argument that the called operation does not have is null."),
        Field::new("constant", Shape::Expression, "The same at rest as at the start.")
            .more("A sum of money, say: `bank.accounts.map(a, a.balance).sum()`. On the way it may differ."),
        Field::new(
            "within",
            Shape::FixedTime,
            "So long after `from`, `is` is true; of `staleness`, the bound.",
        ),
        Field::new("from", Shape::Text, "Of `within`: the point it is counted from."),
        Field::new("is", Shape::Expression, "Of `within`: what is true then."),
        Field::new("at-most-one", TABLE, "At most one row of the table for each value of a field.")
            .more("`per` names the field; it holds after every commit, and null is no value."),
        Field::new("per", Shape::Name("field"), "Of `at-most-one`: the field."),
        Field::new("no-orphan", TABLE, "Every row of the table has an owner at rest.")
            .more("`owner` is true of a row `it` that has one, `unless` of a row that needs none; a missing row makes either false."),
        Field::new("owner", Shape::Expression, "Of `no-orphan`: true if the row `it` has one."),
        Field::new("unless", Shape::Expression, "Of `no-orphan`: true if the row `it` needs none."),
        Field::new("all-or-nothing", FLOW, "All steps of the flow have taken effect, or none.")
            .more("It is judged for each run of the flow when its intent is settled. What was undone has no effect; steps that are optional, left out by `when` or change nothing do not count."),
        Field::new("compensation-rules", FLOW, "The steps of the flow are undone as sagas must: rules S1 to S14.")
            .more("They are judged on what was committed, and held against what the coordinator believes."),
        Field::new("no-dirty-read", FLOW, "Nobody acts on what the flow takes back later."),
        Field::new("no-lost-update", TABLES, "No update is overwritten by a writer that had not seen it.")
            .more("What a write meant to change is lost if a later one, based on a version before it, writes the same field, computed from what it had read or merely carried along. A value that is not computed from the row loses nothing."),
        Field::new("strict", Shape::Flag, "Of `no-lost-update`: not even a stale write that loses nothing.")
            .default("false"),
        Field::new("no-duplicate-effect", TABLES, "No effect twice.")
            .more("An effect is what one intent asks of one operation, by whichever attempts, copies and repetitions. If two executions of it commit changes, and it was not undone in between, it took place twice; a write that leaves the row as it was is no change."),
        Field::new("acked-is-durable", TABLES, "What a client was told is done is done, and still is when its intent is settled.")
            .more("Of a flow, every step that is due has taken effect and was not undone. What others make of its rows later is a matter of `no-lost-update`. With tables, only what writes them is looked at."),
        Field::new("no-leak", TABLES, "No lock, key in progress, open transaction or row of a failed flow is left behind at rest.")
            .more("A row is left behind if a compensatable step of a flow that failed created it, nothing took that step back, and it is still there. Whether a compensation takes back all that it should, `at_rest` says."),
        Field::new("converges", TABLE, "The copy is like the original at rest."),
        Field::new("staleness", TABLE, "The copy is never further behind than `within`."),
        Field::new("referential", Shape::Text, "`a.t.field -> b.t`: the row referred to is there."),
        Field::new("outcome-agrees", NONE, "What a client was told agrees with what is.")
            .more("Told ok: all is there, as in `acked-is-durable`. Told failed: nothing is, as in `failed-has-no-effect`. And what the coordinator of a flow believes of it is so. Who ended unknown was told nothing."),
        Field::new("failed-has-no-effect", NONE, "What a client was told has failed left nothing.")
            .more("When the intent is settled, no effect of the operation called, or of a step that was not undone, stands, even if others have written over it since; `otherwise` is no effect."),
        Field::new("every-intent-ends", NONE, "Every intent ends: its client is told something, and nothing of it goes on for ever.")
            .more("Broken it is never violated but stuck: at `end` some intent was still open."),
        Field::new("read-your-writes", NONE, "A client sees what it wrote."),
        Field::new("monotonic-reads", NONE, "A client never sees an older state than before."),
        Field::new("monotonic-writes", NONE, "The writes of a client take effect in order."),
        Field::new("no-retry-storm", NONE, "Repetitions do not feed on themselves."),
    ],
};

/// The verdicts that may be expected.
pub static VERDICTS: [Word; 5] = [
    Word::new("holds", "It is broken in no run, and that was earned: something could have broken it."),
    Word::new("violated", "It is broken in some run."),
    Word::new("stuck", "It is broken in no run, but in some something never ends."),
    Word::new("inconclusive", "It is broken in no run, but nothing happened that could have broken it."),
    Word::new("n/a", "The strategy cannot carry the scenario out."),
];

/// What may stand beside the names of invariants in what is expected of a strategy.
pub static EXPECTED: [Word; 3] = [
    Word::new("*", "The verdict of all invariants that are not named."),
    Word::new("facts", "A list of expressions that are true at rest in every run; they see `count`."),
    Word::new(
        "sometimes",
        "A list of expressions that are true at rest in at least one run; they see `count`.",
    ),
];
