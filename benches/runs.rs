//! How fast runs are: a bare echo, the order saga, many short runs; and how fast a scenario file is read.
//!
//! Each run gets a seed of its own, so that no branch predictor learns one history by heart. Echo and saga are counted in
//! events, short runs in runs, reading in bytes.

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use halfway::explore::Prepared;
use halfway::scenario::{self, Scenario, load::read_from_disk};

fn read(text: &str) -> Scenario {
    scenario::read(Path::new("bench.json"), &mut |_| Ok(text.as_bytes().to_vec())).expect("a scenario")
}

/// The strategy of the file as written.
fn prepared(scenario: &Scenario, strategy: &str) -> Prepared {
    let mut all = scenario.cases[0].strategies.iter();
    let found = all.find(|one| one.name == strategy).expect("a strategy");
    Prepared::new(found.model.clone(), &found.how, found.invariants.clone(), found.expected.clone())
}

fn shipped(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

/// Clients that ask and are answered: no rows, no faults.
fn echo(clients: u32, intents: u32) -> Prepared {
    let text = r#"{
        "services": { "echo": { "operations": { "ping": { "args": ["n"], "reply": "n" } } } },
        "clients": { "callers": { "count": COUNT, "intents": INTENTS, "does": "echo.ping(intent)" } },
        "weather": { "latency": "1ms..3ms", "heal": "1h" },
        "strategies": { "naive": { "retry": { "timeout": "1s" } } },
        "invariants": { "every-intent-ends": {} }
    }"#;
    let text = text.replace("COUNT", &clients.to_string()).replace("INTENTS", &intents.to_string());
    prepared(&read(&text), "naive")
}

/// Runs seed after seed, counted in events of the first.
fn by_event(c: &mut Criterion, group: &str, name: &str, prepared: &Prepared) {
    let mut bench = prepared.bench().expect("applicable");
    let events = bench.run(0, &mut ()).ended.events;
    let mut group = c.benchmark_group(group);
    group.sample_size(20).throughput(Throughput::Elements(events));
    let mut seed = 0;
    group.bench_function(BenchmarkId::from_parameter(name), |b| {
        b.iter(|| {
            seed += 1;
            black_box(bench.run(seed, &mut ()))
        });
    });
}

fn echoes(c: &mut Criterion) {
    by_event(c, "echo", "4 clients", &echo(4, 2500));
    by_event(c, "echo", "1024 clients", &echo(1024, 10));
}

fn sagas(c: &mut Criterion) {
    let scenario = scenario::read(&shipped("order-saga.json"), &mut read_from_disk).expect("a scenario");
    for strategy in ["hardened", "saga"] {
        by_event(c, "order-saga", strategy, &prepared(&scenario, strategy));
    }
}

fn short_runs(c: &mut Criterion) {
    let prepared = echo(4, 25);
    let mut bench = prepared.bench().expect("applicable");
    let mut group = c.benchmark_group("short runs");
    group.throughput(Throughput::Elements(1));
    let mut seed = 0;
    group.bench_function("4 clients, 25 requests", |b| {
        b.iter(|| {
            seed += 1;
            black_box(bench.run(seed, &mut ()))
        });
    });
}

fn reading(c: &mut Criterion) {
    let path = shipped("order-saga.json");
    let text = std::fs::read_to_string(&path).expect("a file");
    let mut group = c.benchmark_group("reading");
    group.sample_size(20).throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("order-saga", |b| b.iter(|| black_box(read(&text))));
}

criterion_group!(benches, echoes, sagas, short_runs, reading);
criterion_main!(benches);
