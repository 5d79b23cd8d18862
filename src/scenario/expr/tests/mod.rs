//! Expressions from text to value: CEL's own meaning where it has one, the documented differences, and the problems an
//! author gets to read.

use std::collections::BTreeMap;

use super::*;
use crate::model::expr::testing::World;
use crate::model::expr::{Code, Delta, Expr, ExprKind, Failure, Fold, Scratch, View, eval, relative};
use crate::model::ids::TableId;
use crate::model::symbols::Symbols;
use crate::model::value::{NULL, Type, Word};

mod bounds;
mod files;
mod problems;

const STOCK: TableId = TableId(0);

/// A shop with `stock` (lamp: 10 free at 30, rug: 0 free, its price unknown) and an empty table `orders`; arguments
/// `item` = 'lamp', `qty` = 3, `gone` = 'sofa', `who` = null, and `when` = 1ms.
struct Shop {
    symbols: Symbols,
    types: Types,
    names: Names,
    world: World,
    locals: Vec<Word>,
}

impl Shop {
    fn new() -> Self {
        let mut symbols = Symbols::new();
        let mut types = Types::new();
        let stock = types.add_table("stock");
        let orders = types.add_table("orders");
        let declare = |types: &mut Types, table, name: &str, scalar| {
            let column = types.add_column(table, name);
            let ty = types.scalar(scalar, Some(Place { source: 900, range: 0..0 }));
            let column = types.column_type(table, column);
            types.unify(ty, column, &Place { source: 900, range: 0..0 }).unwrap();
        };
        declare(&mut types, stock, "id", Scalar::Text);
        declare(&mut types, stock, "free", Scalar::Int);
        declare(&mut types, stock, "price", Scalar::Int);
        declare(&mut types, orders, "item", Scalar::Text);
        let [lamp, rug, sofa] = ["lamp", "rug", "sofa"].map(|text| symbols.intern(text));
        let rows = BTreeMap::from([(lamp, vec![10, 30]), (rug, vec![0, NULL])]);
        let world = World { tables: vec![rows, BTreeMap::new()], ..World::default() };
        let mut names = Names::new();
        names.bind("stock", Binding::Table(stock));
        names.bind("orders", Binding::Table(orders));
        names.add_service("shop", vec![("stock".into(), stock), ("orders".into(), orders)]);
        names.bind("it", Binding::Row { var: 0, table: stock });
        names.bind("now", Binding::Now);
        names.bind("event", Binding::Event);
        names.bind("count", Binding::Count);
        let scalars = [Scalar::Text, Scalar::Int, Scalar::Text, Scalar::Text, Scalar::Instant];
        let args = ["item", "qty", "gone", "who", "when"];
        for (slot, (name, scalar)) in args.into_iter().zip(scalars).enumerate() {
            let ty = types.scalar(scalar, Some(Place { source: 901, range: 0..4 }));
            names.bind(name, Binding::Local { slot: slot as u16, ty });
        }
        Shop { symbols, types, names, world, locals: vec![lamp, 3, sofa, NULL, 1_000_000] }
    }

    fn tree(&mut self, text: &str) -> Result<Expr, Vec<String>> {
        let said = |problems: Vec<Problem>| -> Vec<String> {
            let words = |p: Problem| {
                let place = text.get(p.place.range.start as usize..p.place.range.end as usize);
                let hint = p.hint.map_or(String::new(), |hint| format!(" ({hint})"));
                format!("{}: {}{hint}", place.unwrap_or("?"), p.message)
            };
            problems.into_iter().map(words).collect()
        };
        let ast = parse(text).map_err(|problems| {
            problems
                .into_iter()
                .map(|p| format!("{}..{}: {}", p.range.start, p.range.end, p.message))
                .collect::<Vec<_>>()
        })?;
        let draft = resolve(&ast, 1, &self.names, &mut self.types, None).map_err(said)?;
        let problems = self.types.settle();
        if !problems.is_empty() {
            return Err(said(problems));
        }
        finish(&draft, &self.types, &mut self.symbols).map_err(said)
    }

