//! What the policies of `write` lock and keep apart, down to what is only told.

use crate::points::leaves;
use crate::shipped::{meets, reasons};

/// At 1 ms somebody takes the row and thinks until 20 ms; at 5 ms another one looks at it, for nothing but what it tells.
/// Under locks it tells what it is then, otherwise what it was before. Each way of telling: the reply, an event, the reply of
/// an operation that skips, and a whole table.
#[test]
fn what_is_only_told_is_locked_too() {
    for tell in [
        r#""reply": "t['x'].n""#,
        r#""reply": "t.map(r, r.n).sum()""#,
        r#""let": { "k": "'x'" }, "reply": "t[k].n""#,
        r#""skip": "true", "insert": { "l[1]": {} }, "reply": "t['x'].n""#,
        r#""insert": { "l[1]": {} }, "then": [ { "insert": { "l[2]": {} } } ], "reply": "t['x'].n""#,
        r#""publish": { "seen": { "n": "t['x'].n" } }, "reply": "0""#,
        r#""then": [ { "insert": { "l[2]": {} }, "publish": { "seen": { "n": "t['x'].n" } } } ], "reply": "0""#,
    ] {
        let world = format!(
            r#""services": {{
            "a": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 1 }} }} }}, "l": {{}} }}, "operations": {{
                "add": {{ "let": {{ "all": "t.size()" }}, "think": "19ms", "set": {{ "t['x'].n": "t['x'].n + 1" }} }},
                "tell": {{ {tell} }} }} }},
            "b": {{ "tables": {{ "s": {{}} }}, "operations": {{
                "note": {{ "args": ["n"], "skip": "n == 0", "insert": {{ "s[]": {{ "n": "n" }} }} }},
                "hear": {{ "on": "seen", "args": ["n"], "insert": {{ "s[]": {{ "n": "n" }} }} }} }} }} }},
        "flows": {{ "ask": {{ "by": "b", "steps": [ {{ "do": "a.tell()", "as": "n" }}, {{ "do": "b.note(n)" }} ] }} }},
        "clients": {{ "one": {{ "script": [ {{ "at": "0ms", "do": "a.add()" }} ] }},
                      "two": {{ "script": [ {{ "at": "4ms", "do": "ask()" }} ] }} }}"#
        );
        for (how, n) in [(r#"{ "write": "lock" }"#, 2), (r#"{ "write": "occ" }"#, 1), ("{}", 1)] {
            let told = format!("b.s.size() == 1 && b.s.all(s, s.n == {n})");
            leaves(&world, how, "", &[&told, "count.ok == 2", "a.t['x'].n == 2"]);
        }
    }
}

/// A transfer is one transaction over two services, and so is an audit, which reads both by nothing but replies. Under locks
/// it never sees the money halfway, nor where what was read is compared; at read-committed it does.
#[test]
fn what_a_merged_step_replies_is_locked_or_compared_and_stays_until_the_commit() {
    let text = r#"{
        "services": {
            "a": { "tables": { "acc": { "rows": { "x": { "n": 100 } } } }, "operations": {
                "add": { "args": ["d"], "set": { "acc['x'].n": "acc['x'].n + d" } }, "get": { "reply": "acc['x'].n" } } },
            "b": { "tables": { "acc": { "rows": { "x": { "n": 100 } } } }, "operations": {
                "add": { "args": ["d"], "set": { "acc['x'].n": "acc['x'].n + d" } },
                "get": { "skip": "false", "reply": "acc['x'].n" } } },
            "audit": { "tables": { "sums": {} }, "operations": { "note": { "args": ["s"], "insert": { "sums[]": { "s": "s" } } } } } },
        "flows": {
            "transfer": { "by": "audit", "steps": [ { "do": "a.add(-10)" }, { "do": "b.add(10)" } ] },
            "check":    { "by": "audit", "steps": [
                { "do": "a.get()", "as": "x" }, { "do": "b.get()", "as": "y" }, { "do": "audit.note(x + y)" } ] } },
        "clients": { "t": { "count": 2, "does": "transfer()", "start": "0ms..2ms" }, "r": { "does": "check()", "start": "0ms..2ms" } },
        "strategies": {
            "plain":  { "coordination": "merged" },
            "locked": { "coordination": "merged", "write": "lock", "retry": { "attempts": "ever" } },
            "compared": { "coordination": "merged", "write": { "use": "occ", "scope": "reads" }, "retry": { "attempts": "ever" } },
            "row":      { "coordination": "merged", "write": "occ" } },
        "invariants": { "sum seen": { "always": "audit.sums.all(s, s.s == 200)" } },
        "expect": { "plain": { "sum seen": "violated" }, "locked": { "sum seen": "holds" },
                    "compared": { "sum seen": "holds" }, "row": { "sum seen": "violated" } }
    }"#;
    meets(text, 300);
}

