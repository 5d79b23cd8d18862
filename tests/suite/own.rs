//! What users bring along in Rust: invariants, services, strategies. Each story has a twin in which the thing that it
//! tells of is taken out.

use halfway::check::{Minimum, Witness};
use halfway::explore::{Prepared, Swept, conformance};
use halfway::kernel::time::Span;
use halfway::model::Model;
use halfway::model::how::{How, WritePolicy};
use halfway::model::ids::OpId;
use halfway::model::invariant::Verdict;
use halfway::model::record::Outcome;
use halfway::model::value::Word;
use halfway::own::{
    Commit, Db, Ended, Hazard, Input, Locals, Next, Notes, Out, OwnTable, Place, Policy, Process, Seen,
    Shown, Steps, Watch,
};
use halfway::scenario::Scenario;

use crate::shipped::{prepared, read_text, swept};

/// One strategy of a scenario, ready to run.
fn one(scenario: &Scenario, strategy: &str) -> Prepared {
    let mut all = prepared(scenario).into_iter().map(|(_, prepared)| prepared);
    all.find(|prepared| prepared.strategy == strategy).unwrap()
}

fn verdict(prepared: &Prepared, swept: &Swept, invariant: &str) -> Verdict {
    let at = prepared.invariants.iter().position(|one| one.name == invariant).unwrap();
    swept.tally.verdict(at, &Minimum::default())
}

/// The first reply is always lost, so the shop asks a second time, whatever the seed.
const CHARGE: &str = r#"{
    "services": { "wallet": {
        "tables": { "charges": { "fields": { "order": null, "amount": 0 } } },
        "operations": { "charge": { "args": ["order"],
            "insert": { "charges[]": { "order": "order", "amount": 30 } } } } } },
    "clients": { "shop": { "does": "wallet.charge(order)", "with": { "order": "unique('o')" } } },
    "weather": { "latency": "1ms", "faults": [ { "lose": "reply wallet.charge", "nth": 1 } ] },
    "strategies": { "*": { "retry": { "timeout": "20ms", "attempts": 3 } }, "naive": {}, "idempotent": {} },
    "invariants": { "once": { "at-most-one": "wallet.charges", "per": "order" } }
}"#;

/// An order is charged once: the same as the built-in one, in Rust.
#[derive(Clone, Default)]
struct ChargedOnce {
    seen: Vec<(Word, Shown)>,
}

impl Watch for ChargedOnce {
    fn needs(&self) -> Vec<Hazard> {
        vec![Hazard::ReplyLost, Hazard::Duplicate, Hazard::Retry]
    }

    fn tables(&self) -> Vec<String> {
        vec!["wallet.charges".into()]
    }

    fn changed(&mut self, changed: &mut halfway::own::Changed<'_, '_>, notes: &mut Notes) {
        let shown = changed.shown;
        for row in changed.rows_of("wallet.charges") {
            notes.examined();
            let order = row.get("order");
            if let Some((_, first)) = self.seen.iter().find(|(known, _)| *known == order) {
                notes.violated(format!("{} is charged twice.", row.show("order")), [*first, shown]);
            }
            self.seen.push((order, shown));
        }
    }
}

#[test]
fn a_lost_reply_charges_twice_and_an_invariant_in_rust_tells_it_like_a_built_in_one() {
    let scenario = read_text(CHARGE).with_invariant("charged once", ChargedOnce::default()).unwrap();
    let naive = one(&scenario, "naive");
    let runs = swept(&naive, 0..20).unwrap();
    assert_eq!(verdict(&naive, &runs, "charged once"), Verdict::Violated);
    assert_eq!(runs.tally.invariants[0].violating_runs, runs.tally.invariants[1].violating_runs);
    assert_eq!(runs.tally.invariants[1].silent, runs.tally.invariants[1].violations);
    // The twin that is defended holds, and that is earned.
    let keyed = one(&scenario, "idempotent");
    let runs = swept(&keyed, 0..20).unwrap();
    assert_eq!(verdict(&keyed, &runs, "charged once"), Verdict::Holds);
    assert!(runs.tally.invariants[1].hazards >= 20 && runs.tally.invariants[1].obligations == 20);
    // In clean weather nothing could have broken it.
    let clean = keyed.clean_twin();
    let runs = swept(&clean, 0..20).unwrap();
    assert_eq!(verdict(&clean, &runs, "charged once"), Verdict::Inconclusive);
}

#[test]
fn a_story_tells_what_an_invariant_in_rust_found() {
    let scenario = read_text(CHARGE).with_invariant("charged once", ChargedOnce::default()).unwrap();
    let naive = one(&scenario, "naive");
    let replay = naive.replay(0).unwrap();
    let finding = &replay.run.verdict.invariants[1].findings[0];
    let Witness::Own { acts, panicked: false, .. } = &finding.what else { panic!("{finding:?}") };
    assert_eq!(acts.len(), 2);
    let story = halfway::report::story::tell(&naive, &replay, &[(1, finding)]);
    let text = story.render(&halfway::report::Look::default());
    assert!(text.contains("o-1.1 is charged twice."), "{text}");
    assert_eq!(text.matches("new wallet.charges").count() + text.matches("new charges").count(), 2, "{text}");
}

