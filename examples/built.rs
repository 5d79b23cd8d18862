//! A scenario built in Rust: an order takes a lamp and money from two services, and the reply of the payment is lost.
//!
//! `cargo run --example built` prints what came out; with the name of a file, it writes the scenario there too, for
//! `halfway run`.

use halfway::build::{
    Builder, Class, Retry, Verdict, all_or_nothing, at_most_one, between, lose, ms, percent, refuse, reply,
    seconds, unique,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let b = Builder::new("two-services");
    b.about("A lamp is reserved and paid, and the reply of the payment is lost.");

    let inventory = b.service("inventory");
    let (stock, reserved) = (inventory.table("stock"), inventory.table("reserved"));
    let (free, reserved_for) = (stock.field("free"), reserved.field("order"));
    stock.row("lamp").with(&free, 10);
    let reserve = inventory.operation("reserve");
    let order = reserve.arg("order");
    let left = stock.at("lamp").field(&free);
    reserve.require("sold out", left.ge(1)).set(&left, &left - 1);
    reserve.insert(reserved.fresh()).with(&reserved_for, &order);
    let release = inventory.operation("release");
    let order = release.arg("order");
    release.skip(!reserved.rows().exists(|r| r.field(&reserved_for).eq(&order))).set(&left, &left + 1);
    release.delete(reserved.rows().filter(|r| r.field(&reserved_for).eq(&order)));

    let payment = b.service("payment");
    let charges = payment.table("charges");
    let charged_for = charges.field("order");
    let charge = payment.operation("charge");
    let order = charge.arg("order");
    charge.insert(charges.fresh()).with(&charged_for, &order);

    let buy = b.flow("buy");
    let order = buy.by(&inventory).arg("order");
    buy.step(reserve.call([&order])).undo(release.call([&order]));
    buy.step(charge.call([&order])).class(Class::Pivot);

    let shoppers = b.clients("shoppers");
    let order = shoppers.count(3).intents(2).with("order", unique("order"));
    shoppers.does(buy.call([order]));

    let weather = b.weather();
    weather.latency(between(ms(1), ms(5)));
    weather.fault(&lose(reply(&charge)).nth(1).chance(percent(30)));
    weather.fault(&refuse(&charge, "declined").chance(percent(20)));

    let whole = b.invariant("all or nothing", all_or_nothing(&buy));
    let once = b.invariant("charged once", at_most_one(&charges, &charged_for));
    let every = b.every_strategy();
    every.retry(Retry::new().timeout(ms(50)).attempts(Some(4)));
    // Shoppers are patient: the services ask again, not they.
    every.on(&shoppers).retry(Retry::new().timeout(seconds(3)).attempts(Some(1)));
    let (naive, saga, hardened) = (b.strategy("naive"), b.strategy("saga"), b.strategy("hardened"));
    b.expect(&naive).that(&whole, Verdict::Violated).that(&once, Verdict::Violated);
    // A saga gives the lamp back, but it charges again when it asks again, or is declined after it was charged.
    b.expect(&saga).that(&whole, Verdict::Violated).that(&once, Verdict::Violated);
    b.expect(&hardened).overall(Verdict::Holds);

    if let Some(file) = std::env::args().nth(1) {
        b.draft()?.save(file)?;
    }
    println!("{}", b.build()?.seeds(0..500).check()?);
    Ok(())
}
