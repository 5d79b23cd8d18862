//! What came out, beside what a file expects.

use super::prepared::Prepared;
use super::sweep::Swept;
use crate::check::Minimum;
use crate::model::invariant::Verdict;

/// From so many seeds on, an expected violation that was not seen is a miss; below, it is inconclusive.
const ENOUGH_SEEDS: u64 = 1000;

/// How a verdict compares with what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellStatus {
    /// Nothing is expected and nothing is wrong.
    Unremarkable,
    /// As expected.
    Expected,
    /// Something is wrong that was not expected.
    Finding,
    /// Something else was expected.
    Missed,
    /// Too little was seen to say.
    Inconclusive,
}

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The verdict.
    pub verdict: Verdict,
    /// What was expected.
    pub expected: Option<Verdict>,
    /// How they compare.
    pub status: CellStatus,
}

/// How a fact fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactStatus {
    /// As written.
    pub text: String,
    /// It should be true sometimes, not always.
    pub sometimes: bool,
    /// It was.
    pub held: bool,
    /// A seed that shows that it was not always.
    pub seed: Option<u64>,
    /// Too few seeds to say that it never is.
    pub inconclusive: bool,
    /// Where it was not true for want of a value, a seed that shows it.
    pub void: Option<u64>,
}

/// A strategy beside what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// One for each invariant.
    pub cells: Vec<Cell>,
    /// All invariants together, if the file expects something of them together.
    pub overall: Option<Cell>,
    /// The facts.
    pub facts: Vec<FactStatus>,
}

impl Judged {
    /// The statuses of everything.
    pub fn statuses(&self) -> impl Iterator<Item = CellStatus> + '_ {
        let facts = self.facts.iter().map(|fact| match (fact.held, fact.inconclusive) {
            (true, _) => CellStatus::Expected,
            (false, true) => CellStatus::Inconclusive,
            (false, false) => CellStatus::Missed,
        });
        self.cells.iter().chain(&self.overall).map(|cell| cell.status).chain(facts)
    }
}

/// Compares a sweep with what is expected of its strategy. `swept` is `None` if it cannot be carried out.
pub fn judge(prepared: &Prepared, swept: Option<&Swept>) -> Judged {
    let expected = &prepared.expected;
    let minimum = Minimum::default();
    // More seeds tell no more where all have one history.
    let enough = swept.is_some_and(|swept| swept.runs >= ENOUGH_SEEDS || swept.one_history);
    let by_name = |at: usize| {
        let named = expected.by_invariant.iter().find(|(invariant, _)| *invariant == at).map(|(_, v)| *v);
        named.or(expected.every)
    };
    let cells: Vec<Cell> = (0..prepared.invariants.len())
        .map(|at| {
            let verdict = swept.map_or(Verdict::NotApplicable, |swept| swept.tally.verdict(at, &minimum));
            // A bare verdict is the worst that may show, so it allows whatever is no worse.
            let allowed = expected.overall.map_or(expected.open, |overall| verdict <= overall);
            cell(verdict, by_name(at), allowed, enough)
        })
        .collect();
    let overall = expected.overall.map(|wanted| {
        let worst = match swept {
            None => Verdict::NotApplicable,
            Some(swept) => swept.tally.overall(&minimum),
        };
        cell(worst, Some(wanted), true, enough)
    });
    let mut facts = Vec::new();
    if let Some(swept) = swept {
        for (fact, tally) in expected.facts.iter().zip(&swept.facts) {
            facts.push(FactStatus {
                text: fact.text.clone(),
                sometimes: false,
                held: tally.first_no.is_none(),
                seed: tally.first_no,
                inconclusive: false,
                void: tally.first_void.filter(|_| tally.first_void == tally.first_no),
            });
        }
        for (fact, tally) in expected.sometimes.iter().zip(&swept.sometimes) {
            facts.push(FactStatus {
                text: fact.text.clone(),
                sometimes: true,
                held: tally.yes > 0,
                seed: tally.first_yes,
                inconclusive: tally.yes == 0 && !enough,
                void: tally.first_void.filter(|_| tally.yes == 0),
            });
        }
    }
    Judged { cells, overall, facts }
}

fn cell(verdict: Verdict, expected: Option<Verdict>, allowed: bool, enough: bool) -> Cell {
    let bad = matches!(verdict, Verdict::Violated | Verdict::Stuck | Verdict::Error);
    let status = match expected {
        Some(wanted) if wanted == verdict => CellStatus::Expected,
        // Nobody can expect it, and nothing allows it.
        _ if verdict == Verdict::Error => CellStatus::Finding,
        // What is expected to break may need more seeds to do so.
        Some(Verdict::Violated | Verdict::Stuck) if !bad && !enough => CellStatus::Inconclusive,
        Some(_) if bad => CellStatus::Finding,
        Some(_) if verdict == Verdict::Inconclusive => CellStatus::Inconclusive,
        Some(_) => CellStatus::Missed,
        None if bad && !allowed => CellStatus::Finding,
        None => CellStatus::Unremarkable,
    };
    Cell { verdict, expected, status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expected_violation_that_is_not_seen_is_a_miss_only_with_enough_seeds() {
        let status = |verdict, expected, enough| cell(verdict, Some(expected), true, enough).status;
        assert_eq!(status(Verdict::Holds, Verdict::Violated, false), CellStatus::Inconclusive);
        assert_eq!(status(Verdict::Holds, Verdict::Violated, true), CellStatus::Missed);
        assert_eq!(status(Verdict::Violated, Verdict::Violated, false), CellStatus::Expected);
    }

    #[test]
    fn a_violation_nobody_expected_is_a_finding_and_an_expected_hold_must_be_earned() {
        let status = |verdict, expected, allowed| cell(verdict, expected, allowed, true).status;
        assert_eq!(status(Verdict::Violated, None, false), CellStatus::Finding);
        assert_eq!(status(Verdict::Violated, None, true), CellStatus::Unremarkable);
        assert_eq!(status(Verdict::Violated, Some(Verdict::Holds), true), CellStatus::Finding);
        assert_eq!(status(Verdict::Inconclusive, Some(Verdict::Holds), true), CellStatus::Inconclusive);
        assert_eq!(status(Verdict::Inconclusive, None, false), CellStatus::Unremarkable);
        for expected in [None, Some(Verdict::Violated), Some(Verdict::Inconclusive)] {
            assert_eq!(
                status(Verdict::Error, expected, true),
                CellStatus::Finding,
                "nothing allows an error"
            );
        }
    }
}
