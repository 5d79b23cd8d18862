//! What a flow finds when the service that coordinates it, or one of its stops, comes back: its key, its letters, the way
//! back. One intent, 1 ms a message, 0.1 ms a statement; what is left is worked out by hand.

use crate::points::leaves;

/// A case is opened at `desk` and a seat taken at `hall`; so many are free.
fn booking(seats: u32, how: &str, fault: &str, facts: &[&str]) {
    let world = format!(
        r#"
    "services": {{
        "desk": {{ "tables": {{ "cases": {{}} }}, "operations": {{
            "open": {{ "args": ["k"], "insert": {{ "cases[k]": {{}} }} }},
            "close": {{ "args": ["k"], "skip": "!(k in cases)", "delete": "cases[k]" }} }} }},
        "hall": {{ "tables": {{ "seats": {{ "rows": {{ "1": {{ "free": {seats} }} }} }} }}, "operations": {{
            "take": {{ "args": ["k"], "require": {{ "sold out": "seats[1].free > 0" }},
                "set": {{ "seats[1].free": "seats[1].free - 1" }} }} }} }}
    }},
    "flows": {{ "book": {{ "by": "desk", "args": ["k"], "steps": [
        {{ "do": "desk.open(k)", "undo": "desk.close(k)" }}, {{ "do": "hall.take(k)", "class": "pivot" }} ] }} }},
    "clients": {{ "guest": {{ "script": [ {{ "at": "0ms", "do": "book(1)" }} ] }} }}"#
    );
    leaves(&world, how, fault, facts);
}

/// Asked for again 10 ms after an answer that says no more than "busy", or after 50 ms without any.
const LETTERS: &str = r#"{ "coordination": "choreography", "publish": "outbox", "idempotency": "key",
    "retry": { "timeout": "50ms", "attempts": 5, "backoff": "fixed", "first": "10ms" } }"#;
const SAGA: &str =
    r#"{ "extends": "hardened", "retry": { "timeout": "50ms", "attempts": 5, "backoff": "none" } }"#;

const BOOKED: [&str; 3] = ["desk.cases.size() == 1", "hall.seats[1].free == 0", "count.ok == 1"];
const SOLD_OUT: [&str; 3] = ["desk.cases.size() == 0", "hall.seats[1].free == 0", "count.failed == 1"];

#[test]
fn without_a_fault_a_seat_is_booked_or_the_case_closed() {
    for how in [LETTERS, SAGA] {
        booking(1, how, "", &BOOKED);
        booking(0, how, "", &SOLD_OUT);
    }
}

