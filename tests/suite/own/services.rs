//! One service in Rust: commits, crashes, timers, panics, and what does not fit.

use halfway::kernel::time::Span;
use halfway::model::invariant::Verdict;
use halfway::own::{Commit, Db, Input, Out, Process};

use super::counter::{COUNT, Counter, counts};
use super::invariants::{ChargedOnce, Fragile};
use super::{one, verdict};
use crate::shipped::{read_text, swept};

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

#[test]
fn what_does_not_fit_is_said_at_once() {
    let scenario = || read_text(COUNT.replace("FAULTS", "").as_str());
    assert_eq!(scenario().missing_processes(), ["counter"]);
    let error = scenario().with_process("teller", Counter::new(false)).unwrap_err();
    assert_eq!(error.to_string(), "no service of `test` has the process `teller`; there is only `counter`");
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
        assert_eq!(bench.run(seed), prepared.bench().unwrap().run(seed));
    }
}

#[test]
fn a_trial_says_that_code_of_ones_own_broke_and_in_which_seed() {
    let text = COUNT.replace("FAULTS", "");
    let text = text.replace(r#""every-intent-ends": {},"#, "");
    let process = Counter { panics_at: 1, ..Counter::new(false) };
    let scenario = read_text(&text).with_process("counter", process).unwrap();
    let failed = scenario.strategy("naive").seeds(0..5).check().unwrap_err();
    println!("{failed}");
    let said = failed.to_string();
    assert!(said.contains("code of its own broke"), "{said}");
    assert!(said.contains("naive: seed 0 ends early: process `counter` panicked: I never liked 1"), "{said}");
    assert!(!said.contains("halfway replay"), "{said}");
    assert_eq!(failed.first_seed(), Some(0));
    let error = read_text(&text).strategy("naive").seeds(0..5).check().unwrap_err().to_string();
    assert!(error.contains("no process `counter` is registered"), "{error}");
}

#[test]
fn what_cannot_be_merged_or_asked_for_is_said_with_its_name() {
    let text = COUNT
        .replace("FAULTS", "")
        .replace(r#""strategies": {"#, r#""strategies": { "merged": { "coordination": "merged" },"#);
    let scenario = read_text(&text).with_process("counter", Counter::new(false)).unwrap();
    let merged = one(&scenario, "merged").plan.unwrap_err();
    assert_eq!(merged[0].why, "flow `buy` has steps in Rust, which cannot be merged into one transaction");

    #[derive(Clone, PartialEq)]
    struct Lost(u8);
    impl Process for Lost {
        fn on(&mut self, input: Input<'_>, db: &mut Db<'_>, out: &mut Out) {
            let Input::Request { ticket, .. } = input else { return };
            match self.0 {
                0 => out.send("counts.nowhere", &[], 1, 0),
                1 => out.commit(Commit::new().put("tables", 1, &[]), 1, 0),
                2 => out.commit(Commit::new().put("counts", 1, &[("m", 1)]), 1, 0),
                3 => out.ok(ticket, db.text("never heard of")),
                _ => out.ok(ticket, db.get("counts", 1).unwrap().get("m")),
            }
        }
    }
    let said = |n| {
        let scenario = read_text(&COUNT.replace("FAULTS", "")).with_process("counter", Lost(n)).unwrap();
        one(&scenario, "naive").bench().unwrap().run(0).broken.unwrap()
    };
    let expected = [
        "process `counter` sends to `counts.nowhere`, which is no operation and no flow that a service runs",
        "process `counter` writes to `tables`, which is no table of `counts`",
        "process `counter` writes a field `m` that `counts` has not",
        "process `counter` panicked: the text 'never heard of' is neither in the file nor announced",
        "process `counter` panicked: the table `counts` has no field `m`",
    ];
    for (n, expected) in (0..).zip(expected) {
        assert_eq!(said(n), expected);
    }
}

/// A process that writes two rows in one commit: with one value, or after freeing one.
#[derive(Clone, PartialEq)]
struct Twins;

impl Process for Twins {
    fn on(&mut self, input: Input<'_>, _: &mut Db<'_>, out: &mut Out) {
        let Input::Request { ticket, args, .. } = input else { return };
        let commit = Commit::new();
        let commit = match args[0] {
            0 => commit.insert("t", 2, &[("n", 8)]).insert("t", 3, &[("n", 8)]),
            1 => commit.delete("t", 1).insert("t", 2, &[("n", 7)]),
            2 => commit.put("t", 1, &[("n", 8)]).insert("t", 2, &[("n", 7)]),
            _ => commit.put("t", 1, &[("n", 8)]).insert("t", 2, &[("n", 8)]),
        };
        out.commit(commit, 1, 0);
        out.ok(ticket, 1);
    }
}

#[test]
fn a_commit_of_a_process_keeps_values_unique_within_itself() {
    for (n, left) in [(0, "[7]"), (1, "[7]"), (2, "[8, 7]"), (3, "[7]")] {
        let text = format!(
            r#"{{ "services": {{ "s": {{ "process": "twins",
            "tables": {{ "t": {{ "unique": ["n"], "rows": {{ "1": {{ "n": 7 }} }} }} }},
            "operations": {{ "go": {{ "args": ["how"] }} }} }} }},
        "clients": {{ "c": {{ "does": "s.go({n})" }} }},
        "strategies": {{ "naive": {{}} }},
        "invariants": {{ "one each": {{ "at-most-one": "s.t", "per": "n" }} }},
        "expect": {{ "naive": {{ "facts": ["s.t.size() == {left}.size() && s.t.all(r, r.n in {left})"] }} }} }}"#
        );
        let prepared = one(&read_text(&text).with_process("twins", Twins).unwrap(), "naive");
        let run = prepared.replay(0).unwrap().run;
        assert_eq!(
            (run.broken, run.facts, run.verdict.is_violated()),
            (None, vec![Some(true)], false),
            "{n}"
        );
    }
}