/// What a client is told is looked at when its intent has ended, and at rest all intents have.
#[derive(Clone, Default)]
struct ToldOfEach {
    ended: u32,
    records: u32,
}

impl Watch for ToldOfEach {
    fn seen(&mut self, seen: &mut Seen<'_, '_>, _notes: &mut Notes) {
        self.records += 1;
        assert!(seen.record().at <= seen.db.now());
    }

    fn ended(&mut self, intent: &mut Ended<'_, '_>, notes: &mut Notes) {
        notes.examined();
        self.ended += 1;
        if intent.told == Some(Outcome::Ok) && intent.commits.is_empty() {
            notes.violated_for(intent.wanted, "told ok, and nothing was done", []);
        }
    }

    fn at_rest(&mut self, db: &mut Db<'_>, notes: &mut Notes) {
        if self.ended != 1 || self.records < 8 || db.rows("wallet.charges").is_empty() {
            notes.violated("not told of everything", []);
        }
    }
}

#[test]
fn a_watch_sees_every_record_every_end_and_the_rest() {
    let scenario = read_text(CHARGE).with_invariant("told", ToldOfEach::default()).unwrap();
    let idempotent = one(&scenario, "idempotent");
    let runs = swept(&idempotent, 0..5).unwrap();
    assert_eq!(verdict(&idempotent, &runs, "told"), Verdict::Holds);
    // Its twin without the shop's charge.
    let lazy = CHARGE.replace(r#""args": ["order"],"#, r#""args": ["order"], "skip": "true","#);
    let scenario = read_text(&lazy).with_invariant("told", ToldOfEach::default()).unwrap();
    let idempotent = one(&scenario, "idempotent");
    assert_eq!(verdict(&idempotent, &swept(&idempotent, 0..5).unwrap(), "told"), Verdict::Violated);
}

/// Panics when it sees a certain seed's luck: here, every second commit of a run.
#[derive(Clone, Default)]
struct Fragile {
    commits: u32,
}

impl Watch for Fragile {
    fn changed(&mut self, _changed: &mut halfway::own::Changed<'_, '_>, notes: &mut Notes) {
        notes.examined();
        self.commits += 1;
        assert!(self.commits < 2, "I cannot count to two");
    }
}

#[test]
fn a_panic_in_an_invariant_is_a_violation_of_it_and_harms_nothing_else() {
    let scenario = read_text(CHARGE).with_invariant("fragile", Fragile::default()).unwrap();
    let naive = one(&scenario, "naive");
    let plain = one(&read_text(CHARGE), "naive");
    let (with, without) = (swept(&naive, 0..20).unwrap(), swept(&plain, 0..20).unwrap());
    assert_eq!(with.tally.invariants[0], without.tally.invariants[0]);
    assert_eq!((with.digest, with.panics.len()), (without.digest, 0));
    assert_eq!(with.tally.invariants[1].violating_runs, 20);
    let run = naive.bench().unwrap().run(3, &mut ());
    let Witness::Own { text, panicked: true, .. } = &run.verdict.invariants[1].findings[0].what else {
        panic!("{run:?}")
    };
    assert_eq!(text, "I cannot count to two");
    // The twin whose runs have one commit.
    let keyed = one(&scenario, "idempotent");
    assert_eq!(verdict(&keyed, &swept(&keyed, 0..20).unwrap(), "fragile"), Verdict::Holds);
}

/// A counter in Rust beside a modelled shop: each request adds one and answers when that is durable, or before.
#[derive(Clone, PartialEq)]
struct Counter {
    answers_early: bool,
    /// Volatile: requests under way.
    open: Vec<(Word, halfway::own::Ticket)>,
    panics_at: Word,
}

const COUNTED: u32 = 1;

impl Process for Counter {
    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
        match input {
            Input::Request { ticket, args, .. } => {
                let who = args[0];
                if db.get("seen", who).is_some() {
                    return out.again(ticket, halfway::own::Said::Ok(1));
                }
                let n = db.get("counts", 1).map_or(0, |row| row.get("n"));
                assert!(n != self.panics_at, "I never liked {n}");
                let commit = Commit::new().put("counts", 1, &[("n", n + 1)]).insert("seen", who, &[]);
                out.commit(commit.only_if_unchanged("counts", 1), COUNTED, who);
                match self.answers_early {
                    true => out.ok(ticket, n + 1),
                    false => self.open.push((who, ticket)),
                }
            }
            Input::Committed { note, .. } => {
                if let Some(at) = self.open.iter().position(|(who, _)| *who == note) {
                    out.ok(self.open.remove(at).1, 1);
                }
            }
            Input::Dropped { note, .. } => {
                if let Some(at) = self.open.iter().position(|(who, _)| *who == note) {
                    out.fail(self.open.remove(at).1);
                }
            }
            _ => {}
        }
    }
}

