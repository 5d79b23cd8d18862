//! Trials as tests make them: what passes, what fails, and what a failure says.

use super::*;
use crate::scenario::Draft;

fn shipped(name: &str) -> Scenario {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    Scenario::load(folder.join(name)).unwrap()
}

/// The shipped payment whose reply is lost, with other expectations.
fn payment(expect: &str) -> Scenario {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut draft = Draft::load(folder.join("payment-lost-ack.json")).unwrap().as_written();
    draft.remove("/expect");
    draft.patch(Draft::parse("patch", expect).unwrap().json().clone());
    draft.read().unwrap()
}

fn quiet(seed: Option<&str>) -> Around {
    Around { seed: seed.map(str::to_owned), test: Some("payments::charged_once".into()) }
}

#[test]
fn a_shipped_scenario_is_as_its_file_expects() {
    let checked = shipped("profile-lost-update.json").seeds(0..200).check_in(quiet(None)).unwrap();
    assert!(checked.runs() >= 1_000 && checked.to_string().contains("violated"), "{checked}");
}

#[test]
fn a_violation_nobody_expects_fails_with_story_lanes_and_the_way_back() {
    let scenario = payment(r#"{ "expect": { "naive": { "charged once": "holds" } } }"#);
    let failed = scenario.strategy("naive").seeds(0..20).check_in(quiet(None)).unwrap_err();
    let text = failed.to_string();
    let seed = failed.first_seed().unwrap();
    for part in [
        "not as expected in 20 runs: 2 findings",
        "! naive: charged once: expected holds, got violated, first in seed",
        "charged once is broken under naive in payment-lost-ack, seed",
        "  Let   ",
        "  So    ",
        &format!("halfway replay payment-lost-ack.json --strategy naive --seed {seed}   # after draft.save"),
        &format!("HALFWAY_SEED={seed} cargo test payments::charged_once"),
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(text.contains('▶') || text.contains('─'), "lanes:\n{text}");
    assert_eq!(format!("{failed:?}"), text, "what `unwrap` prints");
}

#[test]
fn the_seed_of_the_environment_is_run_alone_and_shows_the_same() {
    let scenario = payment(r#"{ "expect": { "naive": { "charged once": "holds" } } }"#);
    let trial = || scenario.strategy("naive").seeds(0..20);
    let swept = trial().check_in(quiet(None)).unwrap_err();
    let seed = swept.first_seed().unwrap();
    let alone = trial().check_in(quiet(Some(&seed.to_string()))).unwrap_err();
    assert_eq!(alone.report().runs(), 1);
    assert_eq!(alone.first_seed(), Some(seed));
    let story = |failed: &Failed| {
        let text = failed.to_string();
        text[text.find("is broken under").unwrap()..].to_owned()
    };
    assert_eq!(story(&alone), story(&swept));
    let wrong = trial().check_in(quiet(Some("x"))).unwrap_err();
    assert!(wrong.to_string().contains("HALFWAY_SEED"), "{wrong}");
}

#[test]
fn one_seed_of_the_environment_may_show_too_little_but_a_sweep_may_not() {
    // Under `idempotent` it never breaks, so what expects that it does is not told yet below 1,000 seeds.
    let scenario = payment(r#"{ "expect": { "idempotent": { "charged once": "violated" } } }"#);
    let trial = || scenario.strategy("idempotent").seeds(0..20);
    let failed = trial().check_in(quiet(None)).unwrap_err();
    assert!(failed.to_string().contains("1 inconclusive"), "{failed}");
    assert_eq!(failed.first_seed(), None);
    trial().check_in(quiet(Some("3"))).unwrap();
}

#[test]
fn an_invariant_without_a_value_fails_with_its_place() {
    let checked = |always: &str| {
        let text = format!(
            r#"{{ "services": {{ "box": {{
                 "tables": {{ "left": {{ "rows": {{ "show": {{ "n": 3 }} }} }} }},
                 "operations": {{ "sell": {{ "set": {{ "left['show'].n": "left['show'].n - 1" }} }} }} }} }},
               "clients": {{ "clerks": {{ "count": 3, "does": "box.sell()" }} }},
               "strategies": {{ "occ": {{}} }},
               "invariants": {{ "few": {{ "always": "{always}" }} }} }}"#
        );
        Draft::parse("box", &text).unwrap().read().unwrap().seeds(0..20).check_in(quiet(None))
    };
    let failed = checked("6 / box.left['show'].n < 7").unwrap_err().to_string();
    assert!(failed.contains("an invariant could not be evaluated"), "{failed}");
    assert!(failed.contains("error[HW0601]: few has no value: a division by zero"), "{failed}");
    assert!(failed.contains("^^^^^^^^^^^^^^^^^^^^"), "{failed}");
    checked("box.left['show'].n >= 0").unwrap();
}

