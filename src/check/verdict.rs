//! What one run yields and what many runs of one cell amount to.
//!
//! Tallies are sums and minima of integers, so they can be merged in any order and always give the same.

use std::ops::Range;

use super::counts::Counts;
use super::finding::Finding;
use crate::model::expr::Failure;
use crate::model::invariant::Verdict;

/// How many findings of one invariant a run keeps; all are counted.
pub const FINDINGS: usize = 8;

/// What a run says about one invariant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InvariantRun {
    /// The first violations, or, of an intent that never ends, what is stuck. At most [`FINDINGS`].
    pub findings: Vec<Finding>,
    /// How often it was violated.
    pub violations: u64,
    /// Violations of which every client involved was told ok.
    pub silent: u64,
    /// It could not be decided, because something never ended.
    pub stuck: bool,
    /// How many rows, intents, flows or states were examined.
    pub obligations: u64,
    /// How often something happened that could have broken it.
    pub hazards: u64,
}

/// An invariant that could not be evaluated: an error of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The index of the invariant.
    pub invariant: usize,
    /// Why it has no value.
    pub failure: Failure,
    /// Where, in bytes of the expression's text.
    pub span: Range<u32>,
}

/// What a run says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunVerdict {
    /// One for each invariant.
    pub invariants: Vec<InvariantRun>,
    /// Counts over the whole run.
    pub counts: Counts,
    /// Intents that ended for their client, however they did.
    pub completed: u64,
    /// Invariants that could not be evaluated, at most one entry for each.
    pub errors: Vec<Broken>,
}

impl RunVerdict {
    /// Whether any invariant is violated.
    pub fn is_violated(&self) -> bool {
        self.invariants.iter().any(|run| run.violations > 0)
    }
}

/// What many runs say about one invariant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvariantTally {
    /// Runs that violate it.
    pub violating_runs: u64,
    /// Violations in all runs.
    pub violations: u64,
    /// Those of which every client involved was told ok.
    pub silent: u64,
    /// Runs in which it was stuck and not violated.
    pub stuck_runs: u64,
    /// What was examined in all runs.
    pub obligations: u64,
    /// What could have broken it in all runs.
    pub hazards: u64,
    /// The smallest seed that violates it.
    pub first_violating: Option<u64>,
    /// The smallest seed in which it is stuck.
    pub first_stuck: Option<u64>,
}

/// How much a cell must have seen before it may say that something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// What was examined.
    pub obligations: u64,
    /// What could have broken it.
    pub hazards: u64,
    /// Intents that ended.
    pub completed: u64,
}

impl Default for Minimum {
    fn default() -> Self {
        Minimum { obligations: 1, hazards: 1, completed: 1 }
    }
}

/// What many runs of one case and strategy say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellTally {
    /// How many runs.
    pub runs: u64,
    /// Intents that ended in all of them.
    pub completed: u64,
    /// Counts over all of them.
    pub counts: Counts,
    /// One for each invariant; empty before the first run.
    pub invariants: Vec<InvariantTally>,
    /// For each invariant the smallest seed with an error, and the error; sorted by invariant.
    pub errors: Vec<(u64, Broken)>,
}

/// The smaller of two seeds, as far as there are any.
pub(crate) fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

impl CellTally {
    /// Adds a run.
    pub fn add(&mut self, seed: u64, run: &RunVerdict) {
        let tally = |one: &InvariantRun| {
            let (violated, stuck) = (one.violations > 0, one.stuck && one.violations == 0);
            InvariantTally {
                violating_runs: violated.into(),
                violations: one.violations,
                silent: one.silent,
                stuck_runs: stuck.into(),
                obligations: one.obligations,
                hazards: one.hazards,
                first_violating: violated.then_some(seed),
                first_stuck: stuck.then_some(seed),
            }
        };
        self.merge(&CellTally {
            runs: 1,
            completed: run.completed,
            counts: run.counts.clone(),
            invariants: run.invariants.iter().map(tally).collect(),
            errors: run.errors.iter().map(|error| (seed, error.clone())).collect(),
        });
    }

    /// Adds the runs of another tally of the same cell.
    pub fn merge(&mut self, other: &CellTally) {
        self.runs += other.runs;
        self.completed += other.completed;
        self.counts.add(&other.counts);
        if self.invariants.len() < other.invariants.len() {
            self.invariants.resize_with(other.invariants.len(), InvariantTally::default);
        }
        for (sum, more) in self.invariants.iter_mut().zip(&other.invariants) {
            sum.violating_runs += more.violating_runs;
            sum.violations += more.violations;
            sum.silent += more.silent;
            sum.stuck_runs += more.stuck_runs;
            sum.obligations += more.obligations;
            sum.hazards += more.hazards;
            sum.first_violating = least(sum.first_violating, more.first_violating);
            sum.first_stuck = least(sum.first_stuck, more.first_stuck);
        }
        for error in &other.errors {
            match self.errors.binary_search_by_key(&error.1.invariant, |known| known.1.invariant) {
                Ok(at) if error.0 < self.errors[at].0 => self.errors[at] = error.clone(),
                Ok(_) => {}
                Err(at) => self.errors.insert(at, error.clone()),
            }
        }
    }

    /// What the runs say about an invariant: violated if any run is, else an error if it has no value in any run, else
    /// stuck if any run is, else inconclusive if too little was seen, else it holds.
    pub fn verdict(&self, invariant: usize, minimum: &Minimum) -> Verdict {
        let Some(tally) = self.invariants.get(invariant) else { return Verdict::Inconclusive };
        if tally.violating_runs > 0 {
            Verdict::Violated
        } else if self.errors.iter().any(|(_, broken)| broken.invariant == invariant) {
            Verdict::Error
        } else if tally.stuck_runs > 0 {
            Verdict::Stuck
        } else if tally.obligations < minimum.obligations
            || tally.hazards < minimum.hazards
            || self.completed < minimum.completed
        {
            Verdict::Inconclusive
        } else {
            Verdict::Holds
        }
    }

    /// The worst verdict over all invariants; inconclusive if there is none.
    pub fn overall(&self, minimum: &Minimum) -> Verdict {
        let verdicts = (0..self.invariants.len()).map(|at| self.verdict(at, minimum));
        verdicts.max().unwrap_or(Verdict::Inconclusive)
    }
}
