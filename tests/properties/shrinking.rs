//! How small things get: in users' own tests, and over many failing runs of the shipped scenarios.

use std::path::Path;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config as ProptestConfig, TestCaseError, TestError, TestRunner};

use halfway::Draft;
use halfway::prop::{Config, Course, Size, Subject, courses, find, scenarios, scripts, weathers, workloads};

fn shipped(name: &str) -> Draft {
    Draft::load(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scenarios/{name}.json"))).unwrap()
}

fn settings(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What `proptest` is left with when a property fails.
fn smallest<S: Strategy>(strategy: &S, holds: impl Fn(&S::Value) -> bool) -> Option<S::Value> {
    let mut runner = TestRunner::new_with_rng(
        settings(200),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let run =
        runner.run(strategy, |value| if holds(&value) { Ok(()) } else { Err(TestCaseError::fail("no")) });
    match run {
        Err(TestError::Fail(_, value)) => Some(value),
        _ => None,
    }
}

/// The card is charged, the answer is lost, the shop asks again: one intent and one lost reply.
#[test]
fn a_charge_twice_shrinks_to_one_lost_reply() {
    let subject = Subject::new(&shipped("payment-lost-ack"), "naive").unwrap();
    let course = smallest(&courses(&subject), |course| subject.check(course).is_ok()).unwrap();
    let size = course.size(subject.prepared()).unwrap();
    assert_eq!(
        (size.intents, size.faults, size.times),
        (1, 1, 0),
        "{:#?}",
        course.lines().collect::<Vec<_>>()
    );
}

/// That both edits are there is broken by leaving one out, too; but that says nothing, so both stay.
#[test]
fn leaving_out_what_must_be_there_is_no_way_to_shrink() {
    let subject = Subject::new(&shipped("profile-lost-update"), "naive").unwrap();
    let found = find(&subject, &Config::default()).unwrap().unwrap();
    assert_eq!(found.fresh.unwrap().after.intents, 2, "{}", found.draft);
}

/// Four clerks count up one number. Of all invariants two have something to say about how many sales there are.
const CLERKS: &str = r#"{
  "services": { "box": {
    "tables": { "count": { "rows": { "1": { "n": 0 } } }, "sold": {} },
    "operations": { "sell": { "set": { "count[1].n": "count[1].n + 1" }, "insert": { "sold[]": { "n": 1 } } } } } },
  "clients": { "clerks": { "count": 4, "does": "box.sell()", "start": "0ms..4ms" } },
  "weather": { "latency": "1ms", "faults": [ { "lose": "request box.sell", "chance": "CHANCE" } ] },
  "strategies": { "naive": {} },
  "invariants": {
    "no-lost-update": {},
    "all sold": { "at_rest": "box.sold.size() == 4" },
    "all counted": { "at_rest": "count.n == 4" }
  }
}"#;

fn clerks(chance: &str) -> Subject {
    let text = CLERKS.replace("CHANCE", chance).replace("count.n == 4", "box.count[1].n == 4");
    Subject::new(&Draft::parse("clerks", &text).unwrap(), "naive").unwrap()
}

/// What counts all intents is broken by leaving some out, which says nothing; but two of them lose an update all the same.
#[test]
fn an_invariant_that_counts_does_not_keep_the_intents_that_another_one_can_do_without() {
    let found = find(&clerks("0%"), &Config::default()).unwrap().unwrap();
    assert_eq!(found.fresh.as_ref().unwrap().after.intents, 2, "{}", found.draft);
    assert_eq!(found.broken.violated, ["no-lost-update"], "{}", found.draft);
    // The file speaks of nothing else, and does what it says.
    let invariants = found.draft.get("/invariants").and_then(|of| of.as_object()).unwrap();
    assert_eq!(invariants.keys().collect::<Vec<_>>(), ["no-lost-update"]);
    found.draft.read().unwrap().trial().check().unwrap();
}

/// The twin: of a sale that is lost only those that count know, and none of the others can be left out.
#[test]
fn what_only_an_invariant_that_counts_finds_keeps_all_intents() {
    let one_by_one = CLERKS.replace("CHANCE", "60%").replace("count.n == 4", "box.count[1].n == 4");
    let one_by_one = one_by_one.replace(r#""count": 4, "does""#, r#""intents": 4, "gap": "9ms", "does""#);
    let subject = Subject::new(&Draft::parse("clerks", &one_by_one).unwrap(), "naive").unwrap();
    let found = find(&subject, &Config::default()).unwrap().unwrap();
    let size = found.fresh.as_ref().unwrap().after;
    assert_eq!((size.intents, size.faults), (4, 1), "{}", found.draft);
    assert_eq!(found.broken.violated, ["all sold", "all counted"], "{}", found.draft);
}

/// From faults at points of calm runs it is found as well, without the scenario's own weather.
#[test]
fn a_script_of_faults_at_points_finds_it_too() {
    let subject = Subject::new(&shipped("payment-lost-ack"), "naive").unwrap();
    let course = smallest(&scripts(&subject, 3), |course| subject.check(course).is_ok()).unwrap();
    let size = course.size(subject.prepared()).unwrap();
    assert_eq!(
        (size.intents, size.faults, size.times),
        (1, 1, 0),
        "{:#?}",
        course.lines().collect::<Vec<_>>()
    );
    let twin = Subject::new(&shipped("payment-lost-ack"), "idempotent").unwrap();
    // A key says nothing about the balance, which two orders at once may still spoil.
    let once = |course: &Course| {
        !twin.check(course).is_err_and(|broken| broken.violated.contains(&"charged once".into()))
    };
    assert!(smallest(&scripts(&twin, 3), once).is_none());
}

/// Made workloads and weathers are scenarios without mistakes, whatever comes out.
#[test]
fn whatever_is_made_can_be_read_and_run() {
    for name in ["payment-lost-ack", "order-saga", "duplicate-delivery", "last-item"] {
        let draft = shipped(name);
        let strategy = draft.read().unwrap().cases[0].strategies[0].name.clone();
        let subject = Subject::new(&draft, &strategy).unwrap();
        let wrong = smallest(&scenarios(&subject, 4), |draft| draft.read().is_ok());
        assert!(wrong.is_none(), "{}", wrong.map(|draft| draft.read().unwrap_err().to_string()).unwrap());
    }
}

/// A whole file shrinks to one client with one intent and one rule.
#[test]
fn a_whole_scenario_shrinks_to_a_small_one() {
    let subject = Subject::new(&shipped("payment-lost-ack"), "naive").unwrap();
    let breaks = |draft: &Draft| Subject::new(draft, "naive").unwrap().replay(draft).unwrap();
    let draft = smallest(&scenarios(&subject, 4), |draft| breaks(draft).violated.is_empty()).unwrap();
    // A rule, or none where the network alone is slow enough for a second attempt.
    let faults = draft.get("/weather/faults").unwrap().as_list().unwrap();
    assert!(faults.len() <= 1, "{draft}");
    let group = draft.get("/clients").unwrap().as_object().unwrap().keys().next().unwrap().to_owned();
    for count in ["count", "intents"] {
        assert_eq!(draft.get(&format!("/clients/{group}/{count}")), Some(&1.into()), "{draft}");
    }
}

/// A part alone shrinks to nothing where nothing is needed.
#[test]
fn parts_shrink_to_calm_and_one_intent() {
    let subject = Subject::new(&shipped("payment-lost-ack"), "naive").unwrap();
    let weather = smallest(&weathers(&subject, 4), |_| false).unwrap();
    assert_eq!(weather.get("/faults").unwrap().as_list().unwrap().len(), 0);
    assert_eq!(weather.get("/latency").unwrap().as_text(), Some("1ms..1ms"));
    let workload = smallest(&workloads(&subject), |_| false).unwrap();
    for (_, group) in workload.as_object().unwrap().iter() {
        assert_eq!((group.get("/count"), group.get("/intents")), (Some(&1.into()), Some(&1.into())));
    }
}

/// Medians before and after over many failing runs of the shipped scenarios. `HALFWAY_FAILURES=200` measures so many and
/// prints them; a few keep it honest otherwise.
#[test]
fn failing_runs_of_shipped_scenarios_get_small() {
    let wanted: usize =
        std::env::var("HALFWAY_FAILURES").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let mut sizes: Vec<(Size, Size)> = Vec::new();
    let mut subjects = Vec::new();
    for file in [
        "course-enrolment",
        "duplicate-delivery",
        "last-item",
        "orchestrator-crash",
        "order-incomplete",
        "order-saga",
        "payment-lost-ack",
        "profile-lost-update",
    ] {
        let draft = shipped(file).as_written();
        for strategy in &draft.read().unwrap().cases[0].strategies {
            if let Ok(subject) = Subject::new(&draft, &strategy.name) {
                subjects.push((format!("{file} {}", strategy.name), subject));
            }
        }
    }
    let begin = std::time::Instant::now();
    let mut barren = vec![false; subjects.len()];
    let mut round = 0;
    while sizes.len() < wanted && barren.iter().any(|barren| !barren) {
        for (at, (name, subject)) in subjects.iter().enumerate() {
            if barren[at] || sizes.len() >= wanted {
                continue;
            }
            let config = Config { cases: 100, seed: round, ..Config::default() };
            match find(subject, &config).unwrap_or_else(|trouble| panic!("{name}: {trouble}")) {
                Some(found) => {
                    let shrunk = found.fresh.unwrap();
                    if wanted > 20 {
                        eprintln!("{name}: {:?} to {:?}", shrunk.before, shrunk.after);
                    }
                    sizes.push((shrunk.before, shrunk.after));
                }
                None => barren[at] = true,
            }
        }
        round += 1;
    }
    let median = |of: &dyn Fn(&(Size, Size)) -> u64| {
        let mut all: Vec<u64> = sizes.iter().map(of).collect();
        all.sort_unstable();
        (all[all.len() / 2], all[all.len() - 1])
    };
    type Part = fn(&Size) -> u64;
    let parts: [(&str, Part); 4] = [
        ("intents", |size| size.intents),
        ("faults", |size| size.faults),
        ("times", |size| size.times),
        ("events", |size| size.events),
    ];
    for (name, of) in parts {
        let (before, after) = (median(&|pair| of(&pair.0)), median(&|pair| of(&pair.1)));
        eprintln!("{name}: median {} to {}, most {} to {}", before.0, after.0, before.1, after.1);
    }
    eprintln!("{} failures in {:?}", sizes.len(), begin.elapsed());
    assert_eq!(sizes.len(), wanted);
    assert!(sizes.iter().all(|(_, after)| after.intents > 0), "nothing breaks where nobody wants anything");
    assert!(median(&|(_, after)| after.intents).0 <= 2 && median(&|(_, after)| after.faults).0 <= 2);
}
