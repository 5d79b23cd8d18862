//! Faults at the points that only some strategies have: events and their acknowledgements, the relay, the log of a saga,
//! the fetch of an operation that its caller runs. One intent, 1 ms a message, 0.1 ms a statement, a fault that hits
//! once: what is left at the end is worked out by hand, just before the point and just after it.

use crate::shipped::{prepared, read_text};

/// Runs the one strategy of a scenario and holds the facts at its end. Once for each fault: all else stays as it is.
pub(crate) fn leaves(world: &str, how: &str, fault: &str, facts: &[&str]) {
    let quoted: Vec<String> = facts.iter().map(|fact| format!("\"{fact}\"")).collect();
    let text = format!(
        r#"{{ {world},
        "weather": {{ "latency": "1ms", "heal": "10s", "faults": [ {fault} ] }},
        "strategies": {{ "tried": {how} }},
        "invariants": {{ "every-intent-ends": {{}} }},
        "expect": {{ "tried": {{ "facts": [ {} ] }} }} }}"#,
        quoted.join(", ")
    );
    let run = prepared(&read_text(&text)).remove(0).1.replay(0).unwrap().run;
    for (fact, held) in facts.iter().zip(&run.facts) {
        assert_eq!(*held, Some(true), "{fact}\nunder {how}\nwith {fault}\ncounts {:?}", run.verdict.counts);
    }
}

