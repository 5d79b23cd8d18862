//! A strategy: what its runs showed, beside what is expected of it.

use super::cell::cell_report;
use super::{BrokenReport, CellReport, CostReport, FaultReport, SlipReport, SpentReport};
use crate::explore::{Cell, CellStatus, FactStatus, Prepared, Swept, judge};
use crate::model::expr::{Counter, Failure};
use crate::model::invariant::Verdict;
use crate::scenario::Written;

/// A strategy of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategyReport {
    /// Its name.
    pub name: String,
    /// A sentence about it.
    pub about: Option<String>,
    /// It changes what the services do, not only how.
    pub rewritten: bool,
    /// Why it cannot carry the scenario out; empty if it can.
    pub cannot: Vec<String>,
    /// One for each invariant.
    pub cells: Vec<CellReport>,
    /// All invariants together, if something is expected of them together.
    pub overall: Option<Cell>,
    /// The facts.
    pub facts: Vec<FactStatus>,
    /// What it cost.
    pub costs: CostReport,
    /// Its runs have one and the same history, whatever the seed: many of them say no more than one.
    pub one_history: bool,
    /// Runs that ran out of their budget of events, if any did.
    pub spent: Option<SpentReport>,
    /// Operations that never came to anything, because an expression of theirs had no value.
    pub slips: Vec<SlipReport>,
    /// The fault rules, or the lines of the script, and in how many runs each of them struck.
    pub faults: Vec<FaultReport>,
    /// Where all of it is written, if it was read from a file.
    pub written: Option<Written>,
    /// Invariants that could not be evaluated.
    pub broken: Vec<BrokenReport>,
    /// Runs that panicked: the seed and what was said.
    pub panics: Vec<(u64, String)>,
    /// Runs that code of the user's own ended: the seed and what it did.
    pub halted: Vec<(u64, String)>,
}

impl StrategyReport {
    /// Sums up what a sweep showed; `None` if the strategy cannot carry the scenario out.
    pub fn new(
        prepared: &Prepared,
        about: Option<String>,
        rewritten: bool,
        swept: Option<&Swept>,
    ) -> StrategyReport {
        let judged = judge(prepared, swept);
        let cells =
            judged.cells.into_iter().enumerate().map(|(at, cell)| cell_report(at, cell, swept)).collect();
        let cannot = match &prepared.plan {
            Ok(_) => Vec::new(),
            Err(reasons) => reasons
                .iter()
                .map(|reason| match (reason.op, reason.flow) {
                    (Some(op), _) => format!("{}: {}", prepared.model.operation_name(op), reason.why),
                    (None, Some(flow)) => format!("{}: {}", prepared.model.flow(flow).name, reason.why),
                    (None, None) => reason.why.clone(),
                })
                .collect(),
        };
        let mut report = StrategyReport {
            name: prepared.strategy.clone(),
            about,
            rewritten,
            cannot,
            cells,
            overall: judged.overall,
            facts: judged.facts,
            costs: CostReport::default(),
            one_history: swept.is_some_and(|swept| swept.one_history),
            spent: None,
            slips: Vec::new(),
            faults: Vec::new(),
            written: prepared.written.clone(),
            broken: Vec::new(),
            panics: Vec::new(),
            halted: Vec::new(),
        };
        if let Some(swept) = swept {
            let name =
                |at: usize| prepared.invariants.get(at).map_or("?", |one| one.name.as_str()).to_owned();
            report.broken = swept
                .tally
                .errors
                .iter()
                .map(|(seed, broken)| BrokenReport {
                    invariant: name(broken.invariant),
                    seed: *seed,
                    why: failure(broken.failure, prepared),
                    place: prepared
                        .written
                        .as_ref()
                        .and_then(|written| written.invariant(&name(broken.invariant), &broken.span)),
                })
                .collect();
            report.spent = swept.first_spent.map(|first_seed| SpentReport {
                runs: swept.spent,
                first_seed,
                events: prepared.plan.as_ref().map_or(0, |plan| plan.event_budget),
            });
            report.slips = slips(prepared, swept);
            report.faults = faults(prepared, swept);
            report.panics.clone_from(&swept.panics);
            report.halted.clone_from(&swept.broken);
            report.costs = CostReport {
                runs: swept.runs,
                rested: swept.rested,
                events: swept.costs.events,
                store_ops: swept.costs.store_ops,
                p50: swept.costs.latency.quantile(500),
                p99: swept.costs.latency.quantile(990),
                silent: swept.tally.invariants.iter().map(|one| one.silent).sum(),
                counts: Counter::ALL
                    .iter()
                    .map(|&counter| u64::try_from(swept.tally.counts.get(counter)).unwrap_or(0))
                    .collect(),
            };
        }
        report
    }

