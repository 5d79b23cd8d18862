//! The words that stand inside of texts: quantities, expressions, values of clients, points, links, counts.
//!
//! Their readers have grammars of their own; tests hold that these tables name the same words.

use crate::scenario::shape::Word;

const fn word(name: &'static str, doc: &'static str) -> Word {
    Word::new(name, doc)
}

/// How times and shares are written.
pub static QUANTITIES: [Word; 9] = [
    word(
        "5ms",
        "A time: a number and its unit, `ns`, `us`, `ms`, `s`, `min`, `h` or `d`. `1.5ms` is fine: what comes out is whole nanoseconds.",
    ),
    word("1ms..10ms", "A time drawn evenly between the two, both included."),
    word("exp 5ms", "A time drawn from an exponential distribution with this mean."),
    word(
        "normal 10ms 2ms",
        "A time drawn from a normal distribution with this mean and deviation, cut off at zero.",
    ),
    word(
        "cap",
        "Behind a time that varies its upper bound: `exp 5ms cap 50ms`. What is drawn beyond it is the bound.",
    ),
    word("ever", "Without end, where that makes sense."),
    word("0.5%", "A share: a percentage from `0%` to `100%` in steps of one in a million."),
    word("0%..30%", "A share drawn once for each seed between the two, both included."),
    word("1s..2s", "Of `during`: from one instant to another, the second one excluded."),
];

/// The operators of expressions, the weakest first; those in one line bind alike.
pub static OPERATORS: [Word; 9] = [
    word("? :", "`test ? yes : no`; only one of the two is evaluated."),
    word("||", "Or. The right side is evaluated only if the left one is false."),
    word("&&", "And. The right side is evaluated only if the left one is true."),
    word("== !=", "Equal or not: values of one type, of whichever; `null` equals only `null`."),
    word("< <= > >=", "Order: of integers, instants and durations. Texts have none."),
    word("in", "`key in table`: is there such a row? `item in list`: is it an element?"),
    word(
        "+ -",
        "Integers; durations; an instant and a duration; two instants (`-`). Lists: `+` appends an element or a list. Texts are not added.",
    ),
    word("* / %", "Integers only; `/` rounds towards zero."),
    word("! -", "Not, and the negative of an integer or a duration; they bind strongest."),
];

/// What expressions call by name alone.
pub static FUNCTIONS: [Word; 3] = [
    word("size", "`size(x)`, the same as `x.size()`."),
    word(
        "has",
        "`has(x.field)`: the field is there and is not null. Whether a row is there is asked by `key in table`.",
    ),
    word("duration", "`duration('5ms')`: a length of time, with a whole number and a fixed text."),
];

/// What follows a table, a list or a filtered one in an expression. `r` stands for a name of one's own choice.
pub static METHODS: [Word; 10] = [
    word("size", "`t.size()`: how many rows or elements there are."),
    word("all", "`t.all(r, test)`: the test is true of every one; of none, too, if there is none."),
    word("exists", "`t.exists(r, test)`: the test is true of at least one."),
    word("exists_one", "`t.exists_one(r, test)`: the test is true of exactly one."),
    word("filter", "`t.filter(r, test)`: the list of those of which the test is true."),
    word(
        "map",
        "`t.map(r, value)`: the list of values; `t.map(r, test, value)` of those that pass the test only.",
    ),
    word(
        "sum",
        "`list.sum()`: of integers or durations; 0 if there is none. Of a table: `t.map(r, r.n).sum()`.",
    ),
    word("min", "`list.min()`: the least integer, instant or duration; of an empty list it fails."),
    word("max", "`list.max()`: the greatest one; of an empty list it fails."),
    word(
        "indexOf",
        "`list.indexOf(x)`: the place of the first element that is equal, from 0; -1 if there is none.",
    ),
];

/// The kinds of values.
pub static TYPES: [Word; 9] = [
    word("integer", "`3`, `-7`: whole and exact, up to 2⁶³-1 either way. What does not fit fails."),
    word("boolean", "`true`, `false`."),
    word(
        "text",
        "`'open'`, in single quotes inside the double ones. It can be compared for equality, and no more.",
    ),
    word(
        "null",
        "The value of a field that nobody gave. Equal to itself; everything but `==`, `!=` and `has` fails with it.",
    ),
    word(
        "list",
        "`[1, 2]`, and every table: the list of its rows in the order of their keys. `list[0]` is its first element.",
    ),
    word(
        "record",
        "`{'mail': 'a'}`, and every row: a record of its `id` and its fields. `x.field` or `x['field']` is a field.",
    ),
    word("instant", "A point of time, such as `now`; instants differ by durations."),
    word("duration", "A length of time: `duration('5ms')`."),
    word("row", "`t[key]`: the row with that key. `t[key].field` is a field of it, `key in t` asks for it."),
];

