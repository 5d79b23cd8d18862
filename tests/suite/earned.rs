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