impl Counter {
    fn new(answers_early: bool) -> Counter {
        Counter { answers_early, open: Vec::new(), panics_at: -1 }
    }
}

const COUNT: &str = r#"{
    "services": {
        "shop": { "tables": { "orders": {} }, "operations": { "note": { "args": ["o"], "put": { "orders[o]": {} } } } },
        "counts": { "process": "counter",
            "tables": { "counts": { "rows": { "1": { "n": 0 } } }, "seen": { "fields": {} } },
            "operations": { "add": { "args": ["who"] } } } },
    "flows": { "buy": { "by": "shop", "args": ["who"], "steps": [
        { "do": "shop.note(who)" }, { "do": "counts.add(who)" } ] } },
    "clients": { "adders": { "count": 2, "does": "buy(who)", "with": { "who": "uniform(1, 1000000)" } } },
    "weather": { "latency": "1ms..3ms", "faults": [ FAULTS ] },
    "strategies": { "naive": { "retry": { "timeout": "40ms", "attempts": 9 },
        "where": { "adders": { "retry": { "timeout": "2s" } } } } },
    "invariants": { "no-lost-update": {}, "no-duplicate-effect": {}, "acked-is-durable": {}, "every-intent-ends": {},
        "all counted": { "at_rest": "counts.counts[1].n == counts.seen.size()" } }
}"#;

fn counts(faults: &str, process: Counter) -> Prepared {
    let scenario = read_text(&COUNT.replace("FAULTS", faults)).with_process("counter", process).unwrap();
    one(&scenario, "naive")
}

#[test]
fn a_service_in_rust_behind_a_modelled_flow_keeps_what_it_says() {
    let faults = r#"{ "lose": "reply counts.add", "nth": 1, "chance": "50%" },
        { "crash": "counts", "after": "commit counts.add", "chance": "20%", "for": "5ms" },
        { "crash": "counts", "before": "commit counts.add", "chance": "20%", "for": "5ms" }"#;
    let sound = counts(faults, Counter::new(false));
    let runs = swept(&sound, 0..200).unwrap();
    assert!(runs.broken.is_empty() && runs.panics.is_empty(), "{runs:?}");
    assert_eq!(runs.rested, 200);
    for invariant in &sound.invariants {
        assert_eq!(verdict(&sound, &runs, &invariant.name), Verdict::Holds, "{}", invariant.name);
    }
}

#[test]
fn a_service_in_rust_that_answers_before_its_commit_is_found_out_by_a_crash() {
    let faults =
        r#"{ "crash": "counts", "before": "commit counts.add", "nth": 1, "chance": "50%", "for": "5ms" }"#;
    let sound = counts(faults, Counter::new(false));
    assert_eq!(verdict(&sound, &swept(&sound, 0..60).unwrap(), "acked-is-durable"), Verdict::Holds);
    let hasty = counts(faults, Counter::new(true));
    let runs = swept(&hasty, 0..60).unwrap();
    assert_eq!(verdict(&hasty, &runs, "acked-is-durable"), Verdict::Violated);
}

#[test]
fn a_panic_in_a_service_is_a_stuck_run_with_its_seed_and_spares_the_others() {
    let process = Counter { panics_at: 1, ..Counter::new(false) };
    // Who loses its first request is late, so that in some seeds the second never comes to the process.
    let faults = r#"{ "lose": "request counts.add", "nth": 1, "chance": "50%" }"#;
    let prepared = counts(faults, process);
    let runs = swept(&prepared, 0..40).unwrap();
    assert!(runs.panics.is_empty());
    assert!(!runs.broken.is_empty(), "{runs:?}");
    assert_eq!(runs.broken[0].1, "process `counter` panicked: I never liked 1");
    assert_eq!(verdict(&prepared, &runs, "every-intent-ends"), Verdict::Stuck);
    let stuck = runs.tally.invariants[3].stuck_runs;
    assert_eq!(stuck, runs.broken.len() as u64);
    // The history up to there can be looked at, and is the same each time.
    let seed = runs.broken[0].0;
    let (once, twice) = (prepared.replay(seed).unwrap(), prepared.replay(seed).unwrap());
    assert_eq!((once.run.digest, once.trace.records.len()), (twice.run.digest, twice.trace.records.len()));
}

/// Asks a modelled service, waits for its answer with a timer of its own, and asks again.
#[derive(Clone, PartialEq)]
struct Relay {
    waiting: Vec<(Word, halfway::own::Ticket)>,
    gives_up: bool,
}

