//! Runs one workload so many times and says how many units of work that was: for counting instructions.
//!
//! It demonstrates in particular how a sweep is driven without the command: read, prepare, take one bench, run seed after
//! seed. `scripts/count-instructions` runs it at two lengths; the difference is the work, without start and loading.
//!
//! ```text
//! cargo run --release --example workload -- echo-64 100
//! ```

use std::process::ExitCode;

use halfway::explore::Prepared;

#[path = "../benches/workloads/mod.rs"]
mod workloads;

/// Runs seeds and counts events.
fn events(prepared: &Prepared, seeds: u64) -> u64 {
    let Some(mut bench) = prepared.bench() else { return 0 };
    (0..seeds).map(|seed| bench.run(seed).ended.events).sum()
}

/// How many units of work a workload of this length is, once it is done; `None`: there is no such workload.
fn work(name: &str, length: u64) -> Option<u64> {
    let (kind, parameter) = name.split_once('-').unwrap_or((name, ""));
    let one = |text: String| events(&workloads::prepared(&workloads::read(&text), "echo"), 1);
    Some(match (kind, parameter) {
        ("echo", clients) => one(workloads::echo_text(clients.parse().ok()?, length)),
        ("services", services) => one(workloads::services_text(services.parse().ok()?, 1, length)),
        ("saga", strategy) => {
            events(&workloads::prepared(&workloads::order_saga_scenario(), strategy), length)
        }
        ("short", _) => {
            events(&workloads::prepared(&workloads::read(&workloads::echo_text(4, 25)), "echo"), length);
            length
        }
        ("read", _) => {
            let text = std::fs::read_to_string(workloads::shipped("order-saga.json")).ok()?;
            (0..length).for_each(|_| drop(workloads::read(&text)));
            length
        }
        _ => return None,
    })
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, length] = &args[..] else {
        eprintln!("usage: workload NAME LENGTH");
        return ExitCode::from(2);
    };
    match length.parse().ok().and_then(|length| work(name, length)) {
        Some(units) => {
            println!("{units}");
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("no such workload: {name} {length}");
            ExitCode::from(2)
        }
    }
}