/// Names that stand for something in some places only.
pub static NAMES: [Word; 8] = [
    word(
        "now",
        "In an operation: the clock of the service, an instant. In `with`: the instant of the attempt.",
    ),
    word(
        "event",
        "In an operation with `on`: the event that runs it; `event.id`, `event.time`, `event.version`, `event.seq`.",
    ),
    word("it", "In `owner` and `unless` of `no-orphan`: the row that is looked at."),
    word(
        "intent",
        "In `per_intent`: the intent; `intent.args.NAME`, `intent.outcome`, `intent.effects`. In calls of clients and in `when` of a fault: its number, from 1.",
    ),
    word(
        "client",
        "In calls of clients and in `when` of a fault: the number of the client in its group, from 1.",
    ),
    word("count", "In `facts` and `sometimes`: what the run counted, `count.lost`."),
    word("id", "Of every row: its key. It is given by the address and cannot be written."),
    word(
        "service.table",
        "In invariants and facts: a table, with its service. In an operation the tables of its own service stand without it.",
    ),
];

/// What an event carries beside its fields.
pub static EVENT: [Word; 4] = [
    word("id", "Its identity, a number; the same for every copy."),
    word("time", "The producer's clock when it was published, an instant."),
    word("version", "The version of the record written with it, a number."),
    word("seq", "Its number among those of its key; null if the topic names none."),
];

/// What `intent` is in `per_intent`, and what each of its `effects` is.
pub static INTENT: [Word; 6] = [
    word("args", "The arguments that it called with, by name."),
    word("outcome", "`'ok'`, `'failed'`, `'unknown'`, or null if its client was told nothing."),
    word(
        "effects",
        "The list of what was changed for it, in order of time; compensations and `otherwise` are no effects.",
    ),
    word("table", "Of an effect: the table, `'service.table'`."),
    word("step", "Of an effect: what changed it, `'service.operation'`."),
    word("undone", "Of an effect: true if its compensation changed something later."),
];

/// Where values of `with` come from.
pub static GENERATORS: [Word; 7] = [
    word(
        "unique",
        "`unique('order')`: another one for each intent of all clients, a name that begins so. It is printed without quotes and is no text: no text is equal to it.",
    ),
    word("uniform", "`uniform(1, 10)`: a whole number between the two, both included, all as likely."),
    word(
        "zipf",
        "`zipf(1, 100, 1.1)`: a whole number between the two; the n-th is as likely as 1 / n^1.1. The exponent has up to three decimals.",
    ),
    word("pick", "`pick('a', 'b')`: one of these constants, all as likely."),
    word("turn", "`turn('a', 'b')`: one after the other, intent by intent, for each client by itself."),
    word("now", "`now`: the instant of the attempt, drawn anew at each."),
    word(
        "constant",
        "`7`, `true`, `'ana'`, `duration('5ms')`: always this one; a text in quotes of its own.",
    ),
];

/// The words that begin a point. `X` is an operation or flow, `T` a topic, `F` a flow; `*` stands for any.
pub static POINTS: [Word; 8] = [
    word(
        "request",
        "`request X`: a message that asks for it. `request X.fetch` asks for what an operation that is run by its caller reads.",
    ),
    word("reply", "`reply X`: the answer to such a message. `reply X.fetch` is what was read."),
    word("commit", "`commit X`: the commit of the transaction."),
    word("event", "`event T`: a message with an event to a subscriber."),
    word("ack", "`ack T`: the acknowledgement of such a message."),
    word(
        "publish",
        "`publish T`: the event is handed to the network, by the operation or by the relay of its outbox.",
    ),
    word("mark", "`mark T`: the relay of an outbox notes the event as sent."),
    word("log", "`log F`: the orchestrator of the flow writes to its log."),
];

/// Where messages travel and nodes stand.
pub static LINKS: [Word; 6] = [
    word("a -> b", "A link from one node to another."),
    word("a <-> b", "A link both ways."),
    word("a, b -> c", "Either side may be a list."),
    word("*", "Any node; alone, any link."),
    word(
        "payment#2",
        "The second replica of a service; without a number, all of them, or all clients of a group.",
    ),
    word(
        "payment.db",
        "The database of a service: a crash of it ends what is open there; what is committed stays.",
    ),
];

