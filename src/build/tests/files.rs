//! Files of the language's reference, built.

use super::*;

#[test]
fn the_lost_update_built_is_the_lost_update_of_the_file() {
    let b = Builder::new("profiles");
    b.about("Two services edit different fields of one profile and write the whole record back.");
    let profiles = b.service("profiles");
    let people = profiles.table("people");
    let (mail, phone) = (people.field("mail"), people.field("phone"));
    people.row("ana").with(&mail, "old").with(&phone, "old");
    let edit = |name: &str, field: &Field| {
        let edit = profiles.operation(name);
        let (who, new) = (edit.arg("who"), edit.arg("new"));
        edit.by(By::Caller).think(ms(5)).set(people.at(who).field(field), new);
        edit
    };
    let (set_mail, set_phone) = (edit("set_mail", &mail), edit("set_phone", &phone));
    let start = between(ms(0), ms(20));
    b.clients("accounts").does(set_mail.call(("ana", "new"))).start(start);
    b.clients("support").does(set_phone.call(("ana", "new"))).start(start);
    b.weather().latency(between(ms(1), ms(3)));

    let naive = b.strategy("naive");
    let patch = b.strategy("patch");
    patch.write(Write::patch());
    let occ = b.strategy("occ");
    let by_force = b.strategy("occ-by-force");
    by_force.write(Write::occ().on_conflict(OnConflict::Force));

    let lost = b.must(no_lost_update());
    let both = people.rows().all(|p| p.field(&mail).eq("new").and(p.field(&phone).eq("new")));
    let both = b.invariant("both edits are there", at_rest(both));
    let ends = b.must(every_intent_ends());
    b.expect_of_every_strategy().that(&ends, Verdict::Holds).sometimes(count(Counter::Overlaps).gt(0));
    for strategy in [&naive, &by_force] {
        b.expect(strategy).that(&lost, Verdict::Violated).that(&both, Verdict::Violated);
    }
    for strategy in [&patch, &occ] {
        b.expect(strategy).overall(Verdict::Holds);
    }
    same(&b, include_str!("../../scenario/read/tests/lost_update.json"));
}

