//! Invariants in Rust beside those that the tool brings along; the history of a run as a value.

use halfway::check::Witness;
use halfway::model::invariant::Verdict;
use halfway::model::record::Outcome;
use halfway::model::value::Word;
use halfway::own::{Db, Ended, Hazard, Notes, Seen, Shown, Watch};

use super::{one, verdict};
use crate::shipped::{read_text, swept};

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
pub(super) struct ChargedOnce {
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
pub(super) struct Fragile {
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
    let run = naive.bench().unwrap().run(3);
    let Witness::Own { text, panicked: true, .. } = &run.verdict.invariants[1].findings[0].what else {
        panic!("{run:?}")
    };
    assert_eq!(text, "I cannot count to two");
    // The twin whose runs have one commit.
    let keyed = one(&scenario, "idempotent");
    assert_eq!(verdict(&keyed, &swept(&keyed, 0..20).unwrap(), "fragile"), Verdict::Holds);
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