/// The letter that turns the flow back is written with the refusal, as one that takes it on is with what was done: the hall
/// that answers a repetition from memory has sent it.
#[test]
fn a_stop_that_crashes_once_it_has_refused_turns_the_flow_back_all_the_same() {
    for when in ["before", "after"] {
        let fault =
            format!(r#"{{ "crash": "hall", "{when}": "commit hall.take", "nth": 1, "for": "20ms" }}"#);
        booking(0, LETTERS, &fault, &SOLD_OUT);
        booking(1, LETTERS, &fault, &BOOKED);
    }
}

/// The key of a saga is claimed with the first line of its log, or not at all.
#[test]
fn a_home_that_crashes_around_the_first_line_of_its_log_can_be_asked_again() {
    for when in ["before", "after"] {
        let fault = format!(r#"{{ "crash": "desk", "{when}": "log book", "nth": 1, "for": "20ms" }}"#);
        booking(1, SAGA, &fault, &BOOKED);
        booking(0, SAGA, &fault, &SOLD_OUT);
    }
}

/// The desk is down while the hall books, and hears of it when it is back: whoever asks again is told, since the end of the
/// flow settles its key though nobody listens any more.
#[test]
fn a_home_that_was_down_when_its_flow_ended_knows_its_end_afterwards() {
    let fault = r#"{ "crash": "desk", "after": "commit hall.take", "nth": 1, "for": "20ms" }"#;
    booking(1, LETTERS, fault, &BOOKED);
    booking(0, LETTERS, fault, &SOLD_OUT);
}

/// The hall refuses and tells the desk at 20 ms; no acknowledgement comes through, so it tells again every 10 ms. Refusals
/// are not kept: asked again at 50 ms the desk claims the key anew, and the end of the first attempt must not settle it. Asked
/// once more at 100 ms it is busy.
#[test]
fn the_end_of_a_flow_that_is_told_again_leaves_the_key_of_the_next_attempt_alone() {
    let world = r#"
    "services": {
        "desk": { "tables": { "cases": {} }, "operations": { "open": { "args": ["k"], "insert": { "cases[k]": {} } } } },
        "hall": { "tables": { "seats": { "rows": { "1": { "free": 0 } } } }, "operations": { "take": {
            "args": ["k"], "require": { "sold out": "seats[1].free > 0" }, "set": { "seats[1].free": "seats[1].free - 1" } } } }
    },
    "flows": { "book": { "by": "desk", "args": ["k"], "steps": [
        { "do": "desk.open(k)" }, { "do": "hall.take(k)", "class": "pivot" } ] } },
    "clients": { "guest": { "script": [ { "at": "0ms", "do": "book(1)" } ] } }"#;
    let how = r#"{ "coordination": "choreography", "publish": "outbox", "idempotency": { "use": "key", "keep": "success" },
        "retry": { "timeout": "50ms", "attempts": 3 } }"#;
    let unheard = r#"{ "lose": "desk -> hall", "during": "20ms..95ms" }"#;
    let fault = format!(r#"{{ "lose": "reply book", "nth": 1 }}, {unheard}"#);
    leaves(world, how, &fault, &["count.busy == 1", "count.unknown == 1"]);
    // With the first answer heard nobody asks again.
    leaves(world, how, unheard, &["count.busy == 0", "count.failed == 1"]);
}

/// What is booked at the hall first and noted at the desk then; the desk is where the flow begins.
fn taking(how: &str, fault: &str, facts: &[&str]) {
    let world = r#"
    "services": {
        "desk": { "tables": { "cases": {} }, "operations": { "note": { "args": ["k"], "insert": { "cases[k]": {} } } } },
        "hall": { "tables": { "seats": { "rows": { "1": { "free": 1 } } } }, "operations": { "take": {
            "args": ["k"], "require": { "sold out": "seats[1].free > 0" }, "set": { "seats[1].free": "seats[1].free - 1" } } } }
    },
    "flows": { "book": { "by": "desk", "args": ["k"], "steps": [ { "do": "hall.take(k)" }, { "do": "desk.note(k)", "class": "pivot" } ] } },
    "clients": { "guest": { "script": [ { "at": "0ms", "do": "book(1)" } ] } }"#;
    leaves(world, how, fault, facts);
}

/// What may become of the first event of a flow, and of its first step.
const FIRST: [&str; 5] = [
    r#"{ "lose": "request hall.take", "nth": 1 }"#,
    r#"{ "fail": "hall.take", "nth": 1 }"#,
    r#"{ "crash": "hall", "before": "commit hall.take", "nth": 1, "for": "20ms" }"#,
    r#"{ "crash": "hall", "after": "commit hall.take", "nth": 1, "for": "20ms" }"#,
    r#"{ "crash": "desk", "at": "5ms", "for": "20ms" }"#,
];

/// The desk has the first event in its outbox from the instant on in which it accepts the flow.
#[test]
fn the_first_event_of_a_flow_is_in_the_outbox_of_its_home() {
    let facts = ["desk.cases.size() == 1", "hall.seats[1].free == 0", "count.ok == 1"];
    let accepted = LETTERS.replace(
        r#""coordination": "choreography""#,
        r#""coordination": { "use": "choreography", "answer": "accepted" }"#,
    );
    for fault in FIRST {
        taking(LETTERS, fault, &facts);
        taking(&accepted, fault, &facts);
    }
    // Without an outbox nobody tells again: the guest was told that it goes on, and it does not.
    let at_once = accepted.replace(r#""publish": "outbox", "#, "");
    let lost = ["desk.cases.size() == 0", "hall.seats[1].free == 1", "count.ok == 1"];
    taking(&at_once, "", &facts);
    taking(&at_once, FIRST[0], &lost);
    taking(&at_once, FIRST[1], &lost);
}

/// A first step of the home's own is part of what accepts the flow: if it does not commit, nothing has been accepted, and
/// whoever asks again is not told that it is in progress. Who was told before finds it done.
#[test]
fn a_flow_whose_first_step_at_home_does_not_commit_was_not_accepted() {
    let accepted = LETTERS.replace(
        r#""coordination": "choreography""#,
        r#""coordination": { "use": "choreography", "answer": "accepted" }"#,
    );
    for fault in [
        r#"{ "crash": "desk", "before": "commit desk.open", "nth": 1, "for": "20ms" }"#,
        r#"{ "crash": "desk", "after": "commit desk.open", "nth": 1, "for": "20ms" }"#,
        r#"{ "crash": "desk.db", "before": "commit desk.open", "nth": 1, "for": "5ms" }"#,
        r#"{ "fail": "desk.open", "nth": 1 }"#,
    ] {
        booking(1, LETTERS, fault, &BOOKED);
        booking(0, LETTERS, fault, &SOLD_OUT);
        booking(1, &accepted, fault, &BOOKED);
        booking(0, &accepted, fault, &["desk.cases.size() == 0", "hall.seats[1].free == 0", "count.ok == 1"]);
    }
    // It is told before the first step, and crashes right then.
    let told = r#"{ "crash": "desk", "before": "reply book", "nth": 1, "for": "20ms" }"#;
    booking(1, &accepted, told, &BOOKED);
}
