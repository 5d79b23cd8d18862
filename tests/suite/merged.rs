//! Merged flows: one transaction over the steps of a flow, in which each step stays what its policies make of it.

use crate::points::leaves;
use crate::shipped::{meets, reasons};

/// Two doctors on call want to leave at once; one must stay. Each reads the row of the other and writes its own.
#[test]
fn a_merged_flow_compares_what_it_read_where_it_is_to() {
    let text = r#"{
        "services": { "hr": {}, "ward": {
            "tables": { "docs": { "rows": { "a": { "on": 1 }, "b": { "on": 1 } } } },
            "operations": { "leave": { "args": ["me"], "require": { "last": "docs['a'].on + docs['b'].on >= 2" },
                                       "set": { "docs[me].on": "0" } } } } },
        "flows": { "off": { "by": "hr", "args": ["me"], "steps": [ { "do": "ward.leave(me)" } ] } },
        "clients": { "a": { "does": "off('a')" }, "b": { "does": "off('b')" } },
        "strategies": {
            "row":   { "coordination": "merged", "write": "occ" },
            "reads": { "coordination": "merged", "write": { "use": "occ", "scope": "reads" } },
            "told":  { "coordination": "merged", "write": { "use": "occ", "scope": "reads", "on_conflict": "reject" } },
            "lock":  { "coordination": "merged", "write": "lock" } },
        "invariants": { "somebody on call": { "always": "ward.docs.exists(d, d.on == 1)" } },
        "expect": { "row": "violated", "reads": "holds", "told": "holds", "lock": "holds",
                    "*": { "facts": ["count.intents == 2"] } },
        "allow": ["HW0505"]
    }"#;
    meets(text, 50);
}

/// The one step compares what it read, the other does not: what the other loses is lost all the same.
#[test]
fn what_one_step_compares_does_not_ward_off_what_another_loses() {
    let text = |calm: &str, busy: &str| {
        format!(
            r#"{{
        "services": {{
            "home": {{}},
            "calm": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 1 }} }} }}, "log": {{}} }},
                "operations": {{ "look": {{ "args": ["o"], "insert": {{ "log[o]": {{ "n": "t['x'].n" }} }} }} }} }},
            "busy": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 0 }} }} }} }},
                "operations": {{ "add": {{ "set": {{ "t['x'].n": "t['x'].n + 1" }} }} }} }} }},
        "flows": {{ "f": {{ "by": "home", "args": ["o"], "steps": [ {{ "do": "busy.add()" }}, {{ "do": "calm.look(o)" }} ] }} }},
        "clients": {{ "c": {{ "count": 2, "does": "f(o)", "with": {{ "o": "unique('o')" }} }} }},
        "strategies": {{ "one": {{ "coordination": "merged",
            "where": {{ "calm": {{ "write": {calm} }}, "busy": {{ "write": {busy} }} }} }} }},
        "invariants": {{ "no-lost-update": {{ "no-lost-update": "busy.t" }} }},
        "expect": {{ "one": "{}" }} }}"#,
            if busy.contains("reads") { "holds" } else { "violated" }
        )
    };
    let (plain, reads) = (r#""absolute""#, r#"{ "use": "occ", "scope": "reads" }"#);
    meets(&text(reads, plain), 20);
    meets(&text(plain, reads), 20);
}