impl Process for Relay {
    fn on(&mut self, input: Input<'_>, _db: &mut Db<'_>, out: &mut Out) {
        match input {
            Input::Request { ticket, args, .. } => {
                self.waiting.push((args[0], ticket));
                out.send("till.pay", args, 1, args[0]);
                out.arm(Span::millis(20), 2, args[0]);
            }
            Input::Timer { note, .. } if self.waiting.iter().any(|(order, _)| *order == note) => {
                if self.gives_up {
                    return;
                }
                out.send("till.pay", &[note], 1, note);
                out.arm(Span::millis(20), 2, note);
            }
            Input::Reply { note, said: halfway::own::Said::Ok(word), .. } => {
                if let Some(at) = self.waiting.iter().position(|(order, _)| *order == note) {
                    out.disarm(2, note);
                    out.unchanged(self.waiting.remove(at).1, word);
                }
            }
            _ => {}
        }
    }
}

const RELAYED: &str = r#"{
    "services": {
        "desk": { "process": "relay", "operations": { "buy": { "args": ["order"] } } },
        "till": { "tables": { "paid": {} }, "operations": { "pay": { "args": ["order"],
            "insert": { "paid[order]": {} }, "skip": "order in paid" } } } },
    "clients": { "shop": { "intents": 2, "does": "desk.buy(order)", "with": { "order": "unique('o')" } } },
    "weather": { "latency": "1ms", "faults": [ { "lose": "request till.pay", "chance": "40%" } ], "heal": "1s" },
    "strategies": { "naive": { "retry": { "timeout": "ever", "attempts": 1 } } },
    "invariants": { "every-intent-ends": {}, "paid": { "at_rest": "till.paid.size() == 2" } }
}"#;

#[test]
fn a_service_in_rust_asks_a_modelled_one_and_repeats_until_it_is_answered() {
    let run = |gives_up| {
        let process = Relay { waiting: Vec::new(), gives_up };
        one(&read_text(RELAYED).with_process("relay", process).unwrap(), "naive")
    };
    let patient = run(false);
    let runs = swept(&patient, 0..60).unwrap();
    assert!(runs.broken.is_empty(), "{:?}", runs.broken);
    assert_eq!(verdict(&patient, &runs, "every-intent-ends"), Verdict::Holds);
    assert_eq!(verdict(&patient, &runs, "paid"), Verdict::Holds);
    let lazy = run(true);
    assert_eq!(verdict(&lazy, &swept(&lazy, 0..60).unwrap(), "paid"), Verdict::Violated);
}

#[test]
fn what_does_not_fit_is_said_at_once() {
    let scenario = || read_text(COUNT.replace("FAULTS", "").as_str());
    assert_eq!(scenario().missing_processes(), ["counter"]);
    let error = scenario().with_process("teller", Counter::new(false)).unwrap_err();
    assert_eq!(error.to_string(), "no service of `test` has the process `teller`");
    let error = scenario().with_invariant("all counted", Fragile::default()).unwrap_err();
    assert_eq!(error.to_string(), "there is an invariant `all counted` already");
    let error = scenario().with_invariant("charged once", ChargedOnce::default()).unwrap_err();
    assert!(error.to_string().contains("wallet.charges"), "{error}");
    let unregistered = one(&scenario(), "naive").plan.unwrap_err();
    assert_eq!(
        unregistered[0].why,
        "service `counts` is run by the process `counter`, and none is registered"
    );
}

#[test]
fn a_history_can_be_asked_written_and_read_back() {
    use halfway::report::history::{Head, History};
    let naive = one(&read_text(CHARGE), "naive");
    let replay = naive.replay(0).unwrap();
    let history = History::of(&naive, &replay, Head { scenario: "charge", case: None, seed: 0 });
    assert_eq!(history.entries.len(), replay.trace.records.len());
    assert_eq!(history.outcome("shop", 1), Some("ok"));
    assert_eq!(history.outcome("shop", 2), None);
    // Two requests, one lost answer, one that came: sent and delivered or lost, each.
    let fates: Vec<&str> = history.messages_of("shop", 1).map(|entry| entry.kind.as_str()).collect();
    assert_eq!(fates, ["sent", "delivered", "sent", "lost", "sent", "delivered", "sent", "delivered"]);
    let rows: Vec<_> = history.of_service("wallet").filter(|entry| entry.kind == "install").collect();
    assert_eq!(rows.len(), 2);
    let first: Vec<_> = history.installs_of("wallet.charges[1]").collect();
    assert_eq!((first.len(), first[0].before.is_none()), (1, true));
    let after = first[0].after.as_ref().unwrap();
    assert_eq!((after["order"].as_str(), after["amount"].as_i64()), (Some("o-1.1"), Some(30)));
    let at = history.entries.iter().position(|entry| entry.kind == "install").unwrap();
    assert_eq!(history.entries[history.commit_of(at).unwrap()].op.as_deref(), Some("wallet.charge"));
    let text = history.to_jsonl();
    assert_eq!(History::from_jsonl(&text).unwrap(), history);
    // What is no history is said with its line.
    assert_eq!(History::from_jsonl("").unwrap_err().line, 1);
    let torn = &text[..text.len() - 10];
    assert_eq!(History::from_jsonl(torn).unwrap_err().line, history.entries.len() + 1);
}

