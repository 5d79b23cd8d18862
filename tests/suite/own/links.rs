//! Services in Rust among others: modelled ones, further ones in Rust, further replicas of the same.

use halfway::kernel::time::Span;
use halfway::model::expr::Counter as Count;
use halfway::model::invariant::Verdict;
use halfway::model::value::Word;
use halfway::own::{Commit, Db, Input, Out, Process};

use super::counter::{COUNT, COUNTED, Counter};
use super::{one, verdict};
use crate::shipped::{read_text, swept};

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

#[test]
fn one_service_in_rust_asks_another_over_the_same_weather() {
    let text = r#"{
        "services": {
            "desk": { "process": "relay", "operations": { "buy": { "args": ["order"] } } },
            "till": { "process": "counter",
                "tables": { "counts": { "rows": { "1": { "n": 0 } } }, "seen": { "fields": { "id": "" } } },
                "operations": { "pay": { "args": ["order"] } } } },
        "clients": { "shop": { "intents": 3, "does": "desk.buy(order)", "with": { "order": "unique('o')" } } },
        "weather": { "latency": "1ms", "heal": "1s", "faults": [
            { "lose": "desk <-> till", "chance": "30%" }, { "duplicate": "reply till.pay", "chance": "20%" },
            { "crash": "till", "before": "commit till.pay", "chance": "20%", "for": "5ms" } ] },
        "strategies": { "naive": { "retry": { "timeout": "ever", "attempts": 1 } } },
        "invariants": { "every-intent-ends": {}, "no-duplicate-effect": {},
            "paid": { "at_rest": "till.counts[1].n == 3 && till.seen.size() == 3" } }
    }"#;
    let with = |gives_up| {
        let relay = Relay { waiting: Vec::new(), gives_up };
        let scenario = read_text(text).with_process("relay", relay).unwrap();
        let prepared = one(&scenario.with_process("counter", Counter::new(false)).unwrap(), "naive");
        let runs = swept(&prepared, 0..100).unwrap();
        assert!(runs.broken.is_empty(), "{:?}", runs.broken);
        ["every-intent-ends", "no-duplicate-effect", "paid"].map(|name| verdict(&prepared, &runs, name))
    };
    assert_eq!(with(false), [Verdict::Holds; 3]);
    let impatient = with(true);
    assert_eq!((impatient[1], impatient[2]), (Verdict::Holds, Verdict::Violated));
}

#[test]
fn a_run_with_services_in_rust_is_written_down_with_names_and_is_that_run_again() {
    let faults = r#"{ "lose": "reply counts.add", "nth": 1, "chance": "50%" },
        { "crash": "counts", "after": "commit counts.add", "chance": "20%", "for": "5ms" }"#;
    let counted = read_text(&COUNT.replace("FAULTS", faults));
    let counted = one(&counted.with_process("counter", Counter::new(false)).unwrap(), "naive");
    let relay = Relay { waiting: Vec::new(), gives_up: false };
    let relayed = one(&read_text(RELAYED).with_process("relay", relay).unwrap(), "naive");
    let mut sent = 0;
    for prepared in [counted, relayed] {
        for seed in 0..20 {
            let recorded = prepared.record(seed).unwrap();
            for decision in &recorded.decisions {
                assert!(!decision.line.contains("0x"), "seed {seed}: {}", decision.line);
                sent += u32::from(decision.line.contains(".out1.t"));
            }
            let again = prepared.scripted(&recorded.decisions, true, seed);
            let again = again.bench().unwrap().run(seed);
            assert_eq!(again.verdict.counts, recorded.run.verdict.counts, "seed {seed}");
            assert_eq!(again.ended.at, recorded.run.ended.at, "seed {seed}");
        }
    }
    assert!(sent > 10, "what a process sends is named by its tag: {sent}");
}

/// Asks itself, or a till, to note an order, and answers when that is done.
#[derive(Clone, PartialEq)]
struct Desk {
    asks: &'static str,
    waiting: Vec<(Word, halfway::own::Ticket)>,
}

