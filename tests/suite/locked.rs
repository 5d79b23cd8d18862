//! What is locked stays as it is, also what is counted, searched or summed: nobody else adds a row to a table that was looked
//! through, nor writes one.

use crate::shipped::meets;

/// Each looks through the table that the other writes: by a new row, or one with a key of its own.
#[test]
fn what_is_looked_through_stays_so_until_the_commit() {
    for (rows, one, two, broken) in [
        (
            r#""a": {}, "b": {}"#,
            r#""require": { "no": "a.size() == 0" }, "insert": { "b[]": {} }"#,
            r#""require": { "no": "b.size() == 0" }, "insert": { "a[]": {} }"#,
            "s.a.size() + s.b.size() > 1",
        ),
        // A doctor leaves if there is a nurse, and the other way round.
        (
            r#""a": { "rows": { "d": { "on": 1 } } }, "b": { "rows": { "n": { "on": 1 } } }"#,
            r#""require": { "alone": "b.exists(n, n.on == 1)" }, "set": { "a['d'].on": "0" }"#,
            r#""require": { "alone": "a.exists(d, d.on == 1)" }, "set": { "b['n'].on": "0" }"#,
            "!(s.a.exists(d, d.on == 1) || s.b.exists(n, n.on == 1))",
        ),
    ] {
        let text = format!(
            r#"{{
            "services": {{ "s": {{ "tables": {{ {rows} }}, "operations": {{
                "one": {{ {one} }}, "two": {{ {two} }} }} }} }},
            "clients": {{ "x": {{ "does": "s.one()", "start": "0ms..1ms" }}, "y": {{ "does": "s.two()", "start": "0ms..1ms" }} }},
            "strategies": {{ "naive": {{}}, "lock": {{ "write": "lock" }},
                "again": {{ "write": "lock", "retry": {{ "attempts": "ever", "timeout": "10s" }} }} }},
            "invariants": {{ "not both": {{ "always": "!({broken})" }}, "every-intent-ends": {{}} }},
            "expect": {{ "naive": {{ "not both": "violated" }}, "lock": {{ "*": "holds" }},
                "again": {{ "*": "holds", "facts": ["count.ok == 1", "count.failed == 1"] }} }} }}"#
        );
        meets(&text, 200);
    }
}

/// Two look twice at what is in a table while others add rows, change, put and delete one by its key, or all that match. Those
/// who look have locks, those who write have not asked for any and are kept waiting all the same.
#[test]
fn who_only_writes_waits_for_those_who_have_locked_the_whole_table() {
    let text = r#"{
        "services": { "s": { "tables": { "a": { "rows": { "1": { "n": 1 } } }, "seen": {} }, "operations": {
            "look": { "insert": { "seen[1]": { "n": "a.size()", "m": "0" } }, "think": "2ms",
                      "then": [ { "set": { "seen[1].m": "a.size()" } } ] },
            "sum":  { "insert": { "seen[2]": { "n": "a.map(r, r.n).sum()", "m": "0" } }, "think": "2ms",
                      "then": [ { "set": { "seen[2].m": "a.map(r, r.n).sum()" } } ] },
            "add":  { "insert": { "a[]": { "n": 1 } } },
            "put":  { "put": { "a[77]": { "n": 1 } } },
            "bump": { "set": { "a[1].n": "a[1].n + 1" } },
            "drop": { "delete": "a[1]" },
            "no":   { "require": { "no": "false" }, "insert": { "seen[3]": {} }, "otherwise": { "insert": { "a[]": { "n": 1 } } } },
            "all":  { "set": { "a.filter(r, r.n == 1).n": "2" } } } } },
        "clients": {
            "l": { "does": "s.look()" }, "m": { "does": "s.sum()" },
            "w": { "count": 2, "start": "0ms..3ms", "does": {
                "s.add()": 1, "s.put()": 1, "s.bump()": 1, "s.drop()": 1, "s.no()": 1, "s.all()": 1 } } },
        "strategies": {
            "naive": {},
            "*": { "retry": { "attempts": "ever", "timeout": "10s" } },
            "lock": { "where": { "s.look": { "write": "lock" }, "s.sum": { "write": "lock" } } } },
        "invariants": { "same": { "at_rest": "s.seen.all(r, r.n == r.m)" }, "every-intent-ends": {} },
        "expect": { "naive": { "same": "violated" }, "lock": "holds" }
    }"#;
    meets(text, 200);
}

/// A flow adds a row, then counts them, as one transaction. Who has added one lets nobody count but itself, so of two one gives
/// way; tried again, each finds another number.
#[test]
fn who_has_written_a_row_and_then_counts_all_is_alone_by_then() {
    let text = r#"{
        "services": {
            "s": { "tables": { "a": {} }, "operations": {
                "add":   { "insert": { "a[]": {} }, "think": "0ms..1ms" }, "count": { "reply": "a.size()" } } },
            "t": { "tables": { "seen": {} }, "operations": {
                "note": { "args": ["n"], "insert": { "seen[]": { "n": "n" } } } } } },
        "flows": { "f": { "by": "t", "steps": [
            { "do": "s.add()" }, { "do": "s.count()", "as": "n" }, { "do": "t.note(n)" } ] } },
        "clients": { "c": { "count": 4, "does": "f()", "start": "0ms..2ms" } },
        "strategies": {
            "*":     { "coordination": "merged", "retry": { "attempts": "ever", "timeout": "10s" } },
            "naive": {}, "lock": { "write": "lock" } },
        "invariants": {
            "numbers differ": { "at_rest": "t.seen.all(x, t.seen.filter(y, y.n == x.n).size() == 1)" },
            "every-intent-ends": {} },
        "expect": {
            "naive": { "numbers differ": "violated" },
            "lock":  { "numbers differ": "holds", "every-intent-ends": "holds",
                       "facts": ["s.a.size() == 4", "t.seen.size() == 4", "count.ok == 4"], "sometimes": ["count.attempts > 4"] } }
    }"#;
    meets(text, 200);
}

/// An operation that adds a row and tells how many there are locks the table at once: nobody gives way to anybody.
#[test]
fn who_will_look_through_a_table_locks_it_before_its_rows() {
    let text = r#"{
        "services": {
            "s": { "tables": { "a": {} }, "operations": { "add": { "insert": { "a[]": {} }, "reply": "a.size()" } } },
            "t": { "tables": { "seen": {} }, "operations": { "note": { "args": ["n"], "insert": { "seen[n]": {} } } } } },
        "flows": { "f": { "by": "t", "steps": [ { "do": "s.add()", "as": "n" }, { "do": "t.note(n)" } ] } },
        "clients": { "c": { "count": 4, "does": "f()", "start": "0ms..2ms" } },
        "strategies": { "naive": {}, "lock": { "write": "lock" } },
        "invariants": { "each its own": { "at_rest": "t.seen.size() == 4" } },
        "expect": { "naive": "violated", "lock": { "*": "holds", "facts": ["count.ok == 4", "count.attempts == 8"] } }
    }"#;
    meets(text, 200);
}
