//! A strategy in Rust: each answer is kept under the key that the client made, in a table that the strategy brings along,
//! and in the very transaction of the effect. One call then says what that is good for, and what it is not.
//!
//! ```text
//! cargo run --example own_strategy
//! ```

use halfway::explore::{Conformance, conformance};
use halfway::model::Model;
use halfway::model::ids::OpId;
use halfway::own::{Next, OwnTable, Place, Policy, Steps};

struct Tokens {
    /// Where the token is kept: [`Place::Computed`] is in the transaction, [`Place::Committed`] is just behind it.
    kept: Place,
}

impl Policy for Tokens {
    /// One such table in each service: the token, and the answer that was given.
    fn tables(&self) -> Vec<OwnTable> {
        vec![OwnTable::keyed_by_number("tokens").number("answer")]
    }

    fn at(&self, place: Place, _model: &Model, _op: OpId, steps: &mut Steps) {
        if place == Place::Begun {
            steps.statement("look the token up", |locals| {
                let token = locals.intent_key();
                // Two copies at once: the second waits here until the first is done, and looks then.
                locals.lock("tokens", token);
                match locals.db.get("tokens", token) {
                    Some(row) => Next::Again(row.get("answer")),
                    None => Next::On,
                }
            });
        }
        if place == self.kept {
            steps.statement("keep the token", |locals| {
                let (token, answer) = (locals.intent_key(), locals.reply());
                locals.put("tokens", token, &[("answer", answer)]);
                Next::On
            });
        }
    }
}

fn tried(kept: Place) -> Result<Conformance, halfway::scenario::Misfit> {
    conformance("tokens", "naive", Tokens { kept }, 100)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("Kept in the transaction:\n\n{}", tried(Place::Computed)?);
    // Nothing is done twice any more, but two that write one row still overwrite each other: that is another matter.
    println!("Kept just behind it:\n\n{}", tried(Place::Committed)?);
    // A crash between the two, and the effect takes place again.
    Ok(())
}

#[test]
fn a_token_with_the_effect_keeps_it_from_happening_twice_and_one_behind_it_does_not() {
    let together = tried(Place::Computed).unwrap();
    assert!(together.keeps().contains(&"no effect twice"), "{together}");
    assert!(together.breaks().contains(&"no update lost"), "{together}");
    let behind = tried(Place::Committed).unwrap();
    let broken: Vec<_> = behind.of("no effect twice").filter(|row| row.is_bad()).collect();
    assert!(broken.iter().any(|row| row.case == "a crash after the commit"), "{behind}");
    assert!(broken.iter().all(|row| row.case != "a reply is lost"), "{behind}");
}