/// Two add to one counter and log it. The counter tells of a conflict, the log would read anew: what the counter says counts,
/// whichever step comes last.
#[test]
fn each_step_has_its_own_answer_to_a_conflict() {
    for steps in
        [r#"{ "do": "a.inc()" }, { "do": "b.log(o)" }"#, r#"{ "do": "b.log(o)" }, { "do": "a.inc()" }"#]
    {
        for (counter, log, failed) in [
            (r#""on_conflict": "reject""#, r#""on_conflict": "redo""#, 1),
            (r#""on_conflict": "redo""#, r#""on_conflict": "reject""#, 0),
            (r#""on_conflict": "redo", "tries": 1"#, r#""on_conflict": "redo", "tries": "ever""#, 0),
        ] {
            let text = format!(
                r#"{{
        "services": {{ "home": {{}},
            "a": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 0 }} }} }} }},
                    "operations": {{ "inc": {{ "set": {{ "t['x'].n": "t['x'].n + 1" }} }} }} }},
            "b": {{ "tables": {{ "l": {{}} }},
                    "operations": {{ "log": {{ "args": ["o"], "put": {{ "l[o]": {{ "v": "1" }} }} }} }} }} }},
        "flows": {{ "f": {{ "by": "home", "args": ["o"], "steps": [ {steps} ] }} }},
        "clients": {{ "c": {{ "count": 2, "does": "f(o)", "with": {{ "o": "unique('o')" }} }} }},
        "strategies": {{ "one": {{ "coordination": "merged", "where": {{
            "a": {{ "write": {{ "use": "occ", {counter} }} }}, "b": {{ "write": {{ "use": "occ", {log} }} }} }} }} }},
        "invariants": {{ "no-lost-update": {{}} }},
        "expect": {{ "one": {{ "*": "holds", "facts": [
            "count.failed == {failed}", "a.t['x'].n == 2 - count.failed", "b.l.size() == 2 - count.failed" ] }} }} }}"#
            );
            meets(&text, 10);
        }
    }
}

/// The first holds the row for 50 ms. Whoever waits 10 ms for it is told, whoever waits for ever is not; the other step,
/// which says the opposite, has no say in it.
#[test]
fn each_step_waits_for_its_own_time() {
    let world = r#"
        "services": { "home": {},
            "a": { "tables": { "t": { "rows": { "x": { "n": 0 } } } },
                   "operations": { "inc": { "think": "50ms", "set": { "t['x'].n": "t['x'].n + 1" } } } },
            "b": { "tables": { "l": {} },
                   "operations": { "log": { "args": ["o"], "put": { "l[o]": { "v": "1" } } } } } },
        "flows": { "f": { "by": "home", "args": ["o"], "steps": [ { "do": "a.inc()" }, { "do": "b.log(o)" } ] } },
        "clients": { "c": { "count": 2, "does": "f(o)", "with": { "o": "unique('o')" } } }"#;
    for (busy, calm, failed) in [("10ms", "ever", 1), ("ever", "10ms", 0)] {
        let how = format!(
            r#"{{ "coordination": "merged", "where": {{
                "a": {{ "write": {{ "use": "lock", "wait": "{busy}" }} }},
                "b": {{ "write": {{ "use": "lock", "wait": "{calm}" }} }} }} }}"#
        );
        let facts = [format!("count.failed == {failed}"), format!("a.t['x'].n == {}", 2 - failed)];
        leaves(world, &how, "", &facts.each_ref().map(String::as_str));
    }
}

/// A flow that takes a seat where there is none, between two steps that go well.
fn sold_out(optional: bool, otherwise: &str) -> String {
    format!(
        r#""services": {{
            "home": {{ "tables": {{ "log": {{}} }},
                "operations": {{ "log": {{ "args": ["n"], "insert": {{ "log[n]": {{}} }} }} }} }},
            "box": {{ "tables": {{ "seats": {{ "rows": {{ "s": {{ "free": 0 }} }} }}, "waiting": {{}} }},
                "operations": {{ "sell": {{ "args": ["who"], "insert": {{ "waiting[]": {{ "who": "'nobody'" }} }},
                    "then": [ {{ "require": {{ "sold": "seats['s'].free >= 1" }},
                                 "set": {{ "seats['s'].free": "seats['s'].free - 1" }} }} ],
                    "otherwise": {otherwise} }} }} }},
            "mail": {{ "tables": {{ "sent": {{}} }}, "operations": {{
                "tell": {{ "on": "sorry", "args": ["who"], "insert": {{ "sent[]": {{ "who": "who" }} }} }} }} }} }},
        "flows": {{ "buy": {{ "by": "home", "args": ["who"], "steps": [
            {{ "do": "home.log(1)" }}, {{ "do": "box.sell(who)", "optional": {optional} }}, {{ "do": "home.log(2)" }} ] }} }},
        "clients": {{ "p": {{ "does": "buy('ana')" }} }}"#
    )
}