    /// The value as an expression writes it, or the failure and the text it points at.
    fn run(&mut self, text: &str) -> Result<String, (Failure, String)> {
        let tree = self.tree(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        let code = Code::compile(&tree);
        let mut scratch = Scratch::new();
        scratch.bind_row(0, self.world.find(STOCK, 0).unwrap());
        match eval(&code, &self.locals, &mut self.world, &mut scratch) {
            Ok(word) => Ok(self.symbols.show(word, &tree.ty, &self.world.heap)),
            Err(failure) => {
                let span = code.failed_span(&scratch);
                Err((failure, text[span.start as usize..span.end as usize].to_owned()))
            }
        }
    }
}

#[track_caller]
fn values(cases: &[(&str, &str)]) {
    let mut shop = Shop::new();
    for (text, expected) in cases {
        assert_eq!(shop.run(text).as_deref(), Ok(*expected), "{text}");
    }
}

#[track_caller]
fn failures(cases: &[(&str, Failure, &str)]) {
    let mut shop = Shop::new();
    for (text, failure, place) in cases {
        assert_eq!(shop.run(text), Err((*failure, place.to_string())), "{text}");
    }
}

#[track_caller]
fn problems(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        let found = Shop::new().tree(text).map(|tree| tree.kind);
        let expected: Vec<String> = expected.iter().map(|problem| problem.to_string()).collect();
        assert_eq!(found, Err(expected), "{text}");
    }
}

#[test]
fn operators_bind_as_in_cel() {
    values(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("100 / 10 / 2", "5"),
        ("-2 * -3", "6"),
        ("- - 5", "5"),
        ("-(1 + 1)", "-2"),
        ("2 + 3 == 5 && 1 < 2", "true"),
        ("true || false && false", "true"),
        ("(true || false) && false", "false"),
        ("!false && true", "true"),
        ("!(1 == 2)", "true"),
        ("!!true", "true"),
        ("true ? 1 : false ? 2 : 3", "1"),
        ("false ? 1 : false ? 2 : 3", "3"),
        ("1 == 1 ? 'a' : 'b'", "'a'"),
        ("false == false == true", "true"),
        ("1 in [1, 2] == true", "true"),
        ("1 + 1 in [2]", "true"),
        ("0x1F", "31"),
        ("'\\u0041' == 'A' && \"it's\" == 'it\\'s'", "true"),
    ]);
}

#[test]
fn division_is_towards_zero_and_the_remainder_has_the_sign_of_the_left() {
    values(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 / -2", "-3"),
        ("7 % 3", "1"),
        ("-7 % 3", "-1"),
        ("7 % -3", "1"),
    ]);
    failures(&[
        ("1 / (qty - 3)", Failure::DivideByZero, "1 / (qty - 3)"),
        ("1 % 0", Failure::DivideByZero, "1 % 0"),
    ]);
}

#[test]
fn arithmetic_overflows_rather_than_wraps_and_never_yields_null() {
    let largest = "9223372036854775807";
    values(&[(largest, largest), (&format!("-{largest}"), &format!("-{largest}"))]);
    failures(&[
        (&format!("{largest} + 1"), Failure::Overflow, &format!("{largest} + 1")),
        (&format!("-{largest} - 1"), Failure::Overflow, &format!("-{largest} - 1")),
        (&format!("qty * {largest}"), Failure::Overflow, &format!("qty * {largest}")),
    ]);
    problems(&[("9223372036854775808", &["0..19: this number does not fit 64 bits"])]);
}