/// Remembers what it answered under a key, in a table of its own that commits with the transaction.
struct Tokens {
    /// By the key that a client makes once, or by one that it makes anew each time it asks.
    by_intent: bool,
    /// In the transaction of the effect, or in a commit of its own behind it.
    together: bool,
}

impl Policy for Tokens {
    fn tables(&self) -> Vec<OwnTable> {
        vec![OwnTable::keyed_by_number("tokens").number("reply")]
    }

    fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
        let by_intent = self.by_intent;
        let key = move |locals: &Locals<'_>| {
            if by_intent { locals.intent_key() } else { locals.attempt_key() }
        };
        let stores = if self.together { Place::Computed } else { Place::Committed };
        if place == Place::Begun {
            steps.statement("look the token up", move |locals| {
                let key = key(locals);
                locals.lock("tokens", key);
                locals.db.get("tokens", key).map_or(Next::On, |row| Next::Again(row.get("reply")))
            });
        }
        if place == stores {
            steps.statement("keep the token", move |locals| {
                let (key, reply) = (key(locals), locals.reply());
                locals.put("tokens", key, &[("reply", reply)]);
                Next::On
            });
        }
    }
}

const TWICE: &str = "no effect twice";

#[test]
fn a_strategy_in_rust_that_keeps_tokens_with_the_effect_does_nothing_twice() {
    let got = conformance("tokens", "naive", Tokens { by_intent: true, together: true }, 20).unwrap();
    assert!(got.broken.is_empty(), "{got}");
    // What a token is good for, and what it is not: it does not keep two writers apart.
    assert_eq!(got.keeps(), [TWICE, "every intent ends"], "{got}");
    assert!(got.of(TWICE).filter(|row| row.base == Verdict::Violated).count() >= 6, "{got}");
    assert!(got.of(TWICE).any(|row| row.case == "a reply to a flow's step is lost"), "{got}");
    let over_occ = conformance("tokens", "occ", Tokens { by_intent: true, together: true }, 20).unwrap();
    assert_eq!(over_occ.breaks(), ["what is told is so", "all or nothing"], "{over_occ}");
}

#[test]
fn a_token_for_each_request_or_behind_the_commit_is_found_out() {
    let anew = conformance("tokens", "naive", Tokens { by_intent: false, together: true }, 20).unwrap();
    let broken: Vec<&str> = anew.of(TWICE).filter(|row| row.is_bad()).map(|row| &*row.case).collect();
    assert!(broken.contains(&"a reply is lost") && !broken.contains(&"a request comes twice"), "{anew}");
    let behind = conformance("tokens", "naive", Tokens { by_intent: true, together: false }, 20).unwrap();
    let broken: Vec<&str> = behind.of(TWICE).filter(|row| row.is_bad()).map(|row| &*row.case).collect();
    assert!(broken.contains(&"a crash after the commit") && !broken.contains(&"a reply is lost"), "{behind}");
}

#[test]
fn what_the_tool_brings_along_fares_as_it_should_where_strategies_of_ones_own_are_judged() {
    struct Nothing;
    impl Policy for Nothing {
        fn at(&self, _place: Place, _model: &Model, _op: OpId, _steps: &mut Steps) {}
    }
    let hardened = conformance("same", "hardened", Nothing, 20).unwrap();
    assert_eq!(hardened.breaks(), [""; 0], "{hardened}");
    let naive = conformance("same", "naive", Nothing, 20).unwrap();
    assert!(naive.rows.iter().all(|row| row.verdict == row.base), "{naive}");
    // Each case but those that only a wrong cure would break shows something to a strategy without any defence.
    let calm = ["a crash before the commit", "a crash of the database at the commit"];
    for case in halfway::explore::conformance_scenarios().cases.iter().filter_map(|case| case.name.as_deref())
    {
        let shown = naive.rows.iter().any(|row| row.case == case && row.is_bad());
        assert_eq!(shown, !calm.contains(&case), "{case}: {naive}");
    }
}

/// A cure that is worse than the disease: what looks the same is taken for the same.
#[test]
fn a_token_made_of_the_arguments_swallows_the_second_of_two_alike() {
    struct Alike;
    impl Policy for Alike {
        fn tables(&self) -> Vec<OwnTable> {
            vec![OwnTable::keyed_by_number("tokens")]
        }

        fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
            if place == Place::Begun {
                steps.statement("look the token up", |locals| {
                    let key = locals.payload_key();
                    if locals.db.get("tokens", key).is_some() {
                        return Next::Again(0);
                    }
                    locals.put("tokens", key, &[]);
                    Next::On
                });
            }
        }
    }
    let got = conformance("alike", "naive", Alike, 20).unwrap();
    let told = |case: &str| got.of("what is told is so").find(|row| row.case == case).unwrap().is_bad();
    assert!(told("two orders alike") && !told("a reply is lost"), "{got}");
}

