//! How often a panic of a service is shown, which is a verdict in each seed that it ends.

use std::process::Command;

use super::counter::{COUNT, Counter};
use crate::shipped::read_text;

#[test]
fn a_service_that_panics_in_every_seed_fails_its_trial() {
    let process = Counter { panics_at: 1, ..Counter::new(false) };
    let scenario = read_text(COUNT.replace("FAULTS", "").as_str()).with_process("counter", process).unwrap();
    let failed = scenario.strategy("naive").seeds(0..50).check().unwrap_err().to_string();
    assert!(failed.contains("process `counter` panicked: I never liked 1"), "{failed}");
}

/// The trial above, in a process of its own: the hook of this one is everybody's.
#[test]
fn a_place_that_panics_is_shown_once_however_many_seeds_it_ends() {
    let name = "own::panics::a_service_that_panics_in_every_seed_fails_its_trial";
    let test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env_remove("HALFWAY_SEED")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&test.stdout), String::from_utf8_lossy(&test.stderr));
    assert!(out.contains("1 passed"), "{out}{err}");
    assert_eq!(err.matches("I never liked 1").count(), 1, "{err}");
    // Where it is, is what a report does not tell.
    assert!(err.contains("counter.rs:"), "{err}");
}
