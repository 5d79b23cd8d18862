//! A scenario as a regression test: what has to hold, and the twin that has to break.
//!
//! `cargo test --example ci_test` runs the tests; `cargo run --example ci_test` shows what a failure looks like.

use halfway::Scenario;

type Tested = Result<(), Box<dyn std::error::Error>>;

const PAYMENT: &str = "scenarios/payment-lost-ack.json";

/// Shows a failure: somebody believes that the naive strategy charges once.
fn main() -> Tested {
    let payment = Scenario::load(PAYMENT)?;
    match payment.strategy("naive").as_written().holds("charged once").seeds(0..100).check() {
        Ok(checked) => println!("{checked}"),
        Err(failed) => println!("{failed}"),
    }
    Ok(())
}

#[test]
fn a_key_per_intent_charges_once_whatever_the_network_does() -> Tested {
    let payment = Scenario::load(PAYMENT)?;
    payment.strategy("idempotent").seeds(0..500).check()?;
    Ok(())
}

/// Without this one, the test above might pass because nothing ever happens.
#[test]
fn without_a_key_the_lost_reply_charges_twice() -> Tested {
    let payment = Scenario::load(PAYMENT)?;
    payment.strategy("naive").as_written().violates("charged once").seeds(0..500).check()?;
    Ok(())
}

/// A whole file: every strategy in every case, as `halfway run` would.
#[test]
fn the_profile_is_as_its_file_expects() -> Tested {
    Scenario::load("scenarios/profile-lost-update.json")?.seeds(0..200).check()?;
    Ok(())
}