const HOWS: [&str; 6] = [
    r#"{ "coordination": "merged" }"#,
    r#"{ "coordination": "merged", "publish": "outbox" }"#,
    r#"{ "coordination": "merged", "publish": "before-commit" }"#,
    r#"{ "coordination": "merged", "idempotency": "key" }"#,
    r#"{ "coordination": "merged", "idempotency": { "use": "key", "store": "after" }, "write": "lock" }"#,
    r#"{ "coordination": "merged", "write": { "use": "occ", "scope": "reads" } }"#,
];

/// The list is written and the mail sent, once; what the step itself wrote before is not there. The other steps stay if the
/// step may be refused, and go if not.
#[test]
fn a_merged_step_that_refuses_does_what_it_is_to_do_then() {
    let otherwise =
        r#"{ "insert": { "waiting[]": { "who": "who" } }, "publish": { "sorry": { "who": "who" } } }"#;
    for how in HOWS {
        for (optional, logged, failed) in [(true, 2, 0), (false, 0, 1)] {
            leaves(
                &sold_out(optional, otherwise),
                how,
                "",
                &[
                    &format!("count.failed == {failed}"),
                    &format!("home.log.size() == {logged}"),
                    "box.waiting.size() == 1 && box.waiting.all(w, w.who == 'ana')",
                    "mail.sent.size() == 1 && mail.sent.all(m, m.who == 'ana')",
                ],
            );
        }
    }
}

/// As under calls, where each step is a transaction of its own.
#[test]
fn a_merged_step_that_only_tells_when_it_refuses_tells() {
    let otherwise = r#"{ "publish": { "sorry": { "who": "who" } } }"#;
    for how in HOWS.into_iter().chain(["{}"]) {
        let facts = ["box.waiting.size() == 0", "mail.sent.size() == 1", "home.log.size() == 2"];
        leaves(&sold_out(true, otherwise), how, "", &facts);
    }
    for how in HOWS {
        let facts = ["box.waiting.size() == 0", "mail.sent.size() == 1", "home.log.size() == 0"];
        leaves(&sold_out(false, otherwise), how, "", &facts);
    }
}

/// What is to be done then sets a row that is not there: nothing of it is done or told, and the flow goes on, or is refused.
#[test]
fn what_a_merged_step_does_when_it_refuses_may_refuse_in_its_turn() {
    let otherwise = r#"{ "insert": { "waiting[]": { "who": "who" } }, "set": { "seats['t'].free": "1" },
                         "publish": { "sorry": { "who": "who" } } }"#;
    for how in HOWS {
        for (optional, logged, failed) in [(true, 2, 0), (false, 0, 1)] {
            let facts = [
                &format!("count.failed == {failed}"),
                &format!("home.log.size() == {logged}"),
                "box.waiting.size() == 0 && box.seats.size() == 1",
                "mail.sent.size() == 0",
            ];
            leaves(&sold_out(optional, otherwise), how, "", &facts);
        }
    }
}

