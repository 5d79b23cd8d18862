//! Prints the digest of every strategy of the given scenario files over a few seeds.
//!
//! It demonstrates in particular that a history is the same on any machine: build it for another target, run it there,
//! and compare. It needs neither threads nor a terminal.
//!
//! ```text
//! cargo run --no-default-features --example digests -- 0..20 scenarios/*.json
//! ```

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use halfway::explore::{Prepared, sweep};
use halfway::scenario;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let range = args.next().unwrap_or_default();
    let Some((Ok(from), Ok(to))) = range.split_once("..").map(|(a, b)| (a.parse::<u64>(), b.parse::<u64>()))
    else {
        eprintln!("usage: digests FROM..TO FILE...");
        return ExitCode::from(2);
    };
    for file in args {
        let scenario = match scenario::read(Path::new(&file), &mut scenario::load::read_from_disk) {
            Ok(scenario) => scenario,
            Err(rejected) => {
                eprintln!("{file}: {} problems", rejected.problems.len());
                return ExitCode::from(2);
            }
        };
        for case in &scenario.cases {
            for strategy in &case.strategies {
                let prepared = Prepared::new(
                    strategy.model.clone(),
                    &strategy.how,
                    strategy.invariants.clone(),
                    strategy.expected.clone(),
                );
                let name = case.name.as_deref().unwrap_or("-");
                match sweep(&prepared, from..to, 1, &|_| {}, &AtomicBool::new(false)) {
                    Some(swept) => {
                        let [a, b] = swept.digest;
                        println!("{a:016x}{b:016x} {} {name} {}", scenario.name, strategy.name);
                    }
                    None => println!("n/a {} {name} {}", scenario.name, strategy.name),
                }
            }
        }
    }
    ExitCode::SUCCESS
}