#[test]
fn one_side_that_decides_absorbs_the_failure_of_the_other() {
    values(&[
        ("false && 1 / 0 == 1", "false"),
        ("1 / 0 == 1 && false", "false"),
        ("true || 1 / 0 == 1", "true"),
        ("1 / 0 == 1 || true", "true"),
        ("(1 / 0 == 1 && true) || true", "true"),
        ("stock[gone].free > 0 && qty == 4", "false"),
        ("stock[gone].free > 0 || qty == 3", "true"),
        ("stock[gone].free > 0 && 1 / 0 == 1 && qty == 4", "false"),
        ("qty == 4 ? stock[gone].free : 7", "7"),
        ("null && false", "false"),
    ]);
    failures(&[
        ("1 / 0 == 1 && true", Failure::DivideByZero, "1 / 0"),
        ("true && 1 / 0 == 1", Failure::DivideByZero, "1 / 0"),
        ("false || stock[gone].free > 0", Failure::Missing(STOCK), "stock[gone].free"),
        ("stock[gone].free > 0 && 1 / 0 == 1", Failure::Missing(STOCK), "stock[gone].free"),
        ("null && true", Failure::NullOperand, "null"),
        ("stock[gone].free > 0 ? 1 : 2", Failure::Missing(STOCK), "stock[gone].free"),
    ]);
}

#[test]
fn all_and_exists_absorb_failing_rows_like_long_conjunctions() {
    // The price of the rug is null.
    values(&[
        ("stock.exists(s, s.price > 20)", "true"),
        ("stock.all(s, s.price > 40)", "false"),
        ("[0, 1, 2].exists(x, 2 / x == 2)", "true"),
        ("[0, 1, 2].all(x, 2 / x == 2)", "false"),
        ("[].all(x, 1 / x == 0)", "true"),
        ("[].exists(x, 1 / x == 0)", "false"),
        ("[1, 2, 2].exists_one(x, x == 1)", "true"),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("[0, 1].exists(x, [0, 1].all(y, y / x == y))", "true"),
    ]);
    failures(&[
        ("stock.all(s, s.price > 20)", Failure::NullOperand, "s.price > 20"),
        ("stock.exists(s, s.price > 40)", Failure::NullOperand, "s.price > 40"),
        ("[0, 1].exists_one(x, 1 / x == 1)", Failure::DivideByZero, "1 / x"),
        ("[1, 0].map(x, 1 / x)", Failure::DivideByZero, "1 / x"),
        ("[1, 0].filter(x, 1 / x == 1)", Failure::DivideByZero, "1 / x"),
    ]);
}

#[test]
fn null_equals_null_and_is_in_lists_but_counts_for_nothing() {
    values(&[
        ("null == null", "true"),
        ("who == null", "true"),
        ("item != null", "true"),
        ("who == item", "false"),
        ("stock['rug'].price == null", "true"),
        ("null in [1, null]", "true"),
        ("who in stock", "false"),
        ("has(stock['rug'].price)", "false"),
        ("has(stock['rug'].free)", "true"),
        ("null", "null"),
        ("qty > 5 ? qty : null", "null"),
    ]);
    failures(&[
        ("stock['rug'].price + 1", Failure::NullOperand, "stock['rug'].price + 1"),
        ("stock['rug'].price < 1", Failure::NullOperand, "stock['rug'].price < 1"),
        ("1 < null", Failure::NullOperand, "1 < null"),
        ("-stock['rug'].price", Failure::NullOperand, "-stock['rug'].price"),
        ("stock[who].free", Failure::Missing(STOCK), "stock[who].free"),
        ("has(stock[gone].price)", Failure::Missing(STOCK), "stock[gone].price"),
    ]);
}

#[test]
fn rows_are_found_asked_for_and_read() {
    values(&[
        ("stock[item].free >= qty", "true"),
        ("stock[item].free - qty", "7"),
        ("stock[item].id", "'lamp'"),
        ("item in stock", "true"),
        ("gone in stock", "false"),
        ("!(gone in stock)", "true"),
        ("shop.stock['lamp'].free", "10"),
        ("stock['lamp']['free']", "10"),
        ("it.id == 'lamp' && it.free == 10", "true"),
        ("it", "{id: 'lamp', free: 10, price: 30}"),
        ("stock[item]", "{id: 'lamp', free: 10, price: 30}"),
        ("stock[item] == {'price': 30, 'free': 10, 'id': 'lamp'}", "true"),
        ("stock", "[{id: 'lamp', free: 10, price: 30}, {id: 'rug', free: 0, price: null}]"),
        ("orders", "[]"),
    ]);
    failures(&[
        ("stock[gone].free", Failure::Missing(STOCK), "stock[gone].free"),
        ("stock[gone].id", Failure::Missing(STOCK), "stock[gone].id"),
        ("stock[gone]", Failure::Missing(STOCK), "stock[gone]"),
    ]);
}

