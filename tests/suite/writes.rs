//! What the policies of `write` lock and keep apart, down to what is only told.

use crate::points::leaves;
use crate::shipped::meets;

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
/// it never sees the money halfway; at read-committed it does.
#[test]
fn what_a_merged_step_replies_is_locked_until_the_commit() {
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
            "locked": { "coordination": "merged", "write": "lock", "retry": { "attempts": "ever" } } },
        "invariants": { "sum seen": { "always": "audit.sums.all(s, s.s == 200)" } },
        "expect": { "plain": { "sum seen": "violated" }, "locked": { "sum seen": "inconclusive" } }
    }"#;
    meets(text, 300);
}
