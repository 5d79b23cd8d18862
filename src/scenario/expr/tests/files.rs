//! Many expressions of one file: types that come from elsewhere, and the expressions of whole scenarios.

use super::super::*;
use crate::model::expr::{Expr, ExprKind};
use crate::model::symbols::Symbols;
use crate::model::value::Type;

#[test]
fn columns_get_their_types_from_use_anywhere_in_the_file() {
    let mut types = Types::new();
    let mut symbols = Symbols::new();
    let table = types.add_table("people");
    let mail = types.add_column(table, "mail");
    let seen = types.add_column(table, "seen");
    let (who, new) = (types.free(), types.free());
    let mut names = Names::new();
    names.bind("people", Binding::Table(table));
    names.bind("who", Binding::Local { slot: 0, ty: who });
    names.bind("new", Binding::Local { slot: 1, ty: new });
    names.bind("now", Binding::Now);
    let mut drafts = Vec::new();
    // The difference is read before anything is known of the column.
    let texts =
        ["now - people[who].seen > duration('1s')", "people[who].mail == new", "people['ana'].mail == 'a0'"];
    for (source, text) in (0..).zip(texts) {
        drafts.push(resolve(&parse(text).unwrap(), source, &names, &mut types, None).unwrap());
    }
    assert_eq!(types.settle(), []);
    let column = types.column_type(table, seen);
    assert_eq!(types.resolved(new), Some(Type::Text));
    assert_eq!(types.resolved(who), Some(Type::Text));
    assert_eq!(types.resolved(types.column_type(table, mail)), Some(Type::Text));
    assert_eq!(types.resolved(column), Some(Type::Instant));
    let trees: Vec<Expr> = drafts.iter().map(|draft| finish(draft, &types, &mut symbols).unwrap()).collect();
    assert!(trees.iter().all(|tree| tree.ty == Type::Bool));
}

#[test]
fn a_conflict_across_the_file_shows_both_places() {
    let mut types = Types::new();
    let table = types.add_table("people");
    types.add_column(table, "mail");
    let mut names = Names::new();
    names.bind("people", Binding::Table(table));
    resolve(&parse("people['ana'].mail == 'old'").unwrap(), 7, &names, &mut types, None).unwrap();
    let ast = parse("people['bo'].mail == 12").unwrap();
    let problems = resolve(&ast, 8, &names, &mut types, None).unwrap_err();
    assert_eq!(problems[0].place, Place { source: 8, range: 21..23 });
    assert_eq!(problems[0].message, "this is a whole number, not a text");
    assert_eq!(problems[0].other, Some((Place { source: 7, range: 22..27 }, "here it is a text".into())));
}

#[test]
fn an_argument_used_as_a_record_meets_the_rows_of_a_table() {
    let mut types = Types::new();
    let mut symbols = Symbols::new();
    let table = types.add_table("people");
    types.add_column(table, "version");
    types.add_column(table, "mail");
    let user = types.free();
    let mut names = Names::new();
    names.bind("people", Binding::Table(table));
    names.bind("user", Binding::Local { slot: 0, ty: user });
    let text = "user.id in people && people[user.id].version >= user.version";
    let draft = resolve(&parse(text).unwrap(), 0, &names, &mut types, None).unwrap();
    let row = types.row(table);
    types.unify(user, row, &Place { source: 1, range: 0..0 }).unwrap();
    assert_eq!(types.settle(), []);
    let tree = finish(&draft, &types, &mut symbols).unwrap();
    let mut places = Vec::new();
    tree.walk(&mut |part| {
        if let ExprKind::Field { name, index, .. } = &part.kind {
            places.push((name.clone(), *index));
        }
    });
    assert_eq!(places, [("id".into(), 0), ("id".into(), 0), ("version".into(), 1)]);
}

/// Services with tables of some columns, and arguments.
fn shops() -> (Types, Names) {
    let mut types = Types::new();
    let mut names = Names::new();
    type Tables = &'static [(&'static str, &'static [&'static str])];
    let services: [(&str, Tables); 6] = [
        ("users", &[("people", &["mail", "version"])]),
        ("wallet", &[("accounts", &["balance"]), ("charges", &["order", "amount"])]),
        ("orders", &[("orders", &["status"])]),
        ("inventory", &[("stock", &["free"]), ("reserved", &["order", "item"])]),
        ("payment", &[("charges", &["order"]), ("refunds", &["order"])]),
        ("notification", &[("mails", &["order"])]),
    ];
    for (service, tables) in services {
        let mut known = Vec::new();
        for (table, columns) in tables {
            let id = types.add_table(&format!("{service}.{table}"));
            for column in *columns {
                types.add_column(id, column);
            }
            known.push(((*table).to_owned(), id));
        }
        names.add_service(service, known);
    }
    (types, names)
}

