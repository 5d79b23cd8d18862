//! The code of every problem: a stable name that scripts may match on, a title, and the long explanation that the
//! command prints for it. A code is never given a second meaning; one that falls out of use is not given out again.

use std::fmt;

macro_rules! codes {
    ($($variant:ident = $name:literal, $title:literal, $explanation:literal;)*) => {
        /// What kind of problem it is. `HW01..` files and JSON, `HW02..` keys and values, `HW03..`
        /// names and meaning, `HW04..` what is not supported yet, `HW05..` warnings, `HW06..` what shows only in a run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, in ascending order.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable name, such as `HW0201`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name),* }
            }

            /// One line: the kind of mistake.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// A paragraph or two: why it is a mistake and what to write instead.
            #[must_use]
            pub const fn explanation(self) -> &'static str {
                match self { $(Code::$variant => $explanation),* }
            }
        }
    };
}

codes! {
    Unreadable = "HW0101", "A file cannot be read",
        "The file named on the command line, or one named by `extends`, is not there or may not be read. Paths in \
         `extends` are relative to the file that holds them, not to the directory the command was started in.";
    NotUtf8 = "HW0102", "A file is not UTF-8 text",
        "Scenario files are UTF-8. The place marks the first byte that is not. Editors on some systems save UTF-16 or \
         a national encoding by default; save the file again as UTF-8.";
    ByteOrderMark = "HW0103", "A file starts with a byte order mark",
        "The invisible mark U+FEFF at the start of the file is read over, but other JSON tools refuse it. Save the \
         file as UTF-8 without a byte order mark.";
    TooLarge = "HW0104", "The files of a scenario are too large",
        "A scenario, with everything it extends and with its cases laid out, must stay within 8 MiB of text and \
         250,000 values. Rows that differ only in their key can be written once: a key `\"1..100\"` stands for a \
         hundred rows. Each case, and in each case every strategy with a `rewrite`, has a model and tables of its own; \
         all of them together make at most 1,000 models, and their tables start with at most 8,388,608 cells (rows \
         times fields).";
    TooDeep = "HW0105", "Objects and lists are nested too deeply",
        "Values may be nested 128 levels deep. No scenario needs a fraction of that; most often a bracket was not \
         closed somewhere before.";
    NotAnObject = "HW0106", "The file is not an object",
        "A scenario file holds one JSON object: `{ \"about\": …, \"services\": …, … }`.";
    ValueExpected = "HW0110", "A value is missing",
        "After a colon, and between the commas of a list, there must be a value: an object, a list, a text in double \
         quotes, a number, `true`, `false` or `null`.";
    Bracket = "HW0111", "Brackets do not match",
        "Every `{` is closed by a `}` and every `[` by a `]`, inner ones first. The place marks where this went \
         wrong, and the second place the bracket that is still open; the one missing is somewhere between them.";
    Comma = "HW0112", "A comma is missing or too many",
        "Members of objects and elements of lists are separated by exactly one comma, and none follows the last. \
         Scenario files are JSON with comments and nothing else, so that any JSON tool can read them once the \
         comments are taken out.";
    Colon = "HW0113", "A colon is missing",
        "A key and its value are separated by a colon: `\"key\": value`.";
    Quotes = "HW0114", "A key or a text is not in double quotes",
        "Keys and texts stand in double quotes. In an expression, texts stand in single quotes inside of them: \
         `\"status == 'open'\"`.";
    TextNotClosed = "HW0115", "A text is not closed",
        "A text ends with a double quote on the line on which it began. A double quote within the text is written \
         `\\\"`, a line break `\\n`.";
    Escape = "HW0116", "A text holds a character that must be written differently",
        "Within a text a backslash begins one of `\\\" \\\\ \\/ \\b \\f \\n \\r \\t` or `\\u` with four hexadecimal \
         digits; characters outside the basic plane are two such in a row. Tabs and other control characters must \
         be written that way.";
    NotANumber = "HW0117", "This is not a number",
        "Numbers are written as in JSON: digits, with a minus sign before them if need be; no leading zeros, no plus \
         sign, no underscores, not hexadecimal.";
    Stray = "HW0118", "Something that does not belong here",
        "JSON consists of brackets, commas, colons, texts, numbers, `true`, `false`, `null` and comments (`// …` and \
         `/* … */`).";
    AfterTheEnd = "HW0119", "Something follows after the end",
        "A file holds one object. What follows its last bracket belongs nowhere: most often a bracket too many stands \
         somewhere before.";
    CommentNotClosed = "HW0120", "A comment is not closed",
        "A comment that begins with `/*` ends with `*/`; such comments do not nest. A comment that begins with `//` \
         ends with its line.";
    DuplicateKey = "HW0121", "A key stands twice in one object",
        "One of the two would silently win. Put the contents together, or rename one of them.";
    Extends = "HW0130", "`extends` cannot be followed",
        "`extends` is a path or a list of different paths, relative to the file that holds it. It may be followed 16 \
         files deep and to 64 files in all, and must not lead back to a file that is being read. It belongs at the \
         top of a file, not in a case.";
    Case = "HW0131", "A case is not a patch",
        "`cases` maps names to patches over the file itself: objects with the keys that are to change. A case holds \
         neither `cases` nor `extends`.";
    UnknownKey = "HW0201", "A key is not known here",
        "Keys are checked so that a slip of the pen cannot silently leave a default in force. The hint lists the keys \
         that may stand here.";
    MissingKey = "HW0202", "A key is missing",
        "The object cannot mean anything without this key.";
    WrongKind = "HW0203", "A value of another kind is expected",
        "The key is right, the kind of its value is not: for instance a list where one text is expected.";
    UnknownName = "HW0204", "A name is not one of those possible here",
        "The value must be one of a few names; the hint lists them.";
    Time = "HW0205", "This is not a time",
        "A time is a number with its unit, `\"5ms\"`; units are `ns us ms s min h d`. Decimals are allowed as long as \
         whole nanoseconds come out. Where a time may vary: `\"1ms..10ms\"`, `\"exp 5ms\"` (mean), `\"normal 10ms 2ms\"` \
         (mean and standard deviation), each with an upper bound, as in `\"exp 5ms cap 50ms\"`. `\"ever\"` is without \
         end, where that makes sense.";
    Share = "HW0206", "This is not a share",
        "A share is a percentage from `\"0%\"` to `\"100%\"` in steps of one in a million, `\"0.0001%\"`. A range such \
         as `\"0%..30%\"` is drawn once for each seed.";
    Integer = "HW0207", "This is not a possible whole number",
        "Numbers are whole and exact, without fraction or exponent. They lie between -(2⁶³-1) and 2⁶³-1, and many keys \
         narrow that further.";
    Choice = "HW0208", "Exactly one of several keys is expected",
        "Some objects are told apart by one of their keys: a fault by its verb, an invariant by its kind. None of them \
         says nothing, and two of them say two things.";
    Undeclared = "HW0301", "A name that is not declared",
        "The name must be that of a service, operation, table, flow, topic, group of clients, strategy or invariant of \
         this scenario, whichever belongs here. After a `rewrite` or in a case it may be gone: the place marks where it \
         is still used.";
    BadName = "HW0302", "This cannot be a name here",
        "Services, tables, operations, flows, arguments and fields are mentioned in expressions, so their names consist \
         of letters, digits and `_`, do not begin with a digit, and are no words of the expression language. Groups of \
         clients, topics and strategies may also have `-` in their names. Some words, such as `now` and `event`, have \
         a meaning of their own where operations are described.";
    Twice = "HW0303", "A name stands for two things",
        "Within one operation or flow every argument, `let` and reply needs a name of its own. Flows, services, topics \
         and groups of clients are named in the same places (`where`, links, points), so their names must differ, too.";
    Syntax = "HW0304", "This is not an expression",
        "Expressions are written in CEL: `a + b`, `x == 'open' && n > 0`, `t[key].field`, `t.exists(r, r.n > 0)`. Texts \
         need quotes of their own: `\"'open'\"`.";
    Meaning = "HW0305", "An expression that means nothing here",
        "A name is unknown, types do not fit each other, or something is asked of a value that it cannot give. Types are \
         inferred over the whole scenario: the second place shows where the other type comes from.";
    Address = "HW0306", "This is not an address of a row",
        "`set` names a field of a row, `t[key].field`; `put` names a row, `t[key]`; `insert` a row or a fresh one, \
         `t[]`; `delete` a row or all that match, `t.filter(r, …)`. Only tables of the same service can be written, and \
         a key cannot be changed.";
    Call = "HW0307", "This is not a call",
        "A call is `service.operation(arguments)` or `flow(arguments)`.";
    Arity = "HW0308", "A call with too few or too many arguments",
        "A call gives one value to each argument, in the order in which they are declared.";
    Point = "HW0309", "This is not a point",
        "A point is a word and a name: `request X`, `reply X`, `commit X`, `event T`, `ack T`, `publish T`, `mark T`, \
         `log F`, `request X.fetch`, `reply X.fetch`. X is an operation or flow, T a topic, F a flow, and `*` is any. \
         Messages can also be named by their link, `a -> b`.";
    Link = "HW0310", "This is not a link or a node",
        "A link is `a -> b` or, both ways, `a <-> b`; either side may be a list with commas, or `*`. Nodes are services, \
         their replicas `payment#2`, their databases `payment.db`, and groups of clients.";
    Rows = "HW0311", "Rows that cannot be",
        "Keys of one table are all texts or all whole numbers; a key in digits is a number, and `\"1..100\"` stands for \
         a hundred of them. Each key stands once, and the fields of a row are plain values: a number, a text, true, \
         false or null.";
    Column = "HW0312", "A field that the table does not have",
        "A table has the fields that its `rows`, an `insert` or a `put` name; if it has `fields`, exactly those.";
    Limit = "HW0313", "There is too much of something",
        "The engine has bounds that no scenario needs to reach: columns of a table, steps of a flow, rows, clients.";
    Circle = "HW0314", "Things that contain themselves",
        "A flow that calls itself would never end, and neither would a strategy that extends itself.";
    Together = "HW0315", "Keys that do not go together",
        "Some keys only make sense beside another one, and some exclude each other.";
    Generator = "HW0316", "This does not make values",
        "Values of `with` are written `unique('prefix')`, `uniform(1, 10)`, `zipf(1, 100, 1.1)`, `pick('a', 'b')`, \
         `turn('a', 'b')` or `now`, or as a constant.";
    Parameter = "HW0317", "A parameter of another policy",
        "The parameter is known in this dimension, but the policy that is in force does not look at it. Leave it out, or \
         say `use` as well. The key of an operation with `store` `before` or `after` is stored as done, so it is \
         never in progress, and `busy` and `busy_for` say nothing to it. With `store` `with` it is in progress as long as \
         its transaction, which nobody takes over, so that `busy_for` is about flows only.";
    Scope = "HW0318", "A policy that has nothing to govern there",
        "`retry` and `coordination` belong to who calls: flows, services, groups of clients. All others belong to who \
         is called: operations, tables, topics, services, and flows that a service runs.";
    Order = "HW0319", "Times that contradict each other",
        "Faults are decided before `heal`, and a run ends after it.";
    Script = "HW0320", "This is not a decision of a script",
        "A line of a script is a name, ` = ` and what is decided about it. Names follow their causes: \
         `shop#2.i3.a1:request` is what client 2 of `shop` sends in its first attempt at its third intent, `…/s1.charge.t1` \
         the first try of step 1 of the flow it starts, `…:reply` the answer, and `~1` its first copy. `…~1 = lost` or \
         `= 3ms` decides about a copy (with both, it is lost: the time waits for the day the other line is taken out); `… = 2 copies`, `= late 5ms`, `= refuse REASON` and `= fail` about a message; \
         `shop#2.i3 = none` leaves an intent out; `…?think = 5ms`, `?start`, `?gap` and `?jitter` set times. Nodes strike \
         at points, `… before commit = crash orders for 20ms`, or by the clock, `orders at 1s = pause for 20ms`, and links \
         are cut, `a -> b at 1s = cut for 20ms`.";
    Unsupported = "HW0401", "Not supported yet",
        "The language has a word for it, but this version cannot carry it out. It is refused rather than ignored, so \
         that no verdict rests on something that was not done.";
    NoProcess = "HW0402", "A process that is not there",
        "The service is run by a process written in Rust, and the program that reads the file has none of that name. The \
         plain command has none at all: such a scenario is run by a program, or by a test, that registers the process.";
    DeadTopic = "HW0501", "A topic that nobody reads, or nobody publishes to",
        "Events of this topic are published, but no operation and no flow has it in `on`. Or the other way round: it is \
         read, or stands in `topics`, and nobody publishes to it. Most often one of two names is misspelled.";
    LateFault = "HW0502", "A fault that can never strike",
        "No fault is decided after `heal`, so a fault scheduled for later never happens. Or its chance is zero.";
    Unused = "HW0503", "A part that nothing reaches",
        "No client, flow or topic leads to this operation or flow; no call takes this value of `with`; or a strategy has \
         policies for a table that nobody writes, a topic that nobody uses, or a service that does nothing. An operation \
         or flow that a case alone has is most often one whose name was misspelled.";
    NoUndo = "HW0504", "A step that sagas cannot undo",
        "The step is declared compensatable but has no `undo`, or a later step may refuse while this one can neither be \
         undone nor repeated until it succeeds. Said where some strategy runs the flow as a saga or a choreography: others \
         undo nothing.";
    Refusable = "HW0505", "A step repeated for ever that may be refused",
        "Under a saga or a choreography a retriable step is repeated until it succeeds, also after a refusal. Its operation \
         has a `require`: while that is not met, the step is asked for again for ever, and the flow does not end. An \
         `optional` step that is refused is left out instead.";
    Idle = "HW0506", "An invariant over tables that nobody writes",
        "It can only hold, or not, from the start.";
    UndoUnseen = "HW0507", "An undo that does not know whether there is anything to undo",
        "Registered before it is sent, a step is undone also when it was never carried out: its request was lost, or the \
         orchestrator crashed. An undo without `skip` then gives back what nobody took. Said of a strategy that the file \
         expects to hold throughout.";
    Repeated = "HW0508", "A repetition that counts twice",
        "The operation is asked for again after a timeout, although the first attempt may have been carried out, and it \
         adds something each time: a row under a fresh key, or a field computed from itself. A key recognises the \
         repetition; so does a `skip`, or an insert that can be there only once. Said of a strategy that the file \
         expects to hold throughout.";
    ShortMemory = "HW0509", "A key forgotten while it is still asked for",
        "`ttl` says how long a finished key is remembered, `busy_for` how long one in progress is. Both must last until \
         the last attempt may have been sent: attempts times timeout and backoff. Said of a strategy that the file \
         expects to hold throughout.";
    NothingToCompare = "HW0510", "Versions that are never compared",
        "`occ` compares the version of a row with the one that was read. Under this strategy rows are only inserted, so \
         there is no version to compare, and it protects nothing. Said of a strategy that the file expects to hold \
         throughout.";
    Halfway = "HW0511", "A flow over several services without coordination",
        "Under `calls` the home asks for one step after the other and remembers nothing. When a step fails or the home \
         crashes, what was done stays done. Said of a strategy that the file expects to hold throughout.";
    LikeUnique = "HW0512", "A text that looks like a value of `unique`",
        "It is a text like any other, and never what `unique` makes: a value of `unique` is equal to itself alone, and is \
         printed without quotes. Compare arguments and fields that hold it.";
    Unsent = "HW0513", "A field that no event has",
        "What an event runs takes its arguments from the fields of the event by their names, and one that the event does not \
         have is null. No operation that publishes to the topic gives this field. Said of operations and flows that are \
         only run by events: where a client or a flow asks for one, too, it may hand over more. The same is said of the `key` of a topic: without \
         it all events are numbered as if they were about one thing.";
    NoValue = "HW0601", "An invariant without a value",
        "In some run the marked part of the invariant could not be computed: a division by zero, an overflow, an index \
         beyond the end of a list, the least of nothing, null where a value is needed. So nobody can say whether it holds, \
         and the cell says `error`. (A row that is missing makes it false.) Say what is meant then, as in `n == 0 || x / n \
         < 3`.";
    NeverSucceeds = "HW0602", "An operation that never comes to anything",
        "Under these strategies no transaction of the operation ever became durable, and an expression of it had no value: \
         it names a row that is not there (`missing`), or it divides by zero, overflows or meets null (`error`). Such \
         refusals are no progress: where nothing else happens, nothing holds.";
    NeverStrikes = "HW0603", "A fault that never strikes",
        "In no run of any strategy did the rule strike, or anything ask for the line of the script: what it was to put to \
         the test was not tested. Is its point ever passed? `nth` counts within one intent, a relay's `mark` needs an \
         outbox, nothing strikes after `heal`. That a point does not exist under some strategies is no mistake. After \
         fewer than 1,000 runs, or if it was left to chance, more seeds may tell.";
}

impl Code {
    /// The code of that name, upper or lower case.
    #[must_use]
    pub fn find(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ascend_so_that_none_is_given_out_twice() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].name() < pair[1].name(), "{} before {}", pair[0], pair[1]);
        }
    }

    #[test]
    fn every_code_is_found_by_its_name_and_explains_itself() {
        for code in Code::ALL {
            assert_eq!(Code::find(code.name()), Some(*code));
            assert!(code.name().len() == 6 && code.name().starts_with("HW"));
            assert!(!code.title().ends_with('.') && code.explanation().ends_with('.'), "{code}");
        }
        assert_eq!(Code::find("hw0201"), Some(Code::UnknownKey));
        assert_eq!(Code::find("HW9999"), None);
    }
}
