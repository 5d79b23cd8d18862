//! What earns `holds`: something that hit somebody, not something that merely took place; and cures are seen to cure.

use crate::shipped::meets;

fn charges(fault: &str, expected: &str) {
    let text = format!(
        r#"{{
        "services": {{ "w": {{ "replicas": 2, "tables": {{ "charges": {{}} }}, "operations": {{
            "charge": {{ "args": ["o"], "insert": {{ "charges[]": {{ "o": "o" }} }} }} }} }} }},
        "clients": {{ "c": {{ "does": "w.charge(o)", "with": {{ "o": "unique('o')" }} }} }},
        "weather": {{ "faults": [ {fault} ] }},
        "strategies": {{ "*": {{ "retry": {{ "timeout": "30ms", "attempts": 20 }} }}, "none": {{}}, "key": {{ "idempotency": "key" }} }},
        "invariants": {{ "once": {{ "at_rest": "w.charges.size() == 1" }}, "no-duplicate-effect": {{}}, "outcome-agrees": {{}},
                         "every-intent-ends": {{}} }},
        "expect": {expected} }}"#
    );
    meets(&text, 40);
}

/// The first replica has nothing to do with the one charge: its crash could have broken nothing. That of the one at work can,
/// and does unless the repetition is recognised.
#[test]
fn a_crash_of_a_node_without_work_earns_nothing() {
    let all = |verdict: &str| {
        format!(
            r#"{{ "once": "{verdict}", "no-duplicate-effect": "{verdict}", "outcome-agrees": "{verdict}", "every-intent-ends": "{verdict}" }}"#
        )
    };
    let idle = r#"{ "crash": "w#1", "after": "commit w.charge", "for": "20ms" }"#;
    charges(idle, &format!(r#"{{ "none": {0}, "key": {0} }}"#, all("inconclusive")));
    let broken = r#"{ "once": "violated", "no-duplicate-effect": "violated", "outcome-agrees": "holds", "every-intent-ends": "holds" }"#;
    let busy = r#"{ "crash": "w", "after": "commit w.charge", "nth": 1, "for": "20ms" }"#;
    charges(busy, &format!(r#"{{ "none": {broken}, "key": {} }}"#, all("holds")));
    // Before the commit nothing is there yet: it is done once in either case, and that is earned.
    let before = r#"{ "crash": "w", "before": "commit w.charge", "nth": 1, "for": "20ms" }"#;
    charges(before, &format!(r#"{{ "none": {0}, "key": {0} }}"#, all("holds")));
    // A database in which no transaction is open has nothing to lose.
    let database = r#"{ "crash": "w.db", "at": "20ms", "for": "20ms" }"#;
    charges(database, &format!(r#"{{ "none": {0}, "key": {0} }}"#, all("inconclusive")));
}

#[test]
fn a_pause_that_holds_nothing_up_earns_nothing() {
    for (who, verdict) in [("w#1", "inconclusive"), ("w#2", "holds")] {
        let fault = format!(r#"{{ "pause": "{who}", "after": "commit w.charge", "nth": 1, "for": "20ms" }}"#);
        let one = format!(r#"{{ "every-intent-ends": "{verdict}", "once": "inconclusive" }}"#);
        charges(&fault, &format!(r#"{{ "none": {one}, "key": {one} }}"#));
    }
}

/// A sale is told to the statistics. `fault` strikes; there may be one row a sale.
fn sales(fault: &str, expected: &str) {
    let text = format!(
        r#"{{
        "services": {{
            "shop": {{ "tables": {{ "sales": {{}} }}, "operations": {{ "sell": {{
                "args": ["s"], "insert": {{ "sales[s]": {{}} }}, "publish": {{ "sold": {{ "s": "s" }} }} }} }} }},
            "stats": {{ "tables": {{ "seen": {{}} }}, "operations": {{ "note": {{
                "on": "sold", "args": ["s"], "insert": {{ "seen[]": {{ "s": "s" }} }} }} }} }} }},
        "clients": {{ "c": {{ "does": "shop.sell(s)", "with": {{ "s": "unique('s')" }} }} }},
        "weather": {{ "faults": [ {fault} ] }},
        "strategies": {{
            "at-once": {{}},
            "outbox":  {{ "publish": "outbox" }},
            "message": {{ "publish": "outbox", "idempotency": {{ "use": "key", "key": "message" }} }} }},
        "invariants": {{ "once": {{ "at-most-one": "stats.seen", "per": "s" }}, "no-duplicate-effect": {{}} }},
        "expect": {expected} }}"#
    );
    meets(&text, 40);
}

/// The acknowledgement is lost, so the relay tells again; or it is only slow, and the relay, which looks every 10 ms, tells
/// again before it comes. Both are repetitions, and who recognises them has earned it.
#[test]
fn what_a_relay_tells_again_is_a_repetition() {
    for fault in
        [r#"{ "lose": "ack sold", "nth": 1 }"#, r#"{ "delay": "ack sold", "nth": 1, "for": "30ms" }"#]
    {
        sales(fault, r#"{ "at-once": "inconclusive", "outbox": "violated", "message": "holds" }"#);
    }
    // It is told once, a little later: nothing could have come twice.
    sales(
        r#"{ "delay": "event sold", "nth": 1, "for": "3ms" }"#,
        r#"{ "at-once": "inconclusive", "outbox": "inconclusive", "message": "inconclusive" }"#,
    );
}

/// At 5 ms the sale is committed and told, or waits in the outbox: then the crash hits the relay.
#[test]
fn a_crash_of_a_relay_with_something_to_tell_is_one_at_work() {
    sales(
        r#"{ "crash": "shop", "at": "5ms", "for": "20ms" }"#,
        r#"{ "at-once": "inconclusive", "outbox": "holds", "message": "holds" }"#,
    );
}

/// An order is placed, paid and closed, and somebody else gives money by the same operation. `fault` strikes.
fn orders(how: &str, fault: &str, expected: &str) {
    let text = format!(
        r#"{{
        "services": {{
            "shop": {{ "tables": {{ "orders": {{}}, "closed": {{}} }}, "operations": {{
                "place": {{ "args": ["o"], "insert": {{ "orders[o]": {{ "open": "1" }} }} }},
                "drop":  {{ "args": ["o"], "skip": "!(o in orders)", "delete": "orders[o]" }},
                "close": {{ "args": ["o"], "set": {{ "orders[o].open": "0" }}, "insert": {{ "closed[]": {{ "o": "o" }} }} }} }} }},
            "pay": {{ "tables": {{ "charges": {{}} }}, "operations": {{
                "charge": {{ "args": ["o"], "insert": {{ "charges[]": {{ "o": "o" }} }} }},
                "refund": {{ "args": ["o"], "delete": "charges.filter(c, c.o == o)" }} }} }},
            "kind": {{ "tables": {{ "gifts": {{}} }}, "operations": {{
                "note": {{ "args": ["o"], "insert": {{ "gifts[o]": {{}} }} }} }} }} }},
        "flows": {{
            "buy": {{ "by": "shop", "args": ["o"], "steps": [
                {{ "do": "shop.place(o)", "undo": "shop.drop(o)" }}, {{ "do": "pay.charge(o)", "undo": "pay.refund(o)" }},
                {{ "do": "shop.close(o)", "class": "retriable" }} ] }},
            "give": {{ "by": "kind", "args": ["o"], "steps": [
                {{ "do": "pay.charge(o)", "undo": "pay.refund(o)" }}, {{ "do": "kind.note(o)", "class": "retriable" }} ] }} }},
        "clients": {{ "giver": {{ "does": "give('gift')" }}, "buyer": {{ "does": "buy('order')", "start": "40ms" }} }},
        "weather": {{ "faults": [ {fault} ] }},
        "strategies": {{ "*": {{ "idempotency": "key" }}, "one": {how} }},
        "invariants": {{
            "none open": {{ "at_rest": "shop.orders.all(o, o.open == 0)" }},
            "closed once": {{ "no-duplicate-effect": "shop.closed" }} }},
        "expect": {{ "one": {expected} }} }}"#
    );
    meets(&text, 20);
}

/// The order stays open if the charge is not asked for, which writes no order: who sees to it that it is has earned something.
/// The giver comes first, so what hits the first charge has nothing to do with orders.
#[test]
fn what_stops_a_step_of_a_flow_is_earned_by_those_who_look_at_the_others() {
    // Only the charge is asked for again: the client does not repeat the whole.
    let once = r#"{ "retry": { "attempts": 1 } }"#;
    let again = r#""where": { "pay.charge": { "retry": { "timeout": "20ms", "attempts": "ever" } } }"#;
    let saga = format!(r#"{{ "coordination": "saga", {again} }}"#);
    let letters = format!(r#"{{ "coordination": "choreography", "publish": "outbox", {again} }}"#);
    for fault in [r#""lose": "request pay.charge""#, r#""fail": "pay.charge""#] {
        let during = |time: &str| format!(r#"{{ {fault}, "during": "{time}" }}"#);
        let (giver, buyer) = (during("0ms..39ms"), during("40ms..70ms"));
        orders(once, &giver, r#"{ "none open": "inconclusive" }"#);
        orders(once, &buyer, r#"{ "none open": "violated" }"#);
        for how in [&saga, &letters] {
            orders(how, &giver, r#"{ "none open": "inconclusive" }"#);
            orders(how, &buyer, r#"{ "none open": "holds" }"#);
        }
    }
    // What is lost of the giver is lost, and an answer is as good as a request.
    for message in ["request", "reply"] {
        let lost = |time: &str| format!(r#"{{ "lose": "{message} pay.charge", "during": "{time}" }}"#);
        let facts = r#""facts": ["count.lost > 0"]"#;
        orders(&saga, &lost("0ms..39ms"), &format!(r#"{{ "none open": "inconclusive", {facts} }}"#));
        orders(&saga, &lost("40ms..70ms"), &format!(r#"{{ "none open": "holds", {facts} }}"#));
    }
}

/// A letter that comes to the charge twice comes to the closing twice, unless the charge knows it again: then nothing there
/// tells of it.
#[test]
fn a_letter_that_arrives_twice_concerns_all_steps_behind() {
    let fault = |during: &str| format!(r#"{{ "duplicate": "request pay.charge", "during": "{during}" }}"#);
    let (giver, buyer) = (fault("0ms..39ms"), fault("40ms..80ms"));
    let letters = r#"{ "coordination": "choreography" }"#;
    let plain = r#"{ "coordination": "choreography", "idempotency": "none" }"#;
    orders(plain, &giver, r#"{ "closed once": "inconclusive" }"#);
    orders(letters, &giver, r#"{ "closed once": "inconclusive" }"#);
    orders(plain, &buyer, r#"{ "closed once": "violated" }"#);
    orders(letters, &buyer, r#"{ "closed once": "holds" }"#);
    // Called step by step, only the charge is asked for twice.
    orders("{}", &buyer, r#"{ "closed once": "inconclusive", "none open": "violated" }"#);
}

/// Two leave the ward if there are others on call, whoever they are. No row is read by its key, so they meet at none; under
/// locks one waits for the other to be through with the table.
#[test]
fn who_is_kept_waiting_at_a_whole_table_has_met_somebody() {
    let text = |b: &str, lock: &str| {
        format!(
            r#"{{
        "services": {{ "ward": {{ "tables": {{ "docs": {{ "rows": {{ "a": {{ "on": 1 }}, "b": {{ "on": 1 }} }} }} }},
            "operations": {{ "leave": {{ "args": ["me"],
                "require": {{ "last": "docs.filter(d, d.on == 1).size() >= 2" }}, "set": {{ "docs[me].on": "0" }} }} }} }} }},
        "clients": {{ "a": {{ "does": "ward.leave('a')" }}, "b": {{ "does": "ward.leave('b')", "start": "{b}" }} }},
        "strategies": {{ "naive": {{}}, "lock": {{ "write": "lock" }} }},
        "invariants": {{ "somebody on call": {{ "always": "ward.docs.exists(d, d.on == 1)" }} }},
        "expect": {{ "naive": "{}", "lock": "{lock}" }} }}"#,
            if lock == "holds" { "violated" } else { "inconclusive" }
        )
    };
    meets(&text("0ms", "holds"), 20);
    // One after the other: nobody waits, and nothing is earned.
    meets(&text("20ms", "inconclusive"), 20);
}
