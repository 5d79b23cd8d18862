//! Stories of what an expression says and is not so: what it reads, and who wrote that.

use super::look::columns_of;
use super::told_tests::{TICKETS, failing, flat, told};

#[test]
fn an_invariant_of_intents_is_told_in_the_names_of_the_file() {
    let story = flat(&told(
        &failing(r#"{ "fail": "w.one" }"#, r#"{ "args": [], "set": { "t['x'].n": "1" } }"#),
        "naive",
        0,
    ));
    assert!(story.contains("Not true: intent.outcome != 'failed' || intent.effects.size() > 3"), "{story}");
}

#[test]
fn a_row_that_an_invariant_asks_for_in_vain_is_named() {
    let text = TICKETS.replace("box.sold.size() <= 1", "box.tickets['shaw'].free > 0");
    let story = flat(&told(&text, "occ", 0));
    assert!(story.contains("It asks for box.tickets['shaw'], and there is no such row."), "{story}");
}

/// Purses from which too little is taken: whoever pays second writes what the first one left.
pub(super) fn purses(clients: u32) -> String {
    format!(
        r#"{{
  "services": {{ "money": {{
    "tables": {{ "purses": {{ "rows": {{ "ana": {{ "left": 90 }}, "bo": {{ "left": 90 }} }} }}, "slips": {{}} }},
    "operations": {{
      "pay": {{ "args": ["b", "who"], "think": "5ms", "set": {{ "purses[who].left": "purses[who].left - 10" }},
                "insert": {{ "slips[b]": {{ "who": "who" }} }} }},
      "look": {{ "reply": "purses['bo'].left" }} }} }} }},
  "clients": {{
    "people": {{ "count": 2, "does": "money.pay(b, 'ana')", "with": {{ "b": "unique('b')" }}, "start": "20ms" }},
    "others": {{ "count": {clients}, "does": "money.look()", "start": "0ms..40ms" }} }},
  "strategies": {{ "naive": {{}} }},
  "invariants": {{ "purse": {{ "at_rest":
    "money.purses.all(p, p.left == 90 - 10 * money.slips.filter(s, s.who == p.id).size())" }} }}
}}"#
    )
}

#[test]
fn the_story_of_an_expression_shows_what_it_reads_and_who_wrote_that() {
    let story = flat(&told(&purses(40), "naive", 0));
    for part in [
        "Let A = the 1st money.pay of people#",
        "B = the 1st money.pay of people#",
        "money.pay: purses['ana'].left 90 → 80; new slips[b-",
        "money.pay: purses['ana'] as before; new slips[b-",
        "At rest it reads: 80 == 70",
        "The row is money.purses['ana'] {left: 80}.",
        "It looks at money.slips[b-1.1] {who: 'ana'} and money.slips[b-2.1] {who: 'ana'}.",
    ] {
        assert!(story.contains(part), "{part}: {story}");
    }
    // Who only looked is no part of it.
    assert!(!story.contains("others"), "{story}");
}

#[test]
fn a_picture_keeps_the_commits_on_what_an_expression_reads() {
    // Their answers are lost again and again, so that the commits stand in the middle of a long picture.
    let busy = purses(1).replace(r#""count": 2"#, r#""count": 5"#).replace(
        r#""naive": {}"#,
        r#""naive": { "idempotency": "key", "retry": { "timeout": "20ms", "attempts": 12 } }"#,
    );
    let busy = busy.replace(
        r#""strategies""#,
        r#""weather": { "faults": [ { "lose": "reply money.pay", "nth": [1, 2, 3, 4, 5, 6, 7, 8] } ] }, "strategies""#,
    );
    let text = told(&busy, "naive", 0);
    assert!(text.lines().all(|line| columns_of(line) <= 80), "{text}");
    let (_, drawn) = text.split_once("virtual").unwrap();
    assert!(drawn.contains("rows left out"), "{text}");
    assert_eq!(flat(drawn).matches("new slips[b-").count(), 5, "{text}");
}