#[test]
fn the_expressions_of_whole_files_are_understood_together() {
    let (mut types, invariants) = shops();
    // Per service: what its operations say, with the names of their arguments.
    let operations: [(&str, &[&str]); 4] = [
        (
            "users",
            &[
                "mail",
                "people[who].version + 1",
                "people[who].version",
                "people",
                "user.id in people && people[user.id].version >= user.version",
                "user.mail",
            ],
        ),
        (
            "wallet",
            &["accounts[who].balance >= amount", "accounts[who].balance - amount", "accounts[who].balance"],
        ),
        (
            "inventory",
            &["stock[item].free >= 1", "stock[item].free - 1", "!reserved.exists(r, r.order == order)"],
        ),
        ("payment", &["!charges.exists(c, c.order == order)"]),
    ];
    let facts = [
        "users.people.all(p, p.mail == 'new' && p.version > 1)",
        "users.people.all(p, p.id in users.people)",
        "orders.orders[it.order].status == 'completed'",
        "payment.refunds.exists(r, r.order == it.order)",
        "notification.mails.exists(m, m.order == it.id)",
        "it.status != 'completed'",
        "inventory.stock['lamp'].free >= 0",
        "inventory.stock.map(s, s.free).sum() + inventory.reserved.size() == 10",
        "count.lost > 0",
        "args.order in orders.orders && outcome == 'ok' && effects.exists(e, e.table == 'charges' && !e.undone)",
    ];
    let mut drafts = Vec::new();
    let mut keep = |ast: &str, source, names: &Names, types: &mut Types| {
        drafts.push(
            resolve(&parse(ast).unwrap(), source, names, types, None)
                .unwrap_or_else(|p| panic!("{ast}: {p:?}")),
        );
    };
    for (service, texts) in operations {
        let mut names = Names::new();
        for table in invariants.tables(service) {
            names.bind(table, Binding::Table(invariants.table(service, table).unwrap()));
        }
        for (slot, arg) in (0..).zip(["who", "mail", "user", "amount", "item", "order"]) {
            names.bind(arg, Binding::Local { slot, ty: types.free() });
        }
        texts.iter().for_each(|text| keep(text, 1, &names, &mut types));
    }
    for (n, text) in (10..).zip(facts) {
        let mut names = invariants.clone();
        let it = match text {
            _ if text.contains("it.id") || text.contains("it.status") => ("orders", "orders"),
            _ => ("payment", "charges"),
        };
        names.bind("it", Binding::Row { var: 0, table: invariants.table(it.0, it.1).unwrap() });
        names.bind("count", Binding::Count);
        for (slot, name) in (0..).zip(["args", "outcome", "effects"]) {
            names.bind(name, Binding::Local { slot, ty: types.free() });
        }
        keep(text, n, &names, &mut types);
    }
    assert_eq!(types.settle(), []);
    let mut symbols = Symbols::new();
    for draft in &drafts {
        finish(draft, &types, &mut symbols).unwrap();
    }
    let order = types.columns(invariants.table("payment", "charges").unwrap())[1].1;
    assert_eq!(types.resolved(order), Some(Type::Int), "nothing says what an order is named by");
    let stock = types.columns(invariants.table("inventory", "stock").unwrap())[0].1;
    assert_eq!(types.resolved(stock), Some(Type::Text));
}

#[test]
fn calls_are_read_by_the_same_grammar() {
    let ast = parse("wallet.charge('ana', order, 30)").unwrap();
    let call = ast.as_call().unwrap();
    assert_eq!(call.service, Some(("wallet", 0..6)));
    assert_eq!((call.name.text.as_str(), call.name.span.clone(), call.args.len()), ("charge", 7..13, 3));
    assert_eq!(parse("buy(order)").unwrap().as_call().unwrap().service, None);
    assert_eq!(parse("a.b.c()").unwrap().as_call(), None);
    assert_eq!(parse("order").unwrap().as_call(), None);
}