#[test]
fn a_panic_in_a_step_ends_its_run_and_is_named_with_its_seed() {
    struct Shaky;
    impl Policy for Shaky {
        fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
            if place == Place::Arrived {
                steps.instant("shake", |locals| panic!("no key {}", locals.args().len()));
            }
        }
    }
    let got = conformance("shaky", "naive", Shaky, 3).unwrap();
    assert_eq!(got.broken.len(), 3 * 14);
    assert_eq!(got.broken[0], ("a reply is lost".into(), 0, "step `shake` panicked: no key 1".into()));
    assert!(got.rows.iter().all(|row| row.verdict == Verdict::Stuck), "{got}");
}

/// A timer dies with its replica; what is durable is taken up by `start`, on behalf of the intent it was kept for.
#[derive(Clone, PartialEq)]
struct Slow {
    takes_up: bool,
}

impl Process for Slow {
    fn texts(&self) -> Vec<String> {
        vec!["done".into()]
    }

    fn start(&mut self, db: &mut Db<'_>, out: &mut Out) {
        for row in db.rows("todo").iter().filter(|row| self.takes_up && !row.is("state", "done")) {
            out.resume(row.key());
            out.arm(Span::millis(10), 2, row.key());
        }
    }

    fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
        match input {
            Input::Request { ticket, args, .. } => {
                out.commit(Commit::new().insert("todo", args[0], &[]).keep(args[0]), 1, args[0]);
                out.ok(ticket, 1);
            }
            Input::Committed { tag: 1, note } => out.arm(Span::millis(10), 2, note),
            Input::Timer { note, .. } => {
                let done = Commit::new().put("todo", note, &[("state", db.text("done"))]).release(note);
                out.commit(done.part(1), 3, note);
            }
            _ => {}
        }
    }
}

const LATER: &str = r#"{
    "services": { "queue": { "process": "slow", "statement": "10us",
        "tables": { "todo": { "fields": { "id": "", "state": "new" } } },
        "operations": { "add": { "args": ["what"] } } } },
    "clients": { "boss": { "intents": 2, "gap": "500ms", "does": "queue.add(what)", "with": { "what": "unique('job')" } } },
    "weather": { "latency": "1ms", "faults": [ { "crash": "queue", "at": "6ms", "for": "20ms" } ] },
    "strategies": { "naive": { "retry": { "timeout": "1s", "attempts": 1 } } },
    "invariants": {
        "all done": { "at_rest": "queue.todo.all(t, t.state == 'done')" },
        "every-intent-ends": {}, "no-duplicate-effect": {} }
}"#;

#[test]
fn a_timer_dies_in_a_crash_and_what_is_kept_is_taken_up_for_the_intent_it_was_kept_for() {
    let run = |takes_up| one(&read_text(LATER).with_process("slow", Slow { takes_up }).unwrap(), "naive");
    let sound = run(true);
    let replay = sound.replay(0).unwrap();
    assert!(replay.run.broken.is_none(), "{:?}", replay.run.broken);
    for invariant in &sound.invariants {
        assert_eq!(verdict(&sound, &swept(&sound, 0..5).unwrap(), &invariant.name), Verdict::Holds);
    }
    // The first intent: asked for at 0, answered at 2 ms, down from 6 to 26 ms, done 10 ms and two statements later.
    let history = halfway::report::history::History::of(
        &sound,
        &replay,
        halfway::report::history::Head { scenario: "later", case: None, seed: 0 },
    );
    let done = history.of_intent("boss", 1).filter(|entry| entry.kind == "commit").nth(1).unwrap();
    assert_eq!((done.at_ns, done.node.as_deref()), (36_020_000, Some("queue")));
    let settled = history.of_intent("boss", 1).find(|entry| entry.kind == "settled").unwrap();
    assert_eq!(settled.at_ns, 36_020_000);
    // The twin that forgets: the job is never done, and its intent never ends.
    let forgetful = run(false);
    let runs = swept(&forgetful, 0..5).unwrap();
    assert_eq!(verdict(&forgetful, &runs, "all done"), Verdict::Violated);
    assert_eq!(verdict(&forgetful, &runs, "every-intent-ends"), Verdict::Stuck);
}

/// What a process sends has a name of its own: another tag beside it changes nothing of its luck.
#[derive(Clone, PartialEq)]
struct Chatty {
    says_more: bool,
}