/// What an operation leaves of a table with the row `old` of the value 7, in all ways that transactions have: whether it is
/// refused because a value is taken, and the values that are there then.
#[test]
fn a_value_is_unique_within_a_transaction_too_and_free_again_when_it_is_freed() {
    let hows = [
        "{}",
        r#"{ "write": "occ" }"#,
        r#"{ "write": "lock" }"#,
        r#"{ "write": "guarded" }"#,
        r#"{ "coordination": "merged" }"#,
        r#"{ "store": "none" }"#,
    ];
    for (operation, refused, left) in [
        // Two rows with one value, in one part or two, by an insert or a write to all.
        (r#""insert": { "t['a']": { "n": 1 }, "t['b']": { "n": 1 } }"#, true, "[7]"),
        (
            r#""insert": { "t['a']": { "n": 1 } }, "then": [ { "insert": { "t['b']": { "n": 1 } } } ]"#,
            true,
            "[7]",
        ),
        (
            r#""put": { "t['c']": { "n": 3 } }, "then": [ { "set": { "t.filter(r, true).n": "5" } } ]"#,
            true,
            "[7]",
        ),
        // A row that has had the value has it no more.
        (r#""delete": "t['old']", "then": [ { "insert": { "t['new']": { "n": 7 } } } ]"#, false, "[7]"),
        (r#""set": { "t['old'].n": "8" }, "insert": { "t['new']": { "n": 7 } }"#, false, "[7, 8]"),
        (
            r#""insert": { "t['a']": { "n": 1 } },
               "then": [ { "set": { "t['a'].n": "2" }, "insert": { "t['b']": { "n": 1 } } } ]"#,
            false,
            "[7, 2, 1]",
        ),
        // But it may take it back, or another one may have taken it by then.
        (r#""set": { "t['old'].n": "8" }, "then": [ { "set": { "t['old'].n": "7" } } ]"#, false, "[7]"),
        (
            r#""set": { "t['old'].n": "8" }, "insert": { "t['new']": { "n": 7 } },
               "then": [ { "set": { "t['old'].n": "7" } } ]"#,
            true,
            "[7]",
        ),
        // Nothing is no value.
        (r#""insert": { "t['a']": { "n": "null" }, "t['b']": { "n": "null" } }"#, false, "[7, null, null]"),
    ] {
        let world = format!(
            r#""services": {{ "s": {{ "tables": {{ "t": {{ "unique": ["n"], "rows": {{ "old": {{ "n": 7 }} }} }} }},
                "operations": {{ "op": {{ {operation} }} }} }}, "home": {{}} }},
            "flows": {{ "f": {{ "by": "home", "steps": [ {{ "do": "s.op()" }} ] }} }},
            "clients": {{ "c": {{ "does": "f()" }} }}"#
        );
        for how in hows {
            let values = format!("s.t.size() == {left}.size() && s.t.all(r, r.n in {left})");
            let facts = [values, format!("count.failed == {}", u32::from(refused))];
            // Without transactions what comes first stays.
            let from = usize::from(refused && how.contains("none"));
            leaves(&world, how, "", &facts.each_ref().map(String::as_str)[from..]);
        }
    }
}

/// Two steps of a merged flow are one transaction, also in that.
#[test]
fn a_value_is_unique_among_the_steps_of_a_merged_flow() {
    for (second, optional, rows, failed) in [(5, false, 0, 1), (6, false, 2, 0), (5, true, 1, 0)] {
        let world = format!(
            r#""services": {{ "home": {{}}, "a": {{ "tables": {{ "t": {{ "unique": ["n"] }} }}, "operations": {{
                "put": {{ "args": ["k", "n"], "insert": {{ "t[k]": {{ "n": "n" }} }} }} }} }} }},
            "flows": {{ "twice": {{ "by": "home", "steps": [
                {{ "do": "a.put(1, 5)" }}, {{ "do": "a.put(2, {second})", "optional": {optional} }} ] }} }},
            "clients": {{ "c": {{ "does": "twice()" }} }}"#
        );
        let facts = [format!("a.t.size() == {rows}"), format!("count.failed == {failed}")];
        leaves(&world, r#"{ "coordination": "merged" }"#, "", &facts.each_ref().map(String::as_str));
    }
}