#[test]
fn tables_are_lists_in_macros() {
    values(&[
        ("stock.size()", "2"),
        ("size(stock)", "2"),
        ("stock.filter(s, s.free > 0).size()", "1"),
        ("stock.filter(s, s.free > 0)", "[{id: 'lamp', free: 10, price: 30}]"),
        ("stock.map(s, s.free)", "[10, 0]"),
        ("stock.map(s, s.free).sum()", "10"),
        ("stock.filter(s, s.free > 0).map(x, x.price).sum()", "30"),
        ("stock.filter(s, s.price != null).filter(t, t.price > 40).exists(u, true)", "false"),
        ("stock.map(s, s.free > 0, s.price + 1)", "[31]"),
        ("stock.map(s, s.free).max()", "10"),
        ("stock.map(s, s.free).min()", "0"),
        ("stock.map(s, s.id).indexOf('rug')", "1"),
        ("stock.exists_one(s, s.free == 0)", "true"),
        ("stock.all(a, stock.exists(b, b.id == a.id))", "true"),
        ("stock.map(a, stock.filter(b, b.free >= a.free).size())", "[1, 2]"),
    ]);
    failures(&[(
        "orders.map(o, stock[o.item].free).max()",
        Failure::Empty,
        "orders.map(o, stock[o.item].free).max()",
    )]);
}

#[test]
fn lists_and_records_are_values() {
    values(&[
        ("[1, 2] + [3]", "[1, 2, 3]"),
        ("[1, 2] + 3", "[1, 2, 3]"),
        ("[[1]] + [[2]]", "[[1], [2]]"),
        ("[1, 2] == [1] + 2", "true"),
        ("[1, 2] == [2, 1]", "false"),
        ("[4, 5, 6][1]", "5"),
        ("[1, 2, 3].indexOf(9)", "-1"),
        ("[].sum() + 0", "0"),
        ("[duration('1ms'), duration('2ms')].sum()", "3ms"),
        ("[3, 1, 2].min()", "1"),
        ("2 in [1, qty - 1]", "true"),
        ("'b' in ['a', 'b']", "true"),
        ("{'a': 1, 'b': [true]}.b[0]", "true"),
        ("{'b': 2, 'a': 1} == {'a': 1, 'b': 2}", "true"),
        ("[{'x': 1}, {'x': 5}].map(r, r.x).max()", "5"),
        ("[1, 2, 3].filter(x, x > 1).map(x, x * x)", "[4, 9]"),
        ("size([1, 2])", "2"),
        ("[].size()", "0"),
    ]);
    failures(&[
        ("[4, 5][2]", Failure::OutOfRange, "[4, 5][2]"),
        ("[4, 5][-1]", Failure::OutOfRange, "[4, 5][-1]"),
        ("[].max() > 0", Failure::Empty, "[].max()"),
        ("[1, null].sum()", Failure::NullOperand, "[1, null]"),
    ]);
}

#[test]
fn times_are_points_and_lengths() {
    values(&[
        ("now - when", "4ms"),
        ("when + duration('5ms')", "6ms"),
        ("now - duration('1ms') > when", "true"),
        ("now - when > duration('3ms')", "true"),
        ("duration('1s') - duration('1ms')", "999ms"),
        ("-duration('1us')", "-1us"),
        ("event.time < now && event.id == 100 && event.seq == 103", "true"),
        ("count.lost > 0 && count.intents == 0", "true"),
    ]);
    let mut shop = Shop::new();
    assert_eq!(shop.tree("now - when").unwrap().ty, Type::Duration);
    assert_eq!(shop.tree("when + duration('5ms')").unwrap().ty, Type::Instant);
}