impl Process for Chatty {
    fn on(&mut self, input: Input<'_>, _db: &mut Db<'_>, out: &mut Out) {
        if let Input::Request { ticket, args, .. } = input {
            if self.says_more {
                out.send("till.pay", &[args[0] + 1_000_000], 9, 0);
            }
            out.send("till.pay", args, 1, 0);
            out.ok(ticket, 1);
        }
    }
}

#[test]
fn another_message_beside_it_shifts_no_luck_of_what_a_process_sends() {
    let text = r#"{
        "services": {
            "desk": { "process": "chatty", "operations": { "buy": { "args": ["n"] } } },
            "till": { "tables": { "paid": {} }, "operations": { "pay": { "args": ["n"], "put": { "paid[n]": {} } } } } },
        "clients": { "shop": { "intents": 20, "does": "desk.buy(n)", "with": { "n": "uniform(1, 900000)" } } },
        "weather": { "latency": "1ms..9ms", "faults": [ { "lose": "request till.pay", "chance": "50%" } ] },
        "strategies": { "naive": {} }, "invariants": { "every-intent-ends": {} } }"#;
    let paid = |says_more: bool, seed| {
        let prepared = one(&read_text(text).with_process("chatty", Chatty { says_more }).unwrap(), "naive");
        let replay = prepared.replay(seed).unwrap();
        let head = halfway::report::history::Head { scenario: "chatty", case: None, seed };
        let history = halfway::report::history::History::of(&prepared, &replay, head);
        let fates = history.of_kind("install").map(|entry| entry.row.clone().unwrap());
        let mut fates: Vec<String> = fates
            .filter(|row| row.trim_start_matches("till.paid[").trim_end_matches(']').len() < 7)
            .collect();
        fates.sort();
        fates
    };
    for seed in 0..5 {
        let (alone, beside) = (paid(false, seed), paid(true, seed));
        assert_eq!(alone, beside, "seed {seed}");
        assert!((3..=17).contains(&alone.len()), "half of twenty, more or less: {}", alone.len());
    }
}

#[test]
fn a_duplicate_delivery_of_a_process_s_own_message_is_two_inputs() {
    let text = COUNT.replace("FAULTS", r#"{ "duplicate": "request counts.add", "again": ["5ms"] }"#);
    let scenario = read_text(&text).with_process("counter", Counter::new(false)).unwrap();
    let sound = one(&scenario, "naive");
    let runs = swept(&sound, 0..20).unwrap();
    assert_eq!(verdict(&sound, &runs, "no-duplicate-effect"), Verdict::Holds);
    assert_eq!(verdict(&sound, &runs, "all counted"), Verdict::Holds);
}

#[test]
fn runs_with_code_of_ones_own_are_the_same_on_any_number_of_threads() {
    use halfway::explore::sweep;
    use std::sync::atomic::AtomicBool;
    let faults = r#"{ "crash": "counts", "after": "commit counts.add", "chance": "20%", "for": "5ms" },
        { "lose": "reply counts.add", "nth": 1, "chance": "50%" }"#;
    let prepared = counts(faults, Counter { panics_at: 1, ..Counter::new(false) });
    let with = |jobs| sweep(&prepared, 0..60, jobs, &|_| {}, &AtomicBool::new(false)).unwrap();
    assert_eq!(with(1), with(2));
    let mut bench = prepared.bench().unwrap();
    for seed in [3, 9, 3] {
        assert_eq!(bench.run(seed, &mut ()), prepared.bench().unwrap().run(seed, &mut ()));
    }
}

/// A policy that stands on another and changes it, keeps a word from one step to the next, and refuses what took long.
struct Deadline {
    guarded: bool,
}

impl Policy for Deadline {
    fn how(&self, _model: &Model, how: &mut How) {
        if self.guarded {
            how.operations.iter_mut().for_each(|of| of.write = WritePolicy::Guarded);
        }
    }

    fn slots(&self) -> u16 {
        1
    }

    fn texts(&self) -> Vec<String> {
        vec!["too late".into()]
    }

    fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
        match place {
            Place::Arrived => {
                steps.instant("note the time", |locals| {
                    locals.set_slot(0, locals.db.now().0 as Word);
                    Next::On
                });
            }
            Place::Computed => {
                steps.instant("look at the time", |locals| {
                    let took = locals.db.now().0 as Word - locals.slot(0);
                    if took > 5_000_000 { Next::Refuse(locals.db.text("too late")) } else { Next::On }
                });
            }
            Place::Begun | Place::Committed => {}
        }
    }
}