/// Three add to one counter, each in a while. What a statement does by itself keeps them apart without a transaction, too;
/// what would have to last is said not to.
#[test]
fn a_store_without_transactions_holds_nothing_longer_than_a_statement() {
    let text = |how: &str, expected: &str| {
        format!(
            r#"{{
        "services": {{ "s": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 0 }} }} }} }}, "operations": {{
            "inc": {{ "think": "1ms..3ms", "set": {{ "t['x'].n": "t['x'].n + 1" }} }} }} }} }},
        "clients": {{ "c": {{ "count": 3, "does": "s.inc()" }} }},
        "strategies": {{ "one": {{ "store": "none", "write": {how} }} }},
        "invariants": {{ "no-lost-update": {{}}, "sum": {{ "at_rest": "s.t['x'].n == 3" }} }},
        "expect": {{ "one": "{expected}" }} }}"#
        )
    };
    let reads = r#"{ "use": "occ", "scope": "reads" }"#;
    for how in [r#""occ""#, r#""guarded""#, r#""relative""#] {
        meets(&text(how, "holds"), 50);
    }
    meets(&text(r#""absolute""#, "violated"), 50);
    for (how, why) in [
        (r#""lock""#, "`s.inc` has no transaction at its store, and no lock is held without one"),
        (
            reads,
            "`s.inc` has no transaction at its store, and what it has read could change before all is written",
        ),
    ] {
        let text = text(how, "n/a");
        assert_eq!(reasons(&text), [why]);
        meets(&text, 5);
        assert_eq!(reasons(&text.replace(r#""store": "none", "#, "")), [""; 0]);
    }
}

/// One adds to `n` in a while, others write meanwhile. Merging asks whether `n` is as it was read: by its value, so not whether
/// anybody wrote it, and not after what else went into the sum.
#[test]
fn merging_looks_at_the_values_of_the_fields_that_are_set() {
    for (adds, others, facts) in [
        ("10", vec!["s.m(7)"], ["n == 11", "m == 7", "count.ok == 2"]),
        ("10", vec!["s.n(1)"], ["n == 11", "m == 0", "count.ok == 2"]),
        ("10", vec!["s.n(2)", "s.n(1)"], ["n == 11", "m == 0", "count.ok == 3"]),
        ("10", vec!["s.n(2)"], ["n == 2", "m == 0", "count.ok == 1"]),
        ("t['x'].m", vec!["s.m(7)"], ["n == 1", "m == 7", "count.ok == 2"]),
    ] {
        let script =
            (1..).zip(&others).map(|(n, does)| format!(r#"{{ "at": "{}ms", "do": "{does}" }}"#, 4 * n));
        let script = script.collect::<Vec<_>>().join(", ");
        let world = format!(
            r#""services": {{ "s": {{ "tables": {{ "t": {{ "rows": {{ "x": {{ "n": 1, "m": 0 }} }} }} }}, "operations": {{
                "add": {{ "think": "20ms", "set": {{ "t['x'].n": "t['x'].n + {adds}" }} }},
                "n": {{ "args": ["v"], "set": {{ "t['x'].n": "v" }} }},
                "m": {{ "args": ["v"], "set": {{ "t['x'].m": "v" }} }} }} }} }},
            "clients": {{ "a": {{ "script": [ {{ "at": "0ms", "do": "s.add()" }} ] }}, "b": {{ "script": [ {script} ] }} }}"#
        );
        let facts = facts.map(|fact| match fact.starts_with("count") {
            true => fact.to_owned(),
            false => format!("s.t['x'].{fact}"),
        });
        leaves(
            &world,
            r#"{ "write": { "use": "occ", "on_conflict": "merge" } }"#,
            "",
            &facts.each_ref().map(String::as_str),
        );
    }
}

/// What is to be there exactly if an effect is, a key, an event, a mark, needs a transaction that has both. Where nothing is
/// written, or only afterwards, none is missed.
#[test]
fn what_belongs_to_an_effect_needs_a_transaction_with_it() {
    let text = |store: &str, how: &str| {
        format!(
            r#"{{
        "services": {{
            "w": {{ "tables": {{ "charges": {{}} }}, "operations": {{
                "charge": {{ "args": ["o"], "insert": {{ "charges[o]": {{}} }} }},
                "refund": {{ "args": ["o"], "delete": "charges[o]" }},
                "tell":   {{ "args": ["o"], "reply": "0", "publish": {{ "paid": {{ "o": "o" }} }} }},
                "look":   {{ "reply": "charges.size()" }} }} }},
            "m": {{ "tables": {{ "sent": {{}} }}, "operations": {{
                "send": {{ "on": "paid", "args": ["o"], "insert": {{ "sent[o]": {{}} }} }} }} }},
            "home": {{}} }},
        "flows": {{ "buy": {{ "by": "home", "args": ["o"], "steps": [
            {{ "do": "w.charge(o)", "undo": "w.refund(o)" }}, {{ "do": "w.tell(o)", "class": "retriable" }} ] }} }},
        "clients": {{ "c": {{ "does": {{ "buy(o)": 1, "w.look()": 1 }}, "with": {{ "o": "unique('o')" }} }} }},
        "strategies": {{ "one": {{ "where": {{ {store} }}, {how} }} }},
        "invariants": {{ "every-intent-ends": {{}} }} }}"#
        )
    };
    let (no, none) = ("has no transaction at its store, and its", r#""w": { "store": "none" }"#);
    let key = |op: &str| format!("`w.{op}` {no} key is to be stored in that of its effect");
    let events = format!("`w.tell` {no} events are to be written into the outbox in that of its effect");
    let step = |what: &str, op: &str| {
        format!(
            "flow `buy` leaves {what} in the transaction of each step, and the store of `w.{op}` has none"
        )
    };
    let letters = r#""coordination": "choreography", "publish": "outbox""#;
    let fence = r#""coordination": { "use": "saga", "fence": true }"#;
    let of = |op: &str| format!(r#""w.{op}": {{ "store": "none" }}"#);
    for (store, how, why) in [
        (none, r#""idempotency": "key""#, vec![key("charge"), key("refund"), key("tell")]),
        (none, r#""idempotency": { "use": "key", "store": "before" }"#, vec![]),
        (none, r#""idempotency": { "use": "key", "store": "after" }"#, vec![]),
        (&of("look"), r#""idempotency": "key""#, vec![]),
        (none, r#""publish": "outbox""#, vec![events.clone()]),
        (&of("charge"), r#""publish": "outbox""#, vec![]),
        (none, r#""publish": "before-commit""#, vec![]),
        (&of("refund"), letters, vec![step("its next event", "refund")]),
        (&of("look"), letters, vec![]),
        (none, r#""coordination": "choreography""#, vec![]),
        (&of("charge"), fence, vec![step("the mark of its fence", "charge")]),
        (&of("tell"), fence, vec![]),
        (none, r#""coordination": "saga""#, vec![]),
    ] {
        let text = text(store, how);
        assert_eq!(reasons(&text), why, "{store} {how}");
        assert_eq!(reasons(&text.replace("\"none\"", "\"read-committed\"")), [""; 0]);
    }
}

/// An account with enough for one of two withdrawals, wherever its row stands among those written. What was booked before a
/// refusal stays where nothing is rolled back.
#[test]
fn without_transactions_a_guard_belongs_to_the_statement_that_writes_its_row() {
    let text = |set: &str, require: &str, how: &str, expected: &str| {
        format!(
            r#"{{
        "services": {{ "b": {{
            "tables": {{ "acc": {{ "rows": {{ "a": {{ "n": 11 }}, "z": {{ "n": 0 }} }} }} }},
            "operations": {{ "w": {{
                "require": {{ "poor": "{require}" }}, "think": "0ms..1ms", "set": {{ {set} }} }} }} }} }},
        "clients": {{ "p": {{ "count": 2, "does": "b.w()" }} }},
        "strategies": {{ "one": {{ "write": "{how}", "store": "none" }} }},
        "invariants": {{ "no overdraft": {{ "always": "b.acc.all(x, x.n >= 0)" }},
                         "sum": {{ "constant": "b.acc.map(x, x.n).sum()" }} }},
        "expect": {{ "one": {{ {expected} }} }} }}"#
        )
    };
    let (from, to) = (r#""acc['a'].n": "acc['a'].n - 11""#, r#""acc['z'].n": "acc['z'].n + 11""#);
    let enough = "acc['a'].n >= 11";
    // The one that is refused has credited `z` by then.
    let second = format!("{to}, {from}");
    meets(&text(&second, enough, "guarded", r#""no overdraft": "holds", "sum": "violated""#), 200);
    meets(&text(&second, enough, "relative", r#""no overdraft": "violated""#), 200);
    let first = format!("{from}, {to}");
    meets(&text(&first, enough, "guarded", r#""no overdraft": "holds""#), 200);
    // No statement writes both rows.
    let both = text(&first, "acc['a'].n - acc['z'].n >= 11", "guarded", r#""*": "n/a""#);
    let why = "write: guarded cannot carry out `b.w` at a store without transactions: it requires something of several \
               rows at once, and a statement writes one";
    assert_eq!(reasons(&both), [why]);
    assert_eq!(reasons(&both.replace(r#", "store": "none""#, "")), [""; 0]);
}
