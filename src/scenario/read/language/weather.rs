//! The keys of the weather: latency, clocks, faults, operator, phases.

use crate::scenario::shape::{Field, Shape, Table, Word};

/// The weather.
pub static WEATHER: Table = Table {
    name: "weather",
    doc: "Network, faults and the phases of a run.",
    fields: &[
        Field::new(
            "latency",
            Shape::Either(&[Shape::Time, Shape::Map("link", &Shape::Time)]),
            "How long messages take: a time, or one for each link, `*` for the rest.",
        )
        .default("1ms"),
        Field::new("faults", Shape::List(&Shape::Object(&FAULT)), "What goes wrong; without rules, nothing does."),
        Field::new("clocks", Shape::Map("node", &Shape::Object(&CLOCK)), "Clocks that are wrong."),
        Field::new("operator", Shape::List(&Shape::Object(&OPERATOR)), "What a person does meanwhile."),
        Field::new("heal", Shape::FixedTime, "No fault is decided from here on; what is down, paused or cut comes back, but for a node that crashed for `\"ever\"`.").default("1s"),
        Field::new(
            "end",
            Shape::Text,
            "When the run ends at the latest: an instant, or `heal + ` and a time. What has not ended by then is stuck.",
        )
        .default("heal + 1min"),
        Field::new(
            "seed",
            Shape::Integer { low: 0, high: i64::MAX },
            "Every run is the run of this seed, whichever is asked for.",
        )
        .more("It makes a scenario of one run, mostly together with `script`."),
        Field::new(
            "script",
            Shape::List(&Shape::Text),
            "Exact decisions about things by their names, such as `shop.i1.a1:reply~1 = lost`.",
        )
        .more("`docs/scripts.md` tells names and decisions."),
        Field::new("rest", Shape::OneOf(&REST), "What a script leaves open.").default("calm"),
        Field::new("swarm", Shape::Flag, "Leaves whole fault rules out at random, seed by seed.")
            .default("false"),
    ],
};

/// What a script leaves open.
pub static REST: [Word; 2] = [
    Word { name: "calm", doc: "No fault rule hits, and every time is the shortest it can be." },
    Word { name: "seed", doc: "As without a script." },
];

/// A clock.
pub static CLOCK: Table = Table {
    name: "clock",
    doc: "How far the clock of a node is wrong.",
    fields: &[
        Field::new("offset", Shape::SignedTime, "How far it is ahead."),
        Field::new("drift", Shape::SignedShare, "How much it is too fast."),
        Field::new("tick", Shape::FixedTime, "Its smallest step."),
    ],
};

/// What an operator does.
pub static OPERATOR: Table = Table {
    name: "act of the operator",
    doc: "What a person does while the system runs.",
    fields: &[
        Field::new("at", Shape::FixedTime, "When.").required(),
        Field::new("upgrade", Shape::Name("service"), "The service that is replaced."),
        Field::new("to", Shape::Any, "A patch over the service."),
        Field::new("redrive", Shape::Name("topic"), "The topic whose dead messages are put back."),
        Field::new("replay", Shape::Name("topic"), "The topic that is read from its start again."),
    ],
};

/// The verbs of faults.
pub static VERBS: [&str; 8] = ["lose", "delay", "duplicate", "refuse", "fail", "crash", "pause", "cut"];

/// The keys that a verb knows beside itself.
#[must_use]
pub fn keys_of(verb: &str) -> &'static [&'static str] {
    match verb {
        "lose" | "fail" => &["nth", "chance", "when", "during"],
        "delay" => &["for", "until", "nth", "chance", "when", "during"],
        "duplicate" => &["again", "nth", "chance", "when", "during"],
        "refuse" => &["reason", "nth", "chance", "when", "during"],
        "cut" => &["at", "every", "for", "chance", "during"],
        _ => &["at", "every", "before", "after", "for", "nth", "chance", "when", "during"],
    }
}

/// A fault.
pub static FAULT: Table = Table {
    name: "fault",
    doc: "One rule: a verb, then who is hit. All selectors given must match; with none, it hits always.",
    fields: &[
        Field::new("lose", Shape::Text, "Messages of a point, or on a link, are lost."),
        Field::new("delay", Shape::Text, "Messages are late: `for` a time, or `until` an instant."),
        Field::new("duplicate", Shape::Text, "Messages arrive again: one copy more, or one for each time in `again`."),
        Field::new("refuse", Shape::Text, "An operation is refused with `reason` when it executes: a business answer, definite and final."),
        Field::new("fail", Shape::Text, "An operation fails technically, without effect; its caller may repeat it."),
        Field::new("crash", Shape::Text, "A node crashes: what it has in memory is gone, what is committed stays; `for` says how long."),
        Field::new("pause", Shape::Text, "A node stops, and goes on later as if nothing had happened."),
        Field::new("cut", Shape::Text, "A link loses everything; `for` says how long."),
        Field::new("for", Shape::Time, "How long, until `heal` at the most. A node that crashes for `\"ever\"` never comes back; pauses and cuts for `\"ever\"` end at `heal`."),
        Field::new("until", Shape::FixedTime, "delay: the instant until which messages are held."),
        Field::new(
            "again",
            Shape::OneOrMany(&Shape::Time),
            "duplicate: one more copy for each, so long after the first one.",
        ),
        Field::new("reason", Shape::Name("reason"), "refuse: the reason.").default("refused"),
        Field::new("at", Shape::FixedTime, "crash, pause, cut: the instant at which it strikes."),
        Field::new("every", Shape::Time, "crash, pause, cut: it strikes again and again, so far apart."),
        Field::new("before", Shape::Text, "crash, pause: it strikes just before a point."),
        Field::new("after", Shape::Text, "crash, pause: it strikes just after a point."),
        Field::new(
            "nth",
            Shape::OneOrMany(&Shape::Integer { low: 1, high: 1_000_000 }),
            "Which occurrences within one intent, counted from 1.",
        )
        .more("Counted is what passes the point for the intent, repetitions included: the second reply is the second reply under every strategy that has one."),
        Field::new("chance", Shape::Share, "How likely it is, each time.").default("100%"),
        Field::new("when", Shape::Expression, "A condition over the arguments of what the rule is about, `client` and `intent`."),
        Field::new("during", Shape::Span, "Only in this stretch of time."),
    ],
};
