//! What a command found, as plain data: every format for people or programs is rendered from it.
//!
//! A [`Report`] holds one [`CaseReport`] for each case of each scenario, and that one [`StrategyReport`] for each
//! strategy. It is built from prepared strategies and their sweeps; it knows no text beyond names.

use std::ops::Range;

use super::trouble::NeverStruck;
use super::words::clean_bound;
use crate::check::witness::needs;
use crate::explore::{Cell, CellStatus, FactStatus, Prepared, Swept, judge};
use crate::kernel::time::Span;
use crate::model::expr::{Counter, Failure};
use crate::model::invariant::{Invariant, Verdict};
use crate::scenario::Written;
use crate::scenario::render::Entry;
use crate::scenario::source::Place;

/// All that was run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// One for each case of each scenario, in order.
    pub cases: Vec<CaseReport>,
    /// Not all of it was run, because somebody stopped it.
    pub interrupted: bool,
    /// Only some of the cases or strategies were asked for.
    pub selected: bool,
    /// What was not run to its end then.
    pub unfinished: Vec<Unfinished>,
    /// Files that cannot be run; the others were.
    pub rejected: Vec<Rejected>,
}

/// A file that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its path.
    pub file: String,
    /// Why, in the order of the text.
    pub problems: Vec<Entry>,
}

/// A strategy of which not all seeds were run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The name of the scenario, and of the case if it is one.
    pub case: String,
    /// The name of the strategy.
    pub strategy: String,
    /// How many seeds were run.
    pub runs: u64,
    /// How many should have been.
    pub wanted: u64,
}

impl Report {
    /// Notes which strategies of a case, each with what is reported of it if it was begun, fall short of the seeds asked for.
    #[cfg(feature = "cli")]
    pub(crate) fn cut_short<'s>(
        &mut self,
        scenario: &crate::scenario::Scenario,
        case: &crate::scenario::Case,
        strategies: impl Iterator<Item = (&'s crate::scenario::StrategyCase, Option<&'s StrategyReport>)>,
        asked: &Range<u64>,
    ) {
        let case = match &case.name {
            Some(name) => format!("{}, case {name}", scenario.name),
            None => scenario.name.clone(),
        };
        for (strategy, report) in strategies {
            let seeds = strategy.model.weather.seeds(asked.clone());
            let wanted = seeds.end.saturating_sub(seeds.start);
            let runs = report.map_or(0, |report| report.costs.runs);
            // Of what cannot be carried out there is nothing to run.
            if runs >= wanted || report.is_some_and(|report| !report.cannot.is_empty()) {
                continue;
            }
            let (case, strategy) = (case.clone(), strategy.name.clone());
            self.unfinished.push(Unfinished { case, strategy, runs, wanted });
        }
    }
}

/// A case of a scenario under its strategies.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseReport {
    /// The path of the file as it was given.
    pub file: String,
    /// The name of the scenario.
    pub name: String,
    /// A sentence about it.
    pub about: Option<String>,
    /// Identifies the documents of the scenario.
    pub digest: [u64; 2],
    /// The name of the case; `None`: the file as written.
    pub case: Option<String>,
    /// The seeds asked for; where the weather has one of its own, that.
    pub seeds: Range<u64>,
    /// Names and kinds of the invariants.
    pub invariants: Vec<InvariantName>,
    /// One for each strategy, in order.
    pub strategies: Vec<StrategyReport>,
}

/// An invariant by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvariantName {
    /// Its name in the file.
    pub name: String,
    /// The word for its kind.
    pub kind: &'static str,
    /// What could break it, each in a few words.
    pub needs: Vec<&'static str>,
}

impl CaseReport {
    /// Whether nothing at all can be said, though nothing is wrong: no strategy earned any cell, and none was expected to do
    /// what it did.
    pub fn says_nothing(&self) -> bool {
        self.strategies.iter().all(StrategyReport::says_nothing)
    }
}

impl InvariantName {
    /// The names of invariants.
    pub fn all(invariants: &[Invariant]) -> Vec<InvariantName> {
        let name = |one: &Invariant| InvariantName {
            name: one.name.clone(),
            kind: one.kind.word(),
            needs: needs(&one.kind).iter().map(|hazard| hazard.describe()).collect(),
        };
        invariants.iter().map(name).collect()
    }
}

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

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct CellReport {
    /// Verdict, what was expected, and how they compare.
    pub cell: Cell,
    /// Runs carried out.
    pub runs: u64,
    /// Runs that violate it; of a stuck one, runs that are stuck.
    pub violating: u64,
    /// Violations of which every client involved was told ok, in all runs.
    pub silent: u64,
    /// The smallest seed that shows the verdict, if it is violated or stuck.
    pub first_seed: Option<u64>,
    /// What was examined.
    pub obligations: u64,
    /// How often something happened that could have broken it.
    pub hazards: u64,
    /// All runs have the same history.
    pub one_history: bool,
}

