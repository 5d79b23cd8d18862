//! What a command found, as plain data: every format for people or programs is rendered from it.
//!
//! A [`Report`] holds one [`CaseReport`] for each case of each scenario, and that one [`StrategyReport`] for each
//! strategy. It is built from prepared strategies and their sweeps; it knows no text beyond names.

mod case;
mod cell;
mod found;
mod strategy;

pub use self::case::{CaseReport, InvariantName};
pub use self::cell::CellReport;
pub use self::found::{BrokenReport, CostReport, FaultReport, SlipReport, SpentReport};
pub use self::strategy::{StrategyReport, fact_status, failure};
use super::trouble::NeverStruck;
use crate::explore::CellStatus;
use crate::scenario::render::Entry;

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
        asked: &std::ops::Range<u64>,
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
