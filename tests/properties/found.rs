//! Three bugs that are found, shrunk to a handful of decisions and kept under `tests/regressions`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use halfway::Draft;
use halfway::prop::{Config, Found, Subject, find};

use crate::two_phase::{Mistake, Participant};

fn regressions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions")
}

/// A directory that is gone at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("halfway-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Finds it anew, within what a person can read; then once more, from the file. The file that is committed is the same.
fn found(subject: &Subject, name: &str) -> Found {
    let scratch = Scratch::new(name);
    let config = Config::default().kept_in(&scratch.0).named(name);
    let begin = Instant::now();
    let fresh = find(subject, &config).unwrap().unwrap();
    let took = begin.elapsed();
    let shrunk = fresh.fresh.clone().unwrap();
    // Whoever reads the failure knows what broke, by what, where it is, and what to do.
    let said = fresh.to_string();
    let file = scratch.0.join(format!("{name}.json")).display().to_string();
    let command = format!("halfway replay {file} --strategy");
    // The command has no code in Rust: where there is some, the story itself is told.
    let shows = match &fresh.story {
        None => said.contains(&command),
        Some(story) => said.contains(&file) && said.contains(story) && !said.contains(&command),
    };
    assert!(said.starts_with("violated: ") && shows, "{said}");
    let script = fresh.draft.get("/weather/script").and_then(|lines| lines.as_list()).unwrap();
    assert!(script.iter().all(|line| said.contains(line.as_text().unwrap())), "{said}");
    let course = format!("{:?}", shrunk.course);
    assert!(shrunk.course.lines().all(|line| course.contains(line)) && !course.contains("Path("), "{course}");
    assert!(shrunk.after.intents <= 3 && shrunk.after.faults <= 2, "{shrunk:#?}");
    assert!(took < Duration::from_secs(if cfg!(debug_assertions) { 100 } else { 10 }), "{took:?}");
    eprintln!("{name}: {took:?}, {:?} to {:?}", shrunk.before, shrunk.after);

    // What broke before runs first, and nothing is looked for.
    let again = find(subject, &config).unwrap().unwrap();
    assert!(again.fresh.is_none() && again.draft.json() == fresh.draft.json());
    assert_eq!(again.broken, fresh.broken);

    let kept = regressions().join(format!("{name}.json"));
    if std::env::var_os("HALFWAY_RENEW").is_some() {
        fresh.draft.save(&kept).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&kept).unwrap_or_default(),
        fresh.draft.text(),
        "{name} was kept otherwise"
    );
    fresh
}

/// A shop that takes a lamp and then charges for it. Who takes the lamp back when the card is declined was forgotten.
const FORGOTTEN: &str = r#"{
    "about": "A saga whose first step nobody undoes.",
    "services": {
        "desk": {},
        "shelf": {
            "tables": { "taken": {} },
            "operations": {
                "take": { "args": ["order"], "insert": { "taken[order]": {} } },
                "give": { "args": ["order"], "delete": "taken[order]" } } },
        "card": {
            "tables": { "charges": {} },
            "operations": {
                "charge": { "args": ["order"], "insert": { "charges[order]": {} } },
                "refund": { "args": ["order"], "delete": "charges[order]" } } } },
    "flows": { "buy": { "by": "desk", "args": ["order"], "steps": [
        { "do": "shelf.take(order)", UNDO "class": "compensatable" },
        { "do": "card.charge(order)", "undo": "card.refund(order)" } ] } },
    "clients": { "shoppers": { "count": 3, "intents": 10, "gap": "0ms..20ms", "does": "buy(order)",
                               "with": { "order": "unique('o')" } } },
    "weather": { "latency": "1ms..9ms", "faults": [
        { "refuse": "card.charge", "chance": "5%" }, { "lose": "*", "chance": "2%" },
        { "duplicate": "request *", "chance": "5%" } ] },
    "strategies": { "*": { "retry": { "timeout": "40ms", "attempts": 4 } },
                    "shop": { "idempotency": "key", "coordination": { "use": "saga", "fence": true } } },
    "invariants": { "no lamp unpaid": { "no-orphan": "shelf.taken", "owner": "it.id in card.charges" } },
    "allow": ["HW0504", "HW0503"]
}"#;

#[test]
fn a_forgotten_compensation_takes_one_order_and_one_declined_card() {
    let draft = Draft::parse("saga", &FORGOTTEN.replace("UNDO", "")).unwrap();
    let found = found(&Subject::new(&draft, "shop").unwrap(), "saga-without-undo");
    assert_eq!(found.broken.violated, ["no lamp unpaid"]);
    let size = found.fresh.unwrap().after;
    assert_eq!((size.intents, size.faults, size.times), (1, 1, 0));
}