/// A crash for 5 ms at a point, the first time it is passed.
fn crash(who: &str, at: &str) -> String {
    format!(r#"{{ "crash": "{who}", {at}, "nth": 1, "for": "5ms" }}"#)
}

/// An order is noted at 1.3 ms (1.4 ms with an outbox) and a mail is sent when the event comes.
const ORDER: &str = r#"
    "services": {
        "shop": { "tables": { "orders": {} }, "operations": { "place": {
            "args": ["n"], "insert": { "orders[n]": {} }, "publish": { "placed": { "n": "n" } } } } },
        "mail": { "tables": { "sent": {} }, "operations": { "send": {
            "on": "placed", "args": ["n"], "insert": { "sent[]": { "n": "n" } } } } }
    },
    "clients": { "buyer": { "script": [ { "at": "0ms", "do": "shop.place(1)" } ] } }"#;

const AFTER: &str = r#"{ "retry": { "timeout": "50ms", "attempts": 1 } }"#;
const BEFORE: &str = r#"{ "retry": { "timeout": "50ms", "attempts": 1 }, "publish": "before-commit" }"#;
/// The relay looks at 10, 20, 30 ms …; an event that arrives at 11 ms is acknowledged at 11.3, noted at 12.3.
const OUTBOX: &str = r#"{ "retry": { "timeout": "50ms", "attempts": 1 }, "publish": "outbox" }"#;
const OUTBOX_AND_KEY: &str =
    r#"{ "retry": { "timeout": "50ms", "attempts": 1 }, "publish": "outbox", "idempotency": "key" }"#;

/// So many orders, mails, and intents that ended well.
fn order(how: &str, fault: &str, orders: u32, mails: u32, ok: u32) {
    let crashes = u32::from(fault.contains("crash"));
    let facts = [
        format!("shop.orders.size() == {orders}"),
        format!("mail.sent.size() == {mails}"),
        format!("count.ok == {ok}"),
        "count.ok + count.unknown == 1".to_owned(),
        format!("count.crashes == {crashes}"),
    ];
    leaves(ORDER, how, fault, &facts.each_ref().map(String::as_str));
}

#[test]
fn without_a_fault_there_is_one_order_and_one_mail() {
    for how in [AFTER, BEFORE, OUTBOX, OUTBOX_AND_KEY] {
        order(how, "", 1, 1, 1);
    }
}

#[test]
fn published_after_the_commit_an_event_is_lost_with_a_crash_before_it_is_handed_over() {
    for point in ["publish", "event"] {
        order(AFTER, &crash("shop", &format!(r#""before": "{point} placed""#)), 1, 0, 0);
        order(AFTER, &crash("shop", &format!(r#""after": "{point} placed""#)), 1, 1, 0);
    }
    // The order was never there, or it was and nobody is told: between the two lies the commit.
    order(AFTER, &crash("shop", r#""before": "commit shop.place""#), 0, 0, 0);
    order(AFTER, &crash("shop", r#""after": "commit shop.place""#), 1, 0, 0);
}

#[test]
fn published_before_the_commit_an_event_tells_of_what_a_crash_then_undoes() {
    for point in ["publish", "event"] {
        order(BEFORE, &crash("shop", &format!(r#""before": "{point} placed""#)), 0, 0, 0);
        order(BEFORE, &crash("shop", &format!(r#""after": "{point} placed""#)), 0, 1, 0);
    }
    order(BEFORE, &crash("shop", r#""before": "commit shop.place""#), 0, 1, 0);
    order(BEFORE, &crash("shop", r#""after": "commit shop.place""#), 1, 1, 0);
}

/// The only replica stands still from its commit at 1.4 ms to 51.4 ms: its relay finds nobody until then.
#[test]
fn a_relay_whose_replicas_all_stood_still_goes_on_with_the_first_that_does() {
    let pause = |long: &str| {
        format!(r#"{{ "pause": "shop", "after": "commit shop.place", "nth": 1, "for": "{long}" }}"#)
    };
    order(OUTBOX, &pause("50ms"), 1, 1, 0);
    order(OUTBOX, &pause("5ms"), 1, 1, 1);
    order(AFTER, &pause("50ms"), 1, 1, 0);
}

#[test]
fn an_event_lost_on_its_way_is_sent_again_by_a_relay_only() {
    let lost = r#"{ "lose": "event placed", "nth": 1 }"#;
    order(AFTER, lost, 1, 0, 1);
    order(OUTBOX, lost, 1, 1, 1);
    // The subscriber is down from 1.3 to 6.3 ms, or from 10 to 15 ms: an event arrives a millisecond later.
    let down = crash("mail", r#""before": "event placed""#);
    order(AFTER, &down, 1, 0, 1);
    order(OUTBOX, &down, 1, 1, 1);
    // Delayed by 25 ms the first arrives at 36 ms, long after the one of 20 ms was acknowledged.
    let late = r#"{ "delay": "event placed", "for": "25ms", "nth": 1 }"#;
    order(AFTER, late, 1, 1, 1);
    order(OUTBOX, late, 1, 2, 1);
    order(OUTBOX_AND_KEY, late, 1, 1, 1);
}

#[test]
fn an_event_that_arrives_twice_is_two_mails_without_a_key() {
    let twice = r#"{ "duplicate": "event placed", "again": ["3ms"] }"#;
    order(AFTER, twice, 1, 2, 1);
    order(OUTBOX, twice, 1, 2, 1);
    order(OUTBOX_AND_KEY, twice, 1, 1, 1);
}

#[test]
fn an_acknowledgement_that_does_not_come_is_a_second_mail() {
    for fault in [
        r#"{ "lose": "ack placed", "nth": 1 }"#.to_owned(),
        // Down from 11.3 to 16.3 ms, with the mail sent.
        crash("mail", r#""before": "ack placed""#),
        // Too late by 10 ms: the event of 20 ms is under way.
        r#"{ "delay": "ack placed", "for": "10ms", "nth": 1 }"#.to_owned(),
    ] {
        order(OUTBOX, &fault, 1, 2, 1);
        order(OUTBOX_AND_KEY, &fault, 1, 1, 1);
    }
    order(OUTBOX, &crash("mail", r#""after": "ack placed""#), 1, 1, 1);
    order(OUTBOX, r#"{ "duplicate": "ack placed" }"#, 1, 1, 1);
    // Without a relay nothing is acknowledged: the rule has nothing to hit.
    order(AFTER, r#"{ "lose": "ack placed" }"#, 1, 1, 1);
}

#[test]
fn a_relay_that_crashes_before_it_hands_over_does_so_later_and_after_that_does_so_again() {
    // Down from 10 to 15 ms: before, nothing was sent; after, the acknowledgement of 12.3 ms finds nobody.
    for point in ["publish", "event"] {
        order(OUTBOX, &crash("shop", &format!(r#""before": "{point} placed""#)), 1, 1, 1);
        let after = crash("shop", &format!(r#""after": "{point} placed""#));
        order(OUTBOX, &after, 1, 2, 1);
        order(OUTBOX_AND_KEY, &after, 1, 1, 1);
    }
}

#[test]
fn a_relay_that_crashes_before_it_notes_an_event_as_sent_sends_it_again() {
    let before = crash("shop", r#""before": "mark placed""#);
    order(OUTBOX, &before, 1, 2, 1);
    order(OUTBOX_AND_KEY, &before, 1, 1, 1);
    order(OUTBOX, &crash("shop", r#""after": "mark placed""#), 1, 1, 1);
}

#[test]
fn a_paused_relay_forgets_nothing() {
    // It sleeps from 10 to 15 ms and hears of the acknowledgement then; the mail is not sent again.
    let pause = r#"{ "pause": "shop", "after": "publish placed", "nth": 1, "for": "5ms" }"#;
    order(OUTBOX, pause, 1, 1, 1);
    // For 20 ms: its own look of 20 ms waits as well, and comes after what arrived before it.
    let longer = r#"{ "pause": "shop", "after": "publish placed", "nth": 1, "for": "20ms" }"#;
    order(OUTBOX, longer, 1, 1, 1);
}

/// A lamp is taken from stock, then paid.
const SAGA: &str = r#"
    "services": {
        "shop": {},
        "stock": { "tables": { "lamps": { "rows": { "1": { "free": 10 } } }, "taken": {} }, "operations": {
            "take": { "args": ["order"], "set": { "lamps[1].free": "lamps[1].free - 1" }, "insert": { "taken[order]": {} } },
            "give": { "args": ["order"], "skip": "!(order in taken)",
                      "set": { "lamps[1].free": "lamps[1].free + 1" }, "delete": "taken[order]" } } },
        "bank": { "tables": { "charges": {}, "refunds": {} }, "operations": {
            "charge": { "args": ["order"], "insert": { "charges[order]": {} } },
            "refund": { "args": ["order"], "skip": "!(order in charges)", "insert": { "refunds[order]": {} } } } }
    },
    "flows": { "buy": { "by": "shop", "args": ["order"], "steps": [
        { "do": "stock.take(order)", "undo": "stock.give(order)" },
        { "do": "bank.charge(order)", "undo": "bank.refund(order)" } ] } },
    "clients": { "buyer": { "script": [ { "at": "0ms", "do": "buy(1)" } ] } }"#;

const BACK: &str = r#"{ "extends": "saga", "retry": { "timeout": "50ms", "attempts": 1 } }"#;
const FORWARD: &str = r#"{ "coordination": { "use": "saga", "recover": "forward" }, "idempotency": "key",
    "retry": { "timeout": "50ms", "attempts": 1 } }"#;
const IN_MEMORY: &str = r#"{ "coordination": { "use": "saga", "log": "memory" },
    "retry": { "timeout": "50ms", "attempts": 1 } }"#;

/// So many lamps left, charges, refunds, and intents that ended well.
fn bought(how: &str, fault: &str, crashes: u32, [free, charges, refunds, ok]: [u32; 4]) {
    let facts = [
        format!("stock.lamps[1].free == {free}"),
        format!("bank.charges.size() == {charges}"),
        format!("bank.refunds.size() == {refunds}"),
        format!("count.ok == {ok}"),
        format!("count.crashes == {crashes}"),
    ];
    leaves(SAGA, how, fault, &facts.each_ref().map(String::as_str));
}

#[test]
fn without_a_fault_a_saga_takes_one_lamp_and_one_payment() {
    for how in [BACK, FORWARD, IN_MEMORY] {
        bought(how, "", 0, [9, 1, 0, 1]);
    }
}

#[test]
fn what_a_crash_leaves_of_a_saga_depends_on_the_last_line_of_its_log() {
    // Lines: 1 it begins, 2 the lamp is asked for, 3 the payment is asked for, 4 it is over.
    for (when, nth, back, forward) in [
        // Nothing is known of it: nothing happens.
        ("before", 1, [10, 0, 0, 0], [10, 0, 0, 0]),
        // It is known to have asked for nothing: it begins anew, without an answer to its client.
        ("after", 1, [9, 1, 0, 0], [9, 1, 0, 0]),
        ("before", 2, [9, 1, 0, 0], [9, 1, 0, 0]),
        // The lamp may have been asked for and was not: there is nothing to give back.
        ("after", 2, [10, 0, 0, 0], [9, 1, 0, 0]),
        // It was taken: it is given back, or found to be taken.
        ("before", 3, [10, 0, 0, 0], [9, 1, 0, 0]),
        ("after", 3, [10, 0, 0, 0], [9, 1, 0, 0]),
        // Paid, and not known to be over: paid back.
        ("before", 4, [10, 1, 1, 0], [9, 1, 0, 0]),
        ("after", 4, [9, 1, 0, 0], [9, 1, 0, 0]),
    ] {
        let fault = format!(r#"{{ "crash": "shop", "{when}": "log buy", "nth": {nth}, "for": "5ms" }}"#);
        bought(BACK, &fault, 1, back);
        bought(FORWARD, &fault, 1, forward);
        // A saga without a log passes no such point.
        bought(IN_MEMORY, &fault, 0, [9, 1, 0, 1]);
    }
    // There is no fifth line.
    bought(BACK, r#"{ "crash": "shop", "before": "log buy", "nth": 5, "for": "5ms" }"#, 0, [9, 1, 0, 1]);
}

#[test]
fn a_saga_that_turns_back_writes_a_line_before_it_does_and_one_when_it_is_over() {
    // The payment is declined: line 4 says that it turns back, 5 that it is over.
    let declined = r#"{ "refuse": "bank.charge", "reason": "declined" }"#;
    bought(BACK, declined, 0, [10, 0, 0, 0]);
    for (when, nth) in [("before", 4), ("after", 4), ("before", 5), ("after", 5)] {
        let fault =
            format!(r#"{declined}, {{ "crash": "shop", "{when}": "log buy", "nth": {nth}, "for": "5ms" }}"#);
        bought(BACK, &fault, 1, [10, 0, 0, 0]);
    }
    // Forward it asks for the payment again, which is declined again: then it turns back too.
    let fault = format!(r#"{declined}, {{ "crash": "shop", "before": "log buy", "nth": 4, "for": "5ms" }}"#);
    bought(FORWARD, &fault, 1, [10, 0, 0, 0]);
}

/// Two buyers spend 10 and 20 of 100, each fetching, thinking for 5 ms and sending back: fetched at 1.1 ms, asked for at
/// 7.1, written at 8.3.
fn purse(how: &str, script: &str, fault: &str, facts: &[&str]) {
    let world = format!(
        r#"
    "services": {{ "purse": {{ "tables": {{ "purses": {{ "rows": {{ "1": {{ "left": 100 }} }} }} }}, "operations": {{
        "spend": {{ "by": "caller", "args": ["n"], "think": "5ms", "set": {{ "purses[1].left": "purses[1].left - n" }} }} }} }} }},
    "clients": {{ "buyer": {{ "script": [ {script} ] }} }}"#
    );
    leaves(&world, how, fault, facts);
}

const TEN: &str = r#"{ "at": "0ms", "do": "purse.spend(10)" }"#;
const BOTH: &str = r#"{ "at": "0ms", "do": "purse.spend(10)" }, { "at": "10ms", "do": "purse.spend(20)" }"#;
const ONCE: &str = r#"{ "retry": { "timeout": "50ms", "attempts": 1 } }"#;
const TWICE: &str = r#"{ "retry": { "timeout": "10ms", "attempts": 2 } }"#;
const VERSIONED: &str = r#"{ "write": "occ", "retry": { "timeout": "50ms", "attempts": 1 } }"#;

#[test]
fn without_a_fault_both_sums_are_spent() {
    for how in [ONCE, TWICE, VERSIONED] {
        purse(how, BOTH, "", &["purse.purses[1].left == 70", "count.ok == 2", "count.conflicts == 0"]);
    }
}

#[test]
fn a_fetch_that_is_lost_either_way_costs_an_attempt_and_nothing_else() {
    for lost in ["request purse.spend.fetch", "reply purse.spend.fetch"] {
        let fault = format!(r#"{{ "lose": "{lost}", "nth": 1 }}"#);
        purse(ONCE, TEN, &fault, &["purse.purses[1].left == 100", "count.unknown == 1", "count.lost == 1"]);
        purse(TWICE, TEN, &fault, &["purse.purses[1].left == 90", "count.ok == 1", "count.lost == 1"]);
        let fault = format!(r#"{{ "duplicate": "{lost}" }}"#);
        purse(ONCE, TEN, &fault, &["purse.purses[1].left == 90", "count.ok == 1", "count.duplicated == 1"]);
    }
}

#[test]
fn a_service_that_crashes_around_a_fetch_loses_only_what_it_has_not_answered() {
    let spent = &["purse.purses[1].left == 90", "count.ok == 1", "count.crashes == 1"];
    let unspent = &["purse.purses[1].left == 100", "count.unknown == 1", "count.crashes == 1"];
    // Down from 0 to 5 ms: the fetch of 1 ms finds nobody, whether it struck before or after the fetch was sent.
    for at in [r#""before": "request purse.spend.fetch""#, r#""after": "request purse.spend.fetch""#] {
        purse(ONCE, TEN, &crash("purse", at), unspent);
        purse(TWICE, TEN, &crash("purse", at), spent);
    }
    // Down from 1.1 to 6.1 ms, with the answer unsent, or sent: the request comes at 8.1 ms.
    let before = crash("purse", r#""before": "reply purse.spend.fetch""#);
    purse(ONCE, TEN, &before, unspent);
    purse(TWICE, TEN, &before, spent);
    let after = crash("purse", r#""after": "reply purse.spend.fetch""#);
    purse(ONCE, TEN, &after, spent);
    // A fetch commits nothing: that point is passed at 8.3 ms only.
    let committed = &["purse.purses[1].left == 90", "count.unknown == 1", "count.crashes == 1"];
    purse(ONCE, TEN, &crash("purse", r#""after": "commit purse.spend""#), committed);
}

#[test]
fn a_fetch_answered_late_is_a_sum_computed_from_the_past() {
    // The first fetches 100 and hears of it at 22.1 ms; by then the second has left 80.
    let late = r#"{ "delay": "reply purse.spend.fetch", "when": "n == 10", "for": "20ms" }"#;
    purse(ONCE, BOTH, late, &["purse.purses[1].left == 90", "count.ok == 2", "count.delayed == 1"]);
    // Under a version the first is told, and fetches again; its answer is late again, and then right.
    purse(VERSIONED, BOTH, late, &["purse.purses[1].left == 70", "count.ok == 2", "count.conflicts == 1"]);
}

/// A purse of 5 is asked for 10 at 0 ms and found too poor at 1.1 ms; at 10 ms it gets 100. The request, which notes the
/// refusal, is lost, and 20 ms later its caller redoes it: whoever fetches anew decides anew.
#[test]
fn a_refusal_that_is_lost_is_thought_over_by_a_caller_who_fetches_anew() {
    let world = r#"
    "services": { "purse": { "tables": { "purses": { "rows": { "1": { "left": 5, "asked": 0 } } } }, "operations": {
        "spend": { "by": "caller", "args": ["n"], "think": "5ms", "require": "purses[1].left >= n",
            "set": { "purses[1].left": "purses[1].left - n" },
            "otherwise": { "set": { "purses[1].asked": "purses[1].asked + 1" } } },
        "fill": { "args": ["n"], "set": { "purses[1].left": "purses[1].left + n" } } } } },
    "clients": { "buyer": { "script": [
        { "at": "0ms", "do": "purse.spend(10)" }, { "at": "10ms", "do": "purse.fill(100)" } ] } }"#;
    let after = |on_timeout: &str, fault: &str, facts: &[&str]| {
        let how =
            format!(r#"{{ "retry": {{ "timeout": "20ms", "attempts": 2, "on_timeout": "{on_timeout}" }} }}"#);
        leaves(world, &how, fault, facts);
    };
    let refused = ["purse.purses[1].left == 105", "purse.purses[1].asked == 1", "count.refused == 1"];
    let spent = ["purse.purses[1].left == 95", "purse.purses[1].asked == 0", "count.ok == 2"];
    let lost = r#"{ "lose": "request purse.spend", "nth": 1 }"#;
    after("redo", "", &refused);
    after("resend", lost, &refused);
    after("redo", lost, &spent);
}