/// A step whose arguments have no value is not asked, so it does nothing for its refusal.
#[test]
fn a_merged_step_that_is_not_asked_does_nothing_when_it_refuses() {
    for optional in [true, false] {
        let world = sold_out(optional, r#"{ "insert": { "waiting[]": { "who": "who" } } }"#);
        let world =
            world.replace("box.sell(who)", "box.sell(who == 'ana' ? 1 / 0 : 1)").replace("'nobody'", "1");
        for how in [HOWS[0], HOWS[3]] {
            let logged = if optional { "home.log.size() == 2" } else { "home.log.size() == 0" };
            leaves(&world, how, "", &[logged, "box.waiting.size() == 0"]);
        }
    }
}

/// Of forty steps one skips and one that comes later tells: it is heard, and the one that skips is not.
#[test]
fn a_step_that_skips_silences_itself_alone() {
    for (skips, tells) in [(33, 36), (36, 33), (31, 39), (5, 36), (36, 36)] {
        let step = |n: u32| format!(r#"{{ "do": "a.put({n}, {}, {})" }}"#, n == skips, n == tells);
        let steps: Vec<String> = (0..40).map(step).collect();
        let world = format!(
            r#""services": {{
            "a": {{ "tables": {{ "t": {{}} }}, "operations": {{ "put": {{ "args": ["i", "no", "loud"], "skip": "no",
                "put": {{ "t[i]": {{}} }}, "publish": {{ "told": {{ "i": "loud ? i : -1" }} }} }} }} }},
            "b": {{ "tables": {{ "heard": {{}} }}, "operations": {{ "hear": {{
                "on": "told", "args": ["i"], "skip": "i < 0", "insert": {{ "heard[]": {{ "i": "i" }} }} }} }} }} }},
        "flows": {{ "f": {{ "by": "a", "steps": [ {} ] }} }},
        "clients": {{ "c": {{ "does": "f()" }} }}"#,
            steps.join(", ")
        );
        let heard = u32::from(skips != tells);
        for how in [r#"{ "coordination": "merged" }"#, r#"{ "coordination": "merged", "publish": "outbox" }"#]
        {
            let facts = [
                "a.t.size() == 39".to_string(),
                format!("b.heard.size() == {heard} && b.heard.all(h, h.i == {tells})"),
                format!("count.messages >= {}", 39 + 2),
            ];
            leaves(&world, how, "", &facts.each_ref().map(String::as_str));
        }
    }
}

#[test]
fn a_store_without_transactions_has_none_to_merge_into() {
    let text = |how: &str| {
        format!(
            r#"{{ "services": {{
            "a": {{ "tables": {{ "t": {{}} }}, "operations": {{ "put": {{ "put": {{ "t[1]": {{}} }} }} }} }},
            "b": {{ "tables": {{ "t": {{}} }}, "operations": {{ "put": {{ "put": {{ "t[1]": {{}} }} }} }} }} }},
        "flows": {{ "f": {{ "by": "a", "steps": [ {{ "do": "a.put()" }}, {{ "do": "b.put()" }} ] }} }},
        "clients": {{ "c": {{ "does": "f()" }} }},
        "strategies": {{ "one": {how} }}, "invariants": {{ "every-intent-ends": {{}} }} }}"#
        )
    };
    let why = "flow `f` cannot be merged into one transaction: the store of `b.put` has none";
    let mixed = r#"{ "coordination": "merged", "where": { "b": { "store": "none" } } }"#;
    assert_eq!(reasons(&text(mixed)), [why]);
    assert_eq!(reasons(&text(r#"{ "coordination": "merged" }"#)), [""; 0]);
    assert_eq!(reasons(&text(r#"{ "store": "none" }"#)), [""; 0]);
}

/// A row of 20 fields, written 60 times a step: more than the words of a task can number.
#[test]
fn a_merged_flow_that_is_too_large_is_told_so() {
    let fields: Vec<String> = (0..20).map(|n| format!(r#""f{n}": 0"#)).collect();
    let writes: Vec<String> = (0..60).map(|n| format!(r#""t[{n}]": {{ "f0": "1" }}"#)).collect();
    let text = |steps: usize| {
        let steps = vec![r#"{ "do": "a.put()" }"#; steps].join(", ");
        format!(
            r#"{{ "services": {{ "a": {{ "tables": {{ "t": {{ "fields": {{ {} }} }} }},
            "operations": {{ "put": {{ "put": {{ {} }} }} }} }} }},
        "flows": {{ "f": {{ "by": "a", "steps": [ {steps} ] }} }},
        "clients": {{ "c": {{ "does": "f()" }} }},
        "strategies": {{ "one": {{ "coordination": "merged" }} }}, "invariants": {{ "every-intent-ends": {{}} }} }}"#,
            fields.join(", "),
            writes.join(", ")
        )
    };
    assert_eq!(reasons(&text(30)), [""; 0]);
    assert_eq!(reasons(&text(60)), ["flow `f` reads and writes more than one transaction can hold"]);
}