#[test]
fn chains_over_a_table_are_one_pass_without_lists() {
    let mut shop = Shop::new();
    for text in [
        "stock.filter(s, s.free > 0).map(s, s.price).sum()",
        "stock.filter(s, s.free > 0).size()",
        "stock.size()",
    ] {
        let tree = shop.tree(text).unwrap();
        assert!(matches!(tree.kind, ExprKind::Loop { fold: Fold::Sum | Fold::Count, .. }), "{text}");
        shop.run(text).unwrap();
    }
    assert!(shop.world.heap.is_empty());
}

#[test]
fn addresses_name_rows() {
    let mut shop = Shop::new();
    let mut address = |text: &str| {
        let ast = parse(text).unwrap();
        let draft = resolve_address(&ast, 1, &shop.names, &mut shop.types)
            .map_err(|problems| problems.into_iter().map(|p| p.message).collect::<Vec<_>>())?;
        assert_eq!(shop.types.settle(), []);
        Ok(finish_address(&draft, &shop.types, &mut shop.symbols).unwrap())
    };
    let free = address("stock[item].free").unwrap();
    assert_eq!((free.table, free.column.map(|c| c.0)), (STOCK, Some(1)));
    assert!(matches!(free.target, Target::Key(Expr { kind: ExprKind::Local(0), .. })));
    assert_eq!(address("orders[]").unwrap().target, Target::Fresh);
    let Target::Where(tests) =
        address("stock.filter(s, s.free == 0).filter(t, t.id == item)").unwrap().target
    else {
        panic!("a filter names rows by a test")
    };
    assert_eq!(tests.len(), 2);
    assert!(tests[1].any(|part| matches!(part.kind, ExprKind::RowVar { var: TESTED_ROW, .. })));
    assert_eq!(address("stock[item].id"), Err(vec!["the key of a row cannot be changed".to_owned()]));
    assert_eq!(address("stock"), Err(vec!["this names no rows of a table".to_owned()]));
    assert_eq!(address("qty[1]"), Err(vec!["this is no table of the service".to_owned()]));
    assert_eq!(address("stock[]"), Err(vec!["this is a whole number, not a text".to_owned()]));
}

#[test]
fn a_decrement_is_relative() {
    let mut shop = Shop::new();
    let target = shop.tree("stock[item].free").unwrap();
    let value = shop.tree("stock[item].free - qty").unwrap();
    let Some(Delta::Add(delta)) = relative(&value, |part| *part == target) else { panic!("it is relative") };
    let code = Code::compile(&delta);
    assert_eq!(eval(&code, &shop.locals, &mut shop.world, &mut Scratch::new()), Ok(-3));
    let value = shop.tree("stock[item].free > 0 ? stock[item].free - 1 : 0").unwrap();
    assert_eq!(relative(&value, |part| *part == target), None);
}

#[test]
fn what_an_expression_reads_is_known() {
    use crate::model::expr::Read;
    let mut shop = Shop::new();
    let tree =
        shop.tree("gone in stock && stock[item].free >= qty && orders.all(o, o.item == item)").unwrap();
    let (free, item) = (crate::model::ids::ColumnId(1), crate::model::ids::ColumnId(1));
    let orders = TableId(1);
    let expected =
        [Read::Exists(STOCK), Read::Scan(orders), Read::Column(STOCK, free), Read::Column(orders, item)];
    assert_eq!(tree.reads(), expected);
    assert_eq!(tree.locals(), [0, 1, 2]);
    assert!(!tree.is_const());
    assert!(shop.tree("[1, 2].map(x, x + 1)").unwrap().is_const());
}

#[test]
fn constants_are_folded_and_failing_ones_left_to_fail() {
    let mut shop = Shop::new();
    let mut constant = |text: &str| Code::compile(&shop.tree(text).unwrap()).as_const();
    assert_eq!(constant("1 + 2 * 3 == 7 && !(2 > 3)"), Some(1));
    assert_eq!(constant("false && stock[gone].free > 0"), Some(0));
    assert_eq!(constant("true ? 5 : qty"), Some(5));
    assert_eq!(constant("1 / 0"), None);
}
