//! A cell of the matrix, and how sure its rate is.

use super::super::words::clean_bound;
use crate::explore::{Cell, CellStatus, Swept};
use crate::model::invariant::Verdict;

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

/// The cell of an invariant, by its number, as a sweep showed it.
pub(super) fn cell_report(at: usize, cell: Cell, swept: Option<&Swept>) -> CellReport {
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
