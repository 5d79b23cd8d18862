//! Expressions as text: brackets, names of variables, tables inside and outside of their service.

use super::*;

/// The text of an expression outside of all services.
fn text(b: &Builder, expr: impl Into<Expr>) -> String {
    let probe = b.expect_of_every_strategy();
    probe.fact(expr);
    let facts = b.draft().unwrap().get("/expect/*/facts").unwrap().as_list().unwrap().to_vec();
    facts.last().unwrap().as_text().unwrap().to_owned()
}

#[test]
fn brackets_stand_where_the_meaning_needs_them_and_nowhere_else() {
    let b = Builder::new("t");
    let (x, y, z) = (expr("x"), expr("y"), expr("z"));
    let table = [
        (&x + &y + &z, "x + y + z"),
        (&x - (&y - &z), "x - (y - z)"),
        ((&x + &y) * 2, "(x + y) * 2"),
        (&x * 2 + &y, "x * 2 + y"),
        (&x % (&y / 3), "x % (y / 3)"),
        (-(&x + &y), "-(x + y)"),
        (!x.eq(1).and(y.ne("a")), "!(x == 1 && y != 'a')"),
        (x.eq(1).or(y.lt(2)).and(z.ge(-3)), "(x == 1 || y < 2) && z >= -3"),
        (x.eq(y.eq(1)), "x == (y == 1)"),
        ((&x - -1) * -1, "(x - -1) * -1"),
        (-Expr::from(-1), "-(-1)"),
        (if_else(&x, if_else(&y, 1, 2), 3) + 1, "(x ? (y ? 1 : 2) : 3) + 1"),
        (x.is_in(list([1, 2])).or(y.field("a").is_there()), "x in [1, 2] || has(y.a)"),
        ((&x + 1).field("a"), "(x + 1).a"),
        (expr("x + 1") * 2, "(x + 1) * 2"),
        (list([&x, &y]).index_of(&z), "[x, y].indexOf(z)"),
        (map([("a", 1), ("it's", 2)]), r"{'a': 1, 'it\'s': 2}"),
        (Expr::from(us(1500)), "duration('1500us')"),
        (null().eq("a\\b\n"), r"null == 'a\\b\n'"),
    ];
    for (expr, expected) in table {
        assert_eq!(text(&b, expr), expected);
    }
}

#[test]
fn variables_get_names_that_mean_nothing_else() {
    let b = Builder::new("t");
    let shop = b.service("shop");
    let (lines, labels, l) = (shop.table("lines"), shop.table("labels"), shop.table("l"));
    let within = |outer: &Expr| labels.rows().exists(|inner| inner.id().eq(outer.id()));
    assert_eq!(
        text(&b, lines.rows().all(within)),
        "shop.lines.all(l, shop.labels.exists(l2, l2.id == l.id))"
    );
    let named = |row: &Expr| l.has(row.id());
    assert_eq!(text(&b, lines.rows().all(named)), "shop.lines.all(l2, l2.id in shop.l)");
    assert_eq!(text(&b, list([1, 2]).map(|x| x + 1).sum()), "[1, 2].map(x, x + 1).sum()");
    assert_eq!(text(&b, list([1, 2]).all(|n| n.gt(expr("x")))), "[1, 2].all(x2, x2 > x)");
}

#[test]
fn a_table_is_called_by_its_bare_name_in_its_own_service_only() {
    let b = Builder::new("t");
    let (shop, bank) = (b.service("shop"), b.service("bank"));
    let stock = shop.table("stock");
    shop.operation("own").reply(stock.rows().size());
    bank.operation("other").reply(stock.rows().size());
    let draft = b.draft().unwrap();
    let reply = |pointer: &str| draft.get(pointer).unwrap().as_text().unwrap().to_owned();
    assert_eq!(reply("/services/shop/operations/own/reply"), "stock.size()");
    assert_eq!(reply("/services/bank/operations/other/reply"), "shop.stock.size()");
}