impl Process for Desk {
    fn on(&mut self, input: Input<'_>, _db: &mut Db<'_>, out: &mut Out) {
        match input {
            Input::Request { ticket, op: "buy", args } => {
                self.waiting.push((args[0], ticket));
                out.send(self.asks, args, 1, args[0]);
            }
            Input::Request { ticket, args, .. } => out.ok(ticket, args[0]),
            // At another replica nobody waits for it.
            Input::Reply { note, said: halfway::own::Said::Ok(word), .. } if word == note => {
                let at = self.waiting.iter().position(|(order, _)| *order == note);
                at.into_iter().for_each(|at| out.ok(self.waiting.remove(at).1, word));
            }
            _ => {}
        }
    }
}

/// A desk and a till, both in Rust; what a desk asks of this link is lost, requests of clients sometimes.
fn desk(asks: &'static str, lost: &str, intents: u32) -> halfway::explore::Prepared {
    let text = format!(
        r#"{{
        "services": {{
            "boss": {{}},
            "desk": {{ "process": "desk", "replicas": 3, "operations": {{ "buy": {{ "args": ["order"] }}, "note": {{ "args": ["order"] }} }} }},
            "till": {{ "process": "desk", "operations": {{ "note": {{ "args": ["order"] }} }} }} }},
        "flows": {{ "through": {{ "by": "desk", "args": ["order"], "steps": [ {{ "do": "till.note(order)", "when": "false" }} ], "reply": "order" }} }},
        "clients": {{ "shop": {{ "intents": {intents}, "does": "desk.buy(order)", "with": {{ "order": "unique('o')" }} }} }},
        "weather": {{ "faults": [
            {{ "lose": "desk -> {lost}" }},
            {{ "lose": "request desk.buy", "nth": 1, "chance": "20%" }} ] }},
        "strategies": {{ "naive": {{ "retry": {{ "timeout": "10ms", "attempts": "ever" }} }} }},
        "invariants": {{ "every-intent-ends": {{}} }} }}"#
    );
    one(&read_text(&text).with_process("desk", Desk { asks, waiting: Vec::new() }).unwrap(), "naive")
}

#[test]
fn what_a_service_in_rust_asks_of_itself_crosses_no_network() {
    for asks in ["desk.note", "through"] {
        let own = desk(asks, "desk", 3);
        let runs = swept(&own, 0..40).unwrap();
        assert!(runs.broken.is_empty(), "{:?}", runs.broken);
        assert_eq!(verdict(&own, &runs, "every-intent-ends"), Verdict::Holds, "{asks}");
        assert_eq!(runs.tally.counts.get(Count::Ok), 120, "{asks}");
    }
    // The twin that asks another service: all of it is lost, and nobody is answered before the faults end.
    let other = desk("till.note", "till", 3);
    let runs = swept(&other, 0..40).unwrap();
    let late =
        other.replay(0).unwrap().trace.records.iter().any(|record| {
            record.kind == halfway::model::record::Kind::Complete && record.at.0 < 1_000_000_000
        });
    assert!(runs.broken.is_empty() && !late);
}

/// Whoever asked is remembered as long as the intent that it asked for lasts, and no longer.
#[test]
fn what_processes_asked_for_is_forgotten_with_its_intent() {
    let remembered = |asks, intents| {
        let prepared = desk(asks, "boss", intents);
        let mut bench = prepared.bench().unwrap();
        let run = bench.run(0);
        assert_eq!(run.verdict.counts.get(Count::Ok), i64::from(intents));
        format!("{bench:?}").matches("Asker {").count()
    };
    for asks in ["till.note", "desk.note"] {
        let few = remembered(asks, 10);
        assert!((1..10).contains(&few), "{asks}: {few}");
        assert_eq!(remembered(asks, 200), few, "{asks}");
    }
}
