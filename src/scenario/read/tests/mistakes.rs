//! What people get wrong, and what is said about it.

use super::*;

#[test]
fn a_misspelt_operation_is_answered_with_the_one_meant() {
    assert_eq!(
        said(&small(&[("bank.pay('ana', 5)", "bank.bay('ana', 5)")])),
        "\
error[HW0301]: there is no operation `bank.bay`
 --> dir/s.json:9:35
  |
9 |   \"clients\": { \"shop\": { \"does\": \"bank.bay('ana', 5)\" } },
  |                                   ^^^^^^^^
  |
help: did you mean `bank.pay`?
"
    );
}

#[test]
fn a_text_in_a_field_of_numbers_is_shown_from_both_sides() {
    assert_eq!(
        said(&small(&[("accounts[who].balance - sum", "'nothing'")])),
        "\
error[HW0305]: this is a text, not a whole number
 --> dir/s.json:5:75
  |
3 |     \"tables\": { \"accounts\": { \"rows\": { \"ana\": { \"balance\": 100 } } }, \"moves\": {} },
  |                                                             --- here it is a whole number
4 |     \"operations\": {
5 |       \"pay\": { \"args\": [\"who\", \"sum\"], \"set\": { \"accounts[who].balance\": \"'nothing'\" } }
  |                                                                           ^^^^^^^^^
"
    );
}

/// What is said about a small file with these changes.
fn marked(put: &[(&str, &str)]) -> Vec<String> {
    marks(&small(put))
}

const SET: &str = r#""set": { "accounts[who].balance": "accounts[who].balance - sum" }"#;

