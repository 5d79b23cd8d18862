//! Everything that is supported, said in Rust: the reader's own file of everything, built.

use super::*;

/// What `src/scenario/read/tests/everything.json` says. It makes no sense as a system.
pub(super) fn everything() -> Builder {
    let b = Builder::new("everything");
    b.schema("halfway.json").about("Everything there is.").seeds(200);
    b.allow("HW0503").allow("hw0504").allow("HW0513");
    let (ordered, refused, seen) = (b.topic("ordered"), b.topic("refused"), b.topic("seen"));

    let shop = b.service("shop");
    shop.about("Sells.").replicas(2).route(Route::Sticky).statement(us(200));
    let (orders, stock, lines) = (shop.table("orders"), shop.table("stock"), shop.table("lines"));
    let (item_of, count_of, paid) = (orders.field("item"), orders.field("count"), orders.field("paid"));
    orders.row("o1").with(&item_of, "lamp").with(&count_of, 2).with(&paid, false);
    orders.unique(&item_of).unique_together([&item_of, &count_of]);
    let (free, note) = (stock.field_or("free", 0), stock.field_or("note", Json::Null));
    stock.row(1..=3).with(&free, 5);
    stock.row(7).with(&free, 0);
    let (line_order, line_at) = (lines.field("order"), lines.field("at"));

    let make = shop.operation("order");
    make.by(By::Owner);
    let (order, item, n) = (make.arg("order"), make.arg("item"), make.arg("count"));
    let (make_order, make_count) = (order.clone(), n.clone());
    let left = make.define("left", stock.at(&item).field(&free) - &n);
    let enough = make.define("enough", left.ge(0));
    make.skip(orders.has(&order).and(orders.at(&order).field(&paid)));
    make.require("sold out", enough).require("too many", n.lt(10)).think(between(ms(1), ms(3)));
    make.set(stock.at(&item).field(&free), &left).set(stock.at(&item).field(&note), "taken");
    make.put(orders.at(&order)).with(&item_of, "lamp").with(&count_of, &n).with(&paid, false);
    make.insert_all(lines.fresh(), map([("order", order.clone()), ("at", now())]));
    let of_order = |l: &Expr| l.field(&line_order).eq(&order).and(l.field(&line_at).lt(now()));
    make.delete(lines.rows().filter(of_order)).delete(lines.at(1));
    make.publish(&ordered).with("order", &order).with("count", stock.at(&item).field(&free));
    make.publish_all(&seen, orders.at(&order));
    let then = make.then();
    let wait = then.define("wait", ms(2));
    then.require_that(n.gt(0)).think_for(wait).set(orders.at(&order).field(&paid), true);
    make.reply_with("left", &left).reply_with("order", &order);
    let otherwise = make.otherwise();
    otherwise.insert(lines.fresh()).with(&line_order, &order).with(&line_at, now());
    otherwise.publish(&refused).with("order", &order);

    let copy = shop.operation("copy");
    let (from, to) = (copy.arg("from"), copy.arg("to"));
    copy.put_all(stock.at(to), stock.at(from));
    let undo = shop.operation("undo");
    let undone = undo.arg("order");
    undo.skip(!orders.has(&undone)).delete(orders.at(&undone));
    let look = shop.operation("look");
    look.by(By::Caller).reply(stock.rows().map(|s| s.field(&free)).sum());

    let mail = b.service("mail");
    let (sent, views) = (mail.table("sent"), mail.table("seen"));
    let (sent_n, bonus_of, why) = (sent.field("n"), sent.field("bonus"), views.field("why"));
    let send = mail.operation("send");
    send.on(&ordered);
    let (mailed, n, bonus) = (send.arg("order"), send.arg("count"), send.arg("bonus"));
    let row = send.insert(sent.at(mailed));
    row.with(&sent_n, n).with("id_", event_field("id")).with(&bonus_of, bonus);
    let refuse_it = mail.operation("refuse");
    let turned_away = refuse_it.on(&refused).arg("order");
    refuse_it.put(views.at(turned_away)).with(&why, "refused");
    let see = mail.operation("see");
    let (what, done) = (see.on(&seen).arg("item"), see.arg("paid"));
    see.skip(done).put(views.at(what)).with(&why, "seen");

    let bank = b.service("bank");
    bank.external().route(Route::Random);
    let pay = bank.operation("pay");
    let sum = pay.arg("sum");
    pay.reply(&sum);

    let (buy, rest, started) = (b.flow("buy"), b.flow("pause"), b.flow("started"));
    let (buy_order, buy_item) = (buy.by(&shop).arg("order"), buy.arg("item"));
    let first = buy.step(make.call((&buy_order, &buy_item, 1)));
    let made = first.reply("made");
    first.undo(undo.call([made.field("order")]));
    let both = buy.at_once();
    let paying = both.step(pay.call([made.field("left")]));
    let paid_sum = paying.reply("sum");
    paying.when(made.field("left").gt(0));
    both.step(rest.call(())).optional();
    buy.wait(exp(ms(2)).cap(ms(9)));
    buy.step(copy.call((&buy_item, &buy_item))).class(Class::Compensatable);
    buy.step(look.call(())).class(Class::Pivot);
    buy.reply_with("paid", paid_sum);
    rest.wait(ms(1));
    started.on(&refused).by(&mail).arg("order");
    started.step(look.call(()));
    ordered.direct().key("order");

    let people = b.clients("people");
    people.count(3).intents(2);
    let (order, item) = (people.with("order", unique("order")), people.with("item", uniform(1, 3)));
    let n = people.with("n", zipf(1, 4, 1250));
    people.with("w", pick(["a".into(), "b".into(), null()]));
    people.with("t", turn([1, 2]));
    people.with("v", ms(5));
    people.with("x", 7);
    people.with("y", now());
    people.with("z", "text");
    people.does_weighted(buy.call((&order, &item)), 3);
    people.does_weighted(make.call((&order, &item, &n)), 1).does_weighted(look.call(()), 1);
    people.start(between(ms(0), ms(5))).gap(normal(ms(3), ms(1)));
    let robots = b.clients("robots");
    robots.intents(2).every(ms(10)).does(make.call(("o", client(), intent())));
    let script = b.clients("script");
    script.script(ms(0), look.call(())).script(ms(5), buy.call(("o1", 2)));

    let weather = b.weather();
    weather.latency(ms(1)).latency_on(&link(&people, &shop), between(ms(1), ms(4)));
    let (replicas, others) = ([shop.replica(1), shop.replica(2)], [&bank, &mail]);
    weather.latency_on(&links(replicas, others).both(), exp(ms(2)));
    let some = make_count.gt(1).and(client().eq(1)).and(intent().lt(3));
    let drawn_share = drawn(percent(0), percent(10));
    weather.fault(&lose(reply(&make)).nth(1).nth(2).chance(drawn_share).when(some));
    weather.fault(&lose(request(&buy)).chance(percent(5)));
    weather.fault(&lose(link(&shop, &bank)).during(ms(10), ms(20)));
    weather.fault(&delay(event(&ordered), between(ms(5), ms(9))).when(ordered.field("count").gt(0)));
    weather.fault(&hold(ack(Any), ms(100)));
    weather.fault(&duplicate(request(Any)).again(ms(3)).again(between(ms(1), ms(2))));
    weather.fault(&duplicate(reply(&look).fetch()));
    weather.fault(&refuse(&pay, "declined").when(sum.gt(100)));
    weather.fault(&fail(Any).nth(1).chance(percent(1)));
    weather.fault(&crash(shop.replica(2)).at(ms(30)).lasting(ms(5)));
    weather.fault(&crash(shop.database()).every(exp(ms(50))).lasting(ms(1)));
    weather.fault(&crash(&shop).after(commit(&make)).nth(1).lasting(Span::MAX));
    weather.fault(&crash(&mail).before(mark(&ordered)).chance(percent(2)).lasting(ms(1)));
    weather.fault(&pause(&shop).before(log(&buy)).lasting(ms(3)));
    weather.fault(&cut(link(&people, Any).both()).at(ms(40)).lasting(ms(5)));
    weather.heal(ms(300)).end_after_heal(seconds(10)).swarm();

    let star = b.every_strategy();
    let growing = Retry::new().timeout(ms(20)).attempts(Some(3)).backoff(Backoff::Exponential).first(ms(5));
    star.retry(growing.factor(3).cap(ms(50)).jitter(Jitter::Equal));
    star.on(&people).retry(Retry::new().timeout(seconds(1)));
    let naive = b.strategy("naive");
    naive.about("As it comes.");
    let occ = b.strategy("occ");
    occ.write(Write::new().scope(OccScope::Reads).on_conflict(OnConflict::Merge));
    let locks = b.strategy("locks");
    locks.write(Write::lock().wait(ms(10)).by(By::Owner)).store(StoreLevel::None);
    locks.publish(Publish::outbox().relay(RelayKind::Gap).every(ms(5)).gap(ms(20)));
    let keys = b.strategy("keys");
    let key = Idempotency::key().from(KeyFrom::Intent).store(KeyStore::Before).same_key(SameKey::Compare);
    let key = key.busy(Busy::Wait).busy_for(seconds(1)).ttl(minutes(60));
    keys.idempotency(key.memory(KeyMemory::Replica).keep(Keep::Success));
    let on_order = keys.on(&make);
    on_order.idempotency(Idempotency::new().computed(&make_order)).retry(Retry::new().attempts(None));
    keys.on(&bank).idempotency(Idempotency::key());
    let hardened = b.strategy("hardened");
    let parked = Coordination::new().stuck_undo(StuckUndo::Park).undo(UndoOrder::Parallel);
    hardened.coordination(parked.answer(Answer::Accepted));
    let mine = b.strategy("mine");
    mine.extends(&hardened).rewrite(patch(
        r#"{ "services": { "shop": { "operations": { "copy": {
             "args": ["from", "to"], "set": { "stock[to].free": "1" }, "put": null } } } } }"#,
    ));
    let forward = Coordination::saga().durable(false).register(Register::After).recover(Recover::Forward);
    mine.on(&buy).coordination(forward);
    mine.on(&ordered).publish(Publish::before_commit());
    mine.on(&stock).write(Write::patch());

    b.invariant("never below", always(stock.rows().all(|s| s.field(&free).ge(0))));
    let known = sent.rows().all(|m| orders.has(m.id()).or(m.field(&bonus_of).eq(null())));
    b.invariant("at the end", at_rest(known));
    let each = per_intent(|intent| {
        let undone = |e: &Expr| e.field("undone").or(e.field("step").eq("shop.order"));
        intent.field("outcome").ne("failed").or(intent.field("effects").all(undone))
    });
    b.invariant("each intent", each);
    let total = b.invariant("sum", constant(stock.rows().map(|s| s.field(&free)).sum()));
    let once = b.invariant("once", at_most_one(&lines, &line_order));
    b.invariant("owned", no_orphan(&sent, |it| orders.has(it.id())).unless(|it| it.field(&sent_n).eq(0)));
    let whole = b.invariant("whole", all_or_nothing(&buy));
    b.invariant("rules", compensation_rules(&buy));
    b.invariant("lost", no_lost_update().of(&stock).of(&orders).strict());
    b.must(no_duplicate_effect());
    b.must(acked_is_durable().of(&orders));
    b.must(no_leak());
    b.must(outcome_agrees());
    b.must(failed_has_no_effect());
    let ends = b.must(every_intent_ends());

    let all = b.expect_of_every_strategy();
    all.that(&ends, Verdict::Holds).sometimes(count(Counter::Lost).gt(0));
    b.expect(&naive).overall(Verdict::Violated);
    let of_occ = b.expect(&occ);
    of_occ.every(Verdict::Holds).that(&once, Verdict::Violated);
    of_occ.fact(orders.rows().size().ge(0)).fact(count(Counter::Intents).eq(10));
    let of_mine = b.expect(&mine);
    of_mine.that(&once, Verdict::Inconclusive).that(&whole, Verdict::NotApplicable);
    of_mine.that(&total, Verdict::Stuck);

    let calm =
        r#"{ "about": "No faults.", "weather": { "faults": null }, "expect": { "naive": "inconclusive" } }"#;
    b.case("calm", patch(calm));
    let small = r#"{ "clients": { "robots": null }, "seeds": 10,
                     "services": { "shop": { "tables": { "stock": { "rows": { "7": null } } } } } }"#;
    b.case("small", patch(small));
    b
}

fn patch(text: &str) -> Json {
    Draft::parse("patch", text).unwrap().json().clone()
}

#[test]
fn everything_built_is_everything_of_the_file() {
    same(&everything(), include_str!("../../scenario/read/tests/everything.json"));
}
