//! An invariant in Rust: a rule about what clients are told that no expression over rows can say.
//!
//! *Who was told ok never hears later, about another intent, that the money is gone which that ok had spent*: here in the
//! simple form that the balances a client is told never rise, as nobody pays anything in. It is a fold over the commits of
//! a run; its verdict is earned, shown and told like that of any other invariant.
//!
//! ```text
//! cargo run --example own_invariant
//! ```

use halfway::model::value::Word;
use halfway::own::{Changed, Hazard, Notes, Shown, Watch};
use halfway::scenario::Scenario;

/// The balance of an account only ever goes down.
#[derive(Clone, Default)]
struct NeverRises {
    /// For each account the lowest balance so far, and the commit that left it.
    lowest: Vec<(Word, Word, Shown)>,
}

impl Watch for NeverRises {
    /// Two at one row is what can break it; a run in which that never came up proves nothing.
    fn needs(&self) -> Vec<Hazard> {
        vec![Hazard::Contention]
    }

    fn tables(&self) -> Vec<String> {
        vec!["bank.accounts".into()]
    }

    /// Everything is judged on the way; a run that does not come to rest takes nothing back.
    fn waits_for_rest(&self) -> bool {
        false
    }

    fn changed(&mut self, commit: &mut Changed<'_, '_>, notes: &mut Notes) {
        let shown = commit.shown;
        for row in commit.rows_of("bank.accounts") {
            notes.examined();
            let balance = row.get("balance");
            match self.lowest.iter_mut().find(|(account, ..)| *account == row.key()) {
                Some((_, lowest, before)) if balance > *lowest => {
                    let text = format!("{} had {lowest} left, and now has {balance}.", row.show("id"));
                    notes.violated(text, [*before, shown]);
                }
                Some(known) => *known = (row.key(), balance, shown),
                None => self.lowest.push((row.key(), balance, shown)),
            }
        }
    }
}

/// Several clients spend from one account at once.
fn spending() -> Result<Scenario, Box<dyn std::error::Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own_invariant.json");
    Ok(Scenario::load(file)?.with_invariant("never rises", NeverRises::default())?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spending = spending()?;
    println!("{}", spending.strategy("occ").holds("never rises").seeds(0..300).check()?);
    match spending.strategy("naive").seeds(0..300).check() {
        Ok(checked) => println!("nothing found:\n{checked}"),
        Err(failed) => println!("{failed}"),
    }
    Ok(())
}

#[test]
fn balances_rise_where_writers_overwrite_each_other_and_only_there() {
    let spending = spending().unwrap();
    assert!(spending.strategy("occ").holds("never rises").seeds(0..100).check().is_ok());
    assert!(spending.strategy("naive").violates("never rises").seeds(0..100).check().is_ok());
}
