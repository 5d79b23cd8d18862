//! The report for programs: `halfway.report`, version 1. Fields are only ever added.

use std::collections::BTreeMap;

use serde::Serialize;

use super::summary::{CaseReport, Report, StrategyReport};
use crate::explore::CellStatus;
use crate::kernel::seed::SEED_CONTRACT;
use crate::kernel::time::Span;
use crate::model::expr::Counter;
use crate::scenario::render::Entry;
use crate::scenario::source::{LineColumn, Place};

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    seed_contract: u32,
    interrupted: bool,
    /// How it all went, and the code that the command exits with.
    result: &'static str,
    exit: u8,
    scenarios: Vec<Scenario<'a>>,
    rejected: Vec<Refused<'a>>,
}

/// A file that cannot be run, with its problems as `halfway check` has them.
#[derive(Serialize)]
struct Refused<'a> {
    file: &'a str,
    problems: &'a [Entry],
}

fn rejected(report: &Report) -> impl Iterator<Item = Refused<'_>> {
    report.rejected.iter().map(|one| Refused { file: &one.file, problems: &one.problems })
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    file: &'a str,
    case: Option<&'a str>,
    digest: String,
    seeds: Seeds,
    cells: Vec<Cell<'a>>,
    strategies: Vec<Strategy<'a>>,
}

#[derive(Serialize)]
struct Seeds {
    from: u64,
    to: u64,
}

#[derive(Serialize)]
struct Cell<'a> {
    strategy: &'a str,
    invariant: &'a str,
    kind: &'static str,
    verdict: &'static str,
    expected: Option<&'static str>,
    status: &'static str,
    runs: u64,
    violating: u64,
    silent: u64,
    first_seed: Option<u64>,
    rate_ppm: Rate,
    obligations: u64,
    hazards: u64,
    error: Option<CellError<'a>>,
}

#[derive(Serialize)]
struct CellError<'a> {
    seed: u64,
    why: &'a str,
    place: Option<At<'a>>,
}

#[derive(Serialize)]
struct At<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Rate {
    low: u64,
    high: u64,
}

#[derive(Serialize)]
struct Strategy<'a> {
    name: &'a str,
    rewritten: bool,
    cannot: &'a [String],
    overall: Option<Overall>,
    runs: u64,
    rested: u64,
    events: u64,
    intents: u64,
    ok: u64,
    failed: u64,
    unknown: u64,
    messages: u64,
    store_ops: u64,
    attempts: u64,
    conflicts: u64,
    replays: u64,
    compensations: u64,
    silent: u64,
    latency_us: Latency,
    witnesses: BTreeMap<&'static str, u64>,
    facts: Vec<Fact<'a>>,
    one_history: bool,
    out_of_events: Option<Spent>,
    slips: Vec<Slip<'a>>,
    faults: Vec<Fault<'a>>,
    broken: Vec<Broken<'a>>,
    panics: Vec<Panic<'a>>,
    halted: Vec<Panic<'a>>,
}

#[derive(Serialize)]
struct Overall {
    verdict: &'static str,
    expected: Option<&'static str>,
    status: &'static str,
}

/// Upper bounds of what clients wait, a sixteenth too high at most.
#[derive(Serialize)]
struct Latency {
    p50: Option<u64>,
    p99: Option<u64>,
}

#[derive(Serialize)]
struct Fact<'a> {
    text: &'a str,
    sometimes: bool,
    held: bool,
    seed: Option<u64>,
    /// A seed in which it has no value, where that is why it is not true.
    no_value: Option<u64>,
}

#[derive(Serialize)]
struct Broken<'a> {
    invariant: &'a str,
    seed: u64,
    why: &'a str,
    place: Option<At<'a>>,
}

/// Runs that ran out of their budget of events.
#[derive(Serialize)]
struct Spent {
    runs: u64,
    first_seed: u64,
    budget: u64,
}

/// An operation that never came to anything.
#[derive(Serialize)]
struct Slip<'a> {
    operation: &'a str,
    reason: &'static str,
    why: &'a str,
    first_seed: u64,
    place: Option<At<'a>>,
}

/// A fault rule or a line of a script, and in how many runs it struck.
#[derive(Serialize)]
struct Fault<'a> {
    text: &'a str,
    runs: u64,
    place: Option<At<'a>>,
}

#[derive(Serialize)]
struct Panic<'a> {
    seed: u64,
    message: &'a str,
}

/// The word for a status.
pub fn status(status: CellStatus) -> &'static str {
    match status {
        CellStatus::Unremarkable => "unremarkable",
        CellStatus::Expected => "expected",
        CellStatus::Finding => "finding",
        CellStatus::Missed => "missed",
        CellStatus::Inconclusive => "inconclusive",
    }
}

/// A digest as it is written everywhere: 32 hexadecimal digits.
pub fn digest(digest: [u64; 2]) -> String {
    format!("{:016x}{:016x}", digest[0], digest[1])
}