#[test]
fn with_the_compensation_nothing_is_found() {
    let draft = Draft::parse("saga", &FORGOTTEN.replace("UNDO", r#""undo": "shelf.give(order)","#)).unwrap();
    let subject = Subject::new(&draft, "shop").unwrap();
    assert!(find(&subject, &Config { cases: 60, ..Config::default() }).unwrap().is_none());
}

/// Orders are mailed by an outbox. A replica that stops between the number and the commit of its row commits later, under a
/// lower number than the other replica's, and a relay that keeps a cursor has passed it by then.
const SKIPPED: &str = r#"{
    "about": "A relay that reads its outbox by a cursor.",
    "services": {
        "orders": {
            "replicas": 2, "tables": { "orders": {} },
            "operations": { "place": { "args": ["order"],
                "insert": { "orders[order]": {} }, "publish": { "placed": { "order": "order" } } } } },
        "mail": {
            "tables": { "sent": {} },
            "operations": { "send": { "on": "placed", "args": ["order"], "put": { "sent[order]": {} } } } } },
    "clients": { "shoppers": { "count": 4, "intents": 5, "start": "0ms..20ms", "gap": "0ms..20ms",
                               "does": "orders.place(order)", "with": { "order": "unique('o')" } } },
    "weather": { "latency": "1ms..9ms", "faults": [
        { "lose": "event *", "chance": "5%" },
        { "pause": "orders", "before": "commit orders.place", "chance": "5%", "for": "10ms..80ms" } ] },
    "strategies": { "shop": { "publish": { "use": "outbox", "relay": "RELAY", "every": "5ms" } } },
    "invariants": { "every order is mailed": { "at_rest": "orders.orders.all(o, o.id in mail.sent)" } }
}"#;

#[test]
fn a_relay_that_skips_takes_a_few_orders_and_one_pause() {
    let draft = Draft::parse("outbox", &SKIPPED.replace("RELAY", "cursor")).unwrap();
    let found = found(&Subject::new(&draft, "shop").unwrap(), "outbox-that-skips");
    assert_eq!(found.broken.violated, ["every order is mailed"]);
    let size = found.fresh.unwrap().after;
    assert!(size.intents <= 3 && size.faults == 1, "{size:?}");
}

#[test]
fn a_relay_that_notes_each_row_skips_nothing() {
    let draft = Draft::parse("outbox", &SKIPPED.replace("RELAY", "flag")).unwrap();
    let subject = Subject::new(&draft, "shop").unwrap();
    assert!(find(&subject, &Config { cases: 60, ..Config::default() }).unwrap().is_none());
}

/// Two participants in Rust vote on a booking, then are told to commit.
fn booking(mistake: Mistake) -> Subject {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_process.json");
    let draft = Draft::load(file).unwrap();
    Subject::with_code(&draft, "saga", move |scenario| {
        scenario.with_process("participant", Participant::new(mistake)).map_err(|error| error.to_string())
    })
    .unwrap()
}

/// It takes no fault at all: patience runs out after the decision, too, and what was committed is aborted.
#[test]
fn a_participant_that_aborts_alone_takes_one_booking_in_calm_weather() {
    let found = found(&booking(Mistake::AbortsAlone), "two-phase-aborts-alone");
    let size = found.fresh.unwrap().after;
    assert_eq!((size.intents, size.faults, size.times), (1, 0, 0));
}

/// Its yes is worth nothing if another one takes the place first; one booking and a crash before the vote is durable show it
/// just as well.
#[test]
fn a_participant_that_votes_early_takes_two_bookings_at_once() {
    let found = found(&booking(Mistake::VotesEarly), "two-phase-votes-early");
    let size = found.fresh.unwrap().after;
    assert_eq!((size.intents, size.faults), (2, 0));
}

#[test]
fn a_participant_that_waits_gives_nothing_to_find() {
    assert!(find(&booking(Mistake::None), &Config { cases: 60, ..Config::default() }).unwrap().is_none());
}

/// The files are scenarios like any other: read and run by whoever likes, each shows what it says.
#[test]
fn every_file_that_is_kept_shows_what_it_says() {
    for entry in std::fs::read_dir(regressions()).unwrap() {
        let path = entry.unwrap().path();
        let draft = Draft::load(&path).unwrap();
        // Those of code in Rust take that code; their own tests run them.
        if draft.text().contains("\"process\"") {
            continue;
        }
        let checked = draft.read().unwrap().trial().check();
        assert!(checked.is_ok(), "{}: {}", path.display(), checked.unwrap_err());
    }
}