#[test]
fn a_fault_that_never_strikes_fails_a_trial_of_all_strategies() {
    let text = r#"{ "services": { "box": {
        "tables": { "left": { "rows": { "show": { "n": 3 } } } },
        "operations": { "sell": { "set": { "left['show'].n": "left['show'].n - 1" } } } } },
      "clients": { "clerks": { "count": 3, "does": "box.sell()" } },
      "weather": { "faults": [ { "lose": "reply box.sell", "nth": 4 } ] },
      "strategies": { "occ": {} },
      "invariants": { "few": { "always": "box.left['show'].n >= 0" } } }"#;
    let checked =
        |text: &str| Draft::parse("box", text).unwrap().read().unwrap().trial().check_in(quiet(None));
    let failed = checked(text).unwrap_err().to_string();
    assert!(failed.contains("error[HW0603]: never strikes: `lose reply box.sell"), "{failed}");
    checked(&text.replace("\"nth\": 4", "\"nth\": 1")).unwrap();
}

#[test]
fn of_a_strategy_that_the_file_says_nothing_about_nothing_bad_is_expected() {
    let scenario = payment("{}");
    let failed = scenario.strategy("naive").seeds(0..20).check_in(quiet(None)).unwrap_err();
    assert!(failed.to_string().contains("finding"), "{failed}");
    scenario.strategy("idempotent").seeds(0..20).check_in(quiet(None)).unwrap();
}

#[test]
fn a_test_may_expect_what_the_file_does_not() {
    let scenario = payment("{}");
    let trial = || scenario.strategy("naive").seeds(0..20);
    trial().violates("charged once").check_in(quiet(None)).unwrap();
    trial().expect_overall(Verdict::Violated).check_in(quiet(None)).unwrap();
    let failed =
        trial().violates("charged once").holds("no-duplicate-effect").check_in(quiet(None)).unwrap_err();
    assert!(failed.to_string().contains("no-duplicate-effect: expected holds, got violated"), "{failed}");
    assert!(trial().expect_overall(Verdict::Holds).check_in(quiet(None)).is_err());
}

