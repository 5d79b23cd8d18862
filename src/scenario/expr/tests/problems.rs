//! The problems an author gets to read.

use super::super::ast::Kind;
use super::super::{LONGEST, is_field, is_name, parse};
use super::problems;

#[test]
fn unknown_things_are_named_with_what_was_probably_meant() {
    problems(&[
        ("itm == 'lamp'", &["itm: `itm` is not known here (did you mean `item`?)"]),
        ("item == lamp", &["lamp: `lamp` is not known here (a text stands in quotes: 'lamp')"]),
        ("stock[item].fre", &["fre: `stock` has no field `fre` (did you mean `free`?)"]),
        ("shop.stok.size()", &["stok: `shop` has no table `stok` (did you mean `stock`?)"]),
        ("count.los", &["los: `los` is not counted (did you mean `lost`?)"]),
        ("event.tim", &["tim: an event carries no `tim` (did you mean `time`?)"]),
        ("stock.exist(s, true)", &["exist: there is no method `exist` (did you mean `exists`?)"]),
        ("len(stock)", &["len: there is no function `len` (there are size, has, duration)"]),
        ("sum([1])", &["sum: there is no function `sum` (it follows a list: list.sum(…))"]),
        ("stock.free", &["stock: `stock` is a table; a field belongs to a row (name the row: [key].free)"]),
        ("count", &["count: `count` is no value (choose what is counted: count.lost)"]),
        ("stock[]", &["stock[]: a key is missing (t[] names a row to be inserted, not one to be read)"]),
        ("stock.all(s)", &["stock.all(s): `all` takes 2 arguments, not 1"]),
        ("[1].map(x)", &["[1].map(x): `map` takes 2 or 3 arguments, not 1"]),
        ("stock.sum()", &["stock.sum(): rows have no `sum` (choose a column: .map(r, r.column).sum())"]),
        ("stock.all(1, true)", &["1: the name of a variable should stand here (t.all(r, r.field > 0))"]),
        (
            "duration('5 ms')",
            &[
                "'5 ms': `5 ms` is no length of time (a whole number and one of ns us ms s min h d, as in '5ms')",
            ],
        ),
        ("has(qty)", &["qty: has() asks for a field (has(row.field); whether a row is there: key in table)"]),
    ]);
}

#[test]
fn all_problems_are_reported_at_once() {
    problems(&[(
        "itm == 1 && stock[item].fre > 'a' && qty",
        &[
            "itm: `itm` is not known here (did you mean `item`?)",
            "fre: `stock` has no field `fre` (did you mean `free`?)",
            ">: a text has no order",
            "qty: this is a whole number, not a boolean",
        ],
    )]);
}

#[test]
fn types_that_do_not_fit_are_problems_at_load() {
    problems(&[
        ("qty == 'three'", &["'three': this is a text, not a whole number"]),
        ("item < 'b'", &["<: a text has no order"]),
        ("item + 'b'", &["item + 'b': a text cannot be added to anything"]),
        ("qty + now", &["qty + now: this is a point of time, not a whole number"]),
        ("now + now", &["now + now: this is a point of time, not a length of time"]),
        ("now < duration('1s')", &["duration('1s'): this is a length of time, not a point of time"]),
        ("[1, 'a']", &["'a': this is a text, not a whole number"]),
        ("qty ? 1 : 2", &["qty: this is a whole number, not a boolean"]),
        ("true ? 1 : 'a'", &["'a': this is a text, not a whole number"]),
        ("stock[3].free", &["3: this is a whole number, not a text"]),
        ("3 in stock", &["3: this is a whole number, not a text"]),
        ("qty.field", &["qty.field: this is a whole number, not a record of field"]),
        ("{'a': 1}.b", &["{'a': 1}.b: this record has no field `b`"]),
        ("{'a': 1} == {'b': 1}", &["{'b': 1}: this record has no field `a`"]),
        ("!qty", &["qty: this is a whole number, not a boolean"]),
        ("item.size()", &["item: this is a text, not a list"]),
        ("{a: 1}", &["a: the name of a field stands in quotes (write 'a')"]),
    ]);
}

#[test]
fn what_is_no_expression_is_said_plainly() {
    let cases = [
        ("", "0..0: an expression is missing"),
        ("1 +", "3..3: the expression ends too early"),
        ("a = 1", "2..3: the expression should end here"),
        ("a b", "2..3: the expression should end here"),
        ("(1", "2..2: `)` should stand here"),
        ("1.5", "0..3: there are no fractions"),
        ("5ms", "0..3: a time is no literal"),
        ("'abc", "0..4: this text does not end"),
        ("'a\\q'", "2..4: this escape means nothing"),
        ("a & b", "2..3: '&' means nothing in an expression"),
        ("for", "0..3: `for` is a reserved word"),
        ("r'x'", "0..1: texts have no prefix here"),
        ("1u", "0..2: there are no unsigned numbers"),
        ("a ? b", "5..5: `:` should stand here"),
        ("a.1", "2..3: a name should follow the dot"),
    ];
    for (text, expected) in cases {
        let found = parse(text).unwrap_err();
        let said: Vec<String> =
            found.iter().map(|p| format!("{}..{}: {}", p.range.start, p.range.end, p.message)).collect();
        assert_eq!(said.first().map(String::as_str), Some(expected), "{text}");
    }
}

#[test]
fn names_are_what_the_parser_reads_as_such() {
    let long = |length| "n".repeat(length);
    let (most, more) = (long(LONGEST), long(LONGEST + 1));
    let (field, longer_field) = (long(LONGEST - 2), long(LONGEST - 1));
    let odd = [
        "", " a", "a ", "(a)", "a.b", "a[b]", "1a", "a1", "_", "é", "aé", "a-b", "'a'", "b'a'", "a//", "x()",
    ];
    let words = ["in", "true", "false", "null", "let", "if", "var", "int", "In", "now", "event", "order"];
    for text in odd.into_iter().chain(words).chain([&*most, &*more, &*field, &*longer_field]) {
        let name = parse(text).is_ok_and(|ast| matches!(ast.kind, Kind::Name(read) if read == text));
        assert_eq!(is_name(text), name, "{text} by itself");
        let of = parse(&format!("x.{text}"));
        let field = of.is_ok_and(|ast| matches!(ast.kind, Kind::Select { name, .. } if name.text == text));
        assert_eq!(is_field(text), field, "{text} after a dot");
    }
}