#[test]
fn the_order_of_four_services_built_is_that_of_the_file() {
    let b = Builder::new("order");
    b.about("An order takes stock, money and a mail from four services, and may stop halfway.");
    let orders = b.service("orders");
    let all_orders = orders.table("orders");
    let status = all_orders.field("status");
    let open = orders.operation("open");
    let order = open.arg("order");
    open.insert(all_orders.at(order)).with(&status, "pending");
    let becomes = |name: &str, what: &str| {
        let becomes = orders.operation(name);
        let order = becomes.arg("order");
        becomes.set(all_orders.at(order).field(&status), what);
        becomes
    };
    let (complete, cancel) = (becomes("complete", "completed"), becomes("cancel", "cancelled"));

    let inventory = b.service("inventory");
    let (stock, reserved) = (inventory.table("stock"), inventory.table("reserved"));
    let free = stock.field("free");
    stock.row("lamp").with(&free, 10);
    let reserve = inventory.operation("reserve");
    let (order, item) = (reserve.arg("order"), reserve.arg("item"));
    let left = stock.at(&item).field(&free);
    reserve.require("sold out", left.ge(1)).set(&left, &left - 1);
    let reserved_order = reserved.field("order");
    reserve.insert(reserved.fresh()).with(&reserved_order, order).with("item", item);
    let release = inventory.operation("release");
    let (order, item) = (release.arg("order"), release.arg("item"));
    let left = stock.at(&item).field(&free);
    release.skip(!reserved.rows().exists(|r| r.field(&reserved_order).eq(&order)));
    release.set(&left, &left + 1);
    release.delete(reserved.rows().filter(|r| r.field(&reserved_order).eq(&order)));

    let payment = b.service("payment");
    let (charges, refunds) = (payment.table("charges"), payment.table("refunds"));
    let (charged, refunded) = (charges.field("order"), refunds.field("order"));
    let charge = payment.operation("charge");
    let (order, amount) = (charge.arg("order"), charge.arg("amount"));
    charge.insert(charges.fresh()).with(&charged, order).with("amount", amount);
    let refund = payment.operation("refund");
    let order = refund.arg("order");
    refund.skip(!charges.rows().exists(|c| c.field(&charged).eq(&order)));
    refund.insert(refunds.fresh()).with(&refunded, order);

    let notification = b.service("notification");
    let mails = notification.table("mails");
    let mailed = mails.field("order");
    let send = notification.operation("send");
    let order = send.arg("order");
    send.insert(mails.fresh()).with(&mailed, order);

    let buy = b.flow("buy");
    buy.by(&orders);
    let order = buy.arg("order");
    buy.step(open.call([&order])).undo(cancel.call([&order]));
    buy.step(reserve.call((&order, "lamp"))).undo(release.call((&order, "lamp")));
    buy.step(charge.call((&order, 100))).undo(refund.call([&order]));
    buy.step(complete.call([&order])).class(Class::Pivot);
    buy.step(send.call([&order])).class(Class::Retriable);

    let shoppers = b.clients("shoppers");
    shoppers.count(4).intents(3);
    let order = shoppers.with("order", unique("order"));
    shoppers.does(buy.call([order]));

    let weather = b.weather();
    weather.latency(between(ms(1), ms(10))).heal(seconds(2));
    weather.fault(&lose(request(Any)).chance(percent(1)));
    weather.fault(&lose(reply(&charge)).nth(1).chance(percent(10)));
    weather.fault(&refuse(&charge, "declined").chance(percent(10)));
    weather.fault(&crash(&orders).after(commit(&charge)).chance(percent(5)).lasting(ms(50)));

    let star = b.every_strategy();
    star.retry(Retry::new().timeout(ms(60)).attempts(Some(5)));
    star.on(&shoppers).retry(Retry::new().timeout(seconds(3)).attempts(Some(1)));
    let forgetful = b.strategy("fire-and-forget");
    forgetful.coordination(Coordination::fire_and_forget());
    let in_memory = b.strategy("saga-in-memory");
    in_memory.coordination(Coordination::saga().durable(false).register(Register::After));
    let saga = b.strategy("saga");
    let with_keys = b.strategy("saga-with-keys");
    with_keys.extends(&saga).idempotency(Idempotency::key());

    let status_of = |order: Expr| all_orders.at(order).field(&status);
    let whole = b.invariant("all or nothing", all_or_nothing(&buy));
    let once = b.invariant("charged once", at_most_one(&charges, &charged));
    let completed = |field: Field| move |it: &Expr| status_of(it.field(&field)).eq("completed");
    let refunds_of = |it: &Expr| refunds.rows().exists(|r| r.field(&refunded).eq(it.field(&charged)));
    let charge_owned = no_orphan(&charges, completed(charged.clone())).unless(refunds_of);
    let orphan = b.invariant("no orphan charge", charge_owned);
    b.invariant("no orphan goods", no_orphan(&reserved, completed(reserved_order.clone())));
    let mail_of = |it: &Expr| mails.rows().exists(|m| m.field(&mailed).eq(it.id()));
    let unmailed = no_orphan(&all_orders, mail_of).unless(|it| it.field(&status).ne("completed"));
    let unmailed = b.invariant("no order unmailed", unmailed);
    let oversold = b.invariant("never oversold", always(stock.at("lamp").field(&free).ge(0)));
    let agrees = b.must(outcome_agrees());
    b.must(every_intent_ends());

    let all = b.expect_of_every_strategy();
    all.that(&oversold, Verdict::Holds);
    for counter in [Counter::Lost, Counter::Crashes, Counter::Refused] {
        all.sometimes(count(counter).gt(0));
    }
    let violated = |strategy: &Strategy, invariants: &[&Invariant]| {
        for invariant in invariants {
            b.expect(strategy).that(invariant, Verdict::Violated);
        }
    };
    violated(&forgetful, &[&whole, &unmailed, &agrees]);
    violated(&in_memory, &[&whole, &once, &orphan]);
    violated(&saga, &[&once]);
    b.expect(&saga).that(&unmailed, Verdict::Holds);
    let earned = [Counter::Replays, Counter::Compensations];
    b.expect(&with_keys).every(Verdict::Holds);
    for counter in earned {
        b.expect(&with_keys).sometimes(count(counter).gt(0));
    }
    same(&b, include_str!("../../scenario/read/tests/order.json"));
}