#[test]
fn a_fact_that_is_not_true_fails_and_names_a_seed() {
    let scenario =
        payment(r#"{ "expect": { "idempotent": { "*": "holds", "facts": ["count.replays == 0"] } } }"#);
    let failed = scenario.strategy("idempotent").seeds(0..20).check_in(quiet(None)).unwrap_err();
    let seed = failed.first_seed().unwrap();
    assert!(failed.to_string().contains(&format!("--strategy idempotent --seed {seed}")), "{failed}");
}

#[test]
fn names_that_are_not_there_and_empty_ranges_are_mistakes() {
    let scenario = shipped("payment-lost-ack.json");
    let said = |trial: Trial<'_>| trial.seeds(0..2).check_in(quiet(None)).unwrap_err().to_string();
    assert!(said(scenario.strategy("naiv")).contains("no strategy is called naiv; did you mean naive?"));
    assert!(said(scenario.case("none")).contains("no case is called none"));
    let wrong = scenario.strategy("naive").violates("charged twice");
    assert!(said(wrong).contains("did you mean charged once?"));
    let empty = scenario.strategy("naive").seeds(3..3).check_in(quiet(None)).unwrap_err();
    assert!(empty.to_string().contains("nothing was run"), "{empty}");
}

#[test]
fn a_scenario_with_parts_in_rust_is_not_sent_to_the_command_that_lacks_them() {
    #[derive(Clone)]
    struct Nothing;
    impl crate::own::Watch for Nothing {
        fn needs(&self) -> Vec<crate::own::Hazard> {
            Vec::new()
        }
    }
    let scenario = payment("{}").with_invariant("mine", Nothing).unwrap();
    let failed = scenario.strategy("naive").seeds(0..20).check_in(quiet(None)).unwrap_err().to_string();
    assert!(failed.contains("HALFWAY_SEED=0 cargo test") && !failed.contains("halfway replay"), "{failed}");
    let text = r#"{ "services": { "bank": { "process": "vault", "operations": { "pay": { "args": [] } } } },
                    "clients": { "shop": { "does": "bank.pay()" } } }"#;
    let scenario = Draft::parse("bank", text).unwrap().read().unwrap();
    let failed = scenario.strategy("naive").check_in(quiet(None)).unwrap_err().to_string();
    assert!(failed.contains("no process `vault` is registered"), "{failed}");
}

/// Busy or not, by a flag that is turned each time, if it is to be impure and the argument is large enough.
struct Moody {
    turns: bool,
    from: i64,
    flag: std::sync::Arc<AtomicBool>,
}

impl crate::own::Policy for Moody {
    fn at(
        &self,
        place: crate::own::Place,
        _: &crate::model::Model,
        _: crate::model::ids::OpId,
        steps: &mut crate::own::Steps,
    ) {
        let (turns, from, flag) = (self.turns, self.from, self.flag.clone());
        if place == crate::own::Place::Arrived {
            steps.instant("mood", move |locals| {
                let turns = turns && locals.args()[0] >= from;
                match flag.fetch_xor(turns, std::sync::atomic::Ordering::Relaxed) {
                    true => crate::own::Next::Busy,
                    false => crate::own::Next::On,
                }
            });
        }
    }
}

/// A trial of a moody policy.
fn moody(turns: bool, from: i64, seeds: Range<u64>) -> Result<Checked, Failed> {
    let text = r#"{
      "services": { "s": { "tables": { "t": {} }, "operations": {
        "o": { "args": ["n"], "insert": { "t[]": { "n": "n" } } } } } },
      "clients": { "c": { "does": "s.o(n)", "with": { "n": "uniform(1, 9)" } } },
      "strategies": { "naive": { "retry": { "timeout": "20ms", "attempts": 1 } } },
      "invariants": { "every-intent-ends": {} }
    }"#;
    let scenario = Draft::parse("moods", text).unwrap().read().unwrap();
    let policy = Moody { turns, from, flag: Default::default() };
    let scenario = scenario.with_strategy("moody", "naive", policy).unwrap();
    let trial = scenario.strategy("moody").expect_overall(Verdict::Inconclusive);
    trial.seeds(seeds).jobs(1).check_in(quiet(None))
}

#[test]
fn code_that_does_not_do_the_same_twice_is_found_out() {
    let failed = moody(true, 1, 0..9).unwrap_err();
    assert!(
        failed.to_string().contains("the same seed told two stories: moody in moods, seed 0"),
        "{failed}"
    );
    moody(false, 1, 0..9).unwrap();
}

#[test]
fn code_that_does_not_do_the_same_twice_is_found_out_in_later_seeds_of_which_nothing_is_told() {
    // The first seed draws a number so small that nothing is amiss.
    let from = (1..10).find(|&from| moody(true, from, 0..1).is_ok()).unwrap();
    let failed = moody(true, from, 0..400).unwrap_err().to_string();
    assert!(failed.contains("the same seed told two stories"), "{failed}");
    assert!(!failed.contains("seed 0\n"), "{failed}");
    moody(false, from, 0..400).unwrap();
}