/// What a run counts, after `count.`
pub static COUNTERS: [Word; 22] = [
    word("intents", "Intents begun by clients."),
    word("ok", "Intents that ended well."),
    word("failed", "Intents definitely refused."),
    word("unknown", "Intents that ended without an answer."),
    word("silent", "Violations of which every client involved was told ok."),
    word("refused", "Refusals by operations."),
    word("attempts", "Requests sent, repetitions included."),
    word("writes", "Rows written."),
    word("messages", "Messages sent."),
    word("lost", "Messages lost."),
    word("duplicated", "Messages copied."),
    word("delayed", "Messages delayed."),
    word("crashes", "Crashes of replicas."),
    word("overlaps", "Pairs of operations on one record of which each read before the other wrote."),
    word("conflicts", "Writes refused because the version had changed."),
    word("replays", "Requests answered from the memory of an earlier one."),
    word("busy", "Requests turned away because the same one was in progress."),
    word("compensations", "Steps undone."),
    word("parked", "Sagas set aside for a person."),
    word("receives", "Messages handed out by a queue or log; nothing in this version."),
    word("dead", "Messages moved to a dead-letter topic; nothing in this version."),
    word("buffered", "Events held back until an earlier one came; nothing in this version."),
];

/// What a line of a script can decide.
pub static DECISIONS: [Word; 8] = [
    word("= lost", "`…~1 = lost`: the copy is lost."),
    word("= 3ms", "`…~1 = 3ms`: the copy is so long under way."),
    word("= 2 copies", "`…:request = 2 copies`: the message is sent so often."),
    word("= late 500ms", "`…:reply = late 500ms`: the message is so much later."),
    word(
        "= refuse",
        "`…:request = refuse REASON`, or `= fail`: what is asked for refuses, or fails technically.",
    ),
    word("= none", "`shop.i3 = none`: the intent is left out."),
    word("?think", "`…?think = 5ms`, `?start`, `?gap`, `?jitter`: a time is set."),
    word(
        "= crash",
        "`… before commit = crash orders for 20ms`, `orders at 1s = pause for 20ms`, `a -> b at 1s = cut for 20ms`: something strikes at a point, or by the clock.",
    ),
];

#[cfg(test)]
mod tests {
    use super::super::super::super::expr::{FUNCTION_NAMES, METHOD_NAMES};
    use super::super::must::SAGA_RULES;
    use super::*;
    use crate::model::expr::{Counter, EventField};
    use crate::model::script;
    use crate::model::weather::PointKind;

    fn names(words: &[Word]) -> Vec<&'static str> {
        words.iter().map(|word| word.name).collect()
    }

    #[test]
    fn the_words_are_those_that_their_readers_know() {
        assert_eq!(names(&FUNCTIONS), FUNCTION_NAMES);
        assert_eq!(names(&METHODS), METHOD_NAMES);
        assert_eq!(names(&COUNTERS), Counter::ALL.iter().map(|one| one.name()).collect::<Vec<_>>());
        assert_eq!(names(&EVENT), EventField::ALL.map(EventField::name));
        let points = script::POINTS.iter().filter(|(_, kind)| {
            // A fetch is written as a request or reply of `X.fetch`.
            !matches!(kind, PointKind::Fetch | PointKind::Fetched)
        });
        assert_eq!(names(&POINTS), points.map(|(name, _)| *name).collect::<Vec<_>>());
        assert_eq!(names(&SAGA_RULES).len(), 11);
    }

    /// Every word has a sentence, and none a line break that a table could not take.
    #[test]
    fn every_word_is_told_in_sentences() {
        let all: [&[Word]; 13] = [
            &QUANTITIES,
            &OPERATORS,
            &FUNCTIONS,
            &METHODS,
            &TYPES,
            &NAMES,
            &EVENT,
            &INTENT,
            &GENERATORS,
            &POINTS,
            &LINKS,
            &COUNTERS,
            &DECISIONS,
        ];
        for word in all.into_iter().flatten() {
            assert!(word.doc.ends_with('.') || word.doc.ends_with('?'), "{}: {}", word.name, word.doc);
            assert!(!word.doc.contains('\n') && word.doc.len() > 8, "{}", word.name);
        }
    }
}
