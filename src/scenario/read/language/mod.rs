//! The scenario language as tables: which keys an object may hold, of which shape, with a sentence about each.
//!
//! The reader checks files by them, and the schema for editors and the reference pages are written from them, so what
//! is not supported yet stands here too; [`super::later`] says which that is. What the keys mean is decided by the
//! readers beside this folder.

pub mod how;
pub mod must;
pub mod weather;
pub mod what;
pub mod words;

use super::super::shape::{Field, Shape, Table};

/// The whole file.
pub static SCENARIO: Table = Table {
    name: "scenario",
    doc: "What services do, how they do it, in which weather, and what must be true then.",
    fields: &[
        Field::new("$schema", Shape::Text, "Where the schema of this file is, for editors.")
            .more("`halfway schema` writes it."),
        Field::new("about", Shape::Text, "One sentence about the scenario."),
        Field::new(
            "extends",
            Shape::OneOrMany(&Shape::Text),
            "The files that this one is a patch over, relative to it.",
        )
        .more("They are laid over each other in their order, this file last. A case has no `extends`."),
        Field::new(
            "services",
            Shape::Map("service", &Shape::Object(&what::SERVICE)),
            "The services with their tables and operations.",
        ),
        Field::new(
            "flows",
            Shape::Map("flow", &Shape::Object(&what::FLOW)),
            "Business operations over several services.",
        ),
        Field::new(
            "topics",
            Shape::Map("topic", &Shape::Object(&what::TOPIC)),
            "What there is to say about topics beyond the defaults; a topic that is published or read needs no entry.",
        ),
        Field::new(
            "clients",
            Shape::Map("group of clients", &Shape::Object(&what::CLIENTS)),
            "Who wants what, and when.",
        ),
        Field::new("weather", Shape::Object(&weather::WEATHER), "Network, faults and the phases of a run."),
        Field::new(
            "strategies",
            Shape::Map("strategy", &Shape::Object(&how::STRATEGY)),
            "How operations and flows are carried out; `*` holds for all strategies. Without it, the five built-in ones are run.",
        ),
        Field::new(
            "invariants",
            Shape::Map("invariant", &must::INVARIANTS),
            "What must be true. A name that is a kind may stand alone: `\"outcome-agrees\": {}`, or `true`.",
        ),
        Field::new(
            "expect",
            Shape::Map("strategy", &Shape::Either(&[Shape::Text, Shape::Map("invariant", &Shape::Any)])),
            "What is expected of each strategy: a verdict, which is the worst that may show, or verdicts by invariant with `facts` and `sometimes`. What breaks and is not expected to is a finding.",
        ),
        Field::new(
            "cases",
            Shape::Map("case", &Shape::Any),
            "Patches over this file; the file as written is always run, then each case.",
        )
        .more("A patch is a JSON merge patch (RFC 7396): objects merge, `null` removes, all else replaces, lists included. `--case` chooses one."),
        Field::new(
            "seeds",
            Shape::Integer { low: 1, high: 1_000_000_000 },
            "How many seeds are run if the command does not say. Only with so many, or more, a violation that was expected and never seen is a miss.",
        )
        .default("1000"),
        Field::new("allow", Shape::List(&Shape::Text), "The codes of warnings to silence, such as `HW0503`."),
    ],
};
