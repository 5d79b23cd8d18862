//! What cannot be meant is an error of the build, told in words, and never a panic.

use super::*;

/// Two tables and an operation.
fn shop(b: &Builder) -> (Service, Table, Table, Operation) {
    let shop = b.service("shop");
    let (stock, orders) = (shop.table("stock"), shop.table("orders"));
    stock.row("lamp").with(&stock.field("free"), 1);
    let take = shop.operation("take");
    (shop, stock, orders, take)
}

fn refused(b: &Builder) -> String {
    let error = b.build().unwrap_err();
    assert!(format!("{error:?}").ends_with(&error.to_string()), "what `?` and `unwrap` print");
    error.to_string()
}

#[test]
fn handles_of_another_builder_are_refused_wherever_they_are_used() {
    let (b, other) = (Builder::new("b"), Builder::new("other"));
    let (_, _, orders, take) = shop(&b);
    let (strange, stock, _, foreign) = shop(&other);
    let topic = other.topic("taken");
    let flow = b.flow("buy");
    flow.by(&strange).step(foreign.call(()));
    take.set(stock.at("lamp").field(&stock.field("free")), 1).publish(&topic);
    b.weather().fault(&lose(reply(&foreign))).fault(&crash(&strange).at(ms(1)).lasting(ms(1)));
    b.weather().latency_on(&link(&strange, Any), ms(1));
    let strategy = other.strategy("s");
    b.strategy("t").extends(&strategy).on(&foreign).write(Write::patch());
    b.expect(&strategy).overall(Verdict::Holds);
    let invariant = other.must(no_lost_update().of(&stock));
    b.expect_of_every_strategy().that(&invariant, Verdict::Holds);
    b.must(at_most_one(&stock, &orders.field("item")));
    b.must(all_or_nothing(&other.flow("buy")));
    let said = refused(&b);
    for part in [
        "the service `shop` belongs to another builder",
        "the call of `shop.take` belongs to another builder",
        "the table `shop.stock` belongs to another builder",
        "the topic `taken` belongs to another builder",
        "`shop.take` belongs to another builder",
        "the node `shop` belongs to another builder",
        "the strategy `s` belongs to another builder",
        "the invariant `no-lost-update` belongs to another builder",
        "the flow `buy` belongs to another builder",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused_and_does_not_replace_the_first() {
    let b = Builder::new("b");
    let (shop, stock, orders, take) = shop(&b);
    b.service("shop");
    shop.table("stock");
    stock.row("lamp");
    shop.operation("take");
    take.arg("item");
    take.arg("item");
    take.define("x", 1);
    take.define("x", 2);
    take.insert(orders.fresh()).with("a", 1).with("a", 2);
    take.insert(orders.fresh());
    b.strategy("s");
    b.strategy("s");
    let said = refused(&b);
    for part in [
        "the service `shop` is there twice",
        "the table `stock` is there twice",
        "in shop.stock, the row `lamp` is there twice",
        "the operation `take` is there twice",
        "shop.take has the argument `item` twice",
        "in `let` of shop.take, the name `x` is there twice",
        "in one row or event, the field `a` is there twice",
        "in `insert` of shop.take, the row `orders[]` is there twice",
        "the strategy `s` is there twice",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn fields_and_arguments_of_something_else_are_refused() {
    let b = Builder::new("b");
    let (shop, stock, orders, take) = shop(&b);
    let item = take.arg("item");
    take.set(stock.at(&item).field(&orders.field("status")), "x");
    take.insert(orders.fresh()).with(&stock.field("free"), 1);
    orders.row("o").with(&stock.field("free"), 1);
    let give = shop.operation("give");
    give.delete(stock.at(&item));
    give.put(stock.rows());
    let mut outer = null();
    give.skip(stock.rows().all(|row| {
        outer = row.clone();
        row.id().eq(1)
    }));
    give.reply(outer.id());
    b.invariant("x", always(item.eq(1)));
    let said = refused(&b);
    for part in [
        "the field `status` of shop.orders is asked of a row of shop.stock",
        "the field `free` of shop.stock is asked of a row of shop.orders",
        "`free` is a field of shop.stock, not of shop.orders",
        "`item` of shop.take is not known in shop.give",
        "`item` of shop.take is not known outside of it",
        "shop.give: `stock` is no row to be written",
        "the variable of a pass is used outside of it",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[test]
fn what_makes_no_sense_is_told_as_in_a_file_with_line_and_caret() {
    let b = Builder::new("tickets");
    let (_, stock, _, take) = shop(&b);
    take.set(stock.at("lamp").field(&stock.field("fre")), 1);
    b.clients("people").does(take.call((1,)));
    let said = refused(&b);
    assert!(said.contains("tickets.json:") && said.contains('^'), "{said}");
    assert!(
        said.contains("`shop.stock` has no field `fre`") && said.contains("did you mean `free`?"),
        "{said}"
    );
}

#[test]
fn the_comparison_of_scenarios_would_notice_one_millisecond() {
    let build = |latency: u64| {
        let b = Builder::new("b");
        let (_, _, _, take) = shop(&b);
        take.reply(1);
        b.clients("people").does(take.call(()));
        b.weather().latency(ms(latency));
        b
    };
    same(&build(2), &build(2).draft().unwrap().text());
    assert_ne!(said(&build(2).build().unwrap()), said(&build(3).build().unwrap()));
}