impl CellReport {
    /// Whether something is wrong that the file does not expect.
    pub fn is_finding(&self) -> bool {
        self.cell.status == CellStatus::Finding
    }

    /// Whether it is violated or stuck.
    pub fn is_bad(&self) -> bool {
        matches!(self.cell.verdict, Verdict::Violated | Verdict::Stuck)
    }

    /// Bounds of the share of violating runs, in millionths, with 95 % confidence: after Wilson (1927); if none
    /// violates, the exact one-sided bound. Many runs of one history are one run, and of one run that does not violate
    /// nothing follows.
    pub fn rate_ppm(&self) -> (u64, u64) {
        if self.one_history && self.runs > 0 && self.violating > 0 {
            let one = CellReport { runs: 1, violating: 1, one_history: false, ..self.clone() };
            return one.rate_ppm();
        }
        if self.runs == 0 || self.one_history {
            return (0, 1_000_000);
        }
        if self.violating == 0 {
            return (0, (clean_bound(self.runs) * 1e6).ceil() as u64);
        }
        let (n, z) = (self.runs as f64, 1.959_963_984_540_054f64);
        let p = self.violating as f64 / n;
        let middle = p + z * z / (2.0 * n);
        let margin = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let whole = 1.0 + z * z / n;
        let ppm = |share: f64| (share.clamp(0.0, 1.0) * 1e6).round() as u64;
        (ppm((middle - margin) / whole), ppm((middle + margin) / whole))
    }
}

/// What runs cost, all together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostReport {
    /// Runs carried out.
    pub runs: u64,
    /// Runs that came to rest.
    pub rested: u64,
    /// Events of the engine.
    pub events: u64,
    /// Operations of stores.
    pub store_ops: u64,
    /// Half of the clients' answers came within this time.
    pub p50: Option<Span>,
    /// 99 of 100 did.
    pub p99: Option<Span>,
    /// Violations that every client involved took for a success.
    pub silent: u64,
    /// One for each counter, in their order.
    pub counts: Vec<u64>,
}

impl CostReport {
    /// One of the counts.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counts.get(counter as usize).copied().unwrap_or(0)
    }
}

/// An invariant that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenReport {
    /// Its name.
    pub invariant: String,
    /// The first seed in which it could not.
    pub seed: u64,
    /// Why.
    pub why: String,
    /// Where the part of it without a value is written.
    pub place: Option<Place>,
}

/// Runs that ran out of their budget of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentReport {
    /// How many.
    pub runs: u64,
    /// The smallest seed of one.
    pub first_seed: u64,
    /// The budget.
    pub events: u64,
}

/// An operation that came to nothing in all runs, because an expression of it had no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipReport {
    /// `service.operation`.
    pub operation: String,
    /// The reason that it refused with: `missing` or `error`.
    pub reason: &'static str,
    /// Why the expression had no value.
    pub why: String,
    /// The smallest seed in which it had none.
    pub first_seed: u64,
    /// Where the operation is written.
    pub place: Option<Place>,
}

/// A fault rule, or a line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultReport {
    /// As written.
    pub text: String,
    /// It is a line of a script.
    pub line: bool,
    /// In how many runs it struck, or was asked for.
    pub runs: u64,
    /// It never struck, and it was bad luck: were it not left to chance, it would have.
    pub unlucky: bool,
    /// Where it is written.
    pub place: Option<Place>,
}