#[test]
fn a_policy_refuses_what_took_too_long_and_changes_what_it_stands_on() {
    let text = r#"{
        "services": { "bank": { "statement": "0us",
            "tables": { "accounts": { "rows": { "ana": { "n": 0 } } } },
            "operations": { "add": { "args": ["long"], "think": "long ? duration('9ms') : duration('2ms')",
                "set": { "accounts['ana'].n": "accounts['ana'].n + 1" } } } } },
        "clients": { "adders": { "count": 2, "intents": 2, "does": "bank.add(long)", "with": { "long": "turn(true, false)" } } },
        "weather": { "latency": "1ms", "faults": [ { "lose": "request bank.add", "chance": "30%" } ] },
        "strategies": { "naive": { "retry": { "timeout": "40ms", "attempts": 9 } } },
        "invariants": { "no-lost-update": {}, "failed-has-no-effect": {},
            "the short ones": { "at_rest": "bank.accounts['ana'].n == 2" } } }"#;
    let with = |guarded| {
        let scenario = read_text(text).with_strategy("deadline", "naive", Deadline { guarded }).unwrap();
        let prepared = one(&scenario, "deadline");
        let runs = swept(&prepared, 0..40).unwrap();
        assert!(runs.broken.is_empty() && runs.panics.is_empty(), "{:?} {:?}", runs.broken, runs.panics);
        assert_eq!(verdict(&prepared, &runs, "failed-has-no-effect"), Verdict::Holds);
        [verdict(&prepared, &runs, "the short ones"), verdict(&prepared, &runs, "no-lost-update")]
    };
    assert_eq!(with(true), [Verdict::Holds, Verdict::Holds]);
    assert_eq!(with(false)[1], Verdict::Violated);
}

#[test]
fn a_choreographed_flow_passes_through_a_service_in_rust_and_on_whatever_is_lost() {
    let faults = r#"{ "lose": "*", "chance": "10%", "during": "0s..1s" },
        { "crash": "counts", "after": "commit counts.add", "nth": 1, "chance": "50%", "for": "5ms" }"#;
    let told = r#""told": { "extends": "idempotent", "coordination": "choreography", "publish": "outbox" }"#;
    let text = COUNT
        .replace("FAULTS", faults)
        .replace(r#""naive": {"#, &format!("{told},\n \"naive\": {{"))
        .replace(
            r#"{ "do": "shop.note(who)" }, { "do": "counts.add(who)" }"#,
            r#"{ "do": "counts.add(who)" }, { "do": "shop.note(who)" }"#,
        );
    let scenario = read_text(&text).with_process("counter", Counter::new(false)).unwrap();
    let told = one(&scenario, "told");
    let runs = swept(&told, 0..200).unwrap();
    assert!(runs.broken.is_empty() && runs.panics.is_empty(), "{:?} {:?}", runs.broken, runs.panics);
    // What the shop notes twice it notes as the same: it puts. Nothing is left behind at the counter.
    for invariant in ["all counted", "no-lost-update", "acked-is-durable"] {
        assert_eq!(verdict(&told, &runs, invariant), Verdict::Holds, "{invariant}");
    }
    assert_eq!(runs.rested, 200);
    assert!(
        runs.tally.invariants[0].obligations > 300,
        "most orders come through: {:?}",
        runs.tally.invariants
    );
}

/// Two replicas over one database: what one has committed the other sees, and a crash of one spares the other's memory.
#[test]
fn replicas_of_a_service_in_rust_share_its_tables_and_nothing_else() {
    let text = COUNT.replace(
        "FAULTS",
        r#"{ "lose": "reply counts.add", "nth": 1 },
        { "crash": "counts#1", "after": "commit counts.add", "chance": "50%", "for": "5ms" }"#,
    );
    let text = text.replace(r#""process": "counter","#, r#""process": "counter", "replicas": 2,"#);
    let scenario = read_text(&text).with_process("counter", Counter::new(false)).unwrap();
    let sound = one(&scenario, "naive");
    let runs = swept(&sound, 0..100).unwrap();
    for invariant in &sound.invariants {
        assert_eq!(verdict(&sound, &runs, &invariant.name), Verdict::Holds, "{}", invariant.name);
    }
    // Its twin looks at what it remembers instead of at what is durable; the other replica has not seen it.
    #[derive(Clone, PartialEq)]
    struct Forgetful(Counter, Vec<Word>);
    impl Process for Forgetful {
        fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
            if let Input::Request { ticket, args, .. } = input {
                if self.1.contains(&args[0]) {
                    return out.again(ticket, halfway::own::Said::Ok(1));
                }
                self.1.push(args[0]);
                let n = db.get("counts", 1).map_or(0, |row| row.get("n"));
                let commit = Commit::new().put("counts", 1, &[("n", n + 1)]).put("seen", args[0], &[]);
                out.commit(commit.only_if_unchanged("counts", 1), COUNTED, args[0]);
                self.0.open.push((args[0], ticket));
            } else {
                self.0.on(input, db, out);
            }
        }
    }
    let scenario =
        read_text(&text).with_process("counter", Forgetful(Counter::new(false), Vec::new())).unwrap();
    let forgetful = one(&scenario, "naive");
    let runs = swept(&forgetful, 0..100).unwrap();
    assert_eq!(verdict(&forgetful, &runs, "no-duplicate-effect"), Verdict::Violated);
}
