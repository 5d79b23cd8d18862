//! How a trial ended: as expected, or not, with all there is to say about it as the error of a test.

use std::error::Error;
use std::fmt;

use crate::explore::{CellStatus, Prepared};
use crate::report::telling::{Again, of_case};
use crate::report::words::{count, counted, shell};
use crate::report::{CaseReport, Ending, Look, Report, StrategyReport, text, trouble};

/// Stories told of one case.
const STORIES: usize = 3;

/// Columns of what a failed test prints.
const WIDTH: usize = 100;

/// Where a scenario stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// In a file, all of it.
    InFile,
    /// Nowhere yet: it was put together in Rust.
    Nowhere,
    /// Some of it is Rust code.
    InRust,
}

/// A trial in which all was as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    report: Report,
}

impl Checked {
    pub(super) fn new(report: Report) -> Checked {
        Checked { report }
    }

    /// What came out: verdicts, rates and costs of every strategy in every case.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// How many runs there were, of all strategies in all cases.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.report.runs()
    }
}

/// The matrix of each case.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&matrices(&self.report))
    }
}

/// A trial in which something was not as expected. It prints the matrix with what was missed, the story of what broke,
/// its lanes, and the commands that show it again; as `Debug` too, since that is what a test prints of an error.
#[derive(Clone, PartialEq)]
pub struct Failed {
    report: Report,
    text: String,
}

impl Failed {
    /// A trial that was asked for wrongly.
    pub(super) fn usage(text: impl Into<String>) -> Failed {
        Failed { report: Report::default(), text: text.into() }
    }

    /// A trial of code that does not do the same twice.
    pub(super) fn impure(report: Report, text: String) -> Failed {
        Failed { report, text }
    }

    pub(super) fn new(
        report: Report,
        prepared: &[Vec<Prepared>],
        test: Option<&str>,
        written: Written,
    ) -> Failed {
        let look = Look { width: WIDTH, ..Look::default() };
        let mut text = format!("{}\n\n{}", headline(&report), matrices(&report));
        for (case, prepared) in report.cases.iter().zip(prepared) {
            let again = |again: &Again<'_>| again_lines(again, written, test);
            text += &of_case(case, prepared.iter().map(Some), false, STORIES, &again, &look);
            text += &untold(case, &again);
        }
        text += &trouble::never_struck(&report, &look);
        Failed { report, text }
    }

    /// What came out; empty if nothing was run because something was asked for that is not there.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The smallest seed of something unexpected, if it can be shown by a seed.
    #[must_use]
    pub fn first_seed(&self) -> Option<u64> {
        let of = |strategy: &StrategyReport| {
            let cells =
                strategy.cells.iter().filter(|cell| cell.is_finding()).filter_map(|cell| cell.first_seed);
            let facts = strategy.facts.iter().filter(|fact| !fact.held && !fact.sometimes);
            let panics = strategy.panics.iter().chain(&strategy.halted).map(|(seed, _)| *seed);
            cells.chain(facts.filter_map(|fact| fact.seed)).chain(panics).min()
        };
        self.report.strategies().filter_map(of).min()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Failed {}

/// Whether a test passes. A single seed asked for by the environment may show too little.
pub(super) fn is_fine(report: &Report, one_seed: bool) -> bool {
    match report.ending() {
        Ending::AsExpected => true,
        Ending::Inconclusive => one_seed,
        Ending::Finding | Ending::Unsound | Ending::Panicked => false,
    }
}

/// How much is not as expected, in one line.
fn headline(report: &Report) -> String {
    let number = |wanted: CellStatus| {
        report.strategies().flat_map(StrategyReport::statuses).filter(|status| *status == wanted).count()
            as u64
    };
    let mut parts = Vec::new();
    for (n, noun) in
        [(number(CellStatus::Finding), "finding"), (number(CellStatus::Missed), "missed expectation")]
    {
        if n > 0 {
            parts.push(count(n, noun));
        }
    }
    if number(CellStatus::Inconclusive) > 0 {
        parts.push(format!("{} inconclusive", number(CellStatus::Inconclusive)));
    }
    match report.ending() {
        Ending::Panicked => parts.insert(0, "a run panicked".into()),
        Ending::Unsound => parts.insert(0, text::unsound(report).into()),
        Ending::Inconclusive if parts.is_empty() => parts.push("inconclusive".into()),
        _ => {}
    }
    if report.strategies().any(|strategy| !strategy.halted.is_empty()) {
        parts.insert(0, "code of its own broke".into());
    }
    format!("not as expected in {}: {}", counted(report.runs(), "run", "runs"), parts.join(", "))
}

fn matrices(report: &Report) -> String {
    let look = Look { width: WIDTH, ..Look::default() };
    let all: Vec<String> = report.cases.iter().map(|case| text::verdicts(case, &look)).collect();
    all.join("\n")
}

/// The lines that show a run again.
fn again_lines(again: &Again<'_>, written: Written, test: Option<&str>) -> Vec<String> {
    let rerun = match test {
        Some(test) => format!("HALFWAY_SEED={} cargo test {}", again.seed, shell(test)),
        None => format!("HALFWAY_SEED={} cargo test", again.seed),
    };
    match written {
        Written::InFile => vec![again.command(), rerun],
        Written::Nowhere => {
            vec![format!("{}   # after draft.save({:?})", again.command(), again.file), rerun]
        }
        Written::InRust => vec![rerun],
    }
}

/// Seeds of facts that are not true: nothing broke that a story could be told of, but a seed shows it.
fn untold(case: &CaseReport, lines: &dyn Fn(&Again<'_>) -> Vec<String>) -> String {
    let mut out = String::new();
    for strategy in &case.strategies {
        let facts = strategy.facts.iter().filter(|fact| !fact.held && !fact.sometimes);
        if let Some(seed) = facts.filter_map(|fact| fact.seed).min() {
            let (file, strategy) = (&case.file, &strategy.name);
            let again = Again { file, strategy, case: case.case.as_deref(), seed };
            out += &format!("\nA fact is not true:\n\n  {}\n", lines(&again).join("\n  "));
        }
    }
    out
}