impl FaultReport {
    /// Whether it is the same rule, or line, as another of the same scenario: cases share those of the file.
    pub fn is(&self, other: &FaultReport) -> bool {
        self.text == other.text && self.line == other.line && self.place == other.place
    }
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
    fn says_nothing(&self) -> bool {
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

fn cell_report(at: usize, cell: Cell, swept: Option<&Swept>) -> CellReport {
    let tally = swept.and_then(|swept| swept.tally.invariants.get(at)).cloned().unwrap_or_default();
    let stuck = cell.verdict == Verdict::Stuck;
    CellReport {
        runs: swept.map_or(0, |swept| swept.tally.runs),
        violating: if stuck { tally.stuck_runs } else { tally.violating_runs },
        silent: tally.silent,
        first_seed: if stuck { tally.first_stuck } else { tally.first_violating },
        one_history: swept.is_some_and(|swept| swept.one_history),
        obligations: tally.obligations,
        hazards: tally.hazards,
        cell,
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

/// How it all went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// All as expected.
    AsExpected,
    /// Too little was seen of something that is expected, or a case says nothing.
    Inconclusive,
    /// Something is wrong that was not expected, or something expected did not come.
    Finding,
    /// A scenario is at fault: it cannot be run, an invariant could not be evaluated, or a fault never strikes.
    Unsound,
    /// A run panicked: the program is at fault.
    Panicked,
}

impl Ending {
    /// All of them, from best to worst.
    pub const ALL: [Ending; 5] =
        [Ending::AsExpected, Ending::Inconclusive, Ending::Finding, Ending::Unsound, Ending::Panicked];

    /// Its word in reports for programs.
    pub fn word(self) -> &'static str {
        match self {
            Ending::AsExpected => "as-expected",
            Ending::Inconclusive => "inconclusive",
            Ending::Finding => "finding",
            Ending::Unsound => "unsound",
            Ending::Panicked => "panicked",
        }
    }
}

impl Report {
    /// All strategies of all cases.
    pub fn strategies(&self) -> impl Iterator<Item = &StrategyReport> {
        self.cases.iter().flat_map(|case| &case.strategies)
    }

    /// How it all went: the worst of it.
    pub fn ending(&self) -> Ending {
        let of = |strategy: &StrategyReport| {
            let status = |status: CellStatus| match status {
                CellStatus::Unremarkable | CellStatus::Expected => Ending::AsExpected,
                CellStatus::Inconclusive => Ending::Inconclusive,
                CellStatus::Finding | CellStatus::Missed => Ending::Finding,
            };
            let worst = strategy.statuses().map(status).max().unwrap_or(Ending::AsExpected);
            let unsound = if strategy.broken.is_empty() { Ending::AsExpected } else { Ending::Unsound };
            let panicked = if strategy.panics.is_empty() { Ending::AsExpected } else { Ending::Panicked };
            let halted = if strategy.halted.is_empty() { Ending::AsExpected } else { Ending::Finding };
            worst.max(unsound).max(panicked).max(halted)
        };
        let worst = self.strategies().map(of).max().unwrap_or(Ending::AsExpected);
        let unearned = self.cases.iter().any(CaseReport::says_nothing);
        let never = self.never_struck().iter().map(NeverStruck::ending).max();
        let unearned = if unearned { Ending::Inconclusive } else { Ending::AsExpected };
        let rejected = if self.rejected.is_empty() { Ending::AsExpected } else { Ending::Unsound };
        worst.max(unearned).max(never.unwrap_or(Ending::AsExpected)).max(rejected)
    }

    /// The code that the command exits with.
    pub fn exit_code(&self) -> u8 {
        match self.ending() {
            Ending::Panicked => 70,
            _ if self.interrupted => 130,
            Ending::Unsound => 2,
            Ending::Finding => 1,
            Ending::Inconclusive => 3,
            Ending::AsExpected => 0,
        }
    }

    /// Runs carried out, of all strategies.
    pub fn runs(&self) -> u64 {
        self.strategies().map(|strategy| strategy.costs.runs).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(runs: u64, violating: u64) -> CellReport {
        let cell = Cell { verdict: Verdict::Holds, expected: None, status: CellStatus::Unremarkable };
        let (obligations, hazards) = (1, 1);
        CellReport {
            cell,
            runs,
            violating,
            silent: 0,
            first_seed: None,
            obligations,
            hazards,
            one_history: false,
        }
    }

    #[test]
    fn rates_have_bounds() {
        // Wilson's score interval for 10 of 100 with z = 1.96 is 5.52 % to 17.44 % (Newcombe 1998, by his formula).
        assert_eq!(cell(100, 10).rate_ppm(), (55_229, 174_366));
        assert_eq!(cell(1_000, 0).rate_ppm(), (0, 2_992));
        assert_eq!(cell(0, 0).rate_ppm(), (0, 1_000_000));
        // A thousand runs of one history are one: nothing seen says nothing, and 1 of 1 is 1 / (1 + z²) or more.
        let one = |violating| CellReport { one_history: true, ..cell(1_000, violating) };
        assert_eq!(one(0).rate_ppm(), (0, 1_000_000));
        assert_eq!(one(1_000).rate_ppm(), (206_549, 1_000_000));
    }
}
