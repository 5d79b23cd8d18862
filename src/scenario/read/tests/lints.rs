//! Lints of strategies and of the order of steps: each speaks where it should, and beside it stands the twin in which
//! one word is different and nothing is said.

use super::*;

/// A flow over two services, with a strategy `tried` of which `expect` says what is expected.
fn trip(strategy: &str, expect: &str, put: &[(&str, &str)]) -> String {
    let mut text = format!(
        r#"{{
  "services": {{
    "hotel": {{ "tables": {{ "rooms": {{ "rows": {{ "1": {{ "free": 9 }} }} }}, "held": {{}} }}, "operations": {{
      "hold": {{ "args": ["trip"], "set": {{ "rooms[1].free": "rooms[1].free - 1" }}, "insert": {{ "held[trip]": {{ "n": 1 }} }} }},
      "free": {{ "args": ["trip"], "skip": "!(trip in held)", "set": {{ "rooms[1].free": "rooms[1].free + 1" }}, "delete": "held[trip]" }} }} }},
    "bank": {{ "tables": {{ "paid": {{}} }}, "operations": {{
      "pay":   {{ "args": ["trip"], "require": {{ "no": "trip > 0" }}, "put": {{ "paid[trip]": {{ "yes": true }} }} }},
      "unpay": {{ "args": ["trip"], "delete": "paid[trip]" }} }} }},
    "home": {{}}
  }},
  "flows": {{ "book": {{ "by": "home", "args": ["trip"], "steps": [
    {{ "do": "hotel.hold(trip)", "undo": "hotel.free(trip)" }},
    {{ "do": "bank.pay(trip)", "undo": "bank.unpay(trip)" }} ] }} }},
  "clients": {{ "people": {{ "does": "book(7)" }} }},
  "strategies": {{ "tried": {strategy} }},
  "invariants": {{ "every-intent-ends": {{}} }},
  "expect": {expect}
}}"#
    );
    for (old, new) in put {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    text
}

/// It is expected to hold.
const HOLDS: &str = r#"{ "tried": "holds" }"#;
const SAGA: &str = r#"{ "coordination": "saga", "retry": { "timeout": "10ms", "attempts": 3 } }"#;

const NOTHING: [&str; 0] = [];

#[test]
fn a_sound_strategy_is_passed_over_in_silence() {
    assert_eq!(marks(&trip(SAGA, HOLDS, &[])), NOTHING);
}