    /// Whether it says nothing: no cell is earned, and nothing is as expected or otherwise.
    pub(super) fn says_nothing(&self) -> bool {
        let nothing =
            |cell: &CellReport| matches!(cell.cell.verdict, Verdict::Inconclusive | Verdict::NotApplicable);
        self.cells.iter().all(nothing) && self.statuses().all(|status| status == CellStatus::Unremarkable)
    }

    /// The statuses of everything that has one.
    pub fn statuses(&self) -> impl Iterator<Item = CellStatus> + '_ {
        let facts = self.facts.iter().map(fact_status);
        self.cells
            .iter()
            .map(|one| one.cell.status)
            .chain(self.overall.iter().map(|one| one.status))
            .chain(facts)
    }
}

/// Operations that never came to anything.
fn slips(prepared: &Prepared, swept: &Swept) -> Vec<SlipReport> {
    let model = &prepared.model;
    let never = swept.failures.iter().filter(|(op, ..)| swept.costs.commits(*op) == 0);
    never
        .map(|&(op, first_seed, why)| {
            let operation = model.operation(op);
            let service = &model.service(operation.service).name;
            let place = |written: &Written| written.operation(service, &operation.name);
            SlipReport {
                operation: model.operation_name(op),
                reason: if matches!(why, Failure::Missing(_)) { "missing" } else { "error" },
                why: failure(why, prepared),
                first_seed,
                place: prepared.written.as_ref().and_then(place),
            }
        })
        .collect()
}

/// What the weather was to do, and how often it did. In the calm of a script only its lines count.
fn faults(prepared: &Prepared, swept: &Swept) -> Vec<FaultReport> {
    let weather = &prepared.model.weather;
    let written = prepared.written.as_ref();
    let script = weather.script.as_ref();
    let rules = script.map_or(usize::MAX, |script| if script.calm { 0 } else { script.first.into() });
    let runs = |counted: &[u64], at: usize| counted.get(at).copied().unwrap_or(0);
    let rules = weather.faults.iter().enumerate().take(rules).map(|(at, fault)| FaultReport {
        text: fault.text.clone(),
        line: false,
        runs: runs(&swept.struck, at),
        unlucky: swept.unlucky.get(at) == Some(&true) && runs(&swept.struck, at) == 0,
        place: written.and_then(|written| written.fault(at)),
    });
    let lines = script.iter().flat_map(|script| &script.lines).enumerate().map(|(at, line)| FaultReport {
        text: line.clone(),
        line: true,
        runs: runs(&swept.asked, at),
        unlucky: false,
        place: written.and_then(|written| written.line(at)),
    });
    rules.chain(lines).collect()
}

/// How a fact compares with what was expected.
pub fn fact_status(fact: &FactStatus) -> CellStatus {
    match (fact.held, fact.inconclusive) {
        (true, _) => CellStatus::Expected,
        (false, true) => CellStatus::Inconclusive,
        (false, false) => CellStatus::Missed,
    }
}

/// Why an expression has no value, in words.
pub fn failure(failure: Failure, prepared: &Prepared) -> String {
    match failure {
        Failure::Missing(table) => format!("a row of {} that is not there", prepared.model.table_name(table)),
        Failure::Overflow => "a number that does not fit 64 bits".into(),
        Failure::DivideByZero => "a division by zero".into(),
        Failure::NullOperand => "null where a value is needed".into(),
        Failure::OutOfRange => "an index beyond the end of a list".into(),
        Failure::Empty => "the least or greatest of nothing".into(),
        Failure::Budget => "more steps than an expression may take".into(),
    }
}
