//! What an operation does when it refuses, and what becomes of a write that meets what its own operation has done.

use crate::points::leaves;

/// A box office that is sold out, and what it does then.
fn sold_out(otherwise: &str, statement: &str) -> String {
    format!(
        r#""services": {{
            "box": {{ "statement": "{statement}",
                "tables": {{ "seats": {{ "rows": {{ "s": {{ "free": 0 }} }} }}, "waiting": {{}},
                    "w": {{ "rows": {{ "x": {{ "n": 1 }}, "y": {{ "n": 5 }} }}, "unique": ["n"] }} }},
                "operations": {{ "sell": {{ "args": ["who", "n"],
                    "require": {{ "sold": "seats['s'].free >= 1" }}, "set": {{ "seats['s'].free": "seats['s'].free - 1" }},
                    "otherwise": {otherwise} }} }} }},
            "mail": {{ "tables": {{ "sent": {{}} }}, "operations": {{
                "tell": {{ "on": "sorry", "args": ["who"], "insert": {{ "sent[who]": {{}} }} }} }} }} }},
        "clients": {{ "p": {{ "does": "box.sell('ana', 7)" }} }}"#
    )
}

const HOWS: [&str; 7] = [
    "{}",
    r#"{ "write": "patch" }"#,
    r#"{ "write": "occ" }"#,
    r#"{ "write": "guarded" }"#,
    r#"{ "write": "lock" }"#,
    r#"{ "idempotency": "key" }"#,
    r#"{ "store": "none" }"#,
];

#[test]
fn a_fresh_row_of_a_refusal_has_what_was_meant() {
    let otherwise = r#"{ "insert": { "waiting[]": { "who": "who", "n": "n" } }, "publish": { "sorry": { "who": "who" } } }"#;
    for how in HOWS {
        for statement in ["0ms", "100us"] {
            leaves(
                &sold_out(otherwise, statement),
                how,
                "",
                &[
                    "box.waiting.size() == 1 && box.waiting.all(w, w.n == 7 && w.who == 'ana')",
                    "count.failed == 1",
                    "mail.sent.size() == 1",
                ],
            );
        }
    }
}

/// The row to set is missing, the row to insert is there, its value is taken: nothing of it is done or told, and the client
/// is refused once, for what the operation refused for.
#[test]
fn a_refusal_that_refuses_in_its_turn_does_nothing_and_ends() {
    for write in [
        r#""set": { "w['nope'].n": "2" }"#,
        r#""insert": { "waiting[]": { "n": "n" }, "w['x']": { "n": "2" } }"#,
        r#""insert": { "waiting[]": { "n": "n" }, "w['z']": { "n": "5" } }"#,
    ] {
        let otherwise = format!(r#"{{ {write}, "publish": {{ "sorry": {{ "who": "who" }} }} }}"#);
        // Without transactions what comes first stays.
        for how in &HOWS[..6] {
            for statement in ["0ms", "100us"] {
                leaves(
                    &sold_out(&otherwise, statement),
                    how,
                    "",
                    &[
                        "box.w.size() == 2 && box.waiting.size() == 0",
                        "count.failed == 1",
                        "mail.sent.size() == 0",
                    ],
                );
            }
        }
    }
}

/// Without transactions the first write is there at once; that is no change by somebody else.
#[test]
fn an_operation_does_not_conflict_with_itself() {
    let world = r#""services": { "s": { "statement": "0ms", "tables": { "t": { "rows": { "a": { "n": 1, "m": 1 } } } },
            "operations": { "both": { "args": ["a", "b"], "set": { "t[a].n": "t[a].n + 1", "t[b].m": "t[b].m + 1" } } } } },
        "clients": { "p": { "does": "s.both('a', 'a')" } }"#;
    for how in [
        r#"{ "write": "occ", "store": "none" }"#,
        r#"{ "write": { "use": "occ", "on_conflict": "reject" }, "store": "none" }"#,
        r#"{ "write": "occ" }"#,
        r#"{ "write": { "use": "occ", "scope": "reads" } }"#,
    ] {
        leaves(world, how, "", &["s.t['a'].m == 2", "count.ok == 1"]);
    }
}