#[test]
fn an_undo_that_gives_back_what_nobody_took_is_noticed() {
    let unseen = [(r#""skip": "!(trip in held)", "#, "")];
    let said =
        r#"HW0507 at {: this step may be undone without having been done, and its `undo` has no `skip`"#;
    let found = |strategy: &str, expect: &str| {
        let mut found = marks(&trip(strategy, expect, &unseen));
        found.retain(|mark| mark.starts_with("HW0507"));
        found
    };
    assert_eq!(found(SAGA, HOLDS), [said]);
    // Registered after its answer it is undone only if it was done; a fence knows what was done.
    let after = r#"{ "coordination": { "use": "saga", "register": "after" } }"#;
    assert_eq!(found(after, HOLDS), NOTHING);
    let fence = r#"{ "coordination": { "use": "saga", "fence": true } }"#;
    assert_eq!(found(fence, HOLDS), NOTHING);
    // What only deletes, or marks what the step has made, can do no harm.
    let deletes =
        [unseen[0], (r#""set": { "rooms[1].free": "rooms[1].free + 1" }, "delete""#, r#""delete""#)];
    assert_eq!(marks(&trip(SAGA, HOLDS, &deletes)), NOTHING);
    let marks_it = [
        unseen[0],
        (
            r#""set": { "rooms[1].free": "rooms[1].free + 1" }, "delete": "held[trip]""#,
            r#""set": { "held[trip].n": 0 }"#,
        ),
    ];
    assert_eq!(marks(&trip(SAGA, HOLDS, &marks_it)), NOTHING);
    // One that is there to break is not talked about.
    assert_eq!(found(SAGA, r#"{ "tried": "violated" }"#), NOTHING);
    assert_eq!(found(SAGA, r#"{ "tried": { "*": "holds", "every-intent-ends": "violated" } }"#), NOTHING);
    assert_eq!(found(SAGA, "{}"), NOTHING);
}

#[test]
fn a_repetition_that_counts_twice_is_noticed() {
    // Without the row under the key of the trip nothing tells a second hold from the first.
    let blind = [(r#", "insert": { "held[trip]": { "n": 1 } }"#, "")];
    let said =
        "HW0508 at \"tried\": `hotel.hold` may be carried out once for every attempt, and nothing notices";
    assert_eq!(marks(&trip(SAGA, HOLDS, &blind)), [said]);
    let fresh = [(r#"held[trip]": { "n": 1 }"#, r#"held[]": { "trip": "trip" }"#)];
    assert_eq!(marks(&trip(SAGA, HOLDS, &fresh)), [said]);
    let unique = [fresh[0], (r#""held": {}"#, r#""held": { "unique": ["trip"] }"#)];
    assert_eq!(marks(&trip(SAGA, HOLDS, &unique)), NOTHING);
    // One attempt, a key, an operation that skips.
    assert_eq!(marks(&trip(r#"{ "coordination": "saga" }"#, HOLDS, &blind)), NOTHING);
    let keyed = r#"{ "extends": "saga", "idempotency": "key", "retry": { "attempts": 3 } }"#;
    assert_eq!(marks(&trip(keyed, HOLDS, &blind)), NOTHING);
    let per_attempt = r#"{ "extends": "saga", "idempotency": { "use": "key", "key": "attempt" }, "retry": { "attempts": 3 } }"#;
    assert_eq!(marks(&trip(per_attempt, HOLDS, &blind)), [said]);
    let skips = [
        blind[0],
        (r#""hold": { "args": ["trip"],"#, r#""hold": { "args": ["trip"], "skip": "trip in held","#),
    ];
    assert_eq!(marks(&trip(SAGA, HOLDS, &skips)), NOTHING);
    assert_eq!(marks(&trip(SAGA, "{}", &blind)), NOTHING);
}

#[test]
fn a_key_forgotten_before_the_last_attempt_is_noticed() {
    let keyed = |parameters: &str, attempts: &str| {
        let strategy = format!(
            r#"{{ "extends": "saga", "idempotency": {{ "use": "key", {parameters} }},
                "retry": {{ "timeout": "10ms", "attempts": {attempts}, "backoff": "exponential", "first": "5ms", "factor": 2, "cap": "1s" }} }}"#
        );
        marks(&trip(&strategy, HOLDS, &[]))
    };
    // Sent at 0, 15 and 35 ms.
    let said = keyed(r#""ttl": "34ms""#, "3");
    let of = |operation: &str| {
        format!(
            "HW0509 at \"tried\": the key of `{operation}` has a `ttl` of 34ms, and the last attempt may come 35ms after the first"
        )
    };
    for operation in ["hotel.hold", "hotel.free", "bank.pay", "bank.unpay"] {
        assert!(said.contains(&of(operation)), "{operation}: {said:?}");
    }
    assert_eq!(keyed(r#""ttl": "35ms""#, "3"), NOTHING);
    // Only the key of the flow is taken over; those of its steps are in progress as long as their transactions.
    let busy = keyed(r#""busy_for": "34ms""#, "3");
    assert_eq!(busy, [of("book").replace("`ttl`", "`busy_for`")]);
    assert_eq!(keyed(r#""busy_for": "35ms""#, "3"), NOTHING);
    assert_eq!(keyed(r#""ttl": "1ms""#, "1"), NOTHING);
    assert!(keyed(r#""ttl": "1h""#, r#""ever""#)[0].ends_with("attempts may come for ever"));
    assert_eq!(keyed(r#""ttl": "ever""#, r#""ever""#), NOTHING);
}

#[test]
fn versions_that_are_never_compared_are_noticed() {
    let inserts = |write: &str| {
        small(&[
            (r#""set": { "accounts[who].balance": "accounts[who].balance - sum" }"#, write),
            (r#""naive": {}"#, r#""occ": {}"#),
            (r#""expect": {}"#, r#""expect": { "occ": "holds" }"#),
        ])
    };
    assert_eq!(
        marks(&inserts(r#""insert": { "moves[]": { "who": "who", "sum": "sum" } }"#)),
        ["HW0510 at \"occ\": `occ` has nothing to compare here: all that is written is new"]
    );
    assert_eq!(marks(&inserts(r#""put": { "moves[who]": { "sum": "sum" } }"#)), NOTHING);
}

#[test]
fn a_flow_that_nobody_sees_to_the_end_is_noticed() {
    let said = "HW0511 at \"tried\": the flow `book` writes to several services under `calls`";
    assert_eq!(marks(&trip("{}", HOLDS, &[])), [said]);
    assert_eq!(marks(&trip("{}", r#"{ "tried": "violated" }"#, &[])), NOTHING);
    assert_eq!(marks(&trip(r#"{ "coordination": "merged" }"#, HOLDS, &[])), NOTHING);
    // Both steps at one service, or only one of them writing.
    let one = [(r#""do": "bank.pay(trip)", "undo": "bank.unpay(trip)""#, r#""do": "hotel.free(trip)""#)];
    let unpaid = marks(&trip("{}", HOLDS, &one));
    assert!(unpaid.iter().all(|said| said.starts_with("HW0503")), "{unpaid:?}");
}

#[test]
fn a_step_that_stays_behind_when_a_later_one_is_refused_is_noticed() {
    let no_undo = [(r#", "undo": "hotel.free(trip)""#, "")];
    let stays = |put: &[(&str, &str)]| {
        let mut said = marks(&trip(SAGA, HOLDS, put));
        said.retain(|said| said.starts_with("HW0504"));
        said
    };
    assert_eq!(stays(&no_undo), ["HW0504 at {: this step cannot be undone, and a later one may be refused"]);
    assert_eq!(stays(&[]), NOTHING);
    // What may not be refused may come later.
    assert_eq!(stays(&[no_undo[0], (r#""require": { "no": "trip > 0" }, "#, "")]), NOTHING);
    assert_eq!(stays(&[no_undo[0], (r#""undo": "bank.unpay(trip)""#, r#""optional": true"#)]), NOTHING);
}

#[test]
fn what_cannot_be_undone_is_noticed_only_where_somebody_undoes() {
    let said = "HW0504 at {: this step cannot be undone, and a later one may be refused";
    let bare = "HW0504 at {: this step has no `undo`";
    let marks_of = |strategies: &str, put: &[(&str, &str)]| {
        let mut all = vec![(r#""tried": {}"#, strategies), (r#"{ "tried": "holds" }"#, "{}")];
        all.extend(put);
        let mut said = marks(&trip("{}", HOLDS, &all));
        said.retain(|said| said.starts_with("HW0504"));
        said
    };
    let stays = (r#", "undo": "hotel.free(trip)""#, "");
    let declared = (r#", "undo": "bank.unpay(trip)""#, r#", "class": "compensatable""#);
    for (put, said) in [(stays, said), (declared, bare)] {
        assert_eq!(marks_of(r#""naive": {}, "saga": {}"#, &[put]), [said]);
        assert_eq!(marks_of(r#""events": { "coordination": "choreography" }"#, &[put]), [said]);
        let rewritten = r#""naive": {}, "other": { "extends": "saga", "rewrite": { "topics": {} } }"#;
        assert_eq!(marks_of(rewritten, &[put]), [said]);
        assert_eq!(marks_of(r#""naive": {}, "one": { "coordination": "merged" }"#, &[put]), NOTHING);
        assert_eq!(marks_of(r#""saga": {}"#, &[put, (r#""by": "home", "#, "")]), NOTHING);
    }
}

#[test]
fn a_flow_without_a_home_is_advised_to_get_one_before_it_is_a_saga() {
    let hint = |put: &[(&str, &str)]| {
        let Scenario { warnings, .. } = good(&trip("{}", HOLDS, put));
        let mut hints = warnings.iter().filter(|problem| problem.code == Code::Halfway);
        hints.next().and_then(|problem| problem.hint.clone()).unwrap_or_default()
    };
    assert!(hint(&[]).ends_with("nobody undoes: a `saga` does"), "{}", hint(&[]));
    let homeless = hint(&[(r#""by": "home", "#, "")]);
    assert!(homeless.ends_with("give it a service that runs it with `by`, and a `saga` does"), "{homeless}");
}

#[test]
fn a_step_that_is_asked_for_again_when_it_is_refused_is_noticed_where_some_strategy_does_so() {
    let said = "HW0505 at {: this step is repeated until it succeeds, and may be refused";
    let insists = |strategies: &str, put: &[(&str, &str)]| {
        let mut all = vec![
            (r#", "undo": "bank.unpay(trip)""#, ""),
            (r#""tried": {}"#, strategies),
            (r#"{ "tried": "holds" }"#, "{}"),
        ];
        all.extend(put);
        let mut said = marks(&trip("{}", HOLDS, &all));
        said.retain(|said| said.starts_with("HW0505"));
        said
    };
    assert_eq!(insists(r#""naive": {}, "saga": {}"#, &[]), [said]);
    assert_eq!(insists(r#""events": { "coordination": "choreography" }"#, &[]), [said]);
    let scoped = r#""naive": { "where": { "book": { "coordination": "saga" } } }"#;
    assert_eq!(insists(scoped, &[]), [said]);
    let rewritten = r#""naive": {}, "other": { "extends": "saga", "rewrite": { "topics": {} } }"#;
    assert_eq!(insists(rewritten, &[]), [said]);
    // Calls and merged flows end with the refusal, and so does a flow that its caller runs.
    assert_eq!(insists(r#""naive": {}, "one": { "coordination": "merged" }"#, &[]), NOTHING);
    assert_eq!(insists(r#""saga": {}"#, &[(r#""by": "home", "#, "")]), NOTHING);
    // An optional step that is refused is left out.
    let optional = (r#""do": "bank.pay(trip)""#, r#""do": "bank.pay(trip)", "optional": true"#);
    assert_eq!(insists(r#""saga": {}"#, &[optional]), NOTHING);
}

/// A shop that tells a mailer of its orders.
fn mail(put: &[(&str, &str)]) -> Vec<String> {
    let mut text = r#"{
  "services": {
    "shop": { "tables": { "orders": {} }, "operations": {
      "order": { "args": ["o"], "insert": { "orders[o]": { "n": 1 } }, "publish": { "placed": { "order": "o", "n": 1 } } } } },
    "mailer": { "tables": { "mails": {} }, "operations": {
      "send": { "on": "placed", "args": ["order"], "insert": { "mails[]": { "o": "order" } } } } }
  },
  "clients": { "c": { "does": "shop.order(7)" } },
  "strategies": { "tried": {} },
  "invariants": { "every-intent-ends": {} }
}"#
    .to_owned();
    for (old, new) in put {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    let Scenario { warnings, sources, .. } = good(&text);
    let line = |problem: &super::super::super::problem::Problem| {
        let hint = problem.hint.as_deref().unwrap_or("-");
        format!("{} at {}: {} ({hint})", problem.code, sources.at(problem.place), problem.message)
    };
    warnings.iter().map(line).collect()
}

#[test]
fn an_argument_that_no_event_has_is_noticed() {
    assert_eq!(mail(&[]), NOTHING);
    let said = |arg: &str, hint: &str| {
        format!("HW0513 at \"{arg}\": no event of `placed` has the field `{arg}` ({hint})")
    };
    let asks = |arg| [(r#"["order"]"#, arg), (r#""o": "order""#, r#""n": 1"#)];
    assert_eq!(
        mail(&asks(r#"["ordre"]"#)),
        [said("ordre", "did you mean `order`? they have `order` and `n`")]
    );
    let both = mail(&asks(r#"["order", "customer"]"#));
    assert_eq!(both, [said("customer", "they have `order` and `n`")]);
    // Without any field.
    let bare = (r#""placed": { "order": "o", "n": 1 }"#, r#""placed": {}"#);
    assert_eq!(mail(&[bare]), [said("order", "-")]);
    // A record as a whole.
    let whole = (r#""placed": { "order": "o", "n": 1 }"#, r#""placed": "orders[o]""#);
    assert_eq!(mail(&[whole, (r#"["order"]"#, r#"["n"]"#), (r#""o": "order""#, r#""o": "n""#)]), NOTHING);
    assert_eq!(mail(&[whole]), [said("order", "-")]);
    // Another one sends it.
    let resend = r#""resend": { "args": ["c"], "publish": { "placed": { "customer": "c" } } }, "order":"#;
    let [asked, unused] = asks(r#"["customer"]"#);
    let two = [
        asked,
        unused,
        (r#""order":"#, resend),
        (r#""shop.order(7)""#, r#"{ "shop.order(7)": 1, "shop.resend(7)": 1 }"#),
    ];
    assert_eq!(mail(&two), NOTHING);
    // Somebody else hands it over, who asks for the operation without an event.
    let direct = [asked, unused, (r#""shop.order(7)""#, r#"{ "shop.order(7)": 1, "mailer.send(7)": 1 }"#)];
    assert_eq!(mail(&direct), NOTHING);
    // A topic that nobody publishes to has no events at all, and that is said.
    let other = mail(&[asked, unused, (r#""publish": { "placed""#, r#""publish": { "other""#)]);
    assert!(other.len() == 2 && other.iter().all(|said| said.starts_with("HW0501")), "{other:?}");
    // A flow is started by events, too.
    let flow = (
        r#""clients""#,
        r#""flows": { "f": { "by": "mailer", "on": "placed", "args": ["oder"], "steps": [ { "do": "shop.order(oder)" } ] } }, "clients""#,
    );
    assert_eq!(mail(&[flow]), [said("oder", "did you mean `order`? they have `order` and `n`")]);
}

#[test]
fn a_key_of_a_topic_that_no_event_has_is_noticed() {
    let keyed = |key: &str, put: &[(&str, &str)]| {
        let topics = format!(r#""topics": {{ "placed": {{ "key": "{key}" }} }}, "clients""#);
        let mut all = vec![(r#""clients""#, topics.as_str())];
        all.extend(put);
        mail(&all)
    };
    assert_eq!(keyed("order", &[]), NOTHING);
    let hint = "did you mean `order`? they have `order` and `n`";
    assert_eq!(
        keyed("oder", &[]),
        [format!("HW0513 at \"oder\": no event of `placed` has the field `oder` ({hint})")]
    );
    // A record that is told as a whole has it, although nobody asks for it; and one that has not.
    let whole = [
        (r#""placed": { "order": "o", "n": 1 }"#, r#""placed": "orders[o]""#),
        (r#"["order"]"#, r#"["id"]"#),
        (r#""o": "order""#, r#""o": "id""#),
    ];
    assert_eq!(keyed("n", &whole), NOTHING);
    assert_eq!(
        keyed("m", &whole),
        ["HW0513 at \"m\": no event of `placed` has the field `m` (they have `id`)"]
    );
    // An argument of that name is told in its own place.
    let asked = [(r#"["order"]"#, r#"["oder"]"#), (r#""o": "order""#, r#""o": "oder""#)];
    assert_eq!(keyed("oder", &asked).len(), 2);
    // A topic that nobody publishes to has no events at all, and that is said.
    let other = keyed("oder", &[(r#""publish": { "placed""#, r#""publish": { "other""#)]);
    assert!(other.iter().all(|said| said.starts_with("HW0501")), "{other:?}");
}

#[test]
fn a_topic_that_is_misspelled_is_told_from_both_sides() {
    let reads = |topic: &'static str| [(r#""on": "placed""#, topic)];
    assert_eq!(
        mail(&reads(r#""on": "placd""#)),
        [
            "HW0501 at \"placed\": nobody reads the topic `placed` (did you mean `placd`? an operation or a flow reads it with `on`)",
            "HW0501 at \"placd\": nobody publishes to the topic `placd` (did you mean `placed`?)",
        ]
    );
    assert_eq!(
        mail(&reads(r#""on": "shipped""#)),
        [
            "HW0501 at \"placed\": nobody reads the topic `placed` (an operation or a flow reads it with `on`)",
            "HW0501 at \"shipped\": nobody publishes to the topic `shipped` (-)",
        ]
    );
    // The one that is meant may have a reader already.
    let second = (r#""send":"#, r#""note": { "on": "placd", "args": ["order"] }, "send":"#);
    assert_eq!(
        mail(&[second]),
        ["HW0501 at \"placd\": nobody publishes to the topic `placd` (did you mean `placed`?)"]
    );
}

#[test]
fn what_is_true_of_several_strategies_is_said_once() {
    let three =
        [(r#"{ "tried": {} }"#, r#"{ "tried": {}, "other": { "write": "lock" }, "occ": {}, "weak": {} }"#)];
    let expect = r#"{ "tried": "holds", "other": "holds", "occ": "holds", "weak": "violated" }"#;
    let halfway = "HW0511 at \"tried\": the flow `book` writes to several services under `calls`";
    assert_eq!(marks(&trip("{}", expect, &three)), [format!("{halfway}, in `tried`, `other` and `occ`")]);
    let one = r#"{ "tried": "holds", "other": "violated", "occ": "violated", "weak": "violated" }"#;
    assert_eq!(marks(&trip("{}", one, &three)), [halfway]);
    // So are strategies that rewrite the file, and cases in which they are the same.
    let rewritten = [
        (r#"{ "tried": {} }"#, r#"{ "tried": {}, "other": { "rewrite": { "topics": {} } } }"#),
        (r#""expect""#, r#""cases": { "c": { "about": "the same" } }, "expect""#),
    ];
    let both = r#"{ "tried": "holds", "other": "holds" }"#;
    assert_eq!(marks(&trip("{}", both, &rewritten)), [format!("{halfway}, in `tried` and `other`")]);
    // What differs is said of each.
    let blind = (r#", "insert": { "held[trip]": { "n": 1 } }"#, "");
    let tried = r#"{ "extends": "saga", "idempotency": "key", "retry": { "attempts": 3 } }"#;
    let two = [
        (r#"{ "tried": {"#, r#"{ "again": { "extends": "saga", "retry": { "attempts": 2 } }, "tried": {"#),
        blind,
    ];
    let expect = r#"{ "tried": "holds", "again": "holds" }"#;
    let said = marks(&trip(tried, expect, &two));
    assert_eq!(
        said,
        ["HW0508 at \"again\": `hotel.hold` may be carried out once for every attempt, and nothing notices"]
    );
}

#[test]
fn policies_for_a_part_that_does_nothing_are_noticed() {
    let scoped = |part: &str| {
        let strategy =
            format!(r#"{{ "coordination": "saga", "where": {{ "{part}": {{ "idempotency": "key" }} }} }}"#);
        marks(&trip(&strategy, HOLDS, &[(r#""held": {}"#, r#""held": {}, "prices": {}"#)]))
    };
    let said = |part: &str| format!("HW0503 at \"{part}\": policies for `{part}` have nothing to govern");
    assert_eq!(scoped("hotel.prices"), [said("hotel.prices")]);
    assert_eq!(scoped("hotel.held"), NOTHING);
    assert_eq!(scoped("bank"), NOTHING);
    let idle = trip(
        r#"{ "coordination": "saga", "where": { "spare": { "idempotency": "key" } } }"#,
        HOLDS,
        &[(r#""home": {}"#, r#""home": {}, "spare": {}"#)],
    );
    assert_eq!(marks(&idle), [said("spare")]);
    // A case in which the table is written uses it, and so does a strategy that writes it.
    let written = trip(
        r#"{ "coordination": "saga", "where": { "hotel.prices": { "write": "patch" } } }"#,
        HOLDS,
        &[
            (r#""held": {}"#, r#""held": {}, "prices": {}"#),
            (
                r#""expect""#,
                r#""cases": { "c": { "services": { "hotel": { "operations": {
                "free": { "put": { "prices[1]": { "n": 1 } } } } } } } }, "expect""#,
            ),
        ],
    );
    assert_eq!(marks(&written), NOTHING);
}

#[test]
fn that_policies_have_nothing_to_govern_is_said_once_for_each_part() {
    let spares = [(r#""home": {}"#, r#""home": {}, "spare": {}, "other": {}"#)];
    let text = |strategies: &str| {
        let strategies = format!(r#"{{ "tried": {{ "coordination": "saga" }}, {strategies} }}"#);
        let put = [spares[0], (r#"{ "tried": {} }"#, strategies.as_str())];
        marks(&trip("{}", HOLDS, &put))
    };
    let key = |part: &str| format!(r#"{{ "where": {{ "{part}": {{ "idempotency": "key" }} }} }}"#);
    let said = "HW0503 at \"spare\": policies for `spare` have nothing to govern";
    let [spare, other] = [key("spare"), key("other")];
    assert_eq!(text(&format!(r#""a": {spare}"#)), [said]);
    assert_eq!(
        text(&format!(r#""a": {spare}, "b": {spare}"#)),
        [format!("{said}, here and in another place")]
    );
    assert_eq!(
        text(&format!(r#""a": {spare}, "b": {spare}, "c": {other}, "d": {spare}"#)),
        [
            format!("{said}, here and in 2 other places"),
            "HW0503 at \"other\": policies for `other` have nothing to govern".to_owned(),
        ]
    );
    // A strategy that extends another one has its scopes from there: that is one place.
    assert_eq!(text(&format!(r#""a": {spare}, "b": {{ "extends": "a" }}"#)), [said]);
}

#[test]
fn lints_of_strategies_can_be_silenced_by_their_codes() {
    let blind = [(r#", "insert": { "held[trip]": { "n": 1 } }"#, ""), (r#""skip": "!(trip in held)", "#, "")];
    let text = trip(SAGA, HOLDS, &blind);
    assert_eq!(marks(&text).len(), 3, "{:?}", marks(&text));
    assert_eq!(marks(&text.replacen('{', r#"{ "allow": ["HW0507", "HW0508"], "#, 1)), NOTHING);
}
