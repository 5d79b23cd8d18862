//! How fast runs are: the echo work, the order saga under each named strategy, many short runs; and how fast the parts
//! are: reading a scenario, digesting and writing out a history, one expression, each checker.
//!
//! Each run gets a seed of its own, so that no branch predictor learns one history by heart. Runs are counted in events,
//! short runs in runs, reading in bytes, records in records. `scripts/count-instructions` holds what is measured here
//! against noise.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use halfway::explore::{HistoryDigest, Prepared, Trace};
use halfway::model::expr::{BinaryOp, Code, Expr, ExprKind, Scratch, eval};
use halfway::model::record::{Kind, NONE, Record};
use halfway::model::value::{Type, Word};
use halfway::report::history::{Head, history, write_history};
use halfway::store::{Sink, Tables};

mod workloads;

/// Runs seed after seed, counted in events of the first.
fn by_event(c: &mut Criterion, group: &str, name: &str, prepared: &Prepared) {
    let mut bench = prepared.bench().expect("applicable");
    let events = bench.run(0).ended.events;
    let mut group = c.benchmark_group(group);
    group.sample_size(20).throughput(Throughput::Elements(events));
    let mut seed = 0;
    group.bench_function(BenchmarkId::from_parameter(name), |b| {
        b.iter(|| {
            seed += 1;
            black_box(bench.run(seed))
        });
    });
}

fn echo(clients: u64, requests: u64) -> Prepared {
    workloads::prepared(&workloads::read(&workloads::echo_text(clients, requests)), "echo")
}

fn echoes(c: &mut Criterion) {
    for (clients, requests) in [(4, 2500), (64, 150), (1_024, 10), (16_384, 1)] {
        by_event(c, "echo", &format!("{clients} clients"), &echo(clients, requests));
    }
}

fn sagas(c: &mut Criterion) {
    let scenario = workloads::order_saga_scenario();
    for strategy in &scenario.cases[0].strategies {
        by_event(c, "order-saga", &strategy.name, &workloads::prepared(&scenario, &strategy.name));
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
            black_box(bench.run(seed))
        });
    });
}

fn reading(c: &mut Criterion) {
    let text = std::fs::read_to_string(workloads::shipped("order-saga.json")).expect("a file");
    let mut group = c.benchmark_group("reading");
    group.sample_size(20).throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("order-saga", |b| b.iter(|| black_box(workloads::read(&text))));
}

/// What it takes to digest a history, to keep one while the run goes on (the difference of the two runs), and to write one
/// out, for each record.
fn histories(c: &mut Criterion) {
    let prepared = echo(4, 250);
    let replay = prepared.replay(1).expect("applicable");
    let mut group = c.benchmark_group("history");
    let records = replay.trace.records.len() as u64;
    group.throughput(Throughput::Elements(records));
    let mut tables = Tables::of(&prepared.model);
    group.bench_function("digest", |b| {
        b.iter(|| {
            let mut digest = HistoryDigest::default();
            replay.trace.records.iter().for_each(|record| digest.record(record, &mut tables));
            black_box(digest.finish())
        });
    });
    let mut bench = prepared.bench().expect("applicable");
    let mut seed = 0;
    group.bench_function("run, nothing kept", |b| {
        b.iter(|| {
            seed += 1;
            black_box(bench.run(seed))
        });
    });
    let (start, count) = (Tables::of(&prepared.model), prepared.model.tables.len());
    let mut seed = 0;
    group.bench_function("run, history kept", |b| {
        b.iter(|| {
            seed += 1;
            let mut trace = Trace::starting_with(&start, count);
            bench.run_with(seed, &mut trace);
            black_box(trace)
        });
    });
    let head = Head { scenario: "echo", case: None, seed: 1 };
    group.bench_function("JSONL, written", |b| {
        b.iter(|| write_history(black_box(&prepared), &replay, head, &mut std::io::sink()));
    });
    group.bench_function("JSONL", |b| b.iter(|| black_box(history(&prepared, &replay, head))));
}

/// `stock >= qty && version == expected`.
fn guard() -> Code {
    let slot = |n| Box::new(Expr::new(ExprKind::Local(n), Type::Int, 0..0));
    let truth = |kind| Expr::new(kind, Type::Bool, 0..0);
    let enough = truth(ExprKind::Binary(BinaryOp::Ge, slot(0), slot(1)));
    let same = truth(ExprKind::Binary(BinaryOp::Eq, slot(2), slot(3)));
    Code::compile(&truth(ExprKind::And(Box::new(enough), Box::new(same))))
}

/// One guard over two columns of one row, and one over four variables that change before each evaluation.
fn expressions(c: &mut Criterion) {
    let scenario = workloads::read(
        r#"{
            "services": { "shop": {
                "tables": { "items": { "rows": { "book": { "stock": 5, "held": 1 } } } },
                "operations": { "look": { "reply": "items['book'].stock" } } } },
            "clients": { "one": { "does": "shop.look()" } },
            "strategies": { "naive": {} },
            "invariants": { "enough": { "always": "items['book'].stock >= 1 && items['book'].held == 1" } }
        }"#
        .replace("items[", "shop.items[")
        .replace("reply\": \"shop.", "reply\": \"")
        .as_str(),
    );
    let prepared = workloads::prepared(&scenario, "naive");
    let halfway::model::invariant::InvariantKind::Always(expr) = &prepared.invariants[0].kind else {
        unreachable!("the one invariant is an expression")
    };
    let code = Code::compile(expr);
    let mut tables = Tables::of(&prepared.model);
    let mut scratch = Scratch::new();
    c.bench_function("expression", |b| {
        b.iter(|| black_box(eval(black_box(&code), &[], &mut tables.rows(), &mut scratch)));
    });
    let code = guard();
    let mut n: Word = 0;
    c.bench_function("guard over four variables", |b| {
        b.iter(|| {
            n += 1;
            let variables = black_box([n % 13, n % 7, n & 3, n % 5]);
            black_box(eval(black_box(&code), &variables, &mut tables.rows(), &mut scratch))
        });
    });
}

/// The order saga with each of its invariants alone, and with none.
fn checkers(c: &mut Criterion) {
    let scenario = workloads::order_saga_scenario();
    let mut case =
        scenario.cases[0].strategies.iter().find(|one| one.name == "hardened").expect("it").clone();
    let all = std::mem::take(&mut case.invariants);
    by_event(c, "checkers", "none", &Prepared::of(&case));
    for invariant in all {
        let name = invariant.name.clone();
        case.invariants = vec![invariant];
        by_event(c, "checkers", &name, &Prepared::of(&case));
    }
}

/// A record that is made here, so that nothing of the engine is measured.
fn records(c: &mut Criterion) {
    let mut tables = Tables::default();
    let mut digest = HistoryDigest::default();
    let mut record = Record {
        at: Default::default(),
        path: Default::default(),
        data: 0,
        kind: Kind::Sent,
        flag: 0,
        op: 1,
        who: 2,
        client: 3,
        intent: NONE,
        row: 4,
        ver: 1,
    };
    c.bench_function("digest of one record", |b| {
        b.iter(|| {
            record.data += 1;
            digest.record(black_box(&record), &mut tables);
        });
    });
}

criterion_group!(benches, echoes, sagas, short_runs, reading, histories, records, expressions, checkers);
criterion_main!(benches);