#[test]
fn a_heading_with_many_violations_keeps_to_the_width() {
    let long = "an invariant of which the name alone takes nearly all of the line there is";
    let text = purses(1).replace("\"purse\"", &format!("\"{long}\""));
    let (before, _) = text.split_once("\"at_rest\"").unwrap();
    let text = format!("{before}\"per_intent\": \"intent.effects.size() > 5\" }} }} }}");
    let story = told(&text, "naive", 0);
    assert!(story.lines().all(|line| columns_of(line) <= 80), "{story}");
    assert!(
        flat(&story).starts_with(&format!("{long} is broken, the first of 3 violations in this run")),
        "{story}"
    );
}

/// What was taken, and who paid for it; `more` may take payments back.
fn taken_and_paid(acts: &str) -> String {
    format!(
        r#"{{
  "services": {{ "shop": {{ "tables": {{ "taken": {{}}, "paid": {{}} }}, "operations": {{
    "take": {{ "args": ["order"], "insert": {{ "taken[order]": {{ "order": "order" }} }} }},
    "pay": {{ "args": ["order"], "insert": {{ "paid[order]": {{ "order": "order" }} }} }},
    "void": {{ "args": ["order"], "delete": "paid.filter(p, p.order == order)" }} }} }} }},
  "clients": {{ "ana": {{ "script": [{acts}] }} }},
  "invariants": {{ "paid": {{ "at_rest": "shop.taken.all(t, shop.paid.exists(p, p.order == t.order))" }} }}
}}"#
    )
}

#[test]
fn who_has_to_do_with_a_row_that_is_missed_is_told_and_nobody_else() {
    let act = |at: u32, what: &str, of: &str| format!(r#"{{ "at": "{at}ms", "do": "shop.{what}('{of}')" }}"#);
    let fine = [act(0, "take", "a"), act(10, "pay", "a"), act(20, "take", "b")];
    let never = told(&taken_and_paid(&fine.join(", ")), "naive", 0);
    let never = flat(&never);
    assert!(never.contains("There is no row in shop.paid with p.order == 'b'."), "{never}");
    assert!(never.contains("new taken['b']") && !never.contains("['a']"), "{never}");
    // The twin: it was there, and somebody took it away.
    let gone = [fine[..2].to_vec(), vec![act(30, "void", "a")]].concat();
    let gone = flat(&told(&taken_and_paid(&gone.join(", ")), "naive", 0));
    assert!(gone.contains("There is no row in shop.paid with p.order == 'a'."), "{gone}");
    for what in ["new taken['a']", "new paid['a']", "paid['a'] deleted"] {
        assert!(gone.contains(what), "{what}: {gone}");
    }
}

/// What must always be true is broken by one write on top of another.
#[test]
fn who_wrote_before_what_breaks_it_is_told_too() {
    let story = told(
        r#"{
  "services": { "bank": {
    "tables": { "accounts": { "rows": { "x": { "left": 10 }, "y": { "left": 10 }, "z": { "left": 10 } } } },
    "operations": { "take": { "args": ["who"], "set": { "accounts[who].left": "accounts[who].left - 8" } } } } },
  "clients": { "ana": { "script": [ { "at": "0ms", "do": "bank.take('x')" }, { "at": "20ms", "do": "bank.take('z')" },
    { "at": "40ms", "do": "bank.take('y')" } ] } },
  "invariants": { "enough": { "always": "bank.accounts['x'].left + bank.accounts['y'].left >= 5" } }
}"#,
        "naive",
        0,
    );
    let story = flat(&story);
    assert!(story.contains("A = the 1st bank.take of ana, told ok"), "{story}");
    assert!(story.contains("B = the 3rd bank.take of ana"), "{story}");
    assert!(story.contains("A: bank.take: accounts['x'].left 10 → 2"), "{story}");
    assert!(story.contains("B: bank.take: accounts['y'].left 10 → 2"), "{story}");
    assert!(!story.contains("accounts['z']"), "{story}");
}