fn strategy(of: &StrategyReport) -> Strategy<'_> {
    let costs = &of.costs;
    let count = |counter: Counter| costs.count(counter);
    let us = |span: Option<Span>| span.map(|span| span.0.div_ceil(1_000));
    Strategy {
        name: &of.name,
        rewritten: of.rewritten,
        cannot: &of.cannot,
        overall: of.overall.as_ref().map(|cell| Overall {
            verdict: cell.verdict.word(),
            expected: cell.expected.map(|wanted| wanted.word()),
            status: status(cell.status),
        }),
        runs: costs.runs,
        rested: costs.rested,
        events: costs.events,
        intents: count(Counter::Intents),
        ok: count(Counter::Ok),
        failed: count(Counter::Failed),
        unknown: count(Counter::Unknown),
        messages: count(Counter::Messages),
        store_ops: costs.store_ops,
        attempts: count(Counter::Attempts),
        conflicts: count(Counter::Conflicts),
        replays: count(Counter::Replays),
        compensations: count(Counter::Compensations),
        silent: costs.silent,
        latency_us: Latency { p50: us(costs.p50), p99: us(costs.p99) },
        witnesses: Counter::ALL.iter().map(|&counter| (counter.name(), count(counter))).collect(),
        facts: of
            .facts
            .iter()
            .map(|fact| Fact {
                text: &fact.text,
                sometimes: fact.sometimes,
                held: fact.held,
                seed: fact.seed,
                no_value: fact.void,
            })
            .collect(),
        one_history: of.one_history,
        out_of_events: of.spent.as_ref().map(|spent| Spent {
            runs: spent.runs,
            first_seed: spent.first_seed,
            budget: spent.events,
        }),
        slips: of
            .slips
            .iter()
            .map(|slip| Slip {
                operation: &slip.operation,
                reason: slip.reason,
                why: &slip.why,
                first_seed: slip.first_seed,
                place: at(of, slip.place),
            })
            .collect(),
        faults: of
            .faults
            .iter()
            .map(|fault| Fault { text: &fault.text, runs: fault.runs, place: at(of, fault.place) })
            .collect(),
        broken: of
            .broken
            .iter()
            .map(|one| Broken {
                invariant: &one.invariant,
                seed: one.seed,
                why: &one.why,
                place: at(of, one.place),
            })
            .collect(),
        panics: of.panics.iter().map(|(seed, message)| Panic { seed: *seed, message }).collect(),
        halted: of.halted.iter().map(|(seed, message)| Panic { seed: *seed, message }).collect(),
    }
}

/// A place by file, line and column.
fn at(of: &StrategyReport, place: Option<Place>) -> Option<At<'_>> {
    let (file, LineColumn { line, column }) = of.written.as_ref()?.at(place?);
    Some(At { file, line, column })
}

fn scenario(case: &CaseReport) -> Scenario<'_> {
    let mut cells = Vec::new();
    for strategy in &case.strategies {
        for (cell, invariant) in strategy.cells.iter().zip(&case.invariants) {
            let (low, high) = cell.rate_ppm();
            cells.push(Cell {
                strategy: &strategy.name,
                invariant: &invariant.name,
                kind: invariant.kind,
                verdict: cell.cell.verdict.word(),
                expected: cell.cell.expected.map(|wanted| wanted.word()),
                status: status(cell.cell.status),
                runs: cell.runs,
                violating: cell.violating,
                silent: cell.silent,
                first_seed: cell.first_seed,
                rate_ppm: Rate { low, high },
                obligations: cell.obligations,
                hazards: cell.hazards,
                error: strategy.broken.iter().find(|broken| broken.invariant == invariant.name).map(
                    |broken| CellError {
                        seed: broken.seed,
                        why: &broken.why,
                        place: at(strategy, broken.place),
                    },
                ),
            });
        }
    }
    Scenario {
        name: &case.name,
        file: &case.file,
        case: case.case.as_deref(),
        digest: digest(case.digest),
        seeds: Seeds { from: case.seeds.start, to: case.seeds.end },
        cells,
        strategies: case.strategies.iter().map(strategy).collect(),
    }
}

/// The report as one JSON document with a line break at its end.
pub fn json(report: &Report) -> String {
    let document = Document {
        format: "halfway.report",
        version: 1,
        seed_contract: SEED_CONTRACT,
        interrupted: report.interrupted,
        result: report.ending().word(),
        exit: report.exit_code(),
        scenarios: report.cases.iter().map(scenario).collect(),
        rejected: rejected(report).collect(),
    };
    // Plain structs of text and numbers always serialise.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// The report as JSON lines: a head, then one line for each cell and each strategy with `scenario` and `case` in it, and
/// one for each file that cannot be run.
pub fn jsonl(report: &Report) -> String {
    #[derive(Serialize)]
    struct Head {
        format: &'static str,
        version: u32,
        seed_contract: u32,
        interrupted: bool,
        result: &'static str,
        exit: u8,
    }
    #[derive(Serialize)]
    struct Line<'a, T> {
        record: &'static str,
        scenario: &'a str,
        case: Option<&'a str>,
        #[serde(flatten)]
        what: T,
    }
    let head = Head {
        format: "halfway.report.lines",
        version: 1,
        seed_contract: SEED_CONTRACT,
        interrupted: report.interrupted,
        result: report.ending().word(),
        exit: report.exit_code(),
    };
    let mut out = serde_json::to_string(&head).unwrap_or_default() + "\n";
    for case in &report.cases {
        let Scenario { name, case, cells, strategies, .. } = scenario(case);
        for what in cells {
            let line = Line { record: "cell", scenario: name, case, what };
            out += &(serde_json::to_string(&line).unwrap_or_default() + "\n");
        }
        for what in strategies {
            let line = Line { record: "strategy", scenario: name, case, what };
            out += &(serde_json::to_string(&line).unwrap_or_default() + "\n");
        }
    }
    for what in rejected(report) {
        #[derive(Serialize)]
        struct Line<T> {
            record: &'static str,
            #[serde(flatten)]
            what: T,
        }
        let line = Line { record: "rejected", what };
        out += &(serde_json::to_string(&line).unwrap_or_default() + "\n");
    }
    out
}
