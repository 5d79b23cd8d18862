//! The echo work as a scenario: clients, each with so many requests one after the other, to one server that reads, changes
//! and writes a record and replies; latency 1–10 ms, loss 1 %, duplication 1 %, retry timer 50 ms.
//!
//! It demonstrates in particular what an event costs on the ordinary path: compiled model, history digest, one invariant.
//! It prints one line of JSON. An event is a message delivered or a retry timer that fired while its request was open.
//!
//! ```text
//! cargo run --release --example echo -- --clients 4 --requests 100000 --seed 1 --runs 1
//! ```

use std::process::ExitCode;
use std::time::Instant;

use halfway::model::expr::Counter;

#[path = "../benches/workloads/mod.rs"]
mod workloads;

fn main() -> ExitCode {
    let (mut clients, mut requests, mut seed, mut runs) = (4, 1000, 1, 1);
    let mut args = std::env::args().skip(1);
    while let Some(key) = args.next() {
        let Some(value) = args.next().and_then(|value| value.parse::<u64>().ok()) else {
            eprintln!("{key} needs a number");
            return ExitCode::from(2);
        };
        match key.as_str() {
            "--clients" => clients = value,
            "--requests" => requests = value,
            "--seed" => seed = value,
            "--runs" => runs = value,
            _ => {
                eprintln!("unknown option {key}");
                return ExitCode::from(2);
            }
        }
    }
    let scenario = workloads::read(&workloads::echo_text(clients, requests));
    let prepared = workloads::prepared(&scenario, "echo");
    let Some(mut bench) = prepared.bench() else { return ExitCode::from(70) };
    let mut events = 0;
    let began = Instant::now();
    let before = cpu_seconds();
    let mut digest = [0; 2];
    for run in 0..runs {
        let run = bench.run(seed + run);
        assert_eq!(run.verdict.invariants[0].violations, 0, "a counter is never negative");
        // What comes up is a message, a timer, or a client that begins an intent or sends again; each of the last two
        // sends one request, and is no event of this work.
        events += run.ended.events - run.verdict.counts.get(Counter::Attempts).unsigned_abs();
        digest = run.digest;
    }
    println!(
        r#"{{"runs":{runs},"events":{},"wall_s":{:.6},"cpu_s":{:.6},"maxrss_kib":{},"digest":"{:016x}{:016x}"}}"#,
        events,
        began.elapsed().as_secs_f64(),
        cpu_seconds() - before,
        peak_memory_kib(),
        digest[0],
        digest[1],
    );
    ExitCode::SUCCESS
}

/// The processor time of this process so far, from the system's own account; 0 where there is none.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = stat.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0.0);
    nanoseconds / 1e9
}

/// The most memory this process has had, from the system's own account; 0 where there is none.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