/// The only thing that is said about the operation with this in place of its `set`.
fn operation(body: &str) -> String {
    let said = marked(&[(SET, body)]);
    assert_eq!(said.len(), 1, "{said:#?}");
    said.into_iter().next().unwrap()
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let said = marked(&[
        (r#""balance": 100"#, r#""balance": 1.5"#),
        ("'ana', 5", "'ana'"),
        (
            r#""faults": []"#,
            r#""faults": [ { "lose": "replay bank.pay" }, { "crash": "bnk", "at": "1ms", "for": "1ms" } ], "hael": "1s""#,
        ),
        (r#""naive": {}"#, r#""naive": { "write": "occc" }"#),
        (r#""expect": {}"#, r#""expect": { "niave": "holds", "naive": { "lost": "holds" } }"#),
    ]);
    assert_eq!(
        said,
        [
            "HW0207 at 1.5: `1.5` is not a whole number",
            "HW0308 at bank.pay: `bank.pay` takes 2 arguments, not 1",
            "HW0309 at replay: no point begins with `replay`",
            "HW0301 at bnk: there is no service or group of clients `bnk`",
            "HW0201 at \"hael\": the weather has no key `hael`",
            "HW0204 at \"occc\": `occc` is not a possible `write`",
            "HW0301 at \"niave\": there is no strategy `niave`",
            "HW0301 at \"lost\": there is no invariant `lost`",
        ]
        .map(|line| line.replace("the weather", "a weather"))
    );
}

#[test]
fn misspelled_arguments_of_an_operation_are_one_mistake() {
    assert_eq!(
        marked(&[(r#""args": ["who", "sum"]"#, r#""arg": ["who", "sum"]"#)]),
        ["HW0201 at \"arg\": an operation has no key `arg`"],
        "neither the body nor the callers miss them"
    );
}

#[test]
fn a_misspelled_kind_of_invariant_is_answered_with_the_one_meant() {
    let said = said(&small(&[(r#""invariants": {"#, r#""invariants": { "no-lost-updates": {}, "#)]));
    assert!(said.contains("there is no kind of invariant `no-lost-updates`"), "{said}");
    assert!(said.contains("did you mean `no-lost-update`?"), "{said}");
}

#[test]
fn addresses_name_what_their_verb_can_write() {
    let cases = [
        (
            r#""set": { "accounts[who]": "1" }"#,
            "HW0306 at \"accounts[who]\": `set` names the field that changes",
        ),
        (
            r#""put": { "accounts[who].balance": "1" }"#,
            "HW0306 at \"accounts[who].balance\": this names a field, and a row is meant",
        ),
        (r#""put": { "moves[]": {} }"#, "HW0306 at \"moves[]\": `put` names a key"),
        (r#""delete": "moves[]""#, "HW0306 at \"moves[]\": a fresh row cannot be removed"),
        (
            r#""insert": { "moves.filter(m, true)": {} }"#,
            "HW0306 at \"moves.filter(m, true)\": this names rows that are there already",
        ),
        (r#""set": { "accounts[who].id": "1" }"#, "HW0305 at id: the key of a row cannot be changed"),
        (
            r#""set": { "accounts[who].blance": "1" }"#,
            "HW0305 at blance: `bank.accounts` has no field `blance`",
        ),
        (r#""set": { "acounts[who].balance": "1" }"#, "HW0305 at acounts: `acounts` is not known here"),
        (
            r#""set": { "accounts[who].balance": "1", "accounts[ who ].balance": "2" }"#,
            "HW0303 at \"accounts[ who ].balance\": this field of the row is written twice",
        ),
        (
            r#""put": { "accounts[who]": { "id": "1" } }"#,
            "HW0312 at \"id\": `id` is the key of a row, not one of its fields",
        ),
        (
            r#""put": { "accounts[who]": "who" }"#,
            "HW0305 at who: this is no record, or too little is known about it",
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(operation(body), expected, "{body}");
    }
}

#[test]
fn names_are_names_and_stand_for_one_thing() {
    let cases: [(&[(&str, &str)], &str); 8] = [
        (
            &[(r#""moves": {}"#, r#""the moves": {}"#)],
            "HW0302 at \"the moves\": `the moves` cannot be a name here",
        ),
        (
            &[(r#"["who", "sum"]"#, r#"["who", "sum", "sum"]"#), ("'ana', 5", "'ana', 5")],
            "HW0303 at \"sum\": the argument `sum` is there twice",
        ),
        (
            &[(r#"["who", "sum"]"#, r#"["who", "sum", "now"]"#)],
            "HW0302 at \"now\": `now` has a meaning of its own here",
        ),
        (
            &[(SET, r#""let": { "sum": "1" }"#)],
            "HW0303 at \"sum\": `sum` stands for something else here already",
        ),
        (
            &[(SET, r#""let": { "accounts": "1" }"#)],
            "HW0303 at \"accounts\": `accounts` stands for something else here already",
        ),
        (
            &[(r#"["who", "sum"]"#, r#"["who", "sum", "moves"]"#), ("'ana', 5", "'ana', 5, 1")],
            "HW0303 at \"moves\": `moves` is an argument and a table of the service",
        ),
        (
            &[(r#""does":"#, r#""with": { "client": 1 }, "does":"#)],
            "HW0302 at \"client\": `client` has a meaning of its own here",
        ),
        (
            &[
                (r#""shop": {"#, r#""bank": {"#),
                (r#""naive": {}"#, r#""naive": { "where": { "bank": { "retry": { "attempts": 2 } } } }"#),
            ],
            "HW0303 at \"bank\": `bank` is a service and a group of clients",
        ),
    ];
    for (put, expected) in cases {
        assert_eq!(marked(put), [expected]);
    }
}

#[test]
fn rows_have_keys_of_one_kind_and_plain_values() {
    let rows = |rows: &str| marked(&[(r#"{ "ana": { "balance": 100 } }"#, rows)]);
    let said = rows(r#"{ "ana": { "balance": 1 }, "7": { "balance": 1 } }"#);
    assert_eq!(said, ["HW0311 at \"7\": some keys of this table are numbers and some are texts"]);
    let said = rows(r#"{ "ana": { "balance": "much" } }"#);
    assert_eq!(said, ["HW0305 at sum: this is a text, not a whole number"].map(|_| said[0].clone()));
    assert!(said[0].starts_with("HW0305"), "{said:?}");
    let said = marked(&[
        (r#"{ "ana": { "balance": 100 } }"#, r#"{ "1..3": { "balance": 1 }, "2": {}, "5..4": {} }"#),
        ("'ana', 5", "1, 5"),
    ]);
    assert_eq!(
        said,
        [
            "HW0311 at \"2\": `2` stands for a row that is there already",
            "HW0311 at \"5..4\": the range ends before it begins"
        ]
    );
    let said = marked(&[(
        r#""rows": { "ana""#,
        r#""fields": { "balance": 0 }, "rows": { "bo": { "balnce": 1 }, "ana""#,
    )]);
    assert_eq!(said, ["HW0312 at \"balnce\": the table `bank.accounts` has no field `balnce`"]);
    let said = marked(&[(r#""moves": {}"#, r#""moves": { "rows": { "1..999999": { "n": 1 } } }"#)]);
    assert_eq!(said, ["HW0313 at \"1..999999\": the tables start with more than 100000 rows"]);
}

#[test]
fn flows_end_and_their_steps_hold_together() {
    let flow = |flow: &str| {
        marked(&[
            (r#""flows": {}"#, &format!(r#""flows": {{ "f": {flow} }}"#)),
            ("bank.pay('ana', 5)", "f()"),
        ])
    };
    let steps = |steps: &str| flow(&format!(r#"{{ "by": "bank", "steps": [{steps}] }}"#));
    assert_eq!(steps(r#"{ "do": "f()" }"#), ["HW0314 at \"f\": the flow `f` calls itself"]);
    assert_eq!(steps(""), ["HW0315 at \"f\": a flow has at least one step"]);
    assert_eq!(steps(r#"{ "wait": "1ms", "as": "x" }"#), ["HW0315 at \"as\": a pause has no `as`"]);
    assert_eq!(
        steps(r#"{ "do": "bank.pay('ana', 1)", "wait": "1ms" }"#),
        ["HW0208 at \"wait\": a step cannot have both `do` and `wait`"]
    );
    assert_eq!(
        steps(r#"{ "do": "bank.pay('ana', got)", "as": "got" }"#),
        ["HW0305 at got: `got` is not known here"]
    );
    assert_eq!(
        flow(r#"{ "on": "t", "steps": [ { "wait": "1ms" } ] }"#)[0],
        "HW0315 at \"on\": a flow that events start needs a service that runs it"
    );
    assert_eq!(
        flow(r#"{ "by": "bnak", "steps": [ { "wait": "1ms" } ] }"#),
        ["HW0301 at \"bnak\": there is no service `bnak`"]
    );
}

#[test]
fn clients_need_something_to_do_and_values_to_do_it_with() {
    let clients = |clients: &str| marked(&[(r#"{ "does": "bank.pay('ana', 5)" }"#, clients)]);
    let with = |with: &str| {
        let all = clients(&format!(r#"{{ "does": "bank.pay('ana', 5)", "with": {{ "x": {with} }} }}"#));
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    };
    assert_eq!(
        clients("{}").iter().filter(|line| line.starts_with("HW0202")).collect::<Vec<_>>(),
        ["HW0202 at \"shop\": a group of clients needs something to do"]
    );
    assert_eq!(with(r#""unqiue('o')""#), "HW0316 at unqiue('o'): `unqiue` makes no values");
    assert_eq!(
        with(r#""uniform(3, 1)""#),
        "HW0316 at uniform(3, 1): `uniform` takes two numbers, the lesser first"
    );
    assert_eq!(with(r#""pick()""#), "HW0316 at pick(): there is nothing to choose from");
    assert_eq!(with(r#""pick('a', 1)""#), "HW0305 at 1: this is a whole number, not a text");
    assert_eq!(with(r#""ana""#), "HW0316 at ana: only a constant can stand here");
    assert!(with(r#""zipf(1, 2)""#).starts_with("HW0316 at \"zipf(1, 2)\": `zipf` takes two numbers"));
    assert_eq!(
        clients(
            r#"{ "does": "bank.pay('ana', 5)", "script": [ { "at": "2ms", "do": "bank.pay('ana', 5)" }, { "at": "1ms", "do": "bank.pay('ana', 5)" } ] }"#
        ),
        [
            "HW0315 at \"does\": `does` has no meaning beside `script`",
            "HW0319 at \"1ms\": this intent starts before the one above"
        ]
    );
}

#[test]
fn faults_say_one_thing_about_something_that_is_there() {
    let fault = |fault: &str| {
        let all = marked(&[(r#""faults": []"#, &format!(r#""faults": [ {{ {fault} }} ]"#))]);
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    };
    let cases = [
        (r#""lose": "reply bank.bay""#, "HW0301 at bank.bay: there is no operation or flow `bank.bay`"),
        (r#""lose": "event paid""#, "HW0301 at paid: there is no topic `paid`"),
        (r#""lose": "commit bank.pay""#, "HW0309 at \"commit bank.pay\": `commit bank.pay` is no message"),
        (r#""lose": "shop -> bnak""#, "HW0301 at bnak: there is no service or group of clients `bnak`"),
        (
            r#""lose": "reply bank.pay", "delay": "reply bank.pay""#,
            "HW0208 at \"delay\": a fault cannot have both `lose` and `delay`",
        ),
        (r#""lose": "reply bank.pay", "for": "1ms""#, "HW0315 at \"for\": `lose` has no `for`"),
        (r#""delay": "reply bank.pay", "for": "ever""#, "HW0205 at \"ever\": what is late for ever is lost"),
        (r#""crash": "bank", "at": "1ms""#, "HW0202 at {: how long does it last?"),
        (
            r#""crash": "bank#2", "at": "1ms", "for": "1ms""#,
            "HW0310 at bank#2: `bank` has no replica of that number",
        ),
        (
            r#""crash": "bank", "at": "1ms", "for": "1ms", "nth": 1"#,
            "HW0315 at \"nth\": `nth` counts within an intent, and `at` is on the clock",
        ),
        (
            r#""crash": "bank", "every": "0ms", "for": "1ms""#,
            "HW0205 at \"0ms\": it would strike without end at one instant",
        ),
        (r#""cut": "bank", "at": "1ms", "for": "1ms""#, "HW0310 at \"bank\": `bank` is not a link"),
        (r#""refuse": "bank", "reason": "no""#, "HW0301 at bank: there is no operation `bank`"),
        (
            r#""lose": "reply bank.pay", "when": "sum > 'a'""#,
            "HW0305 at 'a': this is a text, not a whole number",
        ),
        (r#""crash": "bank", "at": "2s", "for": "1ms""#, "HW0502 at {: this fault can never strike"),
    ];
    for (written, expected) in cases {
        let said = fault(written);
        let said = said.replace(&format!("{{ {written} }}"), "{");
        assert_eq!(said, expected, "{written}");
    }
    let end = |end: &str| marked(&[(r#""faults": []"#, &format!(r#""heal": "2s", "end": "{end}""#))]);
    assert_eq!(end("1s"), ["HW0319 at \"1s\": the run ends before it heals, at 2s"]);
    assert_eq!(end("heal + 5"), ["HW0205 at 5: a time needs its unit"]);
    assert!(end("heal + 5s").is_empty() && end("5s").is_empty());
}

#[test]
fn strategies_say_what_somebody_listens_to() {
    let strategy = |strategy: &str| marked(&[(r#""naive": {}"#, &format!(r#""s": {strategy}"#))]);
    let cases = [
        (r#"{ "extends": "hardend" }"#, "HW0301 at \"hardend\": there is no strategy `hardend`"),
        (r#"{ "extends": "s" }"#, "HW0314 at \"s\": the strategy `s` extends itself"),
        (r#"{ "write": { "tries": 3 } }"#, "HW0317 at \"tries\": `tries` says nothing to `absolute`"),
        (
            r#"{ "where": { "bank.pax": { "write": "occ" } } }"#,
            "HW0301 at \"bank.pax\": there is no part of the scenario `bank.pax`",
        ),
        (
            r#"{ "where": { "shop": { "write": "occ" } } }"#,
            "HW0318 at \"write\": `write` governs nothing in `shop`",
        ),
        (
            r#"{ "where": { "bank.pay": { "coordination": "saga" } } }"#,
            "HW0318 at \"coordination\": `coordination` governs nothing in `bank.pay`",
        ),
        (
            r#"{ "retry": { "backoff": "period" } }"#,
            "HW0315 at \"period\": with a `period` of nothing, all repetitions are sent at once",
        ),
        (
            r#"{ "idempotency": { "use": "key", "key": "order" } }"#,
            "HW0305 at order: this key means nothing to `bank.pay`",
        ),
    ];
    for (written, expected) in cases {
        assert_eq!(strategy(written), [expected], "{written}");
    }
    let circle = r#""a": { "extends": "b" }, "b": { "extends": "a" }"#;
    let said = marked(&[(r#""naive": {}"#, circle)]);
    assert_eq!(said.len(), 2, "{said:?}");
    let star = marked(&[(r#""naive": {}"#, r#""*": { "extends": "saga" }"#)]);
    assert_eq!(star, ["HW0315 at \"extends\": `*` holds for every strategy and has no `extends`"]);
    let homeless = marked(&[
        (r#""flows": {}"#, r#""flows": { "f": { "steps": [ { "do": "bank.pay('ana', 1)" } ] } }"#),
        ("bank.pay('ana', 5)", "f()"),
        (r#""naive": {}"#, r#""s": { "where": { "f": { "coordination": "saga" } } }"#),
    ]);
    assert_eq!(
        homeless,
        ["HW0318 at \"coordination\": the flow `f` has no `by`: it runs at its caller, by calls"]
    );
}

#[test]
fn invariants_and_expectations_are_about_what_is_there() {
    let invariant = |invariant: &str| marked(&[(r#""no-lost-update": {}"#, invariant)]);
    let cases = [
        (r#""x": {}"#, "HW0208"),
        (
            r#""x": { "always": "true", "at_rest": "true" }"#,
            "HW0208 at \"at_rest\": an invariant cannot have both `always` and `at_rest`",
        ),
        (
            r#""x": { "always": "bank.accounts['ana'].blance >= 0" }"#,
            "HW0305 at blance: `bank.accounts` has no field `blance`",
        ),
        (
            r#""x": { "always": "bank.accounts['ana'].balance" }"#,
            "HW0305 at bank.accounts['ana'].balance: this is a whole number, not a boolean",
        ),
        (
            r#""x": { "at-most-one": "bank.accounts", "per": "blance" }"#,
            "HW0301 at \"blance\": there is no field `blance`",
        ),
        (r#""x": { "at-most-one": "bank.accounts" }"#, "HW0202 at \"x\": the invariant needs `per`"),
        (
            r#""x": { "at-most-one": "accounts", "per": "balance" }"#,
            "HW0301 at \"accounts\": there is no table `accounts`",
        ),
        (r#""x": { "all-or-nothing": "buy" }"#, "HW0301 at \"buy\": there is no flow `buy`"),
        (r#""x": { "always": "true", "per": "balance" }"#, "HW0315 at \"per\": `always` has no `per`"),
        (r#""x": { "always": "now > now" }"#, "HW0305 at now: `now` is not known here"),
        (r#""x": { "always": "count.lost == 0" }"#, "HW0305 at count: `count` is not known here"),
        (
            r#""x": { "per_intent": "intent == intent" }"#,
            "HW0305 at \"x\": `intent` and `intent.args` by themselves are no values",
        ),
        (
            r#""facts": { "always": "true" }"#,
            "HW0302 at \"facts\": `facts` has a meaning of its own in `expect`",
        ),
    ];
    for (written, expected) in cases {
        let said = invariant(written);
        assert_eq!(said.len(), 1 + said.iter().skip(1).filter(|line| **line == said[0]).count(), "{said:?}");
        assert!(said[0].starts_with(expected), "{written}: {said:?}");
    }
    let expect = |expect: &str| marked(&[(r#""expect": {}"#, &format!(r#""expect": {{ {expect} }}"#))]);
    assert_eq!(expect(r#""naive": "hold""#), ["HW0204 at \"hold\": `hold` is not a verdict"]);
    assert_eq!(
        expect(r#""naive": { "facts": ["count.lots == 0"] }"#),
        ["HW0305 at lots: `lots` is not counted"]
    );
    assert_eq!(
        expect(r#""naive": { "facts": "true" }"#),
        ["HW0203 at \"true\": facts are a list of expressions"]
    );
}

#[test]
fn what_should_be_looked_at_is_a_warning_and_can_be_silenced() {
    let text = small(&[
        (
            SET,
            r#""require": "sum > 0", "publish": { "paid": { "sum": "sum" } }, "insert": { "moves[]": { "n": 1 } }"#,
        ),
        (
            r#""flows": {}"#,
            r#""flows": { "f": { "by": "bank", "steps": [ { "do": "bank.pay('ana', 1)" },
             { "do": "bank.pay('ana', 2)", "class": "compensatable" } ] } }"#,
        ),
        (r#""naive": {}"#, r#""saga": {}"#),
        (r#""no-lost-update": {}"#, r#""rich": { "always": "bank.accounts['ana'].balance > 0" }"#),
    ]);
    let codes = |text: &str| -> Vec<String> {
        let scenario = good(text);
        scenario.warnings.iter().map(|problem| format!("{} {}", problem.code, problem.message)).collect()
    };
    assert_eq!(
        codes(&text),
        [
            "HW0501 nobody reads the topic `paid`",
            "HW0503 nothing leads to the flow `f`",
            "HW0505 this step is repeated until it succeeds, and may be refused",
            "HW0504 this step has no `undo`",
            "HW0506 nobody writes what this invariant is about: bank.accounts",
        ]
    );
    let silenced = text.replacen('{', r#"{ "allow": ["HW0501", "hw0503", "HW0504", "HW0505"], "#, 1);
    assert_eq!(codes(&silenced), ["HW0506 nobody writes what this invariant is about: bank.accounts"]);
    let unknown = text.replacen('{', r#"{ "allow": ["HW0101"], "#, 1);
    assert_eq!(
        marks(&unknown).iter().filter(|line| line.starts_with("HW0301")).collect::<Vec<_>>(),
        ["HW0301 at \"HW0101\": there is no warning `HW0101`"]
    );
}

#[test]
fn what_one_rewrite_uses_is_not_unused() {
    let unused = small(&[(r#""pay":"#, r#""old": {}, "pay":"#)]);
    assert_eq!(marks(&unused), ["HW0503 at \"old\": nothing leads to the operation `bank.old`"]);
    let used = unused.replace(
        r#""naive": {}"#,
        r#""naive": {}, "old": { "rewrite": { "services": { "bank": { "operations": { "old": { "on": "t" }, "pay": { "publish": { "t": {} } } } } } } }"#,
    );
    assert_eq!(marks(&used), [""; 0]);
}

#[test]
fn a_mistake_in_a_rewrite_or_a_case_is_shown_where_it_stands() {
    let text = small(&[(
        r#""naive": {}"#,
        r#""mine": { "rewrite": { "services": { "bank": { "operations": { "pay": { "args": ["who"] } } } } } }"#,
    )]);
    assert_eq!(
        marks(&text),
        [
            "HW0305 at sum: `sum` is not known here",
            "HW0308 at bank.pay: `bank.pay` takes 1 argument, not 2"
                .replace("1 argument", "one argument")
                .as_str()
        ]
    );
    let text =
        small(&[(r#""expect": {}"#, r#""cases": { "c": { "clients": { "shop": { "count": "two" } } } }"#)]);
    assert_eq!(marks(&text), ["HW0203 at \"two\": `count` must be a whole number, not a text"]);
}

/// The small file with an invariant over each intent, and a second operation with arguments of its own.
fn per_intent(expr: &str) -> String {
    small(&[
        (
            r#""pay":"#,
            r#""rename": { "args": ["who", "sum"], "put": { "moves[who]": { "name": "sum == 'x'" } } }, "pay":"#,
        ),
        (
            r#""does": "bank.pay('ana', 5)""#,
            r#""does": { "bank.pay('ana', 5)": 1, "bank.rename('ana', 'x')": 1 }"#,
        ),
        (r#""no-lost-update": {}"#, &format!(r#""i": {{ "per_intent": "{expr}" }}"#)),
    ])
}

#[test]
fn arguments_of_intents_are_those_of_what_clients_call_and_of_one_type() {
    assert_eq!(marks(&per_intent("intent.args.who == 'ana'")), [""; 0]);
    assert_eq!(
        marks(&per_intent("intent.args.whom == 'ana'")),
        ["HW0305 at whom: no intent has an argument `whom`"]
    );
    // A number in one and a text in the other: nobody could say what is meant.
    let said = marks(&per_intent("intent.args.sum == 5"));
    assert!(said.iter().any(|said| said.starts_with("HW0305 at sum:")), "{said:?}");
    assert_eq!(
        marks(&per_intent("intent.args == intent.args")),
        ["HW0305 at \"i\": `intent` and `intent.args` by themselves are no values"]
    );
}

#[test]
fn an_invariant_is_demanded_or_left_out() {
    for kind in ["outcome-agrees", "every-intent-ends", "failed-has-no-effect", "no-leak", "no-lost-update"] {
        let with = |value: &str| {
            let named = format!(r#""weather": {{}}, "invariants": {{ "named": {{ "{kind}": {value} }} }}"#);
            let text = r#"{ "services": { "s": { "tables": { "t": { "rows": { "x": { "n": 0 } } } },
              "operations": { "o": { "set": { "t['x'].n": "1" } } } } }, "clients": { "c": { "does": "s.o()" } }, REST }"#;
            marks(&text.replace("REST", &named))
        };
        assert_eq!(with("false"), ["HW0203 at false: an invariant is demanded or left out"], "{kind}");
        assert!(with("true").is_empty() && with("{}").is_empty(), "{kind}");
    }
}

#[test]
fn what_belongs_to_a_policy_of_a_later_version_says_nothing_to_that_of_this_one() {
    let strategy = |strategy: &str| marked(&[(r#""naive": {}"#, &format!(r#""s": {strategy}"#))]);
    let cases = [
        (r#"{ "consume": { "window": "1s" } }"#, "HW0317 at \"window\": `window` says nothing to `arrival`"),
        (
            r#"{ "where": { "bank": { "consume": { "scope": "field" } } } }"#,
            "HW0317 at \"scope\": `scope` says nothing to `arrival`",
        ),
        (r#"{ "isolation": { "lease": "1s" } }"#, "HW0317 at \"lease\": `lease` says nothing to `none`"),
    ];
    for (written, expected) in cases {
        assert_eq!(strategy(written), [expected], "{written}");
    }
    assert!(strategy(r#"{ "consume": { "ack": "after" } }"#).is_empty());
}
